/* Between the files about control groups. */
#ifndef RM_HARNESS_CGROUP_ROOM_H
#define RM_HARNESS_CGROUP_ROOM_H

#include "runner/harness/cgroup.h"

/* ---- where we are ---- */

struct cgroup_place {
    char *folder; /* malloced; where the group is to be found */
    char *name;   /* malloced; what /proc/PID/cgroup calls it */
};

/* The group we are in: of version 2 when `controller` is "", else of the hierarchy of version 1 that has it. */
bool cgroup_find(const char *controller, struct cgroup_place *place, struct buf *why);
void cgroup_place_release(struct cgroup_place *place);
/* Pure: the same from the texts of /proc/self/mountinfo and /proc/self/cgroup. */
bool cgroup_locate(struct str mounts, struct str groups, const char *controller, struct cgroup_place *place,
                   struct buf *why);
/* What /proc/PID/cgroup names for version 2; empty: nothing. */
struct str cgroup_of_unified(struct str groups);

/* ---- files and folders in it ---- */

/* 0, or -1 and errno. */
int cgroup_put(int folder, const char *file, const char *text);
/* The number after `key` in a file of lines "key number"; 0 when there is none. */
uint64_t cgroup_value(int fd, const char *key);
/* Living processes of an open group and of those below it. */
void cgroup_procs_below(int folder, struct proc_ids *out);
/* Removes one group: `path`, or the innermost first one below it. 1: `path` is gone, 0: something is, -1 and errno. */
int cgroup_remove_one(const char *path);

/* ---- the group of a slot ---- */

extern const struct cgroup cgroup_closed;
/* Makes it: `path` and `name` are those of `cases`. */
bool cgroup_make(struct cgroup *group, const char *path, const char *name, uint32_t number, struct buf *why);
void cgroup_close(struct cgroup *group);

/* ---- limits ---- */

/*
 * Gives the controllers to the groups below `own`, or makes groups of version 1. Called when nobody of ours
 * is in `own` any more. Sets `legacy` and `unlimited`.
 */
void cgroup_limits_open(struct cgroups *groups, const char *own);
/* Takes controllers away again, as nobody can enter a group that has given its own on. */
void cgroup_limits_withdraw(const char *own, const char *run);
void cgroup_knobs_open(const struct cgroups *groups, struct cgroup *slot, uint32_t number);
/* Those of version 1 change hands. */
void cgroup_knobs_renew(struct cgroup *slot, struct cgroup *old);
void cgroup_knobs_close(struct cgroup *slot);

#endif
