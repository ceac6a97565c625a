/* The file: opened without waiting for anybody, read within limits. */
#include "runner/said/internal.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the file ---- */

/*
 * Neither a FIFO, nor a lease that somebody holds on it, nor a link to where we would have to wait, may keep us: who
 * asks may be the watchdog.
 */
int said_open(int folder, int64_t *size)
{
    int fd = openat(folder, SAID_NAME, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *size = st.st_size;
        return fd;
    }
    close(fd);
    errno = EINVAL;
    return -1;
}

void said_load(int fd, int64_t at, size_t most, struct buf *out)
{
    char piece[8192];
    ssize_t got;

    buf_clear(out);
    while (most > 0) {
        got = pread(fd, piece, most < sizeof piece ? most : sizeof piece, at);
        if (got <= 0)
            return;
        buf_add(out, piece, (size_t)got);
        most -= (size_t)got;
        at += got;
    }
}

void said_forget(int folder)
{
    unlinkat(folder, SAID_NAME, 0);
}

/* ---- when it is over ---- */

static struct str copy(struct arena *arena, const struct buf *text)
{
    return arena_str(arena, buf_str(text));
}

static struct said_line line_of(const struct said_raw *raw, struct arena *arena)
{
    return (struct said_line){
        .kind = raw->kind,
        .file = copy(arena, &raw->file),
        .line = raw->line,
        .words = copy(arena, &raw->words),
        .pid = raw->pid,
    };
}

static void keep(struct said *said, const struct said_raw *raw, struct arena *arena)
{
    if (said->kept_count == SAID_KEPT_MOST)
        said->more++;
    else
        said->kept[said->kept_count++] = line_of(raw, arena);
}

static void take(struct said *said, const struct said_raw *raw, struct arena *arena)
{
    switch (raw->kind) {
    case SAID_FAILURE:
        if (!said->failures++)
            said->failure = line_of(raw, arena);
        keep(said, raw, arena);
        break;
    case SAID_ERROR:
        if (!said->errors++)
            said->error = line_of(raw, arena);
        keep(said, raw, arena);
        break;
    case SAID_NOTE: keep(said, raw, arena); break;
    case SAID_CRASH: said->crash = line_of(raw, arena); break;
    case SAID_SKIP:
    case SAID_UNSUPPORTED:
        said->skip = copy(arena, &raw->words);
        said->unsupported = raw->kind == SAID_UNSUPPORTED;
        break;
    case SAID_PHASE:
        if (raw->phase && !said->began[raw->phase])
            said->began[raw->phase] = raw->at;
        break;
    case SAID_KIND_COUNT: break;
    }
}

void said_parse(struct str text, struct arena *arena, struct said *said)
{
    struct said_raw raw = {0};
    struct str line;

    *said = (struct said){0};
    while (said_next_line(&text, &line))
        if (said_line_read(&raw, line))
            take(said, &raw, arena);
    said_raw_release(&raw);
}

bool said_read(int folder, struct arena *arena, struct said *said)
{
    struct buf text = {0};
    int64_t size;
    int fd = said_open(folder, &size);

    if (fd < 0)
        return false;
    said_load(fd, 0, SAID_READ_MOST, &text);
    close(fd);
    said_parse(buf_str(&text), arena, said);
    buf_release(&text);
    return true;
}

/* ---- while it runs ---- */

static void tell(const struct said_raw *raw, said_each_part *each, void *user)
{
    struct said_part part = {.phase = raw->phase, .at = raw->at};
    size_t len = raw->of.len < SAID_OF_MOST - 1 ? raw->of.len : SAID_OF_MOST - 1;

    if (raw->kind != SAID_PHASE || !raw->phase)
        return;
    if (len)
        memcpy(part.of, raw->of.ptr, len);
    if (!raw->timeout.len || !span_parse(buf_str(&raw->timeout), &part.timeout))
        part.timeout = -1;
    each(user, &part);
}

/* What was written meanwhile is more than is read at once: the last of it tells what it is at now. */
static void skip_ahead(struct said_cursor *cursor, int64_t size)
{
    if (cursor->at > size)
        cursor->at = 0; /* it was made shorter */
    if (size - cursor->at > (int64_t)SAID_FOLLOW_MOST)
        cursor->at = size - (int64_t)SAID_FOLLOW_MOST;
}

void said_follow(int folder, struct said_cursor *cursor, said_each_part *each, void *user)
{
    struct said_raw raw = {0};
    struct buf text = {0};
    struct str rest, line;
    int64_t size;
    int fd = said_open(folder, &size);

    if (fd < 0)
        return;
    if (size != cursor->at) {
        skip_ahead(cursor, size);
        said_load(fd, cursor->at, SAID_FOLLOW_MOST, &text);
    }
    close(fd);
    rest = buf_str(&text);
    while (said_next_line(&rest, &line))
        if (said_line_read(&raw, line))
            tell(&raw, each, user);
    /* A line without an end is looked at again when it has one; one that is too long never will be one. */
    cursor->at += (int64_t)(text.len - (rest.len > SAID_LINE_MOST ? 0 : rest.len));
    said_raw_release(&raw);
    buf_release(&text);
}
