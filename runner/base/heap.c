#include "runner/base/heap.h"

#include <stdbool.h>
#include <stddef.h>

static bool before(const struct heap_node *a, const struct heap_node *b)
{
    if (a->rank.before != b->rank.before)
        return a->rank.before < b->rank.before;
    if (a->rank.late != b->rank.late)
        return a->rank.late < b->rank.late;
    return a->rank.turn < b->rank.turn;
}

/* Two trees become one. */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    if (!a || !b)
        return a ? a : b;
    if (before(b, a)) {
        struct heap_node *first = b;

        b = a;
        a = first;
    }
    b->prev = a;
    b->next = a->child;
    if (b->next)
        b->next->prev = b;
    a->child = b;
    return a;
}

/* A list of siblings becomes one tree: in pairs from the left, then all pairs from the right. That order is what
 * makes it logarithmic in the long run. */
static struct heap_node *combine(struct heap_node *list)
{
    struct heap_node *pairs = NULL, *tree = NULL;

    while (list) {
        struct heap_node *one = list, *two = list->next, *pair;

        list = two ? two->next : NULL;
        pair = meld(one, two);
        pair->next = pairs;
        pairs = pair;
    }
    while (pairs) {
        struct heap_node *rest = pairs->next;

        tree = meld(tree, pairs);
        pairs = rest;
    }
    if (tree)
        tree->next = tree->prev = NULL;
    return tree;
}

void heap_push(struct heap *heap, struct heap_node *node)
{
    node->child = node->next = node->prev = NULL;
    heap->top = meld(heap->top, node);
}

static void cut_off(struct heap_node *node)
{
    if (node->prev->child == node)
        node->prev->child = node->next;
    else
        node->prev->next = node->next;
    if (node->next)
        node->next->prev = node->prev;
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    struct heap_node *below = combine(node->child);

    if (heap->top == node) {
        heap->top = below;
        return;
    }
    cut_off(node);
    heap->top = meld(heap->top, below);
}
