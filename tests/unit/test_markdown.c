#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/utf8.h"
#include "runner/report/markdown.h"
#include "tests/unit/sample_run.h"

/* ---- text ---- */

static void test_inline(void **state)
{
    static const struct {
        const char *text, *wanted;
        size_t most;
    } rows[] = {
        {"plain text, 1.5 a-b/c=d", "plain text, 1.5 a-b/c=d", 100},
        {"a|b `c` *d* _e_ <b> & [x](y)",
         "a&#124;b &#96;c&#96; &#42;d&#42; &#95;e&#95; &#60;b&#62; &#38; &#91;x&#93;&#40;y&#41;", 100},
        {"back\\|slash", "back&#92;&#124;slash", 100},
        {"two\nlines\r\t", "two&#92;nlines&#92;r&#92;t", 100},
        {"https://x @me #1", "https&#58;//x &#64;me &#35;1", 100},
        {"www.x.example Www.x a@b.example", "www&#8203;.x.example Www&#8203;.x a&#64;&#8203;b.example", 100},
        {"proto@os=ubuntu-24.04", "proto&#64;os=ubuntu-24.04", 100},
        {"\xE2\x80\xAE\xFF", "&#92;u202e&#92;xff", 100},
        {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC...", 4},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};

        markdown_inline(&out, str_of(rows[i].text), rows[i].most);
        assert_string_equal(buf_text(&out), rows[i].wanted);
        buf_release(&out);
    }
}

static void test_block(void **state)
{
    static const struct {
        const char *lines, *wanted;
    } rows[] = {
        {"", ""},
        {"a\nb\n", "```text\na\nb\n```\n\n"},
        {"no end", "```text\nno end\n```\n\n"},
        {"```\n</details>\n", "````text\n```\n</details>\n````\n\n"},
        {"x `````y\n~~~\n", "``````text\nx `````y\n~~~\n``````\n\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};

        markdown_block(&out, str_of(rows[i].lines));
        assert_string_equal(buf_text(&out), rows[i].wanted);
        buf_release(&out);
    }
}

/* ---- a page ---- */

static void make(struct sample *s, struct buf *text)
{
    struct report_sink sink;

    report_sink_open(&sink, -1);
    reports[REPORT_MARKDOWN]->write(&s->input, &sink);
    buf_clear(text);
    buf_addstr(text, buf_str(&sink.buf));
    buf_release(&sink.buf);
}

static uint32_t count_of(const struct buf *text, const char *what)
{
    struct str rest = buf_str(text);
    uint32_t count = 0;
    size_t at;

    while (str_find(rest, what, &at)) {
        count++;
        rest = str_slice(rest, at + strlen(what), rest.len);
    }
    return count;
}

static bool has(const struct buf *text, const char *what)
{
    return count_of(text, what) > 0;
}

static void test_page(void **state)
{
    static const char output[] = "first\n" SAMPLE_HOSTILE "\n```\n</details>\n| a | b |\nlast";
    struct journal_attempt *attempt;
    struct journal_history *history;
    struct buf text = {0};
    struct sample s;

    (void)state;
    sample_open(&s);
    attempt = sample_attempt(sample_case(&s, 0, "proto|<b>`@os=linux"), VERDICT_FAILED, "exit | status `3`");
    sample_output(&s, attempt, "stdout", output, sizeof output - 1);
    sample_attempt(sample_case(&s, 1, "services/kv/perms@os=linux"), VERDICT_PASSED, "");
    history = sample_case(&s, 0, "flaky@os=linux");
    sample_attempt(history, VERDICT_FAILED, "at first");
    attempt = sample_attempt(history, VERDICT_PASSED, "");
    attempt->outcome = VERDICT_FLAKY;
    attempt = sample_attempt(sample_case(&s, 0, "apart"), VERDICT_TIMEOUT, "too long");
    attempt->quarantined = true;
    s.whats[3].cell = (struct str)STR("{}");
    make(&s, &text);
    assert_true(has(&text, "## ❌ run-matrix: 2 passed, 1 failed, 1 flaky\n"));
    assert_true(has(&text, "| test | os=linux | once |\n|---|---|---|\n"));
    assert_true(has(&text, "| <code>proto</code> | ❌ 1 ⚠️ 1 | 🚧 |\n"));
    assert_true(has(&text, "| <code>services/kv/perms</code> | ✅ | |\n"));
    assert_true(has(&text, "<summary>❌ <code>proto&#124;&#60;b&#62;&#96;&#64;os=linux</code> failed: "
                           "exit &#124; status &#96;3&#96;</summary>"));
    assert_true(has(&text, "````text\nfirst\n"));
    assert_true(has(&text, "passed on attempt 2; attempt 1: failed, at first"));
    assert_true(has(&text, "Failed in quarantine: 1"));
    assert_int_equal(count_of(&text, "\n<details"), count_of(&text, "\n</details>\n\n"));
    assert_int_equal(utf8_valid_until(buf_str(&text)), text.len);
    buf_release(&text);
    sample_close(&s);
}

/* ---- a large one ---- */

#define MANY  4000
#define TESTS 100
#define CELLS 40

struct many {
    struct journal_test tests[TESTS];
    struct journal_case whats[MANY];
    struct journal_history cases[MANY];
    struct journal_attempt attempts[MANY];
};

static void fill(struct many *many, struct sample *s)
{
    for (uint32_t i = 0; i < TESTS; i++)
        many->tests[i].name = str_of(arena_printf(&s->arena, "test%u", i));
    for (uint32_t i = 0; i < MANY; i++) {
        many->whats[i] =
            (struct journal_case){str_of(arena_printf(&s->arena, "test%u|@v=%u", i % TESTS, i / TESTS)),
                                  i % TESTS, str_of(arena_printf(&s->arena, "{\"v\":%u}", i / TESTS))};
        many->cases[i] = (struct journal_history){.what = &many->whats[i], .attempts = &many->attempts[i]};
        sample_attempt(&many->cases[i], i % TESTS >= 90 && i / TESTS >= 38 ? VERDICT_FAILED : VERDICT_PASSED,
                       "`reason` | with \\ and <more> of it");
    }
    s->record.tests = many->tests;
    s->record.test_count = TESTS;
    s->record.cases = many->cases;
    s->record.case_count = MANY;
}

static void test_folded(void **state)
{
    struct many *many = mem_zero(1, sizeof *many);
    struct buf text = {0};
    struct sample s;

    (void)state;
    sample_open(&s);
    fill(many, &s);
    make(&s, &text);
    assert_true(has(&text, "| test | v=38 | v=39 | v=0 |")); /* those that failed come first */
    assert_true(has(&text, " 28 more cells |\n"));
    assert_true(has(&text, "|\n| <code>test90</code> | ❌ | ❌ | ✅ |"));
    assert_true(has(&text, "| 50 more tests | ✅ 50 |"));
    assert_true(has(&text, "### Failures: 20\n"));
    buf_release(&text);
    free(many);
    sample_close(&s);
}

/* Wherever it has to end, it does between two parts. */
static void test_bounds(void **state)
{
    struct many *many = mem_zero(1, sizeof *many);
    struct buf text = {0}, whole = {0};
    struct sample s;

    (void)state;
    sample_open(&s);
    fill(many, &s);
    for (uint32_t i = 0; i < MANY; i++)
        many->attempts[i].outcome = many->attempts[i].verdict = VERDICT_FAILED;
    make(&s, &whole);
    assert_true(whole.len < (size_t)1 << 20);
    assert_true(has(&whole, "and 3800 more, not shown here"));
    for (size_t most = 1; most < whole.len; most += most / 7 + 1) {
        s.options.bytes_most = most;
        make(&s, &text);
        assert_true(text.len <= most);
        assert_int_equal(count_of(&text, "<details"), count_of(&text, "</details>\n\n"));
        if (most > 4096)
            assert_true(has(&text, "Not all of it is here") || has(&text, "not shown here"));
    }
    buf_release(&text);
    buf_release(&whole);
    free(many);
    sample_close(&s);
}

static void test_of_nothing(void **state)
{
    struct buf text = {0};
    struct sample s;

    (void)state;
    sample_open(&s);
    s.record.finished = false;
    make(&s, &text);
    assert_true(has(&text, "## ➖ run-matrix: 0 passed, 0 failed\n"));
    assert_true(has(&text, "**The run died.**"));
    assert_false(has(&text, "|---|"));
    buf_release(&text);
    sample_close(&s);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_inline), cmocka_unit_test(test_block),  cmocka_unit_test(test_page),
        cmocka_unit_test(test_folded), cmocka_unit_test(test_bounds), cmocka_unit_test(test_of_nothing),
    };

    return cmocka_run_group_tests(all, NULL, NULL);
}
