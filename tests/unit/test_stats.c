/* One rate: tails of the binomial distribution, and the intervals that are made of them. */
#include "runner/stats/stats.h"
#include "tests/unit/stats_stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#define BILLION UINT64_C(1000000000)

static bool near(double is, double expected, double digits)
{
    return fabs(is - expected) <= fabs(expected) * digits + 1e-300;
}

#define ASSERT_NEAR(is, expected, digits, k, n)                                              \
    do {                                                                                     \
        if (!near(is, expected, digits))                                                     \
            fail_msg("%s of %llu of %llu is %.17g, not %.17g", #is, (unsigned long long)(k), \
                     (unsigned long long)(n), is, expected);                                 \
    } while (0)

/* ---- tails ---- */

static const struct tail {
    uint64_t failures, attempts;
    double rate, at_most, at_least;
} tails[] = {
    /* R 4.2.2: sprintf("%.17g", c(pbinom(k, n, p), pbinom(k - 1, n, p, lower.tail=FALSE))) */
    {0, 998, 0.003, 0.049861804896289219, 1},
    {0, 997, 0.003, 0.050011840417541843, 1},
    {3, 1000, 0.003, 0.64723205731909039, 0.57714651482077528},
    {10, 1000, 0.003, 0.99971609170465237, 0.001078329466298847},
    {1, BILLION, 1e-9, 0.73575888234288511, 0.63212055901249742},
    {90, 100, 0.99, 7.6315875322606821e-08, 0.99999999374448167},
    {0, 1, 0.5, 0.5, 1},
    {1, 1, 0.5, 1, 0.5},
    {0, BILLION, 1e-12, 0.99900049983337447, 1},
};

/*
 * Where R itself is not as good, mpmath 1.2.1 with 40 digits: C(n, k) p^k q^(n-k) by loggamma, and the terms below it each
 * k q / ((n-k+1) p) times the one before, down to 1e-30 of their sum.
 */
static const struct tail hard[] = {
    {499900000, BILLION, 0.5, 1.2700741798772834e-10, 0},
    {2999000, BILLION, 0.003, 0.28167751828494728, 0},
    {2990000, BILLION, 0.003, 3.6255232872302388e-9, 0},
    {0, BILLION, 2e-9, 0.13533528296594211, 0},
    {100, BILLION, 2e-7, 3.7236224177703715e-15, 0},
    {900000000, BILLION, 0.9001, 2.7069430521015063e-26, 0},
    {5, 1000, 0.3, 1.5126216858066664e-144, 0},
};

static void test_tails(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
        const struct tail *t = &tails[i];

        ASSERT_NEAR(stats_at_most(t->failures, t->attempts, t->rate), t->at_most, 1e-12, t->failures,
                    t->attempts);
        ASSERT_NEAR(stats_at_least(t->failures, t->attempts, t->rate), t->at_least, 1e-12, t->failures,
                    t->attempts);
    }
    for (size_t i = 0; i < ARRAY_LEN(hard); i++) {
        const struct tail *t = &hard[i];

        ASSERT_NEAR(stats_at_most(t->failures, t->attempts, t->rate), t->at_most, 1e-12, t->failures,
                    t->attempts);
        ASSERT_NEAR(stats_at_least(t->failures + 1, t->attempts, t->rate), 1 - t->at_most, 1e-12,
                    t->failures + 1, t->attempts);
    }
}

/* Terms one by one, each by Pascal's rule: few, and beyond doubt. */
static void test_tails_of_few(void **state)
{
    static const double rates[] = {1e-9, 0.003, 0.05, 0.3, 0.5, 0.77, 0.999};
    double terms[42];

    (void)state;
    for (size_t r = 0; r < ARRAY_LEN(rates); r++) {
        for (uint64_t k = 0; k < ARRAY_LEN(terms); k++)
            terms[k] = k == 0;
        for (uint64_t n = 1; n <= 40; n++) {
            double at_most = 0, at_least = 0;

            for (uint64_t k = n; k > 0; k--)
                terms[k] = terms[k] * (1 - rates[r]) + terms[k - 1] * rates[r];
            terms[0] *= 1 - rates[r];
            for (uint64_t k = 0; k <= n; k++) {
                at_most += terms[k];
                at_least += terms[n - k];
                ASSERT_NEAR(stats_at_most(k, n, rates[r]), at_most, 1e-13, k, n);
                ASSERT_NEAR(stats_at_least(n - k, n, rates[r]), at_least, 1e-13, n - k, n);
            }
        }
    }
}

static void test_tails_at_the_ends(void **state)
{
    (void)state;
    assert_true(stats_at_most(0, 0, 0.5) == 1 && stats_at_least(0, 0, 0.5) == 1);
    assert_true(stats_at_most(3, 3, 1) == 1 && stats_at_most(2, 3, 1) == 0);
    assert_true(stats_at_most(0, 3, 0) == 1 && stats_at_least(1, 3, 0) == 0);
    assert_true(stats_at_least(3, 3, 1) == 1 && stats_at_least(4, 3, 1) == 0);
    assert_true(stats_at_most(7, 3, 0.5) == 1 && stats_at_least(7, 3, 0.5) == 0);
    /* Nothing can be concluded from what is no rate. */
    assert_true(stats_at_most(1, 3, NAN) == 1 && stats_at_least(1, 3, NAN) == 1);
    assert_true(stats_at_most(1, 3, -0.1) == 1 && stats_at_least(1, 3, 1.1) == 1);
    assert_true(stats_at_most(1, 3, INFINITY) == 1 && stats_at_least(1, 3, -INFINITY) == 1);
}

/* ---- intervals ---- */

static const struct row {
    uint64_t failures, attempts;
    double confidence, low, high;
} clopper_pearson[] = {
    /* R 4.2.2: sprintf("%.17g", binom.test(k, n, conf.level=c)$conf.int) */
    {0, 998, 0.95, 0, 0.0036894491936705124},
    {1, 998, 0.95, 2.5368223295620199e-05, 0.0055700389018760177},
    {3, 1000, 0.95, 0.00061909993164957196, 0.0087420232384782803},
    {5, 10, 0.9, 0.22244110100812908, 0.77755889899187092},
    {10, 10, 0.95, 0.69150289218123917, 1},
    {0, 1, 0.95, 0, 0.975},
    {1, 1, 0.99, 0.005, 1},
    {30, 100, 0.999, 0.16373038615626823, 0.46668642054484333},
    {12, 4711, 0.95, 0.0013168619751563256, 0.004445266112172888},
    {500, 1000, 0.5, 0.48883958202961941, 0.51116041797038059},
    {1, 1000000, 0.95, 2.5317807663794211e-08, 5.5716306551722366e-06},
    {100000, 1000000, 0.95, 0.099412669866037875, 0.10058964818742555},
};

static const struct row at_any_time[] = {
    /*
     * R 4.2.2: left <- function(p) dbinom(k, n, p, log=TRUE) - lchoose(n, k) -
     *                              (log(1 - c) + lbeta(k + .1, n - k + 1) - lbeta(.1, 1))
     * uniroot(left, c(1e-15, k/n), tol=1e-18, maxiter=10000)$root, and of c(k/n, 1 - 1e-15)
     */
    {0, 10, 0.95, 0, 0.27972733006574119},
    {0, 998, 0.95, 0, 0.0037367235942121447},
    {1, 3555, 0.95, 5.9196233950400756e-07, 0.0023266667148501745},
    {3, 1000, 0.95, 0.00018817543665814061, 0.01280403286816054},
    {5, 10, 0.9, 0.10489670992603836, 0.89510329007396161},
    {10, 10, 0.95, 0.46715915375549122, 1},
    {300, 1000, 0.99, 0.2407258025266813, 0.36412111530984331},
    {60, 20000, 0.95, 0.0017746686919782183, 0.004688462627103122},
    {1, 1, 0.95, 0.0045454545454545522, 1},
};

static void test_intervals(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(clopper_pearson); i++) {
        const struct row *r = &clopper_pearson[i];
        struct stats_interval is = stats_interval(r->failures, r->attempts, r->confidence);

        ASSERT_NEAR(is.low, r->low, 1e-12, r->failures, r->attempts);
        ASSERT_NEAR(is.high, r->high, 1e-12, r->failures, r->attempts);
    }
    for (size_t i = 0; i < ARRAY_LEN(at_any_time); i++) {
        const struct row *r = &at_any_time[i];
        struct stats_interval is = stats_interval_at_any_time(r->failures, r->attempts, r->confidence);

        ASSERT_NEAR(is.low, r->low, 1e-12, r->failures, r->attempts);
        ASSERT_NEAR(is.high, r->high, 1e-12, r->failures, r->attempts);
    }
}

/* A bound is the last double at which what has been seen is improbable enough: of any counts, and near the ends too. */
static void check_bounds(uint64_t k, uint64_t n, double confidence)
{
    double upper = stats_upper(k, n, confidence), lower = stats_lower(k, n, confidence);
    double error = 1 - confidence;

    if (k < n && (stats_at_most(k, n, upper) > error || stats_at_most(k, n, nextafter(upper, 0)) <= error))
        fail_msg("%.17g is not above %llu of %llu", upper, (unsigned long long)k, (unsigned long long)n);
    if (k > 0 && (stats_at_least(k, n, lower) > error || stats_at_least(k, n, nextafter(lower, 1)) <= error))
        fail_msg("%.17g is not below %llu of %llu", lower, (unsigned long long)k, (unsigned long long)n);
}

static void test_there_and_back(void **state)
{
    static const double confidences[] = {1e-6, 0.05, 0.5, 0.9, 0.95, 0.999, 1 - 1e-9};
    struct chance chance = {1};

    (void)state;
    for (int i = 0; i < 300; i++) {
        uint64_t n = 1 + chance_below(&chance, i % 3 ? 100 : 1000000);
        uint64_t k = chance_below(&chance, i % 2 || n < 20 ? n + 1 : 20);

        check_bounds(k, n, confidences[chance_below(&chance, ARRAY_LEN(confidences))]);
    }
    check_bounds(3, BILLION, 0.95);
    check_bounds(BILLION / 2, BILLION, 0.95);
}

static void test_intervals_at_the_ends(void **state)
{
    static struct stats_interval (*const kinds[])(uint64_t, uint64_t, double) = {stats_interval,
                                                                                 stats_interval_at_any_time};
    static const double sure[] = {1, 2, INFINITY, NAN};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct stats_interval is = kinds[i](0, 0, 0.95), clamped = kinds[i](9, 5, 0.95);

        assert_true(is.low == 0 && is.high == 1);
        assert_true(clamped.low == kinds[i](5, 5, 0.95).low && clamped.high == 1);
        for (size_t s = 0; s < ARRAY_LEN(sure); s++) {
            is = kinds[i](3, 7, sure[s]);
            assert_true(is.low == 0 && is.high == 1);
        }
        is = kinds[i](3, 7, 0);
        assert_true(is.low > 0 && is.low <= is.high && is.high < 1);
        is = kinds[i](3, 7, -INFINITY);
        assert_true(is.low > 0 && is.low <= is.high && is.high < 1);
        is = kinds[i](UINT64_MAX, UINT64_MAX, 0.95);
        assert_true(is.low > 0.999 && is.high == 1);
        is = kinds[i](1, UINT64_MAX, 0.95);
        assert_true(is.low > 0 && is.high < 1e-14);
    }
    assert_true(stats_upper(3, 3, 0.95) == 1 && stats_lower(0, 3, 0.95) == 0);
    assert_true(stats_upper(1, 3, NAN) == 1 && stats_lower(1, 3, NAN) == 0);
    assert_true(stats_upper(1, 3, 1) == 1 && stats_lower(1, 3, 1) == 0);
    assert_true(stats_upper(1, 3, 0) == 0 && stats_lower(1, 3, 0) == 1);
    assert_true(stats_upper(0, 0, 0) == 1 && stats_lower(0, 0, 0) == 0);
}

/* More failures, higher; more attempts, lower; more confidence, wider; and what was seen is always within. */
static void test_order(void **state)
{
    static struct stats_interval (*const kinds[])(uint64_t, uint64_t, double) = {stats_interval,
                                                                                 stats_interval_at_any_time};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        for (uint64_t n = 1; n <= 24; n++)
            for (uint64_t k = 0; k <= n; k++) {
                struct stats_interval is = kinds[i](k, n, 0.9), wider = kinds[i](k, n, 0.99);
                struct stats_interval higher = kinds[i](k + 1, n + 1, 0.9), lower = kinds[i](k, n + 1, 0.9);
                double seen = (double)k / (double)n;

                assert_true(is.low <= seen && seen <= is.high);
                assert_true(wider.low <= is.low && is.high <= wider.high);
                assert_true(is.low <= higher.low && is.high <= higher.high);
                assert_true(lower.low <= is.low && lower.high <= is.high);
            }
}

/* ---- what it costs ---- */

static double cost(uint64_t failures, uint64_t attempts)
{
    clock_t began = clock();
    struct stats_interval is = stats_interval(failures, attempts, 0.95);

    assert_true(is.low < 0.5 && is.high > 0.5);
    return (double)(clock() - began) + 1;
}

/* A million times the attempts: by their number it would be a million times the time, by its root a thousand, and it is less. */
static void test_a_billion_is_not_counted(void **state)
{
    double few = 0;

    (void)state;
    for (int i = 0; i < 20; i++)
        few += cost(500, 1000) / 20;
    assert_true(cost(BILLION / 2, BILLION) < few * 1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tails),
        cmocka_unit_test(test_tails_of_few),
        cmocka_unit_test(test_tails_at_the_ends),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_intervals_at_the_ends),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_a_billion_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
