/* A copy as it is read: by the runner, for who is in it, and by the program that unwinds it. */
#ifndef RM_STACKS_COPIED_H
#define RM_STACKS_COPIED_H

#include "runner/stacks/copy.h"
#include "runner/stacks/stacks.h"

#define COPIED_PROCESSES_MOST 65536u
#define COPY_FILE_MOST        (STACKS_COPY_MOST + ((size_t)64 << 20)) /* with maps and all that is around stacks */

struct copied_memory {
    uint64_t address;
    struct str bytes;
};

struct copied_thread {
    pid_t tid;
    const char *why_not; /* NULL: there are registers */
    struct user_regs_struct registers;
    uint32_t memory_first, memory_count;
};

struct copied_process {
    struct proc_id id;
    const char *why_not; /* NULL: see its threads */
    struct str maps;
    uint32_t thread_first, thread_count;
    uint32_t threads_more;
};

struct copied {
    struct copied_process *processes;
    uint32_t process_count;
    struct copied_thread *threads; /* of all processes, one after another */
    uint32_t thread_count;
    struct copied_memory *memories; /* of all threads, likewise */
    uint32_t memory_count;
};

/*
 * Any bytes. False: it is no copy. What is cut off in its midst, as its writer has died, is read as far as it goes.
 * Its text stays where it is in `bytes`.
 */
bool copied_read(struct copied *out, struct arena *arena, struct str bytes);

#endif
