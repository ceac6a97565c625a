#include "runner/base/inert.h"
#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define Z "\xE2\x80\x8B"

static const struct {
    const char *text, *wanted; /* NULL: the same */
} rows[] = {
    {"", NULL},
    {"plain text\nof two lines\n", NULL},
    {"3 passed, 1 failed\n", NULL},
    {"proto::nested/depth@backend=exec", NULL},
    {"std::string a[i]", NULL},
    {"::error::x", ": :error::x"},
    {"a\n::error::x", "a\n: :error::x"},
    {"a\r::error::x", "a\r: :error::x"},
    {" \t::error::x", " \t: :error::x"},
    {"\xC2\xA0::error::x", "\xC2\xA0: :error::x"},
    {"\xE3\x80\x80\xEF\xBB\xBF::error::x", "\xE3\x80\x80\xEF\xBB\xBF: :error::x"},
    {"\v\f\x1b::error::x", "\v\f\x1b: :error::x"},
    {":" Z ":error::x", ":" Z Z " :error::x"},
    {":::error::x", ": ::error::x"},
    {": :error::x", NULL},
    {"x ::error::y", NULL},
    {"##[error]y", "## [error]y"},
    {"x ##[error]y ##[warning]z", "x ## [error]y ## [warning]z"},
    {"####[error]", "#### [error]"},
    {"#" Z "#[error]", "#" Z "# [error]"},
    {"## [error]", NULL},
    {"#[error] # #[x]", NULL},
    {"a.c:12:5: error: x", "a.c:" Z "12:" Z "5: error: x"},
    {"a.ts(3,14): error TS1: y", "a.ts(" Z "3," Z "14): error TS1: y"},
    {"  File \"a.py\", line 3, in f", "  File \"a.py\", line " Z "3, in f"},
    {"at Line:  3, col 14", "at Line:  " Z "3, col " Z "14"},
    {"outline 3, online 4", "outline " Z "3, online " Z "4"},
    {"a[0]: 7", "a[" Z "0]: 7"},
    {"a:\xD9\xA3", "a:" Z "\xD9\xA3"},
    {"./main.go: x", "./main.go" Z ": x"},
    {"11:22", "11:" Z "22"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        struct inert inert = {0};

        inert_add(&inert, str_of(rows[i].text), &out);
        assert_string_equal(buf_text(&out), rows[i].wanted ? rows[i].wanted : rows[i].text);
        buf_release(&out);
    }
}

/* Wherever it is cut. */
static void test_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str text = str_of(rows[i].text);

        for (size_t cut = 0; cut <= text.len; cut++) {
            struct buf out = {0};
            struct inert inert = {0};

            inert_add(&inert, str_slice(text, 0, cut), &out);
            inert_add(&inert, str_slice(text, cut, text.len), &out);
            assert_string_equal(buf_text(&out), rows[i].wanted ? rows[i].wanted : rows[i].text);
            buf_release(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_pieces)};

    return cmocka_run_group_tests(all, NULL, NULL);
}
