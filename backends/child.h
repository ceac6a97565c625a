/*
 * Between clone and exec. The child runs in its parent's memory (CLONE_VM), as with vfork, but the parent does not
 * wait for it: a child that is stuck blocks nobody, and two can be under way side by side. What makes that safe:
 *
 *  - It runs on a stack of its own, which is not used again before the kernel has set `alive` to 0, which it does
 *    when the child lets go of the memory (CLONE_CHILD_CLEARTID: by exec or by its end).
 *  - It touches nothing of ours but that stack and the words below. It calls no libc, for errno and everything else
 *    that is per thread would be that of the thread that made it. Therefore child.c is compiled without sanitizers
 *    and stack protector too.
 *  - What it reads, the spec and all that hangs off it, stays as it is for so long; that is the caller's promise.
 *  - No signal is handled on its stack: all are blocked around the clone, so it begins with all blocked, and has no
 *    handlers left when it unblocks them.
 *  - In namespaces it is the same child; only who clones it is another, an usher (inside.h), which is gone when
 *    start returns.
 *  - If we are killed, the memory is the child's alone and it goes on to exec.
 *  - The out-of-memory killer ends all who share a memory. While it is under way the child is as large as we are and
 *    as likely to be chosen, so this adds nothing, as long as the child is under no smaller limit than we are: a
 *    control group that it begins in may be given one only when it has executed.
 *  - Before Linux 5.16 so does a core dump. Only SIGKILL may be sent to a child that has not executed.
 */
#ifndef RM_BACKENDS_CHILD_H
#define RM_BACKENDS_CHILD_H

#include "backends/backends.h"

#include <linux/sched.h>
#include <stdatomic.h>

/*
 * What a child leaves word of. They may be on a board (board.h), which servers share with us: so it is read in the
 * same way whoever has cloned it, and what is known of it does not die with a server.
 */
struct spawn_words {
    atomic_uint alive;    /* 1 from clone on, 0 by the kernel */
    atomic_uint becoming; /* 1: whoever was executed will become what was asked for, and is not yet */
    atomic_uint stage;    /* the step that it is at */
    atomic_uint failed;   /* FAILURE of the step that failed; one word, so that nobody sees half of it */
    _Atomic pid_t pid;    /* by the kernel, before it runs */
    _Atomic nanos exec_at;
};

#define FRESH_VARIABLES 63

/* At the upper end of a mapping of its own, above the stack and its guard. */
struct spawn {
    const struct spawn_spec *spec;
    struct spawn_words *words; /* its own, or a place on a board */
    struct spawn_words own;
    const struct board *board;
    uint32_t place;
    bool becomes; /* what is executed is not yet what was asked for */
    struct fresh {
        struct spawn_spec spec;
        char *argv[3], *envp[FRESH_VARIABLES + 1];
    } fresh; /* of backend spawn */
};

#define FAILURE(stage, error)  ((unsigned)(stage) << 16 | (unsigned)(error))
#define FAILURE_STAGE(failure) ((enum spawn_stage)((failure) >> 16))
#define FAILURE_ERROR(failure) ((int)((failure)&0xffff))

/*
 * The new process begins at `entry`, on the stack that `args` names. The pid or -errno; it is left at args->parent_tid
 * too, by the kernel before the process runs where there is clone3.
 */
long child_clone(struct clone_args *args, void (*entry)(void *user), void *user);

/* Where the child begins; `user` is a struct spawn. It does not return. */
void child_main(void *user);

/* The same in its parts, for who has a memory of his own. All steps but the last; false: one failed, and there is word of it. */
bool child_prepare(const struct spawn_spec *spec, struct spawn_words *words);
void child_execute(const struct spawn_spec *spec, struct spawn_words *words); /* returns when it cannot */

#endif
