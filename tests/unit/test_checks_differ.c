/* How checks say where two texts, and two pieces of memory, differ. */
#include "fixtures/checks/checks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct said {
    char bytes[FAILURE_SIZE];
    struct text text;
};

static void explain_texts(struct said *said, const char *a, const char *b)
{
    const struct mx_side left = mx_text(a, "got"), right = mx_text(b, "wanted");

    text_begin(&said->text, said->bytes, sizeof said->bytes);
    texts_explain(&said->text, &left, &right);
    text_end(&said->text);
}

static void expect_texts(const char *a, const char *b, const char *wanted)
{
    struct said said;

    explain_texts(&said, a, b);
    if (strcmp(said.bytes, wanted) != 0)
        fail_msg("'%s' and '%s':%s\nand not:%s", a, b, said.bytes, wanted);
}

static void test_on_a_line(void **state)
{
    static const struct {
        const char *a, *b, *wanted;
    } rows[] = {
        {"abc", "abd", "\n  got:    \"abc\"\n  wanted: \"abd\"\n             ^ byte 2"},
        {"", "x", "\n  got:    \"\"\n  wanted: \"x\"\n           ^ byte 0"},
        {"ab", "abc", "\n  got:    \"ab\"\n  wanted: \"abc\"\n             ^ byte 2"},
        {"a\tb", "a\tc", "\n  got:    \"a\\tb\"\n  wanted: \"a\\tc\"\n              ^ byte 2"},
        {"\xc3\xbc"
         "a",
         "\xc3\xbc"
         "b",
         "\n  got:    \"\xc3\xbc"
         "a\"\n  wanted: \"\xc3\xbc"
         "b\"\n            ^ byte 2"},
        /* within a character: it is not cut in two */
        {"x\xc3\xbc", "x\xc3\xb6",
         "\n  got:    \"x\xc3\xbc\"\n  wanted: \"x\xc3\xb6\"\n            ^ byte 1"},
        {"a\n", "a", "\n  got:    \"a\\n\"\n  wanted: \"a\"\n            ^ byte 1"},
        {"a ", "a", "\n  got:    \"a \"\n  wanted: \"a\"\n            ^ byte 1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_texts(rows[i].a, rows[i].b, rows[i].wanted);
}

static void test_literals_are_sides(void **state)
{
    const struct mx_side left = mx_text("a", "\"a\""), right = mx_text("b", "name");
    struct said said;

    (void)state;
    text_begin(&said.text, said.bytes, sizeof said.bytes);
    texts_explain(&said.text, &left, &right);
    assert_string_equal(said.bytes, "\n  left: \"a\"\n  name: \"b\"\n         ^ byte 0");
}

/* What is shown of a long line is what differs, wherever that is. */
static void test_the_difference_of_long_lines_is_shown(void **state)
{
    char a[1001], b[1001];
    struct said said;
    const char *mark, *line;

    (void)state;
    for (size_t at = 0; at < 1000; at += 37) {
        memset(a, 'a', 1000);
        a[1000] = '\0';
        memcpy(b, a, sizeof b);
        b[at] = 'X';
        explain_texts(&said, a, b);
        assert_true(said.text.len < 500);
        mark = strrchr(said.bytes, '\n');
        line = strstr(said.bytes, "\n  wanted");
        assert_int_equal(line[strchr(mark, '^') - mark], 'X');
        assert_int_equal(strstr(said.bytes, "more") != NULL, at + 70 < 1000);
    }
}

static void test_by_lines(void **state)
{
    static const struct {
        const char *a, *b, *wanted;
    } rows[] = {
        {"1\n2\n3\n4\n5\n6\n", "1\n2\n3\nfour\n5\n6\n",
         "\n  --- got\n  +++ wanted\n  @@ line 4 @@\n   2\n   3\n  -4\n  +four\n   ^ byte 0\n   5\n   6"},
        {"1\n2\n", "1\n2\n3\n", "\n  --- got\n  +++ wanted\n  @@ line 3 @@\n   1\n   2\n  +3"},
        {"1\n2\n3\n", "1\n3\n", "\n  --- got\n  +++ wanted\n  @@ line 2 @@\n   1\n  -2\n   3"},
        {"1\n2\n", "1\n2",
         "\n  --- got\n  +++ wanted\n  @@ line 2 @@\n   1\n  -2\n  +2\n  \\ no newline at the end"},
        {"1\n2 \n3", "1\n2\n3",
         "\n  --- got\n  +++ wanted\n  @@ line 2 @@\n   1\n  -2\\x20\n  +2\n    ^ byte 1\n   3\n  \\ no "
         "newline at the end"},
        {"a\nb\nc\nd\ne\n", "a\nx\nc\ny\ne\n",
         "\n  --- got\n  +++ wanted\n  @@ line 2 @@\n   a\n  -b\n  +x\n   c\n  -d\n  +y\n   e"},
        {"a\nb\nc\n", "", "\n  --- got\n  +++ wanted\n  @@ line 1 @@\n  -a\n  -b\n  -c"},
        {"\n\n\n\n", "", "\n  --- got\n  +++ wanted\n  @@ line 1 @@\n  -\n  -\n  -\n  -"},
        {"a\r\nb\n", "a\nb\n",
         "\n  --- got\n  +++ wanted\n  @@ line 1 @@\n  -a\\r\n  +a\n    ^ byte 1\n   b"},
        {"x\nx\nx\n", "x\nx\n", "\n  --- got\n  +++ wanted\n  @@ line 3 @@\n   x\n   x\n  -x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect_texts(rows[i].a, rows[i].b, rows[i].wanted);
}

static void test_long_lines_among_others(void **state)
{
    char a[500], b[500];
    struct said said;

    (void)state;
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    strcpy(a + 300, "A\nleft\n");
    strcpy(b + 300, "B\nright\n");
    explain_texts(&said, a, b);
    assert_non_null(strstr(said.bytes, "\n  -left\n"));
    assert_non_null(strstr(said.bytes, "xxx ... 141 bytes more\n"));
    assert_non_null(strstr(said.bytes, "\n  the first of these lines, from where they differ:\n  -... xxx"));
    assert_non_null(strstr(said.bytes, "xxxB\n"));
    assert_non_null(strstr(said.bytes, "^ byte 300"));
    a[10] = 'A'; /* seen without that */
    explain_texts(&said, a, b);
    assert_null(strstr(said.bytes, "^ byte"));
}

static char *lines(size_t count, char letter)
{
    char *text = test_malloc(count * 20 + 1);
    size_t len = 0;

    *text = '\0';
    for (size_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, 20, "%c%zu\n", letter, i);
    return text;
}

static void test_many_lines_are_counted(void **state)
{
    char *a = lines(1000, 'a'), *b = lines(41, 'b');
    struct said said;

    (void)state;
    explain_texts(&said, a, b);
    assert_non_null(strstr(said.bytes, "\n  -a39\n  -... 960 lines more\n  +b0\n"));
    assert_non_null(strstr(said.bytes, "\n  +b39\n  +... 1 line more"));
    test_free(a);
    test_free(b);
}

/* Whatever comes: it ends, keeps to its memory, and says something. */
static void test_any_two_texts(void **state)
{
    static const char letters[] = "ab\n\n \xc3\xbc\xff";
    unsigned seed = 1;
    char a[40], b[40];
    struct said said;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char *texts[] = {a, b};

        for (int t = 0; t < 2; t++) {
            int len = rand_r(&seed) % 39;

            for (int i = 0; i < len; i++)
                texts[t][i] = letters[(size_t)rand_r(&seed) % (sizeof letters - 1)];
            texts[t][len] = '\0';
        }
        if (strcmp(a, b) == 0)
            continue;
        explain_texts(&said, a, b);
        assert_int_equal(strlen(said.bytes), said.text.len);
        if (!strpbrk(said.bytes, "^-+"))
            fail_msg("'%s' and '%s':%s", a, b, said.bytes);
    }
}

/* ---- memory ---- */

static void explain_bytes(struct said *said, const void *a, const void *b, size_t size)
{
    const struct mx_side left = mx_number_text_or_pointer(a, "got"),
                         right = mx_number_text_or_pointer(b, "wanted");

    text_begin(&said->text, said->bytes, sizeof said->bytes);
    bytes_explain(&said->text, &left, &right, size);
}

static void test_memory(void **state)
{
    struct said said;

    (void)state;
    explain_bytes(&said, "same\1\2", "some\1\3", 6);
    assert_string_equal(said.bytes, "\n  2 of 6 bytes differ, from byte 1 (0x1) on\n  --- got\n  +++ wanted"
                                    "\n  -0000  73 61 6d 65 01 02                                 |same..|"
                                    "\n  +0000  73 6f 6d 65 01 03                                 |some..|"
                                    "\n            ^^          ^^");
    explain_bytes(&said, "0123456789abcdefX", "0123456789abcdefY", 17);
    assert_string_equal(said.bytes,
                        "\n  1 of 17 bytes differ, from byte 16 (0x10) on\n  --- got\n  +++ wanted"
                        "\n  -0010  58                                                |X|"
                        "\n  +0010  59                                                |Y|"
                        "\n         ^^");
}

static void test_rows_of_memory_are_counted(void **state)
{
    static const unsigned char zeros[1000], ones[1000] = {[0 ... 999] = 1};
    struct said said;

    (void)state;
    explain_bytes(&said, zeros, ones, sizeof zeros);
    assert_non_null(strstr(said.bytes, "\n  1000 of 1000 bytes differ, from byte 0 (0x0) on"));
    assert_non_null(strstr(said.bytes, "\n  +0070 "));
    assert_null(strstr(said.bytes, "\n  +0080 "));
    assert_non_null(strstr(said.bytes, "\n  ... 55 rows more with differences"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_a_line),
        cmocka_unit_test(test_literals_are_sides),
        cmocka_unit_test(test_the_difference_of_long_lines_is_shown),
        cmocka_unit_test(test_by_lines),
        cmocka_unit_test(test_long_lines_among_others),
        cmocka_unit_test(test_many_lines_are_counted),
        cmocka_unit_test(test_any_two_texts),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_rows_of_memory_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
