#include "matrix/cells/internal.h"
#include "matrix/values/fold.h"
#include "matrix/values/value.h"

#include <math.h>
#include <stdio.h>

#define WORD_BITS 64

/* ---- does a value meet a condition? ---- */

double filter_number(double number)
{
    struct buf text = {0};

    if (fabs(number) < 1e15 && floor(number) == number)
        return number;
    number_format(&text, number);
    number = isnan(number) ? number : number_parse(buf_str(&text));
    buf_release(&text);
    return number;
}

static bool leaf_meets(const struct node *value, const struct node *leaf)
{
    static const struct node nothing = {.kind = NODE_NULL};
    struct node literal = *leaf;

    if (leaf->kind == NODE_NUMBER)
        literal.number = filter_number(leaf->number);
    return value_equal(value ? value : &nothing, &literal);
}

/* No two keys of a mapping are the same without case: matrix_read has seen to that. */
static const struct node *by_name(const struct node *map, struct str key)
{
    for (uint32_t i = 0; map && map->kind == NODE_MAP && i < map->map.count; i++)
        if (fold_equal(map->map.pairs[i].key->string, key))
            return map->map.pairs[i].value;
    return NULL;
}

/* `value[key]`: a list takes any key that reads as a number, rounded down. */
static const struct node *by_key(const struct node *value, struct str key)
{
    double index;

    if (!value || value->kind != NODE_SEQ)
        return by_name(value, key);
    index = floor(number_parse(key));
    return index >= 0 && index < value->seq.count ? value->seq.items[(uint32_t)index] : NULL;
}

/* `value[index]`: a mapping takes the number for a key. */
static const struct node *by_index(const struct node *value, uint32_t index)
{
    char key[16];
    int len = snprintf(key, sizeof key, "%u", index);

    if (!value || value->kind != NODE_SEQ)
        return by_name(value, (struct str){key, (size_t)len});
    return index < value->seq.count ? value->seq.items[index] : NULL;
}

/*
 * Leaf by leaf: an empty container has none and so asks for nothing, and what is not there (NULL) is null.
 * As deep as the filter is, which matrix_read has bounded.
 */
static bool meets(const struct node *value, const struct node *filter)
{
    if (node_is_scalar(filter))
        return leaf_meets(value, filter);
    for (uint32_t i = 0; filter->kind == NODE_SEQ && i < filter->seq.count; i++)
        if (!meets(by_index(value, i), filter->seq.items[i]))
            return false;
    for (uint32_t i = 0; filter->kind == NODE_MAP && i < filter->map.count; i++)
        if (!meets(by_key(value, filter->map.pairs[i].key->string), filter->map.pairs[i].value))
            return false;
    return true;
}

/* ---- sets of rules ---- */

static void clear(uint64_t *set, uint32_t rule)
{
    set[rule / WORD_BITS] &= ~(UINT64_C(1) << rule % WORD_BITS);
}

static void set_all(uint64_t *set, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        set[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
}

/* What each value counts as beside something of another kind. */
static double *numbers_of(struct arena *arena, const struct node *values)
{
    double *numbers = ARENA_ARRAY(arena, double, values->seq.count);

    for (uint32_t v = 0; v < values->seq.count; v++)
        numbers[v] = value_number(values->seq.items[v]);
    return numbers;
}

/*
 * Scalars that are not both strings meet as numbers. Those are read once and not for every pair: there may be
 * 10^8 pairs.
 */
static void take_condition(uint64_t *sets, uint32_t words, uint32_t rule, const struct node *filter,
                           const struct node *values, const double *numbers)
{
    double number = filter->kind == NODE_NUMBER ? filter_number(filter->number) : value_number(filter);

    for (uint32_t v = 0; v < values->seq.count; v++) {
        const struct node *value = values->seq.items[v];
        bool texts = filter->kind == NODE_STRING && value->kind == NODE_STRING;
        bool met = node_is_scalar(filter) && !texts ? numbers[v] == number : meets(value, filter);

        if (!met)
            clear(sets + (size_t)v * words, rule);
    }
}

/* One set per value, all rules in it. */
static uint64_t *full_sets(struct arena *arena, const struct rules *rules, uint32_t values)
{
    uint64_t *sets = ARENA_ARRAY(arena, uint64_t, (size_t)values * rules->words);

    for (uint32_t v = 0; v < values; v++)
        set_all(sets + (size_t)v * rules->words, rules->count);
    return sets;
}

static void take_conditions(struct arena *arena, struct rules *rules, const struct matrix_parts *parts)
{
    double **numbers = ARENA_ARRAY(arena, double *, parts->axis_count); /* [axis][value] */

    for (uint32_t a = 0; a < parts->axis_count; a++)
        numbers[a] = numbers_of(arena, parts->axes[a]->value);
    for (uint32_t r = 0; r < rules->count; r++)
        for (uint32_t f = 0; f < rules->list[r].count; f++) {
            const struct rule_field *field = &rules->list[r].fields[f];
            uint32_t axis = field->key;

            if (axis < parts->axis_count)
                take_condition(rules->fits[axis], rules->words, r, field->pair->value,
                               parts->axes[axis]->value, numbers[axis]);
        }
}

void rules_prepare(struct arena *arena, struct rules *rules, const struct matrix_parts *parts)
{
    rules->words = (rules->count + WORD_BITS - 1) / WORD_BITS;
    rules->axis_count = parts->axis_count;
    rules->fits = ARENA_ARRAY(arena, uint64_t *, parts->axis_count);
    for (uint32_t a = 0; a < parts->axis_count; a++)
        rules->fits[a] = full_sets(arena, rules, parts->axes[a]->value->seq.count);
    take_conditions(arena, rules, parts);
    rules->met = ARENA_ARRAY(arena, uint64_t, ((size_t)parts->axis_count + 1) * rules->words);
    set_all(rules->met, rules->count);
}

void rules_choose(struct rules *rules, uint32_t axis, uint32_t value)
{
    const uint64_t *before = rules->met + (size_t)axis * rules->words;
    const uint64_t *fits = rules->fits[axis] + (size_t)value * rules->words;
    uint64_t *after = rules->met + (size_t)(axis + 1) * rules->words;

    for (uint32_t w = 0; w < rules->words; w++)
        after[w] = before[w] & fits[w];
}

const uint64_t *rules_met(const struct rules *rules)
{
    return rules->met + (size_t)rules->axis_count * rules->words;
}

bool rules_any_met(const struct rules *rules)
{
    const uint64_t *met = rules_met(rules);

    for (uint32_t w = 0; w < rules->words; w++)
        if (met[w])
            return true;
    return false;
}

bool rules_same_met(const struct rules *rules, const uint32_t *row, const uint64_t *met)
{
    for (uint32_t w = 0; w < rules->words; w++) {
        uint64_t word = ~UINT64_C(0);

        for (uint32_t a = 0; a < rules->axis_count; a++)
            word &= rules->fits[a][(size_t)row[a] * rules->words + w];
        if (word != met[w])
            return false;
    }
    return true;
}
