/*
 * The guard: the outermost process of a run, single-threaded, the parent of the runner and the one whose pid
 * people see. It is a subreaper, so that nobody below it can get away, and it does nothing but wait: passes
 * signals on, stops and goes on with the runner, and ends as the runner ended. Should the runner die before
 * it has let go of the run, the guard kills what is left and has it cleaned up, and where it has exited says that
 * the harness broke; should the guard die, the runner does the same. Should both, the keeper does: a third process, in a session of its own, that waits
 * for the end of the two.
 *
 * All stay in the process group they were started in, but for the keeper: so the terminal, job control and
 * `kill` on the group mean what they mean for a single process. `kill -STOP` of the guard alone tells nobody:
 * the watchdog looks (watch_outer).
 */
#ifndef RM_RUNNER_GUARD_H
#define RM_RUNNER_GUARD_H

#include "runner/base/clock.h"
#include "runner/base/proc.h"
#include "runner/signals.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * What those who come after a dead runner have to do. Called in guard or keeper, single-threaded, with memory
 * as it was at the fork and with no descriptor of that time but `lock` and 0 to 2, which in the keeper are
 * /dev/null. Both may be called again by the next, when who did it was killed in the middle.
 */
struct guard_plan {
    /* At once, whatever can be killed by name of group or namespace; no waiting. */
    void (*kill)(void *user);
    /* Then, when all are dead or the patience is over. who: "its guard", "its keeper". */
    void (*clean)(void *user, const char *who);
    /* By the guard, then: the runner was not killed, it has exited with such a status and its run was not over. */
    void (*exited)(void *user, int status);
    /* Whether anything had to be cleaned or not: gives up what all of us are in. */
    void (*leave)(void *user);
    /* By the last of all, when nobody else has the lock any more. */
    void (*farewell)(void *user);
    void *user;
    /*
     * Of the run; -1: none. Guard and keeper keep it, so that nobody takes the run for a dead one while they
     * are there.
     */
    int lock;
};

/* What guard, keeper and runner share. */
struct guard_page {
    struct signal_counts counts;
    atomic_bool released;
};

/* As the runner knows them. */
struct guard {
    struct proc_id guard, keeper; /* pid 0: there is none */
    int pidfd;                    /* of the guard: readable when it is dead; -1: there is none */
    struct guard_page *page;      /* mapped until the program ends: signals are counted there */
};

/*
 * Forks twice, and returns in the runner, a child of the process that called; that one is the guard, and does
 * not return. After signals_open, and before there is a thread. -1 and errno: there is no guard, and no
 * process more than before.
 */
int guard_start(struct guard *guard, struct signals *signals, const struct guard_plan *plan);
/*
 * The run has left nothing, or what it has left may stay: whoever is there when the runner exits is left
 * alone, and nothing is cleaned. Before the runner exits in whatever orderly way; without it every exit is a
 * death.
 */
void guard_release(struct guard *guard);
/*
 * For the runner, when it may wait for somebody who reads, and looks for nothing else any more: from here on it dies
 * with its guard, so that the keeper can clean. When that one is dead already nobody waits for what we say: there
 * are seconds left.
 */
void guard_die_with(const struct guard *guard);

#endif
