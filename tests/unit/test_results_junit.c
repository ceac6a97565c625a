#include "tests/unit/results_read.h"

#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
    struct str xml;
    const char *shown;
};

static void check_rows(const struct row *rows, size_t count)
{
    struct buf shown = {0};

    for (size_t i = 0; i < count; i++)
        for (size_t piece = 1; piece < 4096; piece += 4000) {
            buf_clear(&shown);
            read_and_show(&shown, results_junit, rows[i].xml, piece, false);
            if (strcmp(buf_text(&shown), rows[i].shown) != 0)
                fail_msg("row %zu, pieces of %zu:\n%s\ninstead of\n%s", i, piece, buf_text(&shown),
                         rows[i].shown);
        }
    buf_release(&shown);
}

/* A report of one testcase: its attributes and what is in it. */
#define CASE(attributes, inside)                                                           \
    STR("<testsuite timestamp='t'><testcase classname='c' name='n' " attributes ">" inside \
        "</testcase></testsuite>")

static void test_verdicts(void **state)
{
    static const struct row rows[] = {
        {CASE("", ""), "passed: c::n\n"},
        {CASE("", "<failure/>"), "failed: c::n\n"},
        {CASE("", "<error message='m'/>"), "error: c::n (m)\n"},
        {CASE("", "<failure message='m'/><error message='e'/>"), "error: c::n (m)\n"},
        {CASE("", "<skipped message='m'/>"), "skipped: c::n (m)\n"},
        {CASE("", "<skipped type='pytest.xfail' message='m'/>"), "xfailed: c::n (m)\n"},
        {CASE("", "<skipped type='todo'/>"), "xpassed: c::n\n"},
        {CASE("status='notrun' result='suppressed'", ""), "skipped: c::n\n"},
        {CASE("status='run' result='skipped'", ""), "skipped: c::n\n"},
        {CASE("status='notrun'", "<skipped message='Fixture dependency failed'/>"),
         "not run: c::n (Fixture dependency failed)\n"},
        /* surefire */
        {CASE("",
              "<flakyFailure message='once' type='T'><stackTrace>at X</stackTrace><system-out>o</system-out>"
              "</flakyFailure><flakyError message='twice'/>"),
         "passed: c::n after 2 (once)\n"},
        {CASE("", "<failure message='m' type='T'>text</failure><rerunFailure "
                  "message='r'><stackTrace>s</stackTrace>"
                  "</rerunFailure>"),
         "failed: c::n after 1 (m)\n"},
        /* pytest, interrupted in a test: its name is not written */
        {STR("<testsuite name='pytest' tests='1'><testcase classname='c' name='a'/><testcase "
             "time='0.1'/></testsuite>"),
         "passed: c::a\nnot run: #2 100000us (it began, and was interrupted before its name was written)\n"
         "announced 1, missing 0, left out 0\n"},
        /* ... a tear-down that fails is counted with its test; whatever the suite is called */
        {STR("<testsuite name='pytest' tests='3'><testcase name='a'/><testcase name='b'>"
             "<error message='failed on teardown with &quot;assert 0&quot;'/></testcase></testsuite>"),
         "passed: pytest::a\nerror: pytest::b (failed on teardown with \"assert 0\")\nannounced 2, missing "
         "0, left out 0\n"},
        {STR("<testsuite name='mine' tests='3'><testcase name='a'/><testcase name='b'>"
             "<error message='failed on teardown with &quot;assert 0&quot;'/></testcase></testsuite>"),
         "passed: mine::a\nerror: mine::b (failed on teardown with \"assert 0\")\n"
         "announced 2, missing 0, left out 0\n"},
        {STR("<testsuite name='mine' tests='2'><testcase classname='c' name='b'><error message='test "
             "teardown failure'/></testcase></testsuite>"),
         "error: c::b (test teardown failure)\nannounced 1, missing 0, left out 0\n"},
        {STR("<testsuite name='mine' tests='2'><testcase classname='c' name='b'><error message='oh'/>"
             "</testcase></testsuite>"),
         "error: c::b (oh)\nannounced 2, missing 1, left out 0\n"
         "0:0: warning: 2 tests are announced by 'tests' attributes, 1 are there\n"},
        /* jest-junit */
        {STR("<testsuites name='jest tests' tests='2' failures='1' errors='0' time='0.5'>\n"
             "<testsuite name='sum' errors='0' failures='1' skipped='0' timestamp='2026-01-01T00:00:00' "
             "time='0.4'"
             " tests='2'>\n<testcase classname='sum adds' name='sum adds' time='0.002'>\n</testcase>\n"
             "<testcase classname='sum' name='subtracts' time='0.001'>\n<failure>Error: "
             "expect(received).toBe()\n"
             "    at Object.&lt;anonymous&gt; "
             "(/x/sum.test.js:5:1)</failure></testcase></testsuite></testsuites>"),
         "passed: sum adds 2000us\nfailed: sum::subtracts 1000us (Error: expect(received).toBe())\n"
         "announced 2, missing 0, left out 0\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_times(void **state)
{
    static const struct row rows[] = {
        {CASE("time='0.25'", ""), "passed: c::n 250000us\n"},
        {CASE("time='1,234.5'", ""), "passed: c::n 1234500000us\n"},
        {CASE("time='1.5e-05'", ""), "passed: c::n 15us\n"},
        {CASE("time='2E+1'", ""), "passed: c::n 20000000us\n"},
        {CASE("time='-1'", ""), "passed: c::n\n"},
        {CASE("time='NaN'", ""), "passed: c::n\n"},
        {CASE("time='1e400'", ""), "passed: c::n\n"},
        {CASE("time='.5s'", ""), "passed: c::n 500000us\n"},
        {CASE("time=''", ""), "passed: c::n\n"},
        {CASE("time='soon'", ""), "passed: c::n\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_places_and_ids(void **state)
{
    static const struct row rows[] = {
        {CASE("file='a.c' line='7'", "<failure/>"), "failed: c::n at a.c:7\n"},
        {CASE("file='a.c' line='7'", "<failure file='b.c' line='9'/>"), "failed: c::n at b.c:9\n"},
        {CASE("file='a.c' line='7'", "<failure message='x'>a.c:9: oh</failure>"),
         "failed: c::n at a.c:9 (x)\n"},
        {CASE("file='a.c' line='7'", "<failure message='x'>z.c:9: oh</failure>"),
         "failed: c::n at a.c:7 (x)\n"},
        {CASE("file='a.c' line='x'", ""), "passed: c::n at a.c:0\n"},
        {CASE("", "<failure message='a.c:3&#10;one&#10;  two'/>"), "failed: c::n at a.c:3 (one two)\n"},
        {STR("<testsuites><testsuite name='s'><testcase name='n'/><testsuite name='t'><testcase name='n'/>"
             "<testcase classname='c' name='n'/></testsuite></testsuite></testsuites>"),
         "passed: s::n\npassed: s::t::n\npassed: c::n\n"},
        {STR("<testsuite tests='2' timestamp='t'><testcase name='n' "
             "classname='test'/><testcase/></testsuite>"),
         "passed: test::n\npassed: #2\nannounced 2, missing 0, left out 0\n"
         "1:73: this <testcase> has no name\n"},
        {STR("<j:testsuites xmlns:j='x'><j:testsuite tests='1'><j:testcase name='n'/></j:testsuite>"
             "<j:testsuite tests='2'><j:testcase name='n'/></j:testsuite></j:testsuites>"),
         "passed: n\npassed: n#2\nannounced 3, missing 1, left out 0\n"
         "0:0: warning: 3 tests are announced by 'tests' attributes, 2 are there\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_malformed(void **state)
{
    static const struct row rows[] = {
        {STR(""), "1:1: the report is empty: <testsuites> or <testsuite> should stand there\n"},
        {STR("<?xml version='1.0'?>\n"), "2:1: the report ends before its first element\n"},
        {STR("<html><testcase name='n'/></html>"),
         "1:1: a JUnit report begins with <testsuites> or <testsuite>, not with <html>\n"},
        {STR("{\"tests\": 3}"), "1:1: this is JSON; JUnit XML would be right\n"},
        {STR("<testsuite tests='3'>\n<testcase name='a'/>\n<testcase name='b'><failure message='m'>te"),
         "passed: a\nfailed: b (m)\nannounced 3, missing 1, left out 0\n"
         "3:43: the report ends in the middle: </failure> is missing\n"},
        {STR("<testsuite>\n<testcase name='a'>"),
         "not run: a (the report ends in the middle of it)\n"
         "2:20: the report ends in the middle: </testcase> is missing\n"},
        {STR("<testsuite><testcase name='a'/><testcase name='b'"),
         "passed: a\n1:32: the report ends in the middle: </testsuite> is missing\n"},
        {STR("<testsuite><testcase name='a'/></testsuites>"),
         "passed: a\n1:34: no XML: mismatched tag; what follows is not read\n"},
        {STR("<testsuite><testcase name='a'/></testsuite>\n<testsuite/>"),
         "passed: a\n2:1: there is more after the end of the report: a file has one <testsuites> or "
         "<testsuite>\n"},
        {STR("<!DOCTYPE x [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><testsuite><testcase "
             "name='&b;'/></testsuite>"),
         "1:13: a report with a DOCTYPE is not read: a test report needs no entities of its own\n"},
        {STR("<!DOCTYPE x SYSTEM '/etc/passwd'><testsuite/>"),
         "1:33: a report with a DOCTYPE is not read: a test report needs no entities of its own\n"},
        {STR("<testsuite><testcase name='&b;'/></testsuite>"),
         "1:12: no XML: undefined entity; what follows is not read\n"},
        {STR("<?xml version='1.0' encoding='klingon'?><testsuite/>"),
         "1:31: the encoding is not known: UTF-8 would be right\n"},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

static void test_bytes(void **state)
{
    static const struct row rows[] = {
        {CASE("", "<failure message='\x1b[31mred\x1b[0m'/>"),
         "failed: c::n (?[31mred?[0m)\n"
         "1:78: warning: byte 0x1b has no place in XML, nor have others after it: read as '?'\n"},
        {STR("<testsuite>\n<testcase name='a\xff\xc3_\xc3\xa9'/></testsuite>"),
         "passed: a??_\xc3\xa9\n2:18: warning: byte 0xff has no place in XML, nor have others after it: read "
         "as '?'\n"},
        {STR("<testsuite><testcase name='a\0b'/></testsuite>"),
         "passed: a?b\n1:29: warning: byte 0x00 has no place in XML: read as '?'\n"},
        {STR("<?xml version='1.0' encoding='ISO-8859-1'?><testsuite><testcase name='\xe9'/></testsuite>"),
         "passed: \xc3\xa9\n"},
        {STR("\xef\xbb\xbf<testsuite><testcase name='\xc3\xa9'/></testsuite>"), "passed: \xc3\xa9\n"},
        {STR("\xff\xfe<\0t\0e\0s\0t\0s\0u\0i\0t\0e\0/\0>\0"), ""},
    };

    (void)state;
    check_rows(rows, ARRAY_LEN(rows));
}

/* ---- limits ---- */

static void test_depth(void **state)
{
    struct buf xml = {0}, shown = {0};

    (void)state;
    buf_adds(&xml, "<testsuite><testcase name='a'/>");
    for (int i = 0; i < 100000; i++)
        buf_adds(&xml, "<x>");
    read_and_show(&shown, results_junit, buf_str(&xml), 4096, false);
    assert_string_equal(buf_text(&shown),
                        "passed: a\n1:221: <x> is more than 64 elements deep; what follows is "
                        "not read\n");
    buf_release(&xml);
    buf_release(&shown);
}

static void test_long_token(void **state)
{
    struct results results;
    struct buf xml = {0};

    (void)state;
    buf_adds(&xml, "<testsuite><testcase name='a'/><testcase name='");
    for (int i = 0; i < 6 << 20; i++)
        buf_addc(&xml, 'x');
    read_in_pieces(&results, results_junit, buf_str(&xml), 100000);
    assert_int_equal(results.count, 1);
    assert_int_equal(results.problems.count, 1);
    assert_non_null(strstr(results.problems.list[0].text, "of more than 4 MiB"));
    results_release(&results);
    buf_release(&xml);
}

static void feed_times(struct results_reader *reader, struct str text, int times)
{
    for (int i = 0; i < times; i++)
        results_feed(reader, text);
}

/* 100 MB in bounded memory: of one text, and of a thousand. */
static void test_large(void **state)
{
    static char filler[100000];
    struct results results;
    struct results_reader *reader;

    (void)state;
    memset(filler, 'x', sizeof filler);
    results_init(&results, NULL);
    reader = results_junit(&results);
    results_feed(reader, (struct str)STR("<testsuite><testcase name='a'><system-out>begin"));
    feed_times(reader, (struct str){filler, sizeof filler}, 100);
    results_feed(reader, (struct str)STR("end</system-out></testcase>"));
    for (int i = 0; i < 1000; i++) {
        results_feed(reader, (struct str)STR("<testcase name='b'><failure>"));
        feed_times(reader, (struct str){filler, sizeof filler}, 1);
        results_feed(reader, (struct str)STR("</failure></testcase>"));
    }
    results_feed(reader, (struct str)STR("</testsuite>"));
    results_end(reader);
    assert_int_equal(results.count, 1001);
    assert_int_equal(results.problems.count, 0);
    assert_true(str_starts(results.list[0].out, "begin"));
    assert_true(str_ends(results.list[0].out, "end"));
    assert_true(str_is(results.list[1000].details, "[left out: the report has too much text]"));
    assert_true(results.arena.used < RESULTS_TEXT_MOST + ((size_t)4 << 20));
    results_release(&results);
}

/* What cannot be read to its end is not taken for whole. */
static void test_cut(void **state)
{
    static const struct {
        struct str xml;
        bool cut;
    } rows[] = {
        {STR("<testsuite><testcase name='a'/></testsuite>"), false},
        {STR("<testsuite tests='3'><testcase name='a'/></testsuite>"), false},
        {STR("<testsuite><testcase name='a'/>"), true},
        {STR("<testsuite><testcase name='a'/></testsuites>"), true},
        {STR("<testsuite><testcase name='a\x01'/></testsuite>"), false},
        {STR(""), true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct results results;

        read_in_pieces(&results, results_junit, rows[i].xml, 5);
        if (results.cut != rows[i].cut)
            fail_msg("row %zu: %d", i, results.cut);
        results_release(&results);
    }
}

/* Several reports in one list: each has its own place, and misses its own tests. */
static void test_several(void **state)
{
    static const struct str reports[] = {
        STR("<testsuite><testcase name='a'/><testcase name='b'/></testsuite>"),
        STR("<testsuite tests='3'><testcase name='a'/></testsuite>"),
        STR("<testsuite tests='1'>\n<testcase name='c'/>"),
    };
    static const char *const names[] = {"one", "two", "three"};
    struct results results;

    (void)state;
    results_init(&results, "none");
    for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
        struct results_reader *reader;

        results_go_on(&results, names[i]);
        reader = results_junit(&results);
        results_feed(reader, reports[i]);
        results_end(reader);
    }
    assert_int_equal(results.count, 4);
    assert_true(str_is(results.list[2].id, "a#2"));
    assert_int_equal(results.announced, 4);
    assert_int_equal(results.missing, 2);
    assert_true(results.cut);
    assert_int_equal(results.problems.count, 2);
    assert_string_equal(results.problems.list[0].text,
                        "3 tests are announced by 'tests' attributes, 1 are there");
    assert_string_equal(results.problems.list[0].at.file, "two");
    assert_string_equal(results.problems.list[1].at.file, "three");
    results_release(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_places_and_ids),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_long_token),
        cmocka_unit_test(test_large),
    };

    return cmocka_run_group_tests_name("results: JUnit", tests, NULL, NULL);
}
