/*
 * A block of YAML as TAP producers write it: one mapping, a word or a quoted string or a literal as value. A reader of
 * whole YAML would refuse what many of them write, and we want five words of it.
 */
#include "runner/results/tap.h"

#include "runner/base/json.h"

#include <string.h>

void tap_yaml_clear(struct tap_yaml *yaml)
{
    buf_clear(&yaml->message);
    buf_clear(&yaml->file);
    yaml->line = 0;
    yaml->duration = -1;
    yaml->scalar = NULL;
    yaml->in_place = false;
}

void tap_yaml_release(struct tap_yaml *yaml)
{
    buf_release(&yaml->message);
    buf_release(&yaml->file);
}

static size_t indent_of(struct str line)
{
    size_t indent = 0;

    while (indent < line.len && line.ptr[indent] == ' ')
        indent++;
    return indent;
}

static bool add_double_quoted(struct buf *out, struct str value)
{
    struct json_reader reader = {.input = value};
    bool whole = json_next(&reader) == JSON_STRING;

    if (whole)
        buf_addstr(out, reader.text);
    json_reader_release(&reader);
    return whole;
}

static void add_single_quoted(struct buf *out, struct str value)
{
    for (size_t i = 1; i < value.len; i++) {
        if (value.ptr[i] == '\'' && (i + 1 == value.len || value.ptr[i + 1] != '\''))
            return;
        if (value.ptr[i] == '\'')
            i++;
        buf_addc(out, value.ptr[i]);
    }
}

static void add_value(struct buf *out, struct str value)
{
    if (str_starts(value, "'"))
        add_single_quoted(out, value);
    else if (!str_starts(value, "\"") || !add_double_quoted(out, value))
        buf_addstr(out, value);
}

/* "key: value" with or without quotes around the key, or an item "- key: value". */
static bool split(struct str line, struct str *key, struct str *value)
{
    size_t colon = 0;

    while (colon < line.len &&
           (line.ptr[colon] != ':' || (colon + 1 < line.len && line.ptr[colon + 1] != ' ')))
        colon++;
    if (colon == line.len)
        return false;
    *key = str_trim(str_slice(line, 0, colon));
    *value = str_trim(str_slice(line, colon + 1, line.len));
    if (key->len >= 2 && (key->ptr[0] == '"' || key->ptr[0] == '\''))
        *key = str_slice(*key, 1, key->len - 1);
    return key->len > 0;
}

static void set_location(struct tap_yaml *yaml, struct str value)
{
    struct buf plain = {0};
    struct str file;

    add_value(&plain, value);
    text_location(buf_str(&plain), &file, &yaml->line);
    buf_clear(&yaml->file);
    buf_addstr(&yaml->file, file);
    buf_release(&plain);
}

static void set_line(struct tap_yaml *yaml, struct str value)
{
    uint64_t number;

    if (text_number(value, UINT32_MAX, &number))
        yaml->line = (uint32_t)number;
}

/* A string, or the beginning of a literal: "|", ">-", "|+". */
static void set_text(struct tap_yaml *yaml, struct buf *text, size_t indent, struct str value)
{
    if (text->len)
        return;
    if (value.len && (value.ptr[0] == '|' || value.ptr[0] == '>')) {
        yaml->scalar = text;
        yaml->scalar_indent = indent;
    } else
        add_value(text, value);
}

static void take(struct tap_yaml *yaml, size_t indent, struct str key, struct str value)
{
    if (!indent)
        yaml->in_place = str_is(key, "at") || str_is(key, "location");
    if (indent && !yaml->in_place)
        return;
    if (!indent && yaml->in_place && value.len && value.ptr[0] != '{')
        set_location(yaml, value);
    else if (!indent && (str_is(key, "message") || str_is(key, "error")))
        set_text(yaml, &yaml->message, indent, value);
    else if (!indent && str_is(key, "duration_ms"))
        yaml->duration = text_duration(value, NS_PER_MS);
    else if (str_is(key, "file") || str_is(key, "fileName"))
        set_text(yaml, &yaml->file, indent, value);
    else if (str_is(key, "line") || str_is(key, "lineNumber"))
        set_line(yaml, value);
}

void tap_yaml_line(struct tap_yaml *yaml, struct str line)
{
    size_t indent = indent_of(line);
    struct str key, value, text = str_slice(line, indent, line.len);

    if (yaml->scalar && (!text.len || indent > yaml->scalar_indent)) {
        if (yaml->scalar->len <= RESULT_MESSAGE_MOST) {
            buf_addstr(yaml->scalar, text);
            buf_addc(yaml->scalar, '\n');
        }
        return;
    }
    yaml->scalar = NULL;
    if (text.len && split(text, &key, &value))
        take(yaml, indent, key, value);
}
