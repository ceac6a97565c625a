/*
 * Where a workflow says in `runs-on` more than the name of an axis (`${{ matrix.os }}-latest`, `${{ matrix.config[0] }}`, or one
 * machine for all), it is worked out for each cell on which kind of machine GitHub would run it.
 */
#include "matrix/suite/internal.h"

#include <string.h>

struct seen {
    struct loading *l;
    const struct cells *cells;
    uint32_t cell;
    struct arena *scratch;
};

static const struct node *matrix_of(const struct seen *seen)
{
    const struct cell_shape *shape = seen->cells->shapes[seen->cell];
    const uint32_t *row = cells_row(seen->cells, seen->cell);
    struct node *map = node_map(seen->scratch, (struct place){0}, shape->count);

    for (uint32_t f = 0; f < shape->count; f++) {
        uint32_t k = shape->fields[f].key;

        map->map.pairs[f] =
            (struct pair){node_string(seen->scratch, (struct place){0}, shape->fields[f].name),
                          seen->cells->keys[k].values[row[k]].node};
    }
    return map;
}

/* What only GitHub knows and nobody has told us is null, as it is there where it is not set. */
static const struct node *context_of(void *user, struct str name)
{
    const struct seen *seen = user;

    if (str_eq_nocase(name, str_of("matrix")))
        return matrix_of(seen);
    return node_get_nocase(seen->l->suite->world->context, name);
}

/* Keys of the matrix that it speaks of describe the machine. */
static bool mark_host_key(void *user, struct expr_path path)
{
    struct loading *l = user;
    uint32_t k = CELL_ABSENT;

    if (path.key.ptr && str_eq_nocase(path.name, str_of("matrix")))
        k = find_key(l, path.key);
    if (k != CELL_ABSENT)
        l->suite->host[k] = true;
    return true;
}

static void mark_host_keys(struct loading *l, const struct node *runs_on)
{
    for (uint32_t i = 0; i < node_list_count(runs_on); i++) {
        const struct node *label = node_list_item(runs_on, i);
        struct diags unsaid = {
            .arena = l->arena}; /* what is wrong with somebody's workflow is for GitHub to say */
        const struct template *t =
            label->kind == NODE_STRING ? template_parse(l->arena, label, NULL, &unsaid) : NULL;

        if (t)
            template_each_path(t, mark_host_key, l);
    }
}

void load_runs_on(struct loading *l, const struct node *runs_on)
{
    struct suite *suite = l->suite;
    struct arena scratch = {0};

    if (runs_on && runs_on->kind == NODE_MAP)
        runs_on = node_get(runs_on, "labels");
    if (!runs_on)
        return;
    mark_host_keys(l, runs_on);
    for (uint32_t cell = 0; cell < suite->cells.count; cell++) {
        struct seen seen = {l, &suite->cells, cell, &scratch};
        const struct expr_env env = {context_of, &seen};
        struct diags unsaid = {.arena = &scratch};
        const struct node *labels;

        arena_clear(&scratch);
        labels = template_eval_tree(&scratch, runs_on, NULL, &env, &unsaid);
        if (!labels)
            continue;
        suite->elsewhere[cell] = value_is_elsewhere(l, labels, suite->world->host_strict);
        suite->foreign[cell] = value_is_elsewhere(l, labels, false);
    }
    arena_release(&scratch);
}
