#include "backends/links/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define PAUSE_FIRST (1 * NS_PER_MS)
#define PAUSE_MOST  (50 * NS_PER_MS)

/* Rounded up, so that nobody asks again and again in the last millisecond. */
static int milliseconds_until(nanos until)
{
    nanos left = (until - clock_now() + NS_PER_MS - 1) / NS_PER_MS;

    return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static void pause_until(nanos until)
{
    while (clock_now() < until)
        poll(NULL, 0, milliseconds_until(until));
}

/* 0, or an errno. */
static int wait_connected(int fd, nanos until)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof error;

    while (poll(&poll_fd, 1, milliseconds_until(until)) <= 0)
        if (clock_now() >= until)
            return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

/*
 * A connection of tcp may have been made with itself, where nobody listens and the kernel has chosen the very port that
 * is dialled for this end.
 */
static bool is_own_peer(int fd, const struct endpoint *endpoint)
{
    struct endpoint own = {0};
    socklen_t length = sizeof own.at;

    return endpoint_family(endpoint) != AF_UNIX && getsockname(fd, (struct sockaddr *)own.at, &length) == 0 &&
           length == endpoint->length && memcmp(own.at, endpoint->at, length) == 0;
}

/* 0, or an errno. */
static int connect_once(int fd, const struct way *way, const struct endpoint *endpoint, nanos until)
{
    int error = 0;

    if (connect(fd, (const struct sockaddr *)endpoint->at, endpoint->length) < 0)
        error = errno == EINPROGRESS || errno == EINTR ? wait_connected(fd, until) : errno;
    if (!error && is_own_peer(fd, endpoint))
        error = ECONNREFUSED;
    if (!error && !way->is_welcome(fd))
        error = EACCES;
    return error;
}

/* Nobody is there yet; or, of a socket file, those who are there have too many waiting (EAGAIN). */
static bool may_come(int error)
{
    return error == ECONNREFUSED || error == ENOENT || error == EAGAIN;
}

int link_dial(struct str url, nanos until)
{
    struct endpoint endpoint;
    enum transport transport;
    const struct way *way = way_find(url, &endpoint, &transport);
    nanos pause = PAUSE_FIRST;

    while (way) {
        int fd = way_socket(way->family), error;
        nanos now;

        if (fd < 0)
            return -1;
        error = connect_once(fd, way, &endpoint, until);
        if (!error) {
            way->prepare(fd);
            return fd;
        }
        fd_close(&fd);
        errno = error;
        if (!may_come(error) || (now = clock_now()) >= until)
            return -1;
        pause_until(until - now < pause ? until : now + pause);
        pause = pause * 2 < PAUSE_MOST ? pause * 2 : PAUSE_MOST;
    }
    return -1;
}
