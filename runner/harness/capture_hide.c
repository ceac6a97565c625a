/* What is kept is kept without what nobody may read: as long as a case runs its output is as it was written. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/capture_room.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)

/* One way through a file, up to where it ended when it was begun: somebody may be writing still. */
struct passage {
    struct mask *mask;
    struct mask_stream stream;
    struct buf out;
    int from, to; /* to: -1: nobody wants it, and what was found is enough */
    uint64_t at, end;
    char *chunk;
};

static int let_out(struct passage *p)
{
    int result = p->to < 0 ? 0 : fd_write_all(p->to, p->out.ptr, p->out.len);

    buf_clear(&p->out);
    return result;
}

static int carry_chunk(struct passage *p)
{
    size_t most = p->end - p->at < CHUNK ? (size_t)(p->end - p->at) : CHUNK;
    ssize_t got = pread(p->from, p->chunk, most, (off_t)p->at);

    if (got <= 0) {
        if (got == 0)
            p->end = p->at; /* it became shorter */
        return got == 0 || errno == EINTR ? 0 : -1;
    }
    p->at += (uint64_t)got;
    mask_feed(p->mask, &p->stream, (struct str){p->chunk, (size_t)got}, &p->out);
    return let_out(p);
}

static int pass(struct passage *p, bool *found)
{
    int result = 0, saved;

    p->chunk = mem_alloc(CHUNK);
    while (result == 0 && p->at < p->end && (p->to >= 0 || !p->stream.found))
        result = carry_chunk(p);
    saved = errno;
    mask_end(&p->stream, &p->out);
    if (result == 0)
        result = let_out(p);
    else
        errno = saved;
    *found = p->stream.found;
    buf_release(&p->out);
    free(p->chunk);
    return result;
}

/* The file and its copy change places, and what is closed is the one that says too much. */
static int replace(struct capture_room *room, struct capture_file *file)
{
    struct passage copy = {.mask = room->mask, .from = file->fd, .end = capture_size(file)};
    struct capture_file fresh;
    bool found;

    if (capture_file_open(room, &fresh, file->word) < 0)
        return -1;
    copy.to = fresh.fd;
    if (pass(&copy, &found) < 0) {
        capture_file_close(room, &fresh);
        return -1;
    }
    capture_file_close(room, file);
    *file = fresh;
    return 0;
}

int capture_hide(struct capture_room *room, struct capture_file *file)
{
    struct passage look = {.mask = room->mask, .from = file->fd, .to = -1, .end = capture_size(file)};
    bool found;

    if (mask_is_empty(room->mask))
        return 0;
    if (pass(&look, &found) < 0)
        return -1;
    return found ? replace(room, file) : 0;
}

void capture_mask(struct capture_room *room, struct mask *mask)
{
    room->mask = mask;
}
