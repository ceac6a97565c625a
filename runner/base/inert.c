#include "runner/base/inert.h"

#include "runner/base/utf8.h"

#include <ctype.h>
#include <string.h>

#define NO_WIDTH "\xE2\x80\x8B" /* U+200B: neither white space nor a digit to anybody's expressions */
#define TAIL     sizeof((struct inert *)0)->tail
#define ESC      '\x1b'

static void remember(struct inert *state, char c)
{
    memmove(state->tail, state->tail + 1, TAIL - 1);
    state->tail[TAIL - 1] = c;
}

static char last_of(const struct inert *state)
{
    return state->tail[TAIL - 1];
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "line 12", "Line: 12", "col 3" */
static bool follows_word(const struct inert *state)
{
    static const char *const words[] = {"line", "col", "column"};
    size_t end = TAIL;

    if (!is_blank(last_of(state)))
        return false;
    while (end > 0 && (is_blank(state->tail[end - 1]) || state->tail[end - 1] == ':'))
        end--;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t len = strlen(words[i]);

        if (end >= len && str_eq_nocase((struct str){state->tail + end - len, len}, str_of(words[i])))
            return true;
    }
    return false;
}

/* Digits of other scripts are digits to the expressions, and nobody needs to know which. */
static bool begins_number(const struct inert *state, unsigned char c)
{
    bool digit = isdigit(c);

    if (!digit && c < 0xC0)
        return false;
    if (last_of(state) && strchr(":([,", last_of(state)))
        return true;
    return digit && follows_word(state);
}

/* "./main.go: ..." is a place to the matcher of Go, with a number or without. */
static bool ends_go_file(const struct inert *state, char c)
{
    return c == ':' && memcmp(state->tail + TAIL - 3, ".go", 3) == 0;
}

/* ---- what is written in its place ---- */

/* "\\u0031", "&#x31;"; beyond what four digits say, JSON wants two of them. */
static void add_coded(enum inert_form form, uint32_t c, struct buf *out)
{
    if (form == INERT_XML)
        buf_addf(out, "&#x%x;", (unsigned)c);
    else if (c < 0x10000)
        buf_addf(out, "\\u%04x", (unsigned)c);
    else
        buf_addf(out, "\\u%04x\\u%04x", (unsigned)(0xD800 + ((c - 0x10000) >> 10)),
                 (unsigned)(0xDC00 + (c & 0x3FF)));
}

/* Between strings of JSON there is nothing of others', and behind a backslash something else is meant. */
static bool may_change(const struct inert *state)
{
    return state->form != INERT_JSON || (state->quoted && !state->escaped);
}

static void follow_string(struct inert *state, char c)
{
    if (c == '"' && !state->escaped)
        state->quoted = !state->quoted;
    state->escaped = state->quoted && c == '\\' && !state->escaped;
}

/* ---- all of it ---- */

static void add_changed(const struct inert *state, char c, bool parted, bool apart, struct buf *out)
{
    if (state->form != INERT_TEXT && (parted || apart)) {
        add_coded(state->form, (unsigned char)c, out);
        return;
    }
    buf_adds(out, parted ? " " : "");
    buf_adds(out, apart ? NO_WIDTH : "");
    buf_addc(out, c);
}

/* What is seen; control characters and what is not ASCII may be white space, or nothing, to who reads the line. */
static void add_seen(struct inert *state, char c, struct buf *out)
{
    bool first = !state->begun, change = may_change(state);
    bool parted = change && ((state->colon && c == ':') || (state->hashes == 2 && c == '['));
    bool apart = change && (begins_number(state, (unsigned char)c) || ends_go_file(state, c));

    add_changed(state, c, parted, apart, out);
    if (state->form == INERT_JSON)
        follow_string(state, c);
    state->begun = true;
    state->colon = first && c == ':';
    state->hashes = c != '#' ? 0 : state->hashes < 2 ? state->hashes + 1 : 2;
    remember(state, c);
}

/* A character that is not ASCII where a number would begin; how many bytes it has. */
static size_t add_strange(const struct inert *state, struct str text, struct buf *out)
{
    size_t length = utf8_length(text);

    if (state->form == INERT_TEXT)
        buf_adds(out, NO_WIDTH);
    if (state->form == INERT_TEXT || length < 2) {
        buf_addc(out, text.ptr[0]);
        return 1;
    }
    add_coded(state->form, utf8_decode(text), out);
    return length;
}

static void add_unseen(struct inert *state, char c, struct buf *out)
{
    if (c == '\n' || c == '\r')
        *state = (struct inert){.form = state->form, .quoted = state->quoted};
    else if (is_blank(c))
        remember(state, c);
    if (is_blank(c)) {
        state->hashes = 0;
        state->colon = false;
    }
    state->escaped = false;
    buf_addc(out, c);
}

/* ---- colours ---- */

static enum inert_colour colour_after(enum inert_colour before, char c)
{
    bool begun = before == INERT_BEGUN || before == INERT_NUMBER;

    if (c == ESC)
        return INERT_ESCAPE;
    if (before == INERT_ESCAPE && c == '[')
        return INERT_BEGUN;
    if (begun && (c == ';' || isdigit((unsigned char)c)))
        return INERT_NUMBER;
    return begun && c == 'm' ? INERT_ENDED : INERT_PLAIN;
}

/*
 * What belongs to a colour is not seen. To some who look for "##[" no ESC stands before its bracket either; and what has turned out
 * to be none, "ESC [ 12 ]", is no number to who looks for "[12]". False: `c` is seen.
 */
static bool add_colour(struct inert *state, char c, struct buf *out)
{
    enum inert_colour before = state->colour;

    state->colour = state->form == INERT_TEXT ? colour_after(before, c) : INERT_PLAIN;
    if (state->colour == INERT_ESCAPE && state->hashes == 2) {
        buf_addc(out, ' ');
        state->hashes = 0;
    }
    if (state->colour == INERT_PLAIN && before == INERT_NUMBER && !isalpha((unsigned char)c))
        buf_adds(out, NO_WIDTH);
    if (state->colour != INERT_PLAIN)
        buf_addc(out, c);
    return state->colour != INERT_PLAIN;
}

void inert_add(struct inert *state, struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (add_colour(state, (char)c, out))
            continue;
        if (c > ' ' && c < 0x7F)
            add_seen(state, (char)c, out);
        else if (!is_blank((char)c) && c != '\n' && c != '\r' && may_change(state) && begins_number(state, c))
            i += add_strange(state, str_slice(text, i, text.len), out) - 1;
        else
            add_unseen(state, (char)c, out);
    }
}

void inert_print(struct str lines, bool inert, FILE *out)
{
    struct buf changed = {0};

    if (inert) {
        inert_add(&(struct inert){0}, lines, &changed);
        lines = buf_str(&changed);
    }
    if (lines.len)
        fwrite(lines.ptr, 1, lines.len, out);
    buf_release(&changed);
}
