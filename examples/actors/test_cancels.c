/* An actor that is told to end, and does: run-matrix examples/actors/test_cancels.c */
#include <run_matrix.h>
#include <stdio.h>

ROLE(server){};

static void give_back(void *what)
{
    printf("%s\n", (const char *)what);
}

/* It would serve for ever: mx_receive is where it ends. */
ACTOR(server)
{
    struct mx_message asked;

    mx_at_end(give_back, (void *)"given back");
    for (;;) {
        asked = mx_receive(mx_parent(), NULL);
        if (asked.heard != MX_HEARD)
            return;
        mx_send(mx_parent(), asked.bytes, asked.len);
    }
}

TEST(ends_by_itself)
{
    NURSERY(n)
    {
        struct mx_actor *server = SPAWN(n, server, "server");
        struct mx_outcome outcome;

        mx_send(mx_peer_of(server), "ping", 4);
        EXPECT_STR_EQ(mx_receive(mx_peer_of(server), "10s").bytes, "ping");
        outcome = mx_cancel(server);
        EXPECT_EQ(outcome.came, MX_CANCELLED, "%s", mx_outcome_words(&outcome));
        EXPECT_FALSE(outcome.hard, "it was asked, and no signal was needed");
    }
}

/* Whoever leaves the block in another way than by its end does not wait: they are cancelled. */
TEST(a_block_that_is_left_cancels)
{
    NURSERY(n)
    {
        SPAWN(n, server, "server");
        break;
    }
}

TEST(many_at_a_time)
{
    NURSERY(n)
    {
        struct mx_actor *servers[8];
        char name[20];

        for (int i = 0; i < 8; i++) {
            snprintf(name, sizeof name, "server-%d", i);
            servers[i] = SPAWN_SOON(n, server, name);
        }
        mx_cancel_all(n);
        for (int i = 0; i < 8; i++)
            EXPECT_EQ(mx_wait(servers[i], "1ms").came, MX_CANCELLED);
    }
}
