/*
 * Which cells a test runs in: one for each distinct projection on the axes it depends on. Cells equal in
 * all axes are one case, unless what `include` added differs: then the keys that differ tell them apart.
 */
#include "matrix/plan/projection.h"

#include "runner/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY UINT32_MAX

/* A set of cells by their values of some keys: open addressing, the entries are numbers of projected cells. */
struct cell_set {
    const struct cells *cells;
    const uint32_t *keys;
    uint32_t key_count;
    uint32_t *slots;
    uint32_t mask;
};

static uint32_t value_class(const struct cells *cells, const uint32_t *row, uint32_t key)
{
    return row[key] == CELL_ABSENT ? CELL_ABSENT : cells->keys[key].values[row[key]].alike;
}

static uint64_t hash_cell(const struct cell_set *set, const uint32_t *row)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;

    for (uint32_t i = 0; i < set->key_count; i++) {
        hash = (hash ^ value_class(set->cells, row, set->keys[i])) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

static bool same_cell(const struct cell_set *set, const uint32_t *a, const uint32_t *b)
{
    for (uint32_t i = 0; i < set->key_count; i++)
        if (value_class(set->cells, a, set->keys[i]) != value_class(set->cells, b, set->keys[i]))
            return false;
    return true;
}

/* How many cells can differ in these keys: a few when there are few keys, however many cells there are. */
static uint32_t most_distinct(const struct cells *cells, const uint32_t *keys, uint32_t key_count)
{
    uint64_t most = 1;

    for (uint32_t i = 0; i < key_count && most < cells->count; i++)
        most *= (uint64_t)cells->keys[keys[i]].count + 1; /* one for "absent" */
    return most < cells->count ? (uint32_t)most : cells->count;
}

static void set_init(struct cell_set *set, const struct cells *cells, const uint32_t *keys,
                     uint32_t key_count)
{
    uint32_t size = 16, most = most_distinct(cells, keys, key_count);

    while (size < most * 2)
        size *= 2;
    *set = (struct cell_set){cells, keys, key_count, mem_resize(NULL, size, sizeof(uint32_t)), size - 1};
    memset(set->slots, 0xff, size * sizeof(uint32_t));
}

/* The slot where a projected cell with these values stands, or would stand. `at` gives the cell of an entry. */
static uint32_t *set_slot(struct cell_set *set, const struct projected *at, uint32_t cell)
{
    const uint32_t *row = cells_row(set->cells, cell);
    uint32_t i = (uint32_t)hash_cell(set, row) & set->mask;

    while (set->slots[i] != NOBODY && !same_cell(set, row, cells_row(set->cells, at[set->slots[i]].cell)))
        i = (i + 1) & set->mask;
    return &set->slots[i];
}

/* ---- extras that tell cases apart ---- */

/* Cases with equal axes are chained: `next` per projected cell. */

static bool differs(const struct projection *p, const uint32_t *next, uint32_t first, uint32_t key)
{
    const struct cells *cells = p->cells;
    uint32_t class = value_class(cells, cells_row(cells, p->list[first].cell), key);

    for (uint32_t i = next[first]; i != NOBODY; i = next[i])
        if (value_class(cells, cells_row(cells, p->list[i].cell), key) != class)
            return true;
    return false;
}

static uint32_t intern_keys(struct arena *arena, struct key_sets *sets, const uint32_t *keys, uint32_t count)
{
    uint32_t *copy;

    for (uint32_t s = 0; s < sets->count; s++)
        if (sets->list[s].count == count && memcmp(sets->list[s].keys, keys, count * sizeof *keys) == 0)
            return s;
    if (sets->count == sets->cap) {
        uint32_t cap = sets->cap * 2;
        struct key_set *list = ARENA_ARRAY(arena, struct key_set, cap);

        memcpy(list, sets->list, sets->count * sizeof *list);
        sets->list = list;
        sets->cap = cap;
    }
    copy = ARENA_ARRAY(arena, uint32_t, count);
    memcpy(copy, keys, count * sizeof *keys);
    sets->list[sets->count] = (struct key_set){copy, count};
    return sets->count++;
}

static void spell_group(struct arena *arena, struct projection *p, struct key_sets *sets,
                        const uint32_t *next, uint32_t first, uint32_t *keys)
{
    uint32_t count = 0, spelled;

    if (next[first] == NOBODY)
        return;
    for (uint32_t k = p->cells->axis_count; k < p->cells->key_count; k++)
        if (differs(p, next, first, k))
            keys[count++] = k;
    spelled = intern_keys(arena, sets, keys, count);
    for (uint32_t i = first; i != NOBODY; i = next[i])
        p->list[i].extras = spelled;
}

static void spell_extras(struct arena *arena, struct projection *p, struct key_sets *sets)
{
    uint32_t *keys = mem_resize(NULL, p->cells->key_count + 1, sizeof *keys);
    uint32_t *next = mem_resize(NULL, p->count + 1, sizeof *next);
    uint32_t *last = mem_resize(NULL, p->count + 1, sizeof *last); /* of the group that begins here */
    bool *begins = mem_zero(p->count + 1, sizeof *begins);
    struct cell_set set;

    for (uint32_t k = 0; k < p->cells->axis_count; k++)
        keys[k] = k;
    set_init(&set, p->cells, keys, p->cells->axis_count);
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t *slot = set_slot(&set, p->list, p->list[i].cell);

        next[i] = NOBODY;
        begins[i] = *slot == NOBODY;
        if (begins[i])
            *slot = i;
        else
            next[last[*slot]] = i;
        last[*slot] = i;
    }
    for (uint32_t i = 0; i < p->count; i++)
        if (begins[i])
            spell_group(arena, p, sets, next, i, keys + p->cells->axis_count);
    free(set.slots);
    free(begins);
    free(last);
    free(next);
    free(keys);
}

/* ---- the projection ---- */

static uint32_t used_keys(const struct cells *cells, const bool *axes, uint32_t *keys)
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < cells->key_count; k++)
        if (axes[k])
            keys[count++] = k;
    return count;
}

/*
 * A cell that is here stands for its projection in place of one that is elsewhere. Where each cell has a machine of its
 * own, all of them have to come to the same answer: then it is the first that is for Linux.
 */
static void project_cell(struct projection *p, struct cell_set *set, const bool *elsewhere, uint32_t cell)
{
    uint32_t *slot = set_slot(set, p->list, cell);

    if (*slot == NOBODY) {
        *slot = p->count;
        GROW(p->list, p->count, p->cap);
        p->list[p->count++] = (struct projected){.cell = cell, .elsewhere = elsewhere[cell]};
    } else if (p->list[*slot].elsewhere && !elsewhere[cell]) {
        p->list[*slot].cell = cell;
        p->list[*slot].elsewhere = false;
    }
}

void projection_make(struct arena *arena, const struct suite *suite, const struct test *test,
                     struct key_sets *sets, struct projection *p)
{
    const struct cells *cells = &suite->cells;
    uint32_t *keys = mem_resize(NULL, cells->key_count + 1, sizeof *keys);
    struct cell_set set;

    *p = (struct projection){.cells = cells};
    set_init(&set, cells, keys, used_keys(cells, test->axes, keys));
    for (uint32_t cell = 0; cell < cells->count; cell++)
        project_cell(p, &set, suite->one_cell ? suite->foreign : suite->elsewhere, cell);
    for (uint32_t i = 0; i < p->count; i++)
        p->list[i].elsewhere = suite->elsewhere[p->list[i].cell];
    if (test->all_axes && cells->key_count > cells->axis_count)
        spell_extras(arena, p, sets);
    free(set.slots);
    free(keys);
}

void projection_release(struct projection *p)
{
    free(p->list);
    *p = (struct projection){0};
}
