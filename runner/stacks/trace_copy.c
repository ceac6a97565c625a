#include "runner/stacks/tracing.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define RED_ZONE   128u                /* below sp, and in use */
#define PAGES_MOST 256u                /* of one stack */
#define PAGE_THERE (UINT64_C(3) << 62) /* in memory, or swapped out */
#define HOME_MOST  ((size_t)128 << 10) /* of the stack that a thread has left for another one */

struct range {
    uint64_t start, end;
    bool first_stack; /* that of the first thread */
};

struct ranges {
    struct range *list;
    size_t count, cap;
};

struct copying {
    struct tracing *tracing;
    const struct traced *traced;
    struct ranges ranges;
    int pagemap; /* -1: it is not to be had */
};

/* ---- writing ---- */

static void put(const struct tracing *tracing, enum copy_kind kind, struct str first, struct str second)
{
    struct copy_record record = {kind, (uint32_t)(first.len + second.len)};

    /* A full memory shows as a copy that ends too early. */
    if (fd_write_all(tracing->copy, &record, sizeof record) == 0 &&
        fd_write_all(tracing->copy, first.ptr, first.len) == 0)
        fd_write_all(tracing->copy, second.ptr, second.len);
}

#define OF(object)                                            \
    (struct str)                                              \
    {                                                         \
        (const char *)(const void *)&(object), sizeof(object) \
    }

static void put_text(const struct tracing *tracing, enum copy_kind kind, const char *text)
{
    put(tracing, kind, str_of(text), (struct str){0});
}

/* ---- maps ---- */

static bool read_maps(struct copying *c, struct buf *maps)
{
    const struct traced *traced = c->traced;

    for (size_t i = 0; i < traced->count; i++) {
        char path[64];

        /* The first thread may have ended before the others: it has none any more. */
        if (traced->threads[i].state != TRACED_STANDS && traced->threads[i].state != TRACED_DEAF)
            continue;
        snprintf(path, sizeof path, "task/%ld/maps", (long)traced->threads[i].tid);
        buf_clear(maps);
        file_read_at(traced->folder, path, maps, COPY_TEXT_MOST);
        if (maps->len > COPY_TEXT_MOST)
            maps->len = COPY_TEXT_MOST;
        while (maps->len && maps->ptr[maps->len - 1] != '\n')
            maps->len--;
        if (!maps->len)
            continue;
        snprintf(path, sizeof path, "task/%ld/pagemap", (long)traced->threads[i].tid);
        c->pagemap = openat(traced->folder, path, O_RDONLY | O_CLOEXEC);
        return true;
    }
    return false;
}

static void parse_maps(struct str maps, struct ranges *ranges)
{
    while (maps.len) {
        const char *end = memchr(maps.ptr, '\n', maps.len);
        struct str line = str_slice(maps, 0, end ? (size_t)(end - maps.ptr) : maps.len);
        struct range range = {0};
        char *at;

        range.start = strtoull(line.ptr, &at, 16);
        range.end = *at == '-' ? strtoull(at + 1, NULL, 16) : 0;
        range.first_stack = str_ends(line, "[stack]");
        GROW(ranges->list, ranges->count, ranges->cap);
        ranges->list[ranges->count++] = range;
        maps = str_slice(maps, line.len + (end != NULL), maps.len);
    }
}

static const struct range *range_of(const struct ranges *ranges, uint64_t address)
{
    for (size_t i = 0; i < ranges->count; i++)
        if (address >= ranges->list[i].start && address < ranges->list[i].end)
            return &ranges->list[i];
    return NULL;
}

/* ---- stacks ---- */

static void copy_run(struct tracing *tracing, pid_t tid, uint64_t from, uint64_t to)
{
    size_t left = STACKS_COPY_MOST - tracing->bytes, size = to > from ? (size_t)(to - from) : 0;
    struct iovec there, here;
    ssize_t got;

    size = size < STACK_COPY_MOST ? size : STACK_COPY_MOST;
    size = size < left ? size : left;
    buf_clear(&tracing->room);
    buf_reserve(&tracing->room, STACK_COPY_MOST);
    there = (struct iovec){(void *)(uintptr_t)from, size};
    here = (struct iovec){tracing->room.ptr, size};
    got = size ? process_vm_readv(tid, &here, 1, &there, 1, 0) : 0;
    if (got <= 0)
        return;
    tracing->bytes += (size_t)got;
    put(tracing, COPY_MEMORY, OF(from), (struct str){tracing->room.ptr, (size_t)got});
}

/*
 * Pages that are not there may be somebody's to bring (userfaultfd), who stands still because of us: then we would wait for
 * each other. Nothing was ever written to them, as far as anybody can know.
 */
static void copy_memory(const struct copying *c, pid_t tid, uint64_t from, uint64_t to)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), first = from / page, entries[PAGES_MOST], start = 0;
    size_t count = (size_t)((to + page - 1) / page - first);
    ssize_t got;

    count = count < PAGES_MOST ? count : PAGES_MOST;
    got = c->pagemap < 0
              ? -1
              : pread(c->pagemap, entries, count * sizeof *entries, (off_t)(first * sizeof *entries));
    if (got < 0) {
        copy_run(c->tracing, tid, from, to);
        return;
    }
    count = (size_t)got / sizeof *entries;
    for (size_t i = 0; i <= count; i++) {
        bool there = i < count && entries[i] & PAGE_THERE;
        uint64_t at = i ? (first + i) * page : from;

        if (there && !start)
            start = at;
        if (!there && start) {
            copy_run(c->tracing, tid, start, at < to ? at : to);
            start = 0;
        }
    }
}

#if defined(__x86_64__)
#define STACK_POINTER(registers)  ((registers).rsp)
#define THREAD_POINTER(registers) ((registers).fs_base)
#elif defined(__aarch64__)
#define STACK_POINTER(registers)  ((registers).sp)
#define THREAD_POINTER(registers) UINT64_C(0) /* not among them */
#endif

/*
 * Who runs a handler on a stack of its own, or a coroutine, has left the stack that it began on: its upper end is
 * copied too. That is where the block of a thread is, which the C library puts on top of it.
 */
static const struct range *home_of(const struct ranges *ranges, const struct traced *traced,
                                   const struct traced_thread *thread)
{
    if (thread->tid != traced->id.pid)
        return range_of(ranges, THREAD_POINTER(thread->registers));
    for (size_t i = 0; i < ranges->count; i++)
        if (ranges->list[i].first_stack)
            return &ranges->list[i];
    return NULL;
}

static void copy_stacks(const struct copying *c, const struct traced_thread *thread)
{
    uint64_t sp = STACK_POINTER(thread->registers), from = sp > RED_ZONE ? sp - RED_ZONE : 0;
    const struct range *stack = range_of(&c->ranges, sp), *home = home_of(&c->ranges, c->traced, thread);

    if (!stack) {
        copy_memory(c, thread->tid, from, sp + HOME_MOST); /* maps were cut; up to where there is nothing */
        return;
    }
    copy_memory(c, thread->tid, from < stack->start ? stack->start : from, stack->end);
    if (home && home != stack)
        copy_memory(c, thread->tid, home->end - home->start > HOME_MOST ? home->end - HOME_MOST : home->start,
                    home->end);
}

/* It was not stopped, and may have gone on while it was copied. */
static bool has_moved(const struct copying *c, const struct traced_thread *thread)
{
    struct user_regs_struct now;

    return !registers_of_call(c->traced, thread->tid, &now) ||
           memcmp(&now, &thread->registers, sizeof now) != 0;
}

static void copy_thread(const struct copying *c, const struct traced_thread *thread)
{
    struct copy_thread head = {.tid = thread->tid, .registers = thread->registers};

    put(c->tracing, COPY_THREAD, OF(head), (struct str){0});
    if (thread->why_not)
        put_text(c->tracing, COPY_WHY_NOT, thread->why_not);
    else
        copy_stacks(c, thread);
    if (thread->state == TRACED_DEAF && has_moved(c, thread))
        put_text(c->tracing, COPY_WHY_NOT,
                 "it waited in the kernel, where it cannot be stopped, and went on");
}

void copy_process(struct tracing *tracing, const struct traced *traced)
{
    struct copy_process head = {.pid = traced->id.pid, .start_ticks = traced->id.start_ticks};
    struct copying copying = {.tracing = tracing, .traced = traced, .pagemap = -1};
    struct buf maps = {0};

    put(tracing, COPY_PROCESS, OF(head), (struct str){0});
    if (*traced->why_not)
        put_text(tracing, COPY_WHY_NOT, traced->why_not);
    else if (!traced->count)
        put_text(tracing, COPY_WHY_NOT, "it is gone");
    if (read_maps(&copying, &maps)) {
        put(tracing, COPY_MAPS, buf_str(&maps), (struct str){0});
        parse_maps(buf_str(&maps), &copying.ranges);
    }
    for (size_t i = 0; !*traced->why_not && i < traced->count; i++)
        copy_thread(&copying, &traced->threads[i]);
    if (traced->more)
        put(tracing, COPY_MORE, OF(traced->more), (struct str){0});
    free(copying.ranges.list);
    fd_close(&copying.pagemap);
    buf_release(&maps);
}
