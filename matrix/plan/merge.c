/* Layers of one setting put together, and what expressions in them give for one case. */
#include "matrix/plan/internal.h"
#include "matrix/values/lookup.h"

/* How several layers come together. */
enum merge { MERGE_LAST, MERGE_KEYS, MERGE_NUMBER, MERGE_ADD };

static const enum merge merges[SETTING_COUNT] = {
    [SET_ENV] = MERGE_KEYS, [SET_LIMITS] = MERGE_KEYS, [SET_LEAKS] = MERGE_KEYS, [SET_MARKS] = MERGE_ADD,
    [SET_SKIP] = MERGE_ADD, [SET_XFAIL] = MERGE_ADD,   [SET_MASK] = MERGE_ADD,   [SET_RETRIES] = MERGE_NUMBER,
};

/* ---- expressions ---- */

static bool tree_has_expr(const struct node *node)
{
    if (node->kind == NODE_STRING)
        return template_has_expr(node->string);
    for (uint32_t i = 0; node->kind == NODE_SEQ && i < node->seq.count; i++)
        if (tree_has_expr(node->seq.items[i]))
            return true;
    for (uint32_t i = 0; node->kind == NODE_MAP && i < node->map.count; i++)
        if (tree_has_expr(node->map.pairs[i].value))
            return true;
    return false;
}

bool layers_have_expr(const struct layers *layers)
{
    for (uint32_t i = 0; i < layers->count; i++)
        if (tree_has_expr(layers->list[i].node))
            return true;
    return false;
}

static bool not_fixtures(void *user, struct expr_path path)
{
    if (str_eq_nocase(path.name, str_of("fixtures")))
        *(bool *)user = true;
    return true;
}

/* What a fixture's address is, only a run knows. */
static const struct node *eval_scalar(struct evaluation *e, const struct node *scalar)
{
    const struct template *t;
    bool fixtures = false;

    if (scalar->kind != NODE_STRING || !template_has_expr(scalar->string))
        return scalar;
    t = template_parse(e->arena, scalar, expr_contexts, e->diags);
    if (!t)
        return NULL;
    template_each_path(t, not_fixtures, &fixtures);
    return fixtures ? scalar : template_eval(t, e->env, e->arena, e->diags);
}

/* The yaml reader has bounded the depth. */
static const struct node *eval_tree(struct evaluation *e, const struct node *node)
{
    struct node *copy;
    const struct node *value;

    if (node_is_scalar(node) || !tree_has_expr(node))
        return eval_scalar(e, node);
    copy = node->kind == NODE_SEQ ? node_seq(e->arena, node->at, node->seq.count)
                                  : node_map(e->arena, node->at, node->map.count);
    for (uint32_t i = 0; node->kind == NODE_SEQ && i < node->seq.count; i++) {
        value = eval_tree(e, node->seq.items[i]);
        if (!value)
            return NULL;
        copy->seq.items[i] = value;
    }
    for (uint32_t i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        value = eval_tree(e, node->map.pairs[i].value);
        if (!value)
            return NULL;
        copy->map.pairs[i] = (struct pair){node->map.pairs[i].key, value};
    }
    return copy;
}

/* ---- putting layers together ---- */

/* The last layer that gives a value: an expression that is null in this cell leaves it to those below. */
static bool take_last(const struct layers *layers, struct evaluation *e, struct setting_value *value)
{
    for (uint32_t i = layers->count; i-- > 0;) {
        const struct node *node = eval_tree(e, layers->list[i].node);

        if (!node)
            return false;
        if (node->kind == NODE_NULL)
            continue;
        value->node = node;
        value->origin = layers->list[i].origin;
        return true;
    }
    return true;
}

static void put_part(struct setting_value *value, struct setting_part *parts, struct lookup *lookup,
                     struct setting_part part)
{
    uint64_t hash = hash_text(part.key);
    size_t cursor = 0;
    uint32_t i;

    while ((i = lookup_next(lookup, hash, &cursor)) != LOOKUP_NONE)
        if (str_eq(parts[i].key, part.key)) {
            parts[i] = part;
            return;
        }
    lookup_add(lookup, hash, value->part_count);
    parts[value->part_count++] = part;
}

static void collect_parts(const struct layers *maps, struct setting_value *value, struct setting_part *parts)
{
    struct lookup lookup = {0};

    for (uint32_t i = 0; i < maps->count; i++) {
        const struct setting_part *layer = &maps->list[i];

        for (uint32_t p = 0; p < layer->node->map.count; p++) {
            const struct pair *pair = &layer->node->map.pairs[p];

            put_part(
                value, parts, &lookup,
                (struct setting_part){pair->key->string, pair->value, {layer->origin.layer, pair->key->at}});
        }
    }
    lookup_release(&lookup);
}

static void merge_maps(const struct layers *maps, struct arena *arena, struct setting_value *value)
{
    struct setting_part *parts;
    struct node *map;
    uint32_t most = 0;

    for (uint32_t i = 0; i < maps->count; i++)
        most += maps->list[i].node->map.count;
    parts = ARENA_ARRAY(arena, struct setting_part, most);
    collect_parts(maps, value, parts);
    map = node_map(arena, value->origin.at, value->part_count);
    for (uint32_t i = 0; i < value->part_count; i++)
        map->map.pairs[i] =
            (struct pair){node_string(arena, parts[i].origin.at, parts[i].key), parts[i].node};
    value->node = map;
    value->parts = parts;
}

/*
 * A word ("leaks: warn") hides what is below it, and the mappings above stand in its place. As with
 * take_last, an expression that is null in this cell is not there.
 */
static bool merge_keys(const struct layers *layers, struct evaluation *e, struct setting_value *value)
{
    struct layers maps = {ARENA_ARRAY(e->arena, struct setting_part, layers->count) + layers->count, 0};

    for (uint32_t i = layers->count; i-- > 0;) {
        const struct setting_part *layer = &layers->list[i];
        const struct node *word;

        if (layer->node->kind == NODE_MAP) {
            *--maps.list = *layer;
            maps.count++;
            continue;
        }
        word = eval_tree(e, layer->node);
        if (!word)
            return false;
        if (word->kind == NODE_NULL)
            continue;
        if (!maps.count)
            *value = (struct setting_value){.node = word, .origin = layer->origin};
        break;
    }
    if (!maps.count)
        return true;
    value->origin = maps.list[maps.count - 1].origin;
    merge_maps(&maps, e->arena, value);
    value->node = eval_tree(e, value->node);
    return value->node != NULL;
}

/* A number is the key that it stands for; NULL where it is none in this cell, or (`failed`) cannot be known. */
static const struct node *as_count(const struct node *number, struct evaluation *e, bool *failed)
{
    const struct node *value = number->kind == NODE_MAP ? number : eval_tree(e, number);
    struct node *map;

    *failed = !value;
    if (!value || value->kind == NODE_MAP || value->kind == NODE_NULL)
        return !value || value->kind == NODE_NULL ? NULL : value;
    map = node_map(e->arena, number->at, 1);
    map->map.pairs[0] = (struct pair){node_string(e->arena, number->at, str_of("count")), value};
    return map;
}

/* A number changes how often, and leaves alone what else a layer below it says. Where it is all that is said, it stays one. */
static bool merge_number(const struct layers *layers, struct evaluation *e, struct setting_value *value)
{
    struct layers maps = {ARENA_ARRAY(e->arena, struct setting_part, layers->count), 0};
    bool failed;

    for (uint32_t i = 0; i < layers->count; i++) {
        const struct node *map = as_count(layers->list[i].node, e, &failed);

        if (failed)
            return false;
        if (map)
            maps.list[maps.count++] = (struct setting_part){.node = map, .origin = layers->list[i].origin};
    }
    if (!merge_keys(&maps, e, value))
        return false;
    if (value->part_count == 1 && str_is(value->parts[0].key, "count"))
        *value =
            (struct setting_value){.node = value->node->map.pairs[0].value, .origin = value->parts[0].origin};
    return true;
}

static bool add_items(const struct layers *layers, struct evaluation *e, struct setting_value *value)
{
    struct setting_part *parts;
    struct node *seq;
    uint32_t most = 0;

    if (!layers->count)
        return true;
    value->origin = layers->list[layers->count - 1].origin;
    for (uint32_t i = 0; i < layers->count; i++)
        most += node_list_count(layers->list[i].node);
    parts = ARENA_ARRAY(e->arena, struct setting_part, most);
    seq = node_seq(e->arena, value->origin.at, most);
    for (uint32_t i = 0; i < layers->count; i++)
        for (uint32_t n = 0; n < node_list_count(layers->list[i].node); n++) {
            const struct node *item = node_list_item(layers->list[i].node, n);

            seq->seq.items[value->part_count] = item;
            parts[value->part_count++] =
                (struct setting_part){.node = item, .origin = {layers->list[i].origin.layer, item->at}};
        }
    value->parts = parts;
    value->node = eval_tree(e, seq);
    return value->node != NULL;
}

bool layers_merge(const struct layers *layers, enum setting setting, struct evaluation *e,
                  struct setting_value *value)
{
    *value = (struct setting_value){0};
    switch (merges[setting]) {
    case MERGE_KEYS: return merge_keys(layers, e, value);
    case MERGE_NUMBER: return merge_number(layers, e, value);
    case MERGE_ADD: return add_items(layers, e, value);
    case MERGE_LAST: break;
    }
    return take_last(layers, e, value);
}
