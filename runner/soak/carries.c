/*
 * Which value of an axis carries the failures. Each is compared with the others of its axis among cases that are alike in all
 * else, test and other axes; exactly, and corrected for having asked of all. Within what stands out most it is asked again: what
 * only goes along with it has nothing more to say there.
 */
#include "runner/soak/result.h"

#include <stdlib.h>
#include <string.h>

/* A question. */
struct question {
    const struct soak_result *result;
    const uint32_t *among; /* numbers of cases */
    uint32_t count, axis;
};

static uint32_t value_on(const struct soak_result *result, uint32_t number, uint32_t axis)
{
    for (const uint32_t *v = result->values[number]; *v != NONE; v++)
        if (result->axis_values[*v].axis_at == axis)
            return *v;
    return NONE;
}

static bool has_value(const struct soak_result *result, uint32_t number, uint32_t value)
{
    for (const uint32_t *v = result->values[number]; *v != NONE; v++)
        if (*v == value)
            return true;
    return false;
}

/* ---- layers ---- */

static const uint32_t *skip_axis(const struct question *q, const uint32_t *values)
{
    while (*values != NONE && q->result->axis_values[*values].axis_at == q->axis)
        values++;
    return values;
}

/* By all but the axis that is asked of. */
static int compare_else(const void *x, const void *y, void *user)
{
    const struct question *q = user;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    const uint32_t *u = skip_axis(q, q->result->values[a]), *v = skip_axis(q, q->result->values[b]);

    if (q->result->test_of[a] != q->result->test_of[b])
        return q->result->test_of[a] > q->result->test_of[b] ? 1 : -1;
    while (*u == *v && *u != NONE) {
        u = skip_axis(q, u + 1);
        v = skip_axis(q, v + 1);
    }
    return (*u > *v) - (*u < *v);
}

static int compare_tests(const void *x, const void *y, void *user)
{
    const struct question *q = user;
    uint32_t a = q->result->test_of[*(const uint32_t *)x], b = q->result->test_of[*(const uint32_t *)y];

    return (a > b) - (a < b);
}

static int compare_nothing(const void *x, const void *y, void *user)
{
    (void)x;
    (void)y;
    (void)user;
    return 0;
}

typedef int compare(const void *x, const void *y, void *user);

/* From that with most in common to that with least. */
static compare *const ways[] = {compare_else, compare_tests, compare_nothing};

/* False: in no layer there are both. */
static bool ask_layers(struct question *q, const uint32_t *sorted, compare *alike, uint32_t value, double *p)
{
    struct stats_layer *layers = mem_zero(q->count, sizeof *layers);
    uint32_t count = 0;
    bool any = false;

    for (uint32_t i = 0; i < q->count;) {
        struct tally inside = {0}, outside = {0};
        uint32_t first = i;

        for (; i < q->count && !alike(&sorted[first], &sorted[i], q); i++)
            tally_add(has_value(q->result, sorted[i], value) ? &inside : &outside,
                      q->result->tallies[sorted[i]]);
        any = any || (inside.attempts && outside.attempts);
        if (inside.attempts && outside.attempts && inside.failures + outside.failures)
            layers[count++] =
                (struct stats_layer){inside.failures, inside.attempts, outside.failures, outside.attempts};
    }
    *p = count ? stats_layers_greater(layers, count) : 1;
    free(layers);
    return any;
}

/* ---- one value ---- */

static void sum_up(const struct question *q, struct carrier *carrier)
{
    for (uint32_t i = 0; i < q->count; i++)
        tally_add(has_value(q->result, q->among[i], carrier->value) ? &carrier->inside : &carrier->outside,
                  q->result->tallies[q->among[i]]);
}

/* Where nobody differs in it alone it is asked with less in common: it may be another that goes along. */
static bool ask(struct question *q, uint32_t *const *sorted, uint32_t value, struct carrier *carrier)
{
    *carrier = (struct carrier){.value = value, .p = 1};
    sum_up(q, carrier);
    for (uint32_t i = 0; i < ARRAY_LEN(ways); i++) {
        if (!ask_layers(q, sorted[i], ways[i], value, &carrier->p))
            continue;
        carrier->layered = i == 0;
        return true;
    }
    return false;
}

/* ---- all of them ---- */

struct asked {
    struct carrier *list;
    uint32_t count;
};

static void ask_axis(const struct soak_result *result, const uint32_t *among, uint32_t count, uint32_t axis,
                     struct asked *asked)
{
    uint32_t *with = mem_zero(count + 1, sizeof *with), *sorted[ARRAY_LEN(ways)];
    struct question q = {.result = result, .among = with, .axis = axis};

    for (uint32_t i = 0; i < count; i++)
        if (value_on(result, among[i], axis) != NONE)
            with[q.count++] = among[i];
    for (uint32_t way = 0; way < ARRAY_LEN(ways); way++) {
        sorted[way] = mem_zero(count + 1, sizeof *with);
        memcpy(sorted[way], with, q.count * sizeof *with);
        qsort_r(sorted[way], q.count, sizeof *with, ways[way], &q);
    }
    for (uint32_t value = 0; q.count && value < result->value_count; value++)
        if (result->axis_values[value].axis_at == axis && ask(&q, sorted, value, &asked->list[asked->count]))
            asked->count++;
    for (uint32_t way = 0; way < ARRAY_LEN(ways); way++)
        free(sorted[way]);
    free(with);
}

/* What all else being equal carries it before what cannot be told from others; then the surest. */
static int compare_carriers(const void *x, const void *y, void *user)
{
    const struct carrier *a = x, *b = y;
    double sure = *(const double *)user;
    bool a_named = a->p < sure && a->layered, b_named = b->p < sure && b->layered;

    if (a_named != b_named)
        return a_named ? -1 : 1;
    if (a->p != b->p)
        return a->p > b->p ? 1 : -1;
    return (a->value > b->value) - (a->value < b->value);
}

static void correct(struct asked *asked, double sure)
{
    double *p = mem_zero(asked->count + 1, sizeof *p);

    for (uint32_t i = 0; i < asked->count; i++)
        p[i] = asked->list[i].p;
    stats_holm(p, asked->count);
    for (uint32_t i = 0; i < asked->count; i++)
        asked->list[i].p = p[i];
    free(p);
    qsort_r(asked->list, asked->count, sizeof *asked->list, compare_carriers, &sure);
}

static double sure_of(const struct soak_result *result)
{
    return result->chain_count ? SURE_BESIDES : SURE;
}

/* Of the values of all axes but those that are given. */
static void ask_all(const struct soak_result *result, const uint32_t *among, uint32_t count,
                    struct asked *asked)
{
    asked->list = mem_zero(result->value_count + 1, sizeof *asked->list);
    asked->count = 0;
    for (uint32_t axis = 0; axis < result->axis_count; axis++) {
        bool given = false;

        for (uint32_t i = 0; i < result->chain_count; i++)
            given = given || result->axis_values[result->chain[i].value].axis_at == axis;
        if (!given)
            ask_axis(result, among, count, axis, asked);
    }
    correct(asked, sure_of(result));
}

static bool same_cases(const struct soak_result *result, const uint32_t *among, uint32_t count, uint32_t a,
                       uint32_t b)
{
    for (uint32_t i = 0; i < count; i++)
        if (has_value(result, among[i], a) != has_value(result, among[i], b))
            return false;
    return true;
}

static void find_companions(const struct soak_result *result, const uint32_t *among, uint32_t count,
                            const struct asked *asked, struct carrier *carrier)
{
    for (uint32_t i = 0; i < asked->count && carrier->with_count < WITH_MOST; i++)
        if (asked->list[i].value != carrier->value &&
            same_cases(result, among, count, asked->list[i].value, carrier->value))
            carrier->with[carrier->with_count++] = asked->list[i].value;
}

/* Others that stand out by themselves, besides the first. */
static void keep_others(struct soak_result *result, const struct asked *asked)
{
    result->also = ARENA_ARRAY(result->arena, struct carrier, asked->count + 1);
    for (uint32_t i = 1; i < asked->count; i++)
        if (asked->list[i].p < SURE_BESIDES && asked->list[i].layered)
            result->also[result->also_count++] = asked->list[i];
}

/* False: nothing stands out among them. */
static bool find_next(struct soak_result *result, uint32_t *among, uint32_t *count)
{
    struct carrier *carrier = &result->chain[result->chain_count];
    struct asked asked;
    uint32_t kept = 0;

    ask_all(result, among, *count, &asked);
    if (!result->chain_count)
        result->asked = asked.count;
    if (!asked.count || asked.list[0].p >= sure_of(result)) {
        free(asked.list);
        return false;
    }
    *carrier = asked.list[0];
    find_companions(result, among, *count, &asked, carrier);
    if (!result->chain_count)
        keep_others(result, &asked);
    result->chain_count++;
    for (uint32_t i = 0; i < *count; i++)
        if (has_value(result, among[i], carrier->value))
            among[kept++] = among[i];
    *count = kept;
    free(asked.list);
    return true;
}

/* What is named within the first is not named beside it. */
static void drop_repeated(struct soak_result *result)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < result->also_count; i++) {
        bool repeated = false;

        for (uint32_t c = 1; c < result->chain_count; c++)
            repeated = repeated || result->chain[c].value == result->also[i].value;
        if (!repeated)
            result->also[kept++] = result->also[i];
    }
    result->also_count = kept;
}

void result_find_carriers(struct soak_result *result)
{
    uint32_t *among = mem_zero(result->count, sizeof *among), count = result->count;

    for (uint32_t i = 0; i < count; i++)
        among[i] = i;
    while (result->chain_count < CARRIERS_MOST && find_next(result, among, &count))
        continue;
    drop_repeated(result);
    free(among);
}
