#include "matrix/cells/internal.h"
#include "matrix/values/value.h"
#include "runner/base/id.h"

#include <math.h>
#include <string.h>

static void id_text(struct buf *out, const struct node *node, struct str json)
{
    switch (node->kind) {
    case NODE_STRING: id_escape(out, node->string); break;
    case NODE_NUMBER: number_format(out, node->number); break;
    case NODE_NULL:
    case NODE_BOOL:
    case NODE_SEQ:
    case NODE_MAP: id_escape(out, json); break;
    }
}

static void fill(struct arena *arena, struct cell_value *value, const struct node *node)
{
    struct buf text = {0};

    value->node = node;
    node_json(&text, node, 0);
    value->json = arena_str(arena, buf_str(&text));
    buf_clear(&text);
    id_text(&text, node, value->json);
    value->id = arena_str(arena, buf_str(&text));
    buf_release(&text);
}

static struct cell_value *add(struct arena *arena, struct key_values *values)
{
    if (values->count == values->cap) {
        uint32_t cap = values->cap ? values->cap * 2 : 4;
        struct cell_value *list = ARENA_ARRAY(arena, struct cell_value, cap);

        if (values->count)
            memcpy(list, values->list, values->count * sizeof *list);
        values->list = list;
        values->cap = cap;
    }
    return &values->list[values->count++];
}

/* The order of keys and the sign of zero show in what is printed, and node_same sees neither. */
static bool same(const struct cell_value *a, const struct cell_value *b)
{
    if (!str_eq(a->json, b->json) || !node_same(a->node, b->node))
        return false;
    return a->node->kind != NODE_NUMBER || !signbit(a->node->number) == !signbit(b->node->number);
}

/* The value that is the same as the last one; sets what the last one is alike to on the way. */
static uint32_t find_same(const struct key_values *values, uint64_t hash)
{
    uint32_t last = values->count - 1, i;
    struct cell_value *value = &values->list[last];
    size_t cursor = 0;

    value->alike = last;
    while ((i = lookup_next(&values->ids, hash, &cursor)) != LOOKUP_NONE) {
        if (!str_eq(values->list[i].id, value->id))
            continue;
        value->alike = values->list[i].alike;
        if (same(&values->list[i], value))
            return i;
    }
    return LOOKUP_NONE;
}

static uint32_t append(struct arena *arena, struct key_values *values, const struct node *node)
{
    struct cell_value *value = add(arena, values);
    uint32_t found;
    uint64_t hash;

    fill(arena, value, node);
    hash = hash_text(value->id);
    found = find_same(values, hash);
    if (found == LOOKUP_NONE)
        lookup_add(&values->ids, hash, values->count - 1);
    return found;
}

void values_release(struct key_values *values)
{
    lookup_release(&values->ids);
}

void values_append(struct arena *arena, struct key_values *values, const struct node *node)
{
    append(arena, values, node);
}

uint32_t values_intern(struct arena *arena, struct key_values *values, const struct node *node)
{
    uint32_t found = append(arena, values, node);

    if (found == LOOKUP_NONE)
        return values->count - 1;
    values->count--;
    return found;
}
