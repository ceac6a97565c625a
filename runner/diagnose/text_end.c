/* What a process does that somebody else waits for: of several threads the one that it depends on, as far as that shows. */
#include "runner/diagnose/telling.h"

#include <string.h>

static bool is_at(const struct dump_thread *thread, int fd)
{
    for (uint32_t i = 0; i < thread->call.fd_count; i++)
        if (thread->call.fds[i] == fd)
            return true;
    return false;
}

static bool waits_for_lock(const struct dump_thread *thread)
{
    const char *primitive = place_primitive(thread);

    return thread->call.wait == DUMP_WAITS_LOCK || (primitive && strstr(primitive, "mutex")) ||
           (primitive && strstr(primitive, "lock"));
}

static bool all_alike(const struct dump_process *p)
{
    for (uint32_t i = 1; i < p->thread_count; i++)
        if (does_key(HASH_START, p, &p->threads[i]) != does_key(HASH_START, p, &p->threads[0]))
            return false;
    return true;
}

/* One that is at that descriptor; else one that waits for a lock. NULL: none does. */
static const struct dump_thread *concerned(const struct dump_process *p, int fd)
{
    const struct dump_thread *found = NULL;

    for (uint32_t i = 0; i < p->thread_count; i++)
        if (is_at(&p->threads[i], fd))
            return &p->threads[i];
    for (uint32_t i = 0; p->runtime == RUNTIME_NONE && i < p->thread_count && !found; i++)
        if (waits_for_lock(&p->threads[i]))
            found = &p->threads[i];
    return found;
}

/* Of the threads that a runtime tells of one beside the first: that waits for others to come, most often. */
static bool said_beside(const struct dump_process *p, struct runtime_place *place, uint32_t *count)
{
    struct runtime_place first, one;
    struct runtime_reader r;
    bool found = false;

    *count = 0;
    if (!p->runtime_says || !runtime_place(p, &first))
        return false;
    runtime_begin(&r, p);
    while (runtime_next(&r, &one)) {
        ++*count;
        if (!found && !one.main &&
            (one.line != first.line || !str_eq(one.file, first.file) ||
             !str_eq(one.function, first.function))) {
            *place = one;
            found = true;
        }
    }
    return found;
}

/* The first beside the first of all that stands somewhere. */
static const struct dump_thread *beside(const struct dump_process *p)
{
    for (uint32_t i = 1; i < p->thread_count; i++)
        if (place_of(&p->threads[i]))
            return &p->threads[i];
    return &p->threads[0];
}

const char *does_at_fd(struct telling *t, const struct dump_process *p, int fd)
{
    const struct dump_thread *thread = p->thread_count > 1 ? concerned(p, fd) : NULL;
    struct runtime_place place;
    uint32_t count;

    if (p->thread_count < 2 || p->state == 'Z')
        return does_process(t, p);
    if (thread)
        return thread == p->threads ? does_process(t, p) : does_thread(t, p, thread);
    if (said_beside(p, &place, &count))
        return arena_printf(t->arena, "one of its %u threads, e.g. %s", count, does_said(t, &place));
    if (p->runtime != RUNTIME_NONE || all_alike(p))
        return does_process(t, p);
    return arena_printf(t->arena, "one of its %u threads, e.g. %s", p->thread_count + p->threads_more,
                        does_thread(t, p, beside(p)));
}
