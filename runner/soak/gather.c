/*
 * Are failures of the same test, or do they go around? Of the same where one has more of them than its share of the attempts
 * explains; going around only where that would have been seen, had they all been of one.
 */
#include "runner/soak/result.h"

#include <math.h>
#include <stdlib.h>

struct shares {
    uint64_t *failures, *attempts;
    uint32_t *test; /* which it is */
    uint32_t count;
    double questions; /* of this sort that are asked */
};

/* How surely `which` stands out, for so many questions as are asked. */
static double concentrated(const struct shares *shares, uint32_t *which)
{
    double p = stats_concentrated(shares->failures, shares->attempts, shares->count, which);

    return shares->count > 1 ? fmin(1, p * shares->questions) : 1;
}

/* Had all been of the one that stands out most, would it have been seen? */
static bool would_be_seen(const struct shares *shares)
{
    struct shares moved = *shares;
    uint64_t all = 0;
    uint32_t at;
    bool seen;

    concentrated(shares, &at);
    moved.failures = mem_zero(shares->count, sizeof *moved.failures);
    for (uint32_t i = 0; i < shares->count; i++)
        all += shares->failures[i];
    moved.failures[at] = all;
    seen = all <= shares->attempts[at] && concentrated(&moved, &at) < SURE;
    free(moved.failures);
    return seen;
}

static uint32_t hit(const struct shares *shares)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < shares->count; i++)
        count += shares->failures[i] > 0;
    return count;
}

static void remove_at(struct shares *shares, uint32_t at)
{
    shares->count--;
    shares->failures[at] = shares->failures[shares->count];
    shares->attempts[at] = shares->attempts[shares->count];
    shares->test[at] = shares->test[shares->count];
}

static void gather(struct shares *shares, struct gathered *gathered)
{
    uint32_t at;

    *gathered = (struct gathered){.p = concentrated(shares, &at)};
    for (uint32_t i = 0; i < shares->count; i++)
        gathered->failures += shares->failures[i];
    if (gathered->p >= SURE) {
        if (hit(shares) > 1 && would_be_seen(shares))
            gathered->how = GATHER_ROTATING;
        return;
    }
    gathered->how = GATHER_SAME;
    do {
        gathered->tests[gathered->count++] = shares->test[at];
        gathered->theirs += shares->failures[at];
        remove_at(shares, at);
    } while (gathered->count < SAME_MOST && concentrated(shares, &at) < SURE);
}

/* Tests that have been run. `failures`: of each test. */
static void gather_tests(const struct soak_result *result, const uint64_t *failures, uint32_t questions,
                         struct gathered *gathered)
{
    struct shares shares = {
        .failures = mem_zero(result->test_count, sizeof *shares.failures),
        .attempts = mem_zero(result->test_count, sizeof *shares.attempts),
        .test = mem_zero(result->test_count, sizeof *shares.test),
        .questions = questions,
    };

    for (uint32_t i = 0; i < result->test_count; i++) {
        if (!result->test_tallies[i].attempts)
            continue;
        shares.failures[shares.count] = failures[i];
        shares.attempts[shares.count] = result->test_tallies[i].attempts;
        shares.test[shares.count++] = i;
    }
    gather(&shares, gathered);
    free(shares.failures);
    free(shares.attempts);
    free(shares.test);
}

static int compare_kinds(const void *x, const void *y)
{
    const struct kind_result *a = x, *b = y;

    if (a->kind->count != b->kind->count)
        return a->kind->count < b->kind->count ? 1 : -1;
    return (a->kind > b->kind) - (a->kind < b->kind);
}

static void gather_kind(const struct soak_result *result, uint32_t number, uint64_t *failures,
                        struct kind_result *kind)
{
    const struct state_totals *totals = &result->state.head->totals;
    uint64_t paired = 0;

    for (uint32_t i = 0; i < result->test_count; i++)
        failures[i] = 0;
    for (uint32_t i = 0; i < totals->pairs; i++) {
        const struct state_pair *pair = &result->state.pairs[i];

        if (pair->kind != number)
            continue;
        failures[result->test_of[pair->number]] += pair->count;
        paired += pair->count;
        kind->cases++;
    }
    if (paired == kind->kind->count)
        gather_tests(result, failures, totals->kinds, &kind->gathered);
    else
        kind->cases = 0;
}

void result_gather(struct soak_result *result)
{
    uint64_t *failures = mem_zero(result->test_count + 1, sizeof *failures);

    for (uint32_t i = 0; i < result->test_count; i++)
        failures[i] = result->test_tallies[i].failures;
    gather_tests(result, failures, 1, &result->gathered);
    result->kind_count = result->state.head->totals.kinds;
    result->kinds = ARENA_ARRAY(result->arena, struct kind_result, result->kind_count + 1);
    for (uint32_t i = 0; i < result->kind_count; i++) {
        result->kinds[i].kind = &result->state.kinds[i];
        gather_kind(result, i, failures, &result->kinds[i]);
    }
    qsort(result->kinds, result->kind_count, sizeof *result->kinds, compare_kinds);
    free(failures);
}
