/*
 * By PID namespace. Its init is an anchor made ahead, to which all orphans fall and whose end is everybody's; it serves again when
 * nobody is left beside it. Nobody can leave a PID namespace, so this is exact, too.
 */
#include "runner/harness/contain_internal.h"

#include <stdio.h>
#include <sys/stat.h>

#define PATIENCE NS_PER_S

static int prepare(struct contain_place *place, struct spawn_spec *spec)
{
    (void)spec;
    return place->anchor.pid ? 0 : anchor_start(&place->anchor);
}

static void members(struct contain_place *place, const struct census *machine, struct census *out)
{
    struct census found = {0};
    const struct proc_stat *leader = census_find(machine, place->leader.pid);

    if (leader)
        census_add(&found, leader);
    census_add_tree(machine, place->leader.pid, &found);
    census_add_tree(machine, place->anchor.pid, &found);
    for (size_t i = 0; i < found.count; i++)
        if (proc_stat_is_alive(&found.list[i]))
            census_add(out, &found.list[i]);
    census_release(&found);
}

static bool holds(struct contain_place *place, const struct proc_stat *listed)
{
    char path[64];
    struct stat its, ours;

    snprintf(path, sizeof path, "/proc/%ld/ns/pid", (long)listed->pid);
    return stat(path, &its) == 0 && fstat(place->anchor.pids, &ours) == 0 && its.st_ino == ours.st_ino &&
           its.st_dev == ours.st_dev;
}

static bool is_empty(struct contain_place *place)
{
    return anchor_is_empty(&place->anchor, place->leader.pid);
}

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
    anchor_kill(&place->anchor);
    anchor_end(&place->anchor, left ? 0 : PATIENCE);
    place->anchor = (struct anchor){0};
    place->spoilt = false;
}

const struct means means_pidns = {
    .walks = true,
    .prepare = prepare,
    .members = members,
    .holds = holds,
    .is_empty = is_empty,
    .kill = kill_all,
    .reaped = reaped,
};
