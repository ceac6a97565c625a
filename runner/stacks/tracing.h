/*
 * Stopping processes and copying what stands in them, on a thread that is there for nothing else: whom it traces the kernel
 * lets go of when it ends, however it ends.
 *
 * What it shares with who waits for it is counted, so that one which hangs in the kernel (maps of a process whose memory is
 * locked by somebody who waits for a disk) can be left behind.
 */
#ifndef RM_STACKS_TRACING_H
#define RM_STACKS_TRACING_H

#include "runner/stacks/copy.h"
#include "runner/stacks/stacks.h"

#include <stdatomic.h>

enum traced_state {
    TRACED_ASKED,  /* it is traced, and told to stop */
    TRACED_STANDS, /* its registers are there */
    TRACED_DEAF, /* it waits in the kernel and cannot be stopped; what its call tells of its registers is there */
    TRACED_REFUSED, /* see why_not */
    TRACED_LEFT,    /* it stood, and goes on */
};

struct traced_thread {
    pid_t tid;
    enum traced_state state;
    const char *why_not; /* a literal */
    struct user_regs_struct registers;
};

struct traced {
    struct proc_id id;
    int folder; /* of /proc, O_PATH; -1: it is not looked at */
    char why_not[256];
    struct traced_thread *threads;
    size_t count, cap;
    uint32_t more;
    int rounds; /* of looking for new threads */
    bool over;  /* it was copied, and goes on */
    bool stuck; /* to be left alone: we did not come back from it */
    nanos since;
};

struct tracing {
    atomic_int users;
    atomic_size_t at;    /* of the processes: who is being looked at */
    atomic_size_t steps; /* grows as long as it goes on */
    atomic_bool done;
    atomic_bool abandoned; /* nobody waits for it any more */
    int over;              /* can be read when it is done */
    struct traced *list;
    size_t count;
    size_t thread_count; /* of all of them */
    size_t bytes;        /* of stacks, copied */
    int copy;            /* a file that it writes to */
    nanos stop_by;
    nanos stood_still;
    struct buf room; /* for one stack */
};

/* ---- take.c ---- */

/* NULL: nobody could be looked at, see `problem`. What could not of each is in the copy. */
struct tracing *trace_all(const struct proc_id *list, size_t count, nanos by, const char **problem);
void release_tracing(struct tracing *tracing);

/* ---- trace.c ---- */

/* The whole of it; its argument is a struct tracing, of which it is a user. */
void *trace(void *tracing);

/* ---- trace_why.c ---- */

/* Why a thread of it cannot be traced, by what the kernel answered; a process says so for all of them. */
void say_why_not(struct traced *traced, pid_t tid, int error);
/* Another dump of ours has it just now: its thread is one of this process. */
bool is_traced_by_us(const struct traced *traced, pid_t tid);
/* The state of one of its threads, as in proc_stat; 'X': it is gone. */
char state_of_thread(const struct traced *traced, pid_t tid);

/* ---- trace_deaf.c ---- */

/*
 * Where it stands, as its call has it: two registers, and those that hold arguments. That is enough for the function which
 * has made the call, and often for some more. False: it is in no call, or nobody may know.
 */
bool registers_of_call(const struct traced *traced, pid_t tid, struct user_regs_struct *registers);

/* ---- trace_copy.c ---- */

/* Of one whose threads stand; what it can be told of one who does not. */
void copy_process(struct tracing *tracing, const struct traced *traced);

/* ---- trace_restart.c ---- */

/*
 * A stop must not be noticed. Calls that the kernel breaks off with EINTR for a stop too (signal(7), "interruption of
 * system calls by stop signals") are made to begin anew, as the others do by themselves.
 */
void restart_call(const struct traced_thread *thread);

#endif
