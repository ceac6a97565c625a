/*
 * What run-matrix-stacks says of a copy or a core, as records in the order in which it finds out: so what it has said
 * before it was killed, or died, counts. A frame is told once and then meant by its number, since many threads are at
 * the same places.
 *
 * Its reader takes any bytes: who is fed hostile debugging information may say anything.
 */
#ifndef RM_STACKS_ANSWER_H
#define RM_STACKS_ANSWER_H

#include "runner/stacks/stacks.h"

#define ANSWER_MAGIC "RMANS\n\1" /* with its NUL: 8 bytes */
#define ANSWER_MOST  ((size_t)32 << 20)

enum answer_kind {
    ANSWER_FRAME = 1, /* struct answer_frame, then four strings with their NULs; what is empty is not known */
    ANSWER_THREAD,    /* struct answer_thread, its frames as uint32_t, then why it was cut, if it was */
    ANSWER_END,       /* all was said */
};

struct answer_record {
    uint32_t kind;
    uint32_t length;
};

struct answer_frame {
    uint64_t pc, offset;
    uint32_t line;
    uint32_t inlined;
    /* function, file, module, build id */
};

#define ANSWER_INTERRUPTED (UINT32_C(1) << 31) /* beside the number of a frame */

struct answer_thread {
    uint32_t number; /* of a copy: in the order of its threads. Of a core: from 0 on */
    int32_t pid, tid;
    uint32_t frame_count;
};

struct answered_thread {
    uint32_t number;
    pid_t pid;
    struct stack_thread thread;
};

struct answer {
    struct answered_thread *threads;
    uint32_t thread_count;
    bool whole; /* it came to its end */
};

/* False: it is no answer, or becomes none in its midst; what came before that is there. */
bool answer_read(struct answer *out, struct arena *arena, struct str bytes);

#endif
