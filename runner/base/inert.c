#include "runner/base/inert.h"

#include <ctype.h>
#include <string.h>

#define NO_WIDTH "\xE2\x80\x8B" /* U+200B: neither white space nor a digit to anybody's expressions */
#define TAIL     sizeof((struct inert *)0)->tail

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

/* What is seen; control characters and what is not ASCII may be white space, or nothing, to who reads the line. */
static void add_seen(struct inert *state, char c, struct buf *out)
{
    bool first = !state->begun;

    if (state->colon && c == ':')
        buf_addc(out, ' ');
    if (state->hashes == 2 && c == '[')
        buf_addc(out, ' ');
    if (begins_number(state, (unsigned char)c) || ends_go_file(state, c))
        buf_adds(out, NO_WIDTH);
    state->begun = true;
    state->colon = first && c == ':';
    state->hashes = c != '#' ? 0 : state->hashes < 2 ? state->hashes + 1 : 2;
    remember(state, c);
    buf_addc(out, c);
}

void inert_add(struct inert *state, struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c > ' ' && c < 0x7F) {
            add_seen(state, (char)c, out);
            continue;
        }
        if (c == '\n' || c == '\r')
            *state = (struct inert){0};
        else if (is_blank((char)c))
            remember(state, (char)c);
        else if (begins_number(state, c))
            buf_adds(out, NO_WIDTH);
        if (is_blank((char)c)) {
            state->hashes = 0;
            state->colon = false;
        }
        buf_addc(out, (char)c);
    }
}
