#include "runner/queue/internal.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Unknown before known, and these the longest first; what waits again comes before both. */
#define LATE_UNKNOWN (INT64_MIN + 1)

struct queue *queue_new(uint32_t places)
{
    struct queue *queue = mem_zero(1, sizeof *queue);

    queue->places = queue->free = places ? places : 1;
    return queue;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    for (uint32_t i = 0; i < queue->suite_count; i++)
        if (queue->suites[i])
            free(queue->suites[i]->cells);
    free(queue->suites);
    free(queue->items);
    free(queue->locks.buckets);
    free(queue->kinds.buckets);
    free(queue->needs);
    arena_release(&queue->arena);
    free(queue);
}

/* ---- tables ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0xff51afd7ed558ccdu;
    return hash ^ hash >> 32;
}

static struct link *table_find(const struct table *table, uint64_t hash)
{
    return table->size ? table->buckets[hash % table->size] : NULL;
}

static void table_grow(struct table *table)
{
    struct table larger = {.size = table->size ? table->size * 2 : 16, .count = table->count};

    larger.buckets = mem_zero(larger.size, sizeof *larger.buckets);
    for (size_t i = 0; i < table->size; i++)
        for (struct link *link = table->buckets[i], *next; link; link = next) {
            struct link **bucket = &larger.buckets[link->hash % larger.size];

            next = link->next;
            link->next = *bucket;
            *bucket = link;
        }
    free(table->buckets);
    *table = larger;
}

static void table_add(struct table *table, struct link *link, uint64_t hash)
{
    struct link **bucket;

    if (table->count == table->size)
        table_grow(table);
    bucket = &table->buckets[hash % table->size];
    *link = (struct link){hash, *bucket};
    *bucket = link;
    table->count++;
}

/* ---- suites and cells, by index ---- */

/* Makes room for `index`; the new ones are NULL. */
static void *reach(void *list, uint32_t *count, uint32_t index)
{
    uint32_t before = *count, more;
    void **pointers;

    if (index < before)
        return list;
    more = before * 2 > index ? before * 2 : index + 1;
    pointers = mem_resize(list, more, sizeof *pointers);
    memset(pointers + before, 0, (more - before) * sizeof *pointers);
    *count = more;
    return pointers;
}

static struct queue_suite *suite_at(struct queue *queue, uint32_t index)
{
    queue->suites = reach(queue->suites, &queue->suite_count, index);
    if (!queue->suites[index])
        queue->suites[index] = ARENA_NEW(&queue->arena, struct queue_suite);
    return queue->suites[index];
}

static struct cell *cell_at(struct queue *queue, struct queue_suite *suite, uint32_t index)
{
    suite->cells = reach(suite->cells, &suite->count, index);
    if (!suite->cells[index]) {
        suite->cells[index] = ARENA_NEW(&queue->arena, struct cell);
        suite->cells[index]->suite = suite;
    }
    return suite->cells[index];
}

void queue_suite(struct queue *queue, uint32_t suite, uint32_t max_parallel)
{
    struct queue_suite *at = suite_at(queue, suite);

    at->limited = max_parallel > 0;
    at->room.left = max_parallel;
}

/* ---- locks ---- */

static struct supply *lock_find(struct queue *queue, struct str word)
{
    uint64_t hash = word.len;
    struct lock *lock;

    for (size_t i = 0; i < word.len; i++)
        hash = mix(hash, (unsigned char)word.ptr[i]);
    for (struct link *link = table_find(&queue->locks, hash); link; link = link->next) {
        lock = OWNER(link, struct lock, link);
        if (str_eq(lock->word, word))
            return &lock->supply;
    }
    lock = ARENA_NEW(&queue->arena, struct lock);
    lock->word = arena_str(&queue->arena, word);
    lock->supply.left = 1;
    table_add(&queue->locks, &lock->link, hash);
    return &lock->supply;
}

static int by_address(const void *a, const void *b)
{
    const struct supply *const *x = a, *const *y = b;

    return (*x > *y) - (*x < *y);
}

/* Into the scratch list: `room` unless it is NULL, and the locks, each once. How many. */
static uint32_t collect_needs(struct queue *queue, const struct queue_case *c, struct supply *room)
{
    uint32_t count = 0, distinct = 0;

    if (c->lock_count >= queue->need_cap) {
        queue->need_cap = c->lock_count + 1;
        queue->needs = mem_resize(queue->needs, queue->need_cap, sizeof(struct supply *));
    }
    if (room)
        queue->needs[count++] = room;
    for (uint32_t i = 0; i < c->lock_count; i++)
        queue->needs[count++] = lock_find(queue, c->locks[i]);
    qsort(queue->needs, count, sizeof(struct supply *), by_address);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || queue->needs[i] != queue->needs[i - 1])
            queue->needs[distinct++] = queue->needs[i];
    return distinct;
}

/* ---- kinds ---- */

static uint64_t kind_hash(const struct kind *kind)
{
    uint64_t hash = mix((uintptr_t)kind->suite, (uint64_t)kind->weight << 1 | kind->serial);

    for (uint32_t i = 0; i < kind->need_count; i++)
        hash = mix(hash, (uintptr_t)kind->needs[i]);
    return hash;
}

static bool kind_same(const struct kind *a, const struct kind *b)
{
    return a->suite == b->suite && a->weight == b->weight && a->serial == b->serial &&
           a->need_count == b->need_count &&
           (!a->need_count || memcmp(a->needs, b->needs, a->need_count * sizeof(struct supply *)) == 0);
}

/* Those whose start puts a cell in flight need room for it, which tells the two of a pair apart. */
static struct kind *kind_find(struct queue *queue, struct queue_suite *suite, const struct queue_case *c,
                              bool opens)
{
    struct kind wanted = {.suite = suite, .serial = c->serial, .weight = c->weight ? c->weight : 1};
    struct kind *kind;
    uint64_t hash;

    if (wanted.serial || wanted.weight > queue->places)
        wanted.weight = queue->places;
    wanted.ready = wanted.serial ? &queue->ready_serial : &queue->ready;
    wanted.need_count = collect_needs(queue, c, opens ? &suite->room : NULL);
    wanted.needs = queue->needs;
    hash = kind_hash(&wanted);
    for (struct link *link = table_find(&queue->kinds, hash); link; link = link->next)
        if (kind_same(OWNER(link, struct kind, link), &wanted))
            return OWNER(link, struct kind, link);
    kind = ARENA_NEW(&queue->arena, struct kind);
    *kind = wanted;
    kind->needs = ARENA_ARRAY(&queue->arena, struct supply *, wanted.need_count);
    if (wanted.need_count)
        memcpy(kind->needs, wanted.needs, wanted.need_count * sizeof(struct supply *));
    table_add(&queue->kinds, &kind->link, hash);
    return kind;
}

static struct kind *kind_for(struct queue *queue, const struct cell *cell, const struct queue_case *c)
{
    struct kind *kind;

    if (!cell->suite->limited || cell->in_flight)
        return kind_find(queue, cell->suite, c, false);
    kind = kind_find(queue, cell->suite, c, true);
    if (!kind->twin)
        kind->twin = kind_find(queue, cell->suite, c, false);
    return kind;
}

/* ---- cases ---- */

static struct item *item_new(struct queue *queue, const struct queue_case *c)
{
    struct item *item = ARENA_NEW(&queue->arena, struct item);

    *item = (struct item){
        .cell = cell_at(queue, suite_at(queue, c->suite), c->cell),
        .number = queue->count,
        .expected = c->expected,
    };
    GROW(queue->items, queue->count, queue->cap);
    queue->items[queue->count++] = item;
    return item;
}

static void item_list(struct item *item)
{
    struct cell *cell = item->cell;

    if (item->listed == cell->emptied + 1)
        return;
    item->listed = cell->emptied + 1;
    item->next = NULL;
    if (cell->last)
        cell->last->next = item;
    else
        cell->first = item;
    cell->last = item;
}

static void item_come(struct queue *queue, struct item *item, const struct queue_case *c, struct rank rank)
{
    item->kind = kind_for(queue, item->cell, c);
    item_list(item);
    queue_item_wait(queue, item, rank);
}

void queue_add(struct queue *queue, const struct queue_case *c)
{
    struct item *item = item_new(queue, c);
    nanos late = c->expected < 0 ? LATE_UNKNOWN : -c->expected;

    item_come(queue, item, c, (struct rank){c->before, late, item->number});
}

void queue_enter(struct queue *queue, const struct queue_case *c)
{
    item_new(queue, c);
}

void queue_call(struct queue *queue, uint32_t number, const struct queue_case *c)
{
    item_come(queue, queue->items[number], c, (struct rank){c->before, LATE_UNKNOWN, queue->turns++});
}
