#include "runner/base/id.h"

static bool stands_in_id(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':' || c == '/' || c == '+' || c == '-';
}

void id_escape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (stands_in_id(c))
            buf_addc(out, text.ptr[i]);
        else
            buf_addf(out, "%%%02X", c);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void id_unescape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = text.len - i > 2 ? hex_digit(text.ptr[i + 1]) : -1;
        int low = text.len - i > 2 ? hex_digit(text.ptr[i + 2]) : -1;

        if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
            buf_addc(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_addc(out, text.ptr[i]);
        }
    }
}
