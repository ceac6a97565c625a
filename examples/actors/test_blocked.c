/*
 * An actor that does not listen: run-matrix examples/actors/test_blocked.c
 *
 * A test starts an actor, that starts another, which sleeps where nobody reaches it: in a plain system call, with all
 * signals blocked. The test fails meanwhile. It is over within the budget of its nursery all the same.
 */
#include "tree.h"

#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#define SLEEP_SECONDS 30

ROLE(sleeper){};

ACTOR(sleeper)
{
    struct timespec span = {.tv_sec = SLEEP_SECONDS};
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    mx_send(mx_parent(), "asleep", 6);
    nanosleep(&span, NULL);
}

ROLE(between){};

ACTOR(between)
{
    NURSERY(n)
    {
        struct mx_actor *sleeper = SPAWN(n, sleeper, "sleeper");

        mx_receive(mx_peer_of(sleeper), "10s");
        mx_send(mx_parent(), "asleep", 6);
    }
}

ROLE(errorer){};

ACTOR(errorer)
{
    mx_receive(mx_parent(), "10s");
    FAIL("somebody has to begin");
}

TEST(is_over_within_the_budget)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "800ms");
    struct mx_actor *between = SPAWN(n, between, "between");
    struct mx_actor *errorer = SPAWN(n, errorer, "errorer");
    const int64_t began = mx_now();
    const struct mx_outcome *below;
    struct mx_outcome all;

    ASSERT_EQ(mx_receive(mx_peer_of(between), "10s").heard, MX_HEARD);
    mx_send(mx_peer_of(errorer), "begin", 5);
    all = mx_close(n);
    puts(mx_outcome_words(&all));

    EXPECT_LT(mx_now() - began, SLEEP_SECONDS * 1000000000LL / 2);
    ASSERT_EQ(all.count, 2u);
    EXPECT_EQ(all.children[0].came, MX_CANCELLED);
    EXPECT_EQ(all.children[1].came, MX_HAS_FAILED);
    ASSERT_EQ(all.children[0].count, 1u);
    below = &all.children[0].children[0];
    EXPECT_EQ(below->came, MX_CANCELLED);
    EXPECT(below->hard, "it took SIGKILL");
    EXPECT_EQ(below->signal, SIGKILL);
}
