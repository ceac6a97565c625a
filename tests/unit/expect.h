/* What is asked of a text that was made. After <cmocka.h>. */
#ifndef TESTS_EXPECT_H
#define TESTS_EXPECT_H

#include "runner/base/buf.h"

#include <string.h>

static inline void expect(const struct buf *text, const char *fragment)
{
    if (!strstr(buf_text(text), fragment))
        fail_msg("no '%s' in:\n%s", fragment, buf_text(text));
}

static inline void expect_none(const struct buf *text, const char *fragment)
{
    if (strstr(buf_text(text), fragment))
        fail_msg("'%s' in:\n%s", fragment, buf_text(text));
}

/* Not by strstr: under a sanitizer that measures the whole text each time. */
static inline size_t occurrences(const struct buf *text, const char *fragment)
{
    size_t count = 0, length = strlen(fragment);

    for (size_t at = 0; at + length <= text->len; at++)
        count += memcmp(text->ptr + at, fragment, length) == 0;
    return count;
}

#endif
