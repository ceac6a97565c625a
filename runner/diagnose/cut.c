/* What runtimes have answered is in the dump: in the output it would be taken for the program's own. */
#include "runner/diagnose/diagnose.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)

static int by_begin(const void *left, const void *right)
{
    const struct dump_answer *a = left, *b = right;

    return a->from < b->from ? -1 : a->from > b->from;
}

static size_t collect(const struct dump_answers *answers, size_t output, struct dump_answer *out)
{
    size_t count = 0;

    for (uint32_t i = 0; i < answers->count; i++)
        if (answers->list[i].output == output && answers->list[i].from < answers->list[i].to)
            out[count++] = answers->list[i];
    qsort(out, count, sizeof *out, by_begin);
    return count;
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

static int cut(int fd, const struct dump_answer *list, size_t count)
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

int dump_answers_cut(int fd, const struct dump_answers *answers, size_t output)
{
    struct dump_answer list[ARRAY_LEN(answers->list)];
    size_t count = collect(answers, output, list);
    char path[64];
    int own, done;

    if (!count)
        return 0;
    /* Opened once more: what appends cannot be written to in the middle. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = open(path, O_RDWR | O_CLOEXEC);
    if (own < 0)
        return -1;
    done = cut(own, list, count);
    fd_close(&own);
    return done;
}
