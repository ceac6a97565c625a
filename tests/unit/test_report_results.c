/* Reports of cases that have results: a record for each, whatever is in them, and what is said where they are gone. */
#include "runner/report/internal.h"

#include "tests/unit/sample_run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/expect.h"

/* ---- a case with results ---- */

static const struct journal_result mixed[] = {
    {.id = STR("good"), .verdict = VERDICT_PASSED, .duration = 20 * NS_PER_MS},
    {.id = STR("t.py::bad[<1> \"x\"]"),
     .verdict = VERDICT_FAILED,
     .duration = 1500 * NS_PER_MS,
     .message = STR("was ]]> \x1b[1mwrong & <so>"),
     .details = STR("first\nline \xff two\n"),
     .out = STR("said\x01 it\n"),
     .err = STR("<b>"),
     .file = STR("t.py"),
     .line = 12},
    {.id = STR("broken"), .verdict = VERDICT_ERROR, .duration = -1, .message = STR("no fixture")},
    {.id = STR("skip"), .verdict = VERDICT_SKIPPED, .duration = -1, .message = STR("no # net")},
    {.id = STR("todo"), .verdict = VERDICT_XFAILED, .duration = -1, .message = STR("bug")},
    {.id = STR("never"), .verdict = VERDICT_NOT_RUN, .duration = -1, .message = STR("announced")},
};

static struct journal_attempt *mixed_case(struct sample *s, enum verdict verdict, const char *reason)
{
    struct journal_attempt *attempt = sample_attempt(sample_case(s, 0, "proto@os=linux"), verdict, reason);

    sample_results(s, attempt, mixed, ARRAY_LEN(mixed));
    return attempt;
}

static void report(struct sample *s, enum report_id id, struct buf *text)
{
    buf_clear(text);
    sample_report(s, id, text);
}

/* ---- ids ---- */

static void test_ids(void **state)
{
    static const struct {
        const char *id, *result, *whole;
    } rows[] = {
        {"clients@transport=tcp", "tests/test_a.py::test_x",
         "clients::tests/test_a.py::test_x@transport=tcp"},
        {"clients", "a b@c,d=e%", "clients::a%20b%40c%2Cd%3De%25"},
        {"kv/clients/n=1@a=b@c", "x", "kv/clients/n=1::x@a=b@c"},
        {"c", "", "c::"},
        {"c@", "\xC3\xA4\n", "c::%C3%A4%0A@"},
    };
    struct buf id = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_clear(&id);
        result_id(&id, str_of(rows[i].id), str_of(rows[i].result));
        assert_string_equal(buf_text(&id), rows[i].whole);
    }
    buf_release(&id);
}

/* ---- each report ---- */

static void test_junit(void **state)
{
    static const char *const xmllint[] = {"xmllint", "--noout", NULL};
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    mixed_case(&s, VERDICT_FAILED, "2 of 6 tests failed");
    report(&s, REPORT_JUNIT, &text);
    expect(&text, "<testsuites name=\"run-matrix\" tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"3\"");
    expect(&text, "<testsuite name=\"proto\" tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"3\"");
    expect(&text,
           "<testcase classname=\"proto[os=linux]\" name=\"good\" time=\"0.020\" file=\"run-matrix.yaml\" "
           "line=\"7\"/>");
    expect(&text,
           "<testcase classname=\"proto[os=linux]\" name=\"t.py::bad%5B%3C1%3E%20%22x%22%5D\" time=\"1.500\" "
           "file=\"t.py\" line=\"12\">");
    expect(&text, "<failure type=\"failed\" message=\"was ]]&gt; ");
    expect(&text, ">t.py:12: was ]]&gt;");
    expect(&text, "<system-err>&lt;b&gt;\n</system-err>");
    expect(&text, "<error type=\"error\" message=\"no fixture\">");
    expect(&text, "<skipped type=\"not run\" message=\"not run: announced\"/>");
    expect(&text, "again: run-matrix run --id 'proto::t.py::bad%5B%3C1%3E%20%22x%22%5D@os=linux'");
    assert_int_equal(occurrences(&text, "<testcase"), 6);
    assert_int_equal(sample_check(&text, xmllint, false), 0);
    buf_release(&text);
    sample_close(&s);
}

static void test_junit_is_valid(void **state)
{
    static const char *const xmllint[] = {"xmllint", "--noout", "--schema", "tests/unit/data/junit.xsd",
                                          NULL};
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    s.options.strict = true;
    mixed_case(&s, VERDICT_CRASHED, "SIGSEGV");
    report(&s, REPORT_JUNIT, &text);
    expect_none(&text, "file=");
    assert_int_equal(sample_check(&text, xmllint, true), 0);
    buf_release(&text);
    sample_close(&s);
}

/* The case is one more where its own end is bad beyond what its results say. */
static void test_the_case_itself(void **state)
{
    static const struct {
        enum verdict verdict;
        bool quarantined;
        const char *totals, *plan;
    } rows[] = {
        {VERDICT_FAILED, false, "tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"3\"", "1..6\n"},
        {VERDICT_CRASHED, false, "tests=\"7\" failures=\"2\" errors=\"1\" skipped=\"3\"", "1..7\n"},
        {VERDICT_ERROR, false, "tests=\"7\" failures=\"1\" errors=\"2\" skipped=\"3\"", "1..7\n"},
        {VERDICT_XFAILED, false, "tests=\"6\" failures=\"0\" errors=\"0\" skipped=\"5\"", "1..6\n"},
        {VERDICT_FAILED, true, "tests=\"6\" failures=\"0\" errors=\"0\" skipped=\"5\"", "1..6\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        struct buf text = {0};

        sample_open(&s);
        mixed_case(&s, rows[i].verdict, "why")->quarantined = rows[i].quarantined;
        report(&s, REPORT_JUNIT, &text);
        expect(&text, rows[i].totals);
        report(&s, REPORT_TAP, &text);
        expect(&text, rows[i].plan);
        buf_release(&text);
        sample_close(&s);
    }
}

static void test_tap(void **state)
{
    static const char *const prove[] = {"prove", "--exec", "cat", NULL};
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    mixed_case(&s, VERDICT_XFAILED, "bug");
    report(&s, REPORT_TAP, &text);
    expect(&text, "not ok 2 - proto::t.py::bad%5B%3C1%3E%20%22x%22%5D@os=linux # TODO was ]]> ");
    assert_int_equal(sample_check(&text, prove, false), 0);
    s.attempts[0][0].outcome = VERDICT_FAILED;
    report(&s, REPORT_TAP, &text);
    expect(&text, "ok 1 - proto::good@os=linux\n");
    expect(&text, "    first\n");
    expect(&text, "    file: \"t.py\"\n    line: 12\n");
    expect(&text, "ok 4 - proto::skip@os=linux # SKIP no # net\n");
    expect(&text, "ok 6 - proto::never@os=linux # SKIP not run: announced\n");
    assert_int_not_equal(sample_check(&text, prove, true), 0);
    buf_release(&text);
    sample_close(&s);
}

static void test_json(void **state)
{
    static const char *const python[] = {"python3", "-m", "json.tool", NULL};
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    mixed_case(&s, VERDICT_FAILED, "2 of 6 tests failed");
    sample_attempt(sample_case(&s, 0, "plain"), VERDICT_PASSED, "");
    report(&s, REPORT_JSON, &text);
    expect(&text, "{\"id\":\"proto::good@os=linux\",\"name\":\"good\",\"verdict\":\"passed\"");
    expect(&text, "\"file\":\"t.py\",\"line\":12");
    expect(&text, "\"results_missing\":null");
    expect(&text, "\"counts\":{\"passed\":2,\"failed\":2,\"skipped\":2,\"not run\":1");
    assert_int_equal(occurrences(&text, "\"results\":["), 1);
    assert_int_equal(sample_check(&text, python, false), 0);
    buf_release(&text);
    sample_close(&s);
}

static void test_summary(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    mixed_case(&s, VERDICT_FAILED, "2 of 6 tests failed");
    s.options.durations = 1;
    report(&s, REPORT_SUMMARY, &text);
    expect(&text, "        FAIL    proto::t.py::bad%5B%3C1%3E%20%22x%22%5D@os=linux  1.5s\n");
    expect(&text, "          was ]]> \\x1b[1mwrong & <so>\n");
    expect(&text, "          t.py:12\n          | first\n          | line \xEF\xBF\xBD two\n");
    expect(&text, "        not run: never\n");
    expect(&text, "\nslowest tests within: 1\n     1.5s  proto::t.py::bad%5B");
    expect(&text, "\n1 passed, 2 failed, 2 skipped\n");
    expect_none(&text, "proto::good");
    buf_release(&text);
    sample_close(&s);
}

/* So many failures that not all are told. */
static void test_many_failures(void **state)
{
    struct journal_result *many = mem_zero(50, sizeof *many);
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    for (int i = 0; i < 50; i++)
        many[i] = (struct journal_result){
            .id = str_of(arena_printf(&s.arena, "t%d", i)), .verdict = VERDICT_FAILED, .duration = -1};
    sample_results(&s, sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, "50 of 50"), many, 50);
    report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "FAIL    proto::t"), 20);
    expect(&text, "        ... and 30 more failed; -v shows all\n");
    s.options.verbose = 1;
    report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "FAIL    proto::t"), 50);
    buf_release(&text);
    free(many);
    sample_close(&s);
}

/* ---- run again ---- */

static void test_flaky(void **state)
{
    static const struct journal_result first[] = {
        {.id = STR("a"), .verdict = VERDICT_FAILED, .duration = -1, .message = STR("once <wrong>")},
        {.id = STR("b"), .verdict = VERDICT_ERROR, .duration = -1, .message = STR("no room")},
    };
    static const struct journal_result second[] = {
        {.id = STR("a"), .verdict = VERDICT_FLAKY, .duration = -1},
        {.id = STR("b"), .verdict = VERDICT_FLAKY, .duration = -1},
        {.id = STR("c"), .verdict = VERDICT_FLAKY, .duration = -1, .message = STR("it slept"), .reruns = 2},
    };
    struct journal_history *history;
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    history = sample_case(&s, 0, "proto");
    sample_results(&s, sample_attempt(history, VERDICT_FAILED, "2 of 2"), first, 2);
    sample_results(&s, sample_attempt(history, VERDICT_PASSED, ""), second, 3);
    history->attempts[1].outcome = VERDICT_FLAKY;
    report(&s, REPORT_JUNIT, &text);
    expect(&text, "<flakyFailure type=\"failed\" message=\"once &lt;wrong&gt;\"/>");
    expect(&text, "<flakyError type=\"error\" message=\"no room\"/>");
    expect(&text, "<flakyFailure type=\"failed\" message=\"it slept\"/>");
    expect(&text, "tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"0\"");
    report(&s, REPORT_SUMMARY, &text);
    expect(&text, "flaky tests: 3\n");
    expect(&text, "FLAKY   proto::a  attempt 1: once <wrong>\n");
    expect(&text, "FLAKY   proto::c  failed 2 times before: it slept\n");
    expect(&text, "\n3 passed, 0 failed\n");
    buf_release(&text);
    sample_close(&s);
}

/* ---- what is not there any more ---- */

static void test_gone(void **state)
{
    struct journal_results *results;
    struct journal_attempt *attempt;
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    attempt = mixed_case(&s, VERDICT_FAILED, "2 of 6 tests failed");
    results = (struct journal_results *)(uintptr_t)attempt->results;
    results->path = (struct str)STR("not/there");
    report(&s, REPORT_SUMMARY, &text);
    expect(&text, "        .run-matrix/runs/0042/not/there is not there any more\n");
    expect(&text, "\n1 passed, 2 failed, 2 skipped\n"); /* the numbers are known */
    report(&s, REPORT_JUNIT, &text);
    expect(&text, "tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"");
    expect(&text, "name=\"proto\"");
    report(&s, REPORT_TAP, &text);
    expect(&text, "1..1\nnot ok 1 - proto@os=linux\n");
    expect(&text, "# .run-matrix/runs/0042/not/there is not there any more\n");
    report(&s, REPORT_JSON, &text);
    expect(&text, "\"results\":[],\"unlisted\":0");
    results->path = (struct str)STR("../../etc/passwd"); /* a journal may be somebody else's */
    report(&s, REPORT_SUMMARY, &text);
    expect(&text, "etc/passwd is not there any more\n");
    buf_release(&text);
    sample_close(&s);
}

static void test_torn(void **state)
{
    struct journal_attempt *attempt;
    struct sample s;
    struct buf text = {0};
    int fd;

    (void)state;
    sample_open(&s);
    attempt = mixed_case(&s, VERDICT_FAILED, "2 of 6 tests failed");
    fd = openat(s.input.folder, s.files[0], O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 100), 0);
    close(fd);
    (void)attempt;
    report(&s, REPORT_SUMMARY, &text);
    expect(&text, "results-0: 1 line cannot be read\n");
    report(&s, REPORT_JUNIT, &text);
    expect(&text, "tests=\"1\" failures=\"0\"");
    expect(&text, "name=\"good\"");
    buf_release(&text);
    sample_close(&s);
}

/* ---- one of them ---- */

static bool is_bad(void *user, struct str id)
{
    (void)user;
    return str_starts(id, "proto::t.py::");
}

static void test_one_result(void **state)
{
    struct report_sink sink;
    struct sample s;

    (void)state;
    sample_open(&s);
    mixed_case(&s, VERDICT_FAILED, "2 of 6 tests failed");
    report_sink_open(&sink, -1);
    assert_int_equal(report_results(&s.input, &s.cases[0], is_bad, NULL, &sink), 1);
    expect(&sink.buf, "FAIL    proto::t.py::bad%5B%3C1%3E%20%22x%22%5D@os=linux  1.5s\n");
    expect(&sink.buf, "          stdout:\n          | said\\x01 it\n");
    expect(&sink.buf, "again: run-matrix run --id 'proto::t.py::bad%5B%3C1%3E%20%22x%22%5D@os=linux'\n");
    expect_none(&sink.buf, "good");
    buf_release(&sink.buf);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_junit),
        cmocka_unit_test(test_junit_is_valid),
        cmocka_unit_test(test_the_case_itself),
        cmocka_unit_test(test_tap),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_many_failures),
        cmocka_unit_test(test_flaky),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_one_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
