#include "backends/links/links.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define CHUNK        ((size_t)64 << 10) /* that is read at a time */
#define KEPT_MOST    (2 * CHUNK)        /* of memory with nothing in it */
#define FINISH_PAUSE 2                  /* ms */

void link_open(struct link *link, int fd, size_t most)
{
    *link = (struct link){.fd = fd, .most = most};
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void link_close(struct link *link)
{
    fd_close(&link->fd);
    buf_release(&link->in);
    buf_release(&link->out);
    *link = (struct link)LINK_NONE;
}

/* What of it was used goes. */
static void drop_used(struct buf *buf, size_t *used)
{
    size_t rest = buf->len - *used;

    if (!rest && buf->cap > KEPT_MOST)
        buf_release(buf);
    else if (*used) {
        memmove(buf->ptr, buf->ptr + *used, rest + 1);
        buf->len = rest;
    }
    *used = 0;
}

/* ---- saying ---- */

static size_t unsent(const struct link *link)
{
    return link->out.len - link->sent;
}

short link_events(const struct link *link)
{
    if (link->fd < 0)
        return 0;
    return unsent(link) ? POLLIN | POLLOUT : POLLIN;
}

/* Nothing can be said from now on; what was said to us is still to be heard. */
static bool mute(struct link *link, int error)
{
    link->sent = link->out.len;
    drop_used(&link->out, &link->sent);
    link->mute = error;
    return false;
}

static bool send_waiting(struct link *link)
{
    while (unsent(link)) {
        ssize_t sent = send(link->fd, link->out.ptr + link->sent, unsent(link), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent >= 0)
            link->sent += (size_t)sent;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return mute(link, errno);
    }
    /* Not each time: what is long would be moved again and again. */
    if (link->sent >= unsent(link))
        drop_used(&link->out, &link->sent);
    return true;
}

bool link_flush(struct link *link)
{
    if (link->fd < 0 || link->mute) {
        errno = link->mute ? link->mute : EPIPE;
        return false;
    }
    if (send_waiting(link))
        return true;
    errno = link->mute;
    return false;
}

bool link_say(struct link *link, unsigned kind, uint32_t number, const void *body, size_t len)
{
    if (!link_flush(link))
        return false;
    if (len > FRAME_BODY_MOST || unsent(link) + FRAME_HEAD + len > LINK_UNSENT_MOST) {
        errno = len > FRAME_BODY_MOST ? EMSGSIZE : EAGAIN;
        return false;
    }
    frame_add(&link->out, kind, number, body, len);
    return link_flush(link);
}

/* ---- finishing ---- */

/*
 * Of a connection of tcp: what the kernel has not sent yet. What it has sent has arrived, on one machine; by uds all has at
 * once. (To ask for what the peer's kernel has not confirmed would cost the 40 ms by which it puts that off.)
 */
static bool is_under_way(int fd)
{
    int bytes = 0;

    return ioctl(fd, SIOCOUTQNSD, &bytes) == 0 && bytes > 0;
}

/* False: it is over (errno). An end of file is none of our business: the peer may read on. */
static bool discard(int fd)
{
    char bytes[4096];
    ssize_t got;

    do
        got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0 || errno == EAGAIN;
}

/* Nobody tells when the peer has got it: that is asked for again and again. */
static void wait_for_peer(const struct link *link, nanos until)
{
    struct pollfd poll_fd = {.fd = link->fd, .events = POLLOUT};
    nanos left = (until - clock_now()) / NS_PER_MS + 1;

    poll(&poll_fd, unsent(link) > 0, left > FINISH_PAUSE ? FINISH_PAUSE : (int)left);
}

bool link_finish(struct link *link, nanos until)
{
    while (link_flush(link)) {
        bool sent = !unsent(link);

        if (!discard(link->fd))
            return false;
        if (sent && !is_under_way(link->fd)) {
            shutdown(link->fd, SHUT_WR);
            return true;
        }
        if (clock_now() >= until) {
            errno = EAGAIN;
            return false;
        }
        wait_for_peer(link, until);
    }
    return false;
}

/* ---- hearing ---- */

static enum link_news over(struct link *link, enum link_news news, int error)
{
    link_close(link);
    errno = error;
    return news;
}

static enum link_news end_of_file(struct link *link)
{
    if (link->in.len)
        return over(link, LINK_LOST, EPIPE);
    /* The kernel tells a reset once: whoever was sending may have been told. */
    if (link->mute && link->mute != EPIPE)
        return over(link, LINK_LOST, link->mute);
    return over(link, LINK_ENDED, 0);
}

/* More of what comes next, and no more than may come: LINK_FRAME: there is some. */
static enum link_news read_more(struct link *link)
{
    size_t room;
    ssize_t got;

    drop_used(&link->in, &link->taken);
    room = FRAME_HEAD + link->most - link->in.len;
    if (room > CHUNK)
        room = CHUNK;
    buf_reserve(&link->in, room);
    do
        got = recv(link->fd, link->in.ptr + link->in.len, room, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? LINK_SILENT : over(link, LINK_LOST, errno);
    if (got == 0)
        return end_of_file(link);
    link->in.len += (size_t)got;
    link->in.ptr[link->in.len] = '\0';
    return LINK_FRAME;
}

enum link_news link_hear(struct link *link, struct frame *frame)
{
    enum link_news news = link->fd < 0 ? LINK_ENDED : LINK_FRAME;

    while (news == LINK_FRAME) {
        size_t used;

        switch (
            frame_take(str_slice(buf_str(&link->in), link->taken, link->in.len), link->most, frame, &used)) {
        case FRAME_GOT: link->taken += used; return LINK_FRAME;
        case FRAME_NONSENSE: return over(link, LINK_NONSENSE, EPROTO);
        case FRAME_MORE: news = read_more(link); break;
        }
    }
    return news;
}
