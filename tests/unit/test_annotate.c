#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/utf8.h"
#include "runner/report/internal.h"
#include "tests/unit/sample_run.h"

static void test_command(void **state)
{
    static const struct {
        struct annotation a;
        const char *wanted;
    } rows[] = {
        {{.kind = "error", .message = STR("plain")}, "::error::plain\n"},
        {{.kind = "warning",
          .file = STR("a,b:c.c"),
          .line = 3,
          .title = STR("50%\r\n"),
          .message = STR("1\n2:,%")},
         "::warning file=a%2Cb%3Ac.c,line=3,title=50%25%0D%0A::1%0A2:,%25\n"},
        {{.kind = "error", .file = STR("a.c"), .line = 3, .col = 7, .message = STR("x")},
         "::error file=a.c,line=3,col=7::x\n"},
        {{.kind = "error", .line = 3, .title = STR("t"), .message = STR("")}, "::error title=t::\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};

        annotation_add(&out, &rows[i].a);
        assert_string_equal(buf_text(&out), rows[i].wanted);
        buf_release(&out);
    }
}

/* Cut between two characters, and never in the middle of an escape. */
static void test_long(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        static const char *const pieces[] = {"x", "%", "\xE2\x82\xAC", "a%\xC3\xBC"};
        struct buf text = {0}, out = {0};

        for (int n = 0; n < 5000; n++)
            buf_adds(&text, pieces[i]);
        annotation_add(&out, &(struct annotation){.kind = "error", .message = buf_str(&text)});
        assert_true(out.len <= strlen("::error::") + 4096 + 1);
        assert_true(out.len > 4080);
        assert_true(str_ends(buf_str(&out), "...\n"));
        assert_int_equal(utf8_valid_until(buf_str(&out)), out.len);
        out.len -= strlen("...\n");
        assert_false(str_ends(buf_str(&out), "%") || str_ends(buf_str(&out), "%2"));
        buf_release(&text);
        buf_release(&out);
    }
}

static void test_files(void **state)
{
    static const struct {
        const char *workspace, *folder, *file, *wanted;
    } rows[] = {
        {"/w", "/w", "a.c", "a.c"},
        {"/w", "/w/sub", "a.c", "sub/a.c"},
        {"/w/", "/w//sub/.", "./x/../a.c", "sub/a.c"},
        {"/w", "/w/sub", "../a.c", "a.c"},
        {"/w", "/elsewhere", "/w/a.c", "a.c"},
        {"/w", "/w", "/etc/passwd", ""},
        {"/w", "/w", "../x", ""},
        {"/w", "/w", "../../../w/x", "x"},
        {"/w", "/wx", "a.c", ""},
        {"/w", "/w", "", ""},
        {"", "/w", "a.c", ""},
        {"/", "/w", "a.c", "w/a.c"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};

        annotation_file(&out, str_of(rows[i].workspace), str_of(rows[i].folder), str_of(rows[i].file));
        assert_string_equal(buf_text(&out), rows[i].wanted);
        buf_release(&out);
    }
}

static void tell(struct sample *s, struct buf *out)
{
    s->options.workspace = str_of("/home");
    buf_clear(out);
    report_annotations(&s->input, out);
}

/* What explains others comes first, and where a test said its failure, that is the place. */
static void test_order(void **state)
{
    static const struct journal_said said[] = {
        {.kind = STR("note"), .file = STR("no.c"), .line = 1, .words = STR("note")},
        {.kind = STR("failure"), .file = STR("tests/a.c"), .line = 12, .words = STR("1 != 2\nin a")},
    };
    struct journal_attempt *attempt;
    struct buf out = {0};
    struct sample s;

    (void)state;
    sample_open(&s);
    attempt = sample_attempt(sample_case(&s, 0, "late"), VERDICT_PASSED, "");
    attempt->outcome = VERDICT_FLAKY;
    attempt->flaky_fails = true;
    attempt = sample_attempt(sample_case(&s, 1, "said"), VERDICT_FAILED, "exit status 1");
    attempt->said = said;
    attempt->said_count = ARRAY_LEN(said);
    sample_attempt(sample_case(&s, 0, "crash"), VERDICT_CRASHED, "SIGSEGV");
    sample_attempt(sample_case(&s, 0, "hang"), VERDICT_TIMEOUT, "timed out");
    sample_attempt(sample_case(&s, 1, "fixture:kvd"), VERDICT_ERROR, "died");
    attempt = sample_attempt(sample_case(&s, 0, "apart"), VERDICT_FAILED, "known");
    attempt->quarantined = true;
    sample_attempt(sample_case(&s, 0, "good"), VERDICT_PASSED, "");
    sample_attempt(sample_case(&s, 0, "skipped"), VERDICT_SKIPPED, "::error::x");
    tell(&s, &out);
    assert_string_equal(
        buf_text(&out),
        "::error file=x/services/kv/run-matrix.yaml,line=12,title=error%3A fixture%3Akvd::died%0Aagain: "
        "run-matrix "
        "run\n"
        "::error file=x/run-matrix.yaml,line=7,title=crashed%3A crash::and 1 more like it: "
        "hang%0ASIGSEGV%0Aagain: "
        "run-matrix run --id crash\n"
        "::error file=x/services/kv/tests/a.c,line=12,title=failed%3A said::exit status 1%0Anote%0A1 != "
        "2%0Ain "
        "a%0Aagain: run-matrix run --id said\n"
        "::error file=x/run-matrix.yaml,line=7,title=flaky%3A late::again: run-matrix run --id late\n"
        "::warning file=x/run-matrix.yaml,line=7,title=failed in quarantine%3A apart::known%0Aagain: "
        "run-matrix run "
        "--id apart\n");
    buf_release(&out);
    sample_close(&s);
}

/* Ten of them, and those that matter, whenever they come. */
static void test_many(void **state)
{
    struct journal_test tests[12];
    struct buf out = {0};
    struct sample s;
    size_t at;

    (void)state;
    sample_open(&s);
    for (uint32_t i = 0; i < 12; i++) {
        tests[i] =
            (struct journal_test){str_of(arena_printf(&s.arena, "t%u", i)), STR("run-matrix.yaml"), i + 1};
        sample_attempt(sample_case(&s, i, arena_printf(&s.arena, "t%u", i)),
                       i == 11   ? VERDICT_ERROR
                       : i == 10 ? VERDICT_CRASHED
                                 : VERDICT_FAILED,
                       "x");
    }
    s.record.tests = tests;
    s.record.test_count = 12;
    tell(&s, &out);
    assert_true(str_starts(buf_str(&out), "::error file=x/run-matrix.yaml,line=12,title=error%3A t11::"));
    assert_true(str_find(buf_str(&out), "line=11,title=crashed%3A t10::", &at));
    assert_true(str_find(buf_str(&out), "title=failed%3A t7::", &at));
    assert_false(str_find(buf_str(&out), "title=failed%3A t8::", &at));
    buf_release(&out);
    sample_close(&s);
}

/* Results are read one after another: what a note is known by outlives the one that made it. */
static void test_results_of_one_place(void **state)
{
    static const struct journal_result results[] = {
        {.id = STR("t[1]"),
         .verdict = VERDICT_FAILED,
         .duration = -1,
         .message = STR("one"),
         .file = STR("t.py"),
         .line = 3},
        {.id = STR("t[2]"),
         .verdict = VERDICT_FAILED,
         .duration = -1,
         .message = STR("two"),
         .file = STR("t.py"),
         .line = 3},
    };
    struct buf out = {0};
    struct sample s;

    (void)state;
    sample_open(&s);
    sample_results(&s, sample_attempt(sample_case(&s, 0, "a@v=1"), VERDICT_FAILED, ""), results, 2);
    sample_results(&s, sample_attempt(sample_case(&s, 0, "a@v=2"), VERDICT_FAILED, ""), results, 2);
    tell(&s, &out);
    assert_string_equal(buf_text(&out),
                        "::error file=x/t.py,line=3,title=failed%3A a%3A%3At%255B1%255D@v=1::and "
                        "1 more like it: a::t%255B1%255D@v=2%0Aone\n"
                        "::error file=x/t.py,line=3,title=failed%3A a%3A%3At%255B2%255D@v=1::and "
                        "1 more like it: a::t%255B2%255D@v=2%0Atwo\n");
    buf_release(&out);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_command), cmocka_unit_test(test_long),
        cmocka_unit_test(test_files),   cmocka_unit_test(test_order),
        cmocka_unit_test(test_many),    cmocka_unit_test(test_results_of_one_place),
    };

    return cmocka_run_group_tests(all, NULL, NULL);
}
