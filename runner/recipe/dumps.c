/* `dump`, `timeout-method`, `runtimes`: when it is looked where everybody stands, and how. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <string.h>

static const char *const dump_words[] = {
#define X(id, word) [id] = word,
    RECIPE_DUMPS(X)
#undef X
};

/* A cell without a value is none of the words. */
bool take_dump(struct cooking *k, const struct setting_value *value)
{
    k->recipe->dumps = 0;
    for (uint32_t i = 0; i < node_list_count(value->node); i++)
        for (size_t w = 0; w < ARRAY_LEN(dump_words); w++)
            if (str_is(node_text(node_list_item(value->node, i), k->arena), dump_words[w]))
                k->recipe->dumps |= 1u << w;
    return true;
}

/* What is not linked with our library has no thread of ours in it. What is said of many holds for those that it can hold for. */
bool take_timeout_method(struct cooking *k, const struct setting_value *value)
{
    bool inside = str_is(node_text(value->node, k->arena), "thread");

    k->recipe->dumps_inside = inside && k->test->is_module;
    if (!inside || k->test->is_module || strcmp(value->origin.layer, "test") != 0)
        return true;
    diag_error(k->diags, value->node->at,
               "'timeout-method: thread' is for C tests, and '%.*s' is a program; leave it out there",
               STR_ARG(k->recipe->id));
    return false;
}

static bool find_runtime(struct str word, enum dump_runtime *runtime)
{
    for (int i = 0; i < RUNTIME_COUNT; i++)
        if (str_is(word, dump_runtime_words[i])) {
            *runtime = (enum dump_runtime)i;
            return true;
        }
    return false;
}

bool take_runtimes(struct cooking *k, const struct setting_value *value)
{
    const struct node *map = value->node;
    struct dump_runtime_choice *choices;

    if (map->kind != NODE_MAP) {
        k->recipe->asks_runtimes = !str_is(node_text(map, k->arena), "none");
        return true;
    }
    choices = ARENA_ARRAY(k->arena, struct dump_runtime_choice, map->map.count);
    for (uint32_t i = 0; i < map->map.count; i++) {
        struct dump_runtime_choice *choice = &choices[k->recipe->runtime_count];
        struct str word = node_text(map->map.pairs[i].value, k->arena);

        choice->image = arena_cstr(k->arena, map->map.pairs[i].key->string);
        k->recipe->runtime_count += find_runtime(word, &choice->runtime);
    }
    k->recipe->runtimes = choices;
    return true;
}

unsigned recipe_watched_dumps(const struct recipe *recipe)
{
    if (recipe->debugged)
        return 0;
    return (recipe->dumps & 1u << DUMP_AT_TIMEOUT ? WATCH_DUMP_STRIKE : 0) |
           (recipe->dumps & 1u << DUMP_BEFORE_KILL ? WATCH_DUMP_KILL : 0);
}
