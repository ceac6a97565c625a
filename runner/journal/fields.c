/* Records as tables: a key, how its value is read, where it goes. */
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <ctype.h>
#include <string.h>

#define TIME_MOST    (3653LL * 24 * 60 * 60 * NS_PER_S) /* ten years: adding them up never overflows */
#define TIME_MOST_US ((double)(TIME_MOST / NS_PER_US))
#define NUMBER_MOST  9007199254740992.0 /* 2^53: whole numbers that a double tells apart */

void time_passed(struct reading *reading, nanos *at)
{
    struct journal_record *record = reading->record;

    *at += reading->base;
    if (*at > TIME_MOST)
        *at = TIME_MOST;
    if (*at > record->duration)
        record->duration = *at;
}

/* ---- values ---- */

bool skip_value(struct reading *reading)
{
    int depth = 0;

    do {
        switch (json_next(&reading->json)) {
        case JSON_OBJECT:
        case JSON_ARRAY: depth++; break;
        case JSON_OBJECT_END:
        case JSON_ARRAY_END: depth--; break;
        case JSON_KEY: continue;
        case JSON_END:
        case JSON_ERROR: return false;
        default: break;
        }
    } while (depth > 0);
    return depth == 0;
}

bool copy_text(struct reading *reading, enum json_token token, struct str *text)
{
    if (token != JSON_STRING)
        return false;
    *text = reading->json.text.len ? arena_str(reading->arena, reading->json.text) : str_of("");
    return true;
}

bool field_str(struct reading *reading, void *into)
{
    return copy_text(reading, json_next(&reading->json), into);
}

static bool read_number(struct reading *reading, double least, double most, int64_t *value)
{
    if (json_next(&reading->json) != JSON_NUMBER)
        return false;
    if (!(reading->json.number >= least && reading->json.number <= most))
        return false;
    *value = (int64_t)reading->json.number;
    return true;
}

bool field_u32(struct reading *reading, void *into)
{
    int64_t value;

    if (!read_number(reading, 0, UINT32_MAX, &value))
        return false;
    *(uint32_t *)into = (uint32_t)value;
    return true;
}

bool field_int(struct reading *reading, void *into)
{
    int64_t value;

    if (!read_number(reading, INT32_MIN, INT32_MAX, &value))
        return false;
    *(int *)into = (int)value;
    return true;
}

bool field_i64(struct reading *reading, void *into)
{
    return read_number(reading, -NUMBER_MOST, NUMBER_MOST, into);
}

bool field_u64(struct reading *reading, void *into)
{
    int64_t value;

    if (!read_number(reading, 0, NUMBER_MOST, &value))
        return false;
    *(uint64_t *)into = (uint64_t)value;
    return true;
}

bool field_time(struct reading *reading, void *into)
{
    int64_t value;

    if (!read_number(reading, -TIME_MOST_US, TIME_MOST_US, &value))
        return false;
    *(nanos *)into = value * NS_PER_US;
    return true;
}

bool field_flag(struct reading *reading, void *into)
{
    enum json_token token = json_next(&reading->json);

    *(bool *)into = token == JSON_TRUE;
    return token == JSON_TRUE || token == JSON_FALSE;
}

bool field_verdict(struct reading *reading, void *into)
{
    return json_next(&reading->json) == JSON_STRING && verdict_find(reading->json.text, into);
}

bool field_hex(struct reading *reading, void *into)
{
    uint64_t value = 0;
    struct str text;

    if (json_next(&reading->json) != JSON_STRING)
        return false;
    text = reading->json.text;
    if (text.len > 16)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int c = (unsigned char)text.ptr[i];

        if (!isxdigit(c))
            return false;
        value = value << 4 | (uint64_t)(isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    *(uint64_t *)into = value;
    return true;
}

/* An object as it stands there. */
bool field_json(struct reading *reading, void *into)
{
    struct json_reader *json = &reading->json;
    size_t from = json->at;
    struct str text;

    if (!skip_value(reading))
        return false;
    text = str_trim(str_slice(json->input, from, json->at));
    if (!str_starts(text, "{"))
        return false;
    *(struct str *)into = arena_str(reading->arena, text);
    return true;
}

/* ---- objects and arrays ---- */

/* Keys mostly come in the table's order: `next` is where the search begins. */
static const struct field *find_field(const struct field *fields, size_t count, size_t *next, struct str key)
{
    for (size_t tried = 0; tried < count; tried++, *next = *next + 1 < count ? *next + 1 : 0)
        if (str_is(key, fields[*next].key))
            return &fields[*next];
    return NULL;
}

bool read_fields(struct reading *reading, const struct field *fields, size_t count, void *into)
{
    enum json_token token;
    size_t next = 0;

    while ((token = json_next(&reading->json)) == JSON_KEY) {
        const struct field *field = find_field(fields, count, &next, reading->json.text);

        if (!(field ? field->read(reading, (char *)into + field->offset) : skip_value(reading)))
            return false;
    }
    return token == JSON_OBJECT_END;
}

bool read_items(struct reading *reading, item_reader *item, void *into)
{
    enum json_token token;

    if (json_next(&reading->json) != JSON_ARRAY)
        return false;
    while ((token = json_next(&reading->json)) != JSON_ARRAY_END)
        if (!item(reading, token, into))
            return false;
    return true;
}
