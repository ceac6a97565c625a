/* Settings that the command line says, above all others. */
#include "runner/front.h"

static struct node *word(struct invocation *in, const char *text)
{
    return node_string(in->arena, (struct place){0}, str_of(text));
}

static void put(struct invocation *in, struct node *map, const char *key, const struct node *value)
{
    if (value)
        map->map.pairs[map->map.count++] = (struct pair){word(in, key), value};
}

static bool override(struct invocation *in, struct node *map, enum setting setting, const struct node *value)
{
    size_t errors = in->diags->errors;

    put(in, map, setting_key(setting), value);
    return !value || (schema_check_setting(setting, value, in->diags) && in->diags->errors == errors);
}

static const struct node *text_of(struct invocation *in, const char *text)
{
    return text ? word(in, text) : NULL;
}

/* "failed,timeout" */
static const struct node *list_of(struct invocation *in, const char *text)
{
    struct str rest = str_of(text);
    struct node *list;
    size_t end;

    if (!text)
        return NULL;
    list = node_seq(in->arena, (struct place){0}, (uint32_t)rest.len + 1);
    list->seq.count = 0;
    while (str_find(rest, ",", &end)) {
        list->seq.items[list->seq.count++] =
            node_string(in->arena, (struct place){0}, str_slice(rest, 0, end));
        rest = str_slice(rest, end + 1, rest.len);
    }
    list->seq.items[list->seq.count++] = node_string(in->arena, (struct place){0}, rest);
    return list;
}

/* Only what is said: the rest of a policy holds as the file has it. */
static const struct node *retries_of(struct invocation *in)
{
    const struct options *o = in->options;
    struct node *map = node_map(in->arena, (struct place){0}, 3);

    map->map.count = 0;
    if (o->retries >= 0)
        put(in, map, "count", word(in, arena_printf(in->arena, "%lld", (long long)o->retries)));
    put(in, map, "on", list_of(in, o->retry_on));
    put(in, map, "when", text_of(in, o->retry_when));
    return map->map.count ? map : NULL;
}

const struct node *front_overrides(struct invocation *in)
{
    const struct options *o = in->options;
    struct node *map = node_map(in->arena, (struct place){0}, 3);

    map->map.count = 0;
    if (override(in, map, SET_TIMEOUT, text_of(in, o->timeout)) &&
        override(in, map, SET_RETRIES, retries_of(in)) &&
        override(in, map, SET_FLAKY_RESULT, text_of(in, o->flaky_result)))
        return map;
    return NULL;
}
