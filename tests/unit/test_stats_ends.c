/* Ends that are none of a plan's, and soaks that are not of one rate: what holds there, by all paths. */
#include "runner/stats/stats.h"
#include "tests/unit/stats_stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- whenever one likes ---- */

/* Whoever ends where the interval is wrong, and goes on for as long as it is right. */
struct doubter {
    double rate, wrong;
    struct stats_interval *known; /* by failures and attempts */
};

#define DOUBTED 150

static struct stats_interval at_any_time(struct doubter *doubter, uint64_t failures, uint64_t attempts)
{
    struct stats_interval *is = &doubter->known[failures * (DOUBTED + 1) + attempts];

    if (is->high == 0)
        *is = stats_interval_at_any_time(failures, attempts, 0.9);
    return *is;
}

static bool is_wrong(void *user, uint64_t failures, uint64_t attempts)
{
    struct doubter *doubter = user;
    struct stats_interval is = at_any_time(doubter, failures, attempts);

    return doubter->rate < is.low || doubter->rate > is.high;
}

static void note_wrong(void *user, uint64_t failures, uint64_t attempts, double weight)
{
    struct doubter *doubter = user;

    if (is_wrong(user, failures, attempts))
        doubter->wrong += weight;
}

static void test_at_any_time(void **state)
{
    struct doubter doubter = {.known = calloc((DOUBTED + 1) * (DOUBTED + 1), sizeof *doubter.known)};
    double most = 0;

    (void)state;
    for (doubter.rate = 0.001; doubter.rate < 1; doubter.rate *= 1.5) {
        doubter.wrong = 0;
        each_path(doubter.rate, DOUBTED, is_wrong, note_wrong, &doubter);
        assert_true(doubter.wrong <= 0.1);
        most = fmax(most, doubter.wrong);
    }
    assert_true(most > 0.02); /* else it would be wider than it has to be */
    free(doubter.known);
}

/* ---- counts ---- */

/* A count, and the first failure, or a count before it: there Clopper and Pearson's holds. */
static bool never(void *user, uint64_t failures, uint64_t attempts)
{
    (void)user;
    (void)failures;
    (void)attempts;
    return false;
}

static bool has_failed(void *user, uint64_t failures, uint64_t attempts)
{
    (void)user;
    (void)attempts;
    return failures > 0;
}

struct tally {
    double rate, under, over;
};

static void note_clopper_pearson(void *user, uint64_t failures, uint64_t attempts, double weight)
{
    struct tally *tally = user;
    struct stats_interval is = stats_interval(failures, attempts, 0.9);

    tally->under += tally->rate < is.low ? weight : 0;
    tally->over += tally->rate > is.high ? weight : 0;
}

static void test_where_clopper_pearson_holds(void **state)
{
    static bool (*const ends[])(void *, uint64_t, uint64_t) = {never, has_failed};

    (void)state;
    for (double rate = 0.0005; rate < 1; rate *= 1.6)
        for (size_t e = 0; e < 2; e++)
            for (uint64_t attempts = 1; attempts <= 200; attempts = attempts * 3 + 1) {
                struct tally tally = {rate, 0, 0};

                each_path(rate, attempts, ends[e], note_clopper_pearson, &tally);
                assert_true(tally.under <= 0.05 && tally.over <= 0.05);
            }
}

/* ---- several cases ---- */

/*
 * All flakes are of one case of `cases`, which run in rounds, each in an order of its own, and one after another are asked about together.
 * Where that one is in a round is chance too: `ran` says that it has been.
 */
struct rounds {
    double at[2][PATHS_FAILURES]; /* by ran */
    double wrong;                 /* said of them, what is not so */
};

static void round_begins(struct rounds *rounds)
{
    for (uint64_t k = 0; k < PATHS_FAILURES; k++) {
        rounds->at[0][k] += rounds->at[1][k];
        rounds->at[1][k] = 0;
    }
}

/* It runs with the chance of one among those that have not run in this round; it goes first in none of them and in all alike. */
static void one_runs(struct rounds *rounds, uint64_t waiting, double rate)
{
    double chance = 1 / (double)waiting;

    for (uint64_t k = PATHS_FAILURES - 1; k > 0; k--) {
        rounds->at[1][k] += rounds->at[0][k] * chance * (1 - rate) + rounds->at[0][k - 1] * chance * rate;
        rounds->at[0][k] *= 1 - chance;
    }
    rounds->at[1][0] += rounds->at[0][0] * chance * (1 - rate);
    rounds->at[0][0] *= 1 - chance;
}

static void those_end(struct rounds *rounds, const struct stats_plan *plan, uint64_t attempts,
                      enum stats_decision wrong)
{
    for (uint64_t k = 0; k < PATHS_FAILURES; k++) {
        enum stats_decision decision;

        if (rounds->at[0][k] + rounds->at[1][k] < 1e-15)
            continue;
        decision = stats_decide(plan, k, attempts);
        if (decision == wrong)
            rounds->wrong += rounds->at[0][k] + rounds->at[1][k];
        if (decision != STATS_OPEN)
            rounds->at[0][k] = rounds->at[1][k] = 0;
    }
}

static double wrong_of_rounds(uint64_t cases, double rate, double part, uint64_t attempts)
{
    struct stats_plan plan = stats_plan(rate / (double)cases / part, 0.95);
    struct rounds *rounds = calloc(1, sizeof *rounds);
    double wrong;

    rounds->at[0][0] = 1;
    for (uint64_t n = 0; n < attempts; n++) {
        if (n % cases == 0)
            round_begins(rounds);
        one_runs(rounds, cases - n % cases, rate);
        those_end(rounds, &plan, n + 1, part < 1 ? STATS_NOT_BELOW : STATS_BELOW);
    }
    wrong = rounds->wrong;
    free(rounds);
    return wrong;
}

/* Rates that differ spread less than those that do not. */
static void test_cases_in_rounds(void **state)
{
    static const uint64_t cases[] = {2, 7, 40};
    static const double rates[] = {0.1, 0.5, 1};

    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(cases); c++)
        for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
            double below = wrong_of_rounds(cases[c], rates[r], 1, 40 * cases[c]);
            double not_below = wrong_of_rounds(cases[c], rates[r], 1 - 1e-9, 40 * cases[c]);

            if (below > 0.05 || not_below > 0.05)
                fail_msg("one of %d, %g: %g, %g", (int)cases[c], rates[r], below, not_below);
        }
    assert_true(wrong_of_rounds(7, 0.1, 1, 280) > 0.03); /* it is reckoned at all */
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_any_time),
        cmocka_unit_test(test_where_clopper_pearson_holds),
        cmocka_unit_test(test_cases_in_rounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
