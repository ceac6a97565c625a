#include "runner/base/utf8.h"
#include "runner/journal/internal.h"

#define ELLIPSIS     "\xE2\x80\xA6"
#define ESCAPED_MOST 6 /* \u0000 */
#define DIGITS_MOST  20

/* Two lines per case are little but numbers: printf would take longer than the write. */
void line_number(struct buf *line, int64_t value)
{
    char digits[DIGITS_MOST];
    size_t at = sizeof digits;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while ((rest /= 10) > 0);
    if (value < 0)
        buf_addc(line, '-');
    buf_add(line, digits + at, sizeof digits - at);
}

static void add_key(struct buf *line, const char *key)
{
    LINE_ADD(line, ",\"");
    buf_adds(line, key);
    LINE_ADD(line, "\":");
}

void line_int(struct buf *line, const char *key, int64_t value)
{
    add_key(line, key);
    line_number(line, value);
}

void line_time(struct buf *line, const char *key, nanos value)
{
    line_int(line, key, value / NS_PER_US);
}

void line_flag(struct buf *line, const char *key, bool value)
{
    if (!value)
        return;
    add_key(line, key);
    LINE_ADD(line, "true");
}

void line_text(struct buf *line, const char *key, struct str text, size_t most)
{
    if (!text.len)
        return;
    add_key(line, key);
    line_quote(line, text, most);
}

/* Bytes that the character at the start of `text` takes between quotes; its own length in `length`. */
static size_t quoted_size(struct str text, size_t *length)
{
    unsigned char c = (unsigned char)text.ptr[0];

    *length = utf8_length(text);
    if (*length == 0) {
        *length = 1;
        return sizeof UTF8_REPLACEMENT - 1;
    }
    if (c < ' ')
        return ESCAPED_MOST;
    return c == '"' || c == '\\' ? 2 : *length;
}

/* As much of the beginning as takes at most `most` bytes between quotes. */
static struct str cut(struct str text, size_t most)
{
    size_t at = 0, size = 0, length;

    while (at < text.len) {
        size += quoted_size(str_slice(text, at, text.len), &length);
        if (size > most)
            break;
        at += length;
    }
    return str_slice(text, 0, at);
}

void line_quote(struct buf *line, struct str text, size_t most)
{
    struct str part;

    if (text.len <= most / ESCAPED_MOST) {
        json_quote(line, text);
        return;
    }
    part = cut(text, most);
    if (part.len < text.len)
        part = cut(text, most - (sizeof ELLIPSIS - 1));
    json_quote(line, part);
    if (part.len < text.len) {
        line->len--; /* the closing quote */
        LINE_ADD(line, ELLIPSIS "\"");
    }
}
