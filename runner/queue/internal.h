/* What the two halves of the queue share: adding cases, and handing them out. */
#ifndef RM_RUNNER_QUEUE_INTERNAL_H
#define RM_RUNNER_QUEUE_INTERNAL_H

#include "runner/base/arena.h"
#include "runner/base/heap.h"
#include "runner/queue/queue.h"

#include <stddef.h>

/*
 * Something of which there is so much: a lock, or room for one more cell of a suite. Kinds that found nothing left
 * wait here. Each time some is given back the first of them is called; it takes it, or calls the next when it turns
 * out to lack something else too. So nobody has to look at all that wait.
 */
struct supply {
    uint32_t left;
    struct heap waiting[2]; /* of kinds; the second has the serial ones */
};

/* By hash, in what it stands for. */
struct link {
    uint64_t hash;
    struct link *next; /* in its bucket */
};

struct table {
    struct link **buckets;
    size_t size, count;
};

struct lock {
    struct link link;
    struct str word;
    struct supply supply;
};

struct queue_suite {
    bool limited, closed;
    struct supply room;
    struct cell **cells; /* NULL where none is known */
    uint32_t count;
};

struct cell {
    struct queue_suite *suite;
    struct item *first, *last; /* all that were added since it was last in flight */
    uint32_t waiting, running;
    uint32_t emptied; /* how often that list was */
    uint32_t shelved; /* of those that wait */
    bool in_flight;
    bool on_list;            /* in the one of its queue … */
    struct cell *next_shelf; /* … of cells that have some */
};

/*
 * Cases for which the same rules hold. In a suite with max-parallel there are two of each: one with the cases whose
 * start would put another cell in flight (`twin` is set), and one with those whose cell is.
 */
struct kind {
    struct link link;
    struct heap_node node; /* ranked as the first of its cases */
    struct heap *home;     /* the one it is in; NULL while it has no case that waits */
    struct heap *ready;    /* the one for those that lack nothing, as far as is known */
    struct heap cases;
    struct queue_suite *suite;
    uint32_t weight;
    bool serial;
    struct kind *twin;
    struct supply **needs; /* each once, in the order of their addresses */
    uint32_t need_count;
};

struct item {
    struct heap_node node; /* in its kind's heap while it waits */
    struct kind *kind;
    struct cell *cell;
    struct item *next; /* in its cell */
    uint32_t number;
    uint32_t listed; /* one more than `emptied` of its cell while it is in that one's list */
    bool waits;      /* in its kind's heap */
    bool held;       /* waits, and is in none */
    bool shelved;    /* held, until all others are over */
    nanos expected;
};

/* Cells that have cases on the shelf, in the order in which they got the first. */
struct shelf {
    struct cell *first, *last;
};

struct queue {
    struct arena arena; /* everything but the arrays below */
    struct item **items;
    uint32_t count, cap;
    struct queue_suite **suites; /* NULL where none is known */
    uint32_t suite_count;
    struct table locks, kinds;
    struct supply **needs; /* scratch of queue_add */
    uint32_t need_cap;
    struct heap ready, ready_serial; /* of kinds */
    uint32_t places, free, waiting, running;
    uint32_t shelved;        /* of those that wait */
    struct shelf shelves[2]; /* the second of suites with max-parallel */
    uint64_t turns;          /* of those that wait again */
    bool held;               /* a start failed: none other until a case is done */
    double work;             /* expected nanoseconds times weight of those that wait … */
    uint32_t work_known;     /* … which is known of so many */
};

void queue_cell_empty(struct cell *cell); /* its list, when none of it waits */
/* Joins its kind and those that wait. */
void queue_item_wait(struct queue *queue, struct item *item, struct rank rank);
/* It is counted as shelved, or no longer. */
void queue_item_shelve(struct queue *queue, struct item *item, bool shelved);

#endif
