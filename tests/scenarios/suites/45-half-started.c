/* Number 45: an actor is held at a point of its start while its sibling fails. It is reached all the same. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(failing){};

ACTOR(failing)
{
    mx_receive(mx_parent(), "20s");
    FAIL("as it is meant to");
}

ROLE(late){};

ACTOR(late)
{
    mx_sleep("60s");
}

PARAM(held, const char *, "hang@start", "hang@connect", "hang@half-hello", "hang@hello", "hang@spec",
      "stop@start", "stop@hello");

TEST(is_cancelled, WITH(held), .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .boot = "50s", .budget = "600ms");
    struct mx_actor *failing = SPAWN(n, failing, "failing"), *late;
    struct mx_outcome outcome;
    int64_t began;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", held);
    late = SPAWN_SOON(n, late, "late");
    mx_unsetenv("RUN_MATRIX_ACTOR_FAULT");
    began = clock_now();
    tell(failing, "now");
    outcome = mx_wait(late, NULL);
    EXPECT_LT(clock_now() - began, 25000 * MS, "nobody waits for the rest of the time that its start has");
    EXPECT_EQ(outcome.came, MX_CANCELLED, "%s", mx_outcome_words(&outcome));
    EXPECT_EQ(mx_wait(failing, NULL).came, MX_HAS_FAILED);
}

/* Not held: where it is when the other fails is for the machine to say. */
TEST(side_by_side)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *failing = SPAWN(n, failing, "failing"), *late;

    late = SPAWN_SOON(n, late, "late");
    tell(failing, "now");
    EXPECT_EQ(mx_wait(late, NULL).came, MX_CANCELLED);
}

/* It has failed already when somebody comes: who was not started is cancelled, and whoever talks to him is not kept waiting. */
TEST(comes_too_late)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *failing = SPAWN(n, failing, "failing"), *late;
    struct mx_outcome all;

    tell(failing, "now");
    EXPECT_EQ(mx_wait(failing, NULL).came, MX_HAS_FAILED);
    late = SPAWN(n, late, "late");
    EXPECT_FALSE(mx_send(mx_peer_of(late), "x", 1));
    EXPECT_EQ(mx_receive(mx_peer_of(late), NULL).heard, MX_LOST);
    all = mx_close(n);
    EXPECT_EQ(all.children[1].came, MX_CANCELLED);
    EXPECT_EQ(mx_errors(&all), 1);
}
