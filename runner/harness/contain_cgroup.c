/*
 * By control group: exact, and one write ends all. But who may write to a group above ours, as root may, can
 * leave it: whoever does so falls to us when he has no parent any more, and is known as with process groups.
 */
#include "runner/harness/contain_internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/cgroup_room.h"

#include <fcntl.h>
#include <stdlib.h>

/* Groups of version 1 are for limits alone, and entering them takes longer than all the rest of a start. */
static int cgroup_prepare(struct contain_place *place, struct spawn_spec *spec)
{
    spec->cgroup = place->cgroup->fd;
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++)
        spec->joined[i] =
            place->limits[i] && place->cgroup->knobs[i].join > 0 ? place->cgroup->knobs[i].join : 0;
    return 0;
}

static void cgroup_members(struct contain_place *place, const struct census *machine, struct census *out)
{
    struct proc_ids ids = {0};
    struct proc_stat stat;

    (void)machine;
    cgroup_procs(place->cgroup, &ids);
    for (size_t i = 0; i < ids.count; i++)
        if (proc_stat_read(ids.list[i].pid, &stat) == 0 && proc_stat_is_alive(&stat))
            census_add(out, &stat);
    proc_ids_release(&ids);
    strangers_members(place, out);
}

static bool cgroup_still_holds(struct contain_place *place, const struct proc_stat *listed)
{
    return cgroup_holds(place->cgroup, listed->pid) || strangers_hold(place, listed);
}

static bool is_empty(struct contain_place *place)
{
    return cgroup_is_empty(place->cgroup) && strangers_are_gone(place);
}

static void kill_all(struct contain_place *place)
{
    cgroup_kill_all(place->cgroup);
    strangers_kill(place);
}

/* A group that is frozen is killed as any other. */
static bool freeze(struct contain_place *place, bool on, int *events)
{
    if (!on && !place->frozen)
        return true;
    if (events)
        *events = openat(place->cgroup->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if ((events && *events < 0) || cgroup_put(place->cgroup->fd, "cgroup.freeze", on ? "1" : "0") < 0) {
        if (events)
            fd_close(events);
        return false;
    }
    place->frozen = on;
    return true;
}

bool contain_is_frozen(int events)
{
    return cgroup_value(events, "frozen") != 0;
}

/* Who comes next into the group would not begin to run. */
static void reaped(struct contain_place *place, bool left)
{
    (void)left;
    freeze(place, false, NULL);
    if (place->cgroup->limited[CGROUP_MEMORY])
        cgroup_limit(place->cgroup, CGROUP_MEMORY, UINT64_MAX);
    contain_tick(place->contain);
}

const struct means means_cgroup = {
    .prepare = cgroup_prepare,
    .members = cgroup_members,
    .holds = cgroup_still_holds,
    .is_empty = is_empty,
    .kill = kill_all,
    .freeze = freeze,
    .reaped = reaped,
};
