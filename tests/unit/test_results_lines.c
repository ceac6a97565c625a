#include "tests/unit/results_read.h"

#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void read_lines(struct buf *out, const char *expression, struct str text, size_t piece)
{
    struct results results;
    struct results_reader *reader;
    struct lines_error error;

    results_init(&results, NULL);
    reader = results_lines(&results, str_of(expression), &error);
    if (!reader)
        fail_msg("'%s': %zu: %s", expression, error.at, error.text);
    for (size_t at = 0; at < text.len; at += piece)
        results_feed(reader, str_slice(text, at, text.len - at < piece ? text.len : at + piece));
    results_end(reader);
    show_results(out, &results, false);
    assert_true(results_sound(&results));
    results_release(&results);
}

#define WORDS "^(?<verdict>[\\w ]+): (?<name>.*)"

static const struct {
    const char *expression;
    struct str text;
    const char *shown;
} rows[] = {
    {WORDS, STR("PASS: a\nok: b\nPassed: c\r\n"), "passed: a\npassed: b\npassed: c\n"},
    {WORDS, STR("FAIL: a\nnot ok: b\nFAILED: c\n"), "failed: a\nfailed: b\nfailed: c\n"},
    {WORDS, STR("ERROR: a\nSKIP: b\nskipped: c\nXFAIL: d\ntodo: e\nXPASS: f"),
     "error: a\nskipped: b\nskipped: c\nxfailed: d\nxfailed: e\nxpassed: f\n"},
    {WORDS, STR("maybe: a\n"),
     "error: a ('maybe' is no verdict that is known)\n"
     "1:1: 'maybe' is no verdict that is known: words like pass, ok, fail, error, "
     "skip and xfail are\n"},
    {"^done (?<name>\\w+) in (?<duration>.*)",
     STR("done a in 12 ms\nother\ndone b in 1.5\ndone c in 1m30s\n"),
     "passed: a 12000us\npassed: b 1500000us\npassed: c 90000000us\n"},
    {"^(?<file>[^:]+):(?<line>\\d+): (?<verdict>error): (?<message>.*) in (?<name>\\w+)",
     STR("a.c:12: error: it is wrong in f\n"), "error: f at a.c:12 (it is wrong)\n"},
    {"^(?<verdict>ok) (?<name>\\w+)|^(?<name>\\w+): (?<verdict>FAIL)", STR("ok a\nb: FAIL\n"),
     "passed: a\nfailed: b\n"},
    {"(?<verdict>run|ok|fail) (?<name>\\w+)", STR("run a\nrun b\nok b\nrun c\nfail a\nrun a\n"),
     "failed: a\npassed: b\nnot run: c (it began, and nothing more was heard of it)\n"
     "not run: a#2 (it began, and nothing more was heard of it)\nannounced -1, missing 2, left out 0\n"},
    {"(?<verdict>run|ok|fail) (?<name>\\w+)", STR("run a\nok a\nrun a\nfail a\n"),
     "passed: a\nfailed: a#2\n"},
    {"^running (?<announced>\\d+) tests$|^(?<verdict>run|ok) (?<name>\\w+)$",
     STR("running 2 tests\nok a\nok b\nrunning 4 tests\nok c\nrun d\n"),
     "passed: a\npassed: b\npassed: c\nnot run: d (it began, and nothing more was heard of it)\n"
     "announced 6, missing 3, left out 0\n"},
    {"^(?<announced>\\w+) tests$|^ok (?<name>\\w+)$", STR("many tests\nok a\n"), "passed: a\n"},
    {"(?<name>\\w+) ok", STR("a\xff ok\nb\0 ok\n\xc3\xa9 ok\n"), "passed: \xc3\xa9\n"},
};

static void every_row(void **state)
{
    struct buf shown = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t piece = 1; piece < 4096; piece += 4000) {
            buf_clear(&shown);
            read_lines(&shown, rows[i].expression, rows[i].text, piece);
            if (strcmp(buf_text(&shown), rows[i].shown) != 0)
                fail_msg("row %zu:\n%s\ninstead of\n%s", i, buf_text(&shown), rows[i].shown);
        }
    buf_release(&shown);
}

static const struct {
    const char *expression;
    size_t at;
    const char *said;
} wrong[] = {
    {"(?<name>", 8, "missing closing parenthesis"},
    {"^(.*)", 0, "a group '(?<name>...)' is missing: it names the test"},
    {"(?<nmae>.*)", 3,
     "'nmae' is no group that is known: name, verdict, message, duration, file, line and announced are; "
     "did you mean 'name'?"},
    {"(?<name>\\C)", 10, "using \\C is disabled by the application"},
};

static void what_is_wrong_is_said(void **state)
{
    struct results results;

    (void)state;
    results_init(&results, NULL);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct lines_error error = {.at = 99};

        assert_null(results_lines(&results, str_of(wrong[i].expression), &error));
        if (error.at != wrong[i].at || strcmp(error.text, wrong[i].said) != 0)
            fail_msg("'%s': %zu: %s", wrong[i].expression, error.at, error.text);
    }
    results_release(&results);
}

/* Tens of milliseconds each at most, and after some of them an end. */
static void bombs_are_given_up(void **state)
{
    static const char *const bombs[] = {"(?<name>(a+)+)$", "^(?<name>(a|aa)+)$", "(?<name>(a*)*\\2)[xy]",
                                        "(*NO_JIT)(?<name>(?:(?:a|b|c)*)*)[xy]"};
    struct buf text = {0}, shown = {0};

    (void)state;
    for (int i = 0; i < 200; i++) {
        for (int a = 0; a < 2000; a++)
            buf_addc(&text, 'a');
        buf_adds(&text, "!\n");
    }
    for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
        buf_clear(&shown);
        nanos before = clock_now();
        read_lines(&shown, bombs[i], buf_str(&text), text.len);
        assert_true(clock_now() - before < 20 * NS_PER_S); /* a loaded machine and a sanitizer */
        assert_non_null(
            strstr(buf_text(&shown), "20:1: the expression takes too long on this line, as on others"));
        assert_null(strstr(buf_text(&shown), "\n21:1:"));
    }
    buf_release(&text);
    buf_release(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(bombs_are_given_up),
    };

    return cmocka_run_group_tests_name("results: lines", tests, NULL, NULL);
}
