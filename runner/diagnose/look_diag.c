/* The sockets of a network, as the kernel's monitor (NETLINK_SOCK_DIAG) tells. It asks nobody's leave, and disturbs nobody. */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MOST ((size_t)1 << 17)
#define ANSWER_SIZE  ((size_t)64 << 10) /* more than the kernel writes at a time */
#define WAITING_MOST 1024               /* that want to be accepted, of one listener */

struct answer {
    struct look *look;
    uint64_t network;
    int type; /* that was asked for */
};

static struct look_socket *add(struct answer *answer)
{
    struct look_sockets *sockets = &answer->look->sockets;
    struct look_socket *socket;

    if (sockets->count == SOCKETS_MOST) {
        sockets->whole = false;
        return NULL;
    }
    GROW(sockets->list, sockets->count, sockets->cap);
    socket = &sockets->list[sockets->count++];
    *socket = (struct look_socket){.network = answer->network};
    return socket;
}

/* ---- unix ---- */

static void take_name(struct answer *answer, struct look_socket *socket, struct str name)
{
    struct arena *names = &answer->look->sockets.names;

    if (name.len && name.ptr[0])
        socket->name = arena_cstr(names, (struct str){name.ptr, strnlen(name.ptr, name.len)});
    else if (name.len)
        socket->name = arena_printf(names, "@%.*s", (int)name.len - 1, name.ptr + 1);
}

static void take_waiting(struct answer *answer, struct look_socket *socket, const void *inodes, size_t size)
{
    size_t count = size / sizeof(uint32_t) < WAITING_MOST ? size / sizeof(uint32_t) : WAITING_MOST;
    uint32_t *list = ARENA_ARRAY(&answer->look->sockets.names, uint32_t, count);

    if (count)
        memcpy(list, inodes, count * sizeof *list);
    socket->waiting = list;
    socket->waiting_count = (uint32_t)count;
}

static void take_attribute(struct answer *answer, struct look_socket *socket, struct rtattr *attribute)
{
    const void *data = RTA_DATA(attribute);
    size_t size = RTA_PAYLOAD(attribute);
    struct unix_diag_rqlen queues;
    uint32_t inode;

    switch (attribute->rta_type) {
    case UNIX_DIAG_NAME: take_name(answer, socket, (struct str){data, size}); break;
    case UNIX_DIAG_ICONS: take_waiting(answer, socket, data, size); break;
    case UNIX_DIAG_SHUTDOWN: socket->shut = size && *(const unsigned char *)data; break;
    case UNIX_DIAG_PEER:
        if (size >= sizeof inode) {
            memcpy(&inode, data, sizeof inode);
            socket->peer = inode;
        }
        break;
    case UNIX_DIAG_RQLEN:
        if (size >= sizeof queues) {
            memcpy(&queues, data, sizeof queues);
            socket->receive = queues.udiag_rqueue;
            socket->send = queues.udiag_wqueue;
        }
        break;
    default: break;
    }
}

static void take_unix(struct answer *answer, struct nlmsghdr *header)
{
    struct unix_diag_msg *message = NLMSG_DATA(header);
    int rest = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);
    struct rtattr *attribute = (struct rtattr *)(message + 1);
    struct look_socket *socket = rest < 0 ? NULL : add(answer);

    if (!socket)
        return;
    socket->family = AF_UNIX;
    socket->type = message->udiag_type;
    socket->state = message->udiag_state;
    socket->inode = message->udiag_ino;
    for (; RTA_OK(attribute, rest); attribute = RTA_NEXT(attribute, rest))
        take_attribute(answer, socket, attribute);
}

/* ---- internet ---- */

/* One form for both versions: a socket of version 6 may be reached by version 4. */
static struct look_place place_of(int family, const uint32_t host[4], uint16_t port)
{
    struct look_place place = {.port = ntohs(port)};

    if (family == AF_INET6) {
        memcpy(place.host, host, sizeof place.host);
    } else {
        place.host[10] = place.host[11] = 0xFF;
        memcpy(place.host + 12, host, 4);
    }
    return place;
}

static void take_inet(struct answer *answer, struct nlmsghdr *header)
{
    const struct inet_diag_msg *message = NLMSG_DATA(header);
    struct look_socket *socket = header->nlmsg_len < NLMSG_LENGTH(sizeof *message) ? NULL : add(answer);

    if (!socket)
        return;
    socket->family = message->idiag_family;
    socket->type = answer->type;
    socket->state = message->idiag_state;
    socket->inode = message->idiag_inode;
    socket->receive = message->idiag_rqueue;
    socket->send = message->idiag_wqueue;
    socket->local = place_of(socket->family, message->id.idiag_src, message->id.idiag_sport);
    socket->remote = place_of(socket->family, message->id.idiag_dst, message->id.idiag_dport);
}

/* ---- asking ---- */

/* 1: there is more to come; 0: that was all; else an errno, negated. */
static int take_answer(struct answer *answer, char *bytes, size_t size)
{
    struct nlmsghdr *header = (struct nlmsghdr *)(void *)bytes;

    for (; NLMSG_OK(header, size); header = NLMSG_NEXT(header, size)) {
        if (header->nlmsg_flags & NLM_F_DUMP_INTR)
            answer->look->sockets.whole = false;
        switch (header->nlmsg_type) {
        case NLMSG_DONE: return 0;
        case NLMSG_ERROR: return ((struct nlmsgerr *)NLMSG_DATA(header))->error;
        case SOCK_DIAG_BY_FAMILY:
            if (answer->type)
                take_inet(answer, header);
            else
                take_unix(answer, header);
            break;
        default: break;
        }
    }
    return 1;
}

static int hear(struct answer *answer, int fd)
{
    char *bytes = mem_alloc(ANSWER_SIZE);
    int more = 1;

    while (more > 0) {
        nanos left = (answer->look->until - clock_now()) / NS_PER_MS;
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (left <= 0 || poll(&poll_fd, 1, (int)left) <= 0) {
            more = -ETIMEDOUT;
            break;
        }
        got = recv(fd, bytes, ANSWER_SIZE, MSG_DONTWAIT);
        if (got > 0)
            more = take_answer(answer, bytes, (size_t)got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            more = got ? -errno : -EIO;
    }
    free(bytes);
    return more;
}

/* 0, or an errno, negated. */
static int ask_unix(struct answer *answer, int fd)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = UINT32_MAX,
                    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_ICONS | UDIAG_SHOW_RQLEN},
    };

    answer->type = 0;
    return send(fd, &message, sizeof message, 0) < 0 ? -errno : hear(answer, fd);
}

static int ask_inet(struct answer *answer, int fd, int family, int protocol)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request =
            {.sdiag_family = (uint8_t)family,
             .sdiag_protocol = (uint8_t)protocol,
             /* A machine may have very many of those that wait for their end, which nobody has open. */
             .idiag_states = UINT32_MAX & ~(1u << TCP_TIME_WAIT)},
    };

    answer->type = protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    return send(fd, &message, sizeof message, 0) < 0 ? -errno : hear(answer, fd);
}

/* A kernel need not have each of them: what is not there has no sockets. */
static int ask(struct look *look, int fd, uint64_t network)
{
    static const int asked[][2] = {
        {AF_INET, IPPROTO_TCP},
        {AF_INET6, IPPROTO_TCP},
        {AF_INET, IPPROTO_UDP},
        {AF_INET6, IPPROTO_UDP},
    };
    struct answer answer = {look, network, 0};
    int error = ask_unix(&answer, fd), first = error;

    for (size_t i = 0; i < ARRAY_LEN(asked) && error != -ETIMEDOUT; i++) {
        error = ask_inet(&answer, fd, asked[i][0], asked[i][1]);
        first = first ? first : error;
    }
    return -first;
}

int look_diag(struct look *look, int process, uint64_t network)
{
    int fd = -1, error = look_network(process, &fd);

    if (!error)
        error = ask(look, fd, network);
    fd_close(&fd);
    return error;
}
