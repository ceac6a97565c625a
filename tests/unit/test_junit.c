#include "runner/report/internal.h"
#include "tests/unit/sample_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const struct buf *text, const char *fragment)
{
    if (!strstr(buf_text(text), fragment))
        fail_msg("no '%s' in:\n%s", fragment, buf_text(text));
}

static void expect_none(const struct buf *text, const char *fragment)
{
    if (strstr(buf_text(text), fragment))
        fail_msg("'%s' in:\n%s", fragment, buf_text(text));
}

static const char *const well_formed[] = {"xmllint", "--noout", NULL};
static const char *const valid[] = {"xmllint", "--noout", "--schema", "tests/unit/data/junit.xsd", NULL};

static void write_strict(struct sample *s, struct buf *out)
{
    s->options.strict = true;
    sample_report(s, REPORT_JUNIT, out);
    s->options.strict = false;
}

/* ---- XML ---- */

static void test_text(void **state)
{
    static const struct {
        struct str text;
        const char *element, *attribute;
    } rows[] = {
        {STR(""), "", ""},
        {STR("plain"), "plain", "plain"},
        {STR("<a b=\"c\">&'"), "&lt;a b=\"c\"&gt;&amp;'", "&lt;a b=&quot;c&quot;&gt;&amp;'"},
        {STR("]]>"), "]]&gt;", "]]&gt;"},
        {STR("a\tb\nc\rd"), "a\tb\nc&#13;d", "a&#9;b&#10;c&#13;d"},
        {STR("\0\x01\x1b\x7f"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
         "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {STR("\xff\xc3"), "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd"},
        {STR("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {STR("\xef\xbf\xbe|\xef\xbf\xbf|\xc2\x85"), "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd",
         "\xef\xbf\xbd|\xef\xbf\xbd|\xef\xbf\xbd"},
        {STR("\xc3\xa4 \xf0\x9f\x98\x80"), "\xc3\xa4 \xf0\x9f\x98\x80", "\xc3\xa4 \xf0\x9f\x98\x80"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf element = {0}, attribute = {0}, wanted = {0};

        xml_text(&element, rows[i].text);
        assert_string_equal(buf_text(&element), rows[i].element);
        xml_attribute(&attribute, "x", rows[i].text);
        buf_addf(&wanted, " x=\"%s\"", rows[i].attribute);
        assert_string_equal(buf_text(&attribute), buf_text(&wanted));
        buf_release(&element);
        buf_release(&attribute);
        buf_release(&wanted);
    }
}

/* ---- the document ---- */

static void test_cases(void **state)
{
    static const char *const fragments[] = {
        "<testsuites name=\"run-matrix\" tests=\"11\" failures=\"2\" errors=\"1\" skipped=\"5\" "
        "time=\"90.000\" "
        "timestamp=\"2026-11-21T06:12:47\">",
        "<testsuite name=\"proto\" tests=\"10\" failures=\"1\" errors=\"1\" skipped=\"5\" time=\"16.500\" "
        "timestamp=\"2026-11-21T06:12:49\">",
        "<testsuite name=\"services/kv/perms\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"",
        "<testcase classname=\"proto[os=linux]\" name=\"ok\" time=\"1.500\" file=\"run-matrix.yaml\" "
        "line=\"7\"/>",
        "<testcase classname=\"services/kv/perms\" name=\"services/kv/perms\" time=\"1.500\" "
        "file=\"services/kv/run-matrix.yaml\" line=\"12\">",
        "<testcase classname=\"proto[os=linux]\" name=\"slow/depth=3\" time=\"3.000\"",
        "<failure type=\"failed\" message=\"exit &lt;3&gt; &amp; &quot;more&quot;&#10;second line ]]&gt; "
        "\xef\xbf\xbd[1m\">services/kv/run-matrix.yaml:12: exit &lt;3&gt;",
        "again: run-matrix run --id services/kv/perms\n",
        "<system-out>[[ATTACHMENT|.run-matrix/runs/0042/0-stdout]]\nesc red nul \\x00 bad \\xff\\xfe ]]&gt; "
        "&lt;b&gt; &amp; \"q\"",
        "<failure type=\"timeout\" message=\"timed out after 1s\">run-matrix.yaml:7: timed out after 1s\n"
        "after 1s SIGINT to the group; alive: 7 sleep\nwhat else: \"x: y\"\n",
        "<rerunError type=\"error\" message=\"cannot execute './unit': No such file or "
        "directory\"><stackTrace>",
        "<flakyFailure type=\"crashed\" message=\"killed by SIGSEGV\"><stackTrace>run-matrix.yaml:7: killed "
        "by",
        "</stackTrace>\n<system-err>[[ATTACHMENT|.run-matrix/runs/0042/2-stderr]]\nboom\n</system-err>\n"
        "</flakyFailure>",
        "<skipped type=\"skipped\" message=\"needs # root\"/>",
        "<skipped type=\"unsupported\" message=\"no reach\"/>",
        "<skipped type=\"xfailed\" message=\"#451\"/>",
        "name=\"xpass\" time=\"1.500\" file=\"run-matrix.yaml\" line=\"7\"/>",
        "<skipped type=\"quarantined\" message=\"quarantined: exit status 1\">",
        "<error type=\"error\" message=\"no such program\">",
        "<skipped type=\"not run\" message=\"not run: the run ended before it\"/>",
    };
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    sample_report(&s, REPORT_JUNIT, &text);
    for (size_t i = 0; i < ARRAY_LEN(fragments); i++)
        expect(&text, fragments[i]);
    buf_release(&text);
    sample_close(&s);
}

static void test_strict_has_no_place(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    write_strict(&s, &text);
    expect(&text, "<testcase classname=\"proto[os=linux]\" name=\"ok\" time=\"1.500\"/>");
    expect_none(&text, "file=\"");
    expect_none(&text, "line=\"");
    buf_release(&text);
    sample_close(&s);
}

static void test_valid(void **state)
{
    struct sample s;
    struct buf text = {0}, plain = {0};
    int strict_valid, plain_well_formed, plain_valid;

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    write_strict(&s, &text);
    sample_report(&s, REPORT_JUNIT, &plain);
    strict_valid = sample_check(&text, valid, false);
    plain_well_formed = sample_check(&plain, well_formed, false);
    plain_valid = sample_check(&plain, valid, true);
    buf_release(&text);
    buf_release(&plain);
    sample_close(&s);
    if (strict_valid == 127)
        skip(); /* there is no xmllint */
    assert_int_equal(strict_valid, 0);
    assert_int_equal(plain_well_formed, 0);
    assert_int_equal(plain_valid, 3); /* file and line are no attributes there: the schema does look */
}

/* Every byte by itself and next to others, as output, reason and id. */
static void test_every_byte(void **state)
{
    char bytes[3 * 256];
    struct sample s;
    struct journal_attempt *attempt;
    struct buf text = {0};
    int status;

    (void)state;
    for (size_t i = 0; i < 256; i++) {
        bytes[3 * i] = (char)i;
        bytes[3 * i + 1] = (char)(i * 7);
        bytes[3 * i + 2] = i % 16 ? (char)(255 - i) : '\n';
    }
    sample_open(&s);
    attempt = sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, "");
    attempt->reason = (struct str){bytes, sizeof bytes};
    s.whats[0].id = (struct str){bytes, sizeof bytes};
    sample_output(&s, attempt, "stdout", bytes, sizeof bytes);
    write_strict(&s, &text);
    status = sample_check(&text, valid, false);
    assert_null(memchr(text.ptr, '\0', text.len));
    buf_release(&text);
    sample_close(&s);
    if (status == 127)
        skip();
    assert_int_equal(status, 0);
}

/* ---- how much output ---- */

static void test_long_line_is_cut(void **state)
{
    size_t length = (size_t)1 << 20;
    char *bytes = mem_alloc(length);
    struct sample s;
    struct buf text = {0};

    (void)state;
    memset(bytes, 'x', length);
    sample_open(&s);
    sample_output(&s, sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, "exit status 1"), "stdout",
                  bytes, length);
    sample_report(&s, REPORT_JUNIT, &text);
    expect(&text, "x\n[... 960.0 KiB left out; all of it: .run-matrix/runs/0042/0-stdout]\nx");
    expect(&text, "x\n[... 1022.0 KiB left out; all of it: .run-matrix/runs/0042/0-stdout]\nx");
    assert_in_range(text.len, 64 << 10, 70 << 10);
    buf_release(&text);
    free(bytes);
    sample_close(&s);
}

static void test_what_is_gone_is_said(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_output(&s, sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, ""), "stderr", "x", 1);
    unlinkat(s.input.folder, s.files[0], 0);
    sample_report(&s, REPORT_JUNIT, &text);
    expect(&text, "<failure type=\"failed\" message=\"failed\">");
    expect(&text, "[not there any more: No such file or directory]\n</system-err>");
    buf_release(&text);
    sample_close(&s);
}

static void test_no_case(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    write_strict(&s, &text);
    assert_string_equal(
        buf_text(&text),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"run-matrix\" tests=\"0\" "
        "failures=\"0\" errors=\"0\" time=\"90.000\">\n</testsuites>\n");
    buf_release(&text);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_strict_has_no_place),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_long_line_is_cut),
        cmocka_unit_test(test_what_is_gone_is_said),
        cmocka_unit_test(test_no_case),
    };

    return cmocka_run_group_tests_name("junit", tests, NULL, NULL);
}
