#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not mapped: a live writer may take half a line back, and reading on would be a SIGBUS. */
#define BUFFER ((size_t)256 << 10)

bool lines_open(struct lines *lines, int folder)
{
    int fd = openat(folder, JOURNAL_NAME, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    *lines = (struct lines){.fd = fd};
    if (fd >= 0)
        lines->bytes = mem_alloc(BUFFER);
    return fd >= 0;
}

void lines_close(struct lines *lines)
{
    fd_close(&lines->fd);
    free(lines->bytes);
    lines->bytes = NULL;
}

/* More behind what is there; false at the end. */
static bool fill(struct lines *lines)
{
    ssize_t got;

    if (lines->end - lines->at >= JOURNAL_RECORD_MOST) {
        lines->passed += lines->end - lines->at;
        lines->at = lines->end;
        lines->skipping = true;
    }
    memmove(lines->bytes, lines->bytes + lines->at, lines->end - lines->at);
    lines->end -= lines->at;
    lines->at = 0;
    do
        got = read(lines->fd, lines->bytes + lines->end, BUFFER - lines->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        lines->error = errno;
    if (got <= 0) {
        if (lines->end > 0 || lines->skipping)
            lines->torn++;
        return false;
    }
    lines->end += (size_t)got;
    return true;
}

bool lines_next(struct lines *lines, struct str *line)
{
    for (;;) {
        const char *from = lines->bytes + lines->at;
        const char *newline = memchr(from, '\n', lines->end - lines->at);

        if (!newline) {
            if (!fill(lines))
                return false;
            continue;
        }
        *line = (struct str){from, (size_t)(newline - from)};
        lines->at += line->len + 1;
        lines->passed += line->len + 1;
        if (!lines->skipping && line->len < JOURNAL_RECORD_MOST)
            return true;
        lines->skipping = false;
        lines->torn++;
    }
}
