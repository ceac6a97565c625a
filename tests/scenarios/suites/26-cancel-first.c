/* Number 26: of two that fail, the second is told to end before, or after, it has failed. Files are the barriers. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(failing)
{
    char when[200]; /* "": at once */
    bool asks;      /* whether it was told to end, before it fails */
};

/* Between the file and the failure nothing asks whether it was told to end. */
ACTOR(failing)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    say_number(mx_parent(), 1);
    if (args->when[0])
        rest_until_there(args->when);
    if (args->asks)
        mx_checkpoint();
    FAIL("%s fails by itself", mx_self()->name);
}

/* What became of both, in the order of their names. */
static struct mx_outcome fail(bool second_asks)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "40s");
    struct failing_role early = {0}, late = {.asks = second_asks};
    struct mx_actor *first, *second;

    snprintf(early.when, sizeof early.when, "%s", mx_path("early"));
    snprintf(late.when, sizeof late.when, "%s", mx_path("late"));
    first = mx_spawn_at(MX_HERE, n, &mx_role_failing, "first", &early, true);
    second = mx_spawn_at(MX_HERE, n, &mx_role_failing, "second", &late, true);
    hear_number(mx_peer_of(second));
    mx_write_file("early", "");
    mx_wait(first, "20s"); /* from here on the other one has been told */
    mx_write_file("late", "");
    return mx_close(n);
}

TEST(error_before_it_has_heard)
{
    struct mx_outcome both = fail(false);

    EXPECT_EQ(both.children[0].came, MX_HAS_FAILED);
    EXPECT_EQ(both.children[0].order, 1);
    EXPECT_EQ(both.children[1].came, MX_HAS_FAILED, "a cancel does not hide it");
    EXPECT_STR_HAS(both.children[1].words, "second fails by itself");
    EXPECT_EQ(both.children[1].order, 2);
}

TEST(cancelled_before_it_could_fail)
{
    struct mx_outcome both = fail(true);

    EXPECT_EQ(both.children[0].came, MX_HAS_FAILED);
    EXPECT_EQ(both.children[0].order, 1);
    EXPECT_EQ(both.children[1].came, MX_CANCELLED);
    EXPECT_EQ(both.children[1].order, 0);
}
