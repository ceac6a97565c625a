/*
 * Many errors at once: run-matrix examples/actors/test_nested.c
 *
 * A test starts two spawners, each of them starts two more, and so on; the last ones start two actors that fail. With a
 * depth of 1 these are 14 actors, 8 of which fail by themselves; with a depth of 3 they are 62, and 32.
 */
#include "tree.h"

#include <run_matrix.h>
#include <stdio.h>

#define BREADTH 2

MODULE(.timeout = "60s", .slow = "30s");
PARAM(depth, int, 1, 3);

ROLE(errorer){};

ACTOR(errorer)
{
    FAIL("%s fails, as it is meant to", mx_self()->name);
}

/* What it is told is a copy of this struct, whatever the process that it becomes. */
ROLE(spawner)
{
    int depth;
    bool go_on;
};

static void spawn(struct mx_nursery *nursery, int depth, bool go_on)
{
    char name[32];

    for (int i = 0; i < BREADTH; i++) {
        snprintf(name, sizeof name, "%s-%d", depth >= 0 ? "spawner" : "errorer", i);
        if (depth >= 0)
            SPAWN_SOON(nursery, spawner, name, .depth = depth, .go_on = go_on);
        else
            SPAWN_SOON(nursery, errorer, name);
    }
}

ACTOR(spawner)
{
    NURSERY(n, .go_on = args->go_on)
    {
        spawn(n, args->depth - 1, args->go_on);
    }
}

/* In nurseries that go on, everybody fails who wants to: all of them stand in the tree. */
TEST(every_error_is_told, WITH(depth))
{
    struct mx_nursery *n = mx_nursery(.go_on = 1, .collect = 1);
    struct mx_outcome all;
    struct tree tree;

    spawn(n, depth, true);
    all = mx_close(n);
    puts(mx_outcome_words(&all));

    tree = tree_of(&all);
    EXPECT_EQ(tree.actors, depth == 1 ? 14 : 62);
    EXPECT_EQ(tree.lone, depth == 1 ? 8 : 32);
    EXPECT_EQ(tree.came[MX_HAS_FAILED], tree.actors); /* a spawner has failed when those below it have */
    ASSERT_NOT_NULL(tree.first);
    EXPECT_STR_HAS(tree.first->words, "as it is meant to");
}

/* In others the first error is the end of all: who had not failed until then was cancelled, and is no error. */
TEST(the_first_error_cancels_the_others, WITH(depth))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_outcome all;
    struct tree tree;

    spawn(n, depth, false);
    all = mx_close(n);
    puts(mx_outcome_words(&all));

    tree = tree_of(&all);
    EXPECT_LE(tree.actors, depth == 1 ? 14 : 62); /* who is cancelled starts nobody */
    EXPECT_GE(tree.lone, 1);
    EXPECT_EQ(tree.came[MX_HAS_FAILED] + tree.came[MX_CANCELLED], tree.actors);
    ASSERT_NOT_NULL(tree.first);
    EXPECT_STR_HAS(tree.first->words, "as it is meant to",
                   "the first cause is an actor that failed by itself");
}

/* Where nobody collects the errors, the test has failed with them. Take the xfail away, and see what is shown. */
TEST(they_are_those_of_the_test, .xfail = "its actors fail", .xfail_strict = 1)
{
    NURSERY(n)
    {
        spawn(n, 1, false);
    }
}
