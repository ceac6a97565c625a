/* Number 14: to wait for an actor is no more than a wait: it has an end of its own, and is ended by a cancel. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(deaf){};

ACTOR(deaf)
{
    be_deaf();
    say_number(mx_parent(), 1);
    rest(60000);
}

ROLE(sleeper){};

ACTOR(sleeper)
{
    mx_sleep("60s");
}

ROLE(waiter)
{
    bool for_deaf;
};

ACTOR(waiter)
{
    NURSERY(n)
    {
        struct mx_actor *child = args->for_deaf ? SPAWN(n, deaf, "deaf") : SPAWN(n, sleeper, "sleeper");

        if (args->for_deaf)
            hear_number(mx_peer_of(child));
        say_number(mx_parent(), 1);
        mx_wait(child, NULL);
    }
}

TEST(has_an_end_of_its_own)
{
    NURSERY(n)
    {
        struct mx_actor *sleeper = SPAWN(n, sleeper, "sleeper");

        EXPECT_EQ(mx_wait(sleeper, "20ms").came, MX_RUNS);
        mx_cancel(sleeper);
    }
}

TEST(is_cancelled)
{
    NURSERY(n)
    {
        struct mx_actor *waiter = SPAWN(n, waiter, "waiter");
        struct mx_outcome outcome;

        hear_number(mx_peer_of(waiter));
        outcome = mx_cancel(waiter);
        EXPECT_EQ(outcome.came, MX_CANCELLED);
        EXPECT_FALSE(outcome.hard);
    }
}

/* Who waits for somebody that does not listen is cancelled all the same, by a cancel alone: only the other takes a signal. */
TEST(is_cancelled_while_its_child_is_not, .skip_on_backend = THREADS)
{
    NURSERY(n, .budget = "2s")
    {
        struct mx_actor *waiter = SPAWN(n, waiter, "waiter", .for_deaf = true);
        struct mx_outcome outcome;

        hear_number(mx_peer_of(waiter));
        outcome = mx_cancel(waiter);
        EXPECT_EQ(outcome.came, MX_CANCELLED);
        EXPECT_EQ(outcome.signal, 0);
        ASSERT_EQ(outcome.count, 1u);
        EXPECT(outcome.children[0].hard);
        EXPECT_EQ(outcome.children[0].signal, SIGKILL);
    }
}
