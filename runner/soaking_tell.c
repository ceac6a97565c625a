/* What a soak says while it goes on. */
#include "runner/session.h"
#include "runner/soaking.h"

#define PAUSE_FIRST (10 * NS_PER_S)
#define PAUSE_MOST  (300 * NS_PER_S)
#define WIDTH_MOST  200 /* of a line that is on no terminal */

void soaking_header(struct session *s)
{
    struct buf out = {0};

    if (s->style.verbose < 0)
        return;
    if (s->soak->left_out)
        buf_addf(&out, "%u case%s left out: skipped or not supported here\n", s->soak->left_out,
                 s->soak->left_out == 1 ? "" : "s");
    soak_tell_plan(s->soak->engine, &out);
    if (out.len && out.ptr[out.len - 1] != '\n')
        buf_addc(&out, '\n');
    progress_output(s->progress, buf_str(&out));
    buf_release(&out);
    if (s->resumed)
        soaking_say(s);
}

void soaking_say(struct session *s)
{
    struct buf line = {0};

    soak_tell_line(s->soak->engine, soaking_now(s), WIDTH_MOST, &line);
    progress_line(s->progress, "%s", buf_text(&line));
    buf_release(&line);
}

void soaking_draw(struct session *s, nanos now)
{
    struct buf line = {0};

    if (!progress_is_due(s->progress, now))
        return;
    soak_tell_line(s->soak->engine, soaking_now(s), progress_columns(s->progress), &line);
    progress_say(s->progress, now, buf_str(&line));
    buf_release(&line);
}

bool soaking_is_quiet(const struct session *s)
{
    return s->soak && s->style.verbose < 1;
}

/* In a log: often at first, when people wait for something to be seen, and rarely when it has gone on for long. */
static void say_now_and_then(struct session *s)
{
    struct soaking *soak = s->soak;
    nanos now = watch_now(s->watch);

    if (!soak->pause)
        soak->pause = PAUSE_FIRST;
    if (s->style.live || s->style.verbose < 0 || now - soak->said < soak->pause)
        return;
    soaking_say(s);
    soak->said = now;
    soak->pause = soak->pause * 2 < PAUSE_MOST ? soak->pause * 2 : PAUSE_MOST;
}

static bool is_told(const struct session *s, const struct slot *slot, const struct journal_attempt *attempt)
{
    if (slot->worth == SOAK_ALL)
        return true;
    return s->style.verbose >= (verdict_counts(attempt->verdict) == COUNT_FAILED ? 1 : 2);
}

void soaking_tell(struct session *s, struct slot *slot, const struct journal_attempt *attempt)
{
    if (!is_told(s, slot, attempt)) {
        progress_gone(s->progress, slot->number, slot->recipe.id);
        say_now_and_then(s);
        return;
    }
    progress_ended(s->progress, slot->number, slot->recipe.id, attempt, 0);
    if (slot->soaked.evidence.len)
        progress_line(s->progress, "        the first of its kind: %s/%.*s", s->run.path,
                      STR_ARG(slot->soaked.evidence));
}

/* What each attempt warns of would fill the journal. */
bool soaking_may_note(struct session *s)
{
    if (!s->soak || s->soak->notes < SOAKING_NOTES_MOST) {
        if (s->soak)
            s->soak->notes++;
        return true;
    }
    if (s->soak->notes++ == SOAKING_NOTES_MOST)
        progress_warn(s->progress, "%u warnings: those that follow are left out", SOAKING_NOTES_MOST);
    return false;
}
