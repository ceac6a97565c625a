#include "tests/unit/results_read.h"

#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct results_reader *open_strict(struct results *into)
{
    return results_tap(into, true);
}

struct row {
    struct str tap;
    const char *shown;
};

static void check_rows(const struct row *rows, size_t count, results_open *open)
{
    struct buf shown = {0};

    for (size_t i = 0; i < count; i++)
        for (size_t piece = 1; piece < 4096; piece += 4000) {
            buf_clear(&shown);
            read_and_show(&shown, open, rows[i].tap, piece, false);
            if (strcmp(buf_text(&shown), rows[i].shown) != 0)
                fail_msg("row %zu, pieces of %zu:\n%s\ninstead of\n%s", i, piece, buf_text(&shown),
                         rows[i].shown);
        }
    buf_release(&shown);
}

static void test_points(void **state)
{
    static const struct row rows[] = {
        {STR("1..2\nok\nnot ok\n"), "passed: #1\nfailed: #2\nannounced 2, missing 0, left out 0\n"},
        {STR("TAP version 14\r\n1..2\r\nok 1 - a\r\nok 2 b  \r\n"),
         "passed: a\npassed: b\nannounced 2, missing 0, left out 0\n"},
        {STR("ok 1 - a\nnot ok 2 - b\n1..2"), "passed: a\nfailed: b\nannounced 2, missing 0, left out 0\n"},
        {STR("\xef\xbb\xbf"
             "1..1\nok\n"),
         "passed: #1\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 -a\n"), "passed: -a\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1a\n"), "passed: 1a\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nokay 1\nok\n"), "passed: #1\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - a \\# b \\\\ c \\d\n"),
         "passed: a # b \\ c \\d\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - issue #skipping\n"), /* the word follows the '#' at once */
         "skipped: issue\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - issue#skip\n"), "passed: issue#skip\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - issue #7\n"), "passed: issue #7\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - a \\# skip\n"), "passed: a # skip\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - x\0y\xff\xc3\xa9\n"),
         "passed: x\\x00y\\xff\xc3\xa9\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - a # time=5.5ms\n"), "passed: a 5500us\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - a  (0.50s)\n"), "passed: a 500000us\nannounced 1, missing 0, left out 0\n"},
        {STR("1..2\nok 1 - a\nok 2 - a\n"), "passed: a\npassed: a#2\nannounced 2, missing 0, left out 0\n"},
        {STR("1..3\nok - a#2\nok - a\nok - a\n"),
         "passed: a#2\npassed: a\npassed: a#3\nannounced 3, missing 0, left out 0\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), open_tap);
}

static void test_directives(void **state)
{
    static const struct row rows[] = {
        {STR("1..4\nok 1 - a # SKIP why\nok 2 - b # skipped: why\nok 3 # Skip\nnot ok 4 - d # SKIP\n"),
         "skipped: a (why)\nskipped: b (why)\nskipped: #3\nskipped: d\nannounced 4, missing 0, left out 0\n"},
        {STR("1..3\nnot ok 1 - a # TODO why\nok 2 - b # todo\nnot ok 3 - c # Todo: why\n"),
         "xfailed: a (why)\nxpassed: b\nxfailed: c (why)\nannounced 3, missing 0, left out 0\n"},
        {STR("1..1\nok 1 - a # skipper\n"), "passed: a # skipper\nannounced 1, missing 0, left out 0\n"},
        {STR("1..0 # SKIP no network\n"), "announced 0, missing 0, left out 0\nskip all: no network\n"},
        {STR("1..0\n"), "announced 0, missing 0, left out 0\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), open_tap);
}

#define MISSED "(announced by the plan 1..3, and not reported)\n"

static void test_plans(void **state)
{
    static const struct row rows[] = {
        {STR(""), "0:0: no TAP was found: neither a plan like 1..5 nor a test like 'ok 1 - name'\n"},
        {STR("1..3\nok 1 - a\nok 3 - c\n"),
         "passed: a\npassed: c\nnot run: #2 " MISSED "announced 3, missing 1, left out 0\n"},
        {STR("1..3\nok 1 - a\nnot o"),
         "passed: a\nnot run: #2 " MISSED "not run: #3 " MISSED "announced 3, missing 2, left out 0\n"},
        {STR("ok 1 - a\n"), "passed: a\n1:1: there is no plan: 1..1 would say how many tests there are\n"},
        {STR("ok 1 - a\nok 3 - c\n"), "passed: a\npassed: c\nnot run: #2 (left out in the numbering)\n"
                                      "announced -1, missing 1, left out 0\n1:1: there is no plan: 1..2 "
                                      "would say how many tests there are\n"},
        {STR("1..2\nok 1 - a\nok 1 - b\nok 2 - c\n"),
         "passed: a\npassed: b\npassed: c\nannounced 2, missing 0, left out 0\n"
         "3:1: test 1 comes a second time: each has a number of its own\n"},
        {STR("1..3\nok 1 - a\nok 1 - b\nok 3 - c\n"),
         "passed: a\npassed: b\npassed: c\nannounced 3, missing 0, left out 0\n"},
        {STR("1..3\nok 1 - a\nok 1 - b\n"),
         "passed: a\npassed: b\nnot run: #3 " MISSED "announced 3, missing 1, left out 0\n"
         "3:1: test 1 comes a second time: each has a number of its own\n"},
        {STR("1..1\nok 1 - a\nok 2 - b\n"), "passed: a\npassed: b\nannounced 1, missing 0, left out 0\n"
                                            "3:1: test 2 is beyond the plan 1..1\n"},
        {STR("ok 1 - a\n1..2\nok 2 - b\n"),
         "passed: a\npassed: b\nannounced 2, missing 0, left out 0\n"
         "3:1: a test after the plan of its end: a plan stands first or last\n"},
        {STR("1..1\nok 1 - a\n1..2\n"),
         "passed: a\nannounced 1, missing 0, left out 0\n3:1: a second plan; 1..1 was the first\n"},
        {STR("TAP version 15\n1..0\n"),
         "announced 0, missing 0, left out 0\n1:1: TAP version 15 is not known; 13 and 14 are\n"},
        {STR("1..3\nok 1 - a\nBail out! disk is full\nok 2 - b\n"),
         "passed: a\nnot run: #2 (bailed out: disk is full)\nnot run: #3 (bailed out: disk is full)\n"
         "announced 3, missing 2, left out 0\nbail out: disk is full\n"},
        {STR("ok 1 - a\n    not ok 1 - b\n    bail out!\n"), "passed: a\nfailed: #2::b\nbail out: \n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), open_tap);
}

static void test_diagnostics(void **state)
{
    static const struct row rows[] = {
        {STR("1..1\nnot ok 1 - a\n  ---\n  message: 'it''s wrong'\n  severity: fail\n  at:\n    file: t/a.c\n"
             "    line: 12\n  ...\n"),
         "failed: a at t/a.c:12 (it's wrong)\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nnot ok 1 - a\n  ---\n  message: \"one\\ntwo\"\n  file: b.c\n  line: 3\n  duration_ms: "
             "1.5\n"
             "  ...\n"),
         "failed: a 1500us at b.c:3 (one)\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nnot ok 1 - a\n  ---\n  error: |-\n\n    deep\n      line: 7\n  at: file:///x/y.js:4:2\n"
             "  other:\n    line: 99\n  ...\n"),
         "failed: a at /x/y.js:4 (deep)\nannounced 1, missing 0, left out 0\n"},
        {STR("1..2\nnot ok 1 - a\n  ---\n  message: m\nok 2 - b\n"),
         "failed: a (m)\npassed: b\nannounced 2, missing 0, left out 0\n"
         "3:3: this block of YAML has no end: '...' is missing\n"},
        {STR("1..1\nnot ok 1 - a\n  ---\n  message: m"),
         "failed: a (m)\nannounced 1, missing 0, left out 0\n"
         "3:3: this block of YAML has no end: '...' is missing\n"},
        {STR("1..1\nnot ok 1 - a\n#   Failed test 'a'\n#   at shop.t line 5.\n"),
         "failed: a at shop.t:5 (Failed test 'a')\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\n# all fine\nok 1 - a\n# fine.c:3: too\n"),
         "passed: a\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\nnot ok 1 - a\nnoise\n# 1 != 2\n# a.c:9: error\n"),
         "failed: a at a.c:9 (1 != 2)\nannounced 1, missing 0, left out 0\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), open_tap);
}

static void test_subtests(void **state)
{
    static const struct row rows[] = {
        {STR("1..1\n# Subtest: p\n    ok 1 - c\n    # Subtest: d\n        not ok 1 - e\n        1..1\n"
             "    not ok 2 - d\n    1..2\nnot ok 1 - p\n"),
         "passed: p::c\nfailed: p::d::e\nfailed: p::d parent\nfailed: p parent\n"
         "announced 1, missing 0, left out 0\n"},
        /* no comment; a parent that fails by itself is no mere sum */
        {STR("1..1\n    ok 1 - c\n    1..1\nnot ok 1 - p\n"),
         "passed: p::c\nfailed: p\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\n    # Subtest: p\n    1..2\n    ok 1 - c\n"),
         "passed: p::c\nnot run: p::#2 (announced by the plan 1..2, and not reported)\n"
         "not run: #1 (announced by the plan 1..1, and not reported)\nannounced 1, missing 2, left out 0\n"
         "2:1: this subtest is not followed by a test point of its own\n"},
        {STR("1..1\n    1..0 # skip why\nok 1 - p # skip why\n"),
         "skipped: p (why)\nannounced 1, missing 0, left out 0\n"},
        {STR("1..1\n    ok 1 - c\nok 1 - p\n"),
         "passed: p::c\npassed: p parent\nannounced 1, missing 0, left out 0\n"
         "2:1: this subtest has no plan: 1..1 would say how many tests it has\n"},
        /* indented by something else, or by too much */
        {STR("1..1\n   ok 1 - c\n            ok 1 - c\n\tok 2 - c\nok 1 - p\n"),
         "passed: p\nannounced 1, missing 0, left out 0\n"},
        {STR("1..2\n    ok 1 - c\n    1..1\nok 1 - p\n    ok 1 - c\n    1..1\nok 2 - p\n"),
         "passed: p::c\npassed: p parent\npassed: p::c#2\npassed: p#2 parent\n"
         "announced 2, missing 0, left out 0\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), open_tap);
}

#define NO_TAP "this is no TAP, and strict: a line is a plan, a test, a comment, or in a block of YAML\n"

static void test_strict(void **state)
{
    static const struct row rows[] = {
        {STR("1..1\nnoise\n\nok 1 - a\n"), "passed: a\nannounced 1, missing 0, left out 0\n2:1: " NO_TAP},
        {STR("1..1\npragma -strict\nnoise\nok 1 - a\n"), "passed: a\nannounced 1, missing 0, left out 0\n"},
    };
    static const struct row loose[] = {
        {STR("1..1\nnoise\npragma +strict\nnoise\nok 1 - a\n"),
         "passed: a\nannounced 1, missing 0, left out 0\n4:1: " NO_TAP},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows), open_strict);
    check_rows(loose, ARRAY_LEN(loose), open_tap);
}

/* The stream comes while the process runs: what is whole is in the list. */
static void test_while_it_comes(void **state)
{
    struct results results;
    struct results_reader *reader;

    (void)state;
    results_init(&results, NULL);
    reader = results_tap(&results, false);
    results_feed(reader, (struct str)STR("1..3\nok 1 - a\nok 2"));
    assert_int_equal(results.count, 0); /* something may belong to it */
    results_feed(reader, (struct str)STR(" - b\nok 3 - c\n"));
    assert_int_equal(results.count, 2);
    assert_int_equal(results.announced, 3);
    results_end(reader);
    assert_int_equal(results.count, 3);
    assert_int_equal(results.verdicts[RESULT_PASSED], 3);
    results_release(&results);
}

static void test_limits(void **state)
{
    struct results results;
    struct buf text = {0};

    (void)state;
    read_in_pieces(&results, open_tap, (struct str)STR("1..4000000000\nok 4000000000 - a\nok 1\n"), 4096);
    assert_int_equal(results.count, 2 + RESULTS_MISSING_MOST);
    assert_true(results.missing == 3999999998);
    results_release(&results);

    buf_adds(&text, "1..1\nnot ok 1 - ");
    for (int i = 0; i < 300000; i++)
        buf_adds(&text, i % 1000 ? "x" : "\n# ");
    read_in_pieces(&results, open_tap, buf_str(&text), 5000);
    assert_int_equal(results.count, 1);
    assert_true(results.list[0].details.len > RESULT_TEXT_MOST &&
                results.list[0].details.len < RESULT_TEXT_MOST + 64);
    results_release(&results);

    buf_clear(&text);
    for (int depth = 0; depth < 100; depth++) {
        for (int i = 0; i < depth * 4; i++)
            buf_addc(&text, ' ');
        buf_adds(&text, "ok 1 - a\n");
    }
    read_in_pieces(&results, open_tap, buf_str(&text), 5000);
    assert_true(results_sound(&results));
    assert_int_equal(results.count, 32);
    results_release(&results);
    buf_release(&text);
}

/* What the plan of the document is there for; those of subtests are told and no more. */
static void test_soundness(void **state)
{
    static const struct {
        struct str tap;
        bool unsound;
    } rows[] = {
        {STR("1..2\nok 1\nok 2\n"), false},
        {STR("ok 1\nok 2\n1..2\n"), false},
        {STR("1..3\nok 1\n"), false}, /* it is said what is missing */
        {STR("ok 1\nok 2\n"), true},
        {STR("1..1\nok 1\nok 2\n"), true},
        {STR("1..2\nok 1\nok 1\n"), false}, /* as many came as were announced */
        {STR("1..3\nok 1\nok 1\n"), true},
        {STR("1..1\n1..2\nok 1\n"), true},
        {STR("hello\n"), true},
        {STR("1..0 # SKIP no\n"), false},
        {STR("ok 1\nBail out!\n"), false},
        {STR("    ok 1 - a\nok 1 - b\n1..1\n"), false},
        {STR("1..1\nok 1\n  ---\n  x: y\n"), false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct results results;

        read_in_pieces(&results, open_tap, rows[i].tap, 7);
        if (results.unsound != rows[i].unsound)
            fail_msg("row %zu: %d", i, results.unsound);
        results_release(&results);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_soundness),   cmocka_unit_test(test_points),
        cmocka_unit_test(test_directives),  cmocka_unit_test(test_plans),
        cmocka_unit_test(test_diagnostics), cmocka_unit_test(test_subtests),
        cmocka_unit_test(test_strict),      cmocka_unit_test(test_while_it_comes),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests_name("results: TAP", tests, NULL, NULL);
}
