/* Between a strike and the first rung, or before KILL: somebody else looks at the tree, and the ladder waits for him. */
#include "runner/harness/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define FREEZE_MOST (200 * NS_PER_MS)

void watch_dumps(struct watch *watch, const struct watch_dumper *dumper)
{
    pthread_mutex_lock(&watch->lock);
    watch->dumper = *dumper;
    pthread_mutex_unlock(&watch->lock);
}

nanos watch_dump_bound(unsigned dumps, nanos cap)
{
    if (dumps & WATCH_DUMP_STRIKE && !cap)
        return WATCH_DUMP_BUDGET;
    return dumps ? WATCH_DUMP_LAST_BUDGET : 0;
}

/* ---- when ---- */

/* While all is being ended there is no time for those whose turn comes when that of the cases is over. */
static bool is_hurried(const struct watch *watch, const struct watch_slot *slot)
{
    return watch->urgency > 1 || (watch->urgency && slot->watched.aside);
}

/* One dump an attempt; of what has executed, as before that it is in our memory. */
static bool begins(struct watch *watch, struct watch_slot *slot, bool last, nanos now)
{
    struct watch_ending *ending = &slot->ending;
    struct watch_dump_wish wish = {
        .slot = (uint32_t)(slot - watch->slots),
        .generation = slot->generation,
        .cause = ending->cause,
        .phase = ending->phase,
        .part = ending->part,
        .last = last,
        .budget = last || watch->cap ? WATCH_DUMP_LAST_BUDGET : WATCH_DUMP_BUDGET,
    };

    if (!watch->dumper.begin || ending->dump || !ending->executed || is_hurried(watch, slot))
        return false;
    if (!watch->dumper.begin(watch->dumper.user, &wish)) {
        ending->dump = WATCH_DUMP_REFUSED;
        return false;
    }
    ending->dump = WATCH_DUMP_UNDER_WAY;
    slot->state = WATCH_DUMPING;
    slot->climb_at = now + wish.budget;
    return true;
}

bool slot_dumps_first(struct watch *watch, struct watch_slot *slot, nanos now)
{
    enum watch_cause cause = slot->ending.cause;

    return slot->watched.dumps & WATCH_DUMP_STRIKE && (cause == WATCH_DEADLINE || cause == WATCH_SESSION) &&
           begins(watch, slot, false, now);
}

/* What floods is not waited for. */
bool slot_dumps_last(struct watch *watch, struct watch_slot *slot, nanos now)
{
    return slot->watched.dumps & WATCH_DUMP_KILL && slot->ending.cause != WATCH_FLOOD && !slot->flooded &&
           begins(watch, slot, true, now);
}

/* ---- going on ---- */

/* Who is frozen hears no signal, and whoever has frozen it may take his time. */
static void go_on(struct watch_slot *slot, enum watch_dump_news news, nanos now)
{
    contain_freeze(slot->watched.place, false, NULL);
    slot->ending.dump = news;
    slot->state = WATCH_CLIMBING;
    slot->climb_at = now;
}

/* Its disk is full long before a budget is over. */
void slot_check_dumping(struct watch *watch, struct watch_slot *slot, nanos now)
{
    (void)watch;
    if (slot_floods(slot)) {
        go_on(slot, WATCH_DUMP_FLOODED, now);
        slot_skip_to_kill(slot, now);
    } else if (now >= slot->climb_at) {
        go_on(slot, WATCH_DUMP_LATE, now);
    }
}

bool slot_hasten_dump(const struct watch *watch, struct watch_slot *slot, nanos now)
{
    if (slot->state != WATCH_DUMPING)
        return false;
    if (watch->urgency > 1) {
        go_on(slot, WATCH_DUMP_HURRIED, now);
        return false;
    }
    if (watch->urgency && watch->cause == WATCH_CANCEL)
        slot->climb_at = slot_earlier(slot->climb_at, now + WATCH_DUMP_LAST_BUDGET);
    return true;
}

void watch_dumped(struct watch *watch, uint32_t number, uint32_t generation)
{
    struct watch_slot *slot = &watch->slots[number];

    pthread_mutex_lock(&watch->lock);
    if (slot->generation == generation && slot->state == WATCH_DUMPING) {
        nanos now = clock_read(watch);

        go_on(slot, WATCH_DUMP_MADE, now);
        slot_schedule(slot, now);
        watch_wake(watch);
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- what the dumper asks for, on a thread of its own ---- */

static bool is_there(const struct watch *watch, uint32_t number, uint32_t generation)
{
    return watch->slots[number].generation == generation && watch->slots[number].state != WATCH_FREE;
}

static bool is_member(const struct census *members, size_t count, pid_t pid)
{
    for (size_t i = 0; i < count; i++)
        if (members->list[i].pid == pid)
            return true;
    return false;
}

/* Who has ended and was not reaped is no member any more, as there is nobody to be ended. But its parent may hang for that. */
static void add_zombies(const struct census *machine, struct census *members)
{
    size_t alive = members->count;

    for (size_t i = 0; i < machine->count; i++)
        if (!proc_stat_is_alive(&machine->list[i]) && is_member(members, alive, machine->list[i].ppid))
            census_add(members, &machine->list[i]);
}

bool watch_members_of(struct watch *watch, uint32_t number, uint32_t generation, struct census *members)
{
    struct census machine = {0};
    bool there;

    census_take(&machine);
    pthread_mutex_lock(&watch->lock);
    there = is_there(watch, number, generation);
    if (there)
        contain_members(watch->slots[number].watched.place, &machine, members);
    pthread_mutex_unlock(&watch->lock);
    add_zombies(&machine, members);
    census_release(&machine);
    return there;
}

/* Is it as it should be? The file is ready whenever it has changed. */
static bool await_frozen(int events, nanos until)
{
    for (;;) {
        nanos left = until - clock_now();
        struct pollfd changed = {.fd = events, .events = POLLPRI};

        if (contain_is_frozen(events))
            return true;
        if (left <= 0 || (poll(&changed, 1, (int)(left / NS_PER_MS) + 1) < 0 && errno != EINTR))
            return false;
    }
}

/* Nobody has begun to end it. */
static bool may_stand_still(const struct watch_slot *slot)
{
    return slot->state == WATCH_RUNNING || slot->state == WATCH_DUMPING;
}

bool watch_freeze(struct watch *watch, uint32_t number, uint32_t generation, bool on)
{
    int events = -1;
    bool done = false;

    pthread_mutex_lock(&watch->lock);
    if (is_there(watch, number, generation) && (!on || may_stand_still(&watch->slots[number])))
        done = contain_freeze(watch->slots[number].watched.place, on, on ? &events : NULL);
    pthread_mutex_unlock(&watch->lock);
    if (!done || !on)
        return done;
    done = await_frozen(events, clock_now() + FREEZE_MOST);
    fd_close(&events);
    if (!done)
        watch_freeze(watch, number, generation, false);
    return done;
}
