/* Sockets of the dump: what they are, whom they are connected with, and what waits in them. */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NETWORKS_MOST 8

/* ---- all there are ---- */

static int by_inode(const void *a, const void *b)
{
    const struct look_socket *left = a, *right = b;

    return (left->inode > right->inode) - (left->inode < right->inode);
}

static int compare_places(const struct look_place *a, const struct look_place *b)
{
    int order = memcmp(a->host, b->host, sizeof a->host);

    return order ? order : (a->port > b->port) - (a->port < b->port);
}

static int compare_connections(const struct look_socket *a, const struct look_socket *b)
{
    int order;

    if (a->network != b->network)
        return a->network < b->network ? -1 : 1;
    if (a->type != b->type)
        return a->type - b->type;
    order = compare_places(&a->local, &b->local);
    return order ? order : compare_places(&a->remote, &b->remote);
}

static int by_place(const void *a, const void *b, void *user)
{
    const struct look_socket *list = user;

    return compare_connections(&list[*(const uint32_t *)a], &list[*(const uint32_t *)b]);
}

static void sort(struct look_sockets *sockets)
{
    if (!sockets->count)
        return;
    qsort(sockets->list, sockets->count, sizeof *sockets->list, by_inode);
    sockets->by_place = mem_zero(sockets->count, sizeof *sockets->by_place);
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->list[i].family != AF_UNIX)
            sockets->by_place[sockets->inet_count++] = (uint32_t)i;
    qsort_r(sockets->by_place, sockets->inet_count, sizeof *sockets->by_place, by_place, sockets->list);
}

static bool has_sockets(const struct dump_process *process)
{
    for (uint32_t i = 0; i < process->fd_count; i++)
        if (process->fds[i].kind == DUMP_FD_SOCKET)
            return true;
    return false;
}

/* Each network once, through the first process that is in it. */
static void read_networks(struct look *look)
{
    uint64_t read[NETWORKS_MOST];
    size_t count = 0;

    for (uint32_t i = 0; i < look->dump->process_count && count < NETWORKS_MOST; i++) {
        const struct dump_process *process = &look->dump->processes[i];
        uint64_t network = look->beside[i].network;
        bool is_read = !network || !has_sockets(process);
        int at, error;

        for (size_t k = 0; k < count && !is_read; k++)
            is_read = read[k] == network;
        at = is_read ? -1 : look_open(process);
        if (at < 0)
            continue;
        read[count++] = network;
        error = look_diag(look, at, network);
        fd_close(&at);
        if (error) {
            look->sockets.whole = false;
            taking_note(look->taking, "the sockets of the network of process %ld were not all looked at: %s",
                        (long)process->id.pid, strerror(error));
        }
    }
}

/* ---- finding ---- */

static const struct look_socket *find_inode(const struct look_sockets *sockets, uint64_t inode)
{
    struct look_socket wanted = {.inode = inode};

    if (!inode || !sockets->count)
        return NULL;
    return bsearch(&wanted, sockets->list, sockets->count, sizeof wanted, by_inode);
}

/* The socket that calls remote what the other calls local. */
static const struct look_socket *find_other_end(const struct look_sockets *sockets,
                                                const struct look_socket *socket)
{
    struct look_socket wanted = {
        .network = socket->network, .type = socket->type, .local = socket->remote, .remote = socket->local};
    size_t low = 0, high = sockets->inet_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_connections(&sockets->list[sockets->by_place[middle]], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == sockets->inet_count)
        return NULL;
    socket = &sockets->list[sockets->by_place[low]];
    return compare_connections(socket, &wanted) == 0 ? socket : NULL;
}

static bool is_any(const struct look_place *place)
{
    static const unsigned char any6[16], any4[16] = {[10] = 0xFF, [11] = 0xFF};

    return memcmp(place->host, any6, sizeof any6) == 0 || memcmp(place->host, any4, sizeof any4) == 0;
}

/* Who listens where a connection goes to. */
static const struct look_socket *find_listener(const struct look_sockets *sockets,
                                               const struct look_socket *client)
{
    for (size_t i = 0; i < sockets->inet_count; i++) {
        const struct look_socket *socket = &sockets->list[sockets->by_place[i]];

        if (socket->state == TCP_LISTEN && socket->network == client->network &&
            socket->local.port == client->remote.port &&
            (is_any(&socket->local) || compare_places(&socket->local, &client->remote) == 0))
            return socket;
    }
    return NULL;
}

/* Who was asked to accept it, by the listener's own list. */
static const struct look_socket *find_awaited(const struct look_sockets *sockets,
                                              const struct look_socket *client)
{
    for (size_t i = 0; i < sockets->count; i++)
        for (uint32_t k = 0; k < sockets->list[i].waiting_count; k++)
            if (sockets->list[i].waiting[k] == client->inode)
                return &sockets->list[i];
    return NULL;
}

static const struct look_socket *find_name(const struct look_sockets *sockets, uint64_t network,
                                           const char *name)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->list[i].name && sockets->list[i].state == TCP_LISTEN &&
            (sockets->list[i].network == network || *name != '@') && strcmp(sockets->list[i].name, name) == 0)
            return &sockets->list[i];
    return NULL;
}

/* ---- telling ---- */

static const char *state_word(const struct look_socket *socket)
{
    static const char *const words[] = {
        [TCP_ESTABLISHED] = "ESTABLISHED",
        [TCP_SYN_SENT] = "SYN_SENT",
        [TCP_SYN_RECV] = "SYN_RECV",
        [TCP_FIN_WAIT1] = "FIN_WAIT1",
        [TCP_FIN_WAIT2] = "FIN_WAIT2",
        [TCP_TIME_WAIT] = "TIME_WAIT",
        [TCP_CLOSE] = "CLOSE",
        [TCP_CLOSE_WAIT] = "CLOSE_WAIT",
        [TCP_LAST_ACK] = "LAST_ACK",
        [TCP_LISTEN] = "LISTEN",
        [TCP_CLOSING] = "CLOSING",
    };

    /* Of those that have no connections the kernel says the same as of closed ones. */
    if (socket->state == TCP_CLOSE && (socket->family == AF_UNIX || socket->type != SOCK_STREAM))
        return "UNCONNECTED";
    return socket->state > 0 && socket->state < (int)ARRAY_LEN(words) ? words[socket->state] : NULL;
}

/* "127.0.0.1:80", "[::1]:80", "*:80" */
static const char *place_words(struct look *look, const struct look_place *place)
{
    static const unsigned char mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    bool is_v4 = memcmp(place->host, mapped, sizeof mapped) == 0;
    char host[INET6_ADDRSTRLEN] = "";

    if (is_any(place))
        return place->port ? arena_printf(look->arena, "*:%u", place->port) : NULL;
    inet_ntop(is_v4 ? AF_INET : AF_INET6, place->host + (is_v4 ? sizeof mapped : 0), host, sizeof host);
    return arena_printf(look->arena, is_v4 ? "%s:%u" : "[%s]:%u", host, place->port);
}

static const char *name_words(struct look *look, const struct look_socket *socket)
{
    return socket && socket->name ? arena_cstr(look->arena, str_of(socket->name)) : NULL;
}

static void tell_unix(struct look *look, struct dump_fd *fd, const struct look_socket *socket)
{
    const struct look_socket *peer = find_inode(&look->sockets, socket->peer);

    fd->kind = DUMP_FD_UNIX;
    fd->local = name_words(look, socket);
    fd->peer_inode = socket->peer;
    if (!socket->peer && socket->state == TCP_ESTABLISHED) {
        peer = find_awaited(&look->sockets, socket);
        fd->peer_inode = peer ? peer->inode : 0;
        if (look->sockets.whole)
            fd->detail = peer ? "nobody has accepted it yet" : "its other end is closed";
    }
    fd->peer = name_words(look, peer);
}

static void tell_inet(struct look *look, struct dump_fd *fd, const struct look_socket *socket)
{
    const struct look_socket *peer = NULL;

    fd->kind = socket->type == SOCK_STREAM ? DUMP_FD_TCP : DUMP_FD_UDP;
    fd->local = place_words(look, &socket->local);
    fd->peer = place_words(look, &socket->remote);
    if (!fd->peer || socket->state == TCP_LISTEN)
        return;
    peer = find_other_end(&look->sockets, socket);
    fd->peer_inode = peer ? peer->inode : 0;
    if (fd->peer_inode || socket->type != SOCK_STREAM)
        return;
    /* One that was closed is still there for a while, and has no owner either. */
    if (peer && peer->state != TCP_ESTABLISHED && peer->state != TCP_SYN_RECV)
        return;
    if (socket->state != TCP_ESTABLISHED && socket->state != TCP_SYN_SENT)
        return;
    peer = find_listener(&look->sockets, socket);
    fd->peer_inode = peer ? peer->inode : 0;
    if (peer)
        fd->detail = "nobody has accepted it yet";
}

static void tell_socket(struct look *look, struct dump_fd *fd)
{
    const struct look_socket *socket = find_inode(&look->sockets, fd->inode);

    if (!socket)
        return;
    fd->state = state_word(socket);
    fd->receive_queue = socket->receive;
    fd->send_queue = socket->send;
    if (socket->family == AF_UNIX)
        tell_unix(look, fd, socket);
    else
        tell_inet(look, fd, socket);
}

/* Where a backlog is full the kernel does not connect the two, and who waits has no name either. */
static void tell_connects(struct look *look)
{
    for (size_t i = 0; i < look->connect_count; i++) {
        const struct look_connect *connect = &look->connects[i];
        struct dump_fd *fd = look_fd_find(&look->dump->processes[connect->process], connect->fd);
        const struct look_socket *listener =
            find_name(&look->sockets, look->beside[connect->process].network, connect->name);

        if (!fd || fd->peer_inode)
            continue;
        fd->peer = connect->name;
        if (!listener)
            continue;
        fd->peer_inode = listener->inode;
        fd->detail = "the listener has no room for it";
    }
}

void look_sockets(struct look *look)
{
    look->sockets.whole = true;
    read_networks(look);
    sort(&look->sockets);
    for (uint32_t i = 0; i < look->dump->process_count; i++) {
        struct dump_process *process = &look->dump->processes[i];

        for (uint32_t k = 0; k < process->fd_count; k++)
            if (process->fds[k].kind == DUMP_FD_SOCKET)
                tell_socket(look, look_fd_find(process, process->fds[k].number));
    }
    tell_connects(look);
}
