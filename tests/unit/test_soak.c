#include "runner/base/io.h"
#include "runner/base/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/unit/expect.h"
#include "tests/unit/soak_stage.h"

static int set_up(void **state)
{
    struct stage *s = mem_zero(1, sizeof *s);

    stage_open(s);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    stage_close(*state);
    free(*state);
    return 0;
}

/* So many cases "t0@" ... that are alike. */
static void add_cases(struct stage *s, uint32_t count, double rate)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof name, "t%u", i);
        STAGE_CASE(s, name, rate);
    }
}

static void end_as(struct soak *soak, uint32_t number, uint32_t copy, enum verdict verdict)
{
    struct soak_outcome outcome = stage_outcome(verdict_counts(verdict) == COUNT_FAILED);

    outcome.verdict = verdict;
    outcome.duration = NS_PER_MS;
    soak_ended(soak, number, copy, &outcome, 0);
}

/* ---- chance ---- */

static void test_bounded_numbers(void **state)
{
    struct soak_random random;
    uint32_t seen[7] = {0};

    (void)state;
    soak_random_seed(&random, 1, 2);
    for (int i = 0; i < 70000; i++)
        seen[soak_random_below(&random, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_true(seen[i] > 9500 && seen[i] < 10500); /* five deviations */
    for (int i = 0; i < 100; i++)
        assert_int_equal(soak_random_below(&random, 1), 0);
    /* A bound that divides nothing. */
    for (int i = 0; i < 100; i++)
        assert_true(soak_random_below(&random, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
}

/* Each of the six orders of three as often as the others, over rounds as over seeds. */
static void test_orders_are_even(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        uint32_t seen[27] = {0};

        for (uint64_t i = 0; i < 60000; i++) {
            uint32_t order[3];

            soak_permute(order, 3, way ? 5 : i, way ? i : 5);
            assert_int_equal((1 << order[0]) | (1 << order[1]) | (1 << order[2]), 7);
            seen[order[0] * 9 + order[1] * 3 + order[2]]++;
        }
        for (uint32_t i = 0; i < ARRAY_LEN(seen); i++)
            assert_true(!seen[i] || (seen[i] > 9500 && seen[i] < 10500));
    }
}

/* ---- order ---- */

static void test_rounds(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 7, .copies = 2};
    struct soak *soak;
    uint32_t number, copy, differs = 0, before[10];

    add_cases(s, 5, 0);
    soak = stage_soak(s, &plan, false);
    for (int round = 0; round < 20; round++) {
        uint32_t seen = 0, expected[10];

        soak_permute(expected, 10, 7, (uint64_t)round);
        for (int i = 0; i < 10; i++) {
            assert_true(soak_next(soak, &number, &copy));
            assert_int_equal(number * 2 + copy, expected[i]);
            seen |= 1U << (number * 2 + copy);
            differs += round && before[i] != number * 2 + copy;
            before[i] = number * 2 + copy;
            end_as(soak, number, copy, VERDICT_PASSED);
        }
        assert_int_equal(seen, (1U << 10) - 1);
    }
    assert_true(differs > 100);
    soak_close(soak);
}

static void test_one_that_hangs_is_passed_by_for_a_round(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 3, .copies = 1};
    struct soak *soak;
    uint32_t slow, copy, number, runs[4] = {0};

    add_cases(s, 4, 0);
    soak = stage_soak(s, &plan, false);
    assert_true(soak_next(soak, &slow, &copy));
    while (soak_next(soak, &number, &copy)) {
        runs[number]++;
        end_as(soak, number, copy, VERDICT_PASSED);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(runs[i], i == slow ? 0 : 2); /* its round, and the next */
    end_as(soak, slow, 0, VERDICT_FAILED);
    /* It is late, and comes before all others. */
    assert_true(soak_next(soak, &number, &copy));
    assert_int_equal(number, slow);
    assert_true(soak_next(soak, &number, &copy));
    assert_int_not_equal(number, slow);
    soak_close(soak);
}

static void test_put_back(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 3, .copies = 1};
    struct soak *soak;
    uint32_t number[3], copy, again, runs[3] = {0};

    add_cases(s, 3, 0);
    soak = stage_soak(s, &plan, false);
    for (int i = 0; i < 3; i++)
        assert_true(soak_next(soak, &number[i], &copy));
    assert_false(soak_next(soak, &again, &copy));
    soak_put_back(soak, number[1], 0);
    soak_put_back(soak, number[1], 0); /* nobody has it any more */
    assert_true(soak_next(soak, &again, &copy));
    assert_int_equal(again, number[1]);
    soak_put_back(soak, again, 0);
    for (int i = 0; i < 3; i++)
        if (i != 1)
            end_as(soak, number[i], 0, VERDICT_PASSED);
    for (int i = 0; i < 31; i++) {
        assert_true(soak_next(soak, &again, &copy));
        runs[again]++;
        end_as(soak, again, copy, VERDICT_PASSED);
    }
    /* All have as many, with those above. */
    assert_int_equal(runs[number[1]], 11);
    assert_int_equal(runs[number[0]] + runs[number[2]], 20);
    soak_close(soak);
}

/* Whatever ends when, and is put back: nobody runs twice at a time, nobody is more than one round ahead, nobody is left out. */
static void test_any_order_of_ends(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 11, .copies = 2, .count = 500};
    struct soak *soak;
    struct {
        uint32_t number, copy;
    } runs[6];
    uint32_t busy = 0, ended[10] = {0};

    add_cases(s, 5, 0);
    soak_random_seed(&s->random, 1, 1);
    soak = stage_soak(s, &plan, false);
    for (int step = 0; step < 100000; step++) {
        uint32_t at = (uint32_t)soak_random_below(&s->random, ARRAY_LEN(runs)), least = UINT32_MAX, most = 0;

        if (busy < ARRAY_LEN(runs) && soak_next(soak, &runs[busy].number, &runs[busy].copy)) {
            for (uint32_t i = 0; i < busy; i++)
                assert_false(runs[i].number == runs[busy].number && runs[i].copy == runs[busy].copy);
            busy++;
            continue;
        }
        if (!busy)
            break;
        at = at < busy ? at : 0;
        if (soak_random_below(&s->random, 4)) {
            end_as(soak, runs[at].number, runs[at].copy, VERDICT_PASSED);
            ended[runs[at].number * 2 + runs[at].copy]++;
        } else {
            soak_put_back(soak, runs[at].number, runs[at].copy);
        }
        runs[at] = runs[--busy];
        for (uint32_t i = 0; i < 10; i++) {
            least = ended[i] < least ? ended[i] : least;
            most = ended[i] > most ? ended[i] : most;
        }
        assert_true(most - least <= 2);
    }
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(ended[i * 2] + ended[i * 2 + 1], 500);
    assert_int_equal(soak_where(soak, 0), SOAK_COUNTED);
    soak_close(soak);
}

/* ---- when it ends ---- */

static void test_needs_no_more_than_it_says(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.003, .confidence = 0.95, .seed = 1, .copies = 8};
    struct soak *soak;
    struct soak_now now;
    uint32_t number[8], copy[8], began = 0;

    add_cases(s, 1, 0);
    soak = stage_soak(s, &plan, false);
    soak_look(soak, 0, &now);
    assert_int_equal(now.needed, 998);
    for (;;) {
        uint32_t busy = 0;

        while (busy < 8 && soak_next(soak, &number[busy], &copy[busy]))
            busy++;
        if (!busy)
            break;
        assert_int_equal(soak_where(soak, 0), SOAK_GOES_ON);
        began += busy;
        while (busy--)
            end_as(soak, number[busy], copy[busy], VERDICT_PASSED);
    }
    assert_int_equal(began, 998);
    assert_int_equal(soak_where(soak, 0), SOAK_BELOW);
    soak_close(soak);
}

/* Of the last of them seven have passed; the eighth takes its time, and fails. */
static void test_what_still_runs_may_fail(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.05, .confidence = 0.95, .seed = 1, .copies = 2};
    struct soak *soak;
    uint32_t number, slow_copy = 0, copy, clean = 0;

    add_cases(s, 40, 0);
    soak = stage_soak(s, &plan, false);
    while (clean < 58) {
        assert_true(soak_next(soak, &number, &copy));
        end_as(soak, number, copy, VERDICT_PASSED);
        clean++;
    }
    assert_true(soak_next(soak, &number, &slow_copy)); /* the 59th */
    {
        uint32_t other, other_copy;

        assert_false(soak_next(soak, &other, &other_copy)); /* it may be the last */
        assert_int_equal(soak_where(soak, 0), SOAK_GOES_ON);
        end_as(soak, number, slow_copy, VERDICT_TIMEOUT);
        assert_int_equal(soak_where(soak, 0), SOAK_GOES_ON);
        assert_true(soak_next(soak, &other, &other_copy));
    }
    soak_close(soak);
}

static void test_bounds(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.duration = 10 * NS_PER_S, .seed = 1, .copies = 1};
    struct soak *soak;
    uint32_t number, copy;

    add_cases(s, 2, 0);
    soak = stage_soak(s, &plan, false);
    assert_true(soak_next(soak, &number, &copy));
    assert_int_equal(soak_where(soak, 9 * NS_PER_S), SOAK_GOES_ON);
    assert_int_equal(soak_where(soak, 10 * NS_PER_S), SOAK_COUNTED);
    end_as(soak, number, copy, VERDICT_PASSED);
    assert_int_equal(soak_where(soak, 11 * NS_PER_S), SOAK_COUNTED);
    assert_false(soak_next(soak, &number, &copy));
    soak_close(soak);
    /* Not more than it had: it stays. */
    soak = stage_soak(s, &(struct soak_plan){.seed = 99}, true);
    assert_int_equal(soak_seed(soak), 1);
    assert_int_equal(soak_taken(soak), 11 * NS_PER_S);
    assert_int_equal(soak_plan_of(soak)->duration, 10 * NS_PER_S);
    assert_int_equal(soak_where(soak, 11 * NS_PER_S), SOAK_COUNTED);
    soak_close(soak);
    soak = stage_soak(s, &(struct soak_plan){.duration = 20 * NS_PER_S}, true);
    assert_int_equal(soak_where(soak, 11 * NS_PER_S), SOAK_GOES_ON);
    assert_true(soak_next(soak, &number, &copy));
    soak_close(soak);
}

static void test_until_fail(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.until_fail = true, .count = 100, .seed = 1, .copies = 1};
    struct soak *soak;

    add_cases(s, 3, 1);
    soak = stage_soak(s, &plan, false);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_FAILED);
    assert_int_equal(soak->state.head->totals.attempts, 1);
    soak_close(soak);
    soak = stage_soak(s, &(struct soak_plan){.count = 100}, true);
    assert_int_equal(soak_where(soak, 0), SOAK_FAILED);
    assert_false(soak->state.head->totals.moved);
    soak_close(soak);
    /* More to do: until the next. */
    soak = stage_soak(s, &(struct soak_plan){.count = 200}, true);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_FAILED);
    assert_int_equal(soak->state.head->totals.attempts, 2);
    assert_true(soak->state.head->totals.moved);
    soak_close(soak);
    soak = stage_soak(s, &(struct soak_plan){.until_fail = true}, true);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_FAILED);
    assert_int_equal(soak->state.head->totals.attempts, 3);
    soak_close(soak);
}

/* A bound of a kind that was not there is something more to do where there is room, and changes nothing where there is none. */
static void test_more_of_another_kind(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.until_fail = true, .seed = 1, .copies = 1};
    struct soak *soak;

    add_cases(s, 1, 1);
    soak = stage_soak(s, &plan, false);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_FAILED);
    soak_close(soak);
    s->rates[0] = 0;
    soak = stage_soak(s, &(struct soak_plan){.count = 1}, true); /* that is what it has run */
    assert_int_equal(soak_where(soak, 0), SOAK_FAILED);
    assert_int_equal(soak->state.head->plan.count, 0);
    assert_false(soak->state.head->totals.moved);
    soak_close(soak);
    soak = stage_soak(s, &(struct soak_plan){.count = 50}, true);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_COUNTED);
    assert_int_equal(soak->state.head->totals.attempts, 50);
    assert_true(soak->state.head->totals.moved);
    soak_close(soak);
    soak = stage_soak(s, &(struct soak_plan){.duration = NS_PER_S}, true);
    assert_int_equal(soak_where(soak, 0), SOAK_COUNTED);
    assert_int_equal(soak_plan_of(soak)->duration, 0);
    soak_close(soak);
}

/* Such as holds at any time, or Clopper and Pearson's. */
static void interval_is(const struct soak *soak, bool any_time)
{
    const struct state_totals *totals = &soak->state.head->totals;
    struct stats_interval is =
        soak_interval(&soak->state, (struct tally){totals->failures, totals->attempts, 0});
    struct stats_interval fixed = stats_interval(totals->failures, totals->attempts, 0.95);

    assert_int_equal(is.high != fixed.high, any_time);
}

/* One that was given more when it had been looked at ends where somebody liked. */
static void test_intervals_of_an_end_that_was_moved(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.count = 20, .seed = 1, .copies = 1};
    struct soak *soak;

    add_cases(s, 2, 0.2);
    soak = stage_soak(s, &plan, false);
    interval_is(soak, false); /* of nothing both are the same */
    stage_play(s, soak, 1, 30);
    interval_is(soak, true); /* it goes on */
    soak_close(soak);
    soak = stage_soak(s, &plan, true); /* as it was to be */
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_COUNTED);
    interval_is(soak, false);
    soak_close(soak);
    plan.count = 30;
    soak = stage_soak(s, &plan, true);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_COUNTED);
    assert_int_equal(soak->state.head->totals.attempts, 60);
    interval_is(soak, true);
    soak_close(soak);
    /* A bound where there was none, when some is known. */
    stage_clear(s);
    soak = stage_soak(s, &(struct soak_plan){.seed = 1, .copies = 1}, false);
    stage_play(s, soak, 1, 10);
    soak_close(soak);
    soak = stage_soak(s, &(struct soak_plan){.count = 20}, true);
    assert_int_equal(stage_play(s, soak, 1, STAGE_FOR_EVER), SOAK_COUNTED);
    interval_is(soak, true);
    soak_close(soak);
}

static void test_undecided(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.01, .confidence = 0.9, .count = 20, .seed = 1, .copies = 1};
    struct soak *soak;

    add_cases(s, 2, 0);
    soak = stage_soak(s, &plan, false);
    assert_int_equal(stage_play(s, soak, 3, STAGE_FOR_EVER), SOAK_UNDECIDED);
    soak_close(soak);
    plan.count = 1000;
    soak = stage_soak(s, &plan, true);
    assert_int_equal(stage_play(s, soak, 3, STAGE_FOR_EVER), SOAK_BELOW);
    assert_int_equal(soak->state.head->totals.attempts, 230); /* ln 0.1 / ln 0.99 */
    soak_close(soak);
    plan.count = 2000;
    soak = stage_soak(s, &plan, true);
    assert_int_equal(soak_where(soak, 0), SOAK_BELOW);
    soak_close(soak);
}

/* What is skipped is told, and no attempt; one that never is anything else is left out. */
static void test_skipped(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.05, .confidence = 0.95, .seed = 1, .copies = 1};
    struct soak *soak;
    uint32_t number, copy, skipped = 0;

    add_cases(s, 2, 0);
    soak = stage_soak(s, &plan, false);
    while (soak_where(soak, 0) == SOAK_GOES_ON) {
        assert_true(soak_next(soak, &number, &copy));
        skipped += number == 0;
        end_as(soak, number, copy, number ? VERDICT_PASSED : VERDICT_SKIPPED);
    }
    assert_int_equal(skipped, 3);
    assert_int_equal(soak->state.head->totals.attempts, 59);
    assert_int_equal(soak->state.head->totals.passed_over, 3);
    assert_int_equal(soak_where(soak, 0), SOAK_BELOW);
    soak_close(soak);
}

/* One that has something to do now and then is run; one that has not any more is left out, and the soak comes to an end. */
static void test_skipped_in_a_row(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.05, .confidence = 0.95, .seed = 1, .copies = 1};
    struct soak *soak;
    uint32_t number, copy, runs = 0;

    add_cases(s, 1, 0);
    soak = stage_soak(s, &plan, false);
    while (soak_next(soak, &number, &copy)) {
        assert_true(runs < 1000);
        end_as(soak, number, copy, ++runs == 1 || runs == 101 ? VERDICT_PASSED : VERDICT_SKIPPED);
    }
    assert_int_equal(runs, 201);
    assert_int_equal(soak_where(soak, 0), SOAK_UNDECIDED);
    soak_close(soak);
    plan.count = 500;
    soak = stage_soak(s, &plan, true);
    assert_false(soak_next(soak, &number, &copy));
    soak_close(soak);
}

/* Three copies of a case are skipped, and it is left out; the fourth comes rounds later, with something else. */
static void test_left_out_before_its_last_copy(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.count = 40, .seed = 1, .copies = 4};
    struct soak *soak;
    uint32_t number, copy, slow = NONE;

    add_cases(s, 2, 0);
    soak = stage_soak(s, &plan, false);
    for (int i = 0; i < 28; i++) {
        assert_true(soak_next(soak, &number, &copy));
        if (!number && slow == NONE)
            slow = copy;
        else
            end_as(soak, number, copy, number ? VERDICT_PASSED : VERDICT_SKIPPED);
    }
    end_as(soak, 0, slow, VERDICT_PASSED);
    while (soak_next(soak, &number, &copy)) {
        assert_int_equal(number, 1);
        end_as(soak, number, copy, VERDICT_PASSED);
    }
    assert_int_equal(soak->state.head->totals.attempts, 41);
    assert_int_equal(soak_where(soak, 0), SOAK_COUNTED);
    soak_close(soak);
}

static void test_all_skipped_ends(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.05, .confidence = 0.95, .seed = 1, .copies = 2};
    struct soak *soak;
    uint32_t number, copy, runs = 0;

    add_cases(s, 3, 0);
    soak = stage_soak(s, &plan, false);
    while (soak_next(soak, &number, &copy)) {
        end_as(soak, number, copy, VERDICT_UNSUPPORTED);
        runs++;
    }
    assert_int_equal(runs, 9);
    assert_int_equal(soak_where(soak, 0), SOAK_UNDECIDED);
    soak_close(soak);
}

/* ---- files that are none ---- */

static void refused(struct stage *s, const struct soak_plan *plan, const char *why)
{
    struct soak *soak = soak_open(s->folder, plan, s->cases, s->count, true, &s->diags);

    assert_null(soak);
    assert_int_equal(s->diags.count, 1);
    if (!strstr(s->diags.list[0].text, why))
        fail_msg("no '%s' in '%s'", why, s->diags.list[0].text);
    s->diags = (struct diags){.arena = &s->arena};
}

static void overwrite(struct stage *s, size_t at, const void *bytes, size_t size)
{
    int fd = openat(s->folder, SOAK_STATE_NAME, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, (off_t)at), size);
    close(fd);
}

static void test_refused(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.below = 0.05, .confidence = 0.95, .seed = 1, .copies = 1};
    struct soak_result *result;
    struct stat status;
    const nanos past = -5;
    uint32_t version = 2;
    char path[100];

    add_cases(s, 2, 0);
    soak_close(stage_soak(s, &plan, false));
    snprintf(path, sizeof path, "%s/%s", s->path, SOAK_STATE_NAME);
    assert_null(soak_open(s->folder, &plan, s->cases, s->count, false, &s->diags));
    s->diags = (struct diags){.arena = &s->arena};
    s->count = 1;
    refused(s, &plan, "other cases");
    s->count = 2;
    plan.below = 0.01;
    refused(s, &plan, "it asks for a rate below 5 %, and for a confidence of 95 %");
    stage_clear(s);
    soak_close(stage_soak(s, &(struct soak_plan){.count = 5, .confidence = 0.95, .copies = 1}, false));
    refused(s, &plan, "it was begun without '--below'");
    refused(s, &(struct soak_plan){.confidence = 0.9}, "it asks for a confidence of 95 %");
    stage_clear(s);
    plan.below = 0.05;
    soak_close(stage_soak(s, &plan, false));
    plan.below = 0;
    plan.count = 30;
    plan.duration = 90 * NS_PER_S;
    soak_close(stage_soak(s, &plan, true));
    plan.count = 29;
    refused(s, &plan, "it is to run each case 30 times, which can become more, and not less");
    plan.count = 30;
    plan.duration = 89 * NS_PER_S;
    refused(s, &plan, "it is to go on for 1m30s, which can become more, and not less");
    plan.count = plan.duration = 0;
    soak_close(stage_soak(s, &plan, true));
    overwrite(s, offsetof(struct state_head, plan.duration), &past, sizeof past);
    refused(s, &plan, "damaged");
    overwrite(s, offsetof(struct state_head, plan.duration), &(nanos){90 * NS_PER_S}, sizeof(nanos));
    overwrite(s, offsetof(struct state_head, plan.count), &past, sizeof past);
    refused(s, &plan, "damaged");
    overwrite(s, offsetof(struct state_head, plan.count), &(uint64_t){30}, sizeof(uint64_t));
    soak_close(stage_soak(s, &plan, true));
    overwrite(s, offsetof(struct state_head, fixed.copies), "\7", 1);
    refused(s, &plan, "damaged");
    overwrite(s, offsetof(struct state_head, fixed.version), &version, sizeof version);
    refused(s, &plan, "another version");
    overwrite(s, 0, "SQLite format", 13);
    refused(s, &plan, "no record of a soak");
    /* As large as one could be, with nothing in it: nobody reads that. */
    assert_int_equal(truncate(path, (off_t)7 << 30), 0);
    assert_null(soak_read(s->folder, "here", &s->arena, &s->diags));
    assert_true(s->arena.used < 1 << 20);
    s->diags = (struct diags){.arena = &s->arena};
    unlink(path);
    soak_close(stage_soak(s, &plan, false));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - 1), 0);
    refused(s, &plan, "cut short");
    assert_int_equal(truncate(path, 40), 0);
    refused(s, &plan, "cut short");
    assert_int_equal(truncate(path, 0), 0);
    refused(s, &plan, "empty");
    result = soak_read(s->folder, "runs/7", &s->arena, &s->diags);
    assert_null(result);
    s->diags = (struct diags){.arena = &s->arena};
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    refused(s, &plan, "cannot be opened");
    rmdir(path);
    assert_null(soak_read(s->folder, "runs/7", &s->arena, &s->diags));
    assert_string_equal(s->diags.list[0].text, "cannot read 'runs/7/soak.state': No such file or directory");
}

/* ---- kinds ---- */

static enum soak_worth fail_with(struct soak *soak, const char *reason)
{
    struct soak_outcome outcome = {
        .verdict = VERDICT_FAILED, .reason = str_of(reason), .evidence = S("cases/t0/1")};
    uint32_t number, copy;
    enum soak_worth before, after;

    assert_true(soak_next(soak, &number, &copy));
    outcome.attempt = soak_begin(soak, number);
    before = soak_worth(soak, &outcome);
    after = soak_ended(soak, number, copy, &outcome, 0);
    assert_int_equal(before, after);
    return after;
}

static void test_kinds_are_bounded(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 1, .copies = 1};
    struct soak *soak;
    struct soak_result *result;
    uint64_t sum = 0;

    add_cases(s, 1, 0);
    soak = stage_soak(s, &plan, false);
    for (int i = 0; i < 40; i++)
        assert_int_equal(fail_with(soak, "broken"), i == 0 ? SOAK_ALL : i < 20 ? SOAK_RECORD : SOAK_NOTHING);
    for (int i = 0; i < 400; i++) {
        char reason[] = "kind __";

        reason[5] = (char)('a' + i / 20);
        reason[6] = (char)('a' + i % 20);
        assert_int_equal(fail_with(soak, reason), i < KINDS_MOST - 1        ? SOAK_ALL
                                                  : i < KINDS_MOST - 1 + 20 ? SOAK_RECORD
                                                                            : SOAK_NOTHING);
    }
    result = stage_result(s);
    assert_int_equal(result->kind_count, KINDS_MOST);
    assert_int_equal(result->kinds[0].kind->count, 40);
    assert_int_equal(result->kinds[0].kind->attempt, 1);
    for (uint32_t i = 0; i < result->kind_count; i++)
        sum += result->kinds[i].kind->count;
    assert_int_equal(sum + result->state.head->totals.others, 440);
    soak_close(soak);
}

/* ---- kills ---- */

struct shared {
    uint32_t begun, told, done; /* of all attempts: handed out, about to be counted, counted */
};

/* Every seventh fails, of three kinds. */
static void play_one(struct soak *soak, struct shared *shared)
{
    struct soak_outcome outcome = {.verdict = VERDICT_PASSED, .duration = NS_PER_MS};
    static const char *const reasons[] = {"one", "two", "three"};
    uint32_t number, copy;

    assert_true(soak_next(soak, &number, &copy));
    shared->begun++;
    outcome.attempt = soak_begin(soak, number);
    if (shared->begun % 7 == 3) {
        outcome.verdict = VERDICT_CRASHED;
        outcome.reason = str_of(reasons[shared->begun % 3]);
    }
    shared->told++;
    soak_ended(soak, number, copy, &outcome, shared->told * NS_PER_MS);
    shared->done++;
}

#define KILL_ATTEMPTS 24

/* False: it was not killed any more. */
static bool play_until_killed(struct stage *s, const struct soak_plan *plan, bool resume, uint32_t place,
                              struct shared *shared)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (!child) {
        struct faults faults = {0};
        char text[32];
        struct soak *soak = soak_open(s->folder, plan, s->cases, s->count, resume, &s->diags);

        snprintf(text, sizeof text, "kill-runner@%u", place);
        if (!soak || !faults_parse(&faults, text, &s->diags))
            _exit(1);
        soak_set_faults(soak, &faults);
        while (soak->state.head->totals.attempts < KILL_ATTEMPTS)
            play_one(soak, shared);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
    return WIFSIGNALED(status);
}

static void check_whole(struct stage *s, const struct shared *shared, uint32_t kills)
{
    const struct soak_result *result = stage_result(s);
    const struct state_totals *totals = &result->state.head->totals;
    uint64_t of_kinds = 0, of_pairs = 0, rounds = 0, begun = 0;

    assert_int_equal(result->all.attempts, totals->attempts);
    assert_int_equal(result->all.failures, totals->failures);
    for (uint32_t i = 0; i < totals->kinds; i++)
        of_kinds += result->state.kinds[i].count;
    for (uint32_t i = 0; i < totals->pairs; i++)
        of_pairs += result->state.pairs[i].count;
    for (uint32_t i = 0; i < result->count; i++) {
        rounds += result->state.rounds[i];
        begun += result->state.cases[i].begun;
    }
    assert_int_equal(of_kinds, totals->failures);
    assert_int_equal(of_pairs, totals->failures);
    assert_int_equal(rounds, totals->attempts);
    assert_int_equal(begun, shared->begun); /* none is numbered twice */
    /* One of each kill may be lost, and none is made up. */
    assert_in_range(totals->attempts, shared->told - kills, shared->told);
    assert_true(totals->attempts >= shared->done);
}

/* Killed at each of its places in turn, and taken up again each time; and once at each of them from the beginning. */
static void test_killed_at_any_place(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 5, .copies = 1};
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint32_t places = 0;

    assert_ptr_not_equal(shared, MAP_FAILED);
    add_cases(s, 3, 0);
    for (uint32_t place = 1;; place++, places++) {
        stage_clear(s);
        *shared = (struct shared){0};
        if (!play_until_killed(s, &plan, false, place, shared))
            break;
        check_whole(s, shared, 1);
        assert_false(play_until_killed(s, &plan, true, 100000, shared));
        check_whole(s, shared, 1);
        assert_in_range(shared->told, KILL_ATTEMPTS, KILL_ATTEMPTS + 1);
    }
    assert_true(places > 8 * KILL_ATTEMPTS);
    /* Many kills of one: it comes to its end all the same. */
    for (uint32_t place = 9; place < 20; place++) {
        uint32_t kills = 0;

        stage_clear(s);
        *shared = (struct shared){0};
        while (play_until_killed(s, &plan, kills > 0, place, shared)) {
            kills++;
            check_whole(s, shared, kills);
        }
        check_whole(s, shared, kills);
        assert_true(kills >= KILL_ATTEMPTS / 3);
    }
    munmap(shared, sizeof *shared);
}

/* The order goes on: with kills and without it is the same, but for those that were under way. */
static void test_resumed_order(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 21, .copies = 1};
    uint32_t expected[3][7], number, copy;
    struct soak *soak;

    add_cases(s, 7, 0);
    for (uint64_t round = 0; round < 3; round++)
        soak_permute(expected[round], 7, 21, round);
    for (uint32_t i = 0; i < 21; i++) {
        uint32_t lost, lost_copy;

        soak = stage_soak(s, &plan, i > 0);
        assert_true(soak_next(soak, &number, &copy));
        assert_int_equal(number, expected[i / 7][i % 7]);
        end_as(soak, number, copy, VERDICT_PASSED);
        soak_next(soak, &lost, &lost_copy); /* nothing comes of it */
        soak_close(soak);
    }
}

/* ---- read while it is written ---- */

static void test_read_meanwhile(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 5, .copies = 1, .count = 100000};
    struct arena arena = {0};
    uint64_t before = 0;
    int status;
    pid_t child;

    add_cases(s, STAGE_CASES, 0.3); /* more than are read at a time */
    soak_close(stage_soak(s, &plan, false));
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        struct soak *soak = soak_open(s->folder, &plan, s->cases, s->count, true, &s->diags);

        _exit(!soak || stage_play(s, soak, 3, 30000) != SOAK_GOES_ON);
    }
    do {
        const struct soak_result *result;
        uint64_t of_kinds = 0;

        arena_clear(&arena);
        result = soak_read(s->folder, "here", &arena, &s->diags);
        assert_non_null(result);
        assert_true(result->all.failures <= result->all.attempts);
        assert_true(result->all.attempts >= before);
        before = result->all.attempts;
        for (uint32_t i = 0; i < result->kind_count; i++)
            of_kinds += result->kinds[i].kind->count;
        /* Each number is whole; where it goes too fast, one may be of a moment later than another. */
        assert_true(of_kinds <= result->all.attempts + 30000);
    } while (before < 30000 && waitpid(child, &status, WNOHANG) == 0);
    if (before >= 30000)
        assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    arena_clear(&arena);
    assert_int_equal(soak_read(s->folder, "here", &arena, &s->diags)->all.attempts, 30000);
    arena_release(&arena);
}

/* ---- a million ---- */

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static uint64_t resident(void)
{
    struct proc_stat stat;

    assert_int_equal(proc_stat_read(getpid(), &stat), 0);
    return stat.rss_pages;
}

static uint64_t size_on_disk(struct stage *s)
{
    uint64_t bytes;

    assert_int_equal(dir_size(AT_FDCWD, s->path, &bytes), 0);
    return bytes;
}

static void test_a_million_attempts(void **state)
{
    struct stage *s = *state;
    struct soak_plan plan = {.seed = 5, .copies = 2};
    struct soak *soak;
    uint64_t pages, bytes, all = SANITIZED ? 100000 : 1000000;

    add_cases(s, 20, 0.01);
    soak = stage_soak(s, &plan, false);
    stage_play(s, soak, 8, all / 10);
    pages = resident();
    bytes = size_on_disk(s);
    stage_play(s, soak, 8, all - all / 10);
    assert_int_equal(soak->state.head->totals.attempts, all);
    assert_int_equal(size_on_disk(s), bytes);
    /* What is freed stays with a sanitizer. */
    if (!SANITIZED)
        assert_true(resident() <= pages + pages / 50);
    soak_close(soak);
}

int main(void)
{
#define SOAK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounded_numbers),
        cmocka_unit_test(test_orders_are_even),
        SOAK_TEST(test_rounds),
        SOAK_TEST(test_one_that_hangs_is_passed_by_for_a_round),
        SOAK_TEST(test_put_back),
        SOAK_TEST(test_any_order_of_ends),
        SOAK_TEST(test_needs_no_more_than_it_says),
        SOAK_TEST(test_what_still_runs_may_fail),
        SOAK_TEST(test_bounds),
        SOAK_TEST(test_until_fail),
        SOAK_TEST(test_more_of_another_kind),
        SOAK_TEST(test_intervals_of_an_end_that_was_moved),
        SOAK_TEST(test_undecided),
        SOAK_TEST(test_skipped),
        SOAK_TEST(test_skipped_in_a_row),
        SOAK_TEST(test_left_out_before_its_last_copy),
        SOAK_TEST(test_all_skipped_ends),
        SOAK_TEST(test_refused),
        SOAK_TEST(test_kinds_are_bounded),
        SOAK_TEST(test_killed_at_any_place),
        SOAK_TEST(test_resumed_order),
        SOAK_TEST(test_read_meanwhile),
        SOAK_TEST(test_a_million_attempts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
