/*
 * The stacks of processes that go on: all their threads are stopped for as long as it takes to copy their registers and
 * the upper part of their stacks, then let go; a program of its own (run-matrix-stacks) makes functions, files and lines of
 * the copy, within limits. Hostile debugging information ends that program and nobody else.
 *
 * Nobody needs to co-operate. What the kernel asks for is that we may trace them: the same user, and where
 * ptrace_scope is 1 an ancestor of theirs. So it is to be called in the runner itself, on any thread of it; stopping and
 * copying are done on a thread made for that, whose end lets go of whatever was not.
 */
#ifndef RM_STACKS_STACKS_H
#define RM_STACKS_STACKS_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"
#include "runner/base/proc.h"

#define STACK_COPY_MOST    ((size_t)512 << 10) /* of one thread */
#define STACKS_COPY_MOST   ((size_t)64 << 20)  /* of all */
#define STACK_FRAMES_MOST  256u
#define STACK_THREADS_MOST 4096u /* of all processes */

struct stack_frame {
    uint64_t pc;
    const char *function; /* as a person writes it (demangled where it is C++); NULL: not known */
    const char *file;     /* NULL: no line is known */
    uint32_t line;
    const char *module;   /* the path of its program or library; "[vdso]", "[anon]"; NULL: not even that */
    uint64_t offset;      /* of pc in the module, as addr2line -e wants it */
    const char *build_id; /* hex; NULL: none */
    bool inlined;         /* into the frame after it, which has the same pc */
    bool interrupted;     /* a signal came here: the frame before it is a handler's */
};

struct stack_thread {
    pid_t tid;
    const char *why_not; /* there are no frames: it is gone, it would not stop ...; NULL: there are */
    const char *cut;     /* why the last frame is not the outermost; NULL: it is */
    const struct stack_frame *frames; /* innermost first */
    uint32_t frame_count;
};

struct stack_process {
    struct proc_id id;
    const char
        *why_not; /* of all of it: traced by strace (4711), of another user, gone; NULL: see its threads */
    const struct stack_thread *threads; /* by number, the first thread first */
    uint32_t thread_count;
    uint32_t threads_more; /* that did not find room */
};

/* All of it is in the arena of whoever asked. In the order of the list that was asked for. */
struct stacks {
    const struct stack_process *processes;
    uint32_t process_count;
    const char *
        why_not; /* nobody has any frames: the program that unwinds is not there, was too slow, died of SIGSEGV */
    nanos stood_still; /* the longest that one of them was stopped */
};

struct stacks_wants {
    const char *program;      /* run-matrix-stacks: stacks_program(); NULL: there is none, which is said */
    nanos copy_by, unwind_by; /* clock_now(): then it is over, with what there is */
    /* Stops and continues everybody at once by other means, on top; NULL: there are none. False: it could not in time. */
    bool (*freeze)(void *user, bool on);
    void *user;
};

/* Where it is, beside ours; NULL: it is not there. */
const char *stacks_program(struct arena *arena);

/* `list` holds each process once. Who calls waits, until `copy_by`, then `unwind_by`, or a little longer. */
void stacks_take(struct stacks *out, struct arena *arena, const struct proc_id *list, size_t count,
                 const struct stacks_wants *wants);

/*
 * The same for copies that were made before: by a process that has crashed, of itself (`copy` is a file as copy.h has it).
 * The file is what a stranger may have written.
 */
void stacks_of_copy(struct stacks *out, struct arena *arena, int copy, const struct stacks_wants *wants);

/* Of a core, of which `program` was the program (NULL: as the core says). */
void stacks_of_core(struct stacks *out, struct arena *arena, const char *core, const char *program,
                    const struct stacks_wants *wants);

#endif
