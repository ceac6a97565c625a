#include "runner/queue/queue.h"

#include "runner/queue/internal.h"

#define LATE_AGAIN INT64_MIN

/* ---- kinds, and where they wait ---- */

static void kind_settle(struct kind *kind, struct heap *home)
{
    if (kind->home)
        heap_remove(kind->home, &kind->node);
    kind->home = home;
    if (home) {
        kind->node.rank = kind->cases.top->rank;
        heap_push(home, &kind->node);
    }
}

/* One of either sort: a serial one takes it only when nobody else does. */
static void supply_call(struct supply *supply)
{
    for (int serial = 0; serial < 2 && supply->left > 0; serial++) {
        struct heap_node *first = supply->waiting[serial].top;
        struct kind *kind = first ? OWNER(first, struct kind, node) : NULL;

        if (kind)
            kind_settle(kind, kind->ready);
    }
}

/*
 * It may have been called by a supply, and now stands elsewhere or further back without having taken from it: the
 * next one that waits there is called.
 */
static void kind_move(struct kind *kind, struct heap *home)
{
    bool was_ready = kind->home == kind->ready;

    kind_settle(kind, home);
    for (uint32_t i = 0; was_ready && i < kind->need_count; i++)
        supply_call(kind->needs[i]);
}

/* It has a case more, which may come before all that wait where it waits: it looks again at what it lacks. */
static void kind_join(struct kind *kind, struct item *item)
{
    heap_push(&kind->cases, &item->node);
    kind_settle(kind, kind->ready);
}

static void kind_part(struct kind *kind, struct item *item)
{
    heap_remove(&kind->cases, &item->node);
    kind_move(kind, kind->cases.top ? kind->home : NULL);
}

static struct supply *kind_lacks(const struct kind *kind)
{
    for (uint32_t i = 0; i < kind->need_count; i++)
        if (!kind->needs[i]->left)
            return kind->needs[i];
    return NULL;
}

/* ---- cases ---- */

static void item_count(struct queue *queue, const struct item *item, int sign)
{
    item->cell->waiting += (uint32_t)sign;
    queue->waiting += (uint32_t)sign;
    if (item->expected >= 0) {
        queue->work += sign * (double)item->expected * item->kind->weight;
        queue->work_known += (uint32_t)sign;
    }
}

static void item_join(struct item *item, struct rank rank)
{
    item->waits = true;
    item->node.rank = rank;
    kind_join(item->kind, item);
}

void queue_item_wait(struct queue *queue, struct item *item, struct rank rank)
{
    item_count(queue, item, 1);
    item_join(item, rank);
}

static void item_stop_waiting(struct queue *queue, struct item *item)
{
    item_count(queue, item, -1);
    if (item->waits)
        kind_part(item->kind, item);
    queue_item_shelve(queue, item, false);
    item->waits = item->held = false;
}

void queue_cell_empty(struct cell *cell)
{
    cell->first = cell->last = NULL;
    cell->emptied++;
}

/* Its cases need no more room from here on. */
static void cell_take_off(struct cell *cell)
{
    cell->in_flight = true;
    if (!cell->suite->limited)
        return;
    cell->suite->room.left--;
    for (struct item *item = cell->first; item; item = item->next) {
        struct kind *from = item->kind;

        item->kind = from->twin;
        if (item->waits) {
            kind_part(from, item);
            kind_join(item->kind, item);
        }
    }
}

static void cell_land(struct cell *cell)
{
    cell->in_flight = false;
    queue_cell_empty(cell);
    if (!cell->suite->limited)
        return;
    cell->suite->room.left++;
    supply_call(&cell->suite->room);
}

/* ---- handing out ---- */

/* The first that lacks neither lock nor room. */
static struct kind *first_of(struct heap *ready)
{
    while (ready->top) {
        struct kind *kind = OWNER(ready->top, struct kind, node);
        struct supply *lacking = kind_lacks(kind);

        if (!lacking)
            return kind;
        kind_move(kind, &lacking->waiting[kind->serial]);
    }
    return NULL;
}

static struct kind *next_kind(struct queue *queue)
{
    struct kind *kind = first_of(&queue->ready);

    if (!kind && !queue->running)
        kind = first_of(&queue->ready_serial);
    return kind && kind->weight <= queue->free ? kind : NULL;
}

bool queue_take(struct queue *queue, uint32_t *number)
{
    struct kind *kind = queue->held || !queue->free ? NULL : next_kind(queue);
    struct item *item;

    if (!kind)
        return false;
    item = OWNER(kind->cases.top, struct item, node);
    if (!item->cell->in_flight)
        cell_take_off(item->cell);
    for (uint32_t i = 0; i < item->kind->need_count; i++)
        item->kind->needs[i]->left--;
    item_stop_waiting(queue, item);
    item->cell->running++;
    queue->free -= item->kind->weight;
    queue->running++;
    *number = item->number;
    return true;
}

/* Whoever wants it to wait again has said so before: else its cell might land. */
static void give_back(struct queue *queue, struct item *item)
{
    queue->held = false;
    queue->free += item->kind->weight;
    queue->running--;
    for (uint32_t i = 0; i < item->kind->need_count; i++) {
        item->kind->needs[i]->left++;
        supply_call(item->kind->needs[i]);
    }
    if (--item->cell->running == 0 && item->cell->waiting == 0)
        cell_land(item->cell);
}

void queue_done(struct queue *queue, uint32_t number)
{
    give_back(queue, queue->items[number]);
}

void queue_again(struct queue *queue, uint32_t number)
{
    queue_item_wait(queue, queue->items[number], (struct rank){0, LATE_AGAIN, queue->turns++});
    give_back(queue, queue->items[number]);
}

void queue_hold(struct queue *queue, uint32_t number)
{
    struct item *item = queue->items[number];

    item->held = true;
    item_count(queue, item, 1);
    give_back(queue, item);
}

void queue_shelve(struct queue *queue, uint32_t number)
{
    queue_item_shelve(queue, queue->items[number], true);
    queue_hold(queue, number);
}

void queue_release(struct queue *queue, uint32_t number)
{
    struct item *item = queue->items[number];

    item->held = false;
    item_join(item, (struct rank){0, LATE_AGAIN, queue->turns++});
}

bool queue_put_back(struct queue *queue, uint32_t number)
{
    queue_again(queue, number);
    queue->held = queue->running > 0;
    return queue->held;
}

void queue_try_again(struct queue *queue)
{
    queue->held = false;
}

/* ---- giving up ---- */

static void close_cell(struct queue *queue, struct cell *cell, void (*each)(void *user, uint32_t number),
                       void *user)
{
    for (struct item *item = cell->first; item; item = item->next)
        if (item->waits || item->held) {
            item_stop_waiting(queue, item);
            each(user, item->number);
        }
    if (!cell->in_flight)
        queue_cell_empty(cell);
}

void queue_close_cells(struct queue *queue, uint32_t suite, void (*each)(void *user, uint32_t number),
                       void *user)
{
    struct queue_suite *at = suite < queue->suite_count ? queue->suites[suite] : NULL;

    if (!at || at->closed)
        return;
    at->closed = true;
    for (uint32_t i = 0; i < at->count; i++)
        if (at->cells[i] && !at->cells[i]->in_flight)
            close_cell(queue, at->cells[i], each, user);
}

void queue_close(struct queue *queue, void (*each)(void *user, uint32_t number), void *user)
{
    for (uint32_t i = 0; i < queue->count; i++)
        if (queue->items[i]->waits || queue->items[i]->held) {
            item_stop_waiting(queue, queue->items[i]);
            each(user, i);
        }
}

/* ---- what is left ---- */

uint32_t queue_waiting(const struct queue *queue)
{
    return queue->waiting;
}

uint32_t queue_running(const struct queue *queue)
{
    return queue->running;
}

nanos queue_estimate(const struct queue *queue, nanos running)
{
    uint32_t rest = queue->waiting + queue->running;
    uint32_t side_by_side = rest < queue->places ? rest : queue->places;
    double work = (double)running;

    if (queue->work_known < (queue->waiting + 1) / 2)
        return -1;
    if (queue->work_known)
        work += queue->work * queue->waiting / queue->work_known;
    return side_by_side ? (nanos)(work / side_by_side) : 0;
}
