#include "runner/stacks/stacks.h"

#include "runner/base/installed.h"
#include "runner/base/io.h"
#include "runner/stacks/internal.h"
#include "runner/stacks/tracing.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE       ((size_t)256 << 10)
#define NOT_REACHED "the program that unwinds did not come to it: "
#define RUNS_MOST   32 /* of that program, for one copy */

const char *stacks_program(struct arena *arena)
{
    return installed_find(arena, "run-matrix-stacks", X_OK);
}

/* ---- from a copy to stacks ---- */

static struct stack_thread *list_threads(struct stacks *out, struct arena *arena, const struct copied *copied)
{
    struct stack_thread *threads = ARENA_ARRAY(arena, struct stack_thread, copied->thread_count);
    struct stack_process *processes = ARENA_ARRAY(arena, struct stack_process, copied->process_count);

    for (uint32_t i = 0; i < copied->thread_count; i++)
        threads[i] =
            (struct stack_thread){.tid = copied->threads[i].tid, .why_not = copied->threads[i].why_not};
    for (uint32_t i = 0; i < copied->process_count; i++) {
        const struct copied_process *from = &copied->processes[i];

        processes[i] = (struct stack_process){.id = from->id,
                                              .why_not = from->why_not,
                                              .threads = threads + from->thread_first,
                                              .thread_count = from->thread_count,
                                              .threads_more = from->threads_more};
    }
    out->processes = processes;
    out->process_count = copied->process_count;
    return threads;
}

/* Why the program has not said all there is to be said. */
static const char *problem_of(struct arena *arena, const struct unwinding *u, bool sound, bool whole)
{
    if (*u->problem)
        return arena_printf(arena, "run-matrix-stacks: %s", u->problem);
    if (!sound || !whole)
        return "run-matrix-stacks: its answer is none";
    return NULL;
}

/* A copy that is being unwound, by one run of the program after another. */
struct going {
    const struct copied *copied;
    struct stack_thread *threads;
    uint32_t from, plain_to; /* who is next, and who of them are asked for symbols only: see unwind_main.c */
    bool any;                /* somebody was told of */
    const char *problem;     /* of the last run; NULL: it has said all */
};

static void merge(struct going *going, const struct answer *answer)
{
    uint32_t count = going->copied->thread_count;

    for (uint32_t i = 0; i < answer->thread_count; i++) {
        const struct answered_thread *told = &answer->threads[i];

        if (told->number >= count || going->threads[told->number].tid != told->thread.tid ||
            going->threads[told->number].why_not)
            continue;
        going->threads[told->number] = told->thread;
        going->any = true;
        if (told->number >= going->from)
            going->from = told->number + 1;
    }
}

static bool is_any_left(struct going *going)
{
    while (going->from < going->copied->thread_count && going->copied->threads[going->from].why_not)
        going->from++;
    return going->from < going->copied->thread_count;
}

/*
 * One that it dies of, or that keeps it for ever, is no reason for those behind it to have no stacks. Debugging information
 * is what is large and intricate: so that process is tried once more without, and after that left out.
 */
static void go_round(struct going *going, struct arena *arena)
{
    const struct copied *copied = going->copied;
    const struct copied_process *at = copied->processes;
    uint32_t end;

    while (going->from - at->thread_first >= at->thread_count)
        at++;
    end = at->thread_first + at->thread_count;
    if (going->from >= going->plain_to) {
        going->plain_to = end;
        return;
    }
    for (; going->from < end; going->from++)
        if (!going->threads[going->from].why_not)
            going->threads[going->from].why_not = arena_printf(arena, NOT_REACHED "%s", going->problem);
}

/* True: there are more to be asked for. The longer it is silent the less time there is for all the others. */
static bool run_once(struct going *going, struct arena *arena, int copy, const struct stacks_wants *wants,
                     bool first)
{
    struct unwinding u = {.program = wants->program,
                          .mode = "copy",
                          .first = arena_printf(arena, "%u", going->from),
                          .second = arena_printf(arena, "%u", going->plain_to),
                          .input = copy,
                          .until = wants->unwind_by,
                          .quiet = (wants->unwind_by - clock_now()) / (first ? 2 : 4)};
    struct answer answer;
    bool sound;

    unwinder_run(&u);
    sound = answer_read(&answer, arena, buf_str(&u.said));
    going->problem = problem_of(arena, &u, sound, answer.whole);
    merge(going, &answer);
    buf_release(&u.said);
    return sound && going->problem && is_any_left(going) && clock_now() < wants->unwind_by;
}

static void unwind_all(struct stacks *out, struct going *going, struct arena *arena, int copy,
                       const struct stacks_wants *wants)
{
    const char *words;
    int runs = 0;

    while (runs < RUNS_MOST && is_any_left(going) && run_once(going, arena, copy, wants, runs++ == 0))
        go_round(going, arena);
    if (going->problem && !going->any)
        out->why_not = going->problem;
    words = arena_printf(arena, NOT_REACHED "%s", going->problem ? going->problem : "it has left it out");
    for (uint32_t i = 0; i < going->copied->thread_count; i++) {
        struct stack_thread *thread = &going->threads[i];

        if (!thread->why_not && !thread->frame_count)
            thread->why_not = thread->cut ? thread->cut : words;
    }
}

/* The others all have a word why not. */
static bool any_stands(const struct stack_thread *threads, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!threads[i].why_not)
            return true;
    return false;
}

static void unwind_copy(struct stacks *out, struct arena *arena, int copy, const struct stacks_wants *wants,
                        struct str bytes)
{
    struct copied copied;
    struct going going = {.copied = &copied};

    if (!copied_read(&copied, arena, bytes)) {
        out->why_not = "it is no copy of stacks";
        return;
    }
    going.threads = list_threads(out, arena, &copied);
    if (any_stands(going.threads, copied.thread_count))
        unwind_all(out, &going, arena, copy, wants);
}

/* A file of ours, which nobody cuts while we look. */
static void unwind_own(struct stacks *out, struct arena *arena, int copy, const struct stacks_wants *wants)
{
    struct stat st;
    void *mapped = MAP_FAILED;
    size_t size = 0;

    /* What is too long is read as far as it goes, as what is too short is. */
    if (fstat(copy, &st) == 0 && st.st_size > 0)
        size = (uint64_t)st.st_size < COPY_FILE_MOST ? (size_t)st.st_size : COPY_FILE_MOST;
    if (size)
        mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, copy, 0);
    if (mapped == MAP_FAILED) {
        out->why_not = "there is no copy of the stacks";
        return;
    }
    lseek(copy, 0, SEEK_SET);
    unwind_copy(out, arena, copy, wants, (struct str){mapped, size});
    munmap(mapped, size);
}

void stacks_of_copy(struct stacks *out, struct arena *arena, int copy, const struct stacks_wants *wants)
{
    int own = memfd_create("stacks", MFD_CLOEXEC);
    struct buf piece = {0};
    off_t at = 0;
    ssize_t got;

    *out = (struct stacks){0};
    buf_reserve(&piece, PIECE);
    while (own >= 0 && (size_t)at < COPY_FILE_MOST && (got = pread(copy, piece.ptr, PIECE, at)) > 0 &&
           fd_write_all(own, piece.ptr, (size_t)got) == 0)
        at += got;
    unwind_own(out, arena, own, wants);
    buf_release(&piece);
    fd_close(&own);
}

/* ---- of the living ---- */

/* They are copied as they come to a stand. */
static void put_in_order(struct stacks *out, struct arena *arena, const struct proc_id *list, size_t count)
{
    struct stack_process *ordered = ARENA_ARRAY(arena, struct stack_process, count);

    for (size_t i = 0; i < count; i++) {
        ordered[i] = (struct stack_process){.id = list[i], .why_not = "it was not copied: there was no room"};
        for (uint32_t j = 0; j < out->process_count; j++)
            if (proc_id_equals(out->processes[j].id, list[i])) {
                ordered[i] = out->processes[j];
                break;
            }
    }
    out->processes = ordered;
    out->process_count = (uint32_t)count;
}

void stacks_take(struct stacks *out, struct arena *arena, const struct proc_id *list, size_t count,
                 const struct stacks_wants *wants)
{
    bool frozen = wants->freeze && wants->freeze(wants->user, true);
    nanos began = clock_now(), stood;
    const char *problem = NULL;
    struct tracing *tracing = trace_all(list, count, wants->copy_by, &problem);

    if (wants->freeze)
        wants->freeze(wants->user, false);
    *out = (struct stacks){.why_not = problem};
    if (!tracing)
        return;
    stood = frozen ? clock_now() - began : tracing->stood_still;
    unwind_own(out, arena, tracing->copy, wants);
    put_in_order(out, arena, list, count);
    out->stood_still = stood;
    release_tracing(tracing);
}

/* ---- of the dead ---- */

/* In the order in which the program tells of them: they have no other. */
static void list_answered(struct stacks *out, struct arena *arena, const struct answer *answer)
{
    struct stack_thread *threads = ARENA_ARRAY(arena, struct stack_thread, answer->thread_count);
    struct stack_process *process = ARENA_NEW(arena, struct stack_process);

    for (uint32_t i = 0; i < answer->thread_count; i++) {
        threads[i] = answer->threads[i].thread;
        if (!threads[i].frame_count)
            threads[i].why_not = threads[i].cut ? threads[i].cut : "it has no frames";
    }
    *process = (struct stack_process){.threads = threads, .thread_count = answer->thread_count};
    if (answer->thread_count)
        process->id.pid = answer->threads[0].pid;
    out->processes = process;
    out->process_count = 1;
}

void stacks_of_core(struct stacks *out, struct arena *arena, const char *core, const char *program,
                    const struct stacks_wants *wants)
{
    struct unwinding u = {.program = wants->program,
                          .mode = "core",
                          .first = core,
                          .second = program,
                          .input = -1,
                          .until = wants->unwind_by};
    struct answer answer;
    bool sound;

    *out = (struct stacks){0};
    unwinder_run(&u);
    sound = answer_read(&answer, arena, buf_str(&u.said));
    if (answer.thread_count)
        list_answered(out, arena, &answer);
    else
        out->why_not = problem_of(arena, &u, sound, answer.whole);
    if (!answer.thread_count && !out->why_not)
        out->why_not = "the core has no threads";
    buf_release(&u.said);
}
