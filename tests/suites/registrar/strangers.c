/* Who connects and is none of us: he is shown out, and nobody else notices. */
#include "tests/suites/registrar/doggies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#define STRANGERS 200

struct at {
    struct sockaddr_storage address;
    socklen_t length;
};

/* One who says that and waits: -1: nobody takes him. */
static int intrude(const struct at *at, const void *bytes, size_t len)
{
    int fd = ASSERT_OK(socket(at->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));

    ASSERT_OK(connect(fd, (const struct sockaddr *)&at->address, at->length));
    ASSERT_EQ(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
    return fd;
}

/* Those who wait here have others to turn them out: who asks, asks while actors are attended to. */
static bool is_shown_out(int fd)
{
    char byte;
    ssize_t got;

    mx_sleep("1ms");
    while ((got = recv(fd, &byte, 1, MSG_DONTWAIT)) > 0)
        ;
    return got == 0 || errno == ECONNRESET;
}

static void show_out(int fd)
{
    WAIT_UNTIL(is_shown_out(fd), "30s");
    close(fd);
}

static const char get[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                  half[] = {'M', 'X', 1, 1, 0, 0, 0, 0, 20};
static const char zeroes[64] = {0};
/* A frame that is whole, and of a length that nobody may say */
static const char endless[] = {'M', 'X', 1, 1, 0, 0, 0, 0, '\xff', '\xff', '\xff', '\x7f'};

/* ---- at the registrar ---- */

static struct at address_of_registrar(void)
{
    struct mx_addr addr = mx_reg_addr();
    struct at at = {0};

    if (addr.path) {
        struct sockaddr_un *un = (struct sockaddr_un *)&at.address;

        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof un->sun_path, "%s", addr.path);
        at.length = sizeof *un;
    } else {
        struct sockaddr_in *in = (struct sockaddr_in *)&at.address;

        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)addr.port);
        in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at.length = sizeof *in;
    }
    return at;
}

static void is_found(void)
{
    ASSERT_STR_EQ(mx_find(mx_self()->name), "unix:///of/test");
}

TEST(at_a_registrar, .leaks = "fds")
{
    NURSERY(n)
    {
        int silent[STRANGERS];
        struct at at;

        mx_registrar(n, MX_ONE_OF_A_NAME);
        at = address_of_registrar();
        ASSERT_NULL(mx_register("unix:///of/test"));
        show_out(intrude(&at, get, sizeof get - 1));
        show_out(intrude(&at, zeroes, sizeof zeroes));
        show_out(intrude(&at, endless, sizeof endless));
        is_found();
        show_out(intrude(&at, half, sizeof half));
        for (int i = 0; i < STRANGERS; i++) {
            silent[i] = intrude(&at, "", 0);
            if (i % 20 == 0)
                is_found();
        }
        for (int i = 0; i < STRANGERS; i++)
            show_out(silent[i]);
        is_found();
    }
}

/* ---- where a nursery listens for its own ---- */

ROLE(guest){};

ACTOR(guest)
{
    says(mx_parent(), "here");
}

/* The only socket of ours that listens. */
static struct at address_of_nursery(void)
{
    struct at at = {.length = sizeof at.address};

    for (int fd = 3; fd < 1024; fd++) {
        int listens = 0;
        socklen_t length = sizeof listens;

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0 || !listens)
            continue;
        ASSERT_OK(getsockname(fd, (struct sockaddr *)&at.address, &at.length));
        return at;
    }
    FAIL("nothing of ours listens");
}

static void is_welcome(struct mx_nursery *n)
{
    ASSERT_STR_EQ(hears(mx_peer_of(SPAWN(n, guest, "guest"))), "here");
}

/* More than the backlog of a socket holds would wait for us to go on. */
TEST(at_a_nursery, .leaks = "fds")
{
    NURSERY(n)
    {
        int silent[STRANGERS];
        struct at at;

        is_welcome(n);
        at = address_of_nursery();
        show_out(intrude(&at, get, sizeof get - 1));
        show_out(intrude(&at, zeroes, sizeof zeroes));
        show_out(intrude(&at, endless, sizeof endless));
        show_out(intrude(&at, half, sizeof half));
        for (int i = 0; i < STRANGERS; i++) {
            silent[i] = intrude(&at, "", 0);
            if (i % 20 == 0)
                is_welcome(n);
        }
        for (int i = 0; i < STRANGERS; i++)
            show_out(silent[i]);
        is_welcome(n);
    }
}
