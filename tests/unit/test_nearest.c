#include "runner/base/mem.h"
#include "runner/base/nearest.h"

#include "fixtures/run_matrix.h"
#include <stdint.h>

static struct str word_at(const void *user, size_t i)
{
    const char *const *words = user;

    return str_of(words[i]);
}

struct row {
    const char *text;
    const char *words[4]; /* up to a NULL */
    size_t nearest;       /* SIZE_MAX: none */
};

PARAM(row, struct row, {"abc", {"abc"}, 0}, {"abc", {"xbc", "ABC", "abc"}, 1},
      {"abc", {"abd", "abx"}, 0}, /* the first of those equally near */
      {"abc", {"abxy", "abx"}, 1}, {"abc", {"bac"}, 0}, {"abcd", {"badc"}, 0}, /* two swaps */
      {"abcdef", {"xyzdef"}, 0}, {"abcdef", {"wxyzef"}, SIZE_MAX}, {"abcdef", {"abc"}, 0},
      {"abcdef", {"ab"}, SIZE_MAX}, {"abcdef", {"abcdefghi"}, 0}, {"abcdef", {"abcdefghij"}, SIZE_MAX},
      {"abcdefghi", {"bcdefghia"}, 0}, /* the first letter last: rows far off the end come near again */
      {"ab", {""}, SIZE_MAX}, {"a", {""}, 0}, {"", {"a"}, SIZE_MAX});

TEST(distance, WITH(row))
{
    size_t count = 0;

    while (row.words[count])
        count++;
    ASSERT_EQ(str_nearest_at(str_of(row.text), count, word_at, row.words), row.nearest);
}

TEST(says_what_was_meant)
{
    static const char *const words[] = {"timeout", "retries"};
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};

    ASSERT_EQ(did_you_mean(&diags, str_of("retrise"), 2, word_at, words), "; did you mean 'retries'?");
    ASSERT_EQ(did_you_mean(&diags, str_of("zzz"), 2, word_at, words), "");
    ASSERT_EQ(did_you_mean(&diags, str_of("timeout"), 0, word_at, words), "");
    arena_release(&arena);
}

TEST(stops_guessing)
{
    static const char *const words[] = {"timeout"};
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    unsigned guesses = 0;

    for (int i = 0; i < 1000; i++) {
        const char *guess = did_you_mean(&diags, str_of("timeuot"), 1, word_at, words);

        guesses += *guess != '\0';
        diag_error(&diags, (struct place){0}, "no%s", guess);
    }
    ASSERT_EQ(guesses, 20);
    arena_release(&arena);
}

static struct str last_is_right(const void *user, size_t i)
{
    const size_t *last = user;

    return str_of(i == *last ? "timeout" : "zzzzzzz");
}

TEST(stops_among_too_many)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    size_t last = 1999;

    ASSERT_EQ(did_you_mean(&diags, str_of("timeuot"), 100000, last_is_right, &last),
              "; did you mean 'timeout'?");
    last = 2000;
    ASSERT_EQ(did_you_mean(&diags, str_of("timeuot"), 100000, last_is_right, &last), "");
    arena_release(&arena);
}
