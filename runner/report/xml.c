#include "runner/report/internal.h"

#include "runner/base/utf8.h"

static bool is_plain(unsigned char c)
{
    return c >= ' ' && c < 0x7F && c != '<' && c != '>' && c != '&' && c != '"';
}

/* The production Char of XML 1.0, less DEL and C1 controls, which are legal and discouraged. */
static bool is_char(uint32_t c)
{
    return (c >= ' ' && c < 0x7F) || (c >= 0xA0 && c != 0xFFFE && c != 0xFFFF);
}

static void add_ascii(struct buf *out, char c, bool attribute)
{
    switch (c) {
    case '<': buf_adds(out, "&lt;"); break;
    case '>': buf_adds(out, "&gt;"); break; /* never "]]>" */
    case '&': buf_adds(out, "&amp;"); break;
    case '"': buf_adds(out, attribute ? "&quot;" : "\""); break;
    case '\t': buf_adds(out, attribute ? "&#9;" : "\t"); break;
    case '\n': buf_adds(out, attribute ? "&#10;" : "\n"); break;
    case '\r': buf_adds(out, "&#13;"); break; /* raw it would be read as a newline */
    default: buf_adds(out, UTF8_REPLACEMENT); break;
    }
}

/* What stands at the beginning of `text` and is no plain ASCII; how many bytes it was. */
static size_t add_special(struct buf *out, struct str text, bool attribute)
{
    size_t length = utf8_length(text);

    if (length == 1)
        add_ascii(out, text.ptr[0], attribute);
    else if (length && is_char(utf8_decode(text)))
        buf_add(out, text.ptr, length);
    else
        buf_adds(out, UTF8_REPLACEMENT);
    return length ? length : 1;
}

static void add(struct buf *out, struct str text, bool attribute)
{
    for (size_t at = 0; at < text.len;) {
        size_t end = at;

        while (end < text.len && is_plain((unsigned char)text.ptr[end]))
            end++;
        buf_add(out, text.ptr + at, end - at);
        at = end;
        if (at < text.len)
            at += add_special(out, str_slice(text, at, text.len), attribute);
    }
}

void xml_text(struct buf *out, struct str text)
{
    add(out, text, false);
}

void xml_attribute(struct buf *out, const char *name, struct str value)
{
    buf_addf(out, " %s=\"", name);
    add(out, value, true);
    buf_addc(out, '"');
}
