#include "runner/show_run.h"

#include "ci/job.h"
#include "matrix/matrix.h"
#include "runner/past.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define AXES_MOST 256

static const struct place nowhere = {0};

/* ---- an id of the journal as a selection sees it ---- */

struct id_parts {
    struct str axes[AXES_MOST], values[AXES_MOST];
};

static struct str take_until(struct str *text, char end)
{
    const char *at = memchr(text->ptr, end, text->len);
    size_t length = at ? (size_t)(at - text->ptr) : text->len;
    struct str taken = str_slice(*text, 0, length);

    *text = str_slice(*text, length + (at != NULL), text->len);
    return taken;
}

static struct case_view view_of(struct str id, struct str test, struct id_parts *parts)
{
    struct case_view view = {.id = id, .test = test, .axes = parts->axes, .values = parts->values};
    struct str rest = str_slice(id, test.len, id.len);

    if (str_starts(rest, "/"))
        rest = str_slice(rest, 1, rest.len);
    view.params = take_until(&rest, '@');
    while (rest.len && view.axis_count < AXES_MOST) {
        struct str pair = take_until(&rest, ',');

        parts->axes[view.axis_count] = take_until(&pair, '=');
        parts->values[view.axis_count++] = pair;
    }
    return view;
}

/* What stands before its cell. */
static struct str before_cell(struct str id)
{
    return take_until(&id, '@');
}

/* ---- which are shown ---- */

struct showing {
    struct past_run past;
    struct selection *selection; /* NULL: failures, or everything when there are none */
    bool everything;
    uint32_t shown;
};

static bool is_shown(const struct showing *s, const struct journal_history *history)
{
    struct str id = history->what->id, test = s->past.record.tests[history->what->test].name;
    struct id_parts parts;
    struct case_view view;

    if (s->past.record.run.soak && !history->count)
        return false; /* nothing is kept of what passed */
    if (!s->selection)
        return s->everything || verdict_counts(journal_outcome(history)) == COUNT_FAILED;
    if (str_starts(str_slice(id, test.len, id.len), "::"))
        test = before_cell(id); /* it is a test inside */
    view = view_of(id, test, &parts);
    return selection_matches(s->selection, &view) == SELECT_YES;
}

/* The case is not asked for: some of its results may be. */
static bool is_wanted(void *user, struct str id)
{
    const struct showing *s = user;
    struct id_parts parts;
    struct case_view view = view_of(id, before_cell(id), &parts);

    return selection_matches(s->selection, &view) == SELECT_YES;
}

static void show_results(struct showing *s, const struct journal_history *history, struct report_sink *sink)
{
    if (s->selection)
        s->shown += report_results(&s->past.input, history, is_wanted, s, sink);
}

static bool any_failed(const struct journal_record *record)
{
    for (uint32_t i = 0; i < record->case_count; i++)
        if (verdict_counts(journal_outcome(&record->cases[i])) == COUNT_FAILED)
            return true;
    return false;
}

/* Of an attempt of a soak: more than a line. */
static bool is_kept_whole(const struct journal_attempt *attempt)
{
    bool kept = attempt->dump.len || attempt->files || (attempt->results && attempt->results->path.len);

    for (uint32_t i = 0; i < attempt->output_count; i++)
        kept = kept || attempt->outputs[i].path.len;
    return kept;
}

/* In a soak the attempts of a case are no tries of one: each that there is something to be seen of is told by itself. */
static void show_case(struct showing *s, const struct journal_history *history, struct report_sink *sink)
{
    uint32_t told = 0;

    for (uint32_t i = 0; s->past.record.run.soak && i < history->count; i++) {
        struct journal_history one = *history;

        one.attempts = &history->attempts[i];
        one.count = 1;
        if (!is_kept_whole(one.attempts))
            continue;
        report_case(&s->past.input, &one, sink);
        told++;
    }
    if (!told)
        report_case(&s->past.input, history, sink);
}

static void show_those(struct showing *s, struct report_sink *sink, bool failed)
{
    for (uint32_t i = 0; i < s->past.record.case_count; i++) {
        const struct journal_history *history = &s->past.record.cases[i];

        if ((verdict_counts(journal_outcome(history)) == COUNT_FAILED) != failed)
            continue;
        if (!is_shown(s, history)) {
            show_results(s, history, sink);
            continue;
        }
        show_case(s, history, sink);
        s->shown++;
    }
}

static enum exit_code show(struct showing *s, struct invocation *in)
{
    struct report_sink sink;
    int error;

    s->everything = !any_failed(&s->past.record);
    s->past.options.results = s->selection != NULL;
    report_sink_open(&sink, STDOUT_FILENO);
    sink.harmless = job_inside();
    show_those(s, &sink, true);
    show_those(s, &sink, false);
    error = report_sink_close(&sink);
    if (error) {
        diag_error(in->diags, nowhere, "cannot write to standard output: %s", strerror(error));
        return EXIT_BROKEN;
    }
    if (s->shown)
        return EXIT_PASSED;
    if (s->past.record.run.soak && s->everything) {
        diag_warning(in->diags, nowhere,
                     "run %.*s is a soak in which nothing failed: 'run-matrix report' has its result",
                     STR_ARG(s->past.run.id));
        return EXIT_PASSED;
    }
    diag_error(in->diags, nowhere, "no case of run %.*s is called so", STR_ARG(s->past.run.id));
    return EXIT_NOTHING;
}

static bool compile_ids(struct showing *s, struct invocation *in)
{
    const struct opt_list *forced = &in->options->ids;
    const char **ids = ARENA_ARRAY(in->arena, const char *, in->args.count + forced->count);
    struct selection_spec spec = {.ids = ids};

    for (size_t i = 0; i < in->args.count; i++)
        ids[spec.id_count++] = in->args.values[i];
    for (size_t i = 0; i < forced->count; i++)
        ids[spec.id_count++] = forced->values[i];
    if (spec.id_count)
        s->selection = selection_compile(in->arena, &spec, nowhere, in->diags);
    return !spec.id_count || s->selection;
}

enum exit_code show_run(struct invocation *in)
{
    struct showing s = {0};
    enum exit_code code = EXIT_USAGE;
    bool open = past_open(&s.past, in, in->options->from ? in->options->from : "latest");

    if (open && compile_ids(&s, in))
        code = show(&s, in);
    if (s.selection)
        selection_release(s.selection);
    past_close(&s.past);
    return code;
}
