/*
 * What belongs to a case, and how all of it is reached: by a control group, by a PID namespace, or, where
 * neither can be had, by process group and by being the one to whom orphans fall. Each is an object of a
 * table; which one is found out by trying, the strongest first.
 *
 * A run has one containment, with a place for every slot. All that is done to a place that has a leader is
 * done under the lock of the watchdog, and before that leader is reaped: so its number, and that of its
 * group, cannot be somebody else's.
 */
#ifndef RM_HARNESS_CONTAIN_H
#define RM_HARNESS_CONTAIN_H

#include "backends/backends.h"
#include "runner/base/census.h"
#include "runner/base/ladder.h"
#include "runner/harness/cgroup.h"

#include <stddef.h>

/* id, word, how reports call it; the strongest first */
#define CONTAINMENTS(X)                           \
    X(CONTAIN_CGROUP, "cgroup", "control groups") \
    X(CONTAIN_PIDNS, "pidns", "PID namespaces")   \
    X(CONTAIN_GROUP, "group", "process groups")

enum containment {
#define X(id, word, words) id,
    CONTAINMENTS(X)
#undef X
        CONTAINMENT_COUNT
};

extern const char *const contain_word[CONTAINMENT_COUNT];  /* "cgroup" */
extern const char *const contain_words[CONTAINMENT_COUNT]; /* "control groups" */

/* ---- of a run ---- */

struct contain;
struct contain_place; /* of a slot */

/*
 * `wanted` is a word of the table, or NULL for the strongest that can be had. With control groups we are in
 * one of ours from here on, and so is whom we fork: call it before. NULL: `why` says why it cannot be had;
 * else why not a stronger one, empty when there is none.
 */
struct contain *contain_open(const char *wanted, const char *run_id, uint32_t slots, struct buf *why);
/* In the process that starts the cases, on the thread that will. Orphans fall to it from here on. */
int contain_start(struct contain *contain);
/*
 * Every case is over. Removes what was made; control groups that others of us are still in are theirs to end
 * (cgroups_end_all).
 */
void contain_close(struct contain *contain);

enum containment contain_kind(const struct contain *contain);
const struct cgroups *contain_cgroups(const struct contain *contain); /* NULL: none */
struct contain_place *contain_place(struct contain *contain, uint32_t slot);
/* Why such a limit does not hold here, in words; NULL: it does. */
const char *contain_why_unlimited(const struct contain *contain, enum cgroup_limit limit);
/* Reaps orphans that have ended; how many there were. Called now and then while cases run. */
size_t contain_tick(struct contain *contain);

/* ---- of a case ---- */

struct contain_wants {
    uint64_t limits[CGROUP_LIMIT_COUNT]; /* 0: none */
    unsigned isolate;                    /* SPAWN_ISOLATE_... */
    const char *tmp, *shm; /* folders that become its /tmp and /dev/shm, when files are isolated */
    bool
        outside; /* it is to enter PID namespaces itself: it is put into none, and held together by its group */
};

/*
 * Before a start: what the child has to be put into is added to `spec`, which stays as it is until the case
 * is over. -1 and errno. Then contain_started or contain_not_started, whatever came of it.
 */
int contain_prepare(struct contain_place *place, const struct contain_wants *wants, struct spawn_spec *spec);
/*
 * Who has been asked will start it, later: until contain_started or contain_not_started a child of ours may be there
 * that is in no place. Its environment tells that it is none of another case; and it is not reaped, for when it has
 * ended the words of `spawn` have said for long who it is. spawn_expect comes before.
 */
void contain_expect(struct contain_place *place, const struct spawn *spawn);
void contain_started(struct contain_place *place, struct process leader); /* by the watch */
void contain_not_started(struct contain_place *place);
/*
 * It was seen to have executed: what could not hold before does from here on. A limit of memory that is
 * refused, as more is in use by then (version 1), is tried once more when this is called again; then all of
 * it is killed, and that is a hit. True: there is something to be set.
 */
bool contain_waits(const struct contain_place *place);
void contain_executed(struct contain_place *place);
/* Somebody else has reaped the leader: its number is not to be used any more. */
void contain_lost(struct contain_place *place);
/* The leader is reaped, or given up: makes the place ready for another case. `left`: some of it could not be ended. */
void contain_reaped(struct contain_place *place, bool left);

/* Takes a census where this containment has a use for one; empties it where not. */
void contain_take_census(const struct contain *contain, struct census *census);

/* Those of the case among them that are alive, its leader too. Added to `out`. */
void contain_members(struct contain_place *place, const struct census *machine, struct census *out);

/* Nobody of it is alive. To be asked when the leader has exited and is not reaped. */
bool contain_is_empty(struct contain_place *place);
/*
 * One of them may be another case's, which has ended since: it left its group and session, and has no
 * environment to tell.
 */
bool contain_is_shared(const struct contain *contain, struct proc_id id);
/* To the leader, its group, or all members. 0, or -1 and errno; ESRCH: nobody is left there. */
int contain_signal(struct contain_place *place, enum ladder_target target, int signal,
                   const struct census *members);
/* Ends all at once by the strongest means there is. To be called again while it is not empty. */
void contain_kill(struct contain_place *place);

/*
 * Stops or continues all of it at once. False: there is no such means here, or it failed. `events`, where it is not NULL,
 * becomes a file that is ready (POLLPRI) whenever contain_is_frozen() of it may have changed; the caller closes it. What is
 * killed meanwhile is killed, and what is reaped leaves the place thawed.
 */
bool contain_freeze(struct contain_place *place, bool on, int *events);
bool contain_is_frozen(int events);

/* How often the case ran into a limit; of memory: how many of it were killed for that. */
uint64_t contain_hits(const struct contain_place *place, enum cgroup_limit limit);
/* What the dead have left in an IPC namespace of its own; false: it had none. */
bool contain_look_at_ipc(struct contain_place *place, struct buf *out);

#endif
