#include "runner/base/utf8.h"

#include <string.h>

struct shape {
    unsigned char first_low, first_high;   /* range of the first byte */
    unsigned char second_low, second_high; /* of the second: keeps out what is over-long, and surrogates */
    unsigned char length;
};

/* Table 3-7 of the Unicode standard. */
static const struct shape shapes[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static bool within(unsigned char byte, unsigned char low, unsigned char high)
{
    return byte >= low && byte <= high;
}

static const struct shape *shape_of(unsigned char first)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (within(first, shapes[i].first_low, shapes[i].first_high))
            return &shapes[i];
    return NULL;
}

size_t utf8_length(struct str text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    const struct shape *shape = text.len ? shape_of(bytes[0]) : NULL;

    if (!shape || text.len < shape->length)
        return 0;
    if (shape->length > 1 && !within(bytes[1], shape->second_low, shape->second_high))
        return 0;
    for (size_t i = 2; i < shape->length; i++)
        if (!within(bytes[i], 0x80, 0xBF))
            return 0;
    return shape->length;
}

uint32_t utf8_decode(struct str text)
{
    static const unsigned char first_mask[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t length = utf8_length(text);
    uint32_t character = bytes[0] & first_mask[length];

    for (size_t i = 1; i < length; i++)
        character = character << 6 | (bytes[i] & 0x3F);
    return character;
}

size_t utf8_encode(uint32_t character, char out[4])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xC0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character > 0x10FFFF || (character >= 0xD800 && character <= 0xDFFF)) {
        memcpy(out, UTF8_REPLACEMENT, 3);
        return 3;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xE0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3F));
        out[2] = (char)(0x80 | (character & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3F));
    out[2] = (char)(0x80 | (character >> 6 & 0x3F));
    out[3] = (char)(0x80 | (character & 0x3F));
    return 4;
}

size_t utf8_count(struct str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; count++) {
        size_t length = utf8_length(str_slice(text, i, text.len));

        i += length ? length : 1;
    }
    return count;
}

size_t utf8_valid_until(struct str text)
{
    size_t at = 0, length;

    while ((length = utf8_length(str_slice(text, at, text.len))) > 0)
        at += length;
    return at;
}

struct str utf8_cut(struct str text, size_t most)
{
    if (text.len <= most)
        return text;
    while (most > 0 && ((unsigned char)text.ptr[most] & 0xC0) == 0x80)
        most--;
    return str_slice(text, 0, most);
}

static bool is_control(uint32_t c)
{
    return c < ' ' || (c >= 0x7F && c < 0xA0) || c == 0x061C || c == 0x200E || c == 0x200F ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF || c == 0xFFFE ||
           c == 0xFFFF;
}

static void add_escape(struct buf *out, uint32_t c)
{
    switch (c) {
    case '\n': buf_adds(out, "\\n"); break;
    case '\r': buf_adds(out, "\\r"); break;
    case '\t': buf_adds(out, "\\t"); break;
    default: buf_addf(out, c < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)c); break;
    }
}

void utf8_show(struct buf *out, struct str text)
{
    size_t length;

    for (size_t at = 0; at < text.len; at += length) {
        struct str rest = str_slice(text, at, text.len);

        length = utf8_length(rest);
        if (!length) {
            buf_addf(out, "\\x%02x", (unsigned char)rest.ptr[0]);
            length = 1;
        } else if (is_control(utf8_decode(rest)))
            add_escape(out, utf8_decode(rest));
        else
            buf_add(out, rest.ptr, length);
    }
}
