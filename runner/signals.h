/*
 * Signals are read, not handled. All are blocked before a thread or a process is made; dispositions are set
 * to their defaults, so that children have them without doing anything; what our parent had ignored is
 * remembered. Those that a fault of our own raises stay open: a crash is to be one.
 *
 * What is blocked and not read does nothing: a write to a pipe that nobody reads fails with EPIPE, one past a
 * limit with EFBIG, one to the terminal from the background goes through.
 */
#ifndef RM_RUNNER_SIGNALS_H
#define RM_RUNNER_SIGNALS_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SIGNALS_COUNTED \
    32 /* those that do not queue: a second one finds the first still waiting, and is dropped */

/*
 * Below a guard (guard.h) a signal comes twice or once: to both of us when it is sent to our group, as by
 * Ctrl-C, or to one of us, and the guard passes its own on. So both count, for each number, and what came is
 * the larger of the two. In memory that the two share: then it does not matter which comes first, nor that of
 * two which wait together the kernel keeps one.
 *
 * What that cannot tell from Ctrl-C is one to the runner alone and later one to the guard alone; they count
 * once.
 */
struct signal_counts {
    _Atomic uint32_t direct[SIGNALS_COUNTED]; /* read by the runner, not from the guard */
    _Atomic uint32_t passed[SIGNALS_COUNTED]; /* taken by the guard */
    atomic_bool stopping;                     /* the guard is going to stop with the runner, or has stopped */
};

struct signals {
    int fd;     /* signalfd, non-blocking */
    bool nohup; /* SIGHUP was ignored when we were started, so it is never read */

    pid_t guard;  /* 0: there is none */
    int guard_fd; /* a pidfd, the guard's owner's */
    struct signal_counts *counts;
    uint32_t heard[SIGNALS_COUNTED]; /* how many were told of */
};

int signals_open(struct signals *signals); /* -1 and errno */
void signals_close(struct signals *signals);
/* The number; 0: none is waiting. Several of a number that came since the last call are one. */
int signals_next(struct signals *signals);
/* One that ends a run waits to be read. */
bool signals_ending_waits(const struct signals *signals);
/* What ends a program ends us at once again: there is nothing left that would have to be ended first. */
void signals_let_go(struct signals *signals);
/*
 * Is a TSTP to be heeded? The kernel takes no notice of it where nobody would see it and could continue us, which is
 * in a group of which nobody has his parent in another group of the same session; and no more may we.
 */
bool signals_may_stop(void);
/* Stops ourselves, as somebody who pressed Ctrl-Z expects; returns after SIGCONT, which is read then. */
void signals_stop_self(void);

/*
 * From here on `guard`, our parent, passes signals on; `counts` are shared with it, all 0, and stay.
 * 0, -1 and NULL: it is dead.
 */
void signals_guarded(struct signals *signals, pid_t guard, int pidfd, struct signal_counts *counts);
/* For the guard: what it has to take and pass on, or to heed (SIGCONT). */
void signals_of_guard(const struct signals *signals, sigset_t *set);
/* Counts one, and sends it to the runner when that one has not had it himself. */
void signals_pass(struct signal_counts *counts, int number, int pidfd);

#endif
