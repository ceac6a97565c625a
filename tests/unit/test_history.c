/* What history says of cases, out of runs that are given to it. */
#include "tests/unit/history_scene.h"

/* ---- a case ---- */

static void test_nothing_is_known(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    struct history_case c = look(s, h, "a");

    assert_false(c.seen || c.failed || c.pending);
    assert_int_equal(c.outcome, VERDICT_NOT_RUN);
    assert_int_equal(c.duration, -1);
    history_close(h);
    assert_int_equal(s->diags.count, 0);
}

static void test_the_last_that_is_known(void **state)
{
    const struct past first[] = {PAST("a", VERDICT_PASSED, .duration = 7 * NS_PER_MS),
                                 PAST("b", VERDICT_FAILED), PAST("c", VERDICT_PASSED)};
    const struct past second[] = {PAST("a", VERDICT_TIMEOUT, .duration = 60 * NS_PER_S),
                                  PAST("b", VERDICT_NOT_RUN), PAST("d", VERDICT_NOT_RUN)};
    struct scene *s = *state;
    struct made one = make_run(s, 1, 0, first, 3), two = make_run(s, 2, 1000, second, 3);
    struct history *h = opened(s);
    struct history_case c;

    take_in(s, h, &one);
    take_in(s, h, &two);
    c = look(s, h, "a");
    assert_true(c.seen && c.failed && !c.pending && !c.inside);
    assert_int_equal(c.outcome, VERDICT_TIMEOUT);
    assert_int_equal(c.duration, 7 * NS_PER_MS); /* a timeout says how long we waited */
    assert_int_equal(c.first, WALL);
    c = look(s, h, "b");
    assert_true(c.failed && c.pending); /* what was not run has failed as before */
    assert_int_equal(c.outcome, VERDICT_FAILED);
    c = look(s, h, "c");
    assert_true(c.seen && !c.failed && !c.pending);
    c = look(s, h, "d");
    assert_true(c.seen && !c.failed && c.pending);
    assert_int_equal(c.first, WALL + 1000);
    history_close(h);
}

static void test_what_counts_as_failed(void **state)
{
    static const struct {
        struct past past;
        bool failed;
    } rows[] = {
        {{.id = "passed", .outcome = VERDICT_PASSED}, false},
        {{.id = "flaky", .outcome = VERDICT_FLAKY}, false},
        {{.id = "flaky that fails", .outcome = VERDICT_FLAKY, .flaky_fails = true}, true},
        {{.id = "skipped", .outcome = VERDICT_SKIPPED}, false},
        {{.id = "xfailed", .outcome = VERDICT_XFAILED}, false},
        {{.id = "xpassed", .outcome = VERDICT_XPASSED}, false},
        {{.id = "strict", .outcome = VERDICT_XPASSED_STRICT}, true},
        {{.id = "failed", .outcome = VERDICT_FAILED}, true},
        {{.id = "quarantined", .outcome = VERDICT_FAILED, .quarantined = true}, false},
        {{.id = "error", .outcome = VERDICT_ERROR}, true},
        {{.id = "lost", .outcome = VERDICT_LOST}, true},
        {{.id = "leaked", .outcome = VERDICT_LEAKED}, true},
    };
    struct scene *s = *state;
    struct history *h = opened(s);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        one_run(s, h, (int)i + 1, (int64_t)i, rows[i].past);
        if (look(s, h, rows[i].past.id).failed != rows[i].failed)
            fail_msg("%s", rows[i].past.id);
        assert_int_equal(look(s, h, rows[i].past.id).outcome, rows[i].past.outcome);
    }
    history_close(h);
}

/* ---- order ---- */

static void test_order_of_runs(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);

    one_run(s, h, 2, 2000, PAST("a", VERDICT_PASSED));
    one_run(s, h, 1, 1000, PAST("a", VERDICT_FAILED)); /* that died, and is taken in later */
    assert_false(look(s, h, "a").failed);
    assert_int_equal(look(s, h, "a").first, WALL + 1000);
    one_run(s, h, 3, -500000, PAST("a", VERDICT_FAILED)); /* the clock was put back */
    assert_true(look(s, h, "a").failed);
    one_run(s, h, 1, 900000, PAST("a", VERDICT_PASSED)); /* known already, whatever it says */
    assert_true(look(s, h, "a").failed);
    history_close(h);
}

/* As the runs of a store are, when the history is begun: between the two the clock was put back. */
static void test_the_newest_first(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    struct past passed = PAST("a", VERDICT_PASSED), failed = PAST("a", VERDICT_FAILED);
    struct made newer = make_run(s, 3, -500000, &passed, 1), older = make_run(s, 2, 2000, &failed, 1),
                oldest = make_run(s, 1, 1000, &failed, 1);

    take_in(s, h, &newer);
    history_next(h, newer.record.run.id);
    take_in(s, h, &older);
    assert_false(look(s, h, "a").failed);
    history_next(h, older.record.run.id);
    take_in(s, h, &oldest);
    assert_false(look(s, h, "a").failed);
    history_next(h, str_of(""));
    one_run(s, h, 4, -400000, PAST("a", VERDICT_FAILED));
    assert_true(look(s, h, "a").failed);
    history_close(h);
}

static void test_runs_removed_by_hand_begin_anew(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    struct past past = PAST("a", VERDICT_PASSED);
    struct made again = make_run(s, 1, 9000, &past, 1);

    one_run(s, h, 1, 0, PAST("a", VERDICT_FAILED));
    one_run(s, h, 2, 1000, PAST("a", VERDICT_FAILED));
    again.record.run.id = str_of("0001-y");
    take_in(s, h, &again);
    assert_false(look(s, h, "a").failed);
    history_close(h);
}

static void test_before(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);

    one_run(s, h, 1, 0, PAST("a", VERDICT_FAILED));
    one_run(s, h, 2, 1000, PAST("a", VERDICT_PASSED));
    one_run(s, h, 3, 2000, PAST("b", VERDICT_NOT_RUN));
    history_before(h, WALL + 1000);
    assert_true(look(s, h, "a").failed);
    assert_false(look(s, h, "b").seen);
    history_before(h, WALL);
    assert_false(look(s, h, "a").seen);
    history_close(h);
}

/* ---- taken in twice ---- */

static void test_once_more_changes_nothing(void **state)
{
    const struct past past[] = {PAST("a", VERDICT_FAILED, .inside = "x -y"), PAST("b", VERDICT_NOT_RUN)};
    struct scene *s = *state;
    struct made made = make_run(s, 1, 0, past, 2);
    struct history *h = opened(s);
    char *before, *after;

    assert_false(history_knows(h, made.record.run.id, made.size));
    take_in(s, h, &made);
    assert_true(history_knows(h, made.record.run.id, made.size));
    assert_false(history_knows(h, made.record.run.id, made.size + 1));
    before = everything(s);
    take_in(s, h, &made);
    after = everything(s);
    assert_string_equal(before, after);
    history_close(h);
    free(before);
    free(after);
}

/* It had died, was taken in, and then finished. */
static void test_a_run_that_has_grown(void **state)
{
    const struct past early[] = {PAST("a", VERDICT_FAILED, .inside = "x -y"), PAST("b", VERDICT_NOT_RUN)};
    const struct past late[] = {PAST("a", VERDICT_FAILED, .inside = "-x y"), PAST("b", VERDICT_FAILED)};
    struct scene *s = *state;
    struct made made = make_run(s, 1, 0, early, 2);
    struct history *h = opened(s);
    struct history_case c;

    take_in(s, h, &made);
    assert_true(look(s, h, "b").pending);
    made = make_run(s, 1, 0, late, 2);
    made.size += 100;
    take_in(s, h, &made);
    c = look(s, h, "a");
    assert_inside(&c, "x");
    c = look(s, h, "b");
    assert_true(c.failed && !c.pending);
    history_close(h);
}

/* ---- tests inside ---- */

static void test_inside(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    struct history_case c;

    one_run(s, h, 1, 1, PAST("a", VERDICT_FAILED, .inside = "p -t r -q -s"));
    c = look(s, h, "a");
    assert_true(c.failed);
    assert_inside(&c, "t q s"); /* in the order of the suite */
    one_run(s, h, 2, 2, PAST("a", VERDICT_FAILED, .inside = "q -s", .asked = 2)); /* two of them alone */
    c = look(s, h, "a");
    assert_inside(&c, "s t");
    assert_int_equal(c.outcome, VERDICT_FAILED);
    one_run(s, h, 3, 3, PAST("a", VERDICT_PASSED, .inside = "s", .asked = 1));
    c = look(s, h, "a");
    assert_true(c.failed); /* it passed, but for what it was not asked for */
    assert_inside(&c, "t");
    assert_int_equal(c.duration, NS_PER_MS);
    one_run(s, h, 4, 4, PAST("a", VERDICT_PASSED, .inside = "t", .asked = 1));
    assert_false(look(s, h, "a").failed);
    one_run(s, h, 5, 5, PAST("a", VERDICT_FAILED, .inside = "-p", .asked = 1));
    one_run(s, h, 6, 6, PAST("a", VERDICT_PASSED, .inside = "q r s t")); /* p was deleted meanwhile */
    assert_false(look(s, h, "a").failed);
    history_close(h);
}

static void test_inside_that_cannot_be_named(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    struct history_case c;
    struct buf many = {0};

    one_run(s, h, 1, 1, PAST("crashed", VERDICT_CRASHED, .inside = "p -q"));
    c = look(s, h, "crashed");
    assert_true(c.failed && !c.inside);
    one_run(s, h, 2, 2, PAST("masked", VERDICT_FAILED, .inside = "p -q_" MASK_SHOWN));
    c = look(s, h, "masked");
    assert_true(c.failed && !c.inside);
    for (int i = 0; i <= HISTORY_INSIDE_MOST; i++)
        buf_addf(&many, "%s-t%d", i ? " " : "", i);
    one_run(s, h, 3, 3, PAST("many", VERDICT_FAILED, .inside = buf_text(&many)));
    c = look(s, h, "many");
    assert_true(c.failed && !c.inside);
    one_run(s, h, 4, 4, PAST("gone", VERDICT_FAILED, .inside = "p -q"));
    c = look(s, h, "gone");
    assert_inside(&c, "q");
    one_run(s, h, 5, 5,
            PAST("gone", VERDICT_TIMEOUT, .inside = "-p", .asked = 1)); /* all of it must be run */
    one_run(s, h, 6, 6, PAST("gone", VERDICT_PASSED, .inside = "p", .asked = 1));
    c = look(s, h, "gone");
    assert_true(c.failed && !c.inside);
    buf_release(&many);
    history_close(h);
}

static void test_results_that_are_not_there(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    struct past past = PAST("a", VERDICT_FAILED, .inside = "p -q");
    struct made made = make_run(s, 1, 1, &past, 1);
    struct history_case c;

    unlinkat(s->fd, "1-0.ndjson", 0);
    take_in(s, h, &made);
    c = look(s, h, "a");
    assert_true(c.failed && !c.inside);
    history_close(h);
}

/* ---- who is no case ---- */

static void test_soaks_commands_and_fixtures(void **state)
{
    const struct past past[] = {PAST("a", VERDICT_FAILED), PAST("fixture:b", VERDICT_ERROR)};
    struct scene *s = *state;
    struct history *h = opened(s);
    struct made made = make_run(s, 1, 0, past, 2);

    made.record.run.soak = true;
    take_in(s, h, &made);
    assert_false(look(s, h, "a").seen);
    assert_true(history_knows(h, made.record.run.id, made.size));
    made = make_run(s, 2, 1, past, 2);
    made.record.run.cases = 1; /* the other was not planned */
    take_in(s, h, &made);
    assert_true(look(s, h, "a").failed);
    assert_false(look(s, h, "fixture:b").seen);
    made = make_run(s, 3, 2, &PAST("a", VERDICT_PASSED), 1);
    made.record.run.file = (struct str){0};
    take_in(s, h, &made);
    assert_true(look(s, h, "a").failed);
    assert_false(look(s, h, history_command_id(&s->arena, str_of("a")).ptr).failed);
    assert_true(look(s, h, history_command_id(&s->arena, str_of("a")).ptr).seen);
    history_close(h);
}

/* Ids are data. */
static void test_hostile_ids(void **state)
{
    static const struct str ids[] = {
        STR("'; DROP TABLE runs; --"), STR("a\0b"), STR("\xff\xfe"), STR("%"), STR("\"x\""), STR("a")};
    struct scene *s = *state;
    struct history *h = opened(s);
    struct past past[ARRAY_LEN(ids)];
    struct made made;
    struct history_case c;

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        past[i] = PAST("", i % 2 ? VERDICT_PASSED : VERDICT_FAILED, .duration = (nanos)(i + 1) * NS_PER_MS);
    made = make_run(s, 1, 0, past, ARRAY_LEN(past));
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        ((struct journal_case *)(uintptr_t)made.record.cases[i].what)->id = ids[i];
    take_in(s, h, &made);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        history_look(h, ids[i], &s->arena, &c);
        assert_int_equal(c.duration, (nanos)(i + 1) * NS_PER_MS);
        assert_int_equal(c.failed, i % 2 == 0);
    }
    history_close(h);
}

/* ---- bounds ---- */

static void test_bounds(void **state)
{
    const struct history_bounds few = {.results = 5, .runs = 40, .bytes = 1 << 30};
    struct scene *s = *state;
    struct history *h = opened(s);
    nanos passes[HISTORY_PASSES_MOST];
    struct made made;
    char *all;

    for (int i = 1; i <= 200; i++) {
        struct past past[] = {PAST("often", VERDICT_PASSED, .duration = i * NS_PER_MS),
                              PAST(i == 1 ? "once" : "other", VERDICT_FAILED)};

        made = make_run(s, i, i, past, 2);
        assert_true(history_import(h, &made.record, s->fd, made.size, &few));
    }
    assert_in_range(history_passes(h, str_of("often"), passes), 5, 20);
    assert_int_equal(passes[0], 200 * NS_PER_MS);
    assert_false(look(s, h, "once").seen);
    assert_true(look(s, h, "other").failed);
    assert_false(history_knows(h, str_of("0150-x"), 1000));
    assert_true(history_knows(h, str_of("0165-x"), 1000));
    history_close(h);
    all = everything(s);
    assert_null(strstr(all, "once"));
    assert_non_null(strstr(all, "ok|"));
    free(all);
}

static void test_bytes(void **state)
{
    const struct history_bounds small = {.results = 100, .runs = 1000, .bytes = 128 << 10};
    struct scene *s = *state;
    struct history *h = opened(s);
    struct past past[50];
    struct stat st;

    for (int i = 1; i <= 100; i++) {
        struct made made;

        for (size_t c = 0; c < ARRAY_LEN(past); c++)
            past[c] = PAST(arena_printf(&s->arena, "case %zu of a certain length, number %d", c, i / 10),
                           VERDICT_PASSED);
        made = make_run(s, i, i, past, ARRAY_LEN(past));
        assert_true(history_import(h, &made.record, s->fd, made.size, &small));
    }
    assert_true(look(s, h, past[0].id).seen);
    history_close(h);
    assert_int_equal(fstatat(s->fd, HISTORY_NAME, &st, 0), 0);
    assert_true((uint64_t)st.st_size < small.bytes + small.bytes / 4);
}

/* ---- slower ---- */

static void test_slower(void **state)
{
    static const nanos ms = NS_PER_MS;
    static const struct {
        nanos passes[HISTORY_PASSES_MOST];
        uint32_t count;
        nanos now, was;
        bool slower;
    } rows[] = {
        {{800, 810, 790, 805, 795}, 5, 3200, 800, true},
        {{800, 810, 790, 805}, 4, 3200, 0, false},        /* too few */
        {{800, 810, 790, 805, 795}, 5, 1600, 800, false}, /* no more than twice */
        {{800, 810, 790, 805, 795}, 5, 1700, 800, true},
        {{10, 10, 10, 10, 10}, 5, 109, 10, false}, /* a moment */
        {{10, 10, 10, 10, 10}, 5, 111, 10, true},
        {{10, 3000, 10, 2000, 10, 900}, 6, 2500, 455, false},      /* it was always so */
        {{100, 100, 9000, 100, 100, 100, 100}, 7, 900, 100, true}, /* but for once */
        {{0, 0, 0, 0, 0}, 5, 0, 0, false},
        {{1, 2, 3, 4, 5, 6}, 6, 200, 3, true},
    };
    nanos passes[HISTORY_PASSES_MOST], was;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (uint32_t p = 0; p < rows[i].count; p++)
            passes[p] = rows[i].passes[p] * ms;
        if (history_is_slower(passes, rows[i].count, rows[i].now * ms, &was) != rows[i].slower)
            fail_msg("row %zu", i);
        assert_int_equal(was / ms, rows[i].was);
    }
}

static void test_passes(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);
    nanos passes[HISTORY_PASSES_MOST];

    for (int i = 1; i <= 30; i++)
        one_run(s, h, i, i,
                PAST("a",
                     i % 3 == 0   ? VERDICT_FAILED
                     : i % 3 == 1 ? VERDICT_PASSED
                                  : VERDICT_FLAKY,
                     i * NS_PER_MS));
    one_run(
        s, h, 31, 31,
        PAST("a", VERDICT_PASSED, .duration = 31 * NS_PER_MS, .inside = "x", .asked = 1)); /* a part of it */
    assert_int_equal(history_passes(h, str_of("a"), passes), 20);
    assert_int_equal(passes[0], 29 * NS_PER_MS);
    assert_int_equal(passes[1], 28 * NS_PER_MS);
    assert_int_equal(passes[2], 26 * NS_PER_MS);
    assert_int_equal(history_passes(h, str_of("b"), passes), 0);
    history_close(h);
}

/* What was not run, or not all of it, neither makes it longer nor ends it; anything but a plain pass ends it. */
static void test_streak(void **state)
{
    struct scene *s = *state;
    struct history *h = opened(s);

    assert_int_equal(history_streak(h, str_of("a")), 0);
    one_run(s, h, 1, 1, PAST("a", VERDICT_PASSED));
    one_run(s, h, 2, 2, PAST("a", VERDICT_FLAKY));
    assert_int_equal(history_streak(h, str_of("a")), 0);
    one_run(s, h, 3, 3, PAST("a", VERDICT_PASSED));
    one_run(s, h, 4, 4, PAST("a", VERDICT_SKIPPED));
    one_run(s, h, 5, 5, PAST("a", VERDICT_PASSED, .inside = "x", .asked = 1));
    one_run(s, h, 6, 6, PAST("a", VERDICT_PASSED));
    assert_int_equal(history_streak(h, str_of("a")), 2);
    one_run(s, h, 7, 7, PAST("a", VERDICT_FAILED, .quarantined = true));
    assert_int_equal(history_streak(h, str_of("a")), 0);
    for (int i = 8; i < 40; i++)
        one_run(s, h, i, i, PAST("a", VERDICT_PASSED));
    assert_int_equal(history_streak(h, str_of("a")), HISTORY_STREAK_MOST);
    history_close(h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_known),
        TEST(test_streak),
        TEST(test_the_last_that_is_known),
        TEST(test_what_counts_as_failed),
        TEST(test_order_of_runs),
        TEST(test_the_newest_first),
        TEST(test_runs_removed_by_hand_begin_anew),
        TEST(test_before),
        TEST(test_once_more_changes_nothing),
        TEST(test_a_run_that_has_grown),
        TEST(test_inside),
        TEST(test_inside_that_cannot_be_named),
        TEST(test_results_that_are_not_there),
        TEST(test_soaks_commands_and_fixtures),
        TEST(test_hostile_ids),
        TEST(test_bounds),
        TEST(test_bytes),
        TEST(test_slower),
        TEST(test_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
