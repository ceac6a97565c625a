#include "runner/screen/internal.h"

#include "runner/base/inert.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STILL_AFTER_MS 1000
#define PENDING_MOST   ((size_t)1 << 20)

/* The same terminal or pipe, non-blocking: on the descriptor we were given, all who share it would get that too. */
static int reopen(int fd)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool may_stand_still(int fd)
{
    struct stat st;

    return isatty(fd) || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
}

void screen_open(struct screen *screen, int fd, int wake)
{
    int again = may_stand_still(fd) ? reopen(fd) : -1;

    *screen = (struct screen){
        .fd = again >= 0 ? again : fd,
        .own = again >= 0,
        .hasty = isatty(fd),
        .wake = wake,
    };
}

/* Asked before each write, which helps also where it could not be opened again. */
static bool may_write(struct screen *screen)
{
    struct pollfd fds[] = {{.fd = screen->fd, .events = POLLOUT}, {.fd = screen->wake, .events = POLLIN}};
    int wait = !screen->hasty ? -1 : screen->still ? 0 : STILL_AFTER_MS;

    if (screen->fd < 0)
        return true; /* and see that it cannot be */
    if (poll(fds, screen->hasty ? 1 : 2, wait) == 0)
        screen->still = true;
    return fds[0].revents != 0;
}

void screen_hurry(struct screen *screen)
{
    screen->hasty = true;
}

static void drop_front(struct buf *buf, size_t len)
{
    if (!len)
        return;
    memmove(buf->ptr, buf->ptr + len, buf->len - len + 1);
    buf->len -= len;
}

/* As much as is taken. */
static void flush(struct screen *screen)
{
    struct buf *pending = &screen->pending;
    size_t at = 0;

    while (at < pending->len && may_write(screen)) {
        ssize_t written = write(screen->fd, pending->ptr + at, pending->len - at);

        if (written > 0) {
            at += (size_t)written;
            screen->still = false;
        } else if (written == 0 || (errno != EINTR && errno != EAGAIN)) {
            screen->broken = true;
            at = pending->len;
        }
    }
    drop_front(pending, at);
}

static uint32_t count_lines(const struct buf *text)
{
    uint32_t count = 0;

    for (size_t i = 0; i < text->len; i++)
        count += text->ptr[i] == '\n';
    return count;
}

static void add_pending(struct screen *screen)
{
    struct buf *pending = &screen->pending;

    if (pending->len && pending->len + screen->update.len > PENDING_MOST) {
        screen->left_out += count_lines(&screen->update);
        return;
    }
    if (screen->left_out)
        buf_addf(pending, "(%u lines are left out here, nobody took them)\n", screen->left_out);
    screen->left_out = 0;
    if (screen->inert)
        inert_add(&(struct inert){0}, buf_str(&screen->update), pending);
    else
        buf_addstr(pending, buf_str(&screen->update));
}

void screen_command(struct screen *screen, struct str lines)
{
    if (screen->broken || !lines.len)
        return;
    buf_addstr(&screen->pending, lines);
    flush(screen);
}

void screen_put(struct screen *screen, bool decoration)
{
    size_t before;

    if (decoration && screen->pending.len)
        flush(screen);
    if (!screen->broken && !(decoration && screen->pending.len)) {
        add_pending(screen);
        before = screen->pending.len;
        flush(screen);
        if (decoration && screen->pending.len == before)
            buf_clear(
                &screen->pending); /* what was begun is gone on with: half a sequence spoils what follows */
    }
    buf_clear(&screen->update);
}

void screen_close(struct screen *screen)
{
    flush(screen);
    buf_release(&screen->update);
    buf_release(&screen->pending);
    if (screen->own)
        fd_close(&screen->fd);
}
