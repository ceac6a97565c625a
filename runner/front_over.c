/* Settings that the command line says, above all others. */
#include "runner/front.h"

static bool override(struct invocation *in, struct node *map, enum setting setting, const char *value)
{
    struct node *node;
    size_t errors = in->diags->errors;

    if (!value)
        return true;
    node = node_string(in->arena, (struct place){0}, str_of(value));
    map->map.pairs[map->map.count++] =
        (struct pair){node_string(in->arena, (struct place){0}, str_of(setting_key(setting))), node};
    return schema_check_setting(setting, node, in->diags) && in->diags->errors == errors;
}

const struct node *front_overrides(struct invocation *in)
{
    const struct options *o = in->options;
    struct node *map = node_map(in->arena, (struct place){0}, 3);
    const char *retries = o->retries < 0 ? NULL : arena_printf(in->arena, "%lld", (long long)o->retries);

    map->map.count = 0;
    if (override(in, map, SET_TIMEOUT, o->timeout) && override(in, map, SET_RETRIES, retries) &&
        override(in, map, SET_FLAKY_RESULT, o->flaky_result))
        return map;
    return NULL;
}
