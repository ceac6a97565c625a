/* The parts of a C test, as it says them: set-up, call and tear-down are timed apart. */
#include "runner/harness/internal.h"

struct hearing {
    const struct watch *watch;
    struct watch_slot *slot;
    nanos now;
};

/* What it says of a limit is believed within bounds; of later ones none is added to what all may take. */
static void allow(struct watch_slot *slot, nanos limit)
{
    if (slot->parts++ < WATCH_PARTS_MOST)
        slot->allowed += limit;
}

/* It may say what it likes: a part begins neither before the one before it, nor later than it is heard of. */
static nanos believed(const struct hearing *h, nanos at)
{
    const struct watch_ending *ending = &h->slot->ending;
    nanos least = h->slot->part.phase ? h->slot->part.began : ending->executed;

    if (at > h->now)
        return h->now;
    return at < least ? least : at;
}

static void hear(void *user, const struct said_part *said)
{
    struct hearing *h = user;
    struct watch_slot *slot = h->slot;
    struct watch_part part = {
        .phase = said->phase,
        .began = believed(h, said->at - h->watch->away),
        .limit = slot->watched.limits[WATCH_CALL],
        .own = said->timeout >= 0,
    };

    for (int i = 0; i < SAID_OF_MOST; i++)
        part.of[i] = said->of[i];
    if (part.own) {
        part.limit = said->timeout && said->timeout < WATCH_PART_MOST ? said->timeout : WATCH_PART_MOST;
        allow(slot, part.limit);
    }
    slot->part = part;
}

void slot_listen(const struct watch *watch, struct watch_slot *slot, nanos now)
{
    struct hearing hearing = {watch, slot, now};

    said_follow(slot->watched.folder, &slot->heard, hear, &hearing);
}

/* Of all parts together; without a limit for the call there is none for them. */
static nanos deadline_of_all(const struct watch_slot *slot)
{
    nanos limit = slot->watched.limits[WATCH_CALL];

    if (limit <= 0 || limit > WATCH_NEVER / (2 * WATCH_PARTS_LIMITS))
        return WATCH_NEVER;
    return slot_after(slot->ending.executed, WATCH_PARTS_LIMITS * limit + slot->allowed);
}

nanos slot_call_deadline(const struct watch_slot *slot)
{
    if (!slot->part.phase)
        return slot_after(slot->ending.executed, slot->watched.limits[WATCH_CALL]);
    return slot_earlier(slot_after(slot->part.began, slot->part.limit), deadline_of_all(slot));
}

void slot_note_part(struct watch_slot *slot, nanos now)
{
    struct watch_part *part = &slot->ending.part;

    *part = slot->part;
    part->all = part->phase && slot_after(part->began, part->limit) > now;
}

/* Only where its own deadline has struck: who cancels, or ends the session, has no time for that. */
void slot_let_tear_down(const struct watch *watch, struct watch_slot *slot, nanos now)
{
    const struct watch_ending *ending = &slot->ending;
    nanos deadline;

    if (!slot->watched.says || ending->cause != WATCH_DEADLINE || !ending->executed || !ending->rung_count ||
        watch->urgency || watch->session_over || now < slot->climb_at)
        return;
    slot_listen(watch, slot, now);
    if (slot->part.phase != SAID_TEARDOWN || slot->part.began < ending->started + ending->rungs[0].at)
        return;
    deadline = slot_call_deadline(slot);
    if (deadline > now)
        slot->climb_at = slot_earlier(deadline, now + WATCH_TICK);
}
