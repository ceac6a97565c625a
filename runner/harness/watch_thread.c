#include "runner/harness/internal.h"

#include <time.h>
#include <unistd.h>

/* It is on its way: nobody else need wake it, and when it does not come the run stands still. */
void watch_wake(struct watch *watch)
{
    watch->planned = clock_now();
    pthread_cond_signal(&watch->changed);
}

void watch_make_readable(struct watch *watch)
{
    const uint64_t one = 1;

    if (!watch->readable)
        watch->readable = write(watch->eventfd, &one, sizeof one) == sizeof one;
}

static void look_at_session(struct watch *watch, nanos now)
{
    if (!watch->session || watch->session_over || now < watch->session)
        return;
    watch->session_over = watch->session_pending = true;
    watch_make_readable(watch);
    slots_end(watch, WATCH_SESSION, 1, now);
}

static void look_at_slots(struct watch *watch, nanos now)
{
    for (uint32_t i = 0; i < watch->slot_count; i++)
        if (watch->slots[i].next <= now)
            slot_check(watch, &watch->slots[i], now);
}

bool watch_outer_is_stopped(const struct watch *watch)
{
    struct proc_stat stat;

    return watch->outer.pid && proc_stat_read(watch->outer.pid, &stat) == 0 && stat.state == 'T' &&
           proc_id_equals(proc_id_of(&stat), watch->outer);
}

/* After a stop of all of us it may be continued a little later than we are: so not at the first look. */
static void look_outside(struct watch *watch, nanos now)
{
    if (!watch_outer_is_stopped(watch)) {
        watch->outer_since = WATCH_NEVER;
    } else if (watch->outer_since == WATCH_NEVER) {
        watch->outer_since = now;
    } else if (now - watch->outer_since >= WATCH_OUTER_PATIENCE) {
        watch->outer_since = WATCH_NEVER;
        watch->outer_pending = true;
        watch_make_readable(watch);
    }
}

/*
 * Orphans that have ended are to be reaped: left alone, those of a program that forks for ever would use up all numbers
 * within seconds. Where there are some, there are soon more.
 */
static void tick(struct watch *watch, nanos now)
{
    if (!watch->running || now < watch->tick_at)
        return;
    watch->tick_at = now + (contain_tick(watch->contain) ? WATCH_REAP_TICK : WATCH_TICK);
    look_outside(watch, now);
}

/* ---- rungs ---- */

static size_t find_climbers(struct watch *watch, nanos now)
{
    size_t count = 0;

    for (uint32_t i = 0; i < watch->slot_count; i++) {
        const struct watch_slot *slot = &watch->slots[i];

        if (slot->state != WATCH_CLIMBING || slot->climb_at > now)
            continue;
        watch->climbers[count++] = (struct watch_climber){i, slot->generation};
    }
    return count;
}

/*
 * All rungs that are due now, with one walk of /proc. It may take long where there are many processes, so the loop is
 * not kept waiting for it; what it reaps or begins meanwhile shows in the generation.
 */
static void climb(struct watch *watch, nanos now)
{
    size_t count = find_climbers(watch, now);

    if (!count)
        return;
    watch->planned = clock_now() + WATCH_TICK;
    pthread_mutex_unlock(&watch->lock);
    contain_take_census(watch->contain, &watch->census);
    pthread_mutex_lock(&watch->lock);
    for (size_t i = 0; i < count; i++) {
        struct watch_slot *slot = &watch->slots[watch->climbers[i].slot];

        if (slot->generation == watch->climbers[i].generation && slot->state == WATCH_CLIMBING)
            slot_climb(watch, slot, &watch->census, clock_read(watch));
    }
}

/* ---- sleep ---- */

static nanos next_due(const struct watch *watch)
{
    nanos due = watch->running ? watch->tick_at : WATCH_NEVER;

    for (uint32_t i = 0; i < watch->slot_count; i++)
        if (watch->slots[i].next < due)
            due = watch->slots[i].next;
    if (watch->session && !watch->session_over && watch->session < due)
        due = watch->session;
    return due;
}

/* Not at all when something came up while the lock was let go: what was signalled then nobody heard. */
static void sleep_until_due(struct watch *watch)
{
    nanos now = clock_read(watch), due = next_due(watch);
    struct timespec until;

    if (due <= now || watch->quit)
        return;
    if (due == WATCH_NEVER || watch->stopped) {
        watch->planned = WATCH_NEVER;
        pthread_cond_wait(&watch->changed, &watch->lock);
        return;
    }
    watch->planned = due + watch->away;
    until = (struct timespec){watch->planned / NS_PER_S, watch->planned % NS_PER_S};
    pthread_cond_timedwait(&watch->changed, &watch->lock, &until);
}

void *watch_thread(void *user)
{
    struct watch *watch = user;

    pthread_mutex_lock(&watch->lock);
    while (!watch->quit) {
        nanos now = clock_read(watch);

        look_at_session(watch, now);
        look_at_slots(watch, now);
        tick(watch, now);
        climb(watch, now);
        sleep_until_due(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}
