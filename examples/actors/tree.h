/* What stands in a tree of outcomes, counted: for tests that want all of it to be as it should. */
#ifndef TREE_H
#define TREE_H

#include <run_matrix.h>

struct tree {
    int actors;
    int came[MX_VANISHED + 1];      /* how many came to which end */
    int lone;                       /* failures that nobody below has caused */
    const struct mx_outcome *first; /* whose error came first; NULL: there was none */
};

static inline void tree_add(struct tree *tree, const struct mx_outcome *outcome)
{
    int failed_below = 0;

    for (size_t i = 0; i < outcome->count; i++) {
        const struct mx_outcome *child = &outcome->children[i];

        tree->actors++;
        tree->came[child->came]++;
        tree_add(tree, child);
        failed_below += mx_errors(child) > 0;
    }
    if (outcome->came == MX_HAS_FAILED && !failed_below)
        tree->lone++;
    if (outcome->order == 1)
        tree->first = outcome;
}

static inline struct tree tree_of(const struct mx_outcome *outcome)
{
    struct tree tree = {0};

    tree_add(&tree, outcome);
    return tree;
}

#endif
