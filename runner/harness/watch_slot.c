#include "runner/harness/internal.h"

#include "runner/base/mem.h"
#include "runner/harness/capture.h"

#include <poll.h>
#include <string.h>
#include <sys/stat.h>

nanos slot_earlier(nanos a, nanos b)
{
    return a < b ? a : b;
}

nanos slot_after(nanos from, nanos limit)
{
    return limit > 0 && limit < WATCH_NEVER - from ? from + limit : WATCH_NEVER;
}

void slot_tell(struct watch *watch, struct watch_slot *slot, enum watch_event_kind kind)
{
    slot->pending |= 1U << kind;
    watch_make_readable(watch);
}

/* ---- what is known of the process ---- */

/*
 * The child notes the time just before it calls exec, which may take long. One that is killed in that very call looks
 * executed afterwards: what was seen before the KILL stands.
 */
void slot_note_executed(struct watch *watch, struct watch_slot *slot, nanos latest)
{
    struct watch_ending *ending = &slot->ending;
    nanos exec_at = 0, executed;

    if (slot->state == WATCH_FREE || ending->executed || ending->rung_count)
        return;
    ending->spawned = spawn_phase(slot->watched.spawn, &ending->error, &exec_at);
    if (ending->spawned == SPAWN_UNDER_WAY)
        slot->under_way = latest;
    if (ending->spawned != SPAWN_EXECUTED || !exec_at)
        return;
    executed = slot_earlier(exec_at - watch->away, latest);
    ending->executed = executed > slot->under_way ? executed : slot->under_way;
    contain_executed(slot->watched.place);
}

/* Who becomes what was asked for says so just before it executes: it may still fail to. */
void slot_note_failed(struct watch_slot *slot)
{
    struct watch_ending *ending = &slot->ending;
    nanos exec_at;

    if (!slot->watched.spawn || ending->spawned != SPAWN_EXECUTED ||
        spawn_phase(slot->watched.spawn, &ending->error, &exec_at) != SPAWN_FAILED)
        return;
    ending->spawned = SPAWN_FAILED;
    ending->executed = 0;
}

/* Asking for the status is the starting thread's alone; this holds for every thread, and for what others reaped. */
bool slot_has_exited(const struct watch_slot *slot)
{
    struct pollfd poll_fd = {.fd = slot->watched.process.pidfd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) > 0;
}

bool slot_is_empty(const struct watch_slot *slot)
{
    return slot_has_exited(slot) && contain_is_empty(slot->watched.place);
}

static uint64_t output_size(const struct watched *watched)
{
    uint64_t size = 0;

    for (size_t i = 0; i < ARRAY_LEN(watched->outputs); i++) {
        struct stat stat;

        if (watched->outputs[i] >= 0 && fstat(watched->outputs[i], &stat) == 0)
            size += (uint64_t)stat.st_size;
    }
    return watched->beside ? size + capture_folder_size(watched->run, watched->beside) : size;
}

/* ---- when to look again ---- */

/* Only what is near its limit can pass it far before the next tick. */
static nanos next_output(const struct watch_slot *slot, nanos now)
{
    const struct watched *watched = &slot->watched;
    bool near = slot->state != WATCH_RUNNING || output_size(watched) > watched->output_limit / 2;

    return now + (near ? WATCH_FLOOD_TICK : WATCH_TICK);
}

/* Nothing tells us of the exec: once a limit would have passed, had it executed at once, we ask on every tick. */
static nanos next_of_set_up(const struct watch_slot *slot, nanos now)
{
    const struct watched *watched = &slot->watched;
    nanos started = slot->ending.started, soonest = slot_after(started, watched->limits[WATCH_CALL]);

    soonest = slot_earlier(soonest, slot_after(started, watched->slow));
    if (soonest != WATCH_NEVER && soonest <= now)
        soonest = now + WATCH_TICK;
    return slot_earlier(soonest, slot_after(started, watched->limits[WATCH_SETUP]));
}

static nanos next_of_call(const struct watch_slot *slot)
{
    const struct watched *watched = &slot->watched;
    nanos executed = slot->ending.executed, deadline = slot_call_deadline(slot);

    return slot->slow_noted ? deadline : slot_earlier(deadline, slot_after(executed, watched->slow));
}

void slot_schedule(struct watch_slot *slot, nanos now)
{
    slot->next = WATCH_NEVER;
    if (slot->state == WATCH_FREE || slot->state == WATCH_OVER)
        return;
    if (slot->state != WATCH_RUNNING)
        slot->next = slot->climb_at;
    else
        slot->next = slot->ending.executed ? next_of_call(slot) : next_of_set_up(slot, now);
    if (slot->state == WATCH_RUNNING && contain_waits(slot->watched.place))
        slot->next = slot_earlier(slot->next, now + WATCH_EXEC_TICK);
    if (slot->state == WATCH_RUNNING && slot->watched.says)
        slot->next = slot_earlier(slot->next, now + WATCH_TICK);
    if (slot->headless && slot->state != WATCH_DUMPING)
        slot->next = slot_earlier(slot->next, now + slot->poll);
    if (slot->watched.output_limit)
        slot->next = slot_earlier(slot->next, next_output(slot, now));
}

/* ---- what is due ---- */

static void check_running(struct watch *watch, struct watch_slot *slot, nanos now)
{
    const struct watched *watched = &slot->watched;
    nanos from, deadline;

    if (slot->ending.executed)
        contain_executed(watched->place);
    slot_note_executed(watch, slot, now);
    from = slot->ending.executed ? slot->ending.executed : slot->ending.started;
    if (slot->ending.executed && watched->says)
        slot_listen(watch, slot, now);
    deadline =
        slot->ending.executed ? slot_call_deadline(slot) : slot_after(from, watched->limits[WATCH_SETUP]);
    if (deadline <= now) {
        slot_note_part(slot, now);
        slot_strike(watch, slot, WATCH_DEADLINE, now);
    } else if (watched->output_limit && output_size(watched) > watched->output_limit) {
        slot_strike(watch, slot, WATCH_FLOOD, now);
    } else if (!slot->slow_noted && slot->ending.executed && slot_after(from, watched->slow) <= now) {
        slot->slow_noted = true;
        slot_tell(watch, slot, WATCH_TELLS_SLOW);
    }
}

void slot_end(struct watch *watch, struct watch_slot *slot)
{
    slot->state = WATCH_OVER;
    slot_tell(watch, slot, WATCH_TELLS_OVER);
}

void slot_tell_remains(struct watch *watch, struct watch_slot *slot)
{
    slot->state = WATCH_REMAINING;
    slot->climb_at = WATCH_NEVER;
    slot_tell(watch, slot, WATCH_TELLS_REMAINS);
}

/* Its process has exited: is anybody else left? False: it is over. */
static bool goes_on_headless(struct watch *watch, struct watch_slot *slot)
{
    if (!slot->headless)
        return true;
    if (slot->poll < WATCH_POLL_MOST)
        slot->poll *= 2;
    if (!slot_is_empty(slot))
        return true;
    slot_end(watch, slot);
    return false;
}

static void check_lingering(struct watch *watch, struct watch_slot *slot, nanos now)
{
    if (goes_on_headless(watch, slot) && now >= slot->climb_at)
        slot_tell_remains(watch, slot);
}

static void check_remaining(struct watch *watch, struct watch_slot *slot, nanos now)
{
    (void)now;
    goes_on_headless(watch, slot);
}

bool slot_floods(struct watch_slot *slot)
{
    uint64_t limit = slot->watched.output_limit, size;

    if (!limit)
        return false;
    size = output_size(&slot->watched);
    if (size > WATCH_FLOOD_MORE && (size - WATCH_FLOOD_MORE) / 2 > limit)
        slot->flooded = true;
    return slot->flooded;
}

/* Asked to end it may write on, but not for as long as its graces are. */
static void check_climbing(struct watch *watch, struct watch_slot *slot, nanos now)
{
    if (!goes_on_headless(watch, slot))
        return;
    slot_let_tear_down(watch, slot, now);
    if (slot_floods(slot))
        slot_skip_to_kill(slot, now);
}

/* A storm goes on for as long as it is not killed faster than it grows: so again and again. */
static void check_settling(struct watch *watch, struct watch_slot *slot, nanos now)
{
    if (!goes_on_headless(watch, slot))
        return;
    if (slot->headless)
        contain_kill(slot->watched.place);
    if (now < slot->climb_at)
        return;
    slot->ending.abandoned = !slot_has_exited(slot);
    slot->ending.undead = slot->headless;
    slot_end(watch, slot);
}

void slot_check(struct watch *watch, struct watch_slot *slot, nanos now)
{
    static void (*const checks[WATCH_STATE_COUNT])(struct watch *, struct watch_slot *, nanos) = {
        [WATCH_RUNNING] = check_running,     [WATCH_LINGERING] = check_lingering,
        [WATCH_REMAINING] = check_remaining, [WATCH_DUMPING] = slot_check_dumping,
        [WATCH_CLIMBING] = check_climbing,   [WATCH_SETTLING] = check_settling,
    };

    if (checks[slot->state])
        checks[slot->state](watch, slot, now);
    slot_schedule(slot, now);
}

void slot_begin(struct watch *watch, struct watch_slot *slot, const struct watched *watched, nanos started)
{
    slot->state = WATCH_RUNNING;
    slot->generation++;
    slot->watched = *watched;
    slot->under_way = started;
    slot->slow_noted = slot->flooded = slot->headless = false;
    slot->heard = (struct said_cursor){0};
    slot->part = (struct watch_part){0};
    slot->allowed = slot->parts = 0;
    contain_started(watched->place, watched->process);
    /* The rungs are most of it, and nobody reads more of them than there are. */
    memset(&slot->ending, 0, offsetof(struct watch_ending, rungs));
    slot->ending.status = -1;
    slot->ending.started = started;
    slot->ending.executed = watched->spawn ? 0 : started;
    slot->ending.spawned = watched->spawn ? SPAWN_UNDER_WAY : SPAWN_EXECUTED;
    watch->running++;
}
