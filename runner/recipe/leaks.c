/* `leaks`: what may stay behind, and what comes of the rest. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <string.h>

/* False: a cell without a value. All other words have been refused already. */
static bool action_of(struct cooking *k, const struct node *scalar, enum leak_action *action)
{
    static const char *const words[] = {
        [LEAK_FAILS] = "fail", [LEAK_WARNS] = "warn", [LEAK_IGNORED] = "ignore"};
    struct str word = node_text(scalar, k->arena);

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_is(word, words[i])) {
            *action = (enum leak_action)i;
            return true;
        }
    return false;
}

/* One word is for all that keeps a later run from working. */
static void set_by_word(struct cooking *k, const struct node *word)
{
    enum leak_action action;

    if (!action_of(k, word, &action))
        return;
    for (int kind = LEAK_PROCESS; kind <= LEAK_SHM; kind++)
        k->recipe->leaks.actions[kind] = action;
}

static void set_by_key(struct cooking *k, const struct pair *pair)
{
    for (int kind = 0; kind < LEAK_KIND_COUNT; kind++)
        if (str_is(pair->key->string, leak_keys[kind]))
            action_of(k, pair->value, &k->recipe->leaks.actions[kind]);
}

/* ---- allow ---- */

static bool find_allowed(struct str key, enum leak_kind *kind)
{
    static const char *const keys[] = {
#define X(id, key, words, allow) [id] = allow,
        LEAK_KINDS(X)
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i] && str_is(key, keys[i])) {
            *kind = (enum leak_kind)i; /* of files the first, which stands for both */
            return true;
        }
    return false;
}

static bool is_port(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/*
 * What is found is called in full, "127.0.0.1:8080", "/src/kv/run/kv.sock": a port alone is that of any
 * address, and a path that does not begin at the root is the end of one. NULL: a cell without a value.
 */
static const char *glob_of(struct cooking *k, enum leak_kind kind, struct str text)
{
    if (!text.len)
        return NULL;
    if (kind == LEAK_LISTENER && is_port(text))
        return arena_printf(k->arena, "*:%.*s", STR_ARG(text));
    if (text.ptr[0] != '/' && text.ptr[0] != '*' && memchr(text.ptr, '/', text.len))
        return arena_printf(k->arena, "*/%.*s", STR_ARG(text));
    return arena_cstr(k->arena, text);
}

static void allow(struct cooking *k, const struct node *item, struct leak_allowed *list, size_t *count)
{
    struct leak_allowed *allowed = &list[*count];

    for (uint32_t i = 0; i < item->map.count; i++) {
        const struct pair *pair = &item->map.pairs[i];

        if (!find_allowed(pair->key->string, &allowed->kind))
            continue;
        allowed->glob = glob_of(k, allowed->kind, node_text(pair->value, k->arena));
        *count += allowed->glob != NULL;
        return;
    }
}

static void set_allowed(struct cooking *k, const struct node *items)
{
    struct leak_policy *policy = &k->recipe->leaks;
    uint32_t most = node_list_count(items);
    struct leak_allowed *list = ARENA_ARRAY(k->arena, struct leak_allowed, most);

    policy->allowed = list;
    for (uint32_t i = 0; i < most; i++)
        allow(k, node_list_item(items, i), list, &policy->allowed_count);
}

bool take_leaks(struct cooking *k, const struct setting_value *value)
{
    const struct node *items = node_get(value->node, "allow");

    if (node_is_scalar(value->node)) {
        set_by_word(k, value->node);
        return true;
    }
    for (uint32_t i = 0; i < value->node->map.count; i++)
        set_by_key(k, &value->node->map.pairs[i]);
    if (items && items->kind != NODE_NULL)
        set_allowed(k, items);
    return true;
}
