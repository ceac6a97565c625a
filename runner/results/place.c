/* Files and lines, as failures speak of them; and what they say beside that. */
#include "runner/results/internal.h"

#include <ctype.h>
#include <string.h>

/* Bytes of a file's name before ":12"; 0 when the line does not begin with one. */
static size_t name_length(struct str line)
{
    size_t len = 0, dot = 0;

    while (len < line.len && !isspace((unsigned char)line.ptr[len]) && !strchr(":()'\"<>,", line.ptr[len])) {
        if (line.ptr[len] == '.')
            dot = len;
        len++;
    }
    return dot && dot + 1 < len ? len : 0;
}

static bool line_place(struct str line, struct text_place *place)
{
    size_t len, from, to;
    uint64_t number;

    line = str_trim(line);
    len = name_length(line);
    if (!len || len == line.len || line.ptr[len] != ':')
        return false;
    for (from = to = len + 1; to < line.len && isdigit((unsigned char)line.ptr[to]);)
        to++;
    if (!text_number(str_slice(line, from, to), UINT32_MAX, &number) || !number)
        return false;
    if (to < line.len && line.ptr[to] != ':' && !isspace((unsigned char)line.ptr[to]))
        return false;
    place->file = str_slice(line, 0, len);
    place->line = (uint32_t)number;
    place->rest = str_slice(line, to, line.len);
    if (place->rest.len && place->rest.ptr[0] == ':')
        place->rest = str_slice(place->rest, 1, place->rest.len);
    place->rest = str_trim(place->rest);
    return true;
}

/* bats: "(in test file shop.bats, line 2)". Test::More: "at shop.t line 5." */
static bool place_in_words(struct str text, const char *before, const char *between, struct text_place *place)
{
    size_t at, line, len = 0;
    uint64_t number;

    if (!str_find(text, before, &at))
        return false;
    text = str_slice(text, at + strlen(before), text.len);
    if (!str_find(text, between, &line) || memchr(text.ptr, '\n', line))
        return false;
    place->file = str_slice(text, 0, line);
    text = str_slice(text, line + strlen(between), text.len);
    while (len < text.len && text.ptr[len] >= '0' && text.ptr[len] <= '9')
        len++;
    if (!text_number(str_slice(text, 0, len), UINT32_MAX, &number))
        return false;
    place->line = (uint32_t)number;
    place->rest = (struct str){0};
    return true;
}

bool text_place(struct str text, struct text_place *place)
{
    struct str line;

    if (place_in_words(text, "in test file ", ", line ", place) ||
        place_in_words(text, "  at ", " line ", place))
        return true;
    while (text_next_line(&text, &line))
        if (line_place(line, place))
            return true;
    return false;
}

/* Takes ":12" off the end. */
static bool take_number(struct str *text, uint32_t *number)
{
    size_t at = text->len;
    uint64_t value;

    while (at && isdigit((unsigned char)text->ptr[at - 1]))
        at--;
    if (at < 2 || text->ptr[at - 1] != ':' ||
        !text_number(str_slice(*text, at, text->len), UINT32_MAX, &value))
        return false;
    *number = (uint32_t)value;
    *text = str_slice(*text, 0, at - 1);
    return true;
}

void text_location(struct str text, struct str *file, uint32_t *line)
{
    uint32_t last, before;

    text = str_trim(text);
    if (str_starts(text, "file://"))
        text = str_slice(text, 7, text.len);
    *line = 0;
    if (take_number(&text, &last))
        *line = take_number(&text, &before) ? before : last;
    *file = text;
}

void result_locate(struct results *results, struct result *result, struct str file, uint32_t line)
{
    if (result->file.len || !file.len)
        return;
    result->file = text_line(&results->arena, file, RESULT_ID_MOST);
    result->line = line;
}

/* In which bats says where it was, and go what it was about to do. */
static bool says_nothing(struct str line)
{
    return str_starts(line, "(in test file ") || str_starts(line, "in test file ") ||
           str_starts(line, "(from function ") || str_starts(line, "from function ") ||
           str_starts(line, "=== ");
}

static bool next_said(struct str *text, struct str *line)
{
    while (text_next_line(text, line)) {
        *line = str_trim(*line);
        if (line->len && !says_nothing(*line))
            return true;
    }
    return false;
}

struct str text_message(struct arena *arena, struct str text)
{
    struct text_place place;
    struct str line;

    if (!next_said(&text, &line))
        return (struct str){0};
    if (line_place(line, &place))
        return text_line(arena, place.rest.len ? place.rest : text, RESULT_MESSAGE_MOST);
    if (str_is(line, "unknown file") && text.len)
        return text_line(arena, text, RESULT_MESSAGE_MOST);
    return text_line(arena, line, RESULT_MESSAGE_MOST);
}
