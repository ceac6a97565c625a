/* What becomes of a case that fails: is it run again, does it count. */
#include "runner/recipe/internal.h"

#include "runner/base/date.h"
#include "runner/base/mem.h"

#define LONGEST_WAIT (60 * NS_PER_S) /* where `backoff` does not say it */

/* ---- waits ---- */

/* From 0 to less than 1, evenly, for seeds that are anything but even. */
static double share_of(uint64_t seed)
{
    seed = (seed ^ seed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94d049bb133111eb);
    seed ^= seed >> 31;
    return (double)(seed >> 11) / (double)(UINT64_C(1) << 53);
}

nanos retry_wait(const struct retry_policy *policy, uint32_t retry, uint64_t seed)
{
    nanos wait = policy->first;

    for (uint32_t i = 1; i < retry && policy->factor > 1 && wait < policy->longest; i++)
        wait = wait > policy->longest / policy->factor ? policy->longest : wait * policy->factor;
    if (wait > policy->longest)
        wait = policy->longest;
    return wait - (nanos)((double)wait * policy->jitter * share_of(seed));
}

/* ---- retries ---- */

static nanos span_of(struct cooking *k, const struct node *scalar, nanos otherwise)
{
    nanos span = otherwise;

    if (scalar && scalar->kind != NODE_NULL)
        span_parse(node_text(scalar, k->arena), &span);
    return span;
}

static unsigned classes_of(struct cooking *k, const struct node *list)
{
    static const struct {
        const char *word;
        bool builtin;
    } classes[] = {
#define X(id, word, builtin) [id] = {word, builtin},
        RETRY_CLASSES(X)
#undef X
    };
    unsigned on = 0;

    for (unsigned c = 0; c < RETRY_CLASS_COUNT; c++) {
        if (!list && classes[c].builtin)
            on |= 1u << c;
        for (uint32_t i = 0; i < node_list_count(list); i++)
            if (str_is(node_text(node_list_item(list, i), k->arena), classes[c].word))
                on |= 1u << c;
    }
    return on;
}

static void take_backoff(struct cooking *k, const struct node *backoff, struct retry_policy *policy)
{
    const struct node *factor, *jitter;

    if (backoff->kind != NODE_MAP) {
        policy->first = policy->longest = span_of(k, backoff, 0);
        policy->factor = 1;
        return;
    }
    factor = node_get(backoff, "factor");
    jitter = node_get(backoff, "jitter");
    policy->first = span_of(k, node_get(backoff, "first"), 0);
    policy->longest = span_of(k, node_get(backoff, "most"), LONGEST_WAIT);
    policy->factor = factor && factor->kind != NODE_NULL ? (uint32_t)value_number(factor) : 2;
    if (jitter && jitter->kind != NODE_NULL)
        schema_percent(node_text(jitter, k->arena), &policy->jitter);
}

static uint32_t count_of(const struct node *number)
{
    return number && number->kind != NODE_NULL ? (uint32_t)value_number(number) : 0;
}

/* Who sits at a debugger runs a case again himself. */
static void take_retries(struct cooking *k, const struct setting_value *value)
{
    struct retry_policy *policy = &k->recipe->retry;
    const struct node *node = value->node, *part;

    *policy = (struct retry_policy){.on = classes_of(k, NULL), .factor = 1};
    if (k->kitchen->before.debugs)
        return;
    if (node->kind != NODE_MAP) {
        policy->most = count_of(node);
        return;
    }
    policy->most = count_of(node_get(node, "count"));
    part = node_get(node, "on");
    if (part && part->kind != NODE_NULL)
        policy->on = classes_of(k, part);
    part = node_get(node, "when");
    policy->at_end = part && str_is(node_text(part, k->arena), "end");
    part = node_get(node, "backoff");
    if (part && part->kind != NODE_NULL)
        take_backoff(k, part, policy);
}

/* ---- does it count ---- */

static void take_flaky_result(struct cooking *k, const struct setting_value *value)
{
    k->recipe->flaky_fails = str_is(node_text(value->node, k->arena), "fail");
}

static struct str text_in(const struct node *map, const char *key, struct arena *arena)
{
    const struct node *node = node_get(map, key);

    return node && node->kind != NODE_NULL ? node_text(node, arena) : (struct str){0};
}

struct quarantine recipe_quarantine(const struct node *setting, struct arena *arena)
{
    return (struct quarantine){
        text_in(setting, "owner", arena),
        text_in(setting, "reason", arena),
        text_in(setting, "until", arena),
    };
}

static void take_quarantine(struct cooking *k, const struct setting_value *value)
{
    struct quarantine *quarantine = &k->recipe->quarantine;
    int64_t last;

    *quarantine = recipe_quarantine(value->node, k->arena);
    k->recipe->quarantined = date_days(quarantine->until, &last) && k->kitchen->today <= last;
}

bool cook_again(struct cooking *k)
{
    static const struct {
        enum setting setting;
        void (*take)(struct cooking *k, const struct setting_value *value);
    } takes[] = {
        {SET_RETRIES, take_retries},
        {SET_FLAKY_RESULT, take_flaky_result},
        {SET_QUARANTINE, take_quarantine},
    };
    struct setting_value value;

    for (size_t i = 0; i < ARRAY_LEN(takes); i++) {
        if (!cook_get(k, takes[i].setting, &value))
            return false;
        if (value.node)
            takes[i].take(k, &value);
    }
    return true;
}
