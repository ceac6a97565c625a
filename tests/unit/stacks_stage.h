/* Children of a test that stand somewhere, and their stacks. */
#ifndef TESTS_STACKS_STAGE_H
#define TESTS_STACKS_STAGE_H

#include "tests/unit/forks.h"

#include "runner/stacks/stacks.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE (20 * NS_PER_S) /* of a test: more than any machine takes */

/* Beside the folder of the tests. */
static inline const char *unwinder_path(struct arena *arena)
{
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    assert_true(len > 0);
    self[len] = '\0';
    for (int i = 0; i < 3; i++)
        *strrchr(self, '/') = '\0';
    return arena_printf(arena, "%s/run-matrix-stacks", self);
}

static inline struct stacks_wants wants_of(struct arena *arena)
{
    nanos by = clock_now() + PATIENCE;

    return (struct stacks_wants){.program = unwinder_path(arena), .copy_by = by, .unwind_by = by};
}

static inline struct stacks take_of(struct arena *arena, const pid_t *pids, size_t count)
{
    struct proc_id *list = ARENA_ARRAY(arena, struct proc_id, count);
    struct stacks_wants wants = wants_of(arena);
    struct stacks stacks;

    for (size_t i = 0; i < count; i++)
        list[i] = proc_identify(pids[i]);
    stacks_take(&stacks, arena, list, count, &wants);
    return stacks;
}

static inline const struct stack_frame *frame_of(const struct stack_thread *thread, const char *function)
{
    for (uint32_t i = 0; i < thread->frame_count; i++)
        if (thread->frames[i].function && strcmp(thread->frames[i].function, function) == 0)
            return &thread->frames[i];
    return NULL;
}

static inline const struct stack_frame *frame_in(const struct stack_process *process, const char *function)
{
    const struct stack_frame *found = NULL;

    for (uint32_t i = 0; !found && i < process->thread_count; i++)
        found = frame_of(&process->threads[i], function);
    return found;
}

static inline void print_stacks(const struct stacks *stacks)
{
    print_message("stacks: %s\n", stacks->why_not ? stacks->why_not : "");
    for (uint32_t i = 0; i < stacks->process_count; i++) {
        const struct stack_process *process = &stacks->processes[i];

        print_message("process %d %s\n", process->id.pid, process->why_not ? process->why_not : "");
        for (uint32_t j = 0; j < process->thread_count; j++) {
            const struct stack_thread *thread = &process->threads[j];

            print_message(" thread %d %s %s\n", thread->tid, thread->why_not ? thread->why_not : "",
                          thread->cut ? thread->cut : "");
            for (uint32_t k = 0; k < thread->frame_count; k++)
                print_message("  %s %s:%u %s\n", thread->frames[k].function, thread->frames[k].file,
                              thread->frames[k].line, thread->frames[k].module);
        }
    }
}

/* A thread of it that is there: by its state, when it sleeps. */
static inline bool sleeps(pid_t pid)
{
    struct proc_stat stat;

    return proc_stat_read(pid, &stat) == 0 && stat.state == 'S';
}

static inline void await_sleep(pid_t pid)
{
    nanos until = clock_now() + PATIENCE;

    while (!sleeps(pid) && clock_now() < until)
        sched_yield();
}

static inline void await_state(pid_t pid, char state)
{
    nanos until = clock_now() + PATIENCE;
    struct proc_stat stat = {0};

    while (proc_stat_read(pid, &stat) == 0 && stat.state != state && clock_now() < until)
        sched_yield();
    if (stat.state != state)
        fail_msg("%d is in state '%c', not '%c'", pid, stat.state, state);
}

#endif
