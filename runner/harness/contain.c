#include "runner/harness/contain.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- who is there ---- */

struct walk {
    struct census *census;
    const struct process *leaders;
    size_t count;
};

/* A leader without a session of its own is all that is known to be its. */
static bool belongs(const struct proc_stat *stat, const struct process *leader)
{
    return stat->session == leader->pid || stat->pid == leader->pid;
}

static bool is_wanted(const struct walk *walk, const struct proc_stat *stat)
{
    for (size_t i = 0; i < walk->count; i++)
        if (belongs(stat, &walk->leaders[i]))
            return true;
    return false;
}

static bool note_process(void *user, pid_t pid)
{
    const struct walk *walk = user;
    struct census *census = walk->census;
    struct proc_stat stat;

    if (proc_stat_read(pid, &stat) || !is_wanted(walk, &stat))
        return true;
    GROW(census->list, census->count, census->cap);
    census->list[census->count++] = stat;
    return true;
}

void census_take(struct census *census, const struct process *leaders, size_t count)
{
    struct walk walk = {census, leaders, count};

    census->count = 0;
    proc_each(note_process, &walk);
}

void census_release(struct census *census)
{
    free(census->list);
    *census = (struct census){0};
}

/* A process whose first thread has ended shows as a zombie while its others go on. */
static bool is_alive(const struct proc_stat *stat)
{
    return (stat->state != 'Z' && stat->state != 'X') || stat->threads > 1;
}

void census_alive(const struct census *census, const struct process *leader, char *out, size_t size)
{
    static const char cut[] = ", ...";
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < census->count; i++) {
        const struct proc_stat *stat = &census->list[i];
        char item[PROC_COMM_SIZE + 32];
        int item_len;

        if (!belongs(stat, leader) || !is_alive(stat))
            continue;
        item_len = snprintf(item, sizeof item, "%s%s (%ld)", len ? ", " : "", stat->comm, (long)stat->pid);
        if (len + (size_t)item_len + sizeof cut > size) {
            memcpy(out + len, cut, sizeof cut);
            return;
        }
        memcpy(out + len, item, (size_t)item_len + 1);
        len += (size_t)item_len;
    }
}

/* ---- by process group and session ---- */

/* glibc has these calls from 2.36 on. */
static int signal_pidfd(int pidfd, int signal)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

/*
 * Until it has started its session, and when it is to share ours, there is no group of its number. A number that is
 * none would make kill() reach for our own group, or for everybody.
 */
static int signal_group(const struct process *leader, int signal)
{
    if (leader->pid <= 1) {
        errno = ESRCH;
        return -1;
    }
    if (kill(-leader->pid, signal) == 0)
        return 0;
    return errno == ESRCH ? signal_pidfd(leader->pidfd, signal) : -1;
}

/*
 * One that left the group. Its number may be somebody else's by now; nobody else gets into the session, and what
 * the pidfd means does not change once we have it.
 */
static void signal_straggler(pid_t pid, pid_t session, int signal)
{
    struct proc_stat now;
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

    if (pidfd < 0)
        return;
    if (proc_stat_read(pid, &now) == 0 && now.session == session)
        signal_pidfd(pidfd, signal);
    fd_close(&pidfd);
}

static int signal_tree(const struct process *leader, int signal, const struct census *census)
{
    int answer = signal_group(leader, signal), error = errno;

    for (size_t i = 0; i < census->count; i++) {
        const struct proc_stat *stat = &census->list[i];

        if (stat->session == leader->pid && stat->pgrp != leader->pid)
            signal_straggler(stat->pid, leader->pid, signal);
    }
    errno = error;
    return answer;
}

static int group_signal(const struct process *leader, enum ladder_target target, int signal,
                        const struct census *census)
{
    switch (target) {
    case LADDER_LEADER: return signal_pidfd(leader->pidfd, signal);
    case LADDER_GROUP: return signal_group(leader, signal);
    default: return signal_tree(leader, signal, census);
    }
}

static void group_sweep(const struct process *leader)
{
    if (leader->pid > 1)
        kill(-leader->pid, SIGKILL);
}

const struct containment contain_group = {
    .name = "process group",
    .signal = group_signal,
    .sweep = group_sweep,
};
