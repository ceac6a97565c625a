#include "backends/wire.h"

#include "backends/raw.h"
#include "runner/base/io.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC 0x726d7831u /* "rmx1" */

struct head {
    uint32_t magic;
    uint16_t version, kind;
    uint32_t place, number;
    uint32_t size;    /* of the body */
    uint16_t fds;     /* that come with it, the body's file not counted */
    uint16_t is_file; /* the body is in the first descriptor */
};

union control {
    char bytes[CMSG_SPACE((WIRE_FDS_MOST + 1) * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
};

/* They come side by side as a rule: then it is one call, and who forks did not write to where errno is. */
static bool close_side_by_side(const int *fds, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        if (fds[i] != fds[0] + (int)i)
            return false;
    return RAW(close_range, fds[0], fds[count - 1], 0) == 0;
}

void wire_close(struct wire_message *message)
{
    if (message->fd_count && close_side_by_side(message->fds, message->fd_count))
        message->fd_count = 0;
    while (message->fd_count)
        fd_close(&message->fds[--message->fd_count]);
}

void wire_release(struct wire_message *message)
{
    wire_close(message);
    buf_release(&message->body);
}

/* ---- sending ---- */

static int body_file(struct str body)
{
    int fd = memfd_create("run-matrix-request", MFD_CLOEXEC);

    if (fd >= 0 && fd_write_all(fd, body.ptr, body.len) < 0)
        fd_close(&fd);
    return fd;
}

static void attach(struct msghdr *msg, union control *control, const int *fds, unsigned count)
{
    struct cmsghdr *c;

    if (!count)
        return;
    memset(control, 0, sizeof *control);
    msg->msg_control = control->bytes;
    msg->msg_controllen = CMSG_SPACE(count * sizeof(int));
    c = CMSG_FIRSTHDR(msg);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(c), fds, count * sizeof(int));
}

static int send_all(int socket, const struct msghdr *msg)
{
    ssize_t sent;

    do
        sent = sendmsg(socket, msg, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? -1 : 0;
}

int wire_send(int socket, const struct wire_message *message)
{
    struct str body = buf_str(&message->body);
    bool is_file = body.len > WIRE_INLINE;
    struct head head = {MAGIC,           WIRE_VERSION,       (uint16_t)message->kind,     message->place,
                        message->number, (uint32_t)body.len, (uint16_t)message->fd_count, is_file};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)(uintptr_t)body.ptr, is_file ? 0 : body.len}};
    struct msghdr msg = {.msg_iov = parts, .msg_iovlen = 2};
    int fds[WIRE_FDS_MOST + 1], file = -1, result;
    union control control;

    if (message->fd_count > WIRE_FDS_MOST || body.len > WIRE_BODY_MOST) {
        errno = E2BIG;
        return -1;
    }
    if (is_file && (file = body_file(body)) < 0)
        return -1;
    fds[0] = file;
    memcpy(fds + is_file, message->fds, message->fd_count * sizeof(int));
    attach(&msg, &control, fds, message->fd_count + is_file);
    result = send_all(socket, &msg);
    fd_close(&file);
    return result;
}

/* ---- receiving ---- */

static void take_control(struct msghdr *msg, struct wire_message *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        size_t size = c->cmsg_len - CMSG_LEN(0);

        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            memcpy(message->fds, CMSG_DATA(c), size);
            message->fd_count = (unsigned)(size / sizeof(int));
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred from;

            memcpy(&from, CMSG_DATA(c), sizeof from);
            message->from.pid = from.pid;
            message->from.uid = from.uid;
        }
    }
}

/* The first descriptor is not one of the message, it is the body. */
static bool read_file(struct wire_message *message, uint32_t size)
{
    int file = message->fds[0];
    struct stat st;
    bool ok;

    message->fd_count--;
    memmove(message->fds, message->fds + 1, message->fd_count * sizeof(int));
    ok = fstat(file, &st) == 0 && st.st_size == (off_t)size && lseek(file, 0, SEEK_SET) == 0 &&
         fd_read_all(file, &message->body, size) == 0 && message->body.len == size;
    fd_close(&file);
    return ok;
}

static bool fits(const struct head *head, size_t got, const struct wire_message *message)
{
    size_t inside = got - sizeof *head;

    return head->magic == MAGIC && head->version == WIRE_VERSION && head->size <= WIRE_BODY_MOST &&
           head->is_file <= 1 && message->fd_count == (unsigned)head->fds + head->is_file &&
           inside == (head->is_file ? 0 : head->size);
}

static enum wire_answer nonsense(struct wire_message *message, const struct head *head, size_t got)
{
    bool ours = got >= sizeof *head && head->magic == MAGIC;

    wire_release(message);
    message->number = ours ? head->version : 0;
    errno = EPROTO;
    return WIRE_NONSENSE;
}

static enum wire_answer take(struct wire_message *message, const struct head *head, size_t got, int flags)
{
    if (flags & (MSG_TRUNC | MSG_CTRUNC) || got < sizeof *head || !fits(head, got, message))
        return nonsense(message, head, got);
    message->kind = head->kind;
    message->place = head->place;
    message->number = head->number;
    message->body.len = head->is_file ? 0 : head->size;
    if (head->is_file && !read_file(message, head->size))
        return nonsense(message, head, got);
    return WIRE_GOT;
}

enum wire_answer wire_receive(int socket, struct wire_message *message)
{
    struct head head = {0};
    union control control;
    struct iovec parts[2] = {{&head, sizeof head}, {NULL, WIRE_INLINE}};
    struct msghdr msg = {.msg_iov = parts,
                         .msg_iovlen = 2,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof control.bytes};
    ssize_t got;

    buf_clear(&message->body);
    buf_reserve(&message->body, WIRE_INLINE);
    parts[1].iov_base = message->body.ptr;
    /*
     * Who dies before it has read all that it was sent makes one ECONNRESET of that, ahead of what it has said itself;
     * it is over once it was told.
     */
    do
        got = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && (errno == EINTR || errno == ECONNRESET));
    if (got < 0)
        return errno == EAGAIN ? WIRE_NOTHING : WIRE_CLOSED;
    take_control(&msg, message);
    if (got == 0 && !message->fd_count)
        return WIRE_CLOSED;
    return take(message, &head, (size_t)got, msg.msg_flags);
}
