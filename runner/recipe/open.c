/* Settings that speak of fixtures: what a fixture's address is, only a run knows. */
#include "runner/recipe/internal.h"

static bool has_expr(const struct node *node)
{
    return node->kind == NODE_STRING && template_has_expr(node->string);
}

/*
 * What speaks of fixtures was left as it was written: the very node, where that can be told. What an expression gave
 * may look like one, and is none.
 */
static bool is_open(const struct setting_value *value, const struct node *item, uint32_t at)
{
    return has_expr(item) && (!value->parts || (at < value->part_count && item == value->parts[at].node));
}

static const struct node *item_at(const struct node *node, uint32_t i)
{
    return node->kind == NODE_MAP ? node->map.pairs[i].value : node_list_item(node, i);
}

static uint32_t count_of(const struct node *node)
{
    return node->kind == NODE_MAP ? node->map.count : node_list_count(node);
}

bool cook_is_open(const struct setting_value *value)
{
    for (uint32_t i = 0; i < count_of(value->node); i++)
        if (is_open(value, item_at(value->node, i), i))
            return true;
    return false;
}

static const struct node *close_item(struct cooking *k, const struct setting_value *value, uint32_t i)
{
    const struct node *item = item_at(value->node, i);
    const struct template *parsed;

    if (!is_open(value, item, i))
        return item;
    parsed = template_parse(k->arena, item, expr_contexts, k->diags);
    return parsed ? template_eval(parsed, &k->contexts, k->arena, k->diags) : NULL;
}

bool cook_close(struct cooking *k, enum setting setting, struct setting_value *value)
{
    const struct node *node = value->node;
    bool is_map = node->kind == NODE_MAP, is_seq = node->kind == NODE_SEQ;
    struct node *copy =
        is_map ? node_map(k->arena, node->at, node->map.count) : node_seq(k->arena, node->at, count_of(node));
    uint32_t count = count_of(node);

    for (uint32_t i = 0; i < count; i++) {
        const struct node *item = close_item(k, value, i);

        if (!item)
            return false;
        if (is_map)
            copy->map.pairs[i] = (struct pair){node->map.pairs[i].key, item};
        else
            copy->seq.items[i] = item;
    }
    value->node = is_map || is_seq ? copy : copy->seq.items[0];
    return schema_check_setting(setting, value->node, k->diags);
}
