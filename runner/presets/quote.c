/* Names of tests in the languages that other people's runners choose by. */
#include "runner/presets/internal.h"

#include <string.h>

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What is special is taken as it is after a backslash. */
static void add_escaped(struct buf *out, struct str name, const char *special)
{
    for (size_t i = 0; i < name.len; i++) {
        if (strchr(special, name.ptr[i]))
            buf_addc(out, '\\');
        buf_addc(out, name.ptr[i]);
    }
}

/* No other bytes than those of words, and those that are named. */
static bool add_plain(struct buf *out, struct str name, const char *too)
{
    for (size_t i = 0; i < name.len; i++)
        if (!is_word(name.ptr[i]) && !strchr(too, name.ptr[i]))
            return false;
    buf_addstr(out, name);
    return name.len > 0;
}

/* ':', '*', '?' and '-' mean something and cannot be escaped; nothing that a C++ name can be holds any. */
bool quote_gtest(struct buf *out, struct str name)
{
    return add_plain(out, name, "./");
}

bool quote_cmake(struct buf *out, struct str name)
{
    add_escaped(out, name, "^$.[]*+?()|\\-");
    return true;
}

/* A slash would begin the expression for a test inside. */
bool quote_go(struct buf *out, struct str name)
{
    struct str package, test;

    if (!split_name(name, &package, &test))
        return false;
    for (size_t i = 0; i < test.len; i++)
        if (test.ptr[i] == '/')
            test.len = i;
    add_escaped(out, test, "\\.+*?()|[]{}^$");
    return true;
}

/* bats looks at the name as it stands in the file, before bash has read it. */
bool quote_bats(struct buf *out, struct str name)
{
    struct str file, test;

    if (!split_name(name, &file, &test))
        return false;
    add_escaped(out, test, "\\.+*?()|[]{}^$");
    return true;
}

bool quote_criterion(struct buf *out, struct str name)
{
    return add_plain(out, name, "/");
}

bool quote_make(struct buf *out, struct str name)
{
    return add_plain(out, name, "./+-,@:%");
}

void quote_shell(struct buf *out, struct str word)
{
    struct buf plain = {0};

    if (add_plain(&plain, word, "./+-,@:%=")) {
        buf_addstr(out, word);
    } else {
        buf_addc(out, '\'');
        for (size_t i = 0; i < word.len; i++)
            if (word.ptr[i] == '\'')
                buf_adds(out, "'\\''");
            else
                buf_addc(out, word.ptr[i]);
        buf_addc(out, '\'');
    }
    buf_release(&plain);
}
