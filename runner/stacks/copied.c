#include "runner/stacks/copied.h"

#include <string.h>

#define WHY_NOT_MOST ((size_t)300)

struct reading {
    struct copied *out;
    struct arena *arena;
    struct str rest;
    bool counts; /* the first of two ways through it: how much room there has to be */
};

static bool next(struct reading *r, uint32_t *kind, struct str *content)
{
    struct copy_record record;

    if (r->rest.len < sizeof record)
        return false;
    memcpy(&record, r->rest.ptr, sizeof record);
    if (record.length > r->rest.len - sizeof record)
        return false;
    *kind = record.kind;
    *content = (struct str){r->rest.ptr + sizeof record, record.length};
    r->rest = str_slice(r->rest, sizeof record + record.length, r->rest.len);
    return true;
}

static struct copied_process *last_process(const struct reading *r)
{
    return r->out->process_count && !r->counts ? &r->out->processes[r->out->process_count - 1] : NULL;
}

static struct copied_thread *last_thread(const struct reading *r)
{
    const struct copied_process *process = last_process(r);

    return process && process->thread_count ? &r->out->threads[r->out->thread_count - 1] : NULL;
}

static void take_process(struct reading *r, struct str content)
{
    struct copy_process process;

    if (content.len != sizeof process || r->out->process_count == COPIED_PROCESSES_MOST)
        return;
    memcpy(&process, content.ptr, sizeof process);
    if (!r->counts)
        r->out->processes[r->out->process_count] = (struct copied_process){
            .id = {process.pid, process.start_ticks}, .thread_first = r->out->thread_count};
    r->out->process_count++;
}

static void take_thread(struct reading *r, struct str content)
{
    struct copied_process *process = last_process(r);
    struct copy_thread thread;

    if (content.len != sizeof thread || !r->out->process_count)
        return;
    if (r->out->thread_count == STACK_THREADS_MOST) {
        if (process)
            process->threads_more++;
        return;
    }
    memcpy(&thread, content.ptr, sizeof thread);
    if (process) {
        r->out->threads[r->out->thread_count] = (struct copied_thread){
            .tid = thread.tid, .registers = thread.registers, .memory_first = r->out->memory_count};
        process->thread_count++;
    }
    r->out->thread_count++;
}

static void take_memory(struct reading *r, struct str content)
{
    struct copied_thread *thread = last_thread(r);
    struct copied_memory *memory;

    if (content.len < sizeof memory->address || (!r->counts && !thread))
        return;
    if (thread) {
        memory = &r->out->memories[r->out->memory_count];
        memcpy(&memory->address, content.ptr, sizeof memory->address);
        memory->bytes = str_slice(content, sizeof memory->address, content.len);
        thread->memory_count++;
    }
    r->out->memory_count++;
}

static void take_why_not(struct reading *r, struct str content)
{
    struct copied_process *process = last_process(r);
    struct copied_thread *thread = last_thread(r);
    size_t len = content.len < WHY_NOT_MOST ? content.len : WHY_NOT_MOST;
    const char *why = process ? arena_cstr(r->arena, str_slice(content, 0, len)) : NULL;

    if (thread)
        thread->why_not = why;
    else if (process)
        process->why_not = why;
}

static void take_more(struct reading *r, struct str content)
{
    struct copied_process *process = last_process(r);

    if (process && content.len == sizeof process->threads_more)
        memcpy(&process->threads_more, content.ptr, sizeof process->threads_more);
}

static void read_records(struct reading *r, struct str bytes)
{
    struct str content;
    uint32_t kind;

    r->out->process_count = r->out->thread_count = r->out->memory_count = 0;
    r->rest = str_slice(bytes, sizeof COPY_MAGIC, bytes.len);
    while (next(r, &kind, &content))
        switch (kind) {
        case COPY_PROCESS: take_process(r, content); break;
        case COPY_MAPS:
            if (last_process(r))
                last_process(r)->maps = content;
            break;
        case COPY_THREAD: take_thread(r, content); break;
        case COPY_MEMORY: take_memory(r, content); break;
        case COPY_WHY_NOT: take_why_not(r, content); break;
        case COPY_MORE: take_more(r, content); break;
        default: break; /* of a later one */
        }
}

bool copied_read(struct copied *out, struct arena *arena, struct str bytes)
{
    struct reading r = {.out = out, .arena = arena, .counts = true};

    *out = (struct copied){0};
    if (bytes.len < sizeof COPY_MAGIC || memcmp(bytes.ptr, COPY_MAGIC, sizeof COPY_MAGIC) != 0)
        return false;
    read_records(&r, bytes);
    out->processes = ARENA_ARRAY(arena, struct copied_process, out->process_count);
    out->threads = ARENA_ARRAY(arena, struct copied_thread, out->thread_count);
    out->memories = ARENA_ARRAY(arena, struct copied_memory, out->memory_count);
    r.counts = false;
    read_records(&r, bytes);
    return true;
}
