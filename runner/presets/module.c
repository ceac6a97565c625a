/*
 * What a module made with librunmatrix prints of its tests (fixtures/list.c): a heading, and a line of JSON for each.
 * What a process prints before the heading, or after the last line, is no part of it.
 */
#include "runner/presets/internal.h"

#include "runner/base/json.h"

#include <string.h>

#define HEADING "{\"run-matrix-tests\":"
#define FORMAT  1

/* What is taken of a line; all else is passed over, for it may say more one day. */
struct module_line {
    struct buf name;
    double format, count;
};

static void skip_value(struct json_reader *json, enum json_token token)
{
    int depth = 0;

    for (;; token = json_next(json)) {
        depth += token == JSON_OBJECT || token == JSON_ARRAY;
        depth -= token == JSON_OBJECT_END || token == JSON_ARRAY_END;
        if (token == JSON_END || token == JSON_ERROR || (depth == 0 && token != JSON_KEY))
            return;
    }
}

static void take_value(struct json_reader *json, struct str key, struct module_line *line)
{
    enum json_token token = json_next(json);

    if (token == JSON_STRING && str_is(key, "name"))
        buf_addstr(&line->name, json->text);
    else if (token == JSON_NUMBER && str_is(key, "run-matrix-tests"))
        line->format = json->number;
    else if (token == JSON_NUMBER && str_is(key, "count"))
        line->count = json->number;
    else
        skip_value(json, token);
}

/* False: it is no object, or no JSON. */
static bool read_line(struct str text, struct module_line *line)
{
    struct json_reader json = {.input = text};
    struct buf key = {0};
    enum json_token token = json_next(&json);
    bool ok = token == JSON_OBJECT;

    buf_clear(&line->name);
    line->format = line->count = -1;
    while (ok && (token = json_next(&json)) == JSON_KEY) {
        buf_clear(&key);
        buf_addstr(&key, json.text);
        take_value(&json, buf_str(&key), line);
    }
    ok = ok && token == JSON_OBJECT_END && json_next(&json) == JSON_END;
    buf_release(&key);
    json_reader_release(&json);
    return ok;
}

/* What stands before it on its line was printed without an end of line. */
static bool find_heading(struct listing_reader *reader, struct str *output, struct module_line *line)
{
    struct str text;
    size_t at;

    while (listing_line(output, &text)) {
        if (!str_find(text, HEADING, &at))
            continue;
        text = str_slice(text, at, text.len);
        if (!read_line(text, line))
            continue;
        reader->listing->heading = arena_str(reader->arena, text);
        return true;
    }
    return false;
}

/* The line is kept as it stands: what its other keys mean is for those to say who know settings. */
static bool add_test(struct listing_reader *reader, struct str name, struct str line)
{
    struct preset_listing *listing = reader->listing;
    uint32_t before = listing->count;

    if (!listing_add(reader, name, name))
        return false;
    if (listing->count > before)
        listing->list[before].line = arena_str(reader->arena, line);
    return true;
}

static void read_tests(struct listing_reader *reader, struct str output, struct module_line *line,
                       double count)
{
    struct arena *arena = reader->arena;
    struct str text;
    double told = 0;

    for (; told < count && listing_line(&output, &text); told++) {
        if (!read_line(text, line) || !line->name.len || memchr(line->name.ptr, 0, line->name.len)) {
            listing_problem(
                reader, arena_printf(arena, "line %.0f of its list of tests is none of a test", told + 1));
            return;
        }
        if (!add_test(reader, buf_str(&line->name), text))
            return;
    }
    if (told < count)
        listing_problem(reader,
                        arena_printf(arena, "its list of tests ends after %.0f of %.0f", told, count));
}

static void read_module(struct listing_reader *reader, struct str output)
{
    struct module_line line = {0};

    if (!find_heading(reader, &output, &line))
        listing_problem(reader, "it printed no list of tests: is it built with librunmatrix?");
    else if (line.format != FORMAT)
        listing_problem(reader,
                        arena_printf(reader->arena,
                                     "its list of tests is of version %.0f, and this run-matrix knows %d",
                                     line.format, FORMAT));
    else
        read_tests(reader, output, &line, line.count);
    buf_release(&line.name);
}

void preset_read_module(struct arena *arena, struct str output, struct preset_listing *listing)
{
    listing_read(read_module, arena, output, listing);
}
