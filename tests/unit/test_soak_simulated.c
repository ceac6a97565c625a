/*
 * The judge of soaks: a few hundred of each sort, of a runner that is simulated. What is claimed holds as often as it is claimed
 * to: bounds are the stated share, and as much more as chance alone exceeds in one of 10^6 times. Seeds are fixed. SOAK_TIMES=20
 * makes so many times as many.
 */
#include "runner/stats/stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/soak_stage.h"

static uint32_t times(uint32_t count)
{
    const char *more = getenv("SOAK_TIMES");

    return count * (more ? (uint32_t)atoi(more) : 1);
}

/* A soak that is not decided by then will not be soon. */
static uint64_t at_most(uint64_t attempts)
{
    return getenv("SOAK_TIMES") ? attempts * 2 : attempts;
}

/* So many of `count` were wrong, where a share of `stated` may be. */
static void assert_share(const char *what, uint32_t wrong, uint32_t count, double stated)
{
    print_message("# %s: %u of %u wrong, %.1f %% may be\n", what, wrong, count, stated * 100);
    if (stats_at_least(wrong, count, stated) < 1e-6)
        fail_msg("%s: %u of %u are wrong, where %g may be", what, wrong, count, stated);
}

static void seed(struct stage *s, uint64_t number)
{
    soak_random_seed(&s->random, 0x50AC, number);
}

/* ---- intervals ---- */

struct grid {
    const char *what;
    double rate;
    uint64_t count;
    bool until_fail;
    nanos duration;
};

/* Of soaks whose end is fixed before, and of those that end with a failure; failures take ten times as long as what passes. */
static void test_intervals(void **state)
{
    static const struct grid grid[] = {
        {"0 %", 0, 300, false, 0},
        {"0.1 %", 0.001, 2000, false, 0},
        {"0.3 %", 0.003, 1000, false, 0},
        {"1 %", 0.01, 300, false, 0},
        {"5 %", 0.05, 100, false, 0},
        {"30 %", 0.3, 50, false, 0},
        {"1 %, until one fails", 0.01, 500, true, 0},
        {"5 %, until one fails", 0.05, 0, true, 0},
        {"5 %, for a second", 0.05, 0, false, NS_PER_S},
        {"30 %, for a second", 0.3, 0, false, NS_PER_S},
    };
    struct stage s;

    (void)state;
    stage_open(&s);
    STAGE_CASE(&s, "race", 0, "capture=fd");
    for (size_t g = 0; g < ARRAY_LEN(grid); g++) {
        uint32_t missed = 0, count = times(200);

        s.rates[0] = grid[g].rate;
        for (uint32_t i = 0; i < count; i++) {
            struct soak_plan plan = {
                .count = grid[g].count,
                .until_fail = grid[g].until_fail,
                .duration = grid[g].duration,
                .seed = i,
                .copies = 4,
            };
            struct soak *soak;
            struct soak_now now;

            stage_clear(&s);
            seed(&s, g << 32 | i);
            soak = stage_soak(&s, &plan, false);
            stage_play(&s, soak, 4, STAGE_FOR_EVER);
            soak_look(soak, 0, &now);
            missed += now.interval.low > grid[g].rate || now.interval.high < grid[g].rate;
            soak_close(soak);
        }
        assert_share(grid[g].what, missed, count, 0.05);
    }
    stage_close(&s);
}

/* ---- stops ---- */

struct stop {
    const char *what;
    double below, rate;
    enum soak_end wrong;
    uint64_t most;
    uint32_t times; /* fewer where it is far from the border */
};

/* A rate at the border is not below it; one a little below it is. Failures end late, eight at a time. */
static void test_stops(void **state)
{
    static const struct stop stops[] = {
        {"0.3 % is not below 0.3 %", 0.003, 0.003, SOAK_BELOW, 2500, 200},
        {"5 % is not below 5 %", 0.05, 0.05, SOAK_BELOW, 1000, 200},
        {"30 % is not below 5 %", 0.05, 0.3, SOAK_BELOW, 1000, 50},
        {"1 % is not below 0.3 %", 0.003, 0.01, SOAK_BELOW, 2500, 100},
        {"4.99 % is below 5 %", 0.05, 0.0499, SOAK_NOT_BELOW, 1000, 200},
        {"0.1 % is below 0.3 %", 0.003, 0.001, SOAK_NOT_BELOW, 2500, 100},
        {"0 % is below 0.3 %", 0.003, 0, SOAK_NOT_BELOW, 2500, 50},
    };
    struct stage s;

    (void)state;
    stage_open(&s);
    for (int i = 0; i < 5; i++)
        STAGE_CASE(&s, "race", 0, i == 0 ? "n=0" : i == 1 ? "n=1" : i == 2 ? "n=2" : i == 3 ? "n=3" : "n=4");
    for (size_t k = 0; k < ARRAY_LEN(stops); k++) {
        uint32_t wrong = 0, missed = 0, decided = 0, count = times(stops[k].times);

        for (uint32_t i = 0; i < s.count; i++)
            s.rates[i] = stops[k].rate;
        for (uint32_t i = 0; i < count; i++) {
            struct soak_plan plan = {.below = stops[k].below, .confidence = 0.95, .seed = i, .copies = 2};
            struct soak *soak;
            struct soak_now now;
            enum soak_end end;

            stage_clear(&s);
            seed(&s, (k + 100) << 32 | i);
            soak = stage_soak(&s, &plan, false);
            end = stage_play(&s, soak, 8, at_most(stops[k].most));
            wrong += end == stops[k].wrong;
            decided += end == SOAK_BELOW || end == SOAK_NOT_BELOW;
            soak_look(soak, 0, &now);
            missed += now.interval.low > stops[k].rate || now.interval.high < stops[k].rate;
            soak_close(soak);
        }
        print_message("# %u of %u were decided\n", decided, count);
        assert_share(stops[k].what, wrong, count, 0.05);
        assert_share("  its intervals", missed, count, 0.05);
    }
    stage_close(&s);
}

/* ---- at any moment ---- */

struct moment {
    const char *what;
    double rate;
    uint32_t copies, slots;
};

/* Failures that hang until a deadline which is a thousand times what a pass takes: those that have ended are the good ones. */
static void test_any_moment(void **state)
{
    static const struct moment moments[] = {
        {"5 %, one at a time", 0.05, 1, 1},
        {"5 %, eight at a time", 0.05, 8, 8},
        {"30 %, eight at a time", 0.3, 8, 8},
        {"1 %, four at a time", 0.01, 4, 4},
    };
    struct stage s;

    (void)state;
    stage_open(&s);
    s.slowness = 1000;
    STAGE_CASE(&s, "race", 0, "capture=fd");
    for (size_t m = 0; m < ARRAY_LEN(moments); m++) {
        uint32_t wrong = 0, count = times(100);

        s.rates[0] = s.watched = moments[m].rate;
        for (uint32_t i = 0; i < count; i++) {
            struct soak_plan plan = {.duration = NS_PER_S, .seed = i, .copies = moments[m].copies};
            struct soak *soak;

            stage_clear(&s);
            seed(&s, (m + 400) << 32 | i);
            s.missed = false;
            soak = stage_soak(&s, &plan, false);
            stage_play(&s, soak, moments[m].slots, STAGE_FOR_EVER);
            soak_close(soak);
            wrong += s.missed;
        }
        assert_share(moments[m].what, wrong, count, 0.05);
    }
    stage_close(&s);
}

/* ---- which axis ---- */

typedef double rate_rule(uint32_t backend, uint32_t transport, uint32_t capture);

static double nobody(uint32_t backend, uint32_t transport, uint32_t capture)
{
    (void)backend;
    (void)transport;
    (void)capture;
    return 0.01;
}

static double one_value(uint32_t backend, uint32_t transport, uint32_t capture)
{
    (void)backend;
    (void)transport;
    return capture == 1 ? 0.05 : 0;
}

static double one_above_others(uint32_t backend, uint32_t transport, uint32_t capture)
{
    (void)transport;
    (void)capture;
    return backend == 2 ? 0.3 : 0.05;
}

static double two_together(uint32_t backend, uint32_t transport, uint32_t capture)
{
    (void)backend;
    return transport == 1 && capture == 1 ? 0.3 : 0;
}

struct matrix {
    const char *what;
    rate_rule *rate;
    const char *named[2]; /* "axis=value", in this order or the other */
    bool holes;           /* capture=sys is there with backend=forkserver alone, but for one cell */
    double miss;          /* it is not named so often; 1: whatever */
};

static void build_matrix(struct stage *s, const struct matrix *matrix)
{
    static const char *const backends[] = {"backend=exec", "backend=spawn", "backend=forkserver"};
    static const char *const transports[] = {"transport=tcp", "transport=uds"};
    static const char *const captures[] = {"capture=fd", "capture=sys"};
    static const char *const tests[] = {"proto", "registry"};

    s->count = 0;
    for (uint32_t t = 0; t < 2; t++)
        for (uint32_t b = 0; b < 3; b++)
            for (uint32_t p = 0; p < 2; p++)
                for (uint32_t c = 0; c < 2; c++)
                    if (!matrix->holes || c == (b == 2) || (b == 1 && p == 0) || (b == 2 && p == 1))
                        STAGE_CASE(s, tests[t], matrix->rate(b, p, c), backends[b], transports[p],
                                   captures[c]);
}

static bool is_named(const struct soak_result *result, const struct carrier *carrier, const char *name)
{
    const struct axis_value *value = &result->axis_values[carrier->value];
    char text[100];

    snprintf(text, sizeof text, "%.*s=%.*s", STR_ARG(value->axis), STR_ARG(value->value));
    return name && !strcmp(text, name);
}

/* Which of those that are to be named is. */
static int which(const struct soak_result *result, const struct carrier *carrier, const struct matrix *matrix)
{
    for (int i = 0; i < 2; i++)
        if (is_named(result, carrier, matrix->named[i]))
            return i;
    return -1;
}

struct naming {
    uint32_t first_wrong, later_wrong, missed;
};

static void judge(const struct soak_result *result, const struct matrix *matrix, struct naming *naming)
{
    bool seen[2] = {false, false}, wrong = false;

    for (uint32_t i = 0; i < result->chain_count + result->also_count; i++) {
        const struct carrier *carrier =
            i < result->chain_count ? &result->chain[i] : &result->also[i - result->chain_count];
        int at = which(result, carrier, matrix);

        if (at >= 0)
            seen[at] = true;
        else if (i == 0)
            naming->first_wrong++;
        else
            wrong = true;
    }
    naming->later_wrong += wrong;
    naming->missed += (matrix->named[0] && !seen[0]) || (matrix->named[1] && !seen[1]);
}

static void test_axes(void **state)
{
    static const struct matrix matrices[] = {
        {"nobody carries it", nobody, {NULL, NULL}, false, 1},
        {"nobody carries it, with holes", nobody, {NULL, NULL}, true, 1},
        {"capture=sys does", one_value, {"capture=sys", NULL}, false, 0.01},
        {"capture=sys does, with holes", one_value, {"capture=sys", NULL}, true, 0.05},
        {"backend=forkserver does", one_above_others, {"backend=forkserver", NULL}, false, 0.01},
        {"backend=forkserver does, with holes", one_above_others, {"backend=forkserver", NULL}, true, 0.05},
        {"two do together", two_together, {"capture=sys", "transport=uds"}, false, 0.01},
    };
    struct stage s;

    (void)state;
    stage_open(&s);
    for (size_t k = 0; k < ARRAY_LEN(matrices); k++) {
        struct naming naming = {0};
        uint32_t count = times(200);

        build_matrix(&s, &matrices[k]);
        for (uint32_t i = 0; i < count; i++) {
            struct soak_plan plan = {.count = matrices[k].holes ? 100 : 50, .seed = i, .copies = 1};
            struct soak *soak;

            stage_clear(&s);
            seed(&s, (k + 200) << 32 | i);
            soak = stage_soak(&s, &plan, false);
            stage_play(&s, soak, 8, STAGE_FOR_EVER);
            soak_close(soak);
            judge(stage_result(&s), &matrices[k], &naming);
        }
        assert_share(matrices[k].what, naming.first_wrong, count, 0.05);
        assert_share("  named besides", naming.later_wrong, count, 0.05);
        assert_share("  not named", naming.missed, count, matrices[k].miss);
    }
    stage_close(&s);
}

/* ---- same or rotating ---- */

struct spread {
    const char *what;
    double first, others; /* rates of the first test, and of the nine others */
    enum gathering right;
};

static void test_gathering(void **state)
{
    static const struct spread spreads[] = {
        {"one test", 0.05, 0, GATHER_SAME},
        {"one test far above others", 0.3, 0.01, GATHER_SAME},
        {"all tests", 0.03, 0.03, GATHER_ROTATING},
    };
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    struct stage s;

    (void)state;
    stage_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        STAGE_CASE(&s, names[i], 0);
    for (size_t k = 0; k < ARRAY_LEN(spreads); k++) {
        uint32_t wrong = 0, count = times(200);

        for (uint32_t i = 0; i < s.count; i++)
            s.rates[i] = i ? spreads[k].others : spreads[k].first;
        for (uint32_t i = 0; i < count; i++) {
            struct soak_plan plan = {.count = 200, .seed = i, .copies = 1};
            struct soak *soak;
            const struct soak_result *result;

            stage_clear(&s);
            seed(&s, (k + 300) << 32 | i);
            soak = stage_soak(&s, &plan, false);
            stage_play(&s, soak, 8, STAGE_FOR_EVER);
            soak_close(soak);
            result = stage_result(&s);
            wrong +=
                result->gathered.how != spreads[k].right ||
                (result->gathered.how == GATHER_SAME &&
                 (result->gathered.count != 1 || !str_is(result->tests[result->gathered.tests[0]], "a")));
        }
        assert_share(spreads[k].what, wrong, count, 0.05);
    }
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_intervals), cmocka_unit_test(test_stops),     cmocka_unit_test(test_any_moment),
        cmocka_unit_test(test_axes),      cmocka_unit_test(test_gathering),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
