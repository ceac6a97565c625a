/* Talking with one's own actors: much at once, before they are there, and to those who are told to end meanwhile. */
#include "tests/suites/registrar/doggies.h"

#include <stdlib.h>

#define PIECE (100 << 10)
#define MUCH  80 /* pieces: more than what waits for a reader, and what is under way */

static char *piece_of(int number)
{
    static char bytes[PIECE];

    memset(bytes, 'a' + number % 26, sizeof bytes);
    return bytes;
}

static void send_much(struct mx_peer *peer)
{
    for (int i = 0; i < MUCH; i++)
        ASSERT(mx_send(peer, piece_of(i), PIECE));
}

static void receive_much(struct mx_peer *peer)
{
    for (int i = 0; i < MUCH; i++) {
        struct mx_message message = mx_receive(peer, "30s");

        ASSERT_EQ(message.heard, MX_HEARD);
        ASSERT_EQ(message.len, (size_t)PIECE);
        ASSERT_MEM_EQ(message.bytes, piece_of(i), PIECE);
    }
}

/* ---- much ---- */

ROLE(sender){};

/* What it comes to stands behind all it has said, and is heard when that was. */
ACTOR(sender)
{
    send_much(mx_parent());
}

TEST(much_of_an_actor, .leaks = "fds")
{
    NURSERY(n)
    {
        struct mx_actor *sender = SPAWN(n, sender, "sender");

        mx_wait(sender, "50ms"); /* nobody receives, so it waits */
        receive_much(mx_peer_of(sender));
        ASSERT_EQ(mx_wait(sender, "30s").came, MX_CAME_TO_END);
        ASSERT_EQ(mx_receive(mx_peer_of(sender), "30s").heard, MX_CLOSED);
        ASSERT(!mx_send(mx_peer_of(sender), "x", 1));
    }
}

ROLE(receiver){};

ACTOR(receiver)
{
    ASSERT_STR_EQ(hears(mx_parent()), "first");
    mx_sleep("20ms");
    receive_much(mx_parent());
    ASSERT_EQ(mx_receive(mx_parent(), "30s").heard, MX_CLOSED);
    ASSERT(!mx_send(mx_parent(), "x", 1));
}

/* It is told something before it is there, and hears it when it is. */
TEST(much_to_an_actor, .leaks = "fds")
{
    NURSERY(n)
    {
        struct mx_actor *receiver = SPAWN_SOON(n, receiver, "receiver");

        says(mx_peer_of(receiver), "first");
        send_much(mx_peer_of(receiver));
        mx_hang_up(mx_peer_of(receiver));
        ASSERT_EQ(mx_receive(mx_peer_of(receiver), "1s").heard, MX_CLOSED);
        ASSERT_EQ(mx_wait(receiver, "30s").came, MX_CAME_TO_END);
    }
}

/* Both at once: neither waits for the other. */
ROLE(echo){};

ACTOR(echo)
{
    for (int i = 0; i < MUCH / 4; i++)
        ASSERT(mx_send(mx_parent(), piece_of(i), PIECE));
    for (int i = 0; i < MUCH / 4; i++)
        ASSERT_EQ(mx_receive(mx_parent(), "30s").len, (size_t)PIECE);
}

TEST(much_both_ways, .leaks = "fds")
{
    NURSERY(n)
    {
        struct mx_actor *echo = SPAWN(n, echo, "echo");

        for (int i = 0; i < MUCH / 4; i++)
            ASSERT(mx_send(mx_peer_of(echo), piece_of(i), PIECE));
        for (int i = 0; i < MUCH / 4; i++)
            ASSERT_EQ(mx_receive(mx_peer_of(echo), "30s").len, (size_t)PIECE);
    }
}

/* ---- told to end while it talks ---- */

enum waits { IN_RECEIVE, IN_SEND, IN_ACCEPT, IN_DIAL, IN_AWAIT, IN_RECEIVE_OF_ANOTHER };
PARAM(waits, enum waits, IN_RECEIVE, IN_SEND, IN_ACCEPT, IN_DIAL, IN_AWAIT, IN_RECEIVE_OF_ANOTHER);

ROLE(busy)
{
    enum waits waits;
};

static void wait_in(enum waits waits)
{
    struct mx_listener *listener = mx_listen(NULL);
    struct mx_peer *one = mx_dial(mx_listener_url(listener), "30s"), *other = mx_accept(listener, "30s");
    char nobody[300];

    snprintf(nobody, sizeof nobody, "unix://%s/nobody", mx_tmpdir());
    says(mx_parent(), "here");
    switch (waits) {
    case IN_RECEIVE: mx_receive(mx_parent(), NULL); break;
    case IN_SEND:
        while (mx_send(one, piece_of(0), PIECE))
            ;
        break;
    case IN_ACCEPT: mx_accept(listener, NULL); break;
    case IN_DIAL: mx_dial(nobody, NULL); break;
    case IN_AWAIT: mx_await("nobody", NULL); break;
    case IN_RECEIVE_OF_ANOTHER: mx_receive(other, NULL); break;
    }
}

ACTOR(busy)
{
    wait_in(args->waits);
    FAIL("it came back");
}

TEST(told_to_end, WITH(waits), .leaks = "fds")
{
    NURSERY(n, .budget = "4s")
    {
        struct mx_outcome outcome;
        struct mx_actor *busy;

        mx_registrar(n, MX_ONE_OF_A_NAME);
        busy = SPAWN(n, busy, "busy", .waits = waits);
        ASSERT_STR_EQ(hears(mx_peer_of(busy)), "here");
        outcome = mx_cancel(busy);
        ASSERT_EQ(outcome.came, MX_CANCELLED);
        ASSERT(!outcome.hard);
    }
}
