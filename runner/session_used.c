/* Small things that everybody needs of a session. */
#include "runner/session.h"

#include "runner/header.h"
#include "runner/servers.h"
#include "runner/soaking.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

uint32_t session_places(const struct session *s)
{
    return s->jobs + fixtures_places(s) + servers_places(s);
}

nanos session_now(const struct session *s)
{
    return watch_now(s->watch) - s->began;
}

const struct plan_case *session_planned(const struct session *s, uint32_t number)
{
    return &s->front->plan.cases[s->cases[number].planned];
}

uint32_t session_recorded(const struct session *s, uint32_t number)
{
    return number % s->case_count;
}

void session_case_id(const struct session *s, uint32_t number, struct buf *out)
{
    case_id(out, &s->front->plan, session_planned(s, number));
}

static void drop_one(void *user, uint32_t queued)
{
    struct session *s = user;

    life_event(s, s->by_queue[queued], CASE_DROPPED);
}

void session_drop(struct session *s, const char *why)
{
    s->drop_reason = why;
    s->dropping = true;
    queue_close(s->queue, drop_one, s);
    soaking_let_go(s);
    s->dropping = false;
}

void session_drop_cells(struct session *s, uint32_t suite, const char *why)
{
    s->drop_reason = why;
    s->dropping = true;
    queue_close_cells(s->queue, suite, drop_one, s);
    s->dropping = false;
}

void session_failed(struct session *s, uint32_t suite)
{
    s->failures++;
    if (s->soak)
        return; /* what a run is stopped by is what a soak is to count; cases that were dropped are called again */
    if (s->failures_most && s->failures == (uint64_t)s->failures_most)
        session_drop(s,
                     arena_printf(s->arena, "stopped after %u failure%s", s->failures, plural(s->failures)));
    else if (s->front->suites.list[suite]->fail_fast)
        session_drop_cells(s, suite, "fail-fast: a case of another cell failed");
}

void session_note(struct session *s, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    if (!soaking_may_note(s))
        return;
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    progress_warn(s->progress, "%s", buf_text(&text));
    session_wrote(s, journal_note(s->journal, buf_str(&text), session_now(s)));
    buf_release(&text);
}

void session_wrote(struct session *s, int answer)
{
    if (answer == 0 || s->broken)
        return;
    s->broken = true;
    progress_warn(s->progress, "cannot write to the journal '%s/%s': %s; the run ends here", s->run.path,
                  JOURNAL_NAME, strerror(errno));
}
