#include "runner/harness/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

const char *const watch_phase_words[WATCH_PHASE_COUNT] = {
#define X(id, words) [id] = words,
    WATCH_PHASES(X)
#undef X
};

const char *const watch_cause_words[WATCH_CAUSE_COUNT] = {
#define X(id, words) [id] = words,
    WATCH_CAUSES(X)
#undef X
};

/* ---- life ---- */

static int start_thread(struct watch *watch)
{
    int error = thread_start(&watch->thread, watch_thread, watch);

    if (!error)
        pthread_setname_np(watch->thread, "watchdog");
    return error;
}

static void release(struct watch *watch)
{
    fd_close(&watch->eventfd);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    census_release(&watch->census);
    free(watch->climbers);
    free(watch->slots);
    free(watch);
}

struct watch *watch_new(struct contain *contain, uint32_t slots)
{
    struct watch *watch = mem_zero(1, sizeof *watch);
    int error;

    watch->contain = contain;
    watch->planned = watch->outer_since = WATCH_NEVER;
    watch->slot_count = slots;
    watch->slots = mem_zero(slots, sizeof *watch->slots);
    watch->climbers = mem_zero(slots, sizeof *watch->climbers);
    for (uint32_t i = 0; i < slots; i++)
        watch->slots[i].next = WATCH_NEVER;
    thread_init_lock(&watch->lock, &watch->changed);
    watch->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    error = watch->eventfd < 0 ? errno : start_thread(watch);
    if (!error)
        return watch;
    release(watch);
    errno = error;
    return NULL;
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->quit = true;
    watch_wake(watch);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    release(watch);
}

/* ---- the clock ---- */

nanos watch_now(struct watch *watch)
{
    nanos now;

    pthread_mutex_lock(&watch->lock);
    now = clock_read(watch);
    pthread_mutex_unlock(&watch->lock);
    return now;
}

static void signal_slot(struct watch_slot *slot, int signal, const struct census *machine)
{
    struct census members = {0};

    contain_members(slot->watched.place, machine, &members);
    contain_signal(slot->watched.place, LADDER_TREE, signal, &members);
    census_release(&members);
}

/* Every case at once: one walk for all of them, by the caller, who is about to stop or was just continued. */
static void signal_all(struct watch *watch, int signal)
{
    struct census machine = {0};

    if (watch->running)
        contain_take_census(watch->contain, &machine);
    for (uint32_t i = 0; i < watch->slot_count; i++)
        if (watch->slots[i].state != WATCH_FREE)
            signal_slot(&watch->slots[i], signal, &machine);
    census_release(&machine);
}

void watch_stop(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    if (!watch->stopped) {
        clock_stop(watch);
        signal_all(watch, SIGSTOP);
    }
    pthread_mutex_unlock(&watch->lock);
}

void watch_continue(struct watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    if (watch->stopped) {
        clock_continue(watch);
        watch->outer_since = WATCH_NEVER;
        signal_all(watch, SIGCONT);
        watch_wake(watch);
    }
    pthread_mutex_unlock(&watch->lock);
}

/* ---- events ---- */

int watch_fd(const struct watch *watch)
{
    return watch->eventfd;
}

static bool take_event(struct watch *watch, struct watch_event *event)
{
    bool outer;

    if (watch->session_pending) {
        watch->session_pending = false;
        *event = (struct watch_event){WATCH_TELLS_SESSION, WATCH_NO_SLOT, 0, WATCH_SESSION};
        return true;
    }
    outer = watch->outer_pending && watch_outer_is_stopped(watch);
    watch->outer_pending = false;
    if (outer) {
        *event = (struct watch_event){WATCH_TELLS_STOPPED, WATCH_NO_SLOT, 0, WATCH_NO_CAUSE};
        return true;
    }
    for (uint32_t i = 0; i < watch->slot_count; i++) {
        struct watch_slot *slot = &watch->slots[i];
        int kind = __builtin_ffs((int)slot->pending) - 1;

        if (kind < 0)
            continue;
        slot->pending &= slot->pending - 1;
        *event = (struct watch_event){(enum watch_event_kind)kind, i, slot->generation, slot->ending.cause};
        return true;
    }
    return false;
}

bool watch_next(struct watch *watch, struct watch_event *event)
{
    uint64_t count;
    bool found;

    pthread_mutex_lock(&watch->lock);
    found = take_event(watch, event);
    if (!found && watch->readable)
        watch->readable = read(watch->eventfd, &count, sizeof count) != sizeof count;
    pthread_mutex_unlock(&watch->lock);
    return found;
}

/* ---- what the loop asks for ---- */

/* The thread is woken only for what it would sleep through; a case of a few milliseconds never does. */
static void wake_before(struct watch *watch, nanos moment)
{
    if (watch->planned == WATCH_NEVER || moment < watch->planned - watch->away)
        watch_wake(watch);
}

uint32_t watch_begin(struct watch *watch, uint32_t number, const struct watched *watched, nanos started)
{
    struct watch_slot *slot = &watch->slots[number];
    uint32_t generation;
    nanos now;

    pthread_mutex_lock(&watch->lock);
    now = clock_read(watch);
    slot_begin(watch, slot, watched, started);
    if (watch->urgency && !watched->aside)
        slot_strike(watch, slot, watch->cause, now);
    slot_schedule(slot, now);
    wake_before(watch, slot->next);
    generation = slot->generation;
    pthread_mutex_unlock(&watch->lock);
    return generation;
}

void watch_outer(struct watch *watch, struct proc_id outer)
{
    pthread_mutex_lock(&watch->lock);
    watch->outer = outer;
    pthread_mutex_unlock(&watch->lock);
}

void watch_session(struct watch *watch, nanos deadline)
{
    pthread_mutex_lock(&watch->lock);
    watch->session = deadline;
    if (deadline)
        wake_before(watch, deadline);
    pthread_mutex_unlock(&watch->lock);
}

void watch_end(struct watch *watch, uint32_t number, enum watch_cause cause)
{
    struct watch_slot *slot = &watch->slots[number];
    nanos now;

    pthread_mutex_lock(&watch->lock);
    now = clock_read(watch);
    slot_strike(watch, slot, cause, now);
    slot_schedule(slot, now);
    watch_wake(watch);
    pthread_mutex_unlock(&watch->lock);
}

void watch_limit(struct watch *watch, uint32_t number, nanos more)
{
    struct watch_slot *slot = &watch->slots[number];
    nanos now, from;

    pthread_mutex_lock(&watch->lock);
    now = clock_read(watch);
    from = slot->ending.executed ? slot->ending.executed : slot->ending.started;
    slot->watched.limits[WATCH_CALL] = more ? now - from + more : 0;
    slot_schedule(slot, now);
    wake_before(watch, slot->next);
    pthread_mutex_unlock(&watch->lock);
}

void watch_cancel(struct watch *watch, int urgency, nanos cap)
{
    pthread_mutex_lock(&watch->lock);
    if (cap > 0)
        watch->cap = cap;
    slots_end(watch, WATCH_CANCEL, urgency, clock_read(watch));
    watch_wake(watch);
    pthread_mutex_unlock(&watch->lock);
}

void watch_members(struct watch *watch, uint32_t number, struct census *members)
{
    struct watch_slot *slot = &watch->slots[number];
    struct census machine = {0};

    contain_take_census(watch->contain, &machine);
    pthread_mutex_lock(&watch->lock);
    if (slot->state != WATCH_FREE)
        contain_members(slot->watched.place, &machine, members);
    pthread_mutex_unlock(&watch->lock);
    census_release(&machine);
}

bool watch_look(struct watch *watch, uint32_t number, struct watch_view *view)
{
    struct watch_slot *slot = &watch->slots[number];
    bool there;

    pthread_mutex_lock(&watch->lock);
    there = slot->state != WATCH_FREE;
    if (there) {
        const struct watch_ending *ending = &slot->ending;
        nanos now = clock_read(watch);

        slot_note_executed(watch, slot, now);
        *view = (struct watch_view){
            .generation = slot->generation,
            .running = now - (ending->executed ? ending->executed : ending->started),
            .phase = ending->executed ? WATCH_CALL : WATCH_SETUP,
            .cause = slot->headless && !ending->cause ? WATCH_REMAINS : ending->cause,
            .rungs = ending->rung_count,
        };
    }
    pthread_mutex_unlock(&watch->lock);
    return there;
}
