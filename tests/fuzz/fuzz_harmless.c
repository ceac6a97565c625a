/* Any line as a terminal may see it: no escape but colours, no control but tabs, and nothing changes the second time. */
#include "runner/base/harmless.h"
#include "runner/base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define RESET "\x1b[0m"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Where an SGR sequence that begins with this ESC ends. */
static size_t colour_end(struct str text, size_t at)
{
    if (at + 1 >= text.len || text.ptr[at + 1] != '[')
        abort();
    for (at += 2; at < text.len && strchr("0123456789;:", text.ptr[at]) && text.ptr[at];)
        at++;
    if (at >= text.len || text.ptr[at] != 'm')
        abort();
    return at + 1;
}

static void check_characters(struct str text, bool colour)
{
    size_t length;

    for (size_t at = 0; at < text.len; at += length) {
        uint32_t character;

        length = utf8_length(str_slice(text, at, text.len));
        if (!length)
            abort();
        character = utf8_decode(str_slice(text, at, text.len));
        if (character == '\x1b' && colour)
            length = colour_end(text, at) - at;
        else if (character != '\t' && (character < ' ' || (character >= 0x7F && character < 0xA0)))
            abort();
        else if (character >= 0x202A && character <= 0x202E)
            abort();
    }
}

/* After the last colour there is a reset. */
static void check_reset(struct str text)
{
    const char *last = text.len ? memrchr(text.ptr, '\x1b', text.len) : NULL;
    struct str rest;

    if (!last)
        return;
    rest = str_slice(text, (size_t)(last - text.ptr), text.len);
    if (!str_starts(rest, RESET) && !str_starts(rest, "\x1b[m"))
        abort();
}

static void check(struct str line, bool colour)
{
    struct buf once = {0}, twice = {0};

    text_harmless(&once, line, colour);
    check_characters(buf_str(&once), colour);
    check_reset(buf_str(&once));
    text_harmless(&twice, buf_str(&once), colour);
    if (!str_eq(buf_str(&once), buf_str(&twice)))
        abort();
    buf_release(&once);
    buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const struct str line = {(const char *)bytes, size};

    check(line, false);
    check(line, true);
    return 0;
}
