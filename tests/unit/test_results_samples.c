/* Reports that their producers wrote: counted as they count, and cut at every byte. */
#include "tests/unit/results_read.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER "tests/data/results/"

static struct results_reader *open_lines(struct results *into, const char *expression)
{
    struct lines_error error;
    struct results_reader *reader = results_lines(into, str_of(expression), &error);

    if (!reader)
        fail_msg("%s: %zu: %s", expression, error.at, error.text);
    return reader;
}

static struct results_reader *open_go(struct results *into)
{
    return open_lines(into, "^ *--- (?<verdict>\\w+): (?<name>\\S+) \\((?<duration>[^)]*)\\)"
                            "|^=== (?<verdict>RUN) +(?<name>\\S+)");
}

static struct results_reader *open_gtest_console(struct results *into)
{
    return open_lines(into, "^\\[ +(?<verdict>RUN|OK|FAILED|SKIPPED) +\\] (?<name>[^\\s,]+)(?=$| \\()"
                            "(?:, where .*)?(?: \\((?<duration>\\d+ ms)\\))?$");
}

static struct results_reader *open_meson_console(struct results *into)
{
    return open_lines(
        into, "^ *\\d+/\\d+ (?<name>.+?) +(?<verdict>OK|FAIL|ERROR|TIMEOUT|SKIP|EXPECTEDFAIL|UNEXPECTEDPASS) "
              "+(?<duration>[\\d.]+s)(?: +(?<message>\\S.*))?");
}

/* As the producer's own summary has it, in the order of enum result_verdict; those of node and perl without parents. */
static const struct {
    const char *file;
    results_open *open;
    uint32_t verdicts[RESULT_VERDICT_COUNT];
    int64_t announced;
} samples[] = {
    /* "3 failed, 6 passed, 1 skipped, 1 xfailed, 1 xpassed, 2 errors": JUnit has no word for what xpassed */
    {"pytest/xunit1.xml", results_junit, {7, 3, 2, 1, 1}, 13},
    {"pytest/xunit2.xml", results_junit, {7, 3, 2, 1, 1}, 13},
    /* "1 failed, 2 passed, 2 errors": of what passed, one has an error at its end, and is announced as two */
    {"pytest/closing.xml", results_junit, {1, 1, 2}, 4},
    /* "6 tests failed out of 9" with the one that could not be started and the one that lacks its fixture; 2 "did not run" */
    {"ctest/ctest.xml", results_junit, {2, 4, 1, 2, 0, 0, 1}, 10},
    /* what the README says of it */
    {"meson/meson.xml", results_junit, {7, 2, 1, 2}, 12},
    /* "Ok 1, Expected Fail 1, Fail 4 (two of them errors), Unexpected Pass 1, Skipped 1, Timeout 1" */
    {"meson/console.txt", open_meson_console, {1, 3, 2, 1, 1, 1}, -1},
    /* "6 passed, 1 skipped, 2 failed", 2 disabled */
    {"gtest/gtest.xml", results_gtest, {6, 2, 0, 3}, 11},
    {"gtest/crashed.txt", open_gtest_console, {1, 0, 0, 0, 0, 0, 1}, -1},
    {"cmocka/cmocka.xml", results_junit, {1, 2, 0, 1}, 4},
    {"cmocka/cmocka.tap", open_tap, {1, 2, 0, 1}, 4},
    /* "Tested: 5 | Passing: 2 | Failing: 3 | Crashing: 1", and 2 that were not */
    {"criterion/criterion.xml", results_junit, {2, 1, 2, 2}, 7},
    {"criterion/criterion.tap", open_tap, {2, 3, 0, 2}, 7},
    {"bats/bats.tap", open_tap, {2, 1, 0, 1}, 4},
    {"bats/timing.tap", open_tap, {2, 1, 0, 1}, 4},
    {"bats/bats.xml", results_junit, {2, 1, 0, 1}, 4},
    /* "pass 5" with the parent of a test, "fail 2", "skipped 1", "todo 1" */
    {"node/node.tap", open_tap, {4, 2, 0, 1, 1}, 6},
    {"node/node.xml", results_junit, {4, 2, 0, 1, 1}, 4},
    {"node/files.tap", open_tap, {5, 2, 0, 1, 1}, 7},
    /* "DONE 6 tests, 1 skipped, 3 failures" */
    {"go/gotestsum.xml", results_junit, {2, 3, 0, 1}, 6},
    {"go/go.txt", open_go, {2, 3, 0, 1}, -1},
    /* "Tests: 7 Failed: 2 (2, 6), TODO passed: 5": 6 is a parent, of one that passed and one that failed */
    {"perl/perl.tap", open_tap, {3, 2, 0, 1, 1, 1}, 7},
};

static void load(const char *file, struct buf *text)
{
    char path[256];

    snprintf(path, sizeof path, FOLDER "%s", file);
    buf_clear(text);
    if (file_read(path, text, 1 << 20) < 0)
        fail_msg("%s is not there", path);
}

static void counts_agree(void **state)
{
    struct buf text = {0}, shown = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct results results;
        uint32_t counts[RESULT_VERDICT_COUNT] = {0};

        load(samples[i].file, &text);
        read_in_pieces(&results, samples[i].open, buf_str(&text), text.len);
        for (uint32_t r = 0; r < results.count; r++)
            counts[results.list[r].verdict] += !results.list[r].is_a_parent;
        buf_clear(&shown);
        show_results(&shown, &results, false);
        if (memcmp(counts, samples[i].verdicts, sizeof counts) != 0 ||
            results.announced != samples[i].announced || results.problems.count)
            fail_msg("%s:\n%s", samples[i].file, buf_text(&shown));
        assert_true(results_sound(&results));
        results_release(&results);
    }
    buf_release(&text);
    buf_release(&shown);
}

static void pieces_change_nothing(void **state)
{
    static const size_t pieces[] = {1, 7, 100};
    struct buf text = {0}, whole = {0}, other = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        load(samples[i].file, &text);
        buf_clear(&whole);
        read_and_show(&whole, samples[i].open, buf_str(&text), text.len, true);
        for (size_t p = 0; p < ARRAY_LEN(pieces); p++) {
            buf_clear(&other);
            read_and_show(&other, samples[i].open, buf_str(&text), pieces[p], true);
            assert_string_equal(buf_text(&other), buf_text(&whole));
        }
    }
    buf_release(&text);
    buf_release(&whole);
    buf_release(&other);
}

/* What is read of a part is sound, and of XML and TAP that is cut it is said so, or nothing is missing. */
static void cut_at_every_byte(void **state)
{
    struct buf text = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        load(samples[i].file, &text);
        for (size_t len = 0; len < text.len; len++) {
            struct results results;

            read_in_pieces(&results, samples[i].open, (struct str){text.ptr, len}, text.len);
            if (!results_sound(&results))
                fail_msg("%s: cut at byte %zu", samples[i].file, len);
            if (samples[i].announced >= 0 && !results.problems.count && !results.missing &&
                results.announced > results.count)
                fail_msg("%s: cut at byte %zu, and nobody says so", samples[i].file, len);
            results_release(&results);
        }
    }
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_agree),
        cmocka_unit_test(pieces_change_nothing),
        cmocka_unit_test(cut_at_every_byte),
    };

    return cmocka_run_group_tests_name("results: samples", tests, NULL, NULL);
}
