#include "runner/base/mask.h"
#include "runner/base/mem.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct mask *mask_of(const char *const values[])
{
    struct mask *mask = mask_new();

    for (; *values; values++)
        mask_add(mask, str_of(*values));
    return mask;
}

/* Whole, and byte by byte. */
static void check(struct mask *mask, struct str text, const char *wanted)
{
    struct buf whole = {0}, pieces = {0};
    struct mask_stream stream = {0};

    mask_text(mask, text, &whole);
    if (!str_is(buf_str(&whole), wanted))
        fail_msg("'%.*s': '%s', not '%s'", STR_ARG(text), buf_text(&whole), wanted);
    for (size_t i = 0; i < text.len; i++)
        mask_feed(mask, &stream, str_slice(text, i, i + 1), &pieces);
    mask_end(&stream, &pieces);
    if (!strstr(text.ptr, "\xE2\x80\xA6") && !str_is(buf_str(&pieces), wanted))
        fail_msg("'%.*s' in pieces: '%s', not '%s'", STR_ARG(text), buf_text(&pieces), wanted);
    buf_release(&whole);
    buf_release(&pieces);
}

/* ---- texts ---- */

static void test_texts(void **state)
{
    static const char *const values[] = {"secret",   "secretary",   "retarded",  "abab", "two\nlines",
                                         "it's one", "x\x1by\xFFz", "a&b<c>\"d", NULL};
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"", ""},
        {"nothing to hide", "nothing to hide"},
        {"a secret, told", "a ***, told"},
        {"{\"Output\":\"a\\u0026b\\u003cc\\u003e\\\"d\"}", "{\"Output\":\"***\"}"},
        {"{\"Output\":\"a&b<c>\\\"d\"}", "{\"Output\":\"***\"}"},
        {"<x y=\"a&amp;b&lt;c&gt;&quot;d\"/>", "<x y=\"***\"/>"},
        {"secret", "***"},
        {"secretsecret", "***"},
        {"secre", "secre"},
        {"the secretary", "the ***"}, /* the longest */
        {"secretar", "***ar"},
        {"secretarded", "***"}, /* two that overlap */
        {"ababab-abab", "***-***"},
        {"lines of two", "*** of two"}, /* by line, but not those that are too short */
        {"a@x=it%27s%20one,y=1", "a@x=***,y=1"},
        {"sh -c 'it'\\''s one'", "sh -c '***'"},
        {"$'x\\x1by\\xffz'", "$'***'"},
        {"cut secr\xE2\x80\xA6", "cut ***\xE2\x80\xA6"},
        {"cut 'secre' \xE2\x80\xA6 (pid 3)", "cut '***' \xE2\x80\xA6 (pid 3)"},
        {"cut sec\xE2\x80\xA6", "cut sec\xE2\x80\xA6"},
        {"secr \xE2\x80\xA6 et secret", "*** \xE2\x80\xA6 et ***"},
    };
    struct mask *mask = mask_of(values);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(mask, str_of(rows[i].text), rows[i].wanted);
    mask_free(mask);
}

static void test_what_is_too_short(void **state)
{
    struct mask *mask = mask_new();

    (void)state;
    assert_false(mask_add(mask, str_of("")));
    assert_false(mask_add(mask, str_of("abc")));
    assert_false(mask_add(mask, str_of("{\n}\n  ab  \n")));
    assert_true(mask_is_empty(mask));
    check(mask, str_of("abc"), "abc");
    assert_true(mask_add(mask, str_of("{\r\n  abcd\r\n}")));
    check(mask, str_of("{abcd}"), "{***}");
    assert_int_equal(mask_longest(mask), 4);
    mask_free(mask);
}

static void test_none(void **state)
{
    struct arena arena = {0};
    const struct str text = str_of("secret");

    (void)state;
    assert_true(mask_is_empty(NULL));
    check(NULL, text, "secret");
    assert_ptr_equal(mask_in(NULL, &arena, text).ptr, text.ptr);
    arena_release(&arena);
}

static void test_in(void **state)
{
    struct arena arena = {0};
    struct mask *mask = mask_of((const char *const[]){"secret", NULL});
    const struct str text = str_of("nothing");

    (void)state;
    assert_ptr_equal(mask_in(mask, &arena, text).ptr, text.ptr);
    assert_string_equal(mask_in(mask, &arena, str_of("a secret")).ptr, "a ***");
    mask_free(mask);
    arena_release(&arena);
}

/* What is held back is told as soon as it cannot be the beginning of a word any more; words come while a text goes on. */
static void test_held_back(void **state)
{
    struct mask *mask = mask_of((const char *const[]){"secret", NULL});
    struct mask_stream stream = {0};
    struct buf out = {0};

    (void)state;
    mask_feed(mask, &stream, str_of("a sec"), &out);
    assert_string_equal(buf_text(&out), "a ");
    mask_add(mask, str_of("second"));
    mask_feed(mask, &stream, str_of("on"), &out);
    assert_string_equal(buf_text(&out), "a ");
    mask_feed(mask, &stream, str_of("d, or sec\n"), &out);
    assert_string_equal(buf_text(&out), "a ***, or sec\n");
    assert_true(stream.found);
    mask_end(&stream, &out);
    assert_string_equal(buf_text(&out), "a ***, or sec\n");
    mask_free(mask);
    buf_release(&out);
}

/* ---- beside the plain way to do it ---- */

#define ROUNDS    4000
#define WORDS     6
#define WORD_MOST 9
#define TEXT_LONG 60

static void fill(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = "ab"[rand() % 2];
    out[len] = '\0';
}

static void mask_plainly(char words[WORDS][WORD_MOST + 1], const char *text, struct buf *out)
{
    bool hidden[TEXT_LONG] = {false};

    for (int w = 0; w < WORDS; w++)
        for (const char *at = text; (at = strstr(at, words[w])); at++)
            memset(hidden + (at - text), true, strlen(words[w]));
    for (size_t i = 0; i < TEXT_LONG; i++)
        if (!hidden[i])
            buf_addc(out, text[i]);
        else if (i == 0 || !hidden[i - 1])
            buf_adds(out, MASK_SHOWN);
}

static void test_random_texts(void **state)
{
    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        char words[WORDS][WORD_MOST + 1], text[TEXT_LONG + 1];
        struct mask *mask = mask_new();
        struct mask_stream stream = {0};
        struct buf wanted = {0}, out = {0};

        for (int w = 0; w < WORDS; w++) {
            fill(words[w], MASK_LEAST + (size_t)rand() % (WORD_MOST - MASK_LEAST + 1));
            mask_add(mask, str_of(words[w]));
        }
        fill(text, TEXT_LONG);
        mask_plainly(words, text, &wanted);
        for (size_t at = 0, len; at < TEXT_LONG; at += len) {
            len = 1 + (size_t)rand() % (TEXT_LONG - at);
            mask_feed(mask, &stream, (struct str){text + at, len}, &out);
            assert_true(stream.held.len <= mask_longest(mask));
        }
        mask_end(&stream, &out);
        assert_string_equal(buf_text(&out), buf_text(&wanted));
        mask_free(mask);
        buf_release(&wanted);
        buf_release(&out);
    }
}

/* ---- the end of a text ---- */

/* No word reaches over the place where it begins, in a text of which the beginning was not there either. */
static void test_known(void **state)
{
    (void)state;
    srand(2);
    for (int round = 0; round < ROUNDS; round++) {
        char words[WORDS][WORD_MOST + 1], text[TEXT_LONG + 1];
        struct mask *mask = mask_new();
        size_t from = (size_t)rand() % TEXT_LONG;
        const char *known;

        for (int w = 0; w < WORDS; w++) {
            fill(words[w], MASK_LEAST + (size_t)rand() % (WORD_MOST - MASK_LEAST + 1));
            mask_add(mask, str_of(words[w]));
        }
        fill(text, TEXT_LONG);
        known = mask_known(mask, str_of(text + from)).ptr;
        assert_true(known - text >= (ptrdiff_t)from);
        for (int w = 0; w < WORDS; w++)
            for (const char *at = text; (at = strstr(at, words[w])); at++)
                assert_true(known <= at || known >= at + strlen(words[w]));
        mask_free(mask);
    }
}

static void test_known_is_most_of_it(void **state)
{
    struct mask *mask = mask_new();

    (void)state;
    assert_string_equal(mask_known(mask, str_of("all of it")).ptr, "all of it");
    mask_add(mask, str_of("secret"));
    assert_string_equal(mask_known(mask, str_of("ret and what follows")).ptr, "d what follows");
    assert_string_equal(mask_known(mask, str_of("ret secret follows")).ptr, "follows");
    assert_int_equal(mask_known(mask, str_of("cret")).len, 0);
    mask_free(mask);
}

/* ---- much of it ---- */

#define MANY  100
#define LONG  1000
#define FLOOD ((size_t)8 << 20)

/* The worst there is: text that is always the beginning of long words, and words all over it. It is one pass still. */
static void test_flood(void **state)
{
    struct mask *mask = mask_new();
    char *text = mem_alloc(FLOOD + 1), word[LONG + MANY + 1];
    struct mask_stream stream = {0};
    struct buf out = {0};

    (void)state;
    memset(word, 'a', sizeof word);
    for (size_t i = 0; i < MANY; i++)
        mask_add(mask, (struct str){word, LONG + i});
    memset(text, 'a', FLOOD);
    for (size_t at = LONG / 2; at < FLOOD; at += LONG / 2)
        text[at] = 'b'; /* never as long as a word */
    for (size_t at = 0; at < FLOOD; at += 4096)
        mask_feed(mask, &stream, (struct str){text + at, 4096}, &out);
    mask_end(&stream, &out);
    assert_int_equal(out.len, FLOOD);
    buf_clear(&out);
    memset(text, 'a', FLOOD);
    for (size_t at = 0; at < FLOOD; at += 4096)
        mask_feed(mask, &stream, (struct str){text + at, 4096}, &out);
    mask_end(&stream, &out);
    assert_string_equal(buf_text(&out), MASK_SHOWN);
    mask_free(mask);
    buf_release(&out);
    free(text);
}

#define MANY_WORDS 500

struct crowd {
    struct mask *mask;
    pthread_barrier_t gate;
};

static void *hides(void *user)
{
    struct crowd *crowd = user;
    struct buf out = {0};

    pthread_barrier_wait(&crowd->gate);
    for (int i = 0; i < MANY_WORDS; i++) {
        buf_clear(&out);
        mask_text(crowd->mask, str_of("it is hidden0 here"), &out);
        if (!str_is(buf_str(&out), "it is *** here"))
            break;
    }
    pthread_barrier_wait(&crowd->gate);
    if (!str_is(buf_str(&out), "it is *** here"))
        user = NULL;
    buf_release(&out);
    return user;
}

/* Words are added while others hide what they have. */
static void test_threads(void **state)
{
    struct crowd crowd = {.mask = mask_new()};
    pthread_t threads[2];
    char word[24];
    void *good;

    (void)state;
    mask_add(crowd.mask, str_of("hidden0"));
    assert_int_equal(pthread_barrier_init(&crowd.gate, NULL, 3), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hides, &crowd), 0);
    pthread_barrier_wait(&crowd.gate);
    for (int i = 1; i < WORDS; i++) {
        snprintf(word, sizeof word, "%dhidden", i);
        mask_add(crowd.mask, str_of(word));
    }
    pthread_barrier_wait(&crowd.gate);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], &good), 0);
        assert_non_null(good);
    }
    pthread_barrier_destroy(&crowd.gate);
    mask_free(crowd.mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_what_is_too_short),
        cmocka_unit_test(test_none),      cmocka_unit_test(test_in),
        cmocka_unit_test(test_held_back), cmocka_unit_test(test_random_texts),
        cmocka_unit_test(test_flood),     cmocka_unit_test(test_threads),
        cmocka_unit_test(test_known),     cmocka_unit_test(test_known_is_most_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
