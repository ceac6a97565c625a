#include "runner/results/junit.h"

#include "runner/base/utf8.h"

#include <string.h>

/* The encoding that the first line declares; empty: none. */
static struct str declared(struct str text)
{
    struct str value;
    size_t end, at;

    if (!str_starts(text, "<?xml") || !str_find(text, "?>", &end))
        return (struct str){0};
    value = str_slice(text, 0, end);
    if (!str_find(value, "encoding", &at))
        return (struct str){0};
    value = str_trim(str_slice(value, at + 8, value.len));
    if (!value.len || value.ptr[0] != '=')
        return (struct str){0};
    value = str_trim(str_slice(value, 1, value.len));
    return value.len > 2 ? str_slice(value, 1, value.len - 1) : value;
}

static bool begins_with(struct str encoding, const char *word)
{
    size_t len = strlen(word);

    return encoding.len >= len && str_eq_nocase(str_slice(encoding, 0, len), str_of(word));
}

static void begin(struct junit_filter *filter, struct str text)
{
    struct str encoding = declared(text);
    bool wide = str_starts(text, "\xFE\xFF") || str_starts(text, "\xFF\xFE") ||
                (text.len > 1 && (!text.ptr[0] || !text.ptr[1]));

    filter->begun = true;
    filter->line = 1;
    filter->col = 1;
    filter->raw = wide;
    filter->bytes = encoding.len && !begins_with(encoding, "utf") && !begins_with(encoding, "us-ascii");
}

static void replace(struct junit_filter *filter, char *byte)
{
    if (!filter->replaced++) {
        filter->first_line = filter->line;
        filter->first_col = filter->col;
        filter->first = (unsigned char)*byte;
    }
    *byte = '?';
}

static bool is_forbidden(unsigned char c)
{
    return c < ' ' && c != '\t' && c != '\n' && c != '\r';
}

/* U+FFFE and U+FFFF are UTF-8, and no characters of XML. */
static bool is_no_character(const char *bytes, size_t len)
{
    return len == 3 && memcmp(bytes, "\xEF\xBF", 2) == 0 && (unsigned char)bytes[2] >= 0xBE;
}

/* A character that the next bytes may complete. */
static bool may_go_on(struct str rest)
{
    unsigned char first = (unsigned char)rest.ptr[0];
    size_t needs = first >= 0xF0 && first < 0xF5 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 1;

    if (first >= 0xF5 || rest.len >= needs)
        return false;
    for (size_t i = 1; i < rest.len; i++)
        if (((unsigned char)rest.ptr[i] & 0xC0) != 0x80)
            return false;
    return true;
}

size_t junit_filter(struct junit_filter *filter, char *bytes, size_t len, bool last)
{
    size_t at = 0, length;

    if (!filter->begun)
        begin(filter, (struct str){bytes, len});
    if (filter->raw)
        return len;
    while (at < len) {
        struct str rest = {bytes + at, len - at};

        length = filter->bytes ? 1 : utf8_length(rest);
        if (!length && !last && may_go_on(rest))
            break;
        if (!length || is_forbidden((unsigned char)bytes[at]))
            replace(filter, bytes + at);
        else if (is_no_character(bytes + at, length))
            for (size_t i = 0; i < length; i++)
                replace(filter, bytes + at + i);
        filter->col += length ? length : 1;
        if (bytes[at] == '\n') {
            filter->line++;
            filter->col = 1;
        }
        at += length ? length : 1;
    }
    return at;
}
