/* Number 20: actors that die, exit, hang or are stopped at each point of their start. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#include <unistd.h>

ROLE(late){};

ACTOR(late)
{
    mx_sleep("60s");
}

ROWS(
    fault, struct {
        const char *fault, *checkpoint;
        int status, signal;
    });
ROW(fault, die_at_start) = {"die@start", "start", -1, SIGKILL};
ROW(fault, die_at_connect) = {"die@connect", "connect", -1, SIGKILL};
ROW(fault, die_at_half_hello) = {"die@half-hello", "hello", -1, SIGKILL};
ROW(fault, die_at_hello) = {"die@hello", "hello", -1, SIGKILL};
ROW(fault, die_at_spec) = {"die@spec", "spec", -1, SIGKILL};
ROW(fault, exit_at_start) = {"exit2@start", "start", 2, 0};
ROW(fault, exit_at_connect) = {"exit2@connect", "connect", 2, 0};
ROW(fault, exit_at_half_hello) = {"exit2@half-hello", "hello", 2, 0};
ROW(fault, exit_at_hello) = {"exit2@hello", "hello", 2, 0};
ROW(fault, exit_at_spec) = {"exit2@spec", "spec", 2, 0};

/* It is told of as soon as it is so, long before the ten seconds that a start may take. */
TEST(death, WITH(fault), .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .boot = "50s");
    struct mx_outcome outcome;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", fault.fault);
    outcome = mx_wait(SPAWN(n, late, "late"), NULL);
    puts(mx_outcome_words(&outcome));
    EXPECT_EQ(outcome.came, MX_NOT_BORN);
    EXPECT_EQ(outcome.status, fault.status);
    EXPECT_EQ(outcome.signal, fault.signal);
    EXPECT_STR_HAS(mx_outcome_words(&outcome), fault.status == 2 ? "status 2" : "SIGKILL");
}

PARAM(stays, const char *, "hang@start", "hang@connect", "hang@half-hello", "hang@hello", "hang@spec",
      "stop@start", "stop@connect", "stop@half-hello", "stop@hello", "stop@spec");

TEST(hang, WITH(stays), .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .boot = "200ms", .budget = "400ms");
    struct mx_outcome outcome;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", stays);
    outcome = mx_wait(SPAWN(n, late, "late"), NULL);
    puts(mx_outcome_words(&outcome));
    EXPECT_EQ(outcome.came, MX_NOT_BORN);
    EXPECT_STR_HAS(mx_outcome_words(&outcome), "in time");
}

/* When it is ready and dead at the same time, it was ready: an actor that has died. */
TEST(tie, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_outcome outcome;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", "die@ready");
    outcome = mx_wait(SPAWN(n, late, "late"), NULL);
    puts(mx_outcome_words(&outcome));
    EXPECT_EQ(outcome.came, MX_DIED);
    EXPECT_EQ(outcome.signal, SIGKILL);
}

/* Others start meanwhile, and the nursery is none the worse for it. */
ROLE(prompt){};

ACTOR(prompt)
{
}

TEST(beside_others, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1, .boot = "50s");
    struct mx_actor *bad, *good;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", "die@hello");
    bad = SPAWN_SOON(n, prompt, "bad");
    mx_unsetenv("RUN_MATRIX_ACTOR_FAULT");
    good = SPAWN_SOON(n, prompt, "good");
    EXPECT_EQ(mx_wait(good, NULL).came, MX_CAME_TO_END);
    EXPECT_EQ(mx_wait(bad, NULL).came, MX_NOT_BORN);
}

TEST(everybody_else_starts)
{
    NURSERY(n)
    {
        EXPECT_EQ(mx_wait(SPAWN(n, prompt, "prompt"), NULL).came, MX_CAME_TO_END);
    }
}
