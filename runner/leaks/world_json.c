#include "runner/leaks/world.h"

#include "runner/base/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_DIGITS 16

/* ---- out ---- */

/* One long word: a number in JSON has 53 bits only. */
static void write_keys(struct json_writer *json, const char *name, const struct hashes *keys)
{
    struct buf text = {0};

    for (size_t i = 0; i < keys->count; i++)
        buf_addf(&text, "%0*" PRIx64, KEY_DIGITS, keys->list[i]);
    json_key_c(json, name);
    json_str(json, buf_str(&text));
    buf_release(&text);
}

void world_write(const struct world *world, struct json_writer *json)
{
    json_object(json);
    json_key_c(json, "folders");
    json_array(json);
    for (size_t i = 0; i < world->folder_count; i++) {
        json_object(json);
        json_key_c(json, "path");
        json_cstr(json, world->folders[i].path);
        write_keys(json, "known", &world->folders[i].known);
        json_object_end(json);
    }
    json_array_end(json);
    json_key_c(json, "left_out");
    json_array(json);
    for (size_t i = 0; i < world->left_out_count; i++)
        json_cstr(json, world->left_out[i]);
    json_array_end(json);
    write_keys(json, "objects", &world->known_objects);
    json_object_end(json);
}

/* ---- in ---- */

static bool read_keys(struct hashes *keys, struct str text)
{
    if (text.len % KEY_DIGITS)
        return false;
    for (size_t at = 0; at < text.len; at += KEY_DIGITS) {
        char digits[KEY_DIGITS + 1] = "";
        char *end;

        memcpy(digits, text.ptr + at, KEY_DIGITS);
        if (strspn(digits, "0123456789abcdef") != KEY_DIGITS)
            return false;
        hashes_add(keys, strtoull(digits, &end, KEY_DIGITS));
    }
    hashes_sort(keys);
    return true;
}

/* What is not there any more has nothing of anybody's in it. */
static bool read_folder(struct world *world, const char *path, struct str text)
{
    struct hashes known = {0};
    size_t before = world->folder_count;

    if (!path || !read_keys(&known, text)) {
        hashes_release(&known);
        return false;
    }
    world_add_folder(world, path);
    if (world->folder_count > before)
        world->folders[before].known = known;
    else
        hashes_release(&known);
    return true;
}

struct reading {
    struct world *world;
    struct arena *arena;
    struct str key;
    const char *path; /* of the folder that is read */
    bool whole;       /* its last member was there */
};

static bool take(struct reading *reading, struct str text)
{
    if (str_is(reading->key, "path"))
        reading->path = arena_cstr(reading->arena, text);
    else if (str_is(reading->key, "known"))
        return read_folder(reading->world, reading->path, text);
    else if (str_is(reading->key, "left_out"))
        world_leave_out(reading->world, arena_cstr(reading->arena, text));
    else if (str_is(reading->key, "objects")) {
        reading->whole = true;
        return read_keys(&reading->world->known_objects, text);
    }
    return true;
}

static bool read_all(struct reading *reading, struct json_reader *json)
{
    enum json_token token = json_next(json);
    bool good = token == JSON_OBJECT;

    while (good && token != JSON_END) {
        token = json_next(json);
        if (token == JSON_KEY)
            reading->key = arena_str(reading->arena, json->text);
        else if (token == JSON_STRING)
            good = take(reading, json->text);
        else if (token == JSON_ERROR)
            good = false;
    }
    return good && reading->whole;
}

struct world *world_read(struct str json, struct arena *arena)
{
    struct json_reader reader = {.input = json};
    struct reading reading = {.world = world_empty(), .arena = arena};

    if (!read_all(&reading, &reader)) {
        world_free(reading.world);
        reading.world = NULL;
    }
    json_reader_release(&reader);
    return reading.world;
}
