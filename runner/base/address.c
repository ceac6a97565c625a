#include "runner/base/address.h"

#include "runner/base/clock.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PORTS_FIRST    10000u /* below are those that people know by heart */
#define PORTS_LAST     65535u
#define PORTS_LEAST    1000u /* where the kernel leaves fewer, its own range is used too */
#define TRIES_MOST     2000
#define LISTEN_BACKLOG 128
#define CONNECT_WAIT   20 /* ms: for a loopback whose answer is under way */

_Static_assert(sizeof((struct sockaddr_un *)0)->sun_path == SOCKET_PATH_SIZE, "a path of a socket");
_Static_assert(sizeof(struct sockaddr_storage) <= sizeof((struct endpoint *)0)->at, "any address");

static const char *const words[] = {
#define X(id, word) [id] = word,
    TRANSPORTS(X)
#undef X
};

bool transport_find(struct str word, enum transport *transport)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i])) {
            *transport = (enum transport)i;
            return true;
        }
    return false;
}

const char *transport_word(enum transport transport)
{
    return words[transport];
}

/* ---- which ports ---- */

/* Those below the kernel's own range, and those above it, as one row. */
struct ports {
    unsigned first, below, above_first, count;
};

static struct ports read_ports(void)
{
    unsigned low = 32768, high = 60999;
    struct ports ports = {.first = PORTS_FIRST};
    struct buf text = {0};

    if (file_read("/proc/sys/net/ipv4/ip_local_port_range", &text, 4096) == 0)
        sscanf(buf_text(&text), "%u %u", &low, &high);
    buf_release(&text);
    ports.below = low > PORTS_FIRST ? low - PORTS_FIRST : 0;
    ports.above_first = high < PORTS_FIRST ? PORTS_FIRST : high + 1;
    ports.count = ports.below + (PORTS_LAST + 1 > ports.above_first ? PORTS_LAST + 1 - ports.above_first : 0);
    if (ports.count < PORTS_LEAST)
        ports = (struct ports){PORTS_FIRST, PORTS_LAST + 1 - PORTS_FIRST, 0, PORTS_LAST + 1 - PORTS_FIRST};
    return ports;
}

static unsigned port_at(const struct ports *ports, unsigned at)
{
    at %= ports->count;
    return at < ports->below ? ports->first + at : ports->above_first + at - ports->below;
}

static unsigned any_number(void)
{
    uint32_t number = 0;

    if (getrandom(&number, sizeof number, GRND_NONBLOCK) != sizeof number)
        number = (uint32_t)getpid() * 2654435761u;
    return number;
}

/* ---- claiming one ---- */

static int claim_of(unsigned port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "run-matrix/port/%u", port);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&name,
                        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) < 0)
        fd_close(&fd);
    return fd;
}

/* Without SO_REUSEADDR: connections of the past that linger (TIME_WAIT) would stop a server that sets none, either. */
static int bind_to(int family, const void *at, socklen_t length)
{
    const int no = 0;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
    if (bind(fd, at, length) < 0)
        fd_close(&fd);
    return fd;
}

/* By whichever address of the machine it is bound to. */
static bool is_bound(unsigned port)
{
    const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = bind_to(AF_INET6, &six, sizeof six);

    if (fd < 0 && errno != EADDRINUSE)
        fd = bind_to(AF_INET, &four, sizeof four);
    if (fd < 0)
        return errno == EADDRINUSE;
    close(fd);
    return false;
}

static bool take_port(struct address *address, unsigned port)
{
    address->claim = claim_of(port);
    if (address->claim < 0)
        return false;
    if (is_bound(port)) {
        fd_close(&address->claim);
        errno = EADDRINUSE;
        return false;
    }
    address->port = (uint16_t)port;
    return true;
}

int address_reserve_tcp(struct address *address)
{
    const struct ports ports = read_ports();
    unsigned at = any_number() % ports.count;

    *address = (struct address)ADDRESS_NONE;
    address->transport = TRANSPORT_TCP;
    for (int tries = 0; tries < TRIES_MOST; tries++)
        if (take_port(address, port_at(&ports, at++)))
            return 0;
        else if (errno != EADDRINUSE)
            return -1;
    errno = EADDRINUSE;
    return -1;
}

int address_reserve_uds(struct address *address, const char *folder)
{
    *address = (struct address)ADDRESS_NONE;
    address->transport = TRANSPORT_UDS;
    if ((size_t)snprintf(address->path, sizeof address->path, "%s/s", folder) < sizeof address->path)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

/* ---- what it is ---- */

int endpoint_family(const struct endpoint *endpoint)
{
    return ((const struct sockaddr *)endpoint->at)->sa_family;
}

static struct endpoint endpoint_of(const struct address *address)
{
    struct endpoint endpoint = {0};

    if (address->transport == TRANSPORT_TCP) {
        struct sockaddr_in *at = (struct sockaddr_in *)endpoint.at;

        *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(address->port)};
        at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        endpoint.length = sizeof *at;
    } else {
        struct sockaddr_un *at = (struct sockaddr_un *)endpoint.at;

        at->sun_family = AF_UNIX;
        memcpy(at->sun_path, address->path, sizeof at->sun_path);
        endpoint.length = sizeof *at;
    }
    return endpoint;
}

int address_listen(struct address *address)
{
    const struct endpoint endpoint = endpoint_of(address);

    address->listener = bind_to(endpoint_family(&endpoint), endpoint.at, endpoint.length);
    if (address->listener >= 0 && listen(address->listener, LISTEN_BACKLOG) < 0)
        fd_close(&address->listener);
    return address->listener < 0 ? -1 : 0;
}

void address_close_listener(struct address *address)
{
    fd_close(&address->listener);
}

void address_release(struct address *address)
{
    fd_close(&address->listener);
    fd_close(&address->claim);
}

void address_url(const struct address *address, struct buf *out)
{
    if (address->transport == TRANSPORT_TCP)
        buf_addf(out, "tcp://127.0.0.1:%u", address->port);
    else
        buf_addf(out, "unix://%s", address->path);
}

bool address_is_taken(const struct address *address)
{
    const struct endpoint endpoint = endpoint_of(address);

    if (address->transport == TRANSPORT_TCP)
        return is_bound(address->port);
    return endpoint_try(&endpoint) == 0;
}

/* ---- connecting ---- */

static bool parse_path(struct str text, struct endpoint *endpoint)
{
    struct sockaddr_un *at = (struct sockaddr_un *)endpoint->at;

    if (!text.len || text.len >= sizeof at->sun_path || text.ptr[0] != '/' || memchr(text.ptr, 0, text.len))
        return false;
    at->sun_family = AF_UNIX;
    memcpy(at->sun_path, text.ptr, text.len);
    endpoint->length = sizeof *at;
    return true;
}

static bool parse_host(const char *host, uint16_t port, struct endpoint *endpoint)
{
    struct sockaddr_in *four = (struct sockaddr_in *)endpoint->at;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)endpoint->at;

    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        endpoint->length = sizeof *four;
        return true;
    }
    if (inet_pton(AF_INET6, host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        endpoint->length = sizeof *six;
        return true;
    }
    return false;
}

static bool parse_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    *port = (uint16_t)number;
    return *text >= '0' && *text <= '9' && !*end && number > 0 && number <= PORTS_LAST;
}

/* "127.0.0.1:80", "[::1]:80" */
static bool parse_pair(struct str text, struct endpoint *endpoint)
{
    char copy[128], *host = copy, *colon, *end;
    uint16_t port;

    if (text.len >= sizeof copy || memchr(text.ptr, 0, text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    colon = strrchr(copy, ':');
    if (!colon || !parse_port(colon + 1, &port))
        return false;
    *colon = '\0';
    end = colon - 1;
    if (*host == '[' && end > host && *end == ']') {
        host++;
        *end = '\0';
    }
    return parse_host(host, port, endpoint);
}

bool endpoint_parse(struct str text, struct endpoint *endpoint)
{
    static const char *const schemes[] = {"unix://",
                                          "unix:"}; /* the longer one first: "unix://s" is no path */

    memset(endpoint, 0, sizeof *endpoint);
    if (!text.len)
        return false;
    if (str_starts(text, "tcp://"))
        return parse_pair(str_slice(text, strlen("tcp://"), text.len), endpoint);
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (str_starts(text, schemes[i]))
            return parse_path(str_slice(text, strlen(schemes[i]), text.len), endpoint);
    return parse_path(text, endpoint) || parse_pair(text, endpoint);
}

/* The answer of a loopback is there at once; elsewhere it may be under way, and is asked for at the next try. */
static int wait_connected(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
    int error = EINPROGRESS;
    socklen_t length = sizeof error;

    if (poll(&poll_fd, 1, CONNECT_WAIT) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        error = errno;
    return error;
}

/*
 * A server that says something first, to somebody who is not there any more, dies of it when it is not prepared for
 * that. So it is told that nothing will come, and has a moment to say what it has to say, and to hang up.
 */
static void hang_up(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    nanos until = clock_now() + CONNECT_WAIT * NS_PER_MS, left;
    char text[4096];

    shutdown(fd, SHUT_WR);
    while ((left = until - clock_now()) > 0 && poll(&poll_fd, 1, (int)(left / NS_PER_MS) + 1) > 0 &&
           read(fd, text, sizeof text) > 0)
        ;
}

int endpoint_try(const struct endpoint *endpoint)
{
    int fd = socket(endpoint_family(endpoint), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;

    if (fd < 0)
        return errno;
    if (connect(fd, (const struct sockaddr *)endpoint->at, endpoint->length) < 0)
        error = errno == EINPROGRESS ? wait_connected(fd) : errno;
    if (!error)
        hang_up(fd);
    close(fd);
    return error;
}
