/* A cell, or what of it lies on some axes: as a context of expressions, and as the end of an id. */
#include "matrix/plan/plan.h"

static bool is_kept(const struct suite *suite, uint32_t cell, uint32_t key, const bool *axes)
{
    return cells_row(&suite->cells, cell)[key] != CELL_ABSENT && (!axes || axes[key]);
}

struct node *cell_context(const struct suite *suite, uint32_t cell, const bool *axes, struct arena *arena)
{
    const struct cell_shape *shape = suite->cells.shapes[cell];
    const uint32_t *row = cells_row(&suite->cells, cell);
    struct node *map = node_map(arena, (struct place){0}, shape->count);
    uint32_t count = 0;

    for (uint32_t f = 0; f < shape->count; f++) {
        uint32_t k = shape->fields[f].key;

        if (is_kept(suite, cell, k, axes))
            map->map.pairs[count++] =
                (struct pair){node_string(arena, (struct place){0}, shape->fields[f].name),
                              suite->cells.keys[k].values[row[k]].node};
    }
    map->map.count = count;
    return map;
}

void cell_id(struct buf *out, const struct suite *suite, uint32_t cell, const bool *axes)
{
    const uint32_t *row = cells_row(&suite->cells, cell);
    char separator = '@';

    for (uint32_t k = 0; k < suite->cells.key_count; k++) {
        if (!is_kept(suite, cell, k, axes))
            continue;
        buf_addc(out, separator);
        separator = ',';
        buf_addstr(out, suite->key_names[k]);
        buf_addc(out, '=');
        buf_addstr(out, suite->cells.keys[k].values[row[k]].id);
    }
}

bool cell_same(const struct suite *suite, uint32_t a, uint32_t b, const bool *axes)
{
    const uint32_t *left = cells_row(&suite->cells, a), *right = cells_row(&suite->cells, b);

    for (uint32_t k = 0; k < suite->cells.key_count; k++) {
        const struct cell_value *values = suite->cells.keys[k].values;

        if (!axes[k] || left[k] == right[k])
            continue;
        if (left[k] == CELL_ABSENT || right[k] == CELL_ABSENT ||
            values[left[k]].alike != values[right[k]].alike)
            return false;
    }
    return true;
}
