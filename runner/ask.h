/*
 * One command that is asked something before a run begins: in a process of our own, so that nothing of the asking stays
 * in ours; contained, with a deadline, its output kept in memory. Whatever it starts is ended with it.
 */
#ifndef RM_RUNNER_ASK_H
#define RM_RUNNER_ASK_H

#include "backends/backends.h"

#define ASK_OUTPUT_MOST ((size_t)64 << 20)

struct asked {
    bool timed_out, flooded, cancelled;
    int status;      /* exit status, -1: it was ended by a signal */
    int signal;      /* 0: none */
    char error[400]; /* it could not be started, and why */
};

/*
 * `spec` without its stdio. `contain` "group": by nothing stronger than its process group, as --contain has it.
 * `out` and `err` get what it wrote.
 */
void ask(struct spawn_spec *spec, const char *contain, nanos deadline, struct buf *out, struct buf *err,
         struct asked *asked);

#endif
