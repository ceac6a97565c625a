/* The sequential test: how often it is wrong, by what comes of all paths that a soak may take, and what intervals hold at its end. */
#include "runner/stats/stats.h"
#include "tests/unit/stats_stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* ---- the plan ---- */

static const struct clean {
    double below, confidence;
    uint64_t attempts;
} cleans[] = {
    {0.003, 0.95, 998},       {0.05, 0.95, 59},    {0.01, 0.95, 299},
    {0.01, 0.99, 459},        {0.001, 0.95, 2995}, /* 2994.2 would do for one look: 2995 leaves enough */
    {1e-9, 0.95, 2995732273}, {0.5, 0.95, 5},      {0.9, 0.95, 2},
    {0.99, 0.9, 1},           {0.5, 0.75, 3}, /* two would be all of the error */
    {0.1, 0.19, 3},           {1, 0.95, 1},
};

static void test_clean_attempts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cleans); i++) {
        const struct clean *c = &cleans[i];
        struct stats_plan plan = stats_plan(c->below, c->confidence);

        if (stats_needed(&plan, 0) != c->attempts)
            fail_msg("%g: %llu attempts, not %llu", c->below, (unsigned long long)stats_needed(&plan, 0),
                     (unsigned long long)c->attempts);
    }
}

/* The tables of docs/statistics.md; tests/extra/stats.py plans the same, attempt by attempt. */
static void test_tables(void **state)
{
    static const uint64_t failures[] = {0, 1, 2, 3, 4, 5, 10};
    static const struct {
        double confidence;
        uint64_t needed[7];
    } rows[] = {{0.9, {767, 3366, 4462, 5377, 6198, 6963, 10317}},
                {0.95, {998, 3555, 4658, 5578, 6407, 7176, 10549}},
                {0.99, {1534, 4133, 5268, 6215, 7062, 7849, 11295}}};
    static const uint64_t too_many[7] = {0, 8, 57, 134, 235, 350, 1084};

    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        struct stats_plan plan = stats_plan(0.003, rows[r].confidence);

        for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
            assert_int_equal(stats_needed(&plan, failures[i]), rows[r].needed[i]);
            if (rows[r].confidence == 0.95)
                assert_int_equal(stats_too_many(&plan, failures[i]), too_many[i]);
        }
    }
}

/* As few as for one look, or one more, and then something is left for the other looks. */
static void test_clean_attempts_of_any(void **state)
{
    struct chance chance = {2};

    (void)state;
    for (int i = 0; i < 80; i++) {
        double below = exp(-7 * chance_share(&chance)), confidence = 1 - exp(-9 * chance_share(&chance));
        double one = ceil(log(1 - confidence) / log1p(-below));
        struct stats_plan plan = stats_plan(below, confidence);
        double attempts = (double)stats_needed(&plan, 0);

        if (one < 1)
            one = 1;
        if (attempts != one && attempts != one + 1)
            fail_msg("%g, %g: %g attempts, not %g", below, confidence, attempts, one);
        assert_true(plan.spare >= (1 - confidence) * below * 0.499);
        assert_true(fabs(plan.spare + pow(1 - below, attempts) - (1 - confidence)) < 1e-12);
    }
}

static void test_more_failures_need_more(void **state)
{
    static const double rates[] = {1e-9, 0.0001, 0.003, 0.05, 0.5, 0.9, 0.999999};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        struct stats_plan plan = stats_plan(rates[i], 0.95);
        uint64_t needed = 0, too_many = 0;

        for (uint64_t k = 0; k < 100000; k += k < 300 ? 1 : k / 7) {
            assert_true(stats_needed(&plan, k) > needed);
            assert_true(stats_too_many(&plan, k) >= too_many);
            needed = stats_needed(&plan, k);
            too_many = stats_too_many(&plan, k);
            assert_true(needed > k && too_many < needed);
            assert_true(too_many == 0 || too_many >= k);
            /* Neither is said of a share that is just what was asked for. */
            assert_true((double)needed * rates[i] > (double)k && (double)too_many * rates[i] <= (double)k);
        }
    }
}

/* What is decided is what the numbers say, also where there is no table of them. */
static void test_decisions(void **state)
{
    static const uint64_t failures[] = {0,   1,    2,     17, STATS_LOOKS - 1, STATS_LOOKS, STATS_LOOKS + 1,
                                        200, 4711, 100000};
    static const double rates[] = {0.0001, 0.003, 0.3};

    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
        struct stats_plan plan = stats_plan(rates[r], 0.95);

        for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
            uint64_t k = failures[i], needed = stats_needed(&plan, k), too_many = stats_too_many(&plan, k);

            assert_int_equal(stats_decide(&plan, k, needed), STATS_BELOW);
            assert_int_equal(stats_decide(&plan, k, needed * 2), STATS_BELOW);
            if (needed - 1 > too_many && needed - 1 > 0)
                assert_int_equal(stats_decide(&plan, k, needed - 1), STATS_OPEN);
            if (too_many > 0) {
                assert_int_equal(stats_decide(&plan, k, too_many), STATS_NOT_BELOW);
                assert_int_equal(stats_decide(&plan, k, too_many + 1), STATS_OPEN);
                assert_int_equal(stats_decide(&plan, k, k), STATS_NOT_BELOW);
            }
        }
        assert_int_equal(stats_decide(&plan, 0, 0), STATS_OPEN);
        assert_int_equal(stats_decide(&plan, 9, 0), STATS_OPEN);
        assert_int_equal(stats_decide(&plan, 900, 9), stats_decide(&plan, 9, 9));
    }
}

/* Of what cannot be proven nothing is, and nobody waits for it. */
static void test_nonsense(void **state)
{
    static const double hopeless[][2] = {{NAN, 0.95}, {0.003, 1}, {0.003, NAN},  {0.003, INFINITY},
                                         {NAN, NAN},  {1, 1},     {1e-300, 0.95}};
    struct stats_plan plan;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hopeless); i++) {
        plan = stats_plan(hopeless[i][0], hopeless[i][1]);
        for (uint64_t k = 0; k < 1000; k += 99) {
            assert_true(stats_needed(&plan, k) == STATS_NEVER);
            assert_int_equal(stats_decide(&plan, k, UINT64_C(1) << 60),
                             hopeless[i][0] == 1e-300 && k ? STATS_NOT_BELOW : STATS_OPEN);
        }
    }
    /* No rate is below none, and one failure shows it; all are below more than 1 but 1 itself. */
    plan = stats_plan(0, 0.95);
    assert_true(stats_needed(&plan, 0) == STATS_NEVER && stats_decide(&plan, 0, 1000000) == STATS_OPEN);
    assert_int_equal(stats_decide(&plan, 1, 1000000), STATS_NOT_BELOW);
    assert_int_equal(stats_decide(&plan, 1000, 1000000), STATS_NOT_BELOW);
    plan = stats_plan(1, 0.95);
    assert_int_equal(stats_decide(&plan, 3, 3), STATS_OPEN);
    assert_int_equal(stats_decide(&plan, 2, 3), STATS_BELOW);
    assert_int_equal(stats_decide(&plan, 2000, 3000), STATS_BELOW);
    /* More failures than attempts are as many. */
    plan = stats_plan(0.9, 0.95);
    assert_int_equal(stats_decide(&plan, 3, 3), STATS_OPEN);
    assert_int_equal(stats_decide(&plan, 900, 3), STATS_OPEN);
    /* Who wants no confidence has an answer at once. */
    plan = stats_plan(0.003, 0);
    assert_int_equal(stats_decide(&plan, 0, 1), STATS_BELOW);
    plan = stats_plan(0.003, -1);
    assert_int_equal(stats_decide(&plan, 0, 1), STATS_BELOW);
}

/* ---- all paths of it ---- */

/* A plan, how far it is followed, and what an interval is at each of its ends. */
struct ends {
    struct stats_plan plan;
    uint64_t attempts;
    double rate;
    double below, not_below, open; /* how often it ends so */
    double under, over;            /* how often the interval is wrong, by the side on which the rate is */
    struct stats_interval (*interval)(uint64_t, uint64_t, double);
    struct stats_interval *later, *sooner, *last; /* by failures; by attempts; by failures, when time is up */
};

static bool is_decided(void *user, uint64_t failures, uint64_t attempts)
{
    const struct ends *ends = user;

    return stats_decide(&ends->plan, failures, attempts) != STATS_OPEN;
}

static void note_end(void *user, uint64_t failures, uint64_t attempts, double weight)
{
    struct ends *ends = user;
    enum stats_decision decision = stats_decide(&ends->plan, failures, attempts);
    struct stats_interval *is = decision == STATS_BELOW  ? &ends->later[failures]
                                : decision == STATS_OPEN ? &ends->last[failures]
                                                         : &ends->sooner[attempts];

    *(decision == STATS_BELOW  ? &ends->below
      : decision == STATS_OPEN ? &ends->open
                               : &ends->not_below) += weight;
    /* All that end here have this interval: too improbable ones are not worth the time. */
    if (weight < 1e-9)
        return;
    if (is->high == 0)
        *is = ends->interval(failures, attempts, ends->plan.confidence);
    ends->under += ends->rate < is->low ? weight : 0;
    ends->over += ends->rate > is->high ? weight : 0;
}

static void ends_open(struct ends *ends, double below, double confidence, uint64_t attempts,
                      struct stats_interval (*interval)(uint64_t, uint64_t, double))
{
    *ends = (struct ends){.plan = stats_plan(below, confidence), .attempts = attempts, .interval = interval};
    ends->later = calloc(PATHS_FAILURES + 1, sizeof *ends->later);
    ends->last = calloc(PATHS_FAILURES + 1, sizeof *ends->last);
    ends->sooner = calloc(attempts + 1, sizeof *ends->sooner);
}

static void ends_close(struct ends *ends)
{
    free(ends->later);
    free(ends->last);
    free(ends->sooner);
}

static void follow(struct ends *ends, double rate)
{
    ends->rate = rate;
    ends->below = ends->not_below = ends->open = ends->under = ends->over = 0;
    each_path(rate, ends->attempts, is_decided, note_end, ends);
    assert_true(fabs(ends->below + ends->not_below + ends->open - 1) < 1e-9);
}

/* Parts of `below`: close about it, for that is where an error is likeliest, and from never to always. */
static const double parts[] = {0,   0.05, 0.3,  0.6, 0.8, 0.9, 0.97, 1 - 1e-9, 1,  1.03, 1.1,
                               1.2, 1.23, 1.24, 1.3, 1.5, 2,   3,    5,        10, 19.99};

static const struct setting {
    double below, confidence;
    uint64_t attempts;
    size_t step; /* of the parts: one by one, or fewer */
} settings[] = {{0.05, 0.95, 1500, 1},
                {0.05, 0.8, 800, 3},
                {0.3, 0.95, 400, 3},
                {0.01, 0.99, 3000, 5},
                {0.003, 0.95, 5000, 6}};

/*
 * The promise: neither is said wrongly more often than agreed, at no rate. And the one that it is about is spent: at `below` itself
 * what is wrong is nearly as often as it may be, or somebody would wait for nothing.
 */
static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        const struct setting *s = &settings[i];
        double error = 1 - s->confidence;
        struct ends ends;

        ends_open(&ends, s->below, s->confidence, s->attempts, stats_interval_at_any_time);
        for (size_t p = 0; p < ARRAY_LEN(parts); p += s->step) {
            double rate = s->below * parts[p];

            if (rate > 1)
                continue;
            follow(&ends, rate);
            if (parts[p] >= 1 ? ends.below > error : ends.not_below > error)
                fail_msg("below %g, confidence %g: at %g it errs by %g", s->below, s->confidence, rate,
                         parts[p] >= 1 ? ends.below : ends.not_below);
            if (ends.under + ends.over > error)
                fail_msg("below %g, confidence %g: at %g an interval is wrong by %g", s->below, s->confidence,
                         rate, ends.under + ends.over);
        }
        follow(&ends, s->below);
        assert_true(ends.below > 0.97 * error && ends.not_below > 0.8 * error);
        ends_close(&ends);
    }
}

/* What is far from what was asked for is found out soon, on either side. */
static void test_power(void **state)
{
    struct ends ends;

    (void)state;
    ends_open(&ends, 0.05, 0.95, 1000, stats_interval);
    follow(&ends, 0);
    assert_true(ends.below == 1);
    follow(&ends, 0.05 / 5);
    assert_true(ends.below > 0.98);
    follow(&ends, 0.05 * 3);
    assert_true(ends.not_below > 0.999);
    ends_close(&ends);
}

/* Why there are two kinds of intervals: at the end of a plan Clopper and Pearson's is wrong more than twice as often as it says. */
static void test_clopper_pearson_at_the_end(void **state)
{
    struct ends ends;

    (void)state;
    ends_open(&ends, 0.05, 0.95, 1200, stats_interval);
    follow(&ends, 0.05 * 1.24);
    assert_true(ends.under + ends.over > 0.1);
    ends_close(&ends);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_attempts),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_clean_attempts_of_any),
        cmocka_unit_test(test_more_failures_need_more),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_clopper_pearson_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
