#include "runner/loop.h"

#include "runner/attempt.h"
#include "runner/control.h"
#include "runner/crash.h"
#include "runner/dumps.h"
#include "runner/outputs.h"
#include "runner/servers.h"
#include "runner/session.h"
#include "runner/soaking.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define EVENTS_AT_ONCE 64
#define REDRAW_MS      200
#define LOOK_MS        20
#define RELAY_ENDS     4

enum source {
    FROM_SIGNALS,
    FROM_WATCH,
    FROM_GUARD,
    FROM_KEYS,
    FROM_PROCESS,
    FROM_RELAY,
    FROM_NOTIFY,
    FROM_SERVER,
    FROM_CRASHES,
    FROM_DUMPS
};

/* What epoll hands back: source, end of a relay (of both numbered through), slot, generation. */
static uint64_t token(enum source source, uint32_t end, uint32_t slot, uint32_t generation)
{
    return (uint64_t)source << 56 | (uint64_t)end << 52 | (uint64_t)slot << 32 | generation;
}

static int add_to(int epoll, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event event = {.events = events, .data.u64 = data};

    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int add(struct session *s, int fd, uint32_t events, uint64_t data)
{
    return add_to(s->epoll, fd, events, data);
}

static void arm_again(struct session *s, int fd, uint64_t data)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = data};

    epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &event);
}

/* The two that end a run which nobody reads. Only whether there is something is asked of it. */
static int open_wake(struct session *s)
{
    s->wake = epoll_create1(EPOLL_CLOEXEC);
    if (s->wake < 0 || add_to(s->wake, s->signals.fd, EPOLLIN, 0) < 0)
        return -1;
    return s->guard.pidfd < 0 ? 0 : add_to(s->wake, s->guard.pidfd, EPOLLIN, 0);
}

int loop_open(struct session *s)
{
    if (open_wake(s) < 0)
        return -1;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0 || add(s, s->signals.fd, EPOLLIN, token(FROM_SIGNALS, 0, 0, 0)) < 0 ||
        add(s, watch_fd(s->watch), EPOLLIN, token(FROM_WATCH, 0, 0, 0)) < 0 ||
        add(s, dumps_fd(s), EPOLLIN, token(FROM_DUMPS, 0, 0, 0)) < 0)
        return -1;
    if (s->guard.pidfd >= 0 && add(s, s->guard.pidfd, EPOLLIN | EPOLLONESHOT, token(FROM_GUARD, 0, 0, 0)) < 0)
        return -1;
    if (crash_open(s) < 0 || add(s, s->crashes, EPOLLIN, token(FROM_CRASHES, 0, 0, 0)) < 0)
        return -1;
    if (s->tty.fd >=
        0) /* told once: what is typed may be meant for a program in front of us, and stays there */
        add(s, s->tty.fd, EPOLLIN | EPOLLET, token(FROM_KEYS, 0, 0, 0));
    return 0;
}

/* The kernel gives no more watches to this user: then we have to look ourselves. */
static void look_instead(struct session *s, struct slot *slot)
{
    if (!s->unwatched)
        session_note(s, "cannot be told of the end of processes: %s", strerror(errno));
    s->unwatched = true;
    slot->unwatched = true;
}

/*
 * Once only: a child that has not executed yet holds a copy of every descriptor of ours, and with it the
 * registration of one that we have closed. It must not fire for ever.
 */
void loop_watch_process(struct session *s, struct slot *slot, int pidfd)
{
    slot->pidfd = pidfd;
    if (add(s, pidfd, EPOLLIN | EPOLLONESHOT, token(FROM_PROCESS, 0, slot->number, slot->generation)) < 0)
        look_instead(s, slot);
}

bool loop_watch_place(struct session *s, uint32_t place, uint32_t generation, int pidfd)
{
    if (add(s, pidfd, EPOLLIN | EPOLLONESHOT, token(FROM_PROCESS, 0, place, generation)) == 0)
        return true;
    s->unwatched = true;
    return false;
}

/* Left out: then it is read when it is asked whether it is up, and not after that. */
void loop_watch_notify(struct session *s, uint32_t place, uint32_t generation, int fd)
{
    add(s, fd, EPOLLIN | EPOLLONESHOT, token(FROM_NOTIFY, 0, place, generation));
}

/* Left out: then it is heard when it has ended. */
void loop_watch_server(struct session *s, uint32_t place, uint32_t generation, int fd)
{
    add(s, fd, EPOLLIN | EPOLLONESHOT, token(FROM_SERVER, 0, place, generation));
}

/* -1: there is none. */
static int relay_end(const struct slot *slot, uint32_t end)
{
    return end / 2 < slot->relay_count ? slot->relays[end / 2].ends[end % 2] : -1;
}

void loop_watch_relays(struct session *s, struct slot *slot)
{
    for (uint32_t end = 0; end < RELAY_ENDS; end++)
        if (relay_end(slot, end) >= 0)
            if (add(s, relay_end(slot, end), EPOLLIN | EPOLLONESHOT,
                    token(FROM_RELAY, end, slot->number, slot->generation)) < 0)
                look_instead(s, slot);
}

void loop_forget_keys(struct session *s)
{
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->tty.fd, NULL);
    tty_close(&s->tty);
}

/* ---- what happened ---- */

static void process_event(struct session *s, struct slot *slot, uint64_t data)
{
    if (s->interactive)
        control_signals(s); /* the terminal's Ctrl-C went to the case too: first hear of it, then judge */
    switch (watch_reap(s->watch, slot->number, &slot->ending)) {
    case WATCH_IS_OVER: life_event(s, slot->on, CASE_GONE); break;
    case WATCH_GOES_ON: arm_again(s, slot->pidfd, data); break;
    case WATCH_REMAIN: break; /* the watch tells when it is over */
    }
}

static void relay_event(struct session *s, struct slot *slot, uint64_t data)
{
    uint32_t end = data >> 52 & 3;

    if (relay_end(slot, end) >= 0 && outputs_carry(s, slot, end))
        arm_again(s, relay_end(slot, end), data);
}

static void fixture_event(struct session *s, uint32_t place, uint64_t data)
{
    if (fixtures_reap(s, place, (uint32_t)data))
        arm_again(s, fixtures_pidfd(s, place), data);
}

static void again(struct session *s, int fd, uint64_t data)
{
    if (fd >= 0)
        arm_again(s, fd, data);
}

static void place_event(struct session *s, uint32_t place, uint64_t data)
{
    if (servers_has(s, place))
        again(s, servers_reap(s, place, (uint32_t)data), data);
    else
        fixture_event(s, place, data);
}

static void slot_event(struct session *s, enum source source, uint64_t data)
{
    uint32_t place = data >> 32 & 0xFFFFF;
    struct slot *slot = &s->slots[place];

    if (place >= s->jobs) {
        place_event(s, place, data);
        return;
    }
    if (!slot->busy || slot->generation != (uint32_t)data)
        return; /* of an attempt that is over */
    if (source == FROM_PROCESS)
        process_event(s, slot, data);
    else
        relay_event(s, slot, data);
}

static void dispatch(struct session *s, uint64_t data)
{
    enum source source = (enum source)(data >> 56);

    switch (source) {
    case FROM_SIGNALS: control_signals(s); break;
    case FROM_WATCH: control_watch(s); break;
    case FROM_DUMPS: dumps_heard(s); break;
    case FROM_GUARD: control_guard_died(s); break;
    case FROM_KEYS: control_keys(s); break;
    case FROM_CRASHES: crash_heard(s); break;
    case FROM_PROCESS:
    case FROM_RELAY: slot_event(s, source, data); break;
    /* Once only, as all that a child before its exec may hold a copy of when we have closed it. */
    case FROM_NOTIFY: again(s, fixtures_notified(s, data >> 32 & 0xFFFFF, (uint32_t)data), data); break;
    case FROM_SERVER: again(s, servers_heard(s, data >> 32 & 0xFFFFF, (uint32_t)data), data); break;
    }
}

/* ---- waiting ---- */

static int ms_until(const struct session *s, nanos moment)
{
    nanos left = moment - watch_now(s->watch);

    return left <= 0 ? 0 : (int)(left / NS_PER_MS) + 1;
}

static nanos first_of(nanos a, nanos b)
{
    return a < b ? a : b;
}

static int timeout_of(const struct session *s, nanos due)
{
    int most = s->unwatched ? LOOK_MS : s->style.live ? REDRAW_MS : -1;
    int until = -1;

    if (s->stuck_until)
        return ms_until(s, s->stuck_until);
    if (due != WATCH_NEVER)
        until = ms_until(s, due);
    return until >= 0 && (most < 0 || until < most) ? until : most;
}

static void look_at(struct session *s, struct slot *slot)
{
    for (uint32_t end = 0; end < RELAY_ENDS; end++)
        if (relay_end(slot, end) >= 0)
            outputs_carry(s, slot, end);
    if (watch_reap(s->watch, slot->number, &slot->ending) == WATCH_IS_OVER)
        life_event(s, slot->on, CASE_GONE);
}

static void look_at_unwatched(struct session *s)
{
    for (uint32_t i = 0; i < s->jobs; i++)
        if (s->slots[i].busy && s->slots[i].unwatched)
            look_at(s, &s->slots[i]);
    fixtures_look(s);
    servers_look(s);
}

static void wait_for_events(struct session *s, nanos due)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(s->epoll, events, EVENTS_AT_ONCE, timeout_of(s, due));

    for (int i = 0; i < count; i++)
        dispatch(s, events[i].data.u64);
    if (s->unwatched)
        look_at_unwatched(s);
    if (s->style.live)
        control_draw(s);
}

/* The queue has handed it out. */
static void start_one(struct session *s, uint32_t number)
{
    const char *why;

    switch (fixtures_ask(s, number, &why)) {
    case FIXTURES_ARE_UP:
        soaking_begins(s, number);
        life_event(s, number, CASE_TAKEN);
        life_event(s, number, attempt_outcome(s, number));
        break;
    case FIXTURES_ARE_COMING: queue_hold(s->queue, s->cases[number].queued); break;
    case FIXTURES_HAVE_FAILED:
        s->drop_reason = why;
        life_event(s, number, CASE_DROPPED);
        queue_done(s->queue, s->cases[number].queued);
        break;
    }
}

static void start_what_may(struct session *s)
{
    uint32_t number;

    if (s->stuck_until && watch_now(s->watch) < s->stuck_until)
        return;
    s->stuck_until = 0;
    while (!s->broken && s->free_slots && !s->stuck_until)
        if (queue_take(s->queue, &number))
            start_one(s, s->by_queue[number]);
        else if (!soaking_call(s))
            break;
}

static void start_all_that_may(struct session *s)
{
    do
        start_what_may(s);
    while (retries_wake(s));
}

static void stand_still(struct session *s)
{
    struct fault_plan *park = fault_now(&s->faults, FAULT_LOOP_PARK);

    if (park)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){park->span / NS_PER_S, park->span % NS_PER_S},
                        NULL);
}

/* With nothing running whatever waits could start, or waits for its time, or for fixtures that are on their way. */
static void check_for_standstill(struct session *s)
{
    if (queue_running(s->queue) || !queue_waiting(s->queue) || s->stuck_until || s->broken ||
        fixtures_are_moving(s) || retries_due(s) != WATCH_NEVER)
        return;
    session_note(s, "a bug of run-matrix: %u case%s for what will not come", queue_waiting(s->queue),
                 queue_waiting(s->queue) == 1 ? " waits" : "s wait");
    s->broken = true;
    control_give_up(s);
}

static bool is_over(struct session *s)
{
    if (queue_running(s->queue) || queue_waiting(s->queue))
        return false;
    if (fixtures_are_live(s) && (!s->broken || fixtures_are_moving(s)))
        return false;
    return !servers_end(s);
}

void loop_run(struct session *s)
{
    for (;;) {
        fixtures_probe(s);
        soaking_end_in_time(s);
        start_all_that_may(s);
        soaking_settle(s);
        if (s->broken)
            control_give_up(s);
        if (is_over(s))
            break;
        check_for_standstill(s);
        stand_still(s);
        wait_for_events(s, first_of(fixtures_due(s), retries_due(s)));
    }
    dumps_settle(s);
}
