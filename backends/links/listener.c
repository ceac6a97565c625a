#include "backends/links/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define STRANGERS_MOST 64 /* that are turned away at a time */

static const struct way *const ways[] = {[TRANSPORT_TCP] = &way_tcp, [TRANSPORT_UDS] = &way_uds};

const struct way *way_of(enum transport transport)
{
    return ways[transport];
}

int way_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* ---- addresses ---- */

static bool is_path(struct str url)
{
    return str_starts(url, "unix:") || str_starts(url, "/");
}

static bool is_inside(const struct endpoint *endpoint)
{
    const struct sockaddr_in *at = (const struct sockaddr_in *)endpoint->at;

    return at->sin_family != AF_INET || at->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

const struct way *way_find(struct str url, struct endpoint *endpoint, enum transport *transport)
{
    errno = EINVAL;
    if (!endpoint_parse(url, endpoint)) {
        if (is_path(url) && url.len >= SOCKET_PATH_SIZE)
            errno = ENAMETOOLONG;
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (ways[i]->family == endpoint_family(endpoint) && is_inside(endpoint)) {
            *transport = (enum transport)i;
            return ways[i];
        }
    return NULL;
}

/* ---- listening ---- */

int listener_open(struct listener *listener, enum transport transport, const char *folder)
{
    *listener = (struct listener){.transport = transport, .fd = -1};
    listener->fd = way_of(transport)->open(listener, folder);
    return listener->fd < 0 ? -1 : 0;
}

int listener_open_at(struct listener *listener, struct str url)
{
    struct endpoint endpoint;
    const struct way *way;

    *listener = (struct listener)LISTENER_NONE;
    way = way_find(url, &endpoint, &listener->transport);
    if (!way)
        return -1;
    listener->fd = way->open_at(listener, &endpoint);
    return listener->fd < 0 ? -1 : 0;
}

void listener_url(const struct listener *listener, struct buf *out)
{
    way_of(listener->transport)->url(listener, out);
}

int listener_accept(const struct listener *listener)
{
    const struct way *way = way_of(listener->transport);

    for (int strangers = 0; strangers < STRANGERS_MOST; strangers++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0 && way->is_welcome(fd)) {
            way->prepare(fd);
            return fd;
        }
        if (fd < 0 && errno != EINTR && errno != ECONNABORTED)
            return -1;
        fd_close(&fd);
    }
    errno = EAGAIN;
    return -1;
}

void listener_close(struct listener *listener)
{
    if (listener->fd >= 0)
        way_of(listener->transport)->remove(listener);
    listener_forget(listener);
}

void listener_forget(struct listener *listener)
{
    fd_close(&listener->fd);
    *listener = (struct listener)LISTENER_NONE;
}
