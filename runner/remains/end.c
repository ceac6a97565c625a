/*
 * Processes are ended: asked first, unless the run has only just died, then killed. Whom a look has found is
 * opened, looked at again, and signalled through that descriptor: a number that means another process by then
 * does no harm.
 */
#include "runner/remains/internal.h"

#include "runner/base/mem.h"
#include "runner/harness/harness.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define KILL_PATIENCE (5 * NS_PER_S) /* a busy machine may let them, and us, wait */
#define PAUSE         NS_PER_MS
#define GLANCE        (50 * NS_PER_MS) /* so often somebody who may be in a hurry is asked */

static void pause_a_moment(void)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE}, NULL);
}

static bool send(const struct found *found, int signal)
{
    return pidfd_signal(found->pidfd, signal) == 0;
}

static void let_go(struct found *found)
{
    if (found->pidfd >= 0)
        close(found->pidfd);
    found->pidfd = -1;
}

/* A mark that was seen before we had the descriptor may have been another's. */
static bool is_still_ours(const struct search *s, const struct found *found)
{
    struct proc_stat stat;

    if (proc_stat_read(found->id.pid, &stat) < 0 || stat.start_ticks != found->id.start_ticks ||
        !proc_stat_is_alive(&stat))
        return false;
    if (!found->parent.pid)
        return marks_on(&s->marks, &stat);
    return stat.ppid == found->parent.pid && is_alive(found->parent);
}

static bool hold(const struct search *s, struct found *found)
{
    if (found->pidfd >= 0)
        return true;
    found->pidfd = proc_open(found->id);
    if (found->pidfd >= 0 && !is_still_ours(s, found))
        let_go(found);
    return found->pidfd >= 0;
}

/* All are held before the first is signalled: children of one that ends lose what shows whose they are. */
static void hold_all(struct search *s)
{
    for (size_t i = 0; i < s->count; i++)
        hold(s, &s->list[i]);
}

/* ---- asked ---- */

/* A stopped one does not hear it until it goes on. */
static void ask_all(struct search *s, int signal)
{
    hold_all(s);
    for (size_t i = 0; i < s->count; i++) {
        struct found *found = &s->list[i];

        if (found->pidfd < 0 || found->asked == signal)
            continue;
        found->asked = signal;
        send(found, signal);
        send(found, SIGCONT);
    }
}

/* Those that are held and live; `fds` has room for all. */
static size_t collect(struct search *s, struct pollfd *fds)
{
    size_t count = 0;

    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].pidfd >= 0)
            fds[count++] = (struct pollfd){.fd = s->list[i].pidfd, .events = POLLIN};
    return count;
}

/* A descriptor is readable when its process has ended, zombie or not: it is taken out. */
static size_t take_out(struct pollfd *fds, size_t count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++)
        if (!fds[i].revents)
            fds[left++] = fds[i];
    return left;
}

static bool is_hurried(const struct reaping *how)
{
    return how->hurry && how->hurry(how->user);
}

static void wait_until(struct search *s, const struct reaping *how, nanos deadline)
{
    struct pollfd *fds = mem_zero(s->count + 1, sizeof *fds);
    size_t count = collect(s, fds);
    nanos now;

    while (count && !is_hurried(how) && (now = clock_now()) < deadline) {
        nanos rest = how->hurry && deadline - now > GLANCE ? GLANCE : deadline - now;
        struct timespec most = {rest / NS_PER_S, rest % NS_PER_S};

        if (ppoll(fds, count, &most, NULL) < 0 && errno != EINTR)
            break;
        count = take_out(fds, count);
    }
    free(fds);
}

/* Those who are born meanwhile are asked too. True: nobody is left. */
static bool ask_by(struct search *s, int signal, const struct reaping *how, nanos grace)
{
    nanos deadline = clock_now() + grace;
    bool left;

    do {
        ask_all(s, signal);
        wait_until(s, how, deadline);
        pause_a_moment();
        left = search_look(s) > 0;
    } while (left && clock_now() < deadline && !is_hurried(how));
    return !left;
}

/* What a shell starts in the background does not hear INT. */
static void ask(struct search *s, const struct reaping *how)
{
    if (!ask_by(s, SIGINT, how, how->grace / 2))
        ask_by(s, SIGTERM, how, how->grace - how->grace / 2);
}

/* ---- killed ---- */

static bool has_ended(const struct found *found)
{
    struct pollfd fd = {.fd = found->pidfd, .events = POLLIN};

    return poll(&fd, 1, 0) > 0;
}

static void kill_all(struct search *s, const char *group)
{
    hold_all(s);
    for (size_t i = 0; i < s->count; i++)
        if (s->list[i].pidfd >= 0 && !has_ended(&s->list[i]))
            s->list[i].killed = true;
    if (group)
        cgroups_kill(group);
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i].pidfd >= 0)
            send(&s->list[i], SIGKILL);
        let_go(&s->list[i]);
    }
}

/*
 * Processes that fork and exit for ever are gone before a look at the whole machine is over. The newest
 * number is theirs more often than not. One that is killed while it forks has no child.
 */
static void chase(struct search *s)
{
    for (int i = 0; i < CHASES; i++) {
        struct found found;

        if (!search_newest(s, &found) || !hold(s, &found))
            continue;
        send(&found, SIGKILL);
        let_go(&found);
        search_add(s, &found)->killed = true;
    }
}

static void kill_until_calm(struct search *s, const char *group)
{
    nanos deadline = clock_now() + KILL_PATIENCE;

    do {
        kill_all(s, group);
        if (s->restless)
            chase(s);
        else
            pause_a_moment();
    } while (search_look_well(s) && clock_now() < deadline);
}

static size_t count_alive(const struct search *s)
{
    size_t alive = 0;

    for (size_t i = 0; i < s->count; i++)
        alive += is_alive(s->list[i].id);
    return alive;
}

size_t search_end(struct search *s, const struct reaping *how, const char *group)
{
    nanos deadline;

    if (!how->at_once)
        ask(s, how);
    kill_until_calm(s, group);
    deadline = clock_now() + KILL_PATIENCE;
    while (count_alive(s) && clock_now() < deadline)
        pause_a_moment();
    return count_alive(s);
}
