/* What checks compare and print: of sides that are made by hand, without a test around them. */
#include "fixtures/checks/checks.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SIDE(x)      MX_V(x, #x)

struct said {
    char bytes[FAILURE_SIZE];
    struct text text;
};

static void begin(struct said *said)
{
    text_begin(&said->text, said->bytes, sizeof said->bytes);
}

/* ---- comparing ---- */

static void expect_order(struct mx_side a, struct mx_side b, enum order wanted)
{
    enum order back = wanted == BELOW ? ABOVE : wanted == ABOVE ? BELOW : wanted;

    if (sides_compare(&a, &b) != wanted)
        fail_msg("%s and %s: %d, not %d", a.source, b.source, (int)sides_compare(&a, &b), (int)wanted);
    if (sides_compare(&b, &a) != back)
        fail_msg("%s and %s: %d, not %d", b.source, a.source, (int)sides_compare(&b, &a), (int)back);
}

static void test_integers_of_all_types_by_their_worth(void **state)
{
    (void)state;
    expect_order(SIDE(-1), SIDE(1u), BELOW);
    expect_order(SIDE(-1), SIDE(UINT_MAX), BELOW);
    expect_order(SIDE(-1), SIDE(ULLONG_MAX), BELOW);
    expect_order(SIDE(LLONG_MIN), SIDE(ULLONG_MAX), BELOW);
    expect_order(SIDE(LLONG_MIN), SIDE(LLONG_MIN + 1), BELOW);
    expect_order(SIDE((signed char)-1), SIDE((unsigned char)255), BELOW);
    expect_order(SIDE((short)7), SIDE(7ull), EQUAL);
    expect_order(SIDE((bool)true), SIDE(1), EQUAL);
    expect_order(SIDE((bool)false), SIDE(-1), ABOVE);
    expect_order(SIDE((char)'a'), SIDE('a'), EQUAL);
    expect_order(SIDE(-2), SIDE(-3), ABOVE);
    expect_order(SIDE((unsigned __int128)ULLONG_MAX * 2), SIDE(ULLONG_MAX), ABOVE);
    expect_order(SIDE(-(__int128)LLONG_MAX * 4), SIDE(LLONG_MIN), BELOW);
}

static void test_integers_and_floating_point_by_their_worth(void **state)
{
    (void)state;
    expect_order(SIDE(1), SIDE(1.0), EQUAL);
    expect_order(SIDE(1), SIDE(1.5f), BELOW);
    expect_order(SIDE(2), SIDE(1.5), ABOVE);
    expect_order(SIDE(-1), SIDE(-1.5), ABOVE);
    expect_order(SIDE(-2), SIDE(-1.5), BELOW);
    expect_order(SIDE(0), SIDE(-0.5), ABOVE);
    expect_order(SIDE(0), SIDE(0.5), BELOW);
    expect_order(SIDE(0), SIDE(-0.0), EQUAL);
    expect_order(SIDE(0), SIDE(DBL_TRUE_MIN), BELOW);
    expect_order(SIDE(9007199254740993), SIDE(9007199254740992.0), ABOVE); /* no double is the first */
    expect_order(SIDE(LLONG_MAX), SIDE(0x1p63), BELOW);
    expect_order(SIDE(LLONG_MIN), SIDE(-0x1p63), EQUAL);
    expect_order(SIDE(ULLONG_MAX), SIDE(0x1p64), BELOW);
    expect_order(SIDE(ULLONG_MAX), SIDE(1e300), BELOW);
    expect_order(SIDE(LLONG_MIN), SIDE(-1e300), ABOVE);
    expect_order(SIDE(~(unsigned __int128)0), SIDE(0x1p128L), BELOW);
    expect_order(SIDE(1), SIDE(INFINITY), BELOW);
    expect_order(SIDE(1), SIDE(-INFINITY), ABOVE);
    expect_order(SIDE(1), SIDE(NAN), UNORDERED);
}

static void test_floating_point(void **state)
{
    (void)state;
    expect_order(SIDE(0.1f), SIDE(0.1), ABOVE);
    expect_order(SIDE(0.5f), SIDE(0.5L), EQUAL);
    expect_order(SIDE(NAN), SIDE(NAN), UNORDERED);
    expect_order(SIDE(INFINITY), SIDE(HUGE_VAL), EQUAL);
    expect_order(SIDE(-INFINITY), SIDE(-DBL_MAX), BELOW);
}

static void test_texts_and_pointers(void **state)
{
    char one[] = "same", other[] = "same";
    int numbers[2];

    (void)state;
    expect_order(SIDE(one), SIDE(other), EQUAL);
    expect_order(SIDE("a"), SIDE("b"), BELOW);
    expect_order(SIDE("a"), SIDE("ab"), BELOW);
    expect_order(SIDE(""), SIDE("a"), BELOW);
    expect_order(SIDE("a"), SIDE("\xff"), BELOW);
    expect_order(mx_text_of("a\0b", 3, "a"), mx_text_of("a\0c", 3, "b"), BELOW);
    expect_order(SIDE((const char *)NULL), SIDE((char *)NULL), EQUAL);
    expect_order(SIDE((const char *)NULL), SIDE(""), BELOW); /* and not the same */
    expect_order(SIDE(one), SIDE((void *)one), EQUAL);
    expect_order(SIDE(one), SIDE(NULL), ABOVE);
    expect_order(MX_P(one, "one"), MX_P(one, "one"), EQUAL);
    expect_order(SIDE(&numbers[0]), SIDE(&numbers[1]), BELOW);
    expect_order(SIDE(0), SIDE((void *)NULL), EQUAL);
    expect_order(SIDE(1.0), SIDE((void *)NULL), UNORDERED);
}

/* ---- printing ---- */

static void expect_printed(struct mx_side side, const struct mx_side *other, const char *wanted)
{
    struct said said;

    begin(&said);
    side_print(&said.text, &side, other);
    if (strcmp(said.bytes, wanted) != 0)
        fail_msg("%s: '%s', not '%s'", side.source, said.bytes, wanted);
}

static void test_values_by_type(void **state)
{
    const struct mx_side a_char = SIDE((char)'a'), hex = SIDE(0x10);

    (void)state;
    expect_printed(SIDE((bool)true), NULL, "true");
    expect_printed(SIDE((char)'x'), NULL, "'x' (120)");
    expect_printed(SIDE((char)'\''), NULL, "'\\'' (39)");
    expect_printed(SIDE((char)'"'), NULL, "'\"' (34)");
    expect_printed(SIDE((char)'\n'), NULL, "'\\n' (10)");
    expect_printed(SIDE((char)'\0'), NULL, "'\\0' (0)");
    expect_printed(mx_char((char)0xff, "c"), NULL, CHAR_MIN < 0 ? "'\\xff' (-1)" : "'\\xff' (255)");
    expect_printed(SIDE('x'), NULL, "120");
    expect_printed(SIDE('x'), &a_char, "'x' (120)");
    expect_printed(SIDE(1000), &a_char, "1000");
    expect_printed(SIDE((signed char)-128), NULL, "-128");
    expect_printed(SIDE((unsigned char)255), NULL, "255");
    expect_printed(SIDE(255), &hex, "0xff");
    expect_printed(SIDE(-255), &hex, "-0xff");
    expect_printed(SIDE(0), NULL, "0");
    expect_printed(SIDE(LLONG_MIN), NULL, "-9223372036854775808");
    expect_printed(SIDE(~(unsigned __int128)0), NULL, "340282366920938463463374607431768211455");
    expect_printed(SIDE((__int128)((unsigned __int128)1 << 127)), NULL,
                   "-170141183460469231731687303715884105728");
    expect_printed(SIDE(0.1f), NULL, "0.1");
    expect_printed(SIDE(0.1), NULL, "0.1");
    expect_printed(SIDE(1.0 / 3), NULL, "0.3333333333333333");
    expect_printed(SIDE(1.0f / 3), NULL, "0.33333334");
    expect_printed(SIDE(0.1 + 0.2), NULL, "0.30000000000000004");
    expect_printed(SIDE(-2.0), NULL, "-2.0");
    expect_printed(SIDE(1e300), NULL, "1e+300");
    expect_printed(SIDE(-NAN), NULL, "nan");
    expect_printed(SIDE(-INFINITY), NULL, "-inf");
    expect_printed(SIDE((void *)NULL), NULL, "NULL");
    expect_printed(SIDE((const char *)NULL), NULL, "NULL");
    expect_printed(SIDE((void *)0x1234), NULL, "0x1234");
    expect_printed(SIDE("it's \"so\"\\"), NULL, "\"it's \\\"so\\\"\\\\\"");
}

static void test_bytes_that_cannot_be_read(void **state)
{
    static const struct {
        const char *bytes, *wanted;
        size_t columns;
    } rows[] = {
        {"", "", 0},
        {"plain ~", "plain ~", 7},
        {"\a\b\t\n\v\f\r", "\\a\\b\\t\\n\\v\\f\\r", 14},
        {"\x01\x1b[0m\x7f", "\\x01\\x1b[0m\\x7f", 15},
        {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f", 4},
        {"\xe2\x82\xac \xf0\x9f\x98\x80", "\xe2\x82\xac \xf0\x9f\x98\x80", 3},
        {"\xc3", "\\xc3", 4},
        {"\xe2\x82", "\\xe2\\x82", 8},
        {"\xc0\xaf", "\\xc0\\xaf", 8},                    /* too long for what it says */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80", 12},          /* half of a pair */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", 16}, /* behind the last */
        {"\xc2\x9b", "\\xc2\\x9b", 8},                    /* what some terminals obey */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct said said;
        size_t columns;

        begin(&said);
        columns = text_escaped(&said.text, rows[i].bytes, strlen(rows[i].bytes), '\0');
        if (strcmp(said.bytes, rows[i].wanted) != 0 || columns != rows[i].columns)
            fail_msg("row %zu: '%s' in %zu columns, not '%s' in %zu", i, said.bytes, columns, rows[i].wanted,
                     rows[i].columns);
    }
}

static void test_long_values_lose_their_middle(void **state)
{
    char bytes[301];
    struct said said;

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    begin(&said);
    text_quoted(&said.text, bytes, 180);
    assert_int_equal(said.text.len, 182);
    memset(bytes + 150, 'b', 151);
    bytes[300] = '\0';
    expect_printed(
        mx_text(bytes, "bytes"), NULL,
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
        "aaaaaaaaaaaaaaaaaaaaaaa\" ... 120 bytes more ... "
        "\"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"");
    memcpy(bytes + 119, "\xe2\x82\xac", 3); /* it is not cut in two */
    begin(&said);
    text_quoted(&said.text, bytes, 300);
    assert_non_null(strstr(said.bytes, "a\" ... 121 bytes more ... \"b"));
}

/* ---- what the source says already ---- */

static void test_literals_are_evident(void **state)
{
    static const struct {
        const char *source;
        bool evident;
    } rows[] = {
        {"0", true},          {"-1", true},         {"10u", true},          {"0x1F", true},
        {"1'000", true},      {"1e-3", true},       {".5f", true},          {"-0x1p-3", true},
        {"\"a\"", true},      {"\"a\\\"b\"", true}, {"'\\''", true},        {"NULL", true},
        {"nullptr", true},    {"true", true},       {"false", true},        {"n", false},
        {"1+1", false},       {"1-n", false},       {"\"a\" \"b\"", false}, {"'a' + 'b'", false},
        {"EINVAL", false},    {"-n", false},        {"\"", false},          {"\"\\", false},
        {"", false},          {"-", false},         {"f(1)", false},        {"\"a\" + len(\"b\")", false},
        {"0 ? a : b", false}, {"NULLS", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct mx_side side = mx_signed(1, rows[i].source);

        if (side_is_evident(&side) != rows[i].evident)
            fail_msg("'%s' is %sevident", rows[i].source, rows[i].evident ? "not " : "");
    }
}

static void expect_explained(struct mx_side a, struct mx_side b, const char *wanted)
{
    struct said said;

    begin(&said);
    sides_explain(&said.text, &a, &b);
    if (strcmp(said.bytes, wanted) != 0)
        fail_msg("%s and %s: '%s', not '%s'", a.source, b.source ? b.source : "nothing", said.bytes, wanted);
}

static void test_sides(void **state)
{
    const int one = 1, two = 2;
    const float third = 0.1f;
    const double tenth = 0.1;

    (void)state;
    expect_explained(SIDE(one), SIDE(two), "\n  one: 1\n  two: 2");
    expect_explained(SIDE(one), SIDE(2), "\n  one: 1");
    expect_explained(SIDE(1), SIDE(2), "");
    expect_explained(SIDE(one), SIDE(one), "\n  one: 1"); /* once */
    expect_explained(SIDE(one), mx_nothing(), "\n  one: 1");
    expect_explained(
        SIDE(third), SIDE(tenth),
        LDBL_DECIMAL_DIG == 21
            ? "\n  third: 0.100000001490116119385\n  tenth: 0.100000000000000005551"
            : "\n  third: 0.100000001490116119384765625\n  tenth: 0.100000000000000005551115123125782702");
}

/* ---- what is too long ---- */

static void test_what_has_no_room_is_said_to_be_missing(void **state)
{
    char bytes[100];
    struct text text;

    (void)state;
    text_begin(&text, bytes, sizeof bytes);
    for (int i = 0; i < 60; i++)
        text_addf(&text, "%s", "\xc3\xbc");
    text_end(&text);
    assert_true(text.len < sizeof bytes);
    assert_int_equal(strlen(bytes), text.len);
    assert_string_equal(strchr(bytes, '\n'), "\n  ... (what follows is too long to be said)");
    for (char *at = bytes; *at != '\n'; at += 2)
        assert_memory_equal(at, "\xc3\xbc", 2);
    text_begin(&text, bytes, sizeof bytes);
    text_add(&text, "exactly", 7);
    text_end(&text);
    assert_string_equal(bytes, "exactly");
}

__attribute__((format(printf, 2, 3))) static void add_words(struct text *text, const char *words, ...)
{
    va_list args;

    va_start(args, words);
    text_words(text, words, args);
    va_end(args);
}

static void test_words_of_a_test(void **state)
{
    struct said said;

    (void)state;
    begin(&said);
    add_words(&said.text, "%s", "");
    assert_string_equal(said.bytes, "");
    add_words(&said.text, "after %d\nturns\n", 3);
    assert_string_equal(said.bytes, ": after 3\n  turns");
    begin(&said);
    add_words(&said.text, "%5000d", 1);
    assert_int_equal(said.text.len, 2 + 1999 + 3);
    assert_string_equal(said.bytes + said.text.len - 3, "...");
}

/* ---- expressions ---- */

static void test_regular_expressions(void **state)
{
    struct said said;

    (void)state;
    assert_int_equal(text_matches("hello", 5, "^h.*o$"), 1);
    assert_int_equal(text_matches("hello", 4, "o"), 0);
    assert_int_equal(text_matches("a\0b", 3, "b"), 1);
    assert_int_equal(text_matches("", 0, "^$"), 1);
    assert_int_equal(text_matches("x", 1, "["), -1);
    begin(&said);
    regex_explain(&said.text, "a+");
    assert_string_equal(said.bytes, "");
    regex_explain(&said.text, "(");
    assert_non_null(strstr(said.bytes, "\n  that is no regular expression: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_of_all_types_by_their_worth),
        cmocka_unit_test(test_integers_and_floating_point_by_their_worth),
        cmocka_unit_test(test_floating_point),
        cmocka_unit_test(test_texts_and_pointers),
        cmocka_unit_test(test_values_by_type),
        cmocka_unit_test(test_bytes_that_cannot_be_read),
        cmocka_unit_test(test_long_values_lose_their_middle),
        cmocka_unit_test(test_literals_are_evident),
        cmocka_unit_test(test_sides),
        cmocka_unit_test(test_what_has_no_room_is_said_to_be_missing),
        cmocka_unit_test(test_words_of_a_test),
        cmocka_unit_test(test_regular_expressions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
