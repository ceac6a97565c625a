#include "runner/control.h"

#include "runner/base/mem.h"
#include "runner/base/sig.h"
#include "runner/debugger.h"
#include "runner/dumps.h"
#include "runner/leftovers.h"
#include "runner/loop.h"
#include "runner/outputs.h"
#include "runner/servers.h"
#include "runner/session.h"
#include "runner/soaking.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define URGENCY_KILL   3
#define LAST_LINE_MOST 160

/* ---- ending the run ---- */

static void cancel(struct session *s, const char *why, int urgency)
{
    static const char *const words[] = {
        [1] = "starting nothing more, ending what runs; again to hurry",
        [2] = "sending TERM",
        [3] = "sending KILL",
    };

    if (urgency > URGENCY_KILL)
        urgency = URGENCY_KILL;
    watch_cancel(s->watch, urgency, s->kitchen.cap);
    s->urgency = urgency;
    fixtures_hurry(s);
    servers_hurry(s);
    progress_hurry(s->progress);
    progress_line(s->progress, "%s: %s", why, words[urgency]);
    if (s->cancelled)
        return;
    s->cancelled = arena_printf(s->arena, "cancelled by %s", why);
    session_wrote(s, journal_cancelled(s->journal, str_of(why), session_now(s)));
    session_drop(s, s->cancelled);
    fixtures_give_up(s);
}

void control_give_up(struct session *s)
{
    if (s->urgency)
        return;
    s->urgency = 1;
    watch_cancel(s->watch, 1, s->kitchen.cap);
    session_drop(s, "the run could not go on");
    fixtures_give_up(s);
}

/* Nobody else is left to end what runs, should we die as well; nor does anybody wait for us. */
void control_guard_died(struct session *s)
{
    signals_guarded(&s->signals, 0, -1, NULL);
    watch_outer(s->watch, (struct proc_id){0});
    cancel(s, "the death of its guard", URGENCY_KILL);
}

/* ---- stopping and going on ---- */

/* A debugger was told as we were, and whom it debugs it stops and continues itself. */
static void stop(struct session *s)
{
    bool debugging = debugger_runs(s);

    progress_hide(s->progress);
    tty_restore(&s->tty);
    if (!debugging)
        watch_stop(s->watch);
    signals_stop_self();
    if (!debugging)
        watch_continue(s->watch);
    tty_keys(&s->tty);
}

/* ---- who is running ---- */

static const char *state_of(struct slot *slot, const struct watch_view *view)
{
    if (!view->cause)
        return watch_phase_words[view->phase];
    return arena_printf(&slot->arena, "being ended: %s", watch_cause_words[view->cause]);
}

static bool look(struct session *s, struct slot *slot, struct progress_running *running, struct buf *line)
{
    struct watch_view view;

    if (!slot->busy || !watch_look(s->watch, slot->number, &view))
        return false;
    *running = (struct progress_running){
        .id = slot->recipe.id,
        .attempt = s->cases[slot->on].attempts + 1u,
        .running = view.running,
        .state = state_of(slot, &view),
        .path = outputs_follow(s, slot),
    };
    if (slot->capture.files[0].fd >= 0)
        capture_last_line(&slot->capture.files[0], LAST_LINE_MOST, line);
    running->last_line = buf_str(line);
    return true;
}

static void show_status(struct session *s)
{
    uint32_t fixtures = fixtures_places(s), most = s->jobs + fixtures, count = 0;
    struct progress_running *running = mem_zero(most, sizeof *running);
    struct buf *lines = mem_zero(most, sizeof *lines);

    for (uint32_t i = 0; i < s->jobs; i++)
        if (look(s, &s->slots[i], &running[count], &lines[count]))
            count++;
    for (uint32_t i = 0; i < fixtures; i++)
        if (fixtures_running(s, i, &running[count], &lines[count]))
            count++;
    if (s->soak)
        soaking_say(s);
    progress_status(s->progress, running, count, queue_waiting(s->queue));
    for (uint32_t i = 0; i < most; i++)
        buf_release(&lines[i]);
    free(lines);
    free(running);
}

/* ---- sources ---- */

static void signal_came(struct session *s, int number)
{
    if ((number == SIGINT || number == SIGQUIT) && debugger_runs(s))
        return; /* the terminal sent it to the debugger too, which knows what to do with it */
    switch (number) {
    case SIGHUP:
        if (s->signals.nohup)
            break;
        /* fall through */
    case SIGINT:
    case SIGQUIT: cancel(s, signal_name(number), s->urgency + 1); break;
    case SIGTERM: cancel(s, signal_name(number), s->urgency < 2 ? 2 : 3); break;
    case SIGTSTP:
        if (signals_may_stop())
            stop(s);
        break;
    case SIGCONT: tty_keys(&s->tty); break;
    case SIGUSR1: show_status(s); break;
    case SIGUSR2: dumps_ask_all(s); break;
    default: break;
    }
}

void control_signals(struct session *s)
{
    int number;

    while ((number = signals_next(&s->signals)))
        signal_came(s, number);
}

void control_keys(struct session *s)
{
    bool gone = false;
    char key;

    while ((key = tty_key(&s->tty, &gone)))
        if (key == 't' || key == '\n' || key == '\r')
            show_status(s);
    if (gone)
        loop_forget_keys(s);
}

static void slow(struct session *s, struct slot *slot)
{
    struct watch_view view;

    if (watch_look(s->watch, slot->number, &view) && !soaking_is_quiet(s))
        progress_slow(s->progress, slot->recipe.id, view.running, outputs_follow(s, slot));
    if (slot->recipe.dumps & 1u << DUMP_WHEN_SLOW && !s->soak) /* its files would be as many as attempts */
        dumps_ask(s, slot, DUMP_SLOW);
}

static void over(struct session *s, struct slot *slot)
{
    if (watch_reap(s->watch, slot->number, &slot->ending) == WATCH_IS_OVER)
        life_event(s, slot->on, CASE_GONE);
}

static void remains(struct session *s, struct slot *slot)
{
    leftovers_of_tree(s, slot);
    watch_end(s->watch, slot->number, WATCH_REMAINS);
}

static void watch_told(struct session *s, const struct watch_event *event)
{
    struct slot *slot;

    if (event->kind == WATCH_TELLS_SESSION) {
        s->timed_out = true;
        progress_line(s->progress,
                      "the session deadline has struck: starting nothing more, ending what runs");
        session_drop(s, "the session deadline struck before");
        fixtures_give_up(s);
        return;
    }
    if (event->kind == WATCH_TELLS_STOPPED) {
        stop(s);
        return;
    }
    if (event->slot >= s->jobs) {
        (servers_has(s, event->slot) ? servers_watch_told : fixtures_watch_told)(s, event);
        return;
    }
    slot = &s->slots[event->slot];
    if (!slot->busy || slot->generation != event->generation)
        return;
    if (event->kind == WATCH_TELLS_SLOW)
        slow(s, slot);
    else if (event->kind == WATCH_TELLS_ENDING)
        life_event(s, slot->on, CASE_CLIMBED);
    else if (event->kind == WATCH_TELLS_REMAINS)
        remains(s, slot);
    else
        over(s, slot);
}

void control_watch(struct session *s)
{
    struct watch_event event;

    while (watch_next(s->watch, &event))
        watch_told(s, &event);
}

/* ---- the live line ---- */

/* What is left of the cases that run; -1 when one of them was never timed. */
static nanos left_running(const struct session *s, nanos now)
{
    nanos left = 0;

    for (uint32_t i = 0; i < s->jobs; i++) {
        const struct slot *slot = &s->slots[i];
        nanos expected = slot->busy ? s->placing[slot->on].expected : 0;

        if (expected < 0)
            return -1;
        if (slot->busy && expected > now - slot->started)
            left += expected - (now - slot->started);
    }
    return left;
}

void control_draw(struct session *s)
{
    nanos now = watch_now(s->watch), left;

    if (s->soak) {
        soaking_draw(s, now);
        return;
    }
    left = left_running(s, now);
    progress_draw(s->progress, now, left < 0 ? -1 : queue_estimate(s->queue, left));
}
