#include "runner/orphans.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAPED_AT_ONCE 32 /* who reaps first is never done with a storm of forks */
#define PAUSE          (2 * NS_PER_MS)

enum child { CHILD_OF_ANOTHER, CHILD_ALIVE, CHILD_DEAD };

/*
 * A child of ours keeps its number until we reap it: what is done by that number after this reaches no one
 * else. Asked of the kernel itself, since the /proc that names the number may be that of another namespace.
 */
static enum child look_at(pid_t pid)
{
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0)
        return CHILD_OF_ANOTHER;
    return info.si_pid ? CHILD_DEAD : CHILD_ALIVE;
}

struct ending {
    bool (*spared)(void *user, pid_t pid); /* NULL: nobody is */
    void *user;
    struct proc_ids dead; /* in this round */
    size_t alive;
};

static bool is_spared(const struct ending *ending, pid_t pid)
{
    return ending->spared && ending->spared(ending->user, pid);
}

/*
 * With it its group, in one go: who forks in it cannot be faster than that. A session that is not ours was
 * made below us, and so was all that is in it. The group stays while the child is not reaped: killed, it does
 * not leave.
 */
static void kill_child(struct ending *ending, pid_t pid)
{
    pid_t session, group;

    kill(pid, SIGKILL);
    session = getsid(pid);
    group = getpgid(pid);
    if (session > 0 && session != getsid(0) && group > 1 && !is_spared(ending, group))
        kill(-group, SIGKILL);
}

static void end_one(struct ending *ending, struct proc_id id)
{
    enum child child = look_at(id.pid);

    if (child == CHILD_OF_ANOTHER || is_spared(ending, id.pid))
        return;
    if (child == CHILD_DEAD) {
        proc_ids_add(&ending->dead, id);
    } else {
        kill_child(ending, id.pid);
        ending->alive++;
    }
}

static bool add(void *user, pid_t pid)
{
    if (look_at(pid) != CHILD_OF_ANOTHER)
        proc_ids_add(user, (struct proc_id){.pid = pid});
    return true;
}

/* There are kernels that cannot say it in /proc, and then all are asked for. */
void orphans_list(struct proc_ids *out)
{
    out->count = 0;
    if (proc_children(getpid(), out) < 0)
        proc_each(add, out);
}

/* Until a child has ended, or a moment has passed. SIGCHLD is blocked, and nobody else takes it. */
static void pause_for_children(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigtimedwait(&set, NULL, &(struct timespec){.tv_nsec = PAUSE});
}

/*
 * Kills before it reaps. A round that finds nobody is the last: above whoever is below us is a child of ours.
 */
size_t orphans_end(nanos patience, bool (*spared)(void *user, pid_t pid), void *user)
{
    nanos until = clock_now() + patience;
    struct ending ending = {.spared = spared, .user = user};
    struct proc_ids children = {0};
    size_t there;

    for (;;) {
        ending.dead.count = 0;
        ending.alive = 0;
        orphans_list(&children);
        for (size_t i = 0; i < children.count; i++)
            end_one(&ending, children.list[i]);
        for (size_t i = 0; i < ending.dead.count && (i < REAPED_AT_ONCE || !ending.alive); i++)
            waitid(P_PID, (id_t)ending.dead.list[i].pid, &(siginfo_t){0}, WEXITED | WNOHANG | __WALL);
        there = ending.alive + ending.dead.count;
        if (!there || clock_now() >= until)
            break;
        if (ending.alive)
            pause_for_children();
    }
    proc_ids_release(&children);
    proc_ids_release(&ending.dead);
    return there;
}
