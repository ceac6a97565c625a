/*
 * Control groups (version 2): a tree of the run's own below the group we were started in.
 *
 *     <ours>/run-matrix-<id>/harness      guard, runner and their helpers
 *     <ours>/run-matrix-<id>/cases/0.0 ... a case each, one group for every slot
 *
 * Whether that is possible is found out by doing it. Where version 2 has no controllers for processes and memory, but version 1
 * beside it does, groups of the same names are made there for the limits alone: a case writes itself into them.
 */
#ifndef RM_HARNESS_CGROUP_H
#define RM_HARNESS_CGROUP_H

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/proc.h"

#include <stdbool.h>
#include <stdint.h>

/* id, key in `limits` */
#define CGROUP_LIMITS(X)             \
    X(CGROUP_PROCESSES, "processes") \
    X(CGROUP_MEMORY, "memory")

enum cgroup_limit {
#define X(id, key) id,
    CGROUP_LIMITS(X)
#undef X
        CGROUP_LIMIT_COUNT
};

/* Where a limit is written, of one slot: version 2 or 1. */
struct cgroup_knobs {
    int limit;  /* pids.max, memory.max, memory.limit_in_bytes; -1: it cannot be had */
    int swap;   /* memory.swap.max, memory.memsw.limit_in_bytes; -1: none */
    int events; /* pids.events, memory.events, memory.oom_control; -1: none */
    int join;   /* version 1: cgroup.procs, for the case to write "0" into; -1: none */
};

/* The group of a slot. */
struct cgroup {
    int fd;     /* the folder: CLONE_INTO_CGROUP */
    int events; /* cgroup.events: becomes ready (EPOLLPRI) whenever the last has gone or a first has come */
    int kill;   /* cgroup.kill */
    char *path, *name; /* of the folder, and as /proc/PID/cgroup has it; malloced */
    uint32_t number;   /* of the slot */
    uint32_t made;     /* how often it was made anew: cases/<number>.<made> */
    bool killed;
    struct cgroup_knobs knobs[CGROUP_LIMIT_COUNT];
    bool limited[CGROUP_LIMIT_COUNT];
};

struct cgroups {
    char *path;                       /* of the run's own, absolute; malloced */
    char *legacy[CGROUP_LIMIT_COUNT]; /* the same in hierarchies of version 1; NULL: none. malloced */
    const char *unlimited[CGROUP_LIMIT_COUNT]; /* why there is no such limit, in words; NULL: there is */
    struct cgroup *slots;
    uint32_t count;
};

/* The folder of the group that we are in, where the tree would be; malloced. NULL: `why` says why it is not known. */
char *cgroups_home(struct buf *why);
/*
 * Makes the tree, enters `harness`, and tries it out: a process is started in a group of `cases` and killed
 * there. So the caller has no thread yet, and whom he forks afterwards are in `harness` too. `name` begins
 * with "run-matrix-" and is nobody else's. False: nothing is left of it, we are where we were, and `why` says
 * in a sentence why it cannot be had ("cannot make '/sys/fs/cgroup/...': Permission denied", "no cgroup2 is
 * mounted").
 */
bool cgroups_open(struct cgroups *groups, const char *name, uint32_t slots, struct buf *why);
void cgroups_close(struct cgroups *groups); /* descriptors and memory; the groups stay */
/*
 * By path, for who comes after as well, and for those of version 1 too: kills whom it finds in `cases`, waits
 * until they are gone, leaves `harness` with those of our children that are in it, removes all. False:
 * something is still there when `patience` is over; with 0 what can go at once goes. As long as somebody else
 * is in `harness` it stays: the last to leave ends it. Only paths in cgroupfs whose last part begins with
 * "run-matrix-" are touched. What is not there any more is fine.
 */
bool cgroups_end(const char *path, nanos patience);
bool cgroups_end_cases(const char *path,
                       nanos patience); /* the first part of it: whoever is in `harness` may stay */
bool cgroups_end_all(const struct cgroups *groups, nanos patience); /* with those of version 1 */
void cgroups_kill(const char *path); /* the cases, at once, without waiting: for a guard */
/* Whoever is in its cases, in version 1 too; false: there is no such group. */
bool cgroups_procs(const char *path, struct proc_ids *out);

/* It is in one of the cases', of any slot. */
bool cgroups_hold(const struct cgroups *groups, pid_t pid);

bool cgroup_is_empty(const struct cgroup *group); /* no living process in it or below */
int cgroup_kill_all(struct cgroup *group);
/*
 * Before a case is started: makes it anew if it was killed. For the kernel kills whoever is cloned into a
 * group that was killed at any time before, by whom was not (seen with Linux 6.18; the same since 6.14). Its
 * limits are none then, and its hits 0, where they are those of version 2. -1 and errno: it is as it was.
 */
int cgroup_renew(struct cgroup *group);
/* The living, of groups below it too: the kernel does not list who has ended, reaped or not. */
void cgroup_procs(const struct cgroup *group, struct proc_ids *out);
bool cgroup_holds(const struct cgroup *group, pid_t pid);

/*
 * Between cases, or while one runs. Memory is to be limited only when the case has executed: until then it
 * runs in our memory, and the killer for want of memory would end us with it. EBUSY: more than that is in use
 * (version 1).
 */
bool cgroup_can_limit(const struct cgroup *group, enum cgroup_limit limit);
int cgroup_limit(struct cgroup *group, enum cgroup_limit limit,
                 uint64_t most); /* UINT64_MAX: none. -1 and errno */
/* How often it was hit since the group was made; of memory: how many were killed for it. */
uint64_t cgroup_hits(const struct cgroup *group, enum cgroup_limit limit);

#endif
