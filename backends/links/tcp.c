#include "backends/links/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* In a network of its own that nobody has set up, an address can be bound all the same, and not be reached. */
static bool is_reachable(const struct sockaddr_in *at)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is = fd >= 0 && connect(fd, (const struct sockaddr *)at, sizeof *at) == 0;

    if (!is && fd >= 0)
        errno = EADDRNOTAVAIL;
    fd_close(&fd);
    return is;
}

static int listen_at(struct listener *listener, uint16_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof at;
    const int yes = 1;
    int fd = way_socket(AF_INET);

    if (fd < 0)
        return -1;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* Connections of the past that linger are in nobody's way; a listener still is. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
        bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, WAITING_MOST) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) < 0 || !is_reachable(&at)) {
        fd_close(&fd);
        return -1;
    }
    listener->port = ntohs(at.sin_port);
    return fd;
}

static int open_anywhere(struct listener *listener, const char *folder)
{
    (void)folder;
    return listen_at(listener, 0);
}

static int open_at(struct listener *listener, const struct endpoint *endpoint)
{
    return listen_at(listener, ntohs(((const struct sockaddr_in *)endpoint->at)->sin_port));
}

static void remove_nothing(const struct listener *listener)
{
    (void)listener;
}

static void url(const struct listener *listener, struct buf *out)
{
    buf_addf(out, "tcp://127.0.0.1:%u", listener->port);
}

/* Who of this machine it is cannot be told: whoever listens wants to hear something that strangers do not know. */
static bool is_welcome(int fd)
{
    struct sockaddr_in at = {0};
    socklen_t length = sizeof at;

    return getpeername(fd, (struct sockaddr *)&at, &length) == 0 && at.sin_family == AF_INET &&
           ntohl(at.sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

/* What is said is short, and waits for no more. */
static void prepare(int fd)
{
    const int yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

const struct way way_tcp = {AF_INET, open_anywhere, open_at, remove_nothing, url, is_welcome, prepare};
