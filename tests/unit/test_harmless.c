#include "runner/base/harmless.h"
#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RED   "\x1b[31m"
#define RESET "\x1b[0m"

struct row {
    struct str line;
    const char *plain, *coloured; /* coloured NULL: the same */
};

static void check(const struct row *row, bool colour)
{
    const char *wanted = colour && row->coloured ? row->coloured : row->plain;
    struct buf once = {0}, twice = {0};

    text_harmless(&once, row->line, colour);
    if (!str_is(buf_str(&once), wanted))
        fail_msg("'%.*s' with colour %d: '%s', not '%s'", STR_ARG(row->line), colour, buf_text(&once),
                 wanted);
    text_harmless(&twice, buf_str(&once), colour);
    if (!str_is(buf_str(&twice), wanted))
        fail_msg("'%.*s' a second time: '%s'", STR_ARG(row->line), buf_text(&twice));
    buf_release(&once);
    buf_release(&twice);
}

static void check_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check(&rows[i], false);
        check(&rows[i], true);
    }
}

static void test_text(void **state)
{
    static const struct row rows[] = {
        {STR(""), "", NULL},
        {STR("plain"), "plain", NULL},
        {STR("a\tb"), "a\tb", NULL},
        {STR("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"),
         "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80", NULL},
        {STR("a\0b"), "a\\x00b", NULL},
        {STR("bell\a back\b form\f"), "bell\\x07 back\\x08 form\\x0c", NULL},
        {STR("a\nb"), "a\\nb", NULL},
        {STR("\x7f"), "\\x7f", NULL},
        {STR("latin \xFC."), "latin \\xfc.", NULL},
        {STR("cut \xE2\x82"), "cut \\xe2\\x82", NULL},
        {STR("\xC0\x80"), "\\xc0\\x80", NULL},
        {STR("turn \xE2\x80\xAE."), "turn \\u202e.", NULL},
    };

    (void)state;
    check_all(rows, ARRAY_LEN(rows));
}

static void test_colours(void **state)
{
    static const struct row rows[] = {
        {STR(RED "no" RESET), "no", RED "no" RESET},
        {STR(RED "no"), "no", RED "no" RESET},
        {STR(RED "no\x1b[m"), "no", RED "no\x1b[m"},
        {STR(RESET "no"), "no", RESET "no"},
        {STR("\x1b[38;2;1;2;3mx"), "x", "\x1b[38;2;1;2;3mx" RESET},
        {STR("\x1b[4:3mx"), "x", "\x1b[4:3mx" RESET},
        {STR("\x1b[8mx"), "x", "x"},
        {STR("\x1b[1;5mx"), "x", "x"},
        {STR("\x1b[38;5;8mx"), "x", "\x1b[38;5;8mx" RESET},
        {STR("\x1b[48;2;5;6;8mx"), "x", "\x1b[48;2;5;6;8mx" RESET},
        {STR("\x1b[38;5;1;8mx"), "x", "x"},
        {STR("\x1b[0;1mx"), "x", "\x1b[0;1mx" RESET},
        {STR("\x1b[>4;1mx"), "x", NULL},
        {STR("\x1b[?1mx"), "x", NULL},
        {STR("\x1b[1 mx"), "x", NULL},
        {STR("\x1b[31"), "\\x1b[31", NULL},
        {STR("\x1b[3\x1b[31mx"), "\\x1b[3x", "\\x1b[3" RED "x" RESET},
    };

    (void)state;
    check_all(rows, ARRAY_LEN(rows));
}

static void test_sequences(void **state)
{
    static const struct row rows[] = {
        {STR("a\x1b[2Jb\x1b[Kc\x1b[10;20Hd"), "abcd", NULL},
        {STR("\x1b[?25l\x1b[?1049hx"), "x", NULL},
        {STR("\x1b[6n"), "", NULL},
        {STR("\x1b]0;title\ax"), "x", NULL},
        {STR("\x1b]52;c;ZXZpbA==\x1b\\x"), "x", NULL},
        {STR("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\"), "link", NULL},
        {STR("\x1b]0;no end"), "\\x1b]0;no end", NULL},
        {STR("\x1b]0;no end\x1b"), "\\x1b]0;no end\\x1b", NULL},
        {STR("\x1b]0;cut\x1b[Kx"), "\\x1b]0;cutx", NULL},
        {STR("\x1bP1$r0m\x1b\\x"), "x", NULL},
        {STR("\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\x"), "x", NULL},
        {STR("\x1b"
             "c\x1b"
             "7\x1b(0x\x1b#8"),
         "x", NULL},
        {STR("\x1b"), "\\x1b", NULL},
        {STR("\x1b\x1b[Kx"), "\\x1bx", NULL},
        {STR("\x1b\x1b[K[31mx"), "\\x1b[31mx", NULL},
        {STR("\x1b\t[31mx"), "\\x1b\t[31mx", NULL},
        {STR("\x1b\xC3\xA9"), "\\x1b\xC3\xA9", NULL},
        {STR("\x9B"
             "31mx"),
         "\\x9b31mx", NULL},
        {STR("\xC2\x9B"
             "31mx"),
         "\\u009b31mx", NULL},
        {STR("\xC2\x9D"
             "0;title\xC2\x9C"),
         "\\u009d0;title\\u009c", NULL},
        {STR("\xC3\x1b[K\xA9"), "\\xc3\\xa9", NULL},
    };

    (void)state;
    check_all(rows, ARRAY_LEN(rows));
}

static void test_drawn_over(void **state)
{
    static const struct row rows[] = {
        {STR("10%\r50%\r100%"), "100%", NULL},
        {STR("10%\r50%\r"), "50%", NULL},
        {STR("dos\r"), "dos", NULL},
        {STR("dos\r\r"), "dos", NULL},
        {STR("\r\r"), "", NULL},
        {STR("\rx"), "x", NULL},
        {STR(RED "10%\r" RED "20%"), "20%", RED "20%" RESET},
        {STR("\x1b]0;a\rb\ac"), "b\\x07c", NULL},
    };

    (void)state;
    check_all(rows, ARRAY_LEN(rows));
}

/* What begins over and over and never ends must not be read over and over. */
static void test_no_end(void **state)
{
    static const char *const beginnings[] = {"\x1b",   "\x1b]", "\x1bP",     "\x1b[",
                                             "\x1b[1", "\x1b(", "\x1b]a\x1b"};
    enum { TIMES = 1 << 18 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++) {
        struct buf line = {0}, out = {0};

        for (int time = 0; time < TIMES; time++)
            buf_adds(&line, beginnings[i]);
        text_harmless(&out, buf_str(&line), true);
        if (out.len && memchr(out.ptr, '\x1b', out.len))
            fail_msg("'%s' comes through", beginnings[i] + 1);
        buf_release(&line);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_colours), cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_drawn_over), cmocka_unit_test(test_no_end),
    };

    return cmocka_run_group_tests_name("harmless", tests, NULL, NULL);
}
