/*
 * By PID namespace. Its init is an anchor made ahead, to which all orphans fall and whose end is everybody's;
 * it serves again when nobody is left beside it. Nobody can leave a PID namespace, so this is exact, too.
 */
#include "runner/harness/contain_internal.h"

#include <stdio.h>
#include <sys/stat.h>

#define PATIENCE   NS_PER_S
#define LOOKS_MOST 16

/*
 * Anybody may have killed the init, as the kernel does for want of memory. A dying one has left its mount
 * namespace before it ends and awaits the others: so this is seen before its pidfd is readable, and by all
 * that were killed with it.
 */
static bool is_whole(const struct anchor *anchor)
{
    char path[64];
    struct stat its;

    snprintf(path, sizeof path, "/proc/%ld/ns/mnt", (long)anchor->pid);
    return stat(path, &its) == 0;
}

static void end_anchor(struct contain_place *place, nanos patience)
{
    anchor_end(&place->anchor, patience);
    place->anchor = (struct anchor){0};
    place->spoilt = false;
}

static int prepare(struct contain_place *place, struct spawn_spec *spec)
{
    (void)spec;
    if (place->anchor.pid && (place->spoilt || !is_whole(&place->anchor)))
        end_anchor(place, PATIENCE);
    return place->anchor.pid ? 0 : anchor_start(&place->anchor);
}

/* It may have been killed just then, and nothing shows of it yet. */
static void not_started(struct contain_place *place)
{
    place->spoilt = true;
}

/* ---- who is there ---- */

static bool is_inside(const struct contain_place *place, pid_t pid)
{
    char path[64];
    struct stat its, ours;

    snprintf(path, sizeof path, "/proc/%ld/ns/pid", (long)pid);
    return stat(path, &its) == 0 && fstat(place->anchor.pids, &ours) == 0 && its.st_ino == ours.st_ino &&
           its.st_dev == ours.st_dev;
}

/* What the leader has cloned with CLONE_PARENT is a child of ours, as the leader is, and never the init's. */
static bool is_sibling(const struct contain_place *place, const struct proc_stat *stat)
{
    return stranger_is(place->contain, stat) && is_inside(place, stat->pid);
}

static void members(struct contain_place *place, const struct census *machine, struct census *out)
{
    struct census found = {0};

    for (size_t i = 0; i < machine->count; i++) {
        const struct proc_stat *stat = &machine->list[i];

        if (stat->pid != place->leader.pid && !is_sibling(place, stat))
            continue;
        census_add(&found, stat);
        census_add_tree(machine, stat->pid, &found);
    }
    census_add_tree(machine, place->anchor.pid, &found);
    for (size_t i = 0; i < found.count; i++)
        if (proc_stat_is_alive(&found.list[i]))
            census_add(out, &found.list[i]);
    census_release(&found);
}

static bool holds(struct contain_place *place, const struct proc_stat *listed)
{
    return is_inside(place, listed->pid);
}

enum look { NOBODY, DEAD, ALIVE };

/*
 * The dead are reaped: the namespace does not end before. One that is being started is in none whose leader
 * has exited.
 */
static enum look look_for_siblings(struct contain_place *place)
{
    struct proc_ids strangers = {0};
    enum look found = NOBODY;
    struct proc_stat stat;

    strangers_list(place->contain, &strangers);
    for (size_t i = 0; i < strangers.count && found != ALIVE; i++) {
        pid_t pid = strangers.list[i].pid;

        if (!is_inside(place, pid))
            continue;
        found = proc_stat_read(pid, &stat) == 0 && proc_stat_is_alive(&stat) ? ALIVE : DEAD;
        if (found == DEAD)
            stranger_reap(place->contain, pid);
    }
    proc_ids_release(&strangers);
    return found;
}

/* Who knows whom the dead have left since the list was read: another one of us, who is seen when it is read again. */
static bool has_siblings(struct contain_place *place)
{
    enum look found = DEAD;

    for (int i = 0; i < LOOKS_MOST && found == DEAD; i++)
        found = look_for_siblings(place);
    return found != NOBODY;
}

/* In this order: whom a sibling has left by dying is the init's by then. */
static bool is_empty(struct contain_place *place)
{
    return !has_siblings(place) && anchor_is_empty(&place->anchor, place->leader.pid);
}

/* ---- its end ---- */

static void kill_all(struct contain_place *place)
{
    anchor_kill(&place->anchor);
    place->spoilt = true;
}

/* An init that was killed is not reapable before the case is; the next case gets another. */
static void reaped(struct contain_place *place, bool left)
{
    if (!place->spoilt && !left)
        return;
    end_anchor(place, left ? 0 : PATIENCE);
}

const struct means means_pidns = {
    .walks = true,
    .prepare = prepare,
    .not_started = not_started,
    .members = members,
    .holds = holds,
    .is_empty = is_empty,
    .kill = kill_all,
    .reaped = reaped,
};
