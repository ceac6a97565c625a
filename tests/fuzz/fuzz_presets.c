/* The first line is the name of a preset, or librunmatrix, the others what its runner prints; every name makes a command. */
#include "runner/presets/presets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool exists(const void *user, struct str path)
{
    (void)user;
    return path.len % 2;
}

/* Ids are there once each, and what makes a command of a name says why not, or ends all its words. */
static void check(const struct preset *preset, struct arena *arena, const struct preset_listing *listing)
{
    struct str words[] = {STR("run"), STR("x.bats"), STR("pytest")};
    struct preset_ask ask = {.words = words, .count = 3, .results = STR("/r"), .exists = exists};
    struct preset_command command;

    for (uint32_t i = 0; i < listing->count; i++) {
        struct str id = listing->list[i].id;

        if (!id.len || id.ptr[id.len])
            abort();
        if (i && str_eq(id, listing->list[i - 1].id))
            abort();
        ask.action = PRESET_CHOOSE;
        ask.tests = &listing->list[i].name;
        ask.test_count = 1;
        if (preset_command(preset, arena, &ask, &command))
            continue;
        for (uint32_t w = 0; w < command.count; w++)
            if (strlen(command.words[w].ptr) != command.words[w].len)
                abort();
        preset_result_id(preset, arena, id, listing->list[i].name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct str text = {(const char *)bytes, size};
    const char *newline = size ? memchr(bytes, '\n', size) : NULL;
    size_t len = newline ? (size_t)(newline - text.ptr) : size;
    const struct preset *preset = preset_find(str_slice(text, 0, len));
    bool is_module = str_is(str_slice(text, 0, len), "librunmatrix");
    struct preset_listing listing;
    struct arena arena = {0};
    char *copy;

    if (!preset)
        preset = preset_find((struct str)STR("pytest"));
    text = str_slice(text, newline ? len + 1 : len, size);
    copy = malloc(text.len + 1); /* memory of its own, so that a sanitizer sees who reads past it */
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    if (is_module)
        preset_read_module(&arena, (struct str){copy, text.len}, &listing);
    else
        preset_read(preset, &arena, (struct str){copy, text.len}, &listing);
    free(copy);
    check(preset, &arena, &listing);
    arena_release(&arena);
    return 0;
}
