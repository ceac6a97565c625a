/* Cases by what they have in common: their test, their cell, each value of an axis. */
#include "runner/soak/result.h"

#include "runner/base/id.h"

#include <stdlib.h>
#include <string.h>

/* ---- values ---- */

struct seen {
    struct str axis, value;
    uint32_t number, at; /* of the case, and where it stands there */
};

static int compare_texts(const struct seen *a, const struct seen *b)
{
    int order = str_cmp(a->axis, b->axis);

    return order ? order : str_cmp(a->value, b->value);
}

static int compare_seen(const void *x, const void *y)
{
    const struct seen *a = x, *b = y;
    int order = compare_texts(a, b);

    if (order)
        return order;
    return a->number != b->number ? (a->number > b->number) - (a->number < b->number)
                                  : (a->at > b->at) - (a->at < b->at);
}

static struct seen *list_seen(const struct soak_result *result, size_t *count)
{
    struct seen *list;
    size_t all = 0;

    for (uint32_t i = 0; i < result->count; i++)
        all += result->cases[i].value_count;
    list = mem_zero(all + 1, sizeof *list);
    *count = 0;
    for (uint32_t i = 0; i < result->count; i++)
        for (uint32_t v = 0; v < result->cases[i].value_count; v++)
            list[(*count)++] = (struct seen){
                .axis = result->cases[i].values[v].axis,
                .value = result->cases[i].values[v].value,
                .number = i,
                .at = v,
            };
    qsort(list, all, sizeof *list, compare_seen);
    return list;
}

static bool same_value(const struct seen *a, const struct seen *b)
{
    return !compare_texts(a, b);
}

/* A case that names one twice has it once. */
static void give_values(struct soak_result *result, const struct seen *list, size_t count)
{
    uint32_t *filled = mem_zero(result->count, sizeof *filled);

    result->values = ARENA_ARRAY(result->arena, uint32_t *, result->count);
    for (uint32_t i = 0; i < result->count; i++) {
        result->values[i] = ARENA_ARRAY(result->arena, uint32_t, result->cases[i].value_count + 1);
        memset(result->values[i], 0xff, (result->cases[i].value_count + 1) * sizeof(uint32_t));
    }
    for (size_t i = 0; i < count; i++) {
        bool again = i && same_value(&list[i - 1], &list[i]);
        bool axis_again = i && str_eq(list[i - 1].axis, list[i].axis);
        uint32_t number = list[i].number;

        result->axis_count += !axis_again;
        if (!again)
            result->axis_values[result->value_count++] = (struct axis_value){
                .axis = list[i].axis,
                .value = list[i].value,
                .first = number,
                .at = list[i].at,
                .axis_at = result->axis_count - 1,
            };
        if (!again || list[i - 1].number != number)
            result->values[number][filled[number]++] = result->value_count - 1;
    }
    free(filled);
}

/* Axes as cases have them, values of each as they come. */
static int compare_shown(const void *x, const void *y, void *user)
{
    const struct soak_result *result = user;
    const struct axis_value *a = &result->axis_values[*(const uint32_t *)x];
    const struct axis_value *b = &result->axis_values[*(const uint32_t *)y];

    if (a->axis_at != b->axis_at)
        return a->at != b->at ? (a->at > b->at) - (a->at < b->at)
                              : (a->axis_at > b->axis_at) - (a->axis_at < b->axis_at);
    return (a->first > b->first) - (a->first < b->first);
}

/* An axis stands where its first case has it, whatever other cases leave out. */
static void order_values(struct soak_result *result)
{
    uint32_t *place = mem_zero(result->axis_count + 1, sizeof *place),
             *first = mem_zero(result->axis_count + 1, sizeof *first);

    memset(first, 0xff, (result->axis_count + 1) * sizeof *first);
    for (uint32_t i = 0; i < result->value_count; i++) {
        const struct axis_value *value = &result->axis_values[i];

        if (value->first < first[value->axis_at]) {
            first[value->axis_at] = value->first;
            place[value->axis_at] = value->at;
        }
    }
    result->shown = ARENA_ARRAY(result->arena, uint32_t, result->value_count + 1);
    for (uint32_t i = 0; i < result->value_count; i++) {
        result->axis_values[i].at = place[result->axis_values[i].axis_at];
        result->shown[i] = i;
    }
    qsort_r(result->shown, result->value_count, sizeof *result->shown, compare_shown, result);
    free(place);
    free(first);
}

static void name_values(struct soak_result *result)
{
    size_t count;
    struct seen *list = list_seen(result, &count);

    result->axis_values = ARENA_ARRAY(result->arena, struct axis_value, count + 1);
    give_values(result, list, count);
    order_values(result);
    for (uint32_t i = 0; i < result->count; i++)
        for (const uint32_t *v = result->values[i]; *v != NONE; v++) {
            tally_add(&result->axis_values[*v].tally, result->tallies[i]);
        }
    free(list);
}

/* ---- tests ---- */

static int compare_tests(const void *x, const void *y, void *user)
{
    const struct soak_result *result = user;
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    int order = str_cmp(result->cases[a].test, result->cases[b].test);

    return order ? order : (a > b) - (a < b);
}

static uint32_t *numbers(const struct soak_result *result)
{
    uint32_t *list = mem_zero(result->count, sizeof *list);

    for (uint32_t i = 0; i < result->count; i++)
        list[i] = i;
    return list;
}

static void name_tests(struct soak_result *result)
{
    uint32_t *list = numbers(result);

    result->tests = ARENA_ARRAY(result->arena, struct str, result->count);
    result->test_tallies = ARENA_ARRAY(result->arena, struct tally, result->count);
    result->test_of = ARENA_ARRAY(result->arena, uint32_t, result->count);
    qsort_r(list, result->count, sizeof *list, compare_tests, result);
    for (uint32_t i = 0; i < result->count; i++) {
        struct str test = result->cases[list[i]].test;
        uint32_t at;

        if (!result->test_count || !str_eq(result->tests[result->test_count - 1], test))
            result->tests[result->test_count++] = test;
        at = result->test_count - 1;
        result->test_of[list[i]] = at;
        result->test_tallies[at].failures += result->tallies[list[i]].failures;
        result->test_tallies[at].attempts += result->tallies[list[i]].attempts;
    }
    free(list);
}

/* ---- cells ---- */

static int compare_cells(const void *x, const void *y, void *user)
{
    const struct soak_result *result = user;
    const uint32_t *a = result->values[*(const uint32_t *)x], *b = result->values[*(const uint32_t *)y];

    while (*a == *b && *a != NONE)
        a++, b++;
    return (*a > *b) - (*a < *b);
}

static int compare_first(const void *x, const void *y)
{
    const struct cell *a = x, *b = y;

    return (a->like > b->like) - (a->like < b->like);
}

static void name_cells(struct soak_result *result)
{
    uint32_t *list = numbers(result);

    result->cells = ARENA_ARRAY(result->arena, struct cell, result->count);
    qsort_r(list, result->count, sizeof *list, compare_cells, result);
    for (uint32_t i = 0; i < result->count; i++) {
        const struct soak_case *c = &result->cases[list[i]];
        struct cell *cell;

        if (!i || compare_cells(&list[i - 1], &list[i], result))
            result->cells[result->cell_count++].like = c;
        cell = &result->cells[result->cell_count - 1];
        if (c < cell->like)
            cell->like = c;
        tally_add(&cell->tally, result->tallies[list[i]]);
    }
    qsort(result->cells, result->cell_count, sizeof *result->cells, compare_first);
    free(list);
}

void result_name(struct soak_result *result)
{
    name_values(result);
    name_tests(result);
    name_cells(result);
}

void cell_name(const struct soak_case *like, struct buf *out)
{
    for (uint32_t v = 0; v < like->value_count; v++) {
        if (v)
            buf_addc(out, ',');
        id_escape(out, like->values[v].axis);
        buf_addc(out, '=');
        id_escape(out, like->values[v].value);
    }
}
