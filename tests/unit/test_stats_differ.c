/* Which of several rates differs: Fisher's test, over layers too, and what is left of a p when many have been asked for. */
#include "runner/stats/stats.h"
#include "tests/unit/stats_stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool near(double is, double expected, double digits)
{
    return fabs(is - expected) <= fabs(expected) * digits;
}

/* ---- two rates ---- */

static const struct two {
    struct stats_layer of;
    double p;
} fisher[] = {
    /* R 4.2.2: sprintf("%.17g", fisher.test(matrix(c(a, n - a, b, m - b), 2), alternative="greater")$p.value) */
    {{5, 1000, 1, 3000}, 0.0046084961332467853},
    {{3, 3, 0, 3}, 0.05},
    {{0, 10, 5, 10}, 1},
    {{10, 1000, 10, 1000}, 0.5885422383037664},
    {{8, 500, 0, 500}, 0.0037975874648929504},
    {{40, 1000, 20, 9000}, 2.850784629133969e-26},
    {{2, 5, 30, 40}, 0.98021950319170958},
    {{1, 1, 0, 999}, 0.001},
    {{7, 20, 9, 31}, 0.4414395154671038},
    /* sprintf("%.17g", phyper(a - 1, n, m, a + b, lower.tail=FALSE)): what fisher.test has no memory for */
    {{1050, 1000000000, 1000, 1000000000}, 0.13957361208154917},
};

static double greater(const struct stats_layer *of)
{
    return stats_fisher_greater(of->failures, of->attempts, of->other_failures, of->other_attempts);
}

static void test_fisher(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fisher); i++) {
        double p = greater(&fisher[i].of), layered = stats_layers_greater(&fisher[i].of, 1);

        if (!near(p, fisher[i].p, 1e-11) || !near(layered, fisher[i].p, 1e-11))
            fail_msg("row %zu: %.17g, and as a layer %.17g", i, p, layered);
    }
}

static double choose(uint64_t n, uint64_t k)
{
    return k > n ? 0 : k == 0 ? 1 : choose(n - 1, k - 1) * (double)n / (double)k;
}

/* All that can be drawn, counted. */
static void test_fisher_by_counting(void **state)
{
    (void)state;
    for (uint64_t n = 0; n <= 7; n++)
        for (uint64_t m = 0; m <= 9; m++)
            for (uint64_t a = 0; a <= n; a++)
                for (uint64_t b = 0; b <= m; b++) {
                    double ways = 0;

                    for (uint64_t k = a; k <= n && k <= a + b; k++)
                        ways += choose(n, k) * choose(m, a + b - k);
                    if (!near(stats_fisher_greater(a, n, b, m), ways / choose(n + m, a + b), 1e-12))
                        fail_msg("%d of %d, %d of %d", (int)a, (int)n, (int)b, (int)m);
                }
}

static void test_fisher_of_nonsense(void **state)
{
    (void)state;
    assert_true(stats_fisher_greater(0, 0, 0, 0) == 1);
    assert_true(stats_fisher_greater(1, 0, 1, 0) == 1);
    assert_true(stats_fisher_greater(9, 3, 0, 3) == stats_fisher_greater(3, 3, 0, 3));
    assert_true(stats_fisher_greater(UINT64_MAX, UINT64_MAX, 0, 1) <= 1);
    assert_true(stats_fisher_greater(1, UINT64_MAX, 1, UINT64_MAX) <= 1);
}

/* ---- layers ---- */

#define LAYERS_MOST 4

static const struct {
    struct stats_layer of[LAYERS_MOST];
    uint32_t count;
    double p;
} layered[] = {
    /* R 4.2.2: mantelhaen.test(a, exact=TRUE, alternative="greater")$p.value, a[,,i] being c(a, n - a, b, m - b) of each */
    {{{5, 1000, 1, 3000}, {2, 10, 0, 30}}, 2, 0.00035872215887245541},
    {{{3, 50, 2, 60}, {1, 40, 1, 40}, {6, 30, 2, 30}}, 3, 0.11447135138997933},
    {{{0, 20, 3, 20}, {9, 20, 3, 20}}, 2, 0.27640736895678286},
    {{{4, 100, 0, 100}, {3, 100, 1, 100}, {5, 200, 2, 100}, {1, 10, 1, 90}}, 4, 0.025602355084689454},
    /* Layers that have nothing to say. */
    {{{0, 70, 0, 20}, {5, 1000, 1, 3000}, {3, 7, 0, 0}, {4, 4, 9, 9}}, 4, 0.0046084961332467853},
    {{{0, 70, 0, 20}, {0, 0, 3, 7}}, 2, 1},
    {{{0, 0, 0, 0}}, 0, 1},
};

static void test_layers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(layered); i++) {
        double p = stats_layers_greater(layered[i].of, layered[i].count);

        if (!near(p, layered[i].p, 1e-11))
            fail_msg("row %zu: %.17g, not %.17g", i, p, layered[i].p);
    }
}

/*
 * Simpson's paradox: within each layer nothing differs, or the contrary is true, and all in all it looks as if something did, because
 * the first was tried where more fails.
 */
static void test_layers_are_not_summed(void **state)
{
    static const struct stats_layer layers[] = {{30, 100, 3, 10}, {1, 100, 10, 1000}};

    (void)state;
    assert_true(stats_fisher_greater(31, 200, 13, 1010) < 1e-10);
    assert_true(stats_layers_greater(layers, 2) > 0.4);
}

/* Past what is had exactly there is a bound: never too small, and not useless. */
static void test_many_failures(void **state)
{
    static const struct stats_layer large[] = {
        {5000, 100000, 4800, 100000},   {5200, 100000, 4800, 100000}, {50400, 1000000, 300000, 6000000},
        {96000, 100000, 95600, 100000}, {50000, 60000, 7400, 9000},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(large); i++) {
        double exact = greater(&large[i]), bound = stats_layers_greater(&large[i], 1);

        if (bound <= exact || bound > 40 * exact)
            fail_msg("row %zu: %g of %g", i, bound, exact);
    }
}

/* Pairs, of which either fails: each is a coin. So what is exact is known for any number. */
static double of_pairs(struct stats_layer *layers, uint32_t count, uint32_t of_first)
{
    for (uint32_t l = 0; l < count; l++)
        layers[l] = l < of_first ? (struct stats_layer){1, 1, 0, 1} : (struct stats_layer){0, 1, 1, 1};
    return stats_layers_greater(layers, count);
}

static void test_many_layers(void **state)
{
    static const uint32_t counts[] = {100, 4096, 4097, 6000};
    struct stats_layer *layers = calloc(6002, sizeof *layers);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        uint32_t count = counts[i], of_first = count / 2 + (uint32_t)sqrt(count) * 3 / 2;
        double exact = stats_at_least(of_first, count, 0.5), p = of_pairs(layers, count, of_first);

        if (count <= 4096 ? !near(p, exact, 1e-11) : p < exact || p > 20 * exact)
            fail_msg("%u layers: %g, exactly %g", count, p, exact);
        /* All of them fail, or there is nobody: that says nothing. */
        layers[count] = (struct stats_layer){40, 40, 9, 9};
        layers[count + 1] = (struct stats_layer){0};
        assert_true(near(stats_layers_greater(layers, count + 2), p, 1e-9));
    }
    assert_true(of_pairs(layers, 6000, 2900) == 1 && stats_layers_greater(layers, 6002) == 1);
    free(layers);
}

/* ---- many questions ---- */

static void test_holm(void **state)
{
    /* R 4.2.2: p.adjust(c(.01, .04, .03, .005, .005, .9, 1e-30), "holm") */
    double p[] = {0.01, 0.04, 0.03, 0.005, 0.005, 0.9, 1e-30};
    static const double worth[] = {0.04, 0.09, 0.09, 0.03, 0.03, 0.9, 7e-30};
    double odd[] = {NAN, -1, 0, 0.9, INFINITY, -0.0};

    (void)state;
    stats_holm(p, 7);
    for (size_t i = 0; i < 7; i++)
        assert_true(near(p[i], worth[i], 1e-15));
    stats_holm(odd, 6);
    assert_true(odd[0] == 1 && odd[1] == 0 && odd[2] == 0 && odd[3] == 1 && odd[4] == 1 && odd[5] == 0);
    stats_holm(odd, 0);
}

/* Never less than it was, never in another order, and the least of all is worth all the questions. */
static void test_holm_keeps_the_order(void **state)
{
    struct chance chance = {3};

    (void)state;
    for (int round = 0; round < 100; round++) {
        double p[20], before[20], least = 1;
        uint32_t count = 1 + (uint32_t)chance_below(&chance, 20);

        for (uint32_t i = 0; i < count; i++) {
            before[i] = p[i] = exp(-8 * chance_share(&chance));
            least = fmin(least, p[i]);
        }
        stats_holm(p, count);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(p[i] >= before[i] && p[i] <= fmin(1, before[i] * count));
            if (before[i] == least)
                assert_true(near(p[i], fmin(1, least * count), 1e-15));
            for (uint32_t j = 0; j < count; j++)
                assert_true(before[i] < before[j] ? p[i] <= p[j] : p[i] >= p[j]);
        }
    }
}

/* ---- one of many ---- */

static void test_concentrated(void **state)
{
    uint64_t failures[100] = {[17] = 3}, attempts[100], even[4] = {5, 5, 5, 5},
             tries[4] = {100, 100, 100, 100};
    /* The one in the middle stands out; the first has more failures beyond its share. */
    const uint64_t more[3] = {20, 5, 6}, of[3] = {1200, 100, 1200};
    uint32_t which;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        attempts[i] = 100;
    /* Three of three in one of a hundred: 100 * C(100, 3) / C(10000, 3). */
    assert_true(near(stats_concentrated(failures, attempts, 100, &which),
                     100 * choose(100, 3) / choose(10000, 3), 1e-12));
    assert_int_equal(which, 17);
    assert_true(stats_concentrated(more, of, 3, &which) < 0.05 && which == 1);
    failures[40] = 3;
    assert_true(stats_concentrated(failures, attempts, 100, &which) > 0.001);
    assert_true(stats_concentrated(even, tries, 4, &which) == 1);
    /* Most failures, and most attempts too. */
    tries[2] = 700;
    even[2] = 35;
    assert_true(stats_concentrated(even, tries, 4, &which) > 0.5);
    assert_true(stats_concentrated(even, tries, 0, &which) == 1 &&
                stats_concentrated(even, tries, 1, &which) == 1);
    tries[0] = 0;
    assert_true(stats_concentrated(even, tries, 1, &which) == 1);
}

/* Where nothing differs, what is surer than 5 % comes up in 5 of 100 at most: of three kinds, all that may come of them. */
static void test_concentrated_errs_no_more_than_it_says(void **state)
{
    static const uint64_t attempts[3] = {4, 7, 12};
    uint32_t which;

    (void)state;
    for (double rate = 0.05; rate < 1; rate += 0.15) {
        double wrong = 0;

        for (uint64_t a = 0; a <= 4; a++)
            for (uint64_t b = 0; b <= 7; b++)
                for (uint64_t c = 0; c <= 12; c++) {
                    uint64_t failures[3] = {a, b, c}, all = a + b + c;
                    double weight = choose(4, a) * choose(7, b) * choose(12, c) * pow(rate, (double)all) *
                                    pow(1 - rate, 23 - (double)all);

                    wrong += stats_concentrated(failures, attempts, 3, &which) <= 0.05 ? weight : 0;
                }
        assert_true(wrong <= 0.05);
        assert_true(rate < 0.3 || rate > 0.7 || wrong > 0.005);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fisher),
        cmocka_unit_test(test_fisher_by_counting),
        cmocka_unit_test(test_fisher_of_nonsense),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_layers_are_not_summed),
        cmocka_unit_test(test_many_failures),
        cmocka_unit_test(test_many_layers),
        cmocka_unit_test(test_holm),
        cmocka_unit_test(test_holm_keeps_the_order),
        cmocka_unit_test(test_concentrated),
        cmocka_unit_test(test_concentrated_errs_no_more_than_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
