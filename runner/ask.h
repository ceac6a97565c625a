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

/* One of several that are asked at a time. */
struct ask {
    struct spawn_spec *spec; /* without its stdio */
    nanos deadline;
    /* the answer */
    struct asked asked;
    struct buf out, err; /* what it wrote; the caller's */
};

#define ASK_MOST 256u /* at a time */

/* `contain` "group": by nothing stronger than their process groups, as --contain has it. */
void ask_all(struct ask *asks, uint32_t count, uint32_t at_a_time, const char *contain);
/* The same of one. `out` and `err`, which are empty, get what it wrote. */
void ask(struct spawn_spec *spec, const char *contain, nanos deadline, struct buf *out, struct buf *err,
         struct asked *asked);

#endif
