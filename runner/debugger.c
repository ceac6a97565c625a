#include "runner/debugger.h"

#include "runner/session.h"

static const struct place nowhere = {0};

static bool refuse(struct session *s, const char *words)
{
    diag_error(s->in->diags, nowhere, "%s", words);
    return false;
}

bool debugger_read(struct session *s)
{
    const struct options *o = s->in->options;
    const char *why = NULL;

    if (o->debugger && o->wrapper)
        return refuse(s, "'--debugger' and '--wrapper' cannot be had together: each of them runs the case");
    if (o->debugger) {
        s->interactive = true;
        s->session_timeout = 0;
    }
    if (o->debugger)
        why = kitchen_run_by(&s->kitchen, "--debugger", o->debugger, true);
    else if (o->wrapper)
        why = kitchen_run_by(&s->kitchen, "--wrapper", o->wrapper, false);
    return !why || refuse(s, why);
}

/* Nobody can sit at two of them; and of many he would wait for those that he did not mean. */
bool debugger_has_one_case(struct session *s)
{
    struct buf first = {0};

    if (!s->in->options->debugger || s->case_count == 1)
        return true;
    if (s->case_count)
        session_case_id(s, 0, &first);
    diag_error(s->in->diags, nowhere, "'--debugger' is for one case, and %u are selected%s%s%s",
               s->case_count,
               s->case_count ? ": name one by its id, such as '" : "; 'run-matrix list' shows what there is",
               buf_text(&first), s->case_count ? "'" : "");
    buf_release(&first);
    return false;
}

bool debugger_runs(const struct session *s)
{
    struct watch_view view;

    return s->kitchen.before.debugs && s->slots[0].busy && s->slots[0].listed &&
           watch_look(s->watch, 0, &view);
}
