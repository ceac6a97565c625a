/* Twenty-five that fail side by side, at once or after a while: run-matrix examples/actors/test_siblings.c */
#include "tree.h"

#include <run_matrix.h>
#include <stdio.h>

#define SIBLINGS 25

MODULE(.timeout = "60s", .slow = "30s");
PARAM(delay, int, 0, 500); /* milliseconds */

ROLE(errorer)
{
    int delay;
};

ACTOR(errorer)
{
    char span[20];

    snprintf(span, sizeof span, "%dms", args->delay);
    if (args->delay)
        mx_sleep(span);
    FAIL("%s fails, as it is meant to", mx_self()->name);
}

TEST(one_of_many_ends_them_all, WITH(delay))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_outcome all;
    struct tree tree;
    char name[20];

    for (int i = 0; i < SIBLINGS; i++) {
        snprintf(name, sizeof name, "sibling-%d", i);
        SPAWN_SOON(n, errorer, name, .delay = delay);
    }
    all = mx_close(n);
    puts(mx_outcome_words(&all));

    tree = tree_of(&all);
    EXPECT_EQ(tree.actors, SIBLINGS);
    EXPECT_GE(tree.came[MX_HAS_FAILED], 1);
    EXPECT_EQ(tree.came[MX_HAS_FAILED] + tree.came[MX_CANCELLED], SIBLINGS);
    EXPECT_EQ(mx_errors(&all), tree.came[MX_HAS_FAILED]);
}
