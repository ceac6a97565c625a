#include "runner/results/tap.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NUMBER_MOST UINT32_MAX

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct str skip_blanks(struct str text)
{
    while (text.len && is_blank(text.ptr[0]))
        text = str_slice(text, 1, text.len);
    return text;
}

static bool starts_nocase(struct str text, const char *word)
{
    size_t len = strlen(word);

    return text.len >= len && strncasecmp(text.ptr, word, len) == 0;
}

/* Takes the digits off the beginning. */
static struct str take_digits(struct str *text)
{
    size_t len = 0;

    while (len < text->len && isdigit((unsigned char)text->ptr[len]))
        len++;
    struct str digits = str_slice(*text, 0, len);
    *text = str_slice(*text, len, text->len);
    return digits;
}

/* ---- directives ---- */

static size_t word_length(struct str text)
{
    size_t len = 0;

    while (len < text.len && isalpha((unsigned char)text.ptr[len]))
        len++;
    return len;
}

static bool word_is(struct str text, size_t len, const char *word)
{
    return str_eq_nocase(str_slice(text, 0, len), str_of(word));
}

/* What follows a '#': "SKIP reason", "skipped: reason", "todo", "time=12ms", "in 12 ms" (bats). */
static bool read_directive(struct str text, struct tap_line *out)
{
    size_t len;

    text = skip_blanks(text);
    len = word_length(text);
    if (word_is(text, len, "skip") || word_is(text, len, "skipped") || word_is(text, len, "skipping"))
        out->directive = TAP_SKIP;
    else if (word_is(text, len, "todo"))
        out->directive = TAP_TODO;
    else if (word_is(text, len, "time") || word_is(text, len, "in")) {
        text = skip_blanks(str_slice(text, len, text.len));
        out->duration =
            text_duration(text.len && text.ptr[0] == '=' ? str_slice(text, 1, text.len) : text, NS_PER_S);
        return out->duration >= 0;
    } else
        return false;
    text = str_slice(text, len, text.len);
    if (text.len && text.ptr[0] == ':')
        text = str_slice(text, 1, text.len);
    out->reason = str_trim(text);
    return true;
}

/*
 * The first '#' that is not escaped, stands at a word's beginning and is followed by a directive ends the description;
 * any other is part of it, since bats and others do not escape theirs.
 */
static void split_directive(struct tap_line *out)
{
    struct str text = out->text;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len)
            i++;
        else if (text.ptr[i] == '#' && (i == 0 || is_blank(text.ptr[i - 1])) &&
                 read_directive(str_slice(text, i + 1, text.len), out)) {
            out->text = str_slice(text, 0, i);
            return;
        }
    }
}

/* Criterion ends its descriptions with "(0.51s)": no part of a name that is to be found again. */
static void split_duration(struct tap_line *out)
{
    struct str text = str_trim(out->text);
    size_t open = text.len;
    nanos duration;

    if (text.len < 4 || !str_ends(text, "s)"))
        return;
    while (open && text.ptr[open - 1] != '(')
        open--;
    if (open < 2 || text.ptr[open - 2] != ' ' || !isdigit((unsigned char)text.ptr[open]))
        return;
    duration = text_duration(str_slice(text, open, text.len - 1), NS_PER_S);
    if (duration < 0)
        return;
    out->duration = duration;
    out->text = str_slice(text, 0, open - 1);
}

void tap_unescape(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool escape = text.ptr[i] == '\\' && i + 1 < text.len;

        if (escape && (text.ptr[i + 1] == '#' || text.ptr[i + 1] == '\\'))
            i++;
        buf_addc(out, text.ptr[i]);
    }
}

/* ---- kinds of lines ---- */

/* "ok" or "not ok" must end there: "okay" is noise. */
static bool read_point(struct str text, struct tap_line *out)
{
    struct str digits, rest;

    out->ok = !str_starts(text, "not ");
    if (!out->ok)
        text = skip_blanks(str_slice(text, 4, text.len));
    if (!str_starts(text, "ok") || (text.len > 2 && !is_blank(text.ptr[2])))
        return false;
    rest = text = skip_blanks(str_slice(text, 2, text.len));
    digits = take_digits(&rest);
    if (digits.len && (!rest.len || is_blank(rest.ptr[0]))) {
        text_number(digits, NUMBER_MOST, &out->number);
        text = skip_blanks(rest);
    }
    if (text.len && text.ptr[0] == '-' && (text.len == 1 || is_blank(text.ptr[1])))
        text = str_slice(text, 1, text.len);
    out->text = skip_blanks(text);
    split_directive(out);
    split_duration(out);
    out->text = str_trim(out->text);
    return true;
}

static bool read_plan(struct str text, struct tap_line *out)
{
    struct str digits;

    if (!str_starts(text, "1.."))
        return false;
    text = str_slice(text, 3, text.len);
    digits = take_digits(&text);
    text = skip_blanks(text);
    if (!text_number(digits, NUMBER_MOST, &out->number) || (text.len && text.ptr[0] != '#'))
        return false;
    if (text.len)
        read_directive(str_slice(text, 1, text.len), out);
    return true;
}

static bool read_version(struct str text, struct tap_line *out)
{
    if (!starts_nocase(text, "TAP version "))
        return false;
    return text_number(str_trim(str_slice(text, 12, text.len)), NUMBER_MOST, &out->number);
}

static bool read_comment(struct str text, struct tap_line *out)
{
    if (text.ptr[0] != '#')
        return false;
    text = str_slice(text, 1, text.len);
    if (text.len && text.ptr[0] == ' ')
        text = str_slice(text, 1, text.len);
    out->kind = starts_nocase(text, "Subtest:") ? TAP_SUBTEST : TAP_COMMENT;
    out->text = out->kind == TAP_SUBTEST ? str_trim(str_slice(text, 8, text.len)) : text;
    return true;
}

static enum tap_kind kind_of(struct str text, struct tap_line *out)
{
    if (read_point(text, out))
        return TAP_POINT;
    if (read_plan(text, out))
        return TAP_PLAN;
    if (read_comment(text, out))
        return out->kind;
    if (read_version(text, out))
        return TAP_VERSION;
    if (starts_nocase(text, "Bail out!")) {
        out->reason = str_trim(str_slice(text, 9, text.len));
        return TAP_BAIL;
    }
    if (str_starts(text, "pragma ")) {
        out->text = str_slice(text, 7, text.len);
        return TAP_PRAGMA;
    }
    return str_is(str_trim(text), "---") ? TAP_YAML : TAP_NOISE;
}

void tap_line_read(struct str line, struct tap_line *out)
{
    *out = (struct tap_line){.duration = -1};
    while (out->indent < line.len && line.ptr[out->indent] == ' ')
        out->indent++;
    line = str_slice(line, out->indent, line.len);
    if (line.len)
        out->kind = kind_of(line, out);
}
