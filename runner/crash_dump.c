#include "runner/crash.h"

#include "runner/session.h"

#include <string.h>
#include <unistd.h>

static const char *basename_of(struct arena *arena, const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;

    return path ? arena_cstr(arena, str_of(slash ? slash + 1 : path)) : "";
}

/* Whoever is started by a shell is in its place by then: the program is what has a `main` on its stack. */
static const char *name_of(struct arena *arena, const struct slot *slot, const struct stack_process *process)
{
    const struct stack_thread *first = process->threads;

    if (slot->recipe.spec.test)
        return arena_cstr(arena, str_of(slot->recipe.spec.test));
    for (uint32_t i = 0; process->thread_count && i < first->frame_count; i++)
        if (first->frames[i].function && strcmp(first->frames[i].function, "main") == 0)
            return basename_of(arena, first->frames[i].module);
    return basename_of(arena, slot->recipe.spec.path);
}

static uint64_t ms_of(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static void add_threads(struct dump_process *process, struct arena *arena, const struct stack_process *from)
{
    struct dump_thread *threads = ARENA_ARRAY(arena, struct dump_thread, from->thread_count);

    for (uint32_t i = 0; i < from->thread_count; i++)
        threads[i] = (struct dump_thread){
            .tid = from->threads[i].tid,
            .name = process->name,
            .state = 'X',
            .call = {.number = -1},
            .stack = &from->threads[i],
        };
    process->threads = threads;
    process->thread_count = from->thread_count;
    process->threads_more = from->threads_more;
}

void crash_dump(struct dump *dump, struct arena *arena, const struct slot *slot, const struct stacks *stacks,
                const char *reason, nanos took)
{
    const struct watch_ending *ending = &slot->ending;
    struct dump_process *process = ARENA_NEW(arena, struct dump_process);

    *process = (struct dump_process){
        .id = stacks->processes[0].id,
        .ppid = getpid(),
        .pgrp = slot->recipe.spec.session ? slot->pid : 0,
        .session = slot->recipe.spec.session ? slot->pid : 0,
        .parent = DUMP_NOBODY,
        .state = 'X',
        .role = "case",
        .name = name_of(arena, slot, &stacks->processes[0]),
        .uid = getuid(),
        .user_ms = ms_of(ending->usage.ru_utime),
        .system_ms = ms_of(ending->usage.ru_stime),
        .resident = (uint64_t)ending->usage.ru_maxrss << 10,
        .age = ending->ended - (ending->executed ? ending->executed : ending->started),
        .unread = "all but its stacks: it is dead",
    };
    add_threads(process, arena, &stacks->processes[0]);
    *dump = (struct dump){
        .title = arena_printf(arena, "%.*s, attempt %u", STR_ARG(slot->recipe.id), slot->subject->attempt),
        .reason = reason,
        .at = clock_wall(),
        .took = took,
        .processes = process,
        .process_count = 1,
    };
}
