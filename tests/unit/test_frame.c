/* Frames and fields: what was put in comes out, at every place it may be cut at, and nothing else does. */
#include "backends/links/links.h"
#include "runner/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In memory of its own length: a sanitizer sees who reads behind it. */
static struct str cut(const struct buf *text, size_t from, size_t to)
{
    char *copy = mem_alloc(to - from);

    memcpy(copy, buf_text(text) + from, to - from);
    return (struct str){copy, to - from};
}

static void give_back(struct str text)
{
    free((char *)(uintptr_t)text.ptr);
}

static enum frame_answer take(const struct buf *text, size_t len, size_t most, struct frame *frame,
                              size_t *used)
{
    struct str copy = cut(text, 0, len);
    enum frame_answer answer = frame_take(copy, most, frame, used);

    give_back(copy);
    return answer;
}

static void test_how_it_stands(void **state)
{
    static const char expected[] = "MX\1\7\x04\x03\x02\x01\x03\0\0\0abc";
    struct buf out = {0};

    (void)state;
    frame_add(&out, 7, 0x01020304, "abc", 3);
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.ptr, expected, out.len);
    buf_release(&out);
}

static void test_it_is_whole_or_goes_on(void **state)
{
    static const struct {
        unsigned kind;
        uint32_t number;
        size_t len;
    } rows[] = {{1, 0, 0}, {255, UINT32_MAX, 1}, {128, 0x80000000u, 255}, {2, 256, 256}, {9, 1, 1000}};
    char body[1000];

    (void)state;
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 7);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = {0};
        struct frame frame;
        size_t used;

        frame_add(&out, rows[i].kind, rows[i].number, body, rows[i].len);
        for (size_t len = 0; len < out.len; len++) {
            assert_int_equal(take(&out, len, rows[i].len, &frame, &used), FRAME_MORE);
            assert_int_equal(used, 0);
        }
        assert_int_equal(frame_take(buf_str(&out), rows[i].len, &frame, &used), FRAME_GOT);
        assert_int_equal(used, out.len);
        assert_int_equal(frame.kind, rows[i].kind);
        assert_int_equal(frame.number, rows[i].number);
        assert_int_equal(frame.body.len, rows[i].len);
        assert_memory_equal(frame.body.ptr, body, rows[i].len);
        buf_release(&out);
    }
}

static void test_one_after_another(void **state)
{
    struct buf out = {0};
    struct frame frame;
    struct str rest;
    size_t used;

    (void)state;
    for (unsigned kind = 1; kind <= 255; kind++)
        frame_add(&out, kind, kind * 1000, "01234567890", kind % 12);
    rest = buf_str(&out);
    for (unsigned kind = 1; kind <= 255; kind++) {
        assert_int_equal(frame_take(rest, 11, &frame, &used), FRAME_GOT);
        assert_int_equal(frame.kind, kind);
        assert_int_equal(frame.number, kind * 1000);
        assert_int_equal(frame.body.len, kind % 12);
        rest = str_slice(rest, used, rest.len);
    }
    assert_int_equal(rest.len, 0);
    assert_int_equal(frame_take(rest, 11, &frame, &used), FRAME_MORE);
    buf_release(&out);
}

/* Each is known as nonsense by the first byte that is wrong, and by none before. */
static void test_nonsense(void **state)
{
    static const struct {
        const char *what;
        struct str text;
        size_t known, version;
    } rows[] = {
        {"not ours", STR("GET / HTTP/1.1\r\n"), 1, 0},
        {"not ours from the second byte", STR("MZ\1\1\0\0\0\0\0\0\0\0"), 2, 0},
        {"an older one", STR("MX\0\1\0\0\0\0\0\0\0\0"), 3, 0},
        {"a newer one", STR("MX\2\1\0\0\0\0\0\0\0\0"), 3, 2},
        {"the newest", STR("MX\377\1\0\0\0\0\0\0\0\0"), 3, 255},
        {"no kind", STR("MX\1\0\0\0\0\0\0\0\0\0"), 4, 0},
        {"one too long", STR("MX\1\1\0\0\0\0\x65\0\0\0"), 12, 0},
        {"a length of all bits", STR("MX\1\1\0\0\0\0\377\377\377\377"), 12, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text = {0};
        struct frame frame;
        size_t used;

        buf_addstr(&text, rows[i].text);
        for (size_t len = 0; len <= text.len; len++) {
            enum frame_answer answer = take(&text, len, 100, &frame, &used);

            if (answer != (len < rows[i].known ? FRAME_MORE : FRAME_NONSENSE))
                fail_msg("%s: %d after %zu bytes", rows[i].what, answer, len);
            assert_int_equal(used, 0);
            assert_int_equal(frame.number, len < rows[i].known ? 0 : rows[i].version);
            assert_int_equal(frame.body.len, 0);
        }
        buf_release(&text);
    }
}

static void test_as_long_as_may_be(void **state)
{
    char *body = mem_zero(FRAME_BODY_MOST, 1);
    struct buf out = {0};
    struct frame frame;
    size_t used;

    (void)state;
    frame_add(&out, 1, 0, body, FRAME_BODY_MOST);
    assert_int_equal(frame_take(buf_str(&out), FRAME_BODY_MOST, &frame, &used), FRAME_GOT);
    assert_int_equal(frame.body.len, FRAME_BODY_MOST);
    assert_int_equal(frame_take(buf_str(&out), FRAME_BODY_MOST - 1, &frame, &used), FRAME_NONSENSE);
    assert_int_equal(frame_take(str_slice(buf_str(&out), 0, out.len - 1), FRAME_BODY_MOST, &frame, &used),
                     FRAME_MORE);
    buf_release(&out);
    free(body);
}

/* ---- fields ---- */

static const uint64_t numbers[] = {0,         1,         255, 256, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
                                   INT64_MAX, UINT64_MAX};

static void test_numbers_come_back(void **state)
{
    struct buf out = {0};
    struct str rest;
    uint64_t number;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        field_add_number(&out, numbers[i]);
    assert_int_equal(out.len, 8 * ARRAY_LEN(numbers));
    rest = buf_str(&out);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        assert_true(field_number(&rest, &number));
        assert_true(number == numbers[i]);
    }
    assert_int_equal(rest.len, 0);
    assert_false(field_number(&rest, &number));
    buf_release(&out);
}

static void test_texts_come_back(void **state)
{
    static const struct str texts[] = {STR(""), STR("a"), STR("with\0NUL"), STR("\xC3\xA9\xFF")};
    struct buf out = {0};
    struct str rest, text;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        field_add_text(&out, texts[i]);
    rest = buf_str(&out);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_true(field_text(&rest, &text));
        assert_true(str_eq(text, texts[i]));
    }
    assert_int_equal(rest.len, 0);
    assert_false(field_text(&rest, &text));
    buf_release(&out);
}

/* What is not there is not taken: the rest stays as it was. */
static void test_what_is_cut_off(void **state)
{
    struct buf out = {0};

    (void)state;
    field_add_text(&out, str_of("twelve bytes"));
    for (size_t len = 0; len < out.len; len++) {
        struct str whole = cut(&out, 0, len), rest = whole, text = {0};
        uint64_t number;

        assert_false(field_text(&rest, &text));
        assert_true(rest.ptr == whole.ptr && rest.len == len);
        assert_int_equal(text.len, 0);
        assert_int_equal(field_number(&rest, &number), len >= 8);
        give_back(whole);
    }
    buf_release(&out);
}

static void test_lengths_that_lie(void **state)
{
    static const uint64_t lengths[] = {4, 5, INT64_MAX, UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 11};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct buf out = {0};
        struct str rest, text;

        field_add_number(&out, lengths[i]);
        buf_adds(&out, "abc");
        rest = buf_str(&out);
        assert_false(field_text(&rest, &text));
        assert_int_equal(rest.len, out.len);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_it_stands),     cmocka_unit_test(test_it_is_whole_or_goes_on),
        cmocka_unit_test(test_one_after_another), cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_as_long_as_may_be), cmocka_unit_test(test_numbers_come_back),
        cmocka_unit_test(test_texts_come_back),   cmocka_unit_test(test_what_is_cut_off),
        cmocka_unit_test(test_lengths_that_lie),
    };

    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
