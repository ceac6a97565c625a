/*
 * By process group, and by being the one to whom orphans fall: best effort. Whoever outlives his parents
 * becomes our own child, so nobody is overlooked; but whose he was must be guessed when he has left group and
 * session and cleared his environment while several cases ran.
 */
#include "runner/harness/contain_internal.h"

#include <errno.h>
#include <signal.h>

static void add_alive(const struct census *found, struct census *out)
{
    for (size_t i = 0; i < found->count; i++)
        if (proc_stat_is_alive(&found->list[i]))
            census_add(out, &found->list[i]);
}

/* Its group and session, and the trees of those of our strangers that are its; nobody twice. */
static bool is_rooted(const struct contain_place *place, const struct census *machine,
                      const struct proc_stat *stat)
{
    const struct proc_stat *parent = stat;

    for (size_t depth = 0; parent && depth <= machine->count; depth++) {
        if (parent->pid == place->leader.pid || parent->session == place->leader.pid ||
            parent->pgrp == place->leader.pid)
            return true;
        if (parent->ppid == place->contain->self)
            return stranger_is_its(place, parent);
        parent = census_find(machine, parent->ppid);
    }
    return false;
}

static void members(struct contain_place *place, const struct census *machine, struct census *out)
{
    struct census found = {0};

    for (size_t i = 0; i < machine->count; i++)
        if (is_rooted(place, machine, &machine->list[i]))
            census_add(&found, &machine->list[i]);
    add_alive(&found, out);
    census_release(&found);
}

static void kill_all(struct contain_place *place)
{
    if (place->leader.pid > 1 && kill(-place->leader.pid, SIGKILL) < 0 && errno == ESRCH)
        pidfd_signal(place->leader.pidfd, SIGKILL);
    strangers_kill(place);
}

static void reaped(struct contain_place *place, bool left)
{
    (void)left;
    contain_tick(place->contain);
}

const struct means means_group = {
    .walks = true,
    .members = members,
    .holds = strangers_hold,
    .is_empty = strangers_are_gone,
    .kill = kill_all,
    .reaped = reaped,
};
