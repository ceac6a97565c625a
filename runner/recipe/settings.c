/* Settings as numbers: deadlines, ladder, limits, and how a case may be placed. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <signal.h>

/* ---- one setting each ---- */

/* What cannot be read has been refused already. */
static nanos span_of(struct cooking *k, const struct node *scalar)
{
    nanos span = 0;

    span_parse(node_text(scalar, k->arena), &span);
    return span;
}

static bool take_timeout(struct cooking *k, const struct setting_value *value)
{
    k->recipe->timeout = span_of(k, value->node);
    k->recipe->timeout_from = value->origin;
    return true;
}

static bool take_slow(struct cooking *k, const struct setting_value *value)
{
    k->recipe->slow = span_of(k, value->node);
    return true;
}

static bool take_output_limit(struct cooking *k, const struct setting_value *value)
{
    schema_size(node_text(value->node, k->arena), &k->recipe->output_limit);
    k->recipe->output_limit_from = value->origin;
    return true;
}

static bool take_leak_grace(struct cooking *k, const struct setting_value *value)
{
    k->recipe->leaks.grace = span_of(k, value->node);
    return true;
}

/* ---- the ladder ---- */

static bool add_step(struct cooking *k, const struct node *scalar)
{
    struct ladder *ladder = &k->recipe->ladder;
    struct str text = node_text(scalar, k->arena);
    struct ladder_step step;

    if (!schema_ladder_step(text, &step))
        return true;
    if (ladder->count == LADDER_STEPS_MOST) {
        diag_error(k->diags, scalar->at, "'stop' has more than %d steps", LADDER_STEPS_MOST);
        return false;
    }
    ladder->steps[ladder->count++] = step;
    return true;
}

static bool take_stop(struct cooking *k, const struct setting_value *value)
{
    for (uint32_t i = 0; i < node_list_count(value->node); i++)
        if (!add_step(k, node_list_item(value->node, i)))
            return false;
    return true;
}

/* ---- limits ---- */

static uint64_t as_count(struct cooking *k, const struct node *scalar)
{
    (void)k;
    return (uint64_t)value_number(scalar);
}

static uint64_t as_size(struct cooking *k, const struct node *scalar)
{
    uint64_t bytes = 0;

    schema_size(node_text(scalar, k->arena), &bytes);
    return bytes;
}

/* Whole seconds are what the kernel counts; 0 is no limit, as it is no deadline. */
static uint64_t as_seconds(struct cooking *k, const struct node *scalar)
{
    nanos span = span_of(k, scalar);

    return span ? (uint64_t)((span + NS_PER_S - 1) / NS_PER_S) : RLIM_INFINITY;
}

static const struct {
    const char *key;
    int resource;
    uint64_t (*read)(struct cooking *, const struct node *);
    uint64_t spare; /* from what warns to what ends: XCPU comes a second before KILL */
} limits[] = {
    {"files", RLIMIT_NOFILE, as_count, 0},
    {"core", RLIMIT_CORE, as_size, 0},
    {"cpu", RLIMIT_CPU, as_seconds, 1},
};

/* Not above what we have ourselves: a bound that is lower already holds. */
static void add_limit(struct spawn_spec *spec, int resource, uint64_t most, uint64_t spare)
{
    struct rlimit now;

    if (most == RLIM_INFINITY)
        return;
    if (getrlimit(resource, &now) < 0)
        now.rlim_max = RLIM_INFINITY;
    if (most + spare < now.rlim_max)
        now.rlim_max = most + spare;
    now.rlim_cur = most < now.rlim_max ? most : now.rlim_max;
    spec->limits[spec->limit_count++] = (struct spawn_limit){resource, now};
}

static const struct node *limit_under(const struct setting_value *value, const char *key)
{
    const struct node *scalar = node_get(value->node, key);

    return scalar && scalar->kind != NODE_NULL ? scalar : NULL;
}

static struct setting_origin origin_of(const struct setting_value *value, const char *key)
{
    for (uint32_t i = 0; i < value->part_count; i++)
        if (str_is(value->parts[i].key, key))
            return value->parts[i].origin;
    return value->origin;
}

/* What bounds a tree as a whole is nothing that a process is given. */
static void take_tree_limits(struct cooking *k, const struct setting_value *value)
{
    const struct node *processes = limit_under(value, "processes"), *memory = limit_under(value, "memory");
    struct recipe *recipe = k->recipe;

    if (processes)
        recipe->processes = as_count(k, processes);
    if (memory)
        recipe->memory = as_size(k, memory);
    recipe->processes_from = origin_of(value, "processes");
    recipe->memory_from = origin_of(value, "memory");
}

static bool take_limits(struct cooking *k, const struct setting_value *value)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        const struct node *scalar = limit_under(value, limits[i].key);

        if (scalar)
            add_limit(&k->recipe->spec, limits[i].resource, limits[i].read(k, scalar), limits[i].spare);
    }
    take_tree_limits(k, value);
    return true;
}

/* ---- all of them ---- */

static const struct {
    enum setting setting;
    bool (*take)(struct cooking *k, const struct setting_value *value);
} takes[] = {
    {SET_TIMEOUT, take_timeout},
    {SET_SLOW, take_slow},
    {SET_TIMEOUT_METHOD, take_timeout_method},
    {SET_DUMP, take_dump},
    {SET_RUNTIMES, take_runtimes},
    {SET_STOP, take_stop},
    {SET_OUTPUT_LIMIT, take_output_limit},
    {SET_LIMITS, take_limits},
    {SET_ISOLATE, take_isolate},
    {SET_LEAKS, take_leaks},
    {SET_LEAK_GRACE, take_leak_grace},
};

bool cook_settings(struct cooking *k)
{
    struct setting_value value;

    for (size_t i = 0; i < ARRAY_LEN(takes); i++) {
        if (!cook_get(k, takes[i].setting, &value))
            return false;
        if (value.node && !takes[i].take(k, &value))
            return false;
    }
    return true;
}

bool cook_terms(struct cooking *k, struct terms *terms)
{
    /* What this version does not act on may be wrong all the same. */
    static const enum setting rest[] = {SET_MARKS, SET_MASK, SET_CFLAGS};
    struct setting_value value;

    for (size_t i = 0; i < ARRAY_LEN(rest); i++)
        if (!cook_get(k, rest[i], &value))
            return false;
    if (!cook_get(k, SET_WEIGHT, &value))
        return false;
    terms->weight = value.node ? (uint32_t)value_number(value.node) : 1;
    if (!cook_get(k, SET_SERIAL, &value))
        return false;
    terms->serial = value.node && str_is(value_text(value.node, k->arena), "true");
    if (!cook_get(k, SET_LOCK, &value))
        return false;
    terms->locks = results_lock(k, value.node);
    terms->retry = k->recipe->retry;
    terms->flaky_fails = k->recipe->flaky_fails;
    terms->ending = watch_bound(&k->recipe->ladder, k->kitchen->cap) +
                    watch_dump_bound(recipe_watched_dumps(k->recipe), k->kitchen->cap);
    return true;
}
