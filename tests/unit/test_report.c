#include "runner/report/internal.h"

#include "runner/base/json.h"
#include "tests/unit/sample_run.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/expect.h"

/* ---- the table and its words ---- */

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPORT_COUNT; i++)
        assert_ptr_equal(report_find(str_of(reports[i]->word)), reports[i]);
    assert_null(report_find(str_of("html")));
    assert_null(report_find(str_of("")));
}

static void test_labels_are_as_wide(void **state)
{
    (void)state;
    for (int i = 0; i < VERDICT_COUNT; i++)
        assert_int_equal(strlen(report_label((enum verdict)i)), 7);
}

static void test_tally(void **state)
{
    struct journal_counts counts = {.counts = {[COUNT_PASSED] = 3, [COUNT_FAILED] = 1}};
    struct buf text = {0};

    (void)state;
    report_tally(&counts, &text);
    assert_string_equal(buf_text(&text), "3 passed, 1 failed");
    buf_clear(&text);
    counts.counts[COUNT_SKIPPED] = 2;
    counts.counts[COUNT_NOT_RUN] = 5;
    report_tally(&counts, &text);
    assert_string_equal(buf_text(&text), "3 passed, 1 failed, 2 skipped");
    buf_release(&text);
}

static void test_rerun(void **state)
{
    static const struct {
        const char *id, *file, *profile, *command;
    } rows[] = {
        {"proto", "run-matrix.yaml", "", "run-matrix run --id proto"},
        {"proto@os=linux", "run-matrix.yaml", "", "run-matrix run --id 'proto@os=linux'"},
        {"proto", "run-matrix.yaml", "ci", "run-matrix run --id proto -P ci"},
        {"proto", "a b.yaml", "it's", "run-matrix run --id proto -P 'it'\\''s' 'a b.yaml'"},
        {"proto", "../run-matrix.yaml", "", "run-matrix run --id proto ../run-matrix.yaml"},
        {"", "run-matrix.yaml", "", "run-matrix run --id ''"},
        {"a\x1b[2J", "run-matrix.yaml", "", "run-matrix run --id 'a\\x1b[2J'"},
        {"", "", "", "/usr/bin/run-matrix exec -- sh -c 'exit 3'"},
    };
    static const struct str argv[] = {
        STR("/usr/bin/run-matrix"), STR("exec"), STR("--"), STR("sh"), STR("-c"), STR("exit 3")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        struct buf text = {0};

        sample_open(&s);
        s.record.run.argv = argv;
        s.record.run.argc = ARRAY_LEN(argv);
        s.record.run.file = str_of(rows[i].file);
        s.record.run.profile = str_of(rows[i].profile);
        report_rerun(&s.input, sample_case(&s, 0, rows[i].id)->what, &text);
        assert_string_equal(buf_text(&text), rows[i].command);
        buf_release(&text);
        sample_close(&s);
    }
}

/* ---- sinks and files ---- */

static void test_sink_keeps_the_first_error(void **state)
{
    struct report_sink sink;
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    report_sink_open(&sink, fd);
    buf_adds(&sink.buf, "x");
    report_sink_relax(&sink);
    assert_int_equal(sink.error, 0); /* there is not much yet */
    report_sink_flush(&sink);
    assert_int_equal(sink.error, ENOSPC);
    fd_close(&sink.fd);
    buf_adds(&sink.buf, "y");
    assert_int_equal(report_sink_close(&sink), ENOSPC); /* not EBADF: nothing was written any more */
}

static void test_write_is_whole_or_not_at_all(void **state)
{
    struct sample s;
    struct buf text = {0};
    char *path = NULL;

    (void)state;
    sample_open(&s);
    assert_true(asprintf(&path, "%s/r", s.path) > 0);
    assert_int_equal(file_write(path, str_of("before")), 0);
    assert_int_equal(report_write(reports[REPORT_TAP], &s.input, path), 0);
    assert_int_equal(file_read(path, &text, 1000), 0);
    assert_string_equal(buf_text(&text), "TAP version 13\n1..0 # SKIP no case was selected\n");
    assert_int_equal(report_write(reports[REPORT_TAP], &s.input, "/dev/full"), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(report_write(reports[REPORT_TAP], &s.input, "/proc/nowhere/r"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(report_write(reports[REPORT_TAP], &s.input, s.path), -1); /* a folder */
    unlink(path);
    free(path);
    buf_release(&text);
    sample_close(&s); /* and removes a folder in which nothing else was left */
    assert_int_equal(access(s.path, F_OK), -1);
}

/* ---- captured output ---- */

static void add_numbers(struct buf *out, int count)
{
    for (int i = 1; i <= count; i++)
        buf_addf(out, "line %d\n", i);
}

static void add_line(void *user, struct str line)
{
    buf_addstr(user, line);
    buf_addc(user, '\n');
}

static int excerpt(struct sample *s, const struct journal_output *output, size_t most, struct buf *out)
{
    return output_excerpt(&s->input, output, most, SIZE_MAX, add_line, out);
}

static void test_output_whole(void **state)
{
    static const struct {
        struct str text, lines;
    } rows[] = {
        {STR(""), STR("")},         {STR("x"), STR("x\n")},       {STR("x\n"), STR("x\n")},
        {STR("\n\n"), STR("\n\n")}, {STR("a\nb"), STR("a\nb\n")}, {STR("nul \0 end\n"), STR("nul \0 end\n")},
    };
    struct sample s;

    (void)state;
    sample_open(&s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_attempt *attempt = sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, "");
        struct journal_output *output =
            sample_output(&s, attempt, "stdout", rows[i].text.ptr, rows[i].text.len);
        struct buf part = {0}, all = {0};

        assert_int_equal(excerpt(&s, output, 100, &part), 0);
        assert_int_equal(output_lines(&s.input, output, add_line, &all), 0);
        assert_true(str_eq(buf_str(&part), rows[i].lines));
        assert_true(str_eq(buf_str(&all), rows[i].lines));
        buf_release(&part);
        buf_release(&all);
    }
    sample_close(&s);
}

static void test_output_head_and_tail(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *shown;
    } rows[] = {
        {"1\n2\n3\n4\n5\n6\n7\n8\n", 8, "1\n[... 10 B left out; all of it: RUN/0-stdout]\n7\n8\n"},
        {"aaaaaaaaaaaaaaaaaaaa", 8, "a\n[... 13 B left out; all of it: RUN/0-stdout]\naaaaaa\n"},
        {"aaaaaaaaaaaaaaaaaaaa", 0, "[... 20 B left out; all of it: RUN/0-stdout]\n"},
        {"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8,
         "[... 4 B left out; all of it: RUN/0-stdout]\n"
         "\xc3\xa4\xc3\xa4\xc3\xa4\n"},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", 16,
         "[... 9 B left out; all of it: RUN/0-stdout]\n\x80\x80\x80\x80\x80\x80\x80\x80\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        struct buf text = {0};
        struct journal_output *output;

        sample_open(&s);
        s.input.path = "RUN";
        output = sample_output(&s, sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, ""), "stdout",
                               rows[i].text, strlen(rows[i].text));
        assert_int_equal(excerpt(&s, output, rows[i].most, &text), 0);
        if (strcmp(buf_text(&text), rows[i].shown) != 0)
            fail_msg("row %zu is\n%s", i, buf_text(&text));
        buf_release(&text);
        sample_close(&s);
    }
}

static void test_output_from_the_pack(void **state)
{
    static const struct {
        int64_t offset;
        uint64_t size;
        const char *text; /* NULL: it is not in there */
    } rows[] = {
        {0, 3, "one\n"}, {3, 3, "two\n"}, {0, 6, "onetwo\n"},   {6, 0, ""},
        {4, 3, NULL},    {7, 0, NULL},    {INT64_MAX, 1, NULL}, {0, UINT64_MAX, NULL},
    };
    struct sample s;
    int fd;

    (void)state;
    sample_open(&s);
    fd = openat(s.input.folder, "passed.pack", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(fd_write_all(fd, "onetwo", 6), 0);
    close(fd);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_output output = {
            .name = STR("stdout"), .size = rows[i].size, .offset = rows[i].offset};
        struct buf text = {0};

        assert_int_equal(excerpt(&s, &output, 100, &text), rows[i].text ? 0 : -1);
        assert_string_equal(buf_text(&text), rows[i].text ? rows[i].text : "");
        buf_release(&text);
    }
    unlinkat(s.input.folder, "passed.pack", 0);
    sample_close(&s);
}

/* A record that somebody else made leads nowhere but into the folder of the run. */
static void test_output_stays_inside(void **state)
{
    static const struct str paths[] = {STR(""),    STR("/etc/hostname"), STR("../x"), STR("a/../../x"),
                                       STR(".."),  STR("link"),          STR("fifo"), STR("."),
                                       STR("x\0y")};
    struct sample s;

    (void)state;
    sample_open(&s);
    assert_int_equal(symlinkat("/etc/hostname", s.input.folder, "link"), 0);
    assert_int_equal(mkfifoat(s.input.folder, "fifo", 0600), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct journal_output output = {.name = STR("stdout"), .size = 1, .path = paths[i], .offset = -1};
        struct buf text = {0};

        assert_int_equal(excerpt(&s, &output, 100, &text), -1);
        assert_int_equal(text.len, 0);
        buf_release(&text);
    }
    unlinkat(s.input.folder, "link", 0);
    unlinkat(s.input.folder, "fifo", 0);
    sample_close(&s);
}

/* ---- TAP ---- */

static void test_tap(void **state)
{
    static const char *const fragments[] = {
        "TAP version 13\n1..11\nok 1 - proto::ok@os=linux\nnot ok 2 - services/kv/perms\n  ---\n",
        "  message: \"exit <3> & \\\"more\\\"\\\\nsecond line ]]> \\\\x1b[1m\"\n  severity: fail\n",
        "  duration_ms: 1500\n  at:\n    file: \"services/kv/run-matrix.yaml\"\n    line: 12\n  exit: 3\n",
        "  stdout: |\n    [56 B: .run-matrix/runs/0042/0-stdout]\n    esc red nul \\x00 bad \\xff\\xfe ]]> "
        "<b>",
        "  stderr: |\n    [37 B: .run-matrix/runs/0042/1-stderr]\n      blank first\n    \n    ...\n    "
        "---\n",
        "    attempt 1: timeout timed out after 1s\n    after 1s SIGINT to the group; alive: 7 sleep\n",
        "ok 4 - proto::flaky@os=linux\n  ---\n",
        "ok 5 - proto::skip@os=linux # SKIP needs # root\n",
        "ok 6 - proto::unsupported@os=linux # SKIP unsupported: no reach\n",
        "not ok 7 - proto::xfail@os=linux # TODO #451\n",
        "ok 8 - proto::xpass@os=linux # TODO #452\n",
        "not ok 9 - proto::fence@os=linux # TODO quarantined: exit status 1\n",
        "  again: \"run-matrix run --id 'proto::fence@os=linux'\"\n  ...\n",
        "ok 11 - proto::never@os=linux # SKIP not run: the run ended before it\n",
    };
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    sample_report(&s, REPORT_TAP, &text);
    for (size_t i = 0; i < ARRAY_LEN(fragments); i++)
        expect(&text, fragments[i]);
    expect_none(&text, "Bail out!");
    buf_release(&text);
    sample_close(&s);
}

static void test_tap_of_a_run_that_did_not_end(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_case(&s, 0, "a # SKIP b\\c");
    s.record.finished = false;
    sample_report(&s, REPORT_TAP, &text);
    assert_string_equal(buf_text(&text), "TAP version 13\n1..1\n"
                                         "ok 1 - a \\# SKIP b\\\\c # SKIP not run: the run died before it\n"
                                         "Bail out! the run died\n");
    buf_clear(&text);
    s.record.cancelled = str_of("SIGINT\nok 2");
    sample_report(&s, REPORT_TAP, &text);
    expect(&text, "# SKIP not run: SIGINT\\nok 2\nBail out! SIGINT\\nok 2\n");
    buf_release(&text);
    sample_close(&s);
}

/* prove reads every line of YAML; without the cases that fail it has nothing to complain of. */
static void test_prove(void **state)
{
    static const char *const prove[] = {"prove", "-Q", "--exec", "cat", NULL};
    struct sample s;
    struct buf all = {0}, good = {0};
    int all_status, good_status;

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    sample_report(&s, REPORT_TAP, &all);
    for (uint32_t i = 0; i < s.record.case_count; i++)
        for (uint32_t j = 0; j < s.cases[i].count; j++)
            s.attempts[i][j].quarantined = true;
    sample_report(&s, REPORT_TAP, &good);
    all_status = sample_check(&all, prove, true);
    good_status = sample_check(&good, prove, false);
    buf_release(&all);
    buf_release(&good);
    sample_close(&s);
    if (good_status == 127)
        skip(); /* there is no prove */
    assert_int_equal(good_status, 0);
    assert_int_equal(all_status, 1);
}

/* ---- JSON ---- */

/* Reads it all; fails where it is no JSON. Counts the keys of a name. */
static size_t count_keys(const struct buf *text, const char *key)
{
    struct json_reader r = {.input = buf_str(text)};
    enum json_token token;
    size_t count = 0;

    while ((token = json_next(&r)) != JSON_END) {
        if (token == JSON_ERROR)
            fail_msg("line %u, column %u: %s", r.place.line, r.place.col, r.error);
        count += token == JSON_KEY && str_is(r.text, key);
    }
    json_reader_release(&r);
    return count;
}

static void test_json(void **state)
{
    static const char *const fragments[] = {
        "{\"schema\":1,\"run\":{\"id\":\"0042-20261121-061247-9f3c1b\"",
        "\"started\":\"2026-11-21T06:12:47Z\",\"duration\":90,\"finished\":true,\"exit\":0,\"cancelled\":"
        "null",
        "\"counts\":{\"passed\":3,\"failed\":3,\"skipped\":3,\"not run\":1,\"quarantined\":1,",
        "\n{\"id\":\"proto::ok@os=linux\",\"test\":\"proto\",\"file\":\"run-matrix.yaml\",\"line\":7,"
        "\"cell\":{\"os\":\"linux\"},\"verdict\":\"passed\",",
        "\"ladder\":[{\"signal\":\"SIGINT\",\"target\":\"group\",\"at\":1,\"alive\":\"7 sleep\"}]",
        "\"outputs\":[{\"name\":\"stdout\",\"size\":56,\"path\":\"0-stdout\"}",
        "\"verdict\":\"not run\",\"reason\":\"the run ended before it\",\"quarantined\":false,\"duration\":0,"
        "\"attempts\":[]}",
    };
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    s.whats[1].cell = str_of("{} , \"x\":1"); /* what is no object is left out */
    sample_report(&s, REPORT_JSON, &text);
    for (size_t i = 0; i < ARRAY_LEN(fragments); i++)
        expect(&text, fragments[i]);
    assert_int_equal(count_keys(&text, "id"), s.record.case_count + 1);
    assert_int_equal(count_keys(&text, "x"), 0);
    buf_release(&text);
    sample_close(&s);
}

/* ---- what a run prints at its end ---- */

static void test_summary(void **state)
{
    static const char *const fragments[] = {
        "failures: 3\nFAIL    services/kv/perms  1.5s\n        exit <3> & \"more\"\\nsecond line ]]> "
        "\\x1b[1m\n",
        "        stdout (56 B): .run-matrix/runs/0042/0-stdout\n          | esc red nul \\x00 bad \\xff\\xfe "
        "]]> <b> & "
        "\"q\" \n",
        "        again: run-matrix run --id services/kv/perms\n\nERROR   proto::slow/depth=3@os=linux  3s\n",
        "        attempt 1: timeout: timed out after 1s, 1.5s\n        attempt 2: error: cannot execute",
        "flaky: 1\nFLAKY   proto::flaky@os=linux  passed on attempt 2; attempt 1: killed by SIGSEGV\n",
        "expected to fail, and passed: 1\nXPASS   proto::xpass@os=linux  #452\n",
        "failed in quarantine: 1\nFAIL    proto::fence@os=linux  exit status 1\n",
        "not run: 1\nNOT RUN     1  the run ended before it\n",
        "skipped: 3\nSKIP        1  needs # root\nUNSUPP      1  no reach\nXFAIL       1  #451\n",
        "\nall of it: .run-matrix/runs/0042; look at: run-matrix show\n3 passed, 3 failed, 3 skipped\n",
    };
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    sample_report(&s, REPORT_SUMMARY, &text);
    for (size_t i = 0; i < ARRAY_LEN(fragments); i++)
        expect(&text, fragments[i]);
    expect_none(&text, "\x1b");
    expect_none(&text, "slowest");
    buf_release(&text);
    sample_close(&s);
}

static void test_summary_of_silence(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_attempt(sample_case(&s, 0, "silent"), VERDICT_FAILED, "exit status 3");
    sample_attempt(sample_case(&s, 0, "missing"), VERDICT_ERROR, "no such program"); /* nothing could print */
    sample_report(&s, REPORT_SUMMARY, &text);
    expect(&text,
           "        exit status 3\n        it printed nothing\n        again: run-matrix run --id silent\n");
    expect(&text, "        no such program\n        again: run-matrix run --id missing\n");
    buf_release(&text);
    sample_close(&s);
}

static void test_summary_quiet(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    s.options.verbose = -1;
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_string_equal(buf_text(&text), "3 passed, 3 failed, 3 skipped\n");
    buf_release(&text);
    sample_close(&s);
}

static void test_summary_options(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    sample_fill(&s);
    s.options = (struct report_options){
        .verbose = 1, .durations = 2, .colour = true, .width = 40, .program = STR("run-matrix")};
    sample_report(&s, REPORT_SUMMARY, &text);
    expect(&text, "\x1b[1mslowest: 2\x1b[0m\n       3s  proto::slow/depth=3@os=linux\n       3s  "
                  "proto::flaky@os=linux\n");
    expect(&text, "\x1b[1;31mFAIL   \x1b[0m services/kv/perms");
    expect(&text, "          | esc \x1b[31mred\x1b[0m nul \\x00"); /* its own colours too */
    expect(&text, "\x1b[32mFLAKY  \x1b[0m proto::flaky@os=linux\n          passed on attempt 2");
    expect(&text, "\x1b[36mNOT RUN\x1b[0m proto::never@os=linux\n          the run ended before it\n");
    expect(&text, "user 0s, system 0s, at most 0 B in memory\n");
    buf_release(&text);
    sample_close(&s);
}

static void test_slowest(void **state)
{
    static const struct {
        uint32_t asked;
        const char *title; /* NULL: none */
    } rows[] = {{0, NULL}, {1, "slowest: 1\n"}, {10, "slowest: 10\n"}, {REPORT_ALL, "slowest: 10\n"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        struct buf text = {0};

        sample_open(&s);
        sample_fill(&s); /* ten of its cases were run */
        s.options.durations = rows[i].asked;
        sample_report(&s, REPORT_SUMMARY, &text);
        if (rows[i].title)
            expect(&text, rows[i].title);
        else
            expect_none(&text, "slowest");
        buf_release(&text);
        sample_close(&s);
    }
}

/* ---- what was left behind ---- */

static const struct journal_leak left[] = {
    {STR("process"), STR("sleep"), STR("sleep 9 (pid 7), 3 s old"), 7, true, true},
    {STR("socket file"), STR("/run/x"), STR("/run/x\x1b[1m"), 0, true, true},
    {STR("process"), STR("cat"), STR("cat (pid 8)"), 8, true, false},
    {STR("file"), STR("/var/y"), STR(""), 0, false, false},
    {STR("file"), STR("/var/z"), STR("/var/z"), 0, false, false},
};

static void fill_leaks(struct sample *s)
{
    struct journal_attempt *attempt;

    sample_open(s);
    s->record.run.containment_why = str_of("no <writable> control group");
    attempt = sample_attempt(sample_case(s, 0, "leaky"), VERDICT_LEAKED, "left 2 processes behind: ...");
    attempt->leaks = left;
    attempt->leak_count = ARRAY_LEN(left);
    attempt->leaks_more = 9;
    attempt = sample_attempt(sample_case(s, 0, "careless"), VERDICT_PASSED, "");
    attempt->leaks = left + 3;
    attempt->leak_count = 2;
    attempt = sample_attempt(sample_case(s, 0, "known"), VERDICT_XPASSED, "#452");
    attempt->leaks = left + 4;
    attempt->leak_count = 1;
    sample_attempt(sample_case(s, 0, "clean"), VERDICT_PASSED, "");
}

static void test_leaks(void **state)
{
    static const struct {
        enum report_id report;
        const char *fragment;
    } rows[] = {
        {REPORT_SUMMARY, "LEAK    leaky  1.5s\n        left 2 processes behind: ...\n"
                         "        left behind: process sleep 9 (pid 7), 3 s old, ended\n"
                         "        left behind: socket file /run/x\\x1b[1m, cleaned up\n"
                         "        left behind: process cat (pid 8), still there\n"
                         "        left behind: 9 more\n"},
        {REPORT_SUMMARY, "warning: left something behind, and passed: 2\n"
                         "PASS    careless  left file /var/y, still there; and 1 more\n"
                         "XPASS   known     #452; left file /var/z, still there\n"},
        {REPORT_JUNIT,
         "<property name=\"containment\" value=\"group\"/>\n"
         "      <property name=\"containment-why\" value=\"no &lt;writable&gt; control group\"/>"},
        {REPORT_JUNIT,
         "<failure type=\"leaked\" message=\"left 2 processes behind: ...\">run-matrix.yaml:7: left 2 "
         "processes behind: ...\nleft behind: process sleep 9 (pid 7), 3 s old, ended\n"},
        {REPORT_TAP, "    left behind: process cat (pid 8), still there\n"},
        {REPORT_JSON, "\"containment\":\"group\",\"containment_why\":\"no <writable> control group\""},
        {REPORT_JSON, "\"leaks\":[{\"kind\":\"process\",\"what\":\"sleep\",\"words\":\"sleep 9 (pid 7), 3 s "
                      "old\",\"pid\":7,\"fails\":true,\"ended\":true},{"},
        {REPORT_JSON, "{\"kind\":\"file\",\"what\":\"/var/y\",\"words\":\"\",\"pid\":null,\"fails\":false,"
                      "\"ended\":false}"},
        {REPORT_JSON, "],\"leaks_more\":9}"},
        {REPORT_JSON, "\"leaks\":[],\"leaks_more\":0}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        struct buf text = {0};

        fill_leaks(&s);
        sample_report(&s, rows[i].report, &text);
        expect(&text, rows[i].fragment);
        expect_none(&text, "\x1b");
        buf_release(&text);
        sample_close(&s);
    }
}

/* ---- where everybody stood ---- */

/* A file that somebody may have changed since: whatever is in it is harmless in all reports. */
static const char hung[] =
    "proto, attempt 1\nits deadline of 10s has passed\nat midnight\n"
    "no stacks: it may not be looked into\n\n"
    "  71 S  kvd: in serve (kvd.c:40) <&\x1b[1m\n\n---- in detail ----\nprocess 71 kvd\n";

static struct journal_attempt *hang(struct sample *s, const char *id, const char *text, size_t len)
{
    struct journal_attempt *attempt = sample_attempt(sample_case(s, 0, id), VERDICT_TIMEOUT, "timed out");

    attempt->dump = sample_output(s, attempt, "dump.txt", text, len)->path;
    attempt->output_count = 0;
    return attempt;
}

static void test_dumps(void **state)
{
    static const struct {
        enum report_id report;
        const char *fragment;
    } rows[] = {
        {REPORT_SUMMARY, "        where everybody stood: .run-matrix/runs/0042/0-dump.txt\n"
                         "          | no stacks: it may not be looked into\n"
                         "          |   71 S  kvd: in serve (kvd.c:40) <&\n"
                         "        it printed nothing\n"},
        {REPORT_SUMMARY, "where everybody stood, as far as it could be known: .run-matrix/runs/0042/"
                         "cases/gone/dump.txt\n          [not there any more: No such file"},
        {REPORT_SUMMARY,
         "where everybody stood: .run-matrix/runs/0042/../../etc/passwd\n          [not there"},
        {REPORT_JUNIT, "\nwhere everybody stood: .run-matrix/runs/0042/0-dump.txt\n"
                       "no stacks: it may not be looked into\n"
                       "  71 S  kvd: in serve (kvd.c:40) &lt;&amp;\n"},
        {REPORT_TAP, "  dump: \"0-dump.txt\"\n"},
        {REPORT_JSON, "\"dump\":\"0-dump.txt\",\"dump_partial\":false,"},
        {REPORT_JSON, "\"dump\":\"cases/gone/dump.txt\",\"dump_partial\":true,"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;
        struct journal_attempt *attempt;
        struct buf text = {0};

        sample_open(&s);
        hang(&s, "proto", hung, sizeof hung - 1);
        attempt = sample_attempt(sample_case(&s, 0, "gone"), VERDICT_TIMEOUT, "timed out");
        attempt->dump = str_of("cases/gone/dump.txt");
        attempt->dump_partial = true;
        attempt = sample_attempt(sample_case(&s, 0, "hostile"), VERDICT_TIMEOUT, "timed out");
        attempt->dump = str_of("../../etc/passwd");
        sample_report(&s, rows[i].report, &text);
        expect(&text, rows[i].fragment);
        expect_none(&text, "process 71 kvd");
        expect_none(&text, "proto, attempt 1");
        expect_none(&text, "at midnight");
        expect_none(&text, "root:");
        expect_none(&text, "\x1b");
        buf_release(&text);
        sample_close(&s);
    }
}

/* Where a case has a row and no more, it says where the dump lies: of the last attempt that has one. */
static void test_dumps_of_rows(void **state)
{
    struct sample s;
    struct journal_history *flaky;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    flaky = sample_case(&s, 0, "flaky");
    sample_attempt(flaky, VERDICT_TIMEOUT, "timed out")->dump = str_of("cases/flaky/1/dump.txt");
    sample_attempt(flaky, VERDICT_PASSED, "");
    flaky->attempts[1].outcome = VERDICT_FLAKY;
    for (int i = 0; i < 11; i++)
        sample_attempt(sample_case(&s, 0, "hangs"), VERDICT_TIMEOUT, "timed out")->dump =
            str_of(i < 10 ? "" : "cases/eleventh/1/dump.txt");
    sample_report(&s, REPORT_SUMMARY, &text);
    expect(&text, "attempt 1: timed out\n          where everybody stood: "
                  ".run-matrix/runs/0042/cases/flaky/1/dump.txt\n");
    expect(&text, "hangs  timed out\n          where everybody stood: "
                  ".run-matrix/runs/0042/cases/eleventh/1/dump.txt\n");
    assert_int_equal(occurrences(&text, "where everybody stood"), 2);
    buf_release(&text);
    sample_close(&s);
}

/* One that is no dump of ours is no longer than a screen of ours. */
static void test_a_dump_without_end(void **state)
{
    struct sample s;
    struct buf text = {0}, lines = {0};

    (void)state;
    add_numbers(&lines, 100000);
    sample_open(&s);
    hang(&s, "proto", lines.ptr, lines.len);
    sample_report(&s, REPORT_SUMMARY, &text);
    expect(&text, "| line 1\n");
    assert_in_range(occurrences(&text, "| line "), 50, 200);
    buf_release(&text);
    buf_release(&lines);
    sample_close(&s);
}

/* 80 lines: 20 from the beginning, 60 from the end; with -v all of them. */
static void test_summary_cuts_output(void **state)
{
    struct sample s;
    struct buf text = {0}, lines = {0};

    (void)state;
    add_numbers(&lines, 1000);
    sample_open(&s);
    sample_output(&s, sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, "x"), "stdout", lines.ptr,
                  lines.len);
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "| line "), 80);
    expect(&text, "| line 20\n          | [... 8.0 KiB left out; all of it: .run-matrix/runs/0042/0-stdout]\n"
                  "          | line 941\n");
    expect(&text, "| line 1000\n");
    buf_clear(&text);
    s.options.verbose = 1;
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "| line "), 1000);
    expect_none(&text, "left out");
    buf_release(&text);
    buf_release(&lines);
    sample_close(&s);
}

/* With -v a line of any length comes whole, in pieces of which none cuts a character in two. */
static void test_summary_long_line(void **state)
{
    struct sample s;
    struct buf text = {0}, line = {0};

    (void)state;
    buf_addc(&line, 'x');
    for (size_t i = 0; i < (size_t)1 << 19; i++)
        buf_adds(&line, "\xc3\xa4");
    sample_open(&s);
    sample_output(&s, sample_attempt(sample_case(&s, 0, "proto"), VERDICT_FAILED, "x"), "stderr", line.ptr,
                  line.len);
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_in_range(text.len, 4 << 10, 8 << 10);
    expect_none(&text, "\\x");
    buf_clear(&text);
    s.options.verbose = 1;
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "\xc3\xa4"), 1 << 19);
    expect_none(&text, "\\x");
    buf_release(&text);
    buf_release(&line);
    sample_close(&s);
}

static void test_summary_of_many_failures(void **state)
{
    struct sample s;
    struct buf text = {0};

    (void)state;
    sample_open(&s);
    for (int i = 0; i < SAMPLE_CASES; i++)
        sample_attempt(sample_case(&s, 0, "proto::x"), VERDICT_FAILED, "exit status 1");
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "again: "), 10);
    assert_int_equal(occurrences(&text, "FAIL    proto::x  exit status 1\n"), SAMPLE_CASES - 10);
    buf_clear(&text);
    s.options.verbose = 1;
    sample_report(&s, REPORT_SUMMARY, &text);
    assert_int_equal(occurrences(&text, "again: "), SAMPLE_CASES);
    buf_release(&text);
    sample_close(&s);
}

static void test_summary_of_a_run_that_died(void **state)
{
    struct sample s;
    struct buf text = {0};
    struct journal_history *history;

    (void)state;
    sample_open(&s);
    s.record.finished = false;
    history = sample_case(&s, 0, "proto::under");
    history->started = 1;
    history->open = true;
    sample_case(&s, 0, "proto::waiting");
    sample_report(&s, REPORT_SUMMARY, &text);
    expect(&text, "NOT RUN     1  the run died before it\nNOT RUN     1  the run died while it ran\n");
    expect(&text, "the run died; finish it: run-matrix run --resume\n");
    expect(&text, "\n0 passed, 0 failed\n");
    buf_release(&text);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_labels_are_as_wide),
        cmocka_unit_test(test_tally),
        cmocka_unit_test(test_rerun),
        cmocka_unit_test(test_sink_keeps_the_first_error),
        cmocka_unit_test(test_write_is_whole_or_not_at_all),
        cmocka_unit_test(test_output_whole),
        cmocka_unit_test(test_output_head_and_tail),
        cmocka_unit_test(test_output_from_the_pack),
        cmocka_unit_test(test_output_stays_inside),
        cmocka_unit_test(test_tap),
        cmocka_unit_test(test_tap_of_a_run_that_did_not_end),
        cmocka_unit_test(test_prove),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_summary_of_silence),
        cmocka_unit_test(test_summary_quiet),
        cmocka_unit_test(test_summary_options),
        cmocka_unit_test(test_slowest),
        cmocka_unit_test(test_leaks),
        cmocka_unit_test(test_dumps),
        cmocka_unit_test(test_dumps_of_rows),
        cmocka_unit_test(test_a_dump_without_end),
        cmocka_unit_test(test_summary_cuts_output),
        cmocka_unit_test(test_summary_long_line),
        cmocka_unit_test(test_summary_of_many_failures),
        cmocka_unit_test(test_summary_of_a_run_that_died),
    };

    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
