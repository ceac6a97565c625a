#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "runner/base/mem.h"
#include "runner/base/split.h"

static void test_words(void **state)
{
    static const struct {
        const char *text;
        const char *words[5]; /* up to a NULL */
    } rows[] = {
        {"gdb --args", {"gdb", "--args"}},
        {"  gdb \t --args\n", {"gdb", "--args"}},
        {"gdb -ex 'break main' -ex", {"gdb", "-ex", "break main", "-ex"}},
        {"gdb -ex \"print \\\"x\\\" \\n\"", {"gdb", "-ex", "print \"x\" \\n"}},
        {"a\\ b c\\'d", {"a b", "c'd"}},
        {"a'b c'\"d e\"f", {"ab cd ef"}},
        {"'' \"\" x", {"", "", "x"}},
        {"'a\\b' \"a\\b\" a\\b", {"a\\b", "a\\b", "ab"}},
        {"$HOME * ~ `x`", {"$HOME", "*", "~", "`x`"}},
        {"\"\\$x\\`\\\\\"", {"$x`\\"}},
        {"", {NULL}},
        {" \n", {NULL}},
        {"a b c d", {"a", "b", "c", "d"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        const char **words, *why;
        uint32_t count, at = 0;

        if (!split_command(rows[i].text, &arena, &words, &count, &why))
            fail_msg("'%s': %s", rows[i].text, why);
        for (; at < count && rows[i].words[at]; at++)
            if (strcmp(words[at], rows[i].words[at]) != 0)
                fail_msg("'%s': word %u is '%s'", rows[i].text, at, words[at]);
        if (at != count || rows[i].words[at] || words[count])
            fail_msg("'%s': %u words", rows[i].text, count);
        arena_release(&arena);
    }
}

static void test_what_is_not_closed(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"a 'b", "a ' that is not closed"},
        {"a \"b'", "a \" that is not closed"},
        {"a \"b\\", "a \" that is not closed"},
        {"a \"b\\\"", "a \" that is not closed"},
        {"a \\", "a backslash with nothing behind it"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        const char **words, *why;
        uint32_t count;

        if (split_command(rows[i].text, &arena, &words, &count, &why))
            fail_msg("'%s' is taken", rows[i].text);
        assert_string_equal(why, rows[i].why);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_what_is_not_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
