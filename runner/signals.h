/*
 * Signals are read, not handled. All are blocked before a thread or a process is made; dispositions are set to their
 * defaults, so that children have them without doing anything; what our parent had ignored is remembered. Those that a
 * fault of our own raises stay open: a crash is to be one.
 *
 * What is blocked and not read does nothing: a write to a pipe that nobody reads fails with EPIPE, one past a limit with
 * EFBIG, one to the terminal from the background goes through.
 */
#ifndef RM_RUNNER_SIGNALS_H
#define RM_RUNNER_SIGNALS_H

#include <stdbool.h>

struct signals {
    int fd;     /* signalfd, non-blocking */
    bool nohup; /* SIGHUP was ignored when we were started, so it is never read */
};

int signals_open(struct signals *signals); /* -1 and errno */
void signals_close(struct signals *signals);
int signals_next(struct signals *signals); /* the number; 0: none is waiting */
/* What ends a program ends us at once again: there is nothing left that would have to be ended first. */
void signals_let_go(struct signals *signals);
/* Stops ourselves, as somebody who pressed Ctrl-Z expects; returns after SIGCONT, which is read then. */
void signals_stop_self(void);

#endif
