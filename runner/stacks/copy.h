/*
 * A copy of what unwinding needs, as a file of records: of each process its maps, of each thread its registers and the upper
 * part of its stack. Written by the runner of processes that it has stopped, and by a process of itself when it crashes;
 * read by run-matrix-stacks. Of this machine's kind only: nothing is converted.
 *
 * Its writer calls nothing but write(), so that a handler of signals can be one.
 */
#ifndef RM_STACKS_COPY_H
#define RM_STACKS_COPY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#define COPY_MAGIC     "RMSTK\n\1" /* with its NUL: 8 bytes */
#define COPY_TEXT_MOST ((size_t)1 << 20)

enum copy_kind {
    COPY_PROCESS = 1, /* struct copy_process: what comes after it is its own */
    COPY_MAPS,        /* text, as /proc/PID/maps has it */
    COPY_THREAD,      /* struct copy_thread: what comes after it is its own */
    COPY_MEMORY,      /* uint64_t address, then the bytes */
    COPY_WHY_NOT,     /* text: there is nothing of this thread, or before the first one of this process */
    COPY_MORE,        /* uint32_t: so many threads of this process found no room */
};

struct copy_record {
    uint32_t kind;
    uint32_t length; /* of what follows; the next record begins where that ends */
};

struct copy_process {
    int32_t pid;
    uint32_t reserved;
    uint64_t start_ticks;
};

struct copy_thread {
    int32_t tid;
    uint32_t reserved;
    struct user_regs_struct registers;
};

/*
 * Where a process that is linked with librunmatrix leaves those of itself: in a folder of the private one of its case, files
 * called WORD-PID with the number that it knows itself by.
 */
#define COPIES_FOLDER  ".stacks"
#define COPIES_CRASH   "crash"
#define COPIES_ASK     "ask"     /* a FIFO: a byte asks for the next */
#define COPIES_THREADS "threads" /* of all of them; it has this name when it is whole, and before that ... */
#define COPIES_PART    ".part"   /* ... this behind it */

#endif
