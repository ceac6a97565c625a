/*
 * A pairing heap of nodes that live inside what is ordered: the first is at hand, any of them can be taken out, and
 * nothing is ever allocated.
 */
#ifndef RM_BASE_HEAP_H
#define RM_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

/* What a node lives in. */
#define OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* What is smaller comes first: by `before`, by `late`, then by `turn`, which no two nodes share. */
struct rank {
    uint32_t before;
    int64_t late;
    uint64_t turn;
};

struct heap_node {
    struct rank rank; /* not to be changed while it is in a heap */
    struct heap_node *child, *next;
    struct heap_node *prev; /* the one before it among its siblings; of the first one the parent */
};

/* All zero is empty. */
struct heap {
    struct heap_node *top;
};

void heap_push(struct heap *heap, struct heap_node *node);
void heap_remove(struct heap *heap, struct heap_node *node); /* it must be in this heap */

#endif
