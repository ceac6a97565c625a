/* What runtimes have answered is in the dump: in the output it would be taken for the program's own. */
#include "runner/diagnose/runtime.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)

#define PIECES_MOST 64u /* of an output, in which late words are looked for */

struct ranges {
    struct range {
        uint64_t from, to;
    } * list; /* malloced */
    size_t count, cap;
};

static void add_range(struct ranges *ranges, uint64_t from, uint64_t to)
{
    if (from >= to)
        return;
    GROW(ranges->list, ranges->count, ranges->cap);
    ranges->list[ranges->count++] = (struct range){from, to};
}

/* ---- what has come after the dump was made ---- */

static void read_piece(int fd, uint64_t from, struct buf *text)
{
    ssize_t got;

    buf_clear(text);
    buf_reserve(text, RUNTIME_ANSWER_MOST);
    while (text->len < RUNTIME_ANSWER_MOST) {
        got = pread(fd, text->ptr + text->len, RUNTIME_ANSWER_MOST - text->len, (off_t)(from + text->len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        text->len += (size_t)got;
    }
    text->ptr[text->len] = '\0';
}

/* One answer; where its end is missing, what there is of it. */
static void find_answer(int fd, uint64_t from, find_printed *find, struct buf *text, struct ranges *ranges)
{
    struct printed printed;

    read_piece(fd, from, text);
    if (find(buf_str(text), &printed))
        add_range(ranges, from + printed.from, from + printed.to);
}

/* Lines anywhere. A piece ends with its last whole one. */
static void find_lines(int fd, uint64_t from, struct buf *text, struct ranges *ranges)
{
    const char *last = NULL;

    for (unsigned pieces = 0; pieces < PIECES_MOST; pieces++, from += (uint64_t)(last + 1 - text->ptr)) {
        struct printed printed;

        read_piece(fd, from, text);
        for (size_t at = 0; printed_by_node(buf_str(text), at, &printed); at = printed.to)
            add_range(ranges, from + printed.from, from + printed.to);
        last = text->len == RUNTIME_ANSWER_MOST ? memrchr(text->ptr, '\n', text->len) : NULL;
        if (!last)
            return;
    }
}

static void find_ranges(int fd, const struct dump_answer *answer, struct ranges *ranges)
{
    struct buf text = {0};

    switch (answer->late) {
    case RUNTIME_JVM: find_answer(fd, answer->from, printed_by_jvm, &text, ranges); break;
    case RUNTIME_GO: find_answer(fd, answer->from, printed_by_go, &text, ranges); break;
    case RUNTIME_NODE: find_lines(fd, answer->from, &text, ranges); break;
    default: add_range(ranges, answer->from, answer->to); break;
    }
    buf_release(&text);
}

/* ---- cutting ---- */

static int by_begin(const void *left, const void *right)
{
    const struct range *a = left, *b = right;

    return a->from < b->from ? -1 : a->from > b->from;
}

/* Moves what is from `from` up to `end` down to `*to`. */
static int move_down(int fd, uint64_t from, uint64_t end, uint64_t *to)
{
    char piece[PIECE];

    while (from < end) {
        size_t most = end - from < sizeof piece ? (size_t)(end - from) : sizeof piece;
        ssize_t got = pread(fd, piece, most, (off_t)from);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got < 0 ? -1 : 0;
        for (ssize_t at = 0, put; at < got; at += put) {
            put = pwrite(fd, piece + at, (size_t)(got - at), (off_t)*to);
            if (put < 0 && errno != EINTR)
                return -1;
            put = put < 0 ? 0 : put;
            *to += (uint64_t)put;
        }
        from += (uint64_t)got;
    }
    return 0;
}

static int cut(int fd, const struct range *list, size_t count)
{
    struct stat st;
    uint64_t size, to = list[0].from, from = list[0].from;

    if (fstat(fd, &st) < 0)
        return -1;
    size = (uint64_t)st.st_size;
    for (size_t i = 0; i < count && from < size; i++) {
        uint64_t next = i + 1 < count ? list[i + 1].from : size;

        if (list[i].to > from)
            from = list[i].to;
        if (next > from && move_down(fd, from, next < size ? next : size, &to) < 0)
            return -1;
        if (next > from)
            from = next;
    }
    return to < size ? ftruncate(fd, (off_t)to) : 0;
}

/* Opened once more: what appends cannot be written to in the middle. */
static int open_again(int fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_RDWR | O_CLOEXEC);
}

int dump_answers_cut(int fd, const struct dump_answers *answers, size_t output)
{
    struct ranges ranges = {0};
    int own, done = 0;

    for (uint32_t i = 0; i < answers->count; i++)
        if (answers->list[i].output == output)
            find_ranges(fd, &answers->list[i], &ranges);
    if (ranges.count) {
        qsort(ranges.list, ranges.count, sizeof *ranges.list, by_begin);
        own = open_again(fd);
        done = own < 0 ? -1 : cut(own, ranges.list, ranges.count);
        fd_close(&own);
    }
    free(ranges.list);
    return done;
}
