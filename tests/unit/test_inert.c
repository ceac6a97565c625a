#include "runner/base/inert.h"
#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define Z "\xE2\x80\x8B"
#define E "\x1b["

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
    {E "1;31mred" E "0m", NULL},
    {"a.c:" E "m12:" E "m5: error: x", "a.c:" E "m" Z "12:" E "m" Z "5: error: x"},
    {"a.c" E "1m:" E "1m" E "22m12:" E "K5: x", "a.c" E "1m:" E "1m" E "22m" Z "12:" E "K5: x"},
    {"li" E "mne" E "m " E "m3, co" E "ml 4", "li" E "mne" E "m " E "m" Z "3, co" E "ml " Z "4"},
    {"./main." E "mgo" E "m: x", "./main." E "mgo" E "m" Z ": x"},
    {E "m:" E "m:error::x", E "m:" E "m :error::x"},
    {"#" E "m#" E "m[error]x", "#" E "m# " E "m[error]x"},
    {"##\x1b[error]x", "## \x1b[error]x"},
    {"a.c:" E "12:5: x", "a.c:" E "12" Z ":" Z "5: x"},
    {"a" E "12]: x", "a" E "12" Z "]: x"},
    {"a" E "2K", NULL},
    {"a\x1b\x1b[m:\x1b"
     "1",
     "a\x1b\x1b[m:\x1b" Z "1"},
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

/* Who parses it has the same; structure is not touched. */
static void test_data(void **state)
{
    static const struct {
        enum inert_form form;
        const char *text, *wanted;
    } data[] = {
        {INERT_JSON, "{\"line\":12,\"a\":[1,2]}", "{\"line\":12,\"a\":[1,2]}"},
        {INERT_JSON, "{\"a.c:12:5\":1}", "{\"a.c:\\u00312:\\u0035\":1}"},
        {INERT_JSON, "\"##[error]\"", "\"##\\u005berror]\""},
        {INERT_JSON, "\"\\\\\",:1,\"\\\":1\"", "\"\\\\\",:1,\"\\\":\\u0031\""},
        {INERT_JSON, "\":\xD9\xA3,\xF0\x9D\x9F\x98\"", "\":\\u0663,\\ud835\\udfd8\""},
        {INERT_JSON, "\"a\\n::error::x\"", "\"a\\n::error::x\""},
        {INERT_XML, "::error::x", ":&#x3a;error::x"},
        {INERT_XML, "<a b=\"1\">##[x] line 3</a>", "<a b=\"1\">##&#x5b;x] line &#x33;</a>"},
        {INERT_XML, "main.go: :\xD9\xA3", "main.go&#x3a; :&#x663;"},
        {INERT_JSON, "[" E "1,\"a:" E "1\"]", "[" E "1,\"a:" E "\\u0031\"]"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(data); i++) {
        struct buf out = {0};
        struct inert inert = {.form = data[i].form};

        inert_add(&inert, str_of(data[i].text), &out);
        assert_string_equal(buf_text(&out), data[i].wanted);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_pieces),
                                     cmocka_unit_test(test_data)};

    return cmocka_run_group_tests(all, NULL, NULL);
}
