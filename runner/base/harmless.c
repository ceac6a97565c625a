#include "runner/base/harmless.h"

#include "runner/base/utf8.h"

#include <string.h>

#define ESC   '\x1b'
#define BEL   '\x07'
#define RESET "\x1b[0m"

/* The first place from `at` on whose byte is not within low..high. */
static size_t skip(struct str text, size_t at, char low, char high)
{
    while (at < text.len && text.ptr[at] >= low && text.ptr[at] <= high)
        at++;
    return at;
}

/* Where a sequence ends whose last byte is at `at` and must be within low..high; 0: that is no sequence. */
static size_t final(struct str text, size_t at, char low, char high)
{
    return at < text.len && text.ptr[at] >= low && text.ptr[at] <= high ? at + 1 : 0;
}

/* OSC, DCS and their like: anything up to ST, or to BEL as xterm has it. */
static size_t string_length(struct str text)
{
    for (size_t at = 2; at < text.len; at++) {
        if (text.ptr[at] == BEL)
            return at + 1;
        if (text.ptr[at] == ESC)
            return at + 1 < text.len && text.ptr[at + 1] == '\\' ? at + 2 : 0;
    }
    return 0;
}

/*
 * Length of the control sequence (ECMA-48) that begins with the ESC in front of `text`; 0 when it has no end: then
 * what follows the ESC is text, so that nothing is swallowed.
 */
static size_t sequence_length(struct str text)
{
    switch (text.len > 1 ? text.ptr[1] : '\0') {
    case '[': return final(text, skip(text, skip(text, 2, '0', '?'), ' ', '/'), '@', '~');
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_': return string_length(text);
    default: return final(text, skip(text, 1, ' ', '/'), '0', '~');
    }
}

/* The next number of "1;38;5;208"; what has no digits is 0. */
static unsigned take_number(struct str *parameters)
{
    unsigned number = 0;

    while (parameters->len && parameters->ptr[0] != ';' && parameters->ptr[0] != ':') {
        number = number < 1000 ? number * 10 + (unsigned)(parameters->ptr[0] - '0') : number;
        *parameters = str_slice(*parameters, 1, parameters->len);
    }
    *parameters = str_slice(*parameters, parameters->len > 0, parameters->len);
    return number;
}

/* Blinking (5, 6) and concealed (8) text is not what was printed. In a colour these numbers mean something else. */
static bool hides(struct str parameters)
{
    while (parameters.len) {
        unsigned number = take_number(&parameters);

        if (number == 38 || number == 48 || number == 58) {
            for (unsigned rest = take_number(&parameters) == 2 ? 3 : 1; rest; rest--)
                take_number(&parameters);
        } else if (number == 5 || number == 6 || number == 8) {
            return true;
        }
    }
    return false;
}

/* "ESC [ 1;31 m", and nothing that only looks like it, as the private "ESC [ > 4 m". */
static bool is_colour(struct str sequence)
{
    return sequence.len > 2 && sequence.ptr[1] == '[' && skip(sequence, 2, '0', ';') == sequence.len - 1 &&
           sequence.ptr[sequence.len - 1] == 'm' && !hides(str_slice(sequence, 2, sequence.len - 1));
}

static bool is_reset(struct str sequence)
{
    return str_is(sequence, RESET) || str_is(sequence, "\x1b[m");
}

/* The ESC in front of `text` with what belongs to it; how much that is. */
static size_t pass_escape(struct buf *out, struct str text, bool colour, bool *coloured)
{
    size_t length = sequence_length(text);
    struct str sequence = str_slice(text, 0, length ? length : 1);

    if (!length)
        utf8_show(out, sequence);
    else if (colour && is_colour(sequence)) {
        buf_addstr(out, sequence);
        *coloured = !is_reset(sequence);
    }
    return sequence.len;
}

/* "10%\r50%\r" is a bar at 50%. */
static struct str last_drawn(struct str line)
{
    const char *before;

    while (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    before = line.len ? memrchr(line.ptr, '\r', line.len) : NULL;
    return before ? str_slice(line, (size_t)(before + 1 - line.ptr), line.len) : line;
}

/* A character, or a byte that is none. */
static size_t pass_character(struct buf *out, struct str text)
{
    size_t length = utf8_length(text);
    struct str character = str_slice(text, 0, length ? length : 1);

    if (text.ptr[0] == '\t')
        buf_addc(out, '\t');
    else
        utf8_show(out, character);
    return character.len;
}

void text_harmless(struct buf *out, struct str line, bool colour)
{
    struct str rest = last_drawn(line);
    bool coloured = false;

    while (rest.len > 0) {
        size_t length = skip(rest, 0, ' ', '~');

        if (length > 0)
            buf_add(out, rest.ptr, length);
        else if (rest.ptr[0] == ESC)
            length = pass_escape(out, rest, colour, &coloured);
        else
            length = pass_character(out, rest);
        rest = str_slice(rest, length, rest.len);
    }
    if (coloured)
        buf_adds(out, RESET);
}
