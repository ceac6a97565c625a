#include "matrix/select/select.h"
#include "runner/base/buf.h"

#include "fixtures/run_matrix.h"

struct row {
    const char *pattern, *text;
    bool matches;
};

PARAM(row, struct row, {"", "", true}, {"", "a", false}, {"a", "", false}, {"*", "", true},
      {"*", "a::b/c@d", true}, {"***", "", true}, {"a*", "a", true}, {"a*", "ba", false}, {"*a", "aaa", true},
      {"*ab*cd", "xabycabcd", true}, {"*ab*cd", "xabycabcdx", false}, {"a*b*c", "a-b-b-c", true},
      {"a*b*c", "acb", false}, {"?", "", false}, {"?", "x", true}, {"?", "xy", false},
      {"?", "\xc3\xa9", true}, {"??", "\xc3\xa9", false}, {"?", "\xff", true},
      {"?\xa9", "\xc3\xa9", false}, /* half a character is no character */
      {"\xff*", "\xff\xfe", true}, {"caf\xc3\xa9*", "caf\xc3\xa9s", true}, {"[abc]", "b", true},
      {"[abc]", "d", false}, {"[!abc]", "d", true}, {"[^abc]", "a", false}, {"[a-c]x", "bx", true},
      {"[a-c]x", "dx", false}, {"[c-a]", "b", false}, {"[a-]", "-", true}, {"[-a]", "-", true},
      {"[]]", "]", true}, {"[!]]", "]", false}, {"[]a]", "a", true}, {"[\\]]", "]", true},
      {"[\\!a]", "!", true}, {"[a\\-c]", "b", false}, {"[a\\-c]", "-", true},
      {"[\xc3\xa0-\xc3\xbf]", "\xc3\xa9", true}, {"[\xc3\xa0-\xc3\xbf]", "e", false}, {"[!a]", "\xff", true},
      {"[abc", "[abc", true}, /* not closed: no class */
      {"[", "[", true}, {"[]", "[]", true}, {"[!]", "[!]", true}, {"a]", "a]", true}, {"\\*", "*", true},
      {"\\*", "a", false}, {"\\[a]", "[a]", true}, {"\\\\", "\\", true}, {"\\", "\\", true},
      {"a\\", "a\\", true}, {"\\a", "a", true}, {"A", "a", false});

TEST(glob, WITH(row))
{
    ASSERT_EQ(glob_match(str_of(row.pattern), str_of(row.text)), row.matches, "'%s'", row.text);
}

TEST(a_nul_is_a_character)
{
    static const struct str text = STR("a\0b");

    ASSERT(glob_match((struct str)STR("a?b"), text));
    ASSERT(glob_match(text, text));
    ASSERT(!glob_match((struct str)STR("a"), text));
}

/* Exponential for a matcher that tries every star anew: this one is done at once, or the test never ends. */
TEST(stars_do_not_explode)
{
    struct buf pattern = {0}, text = {0};

    for (int i = 0; i < 2000; i++) {
        buf_adds(&pattern, "a*");
        buf_adds(&text, "aaa");
    }
    buf_addc(&pattern, 'b');
    EXPECT(!glob_match(buf_str(&pattern), buf_str(&text)));
    buf_addc(&text, 'b');
    EXPECT(glob_match(buf_str(&pattern), buf_str(&text)));
    buf_release(&pattern);
    buf_release(&text);
}
