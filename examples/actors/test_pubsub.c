/*
 * A publisher and those who read it, who find each other by name: run-matrix examples/actors/test_pubsub.c
 *
 * Each consumer says which numbers it wants, "even" or "odd", gets these, changes its mind in the middle, gets the others,
 * and hangs up. The publisher is done when all have.
 */
#include <run_matrix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSUMERS 3
#define ENOUGH    20

ROLE(publisher){};

struct reader {
    struct mx_peer *peer; /* NULL: it has hung up */
    bool odd;
};

/* What a reader wants may change at any time: "agreed" stands in the stream where it does. */
static void hear(struct reader *reader)
{
    struct mx_message wish = mx_receive(reader->peer, "1ms");

    if (wish.heard == MX_HEARD) {
        reader->odd = strcmp(wish.bytes, "odd") == 0;
        mx_send(reader->peer, "agreed", 6);
    } else if (wish.heard != MX_QUIET) {
        EXPECT_EQ(wish.heard, MX_CLOSED);
        reader->peer = NULL;
    }
}

static int publish(struct reader *readers, int number)
{
    char text[20];
    size_t len = (size_t)snprintf(text, sizeof text, "%d", number);
    int left = 0;

    for (int i = 0; i < CONSUMERS; i++) {
        if (readers[i].peer)
            hear(&readers[i]);
        if (readers[i].peer && readers[i].odd == (number % 2 == 1))
            mx_send(readers[i].peer, text, len);
        left += readers[i].peer != NULL;
    }
    return left;
}

ACTOR(publisher)
{
    struct mx_listener *listener = mx_listen(NULL);
    struct reader readers[CONSUMERS] = {0};

    ASSERT_NULL(mx_register(mx_listener_url(listener)));
    for (int i = 0; i < CONSUMERS; i++) {
        readers[i].peer = mx_accept(listener, "10s");
        ASSERT_NOT_NULL(readers[i].peer);
    }
    for (int number = 0; publish(readers, number); number++)
        ;
}

ROLE(consumer)
{
    bool odd_first;
};

/* What was on its way before the publisher has agreed is of the topic before. */
static void read_numbers(struct mx_peer *publisher, bool odd)
{
    struct mx_message message;

    mx_send(publisher, odd ? "odd" : "even", odd ? 3 : 4);
    do {
        message = mx_receive(publisher, "10s");
        ASSERT_EQ(message.heard, MX_HEARD);
    } while (strcmp(message.bytes, "agreed") != 0);
    for (int last = -1, i = 0; i < ENOUGH; i++) {
        int number;

        message = mx_receive(publisher, "10s");
        ASSERT_EQ(message.heard, MX_HEARD);
        number = atoi(message.bytes);
        ASSERT_EQ(number % 2, odd);
        ASSERT(last < 0 || number == last + 2, "%d came after %d", number, last);
        last = number;
    }
}

ACTOR(consumer)
{
    const char *url = mx_await("publisher", "10s");
    struct mx_peer *publisher;

    ASSERT_NOT_NULL(url);
    publisher = mx_dial(url, "10s");
    ASSERT_NOT_NULL(publisher);
    read_numbers(publisher, args->odd_first);
    read_numbers(publisher, !args->odd_first);
    mx_hang_up(publisher);
}

TEST(everybody_reads_what_he_wants)
{
    char name[20];

    NURSERY(n)
    {
        mx_registrar(n, MX_ONE_OF_A_NAME); /* it goes when the others have */
        for (int i = 0; i < CONSUMERS; i++) {
            snprintf(name, sizeof name, "consumer-%d", i);
            SPAWN(n, consumer, name, .odd_first = i % 2);
        }
        SPAWN(n, publisher, "publisher"); /* the consumers wait for it */
    }
}
