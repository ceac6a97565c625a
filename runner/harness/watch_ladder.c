#include "runner/harness/internal.h"

#include <signal.h>

/* ---- steps ---- */

/* Past its last step every ladder has a KILL. */
static struct ladder_step step_at(const struct ladder *ladder, uint32_t index)
{
    if (index < ladder->count)
        return ladder->steps[index];
    return (struct ladder_step){.signal = SIGKILL, .target = LADDER_TREE, .wait = -1};
}

/* The first step that is this signal, or is not; ladder->count when none is. */
static uint32_t find_step(const struct ladder *ladder, int signal, bool is)
{
    uint32_t i = 0;

    while (i < ladder->count && (ladder->steps[i].signal == signal) != is)
        i++;
    return i;
}

static uint32_t kill_step(const struct ladder *ladder)
{
    return find_step(ladder, SIGKILL, true);
}

static uint32_t first_step(const struct ladder *ladder, int urgency)
{
    uint32_t term = find_step(ladder, SIGTERM, true);

    if (urgency <= 1)
        return 0;
    if (urgency >= 3)
        return kill_step(ladder);
    return term < ladder->count ? term : find_step(ladder, SIGINT, false);
}

static nanos capped_wait(const struct ladder *ladder, uint32_t index, nanos cap)
{
    struct ladder_step step = step_at(ladder, index);
    nanos most = index ? cap / 2 : cap, wait = step.wait;

    if (step.signal == SIGKILL && wait <= 0)
        wait = WATCH_SETTLE; /* no process is gone in no time */
    else if (wait < 0)
        wait = WATCH_GRACE;
    return cap && most < wait ? most : wait;
}

nanos watch_bound(const struct ladder *ladder, nanos cap)
{
    nanos sum = 0;

    for (uint32_t i = 0; i <= kill_step(ladder); i++)
        sum += capped_wait(ladder, i, cap);
    return sum;
}

/* Who is aside is ended when those who use it have been: its share of the time is what they have left. */
static nanos cap_of(const struct watch *watch, const struct watch_slot *slot)
{
    return slot->watched.aside ? watch->cap / 2 : watch->cap;
}

/* ---- setting out ---- */

/* Of one that has ended by itself only others are left; of any other, the process itself is meant as well. */
static void set_out(struct watch *watch, struct watch_slot *slot, enum watch_cause cause, nanos now)
{
    slot_note_executed(watch, slot, now);
    slot->state = WATCH_CLIMBING;
    slot->ending.cause = cause;
    slot->ending.remained = cause == WATCH_REMAINS;
    slot->ending.phase = slot->ending.executed ? WATCH_CALL : WATCH_SETUP;
    slot->step = first_step(slot->watched.ladder, watch->urgency);
    slot->climb_at = now;
    contain_freeze(slot->watched.place, false, NULL); /* a dump that somebody asked for may be under way */
    slot_dumps_first(watch, slot, now);
}

void slot_strike(struct watch *watch, struct watch_slot *slot, enum watch_cause cause, nanos now)
{
    switch (slot->state) {
    case WATCH_RUNNING:
        if (!slot_has_exited(slot))
            set_out(watch, slot, cause, now);
        else if (slot_is_empty(slot))
            slot->state = WATCH_OVER; /* the loop is late, not the case */
        else
            slot_lose_head(watch, slot, now);
        break;
    case WATCH_LINGERING: slot_tell_remains(watch, slot); break;
    case WATCH_REMAINING: /* whoever else ends it: the loop has been told, and comes back when it has looked */
        if (cause == WATCH_REMAINS)
            set_out(watch, slot, cause, now);
        break;
    default: break;
    }
}

/*
 * Nobody was left, and now there is: one that might have been another case's, which has ended. It has no
 * claim to a ladder of its own.
 */
static void kill_late(struct watch_slot *slot, nanos now)
{
    slot->state = WATCH_SETTLING;
    slot->climb_at = now + WATCH_SETTLE;
    contain_kill(slot->watched.place);
}

static void linger(struct watch *watch, struct watch_slot *slot, nanos now)
{
    nanos grace = slot->watched.leak_grace;

    slot->state = WATCH_LINGERING;
    slot->climb_at = grace < WATCH_NEVER - now ? now + grace : WATCH_NEVER;
    if (watch->urgency && !slot->watched.aside)
        slot_tell_remains(watch, slot);
}

void slot_lose_head(struct watch *watch, struct watch_slot *slot, nanos now)
{
    if (!slot->headless)
        slot->ending.ended = now;
    slot->headless = true;
    slot->poll = WATCH_POLL_LEAST;
    slot_note_executed(watch, slot, now);
    if (slot->ending.rung_count && slot->state == WATCH_OVER)
        kill_late(slot, now);
    else if (slot->state == WATCH_RUNNING || slot->state == WATCH_OVER)
        linger(watch, slot, now);
    slot_schedule(slot, now);
    watch_wake(watch);
}

static void skip_to(struct watch_slot *slot, uint32_t step, nanos now)
{
    slot->step = step;
    slot->climb_at = now;
}

void slot_skip_to_kill(struct watch_slot *slot, nanos now)
{
    skip_to(slot, kill_step(slot->watched.ladder), now);
}

void slot_hasten(const struct watch *watch, struct watch_slot *slot, nanos now)
{
    const struct ladder *ladder = slot->watched.ladder;
    uint32_t first = first_step(ladder, watch->urgency);

    if (slot_hasten_dump(watch, slot, now))
        return;
    if (slot->state == WATCH_CLIMBING && first >= slot->step) {
        skip_to(slot, first, now);
    } else if (slot->ending.rung_count && watch->cap) {
        nanos latest = now + capped_wait(ladder, slot->step - 1, cap_of(watch, slot));

        if (latest < slot->climb_at)
            slot->climb_at = latest;
    }
}

void slots_end(struct watch *watch, enum watch_cause cause, int urgency, nanos now)
{
    if (!watch->urgency)
        watch->cause = cause;
    if (urgency > watch->urgency)
        watch->urgency = urgency;
    for (uint32_t i = 0; i < watch->slot_count; i++) {
        struct watch_slot *slot = &watch->slots[i];

        if (slot->state == WATCH_FREE)
            continue;
        if (!slot->watched.aside)
            slot_strike(watch, slot, cause, now);
        slot_hasten(watch, slot, now);
        slot_schedule(slot, now);
    }
}

/* ---- climbing ---- */

static void note_rung(struct watch *watch, struct watch_slot *slot, struct ladder_step step,
                      const struct census *members, nanos now)
{
    struct watch_ending *ending = &slot->ending;
    struct watch_rung *rung = &ending->rungs[ending->rung_count++];

    rung->signal = step.signal;
    rung->target = step.target;
    rung->at = now - ending->started;
    census_words(members, rung->alive, sizeof rung->alive);
    if (ending->rung_count == 1) {
        if (!slot->headless) /* or its number is free, and somebody else's perhaps */
            census_threads(slot->watched.process.pid, ending->threads, sizeof ending->threads);
        slot_tell(watch, slot, WATCH_TELLS_ENDING);
    }
}

/* Who is stopped cannot act on it, unless it is KILL; when we have stopped all, they are continued together. */
static void send_signal(const struct watch *watch, struct contain_place *place, struct ladder_step step,
                        const struct census *members)
{
    if (step.signal == SIGKILL && step.target == LADDER_TREE) {
        contain_kill(place);
        return;
    }
    contain_signal(place, step.target, step.signal, members);
    if (step.signal != SIGKILL && step.signal != SIGCONT && !watch->stopped)
        contain_signal(place, step.target, SIGCONT, members);
}

/* Before its exec a child runs in our memory and has all blocked that it could act on: KILL is all there is for it. */
static struct ladder_step take_step(struct watch *watch, struct watch_slot *slot, nanos now)
{
    const struct ladder *ladder = slot->watched.ladder;

    slot_note_executed(watch, slot, now);
    if (!slot->ending.executed)
        slot->step = kill_step(ladder);
    return step_at(ladder, slot->step++);
}

/* A step that would reach nobody need not be waited for: they have left the group, or it was only the leader's. */
static bool reaches_nobody(const struct watch_slot *slot, const struct census *members)
{
    struct ladder_step step = step_at(slot->watched.ladder, slot->step);

    if (!slot->headless || step.target == LADDER_TREE)
        return false;
    for (size_t i = 0; step.target == LADDER_GROUP && i < members->count; i++)
        if (members->list[i].pgrp == slot->watched.process.pid)
            return false;
    return true;
}

static void take_rung(struct watch *watch, struct watch_slot *slot, const struct census *machine, nanos now)
{
    struct census members = {0};
    struct ladder_step step;

    contain_members(slot->watched.place, machine, &members);
    while (reaches_nobody(slot, &members))
        slot->step++;
    if (slot->step >= kill_step(slot->watched.ladder) && slot_dumps_last(watch, slot, now)) {
        census_release(&members);
        return;
    }
    step = take_step(watch, slot, now);
    note_rung(watch, slot, step, &members, now);
    send_signal(watch, slot->watched.place, step, &members);
    census_release(&members);
    slot->state = step.signal == SIGKILL ? WATCH_SETTLING : WATCH_CLIMBING;
    slot->climb_at = now + capped_wait(slot->watched.ladder, slot->step - 1, cap_of(watch, slot));
    slot->poll = WATCH_POLL_LEAST;
}

void slot_climb(struct watch *watch, struct watch_slot *slot, const struct census *machine, nanos now)
{
    if (slot_is_empty(slot))
        slot_end(watch, slot);
    else
        take_rung(watch, slot, machine, now);
    slot_schedule(slot, now);
}
