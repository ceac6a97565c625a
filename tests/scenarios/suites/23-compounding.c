/*
 * Number 23: a tree takes no longer to end than its root has been given, however broad and deep it is.
 *
 * By docs/actors.md all of it is over after the budget. What is asserted is twice that: a machine may be busy. Were
 * times added up, 25 siblings would take 25 of it, and a chain of four another three.
 */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#define BUDGET_MS 1500

ROLE(stuck){};

ACTOR(stuck)
{
    be_deaf();
    say_number(mx_parent(), 1);
    rest(60000);
}

ROLE(level)
{
    int below;
};

ACTOR(level)
{
    NURSERY(n)
    {
        struct mx_actor *child =
            args->below > 0 ? SPAWN(n, level, "below", .below = args->below - 1) : SPAWN(n, stuck, "stuck");

        say_number(mx_parent(), hear_number(mx_peer_of(child)));
        mx_sleep("60s");
    }
}

/* Of the budget. */
static double cancel_all(struct mx_nursery *n)
{
    int64_t began = clock_now();

    mx_cancel_all(n);
    return (double)(clock_now() - began) / MS / BUDGET_MS;
}

static int not_ended(const struct mx_outcome *outcome)
{
    int count = outcome->came != MX_CANCELLED;

    for (size_t i = 0; i < outcome->count; i++)
        count += not_ended(&outcome->children[i]);
    return count;
}

PARAM(siblings, int, 1, 25);

TEST(breadth, WITH(siblings), .skip_on_backend = THREADS, .timeout = "120s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *actors[25];
    struct mx_outcome all;
    char name[16];

    for (int i = 0; i < siblings; i++) {
        snprintf(name, sizeof name, "stuck-%d", i);
        actors[i] = SPAWN_SOON(n, stuck, name);
    }
    for (int i = 0; i < siblings; i++)
        hear_number(mx_peer_of(actors[i]));
    EXPECT_LT(cancel_all(n), 2);
    all = mx_close(n);
    EXPECT_EQ(all.count, (size_t)siblings);
    for (size_t i = 0; i < all.count; i++)
        EXPECT_EQ(not_ended(&all.children[i]), 0);
}

TEST(depth, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *first = SPAWN(n, level, "first", .below = 2);
    struct mx_outcome all;

    hear_number(mx_peer_of(first));
    EXPECT_LT(cancel_all(n), 2);
    all = mx_close(n);
    puts(mx_outcome_words(&all));
    ASSERT_EQ(all.count, 1u);
    EXPECT_EQ(not_ended(&all.children[0]), 0);
}

/* Who listens is gone at once, however much there would have been. */
ROLE(polite)
{
    int below;
};

ACTOR(polite)
{
    NURSERY(n)
    {
        if (args->below > 0)
            hear_number(mx_peer_of(SPAWN(n, polite, "below", .below = args->below - 1)));
        say_number(mx_parent(), 1);
        mx_sleep("60s");
    }
}

TEST(who_listens_takes_none_of_it)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "50s");
    struct mx_actor *first = SPAWN(n, polite, "first", .below = 3);
    int64_t began;

    hear_number(mx_peer_of(first));
    began = clock_now();
    EXPECT_FALSE(mx_cancel(first).hard);
    EXPECT_LT(clock_now() - began, 10000 * MS);
}
