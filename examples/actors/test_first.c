/* Two actors, from the beginning: run-matrix examples/actors/test_first.c */
#include <run_matrix.h>
#include <stdio.h>
#include <string.h>

/* A role is what one is told. It is handed over as bytes: no pointers. */
ROLE(worker)
{
    int jobs;
    char fruit[16];
};

/* Its body runs wherever the backend of the cell puts it: in a process of its own, or on a thread. */
ACTOR(worker)
{
    for (int i = 1; i <= args->jobs; i++)
        printf("%s has peeled %d %ss\n", mx_self()->name, i, args->fruit);
}

/* A nursery ends when all of its actors have; when one fails the others are cancelled, and the test has failed. */
TEST(works)
{
    NURSERY(n)
    {
        SPAWN(n, worker, "first", .jobs = 2, .fruit = "apple");
        SPAWN(n, worker, "second", .jobs = 3, .fruit = "pear");
    }
}

/* Who has started it, and whom it has started, can be talked to. */
ROLE(echo){};

ACTOR(echo)
{
    struct mx_message message = mx_receive(mx_parent(), "10s");

    mx_send(mx_parent(), message.bytes, message.len);
}

TEST(talks)
{
    NURSERY(n)
    {
        struct mx_actor *echo = SPAWN(n, echo, "echo");
        struct mx_message answer;

        mx_send(mx_peer_of(echo), "hello", 5);
        answer = mx_receive(mx_peer_of(echo), "10s");
        ASSERT_EQ(answer.heard, MX_HEARD);
        ASSERT_STR_EQ(answer.bytes, "hello");
    }
}

/* What became of it can be asked for, instead of failing with it. */
ROLE(dropper){};

ACTOR(dropper)
{
    FAIL("dropped");
}

TEST(fails)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_outcome outcome = mx_wait(SPAWN(n, dropper, "dropper"), "10s");

    EXPECT_EQ(outcome.came, MX_HAS_FAILED);
    EXPECT_STR_HAS(outcome.words, "dropped");
}
