/* All that is known of one process. */
#include "runner/diagnose/telling.h"

#include <string.h>

#define LISTED_MOST 16 /* numbers of those that have the same stack */

/* ---- threads ---- */

static const char *module_name(struct telling *t, const struct stack_frame *frame)
{
    const char *slash = strrchr(frame->module, '/');

    return say_safe(t, slash ? slash + 1 : frame->module, TELL_PLACE_MOST);
}

/* What is needed to find lines later, of each module once. */
static const char *build_id_words(struct telling *t, const struct stack_thread *stack, uint32_t at)
{
    const struct stack_frame *frame = &stack->frames[at];

    for (uint32_t i = 0; i < at && frame->build_id; i++)
        if (stack->frames[i].build_id && strcmp(stack->frames[i].build_id, frame->build_id) == 0 &&
            !stack->frames[i].file)
            return "";
    return frame->build_id
               ? arena_printf(t->arena, ", build-id %s", say_safe(t, frame->build_id, TELL_NAME_MOST))
               : "";
}

static const char *frame_words(struct telling *t, const struct stack_thread *stack, uint32_t at)
{
    const struct stack_frame *frame = &stack->frames[at];
    struct arena *arena = t->arena;
    const char *function = frame->function ? say_safe(t, place_function(frame), TELL_TEXT_MOST) : NULL;

    if (function && frame->file)
        return arena_printf(arena, "%s at %s:%u%s%s%s%s", function, say_safe(t, frame->file, TELL_TEXT_MOST),
                            frame->line, frame->inlined ? ", inlined" : "",
                            frame->module && !frame->inlined ? " (" : "",
                            frame->module && !frame->inlined ? module_name(t, frame) : "",
                            frame->module && !frame->inlined ? ")" : "");
    if (!frame->module)
        return arena_printf(arena, "%s%s0x%llx", function ? function : "", function ? " at " : "",
                            (unsigned long long)frame->pc);
    return arena_printf(arena, "%s%s%s+0x%llx%s", function ? function : "", function ? " of " : "",
                        say_safe(t, frame->module, TELL_TEXT_MOST), (unsigned long long)frame->offset,
                        build_id_words(t, stack, at));
}

/* Up to what a C test is called by: the rest is librunmatrix, and the same in all of them. */
static uint32_t own_frames(const struct stack_thread *stack)
{
    for (uint32_t i = 0; i < stack->frame_count; i++)
        if (place_is_caller(&stack->frames[i]))
            return i + 1;
    return stack->frame_count;
}

static void write_frames(struct telling *t, const struct stack_thread *stack)
{
    uint32_t own = own_frames(stack);

    for (uint32_t i = 0; i < own && !t->cut; i++) {
        say_line(t, "      #%-2u %s", i, frame_words(t, stack, i));
        if (stack->frames[i].interrupted)
            say_line(t, "          a signal came here");
    }
    if (own < stack->frame_count)
        say_line(t, "      called by librunmatrix, %u more", stack->frame_count - own);
    else if (stack->cut)
        say_line(t, "      it ends here: %s", say_safe(t, stack->cut, TELL_TEXT_MOST));
}

/* Told once for all that have it, in the place of the first. */
static void write_stack(struct telling *t, const struct dump_thread *thread, const struct fold_stack *stack)
{
    const char *numbers = "";

    if (stack->threads[0] != thread) {
        say_line(t, "      the stack of %s, thread %d", say_process(t, stack->processes[0]),
                 (int)stack->threads[0]->tid);
        return;
    }
    for (uint32_t i = 1; i < stack->count && i <= LISTED_MOST; i++)
        numbers = arena_printf(t->arena, "%s%s%d", numbers, i > 1 ? " " : "", (int)stack->threads[i]->tid);
    if (stack->count > 1)
        say_line(t, "      x %u: also of %s%s", stack->count, numbers,
                 stack->count > LISTED_MOST + 1 ? " and more" : "");
    write_frames(t, stack->stack);
}

static void write_thread_facts(struct telling *t, const struct dump_process *p,
                               const struct dump_thread *thread)
{
    const struct dump_call *call = &thread->call;

    say_line(t, "  thread %d %s, %c: %s", (int)thread->tid, say_name(t, thread->name),
             thread->state ? thread->state : '?', does_thread(t, p, thread));
    if (call->words || thread->wchan)
        say_line(t, "      in the kernel: %s%s%s",
                 call->words ? say_safe(t, call->words, TELL_TEXT_MOST) : "",
                 call->words && thread->wchan ? ", at " : "",
                 thread->wchan ? say_safe(t, thread->wchan, TELL_NAME_MOST) : "");
    if (thread->share >= 0.005)
        say_line(t, "      computes: %.0f%% of a processor", thread->share * 100);
    if (thread->blocked || thread->pending)
        say_line(t, "      signals: blocked %s; pending %s", say_signals(t, thread->blocked),
                 say_signals(t, thread->pending));
}

static void write_threads(struct telling *t, const struct dump_process *p, const struct fold_stacks *stacks,
                          uint32_t number)
{
    for (uint32_t i = 0; i < p->thread_count && !t->cut; i++, number++) {
        const struct dump_thread *thread = &p->threads[i];

        write_thread_facts(t, p, thread);
        if (stacks->of[number] != UINT32_MAX)
            write_stack(t, thread, &stacks->list[stacks->of[number]]);
        else if (thread->stack && thread->stack->why_not)
            say_line(t, "      no stack: %s", say_safe(t, thread->stack->why_not, TELL_TEXT_MOST));
    }
    if (p->threads_more)
        say_line(t, "  and %u more, which did not find room", p->threads_more);
}

/* ---- the rest ---- */

static void write_text_field(struct telling *t, const char *name, const char *text)
{
    if (text)
        say_line(t, "  %s: %s", name, say_safe(t, text, TELL_TEXT_MOST));
}

static const char *parent_words(struct telling *t, const struct dump_process *p)
{
    if (p->parent != DUMP_NOBODY)
        return say_process(t, p->parent);
    return arena_printf(t->arena, "%d", (int)p->ppid);
}

static void write_identity(struct telling *t, const struct dump_process *p)
{
    write_text_field(t, "command", p->command);
    write_text_field(t, "program", p->program);
    write_text_field(t, "folder", p->cwd);
    write_text_field(t, "control group", p->cgroup);
    say_line(t, "  parent %s, group %d, session %d, user %u%s%s%s", parent_words(t, p), (int)p->pgrp,
             (int)p->session, p->uid, p->terminal ? ", with a terminal" : "", p->frozen ? ", frozen" : "",
             p->tracer ? arena_printf(t->arena, ", traced by %d", (int)p->tracer) : "");
    say_line(t, "  used %llu ms, %llu ms of that in the kernel; %s resident; now %.0f%% of a processor%s",
             (unsigned long long)(p->user_ms + p->system_ms), (unsigned long long)p->system_ms,
             say_bytes(t, p->resident), p->share * 100, p->runaway ? ", and never sleeps" : "");
    if (p->pending || p->ignored || p->caught)
        say_line(t, "  signals: pending %s; ignored %s; caught %s", say_signals(t, p->pending),
                 say_signals(t, p->ignored), say_signals(t, p->caught));
}

static void write_limits(struct telling *t, const struct dump_process *p)
{
    for (uint32_t i = 0; i < p->limit_count; i++) {
        const struct dump_limit *limit = &p->limits[i];

        say_line(t, "  limit of %s: %s%s%s", say_safe(t, limit->name, TELL_NAME_MOST),
                 say_safe(t, limit->soft, TELL_NAME_MOST), limit->used ? ", used " : "",
                 limit->used ? say_safe(t, limit->used, TELL_NAME_MOST) : "");
    }
}

static const char *range_words(struct telling *t, const struct dump_lock *lock)
{
    if (lock->from == 0 && lock->to == UINT64_MAX)
        return "";
    if (lock->to == UINT64_MAX)
        return arena_printf(t->arena, ", from byte %llu on", (unsigned long long)lock->from);
    return arena_printf(t->arena, ", bytes %llu to %llu", (unsigned long long)lock->from,
                        (unsigned long long)lock->to);
}

static void write_locks(struct telling *t, const struct dump_process *p)
{
    for (uint32_t i = 0; i < p->lock_count; i++) {
        const struct dump_lock *lock = &p->locks[i];

        say_line(t, "  %s %s lock (%s) of %s%s%s", lock->waits ? "waits for" : "holds",
                 lock->writes ? "an exclusive" : "a shared", say_safe(t, lock->kind, TELL_NAME_MOST),
                 lock->path ? say_safe(t, lock->path, TELL_TEXT_MOST)
                            : arena_printf(t->arena, "inode %llu", (unsigned long long)lock->inode),
                 range_words(t, lock),
                 lock->waits && lock->holder > 0
                     ? arena_printf(t->arena, ", which %d holds", (int)lock->holder)
                     : "");
    }
}

static void write_runtime(struct telling *t, const struct dump_process *p)
{
    if (p->runtime != RUNTIME_NONE && p->runtime_why_not)
        say_line(t, "  %s says nothing: %s", dump_runtime_words[p->runtime],
                 say_safe(t, p->runtime_why_not, TELL_TEXT_MOST));
    if (!p->runtime_says)
        return;
    say_line(t, "  %s says:", dump_runtime_words[p->runtime]);
    say_lines(t, "    | ", str_of(p->runtime_says));
}

void text_process(struct telling *t, uint32_t process, const struct fold_stacks *stacks,
                  uint32_t first_thread)
{
    const struct dump_process *p = &t->dump->processes[process];

    say_line(t, "%s", "");
    say_line(t, "process %s%s%s, %c: %s; %s old", say_process(t, process), p->role ? ", " : "",
             p->role ? say_name(t, p->role) : "", p->state ? p->state : '?', say_state(p->state),
             say_span(t, p->age));
    write_identity(t, p);
    write_limits(t, p);
    write_locks(t, p);
    write_text_field(t, "no stacks", p->why_no_stacks);
    write_runtime(t, p);
    write_threads(t, p, stacks, first_thread);
    text_fds(t, p);
    write_text_field(t, "could not be read", p->unread);
}
