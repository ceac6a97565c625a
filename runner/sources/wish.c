/* What a source asks for in a comment at its head. */
#include "runner/sources/sources.h"

#include "runner/base/buf.h"
#include "runner/base/mem.h"
#include "runner/base/nearest.h"

#include <string.h>

#define INTRODUCED_BY "run-matrix:"

struct reading {
    struct arena *arena;
    struct diags *diags;
    const char *file;
    struct str folder; /* that it is in, "" or with a slash at its end */
    struct str line;   /* whole */
    uint32_t number;
    struct source_wish *wish;
};

/* ---- keys ---- */

struct wish_key {
    const char *name;
    void (*take)(struct reading *r, struct flags *words, struct place at);
};

static struct place place_in(const struct reading *r, const char *where)
{
    uint32_t col = 1;

    for (const char *c = r->line.ptr; c < where; c++)
        col += ((unsigned char)*c & 0xc0) != 0x80;
    return (struct place){r->file, r->number, col};
}

static const char *from_folder(const struct reading *r, const char *path)
{
    return *path == '/' || !*path ? path : arena_printf(r->arena, "%.*s%s", STR_ARG(r->folder), path);
}

/* Options with a path: in the same word, or in the next. */
static const char *const path_options[] = {"-I",         "-L",       "-iquote",  "-isystem",
                                           "-idirafter", "-include", "-imacros", "-isysroot"};

/* The compiler runs in another folder. */
static void move_paths(const struct reading *r, struct flags *words)
{
    for (uint32_t i = 0; i < words->count; i++)
        for (size_t o = 0; o < ARRAY_LEN(path_options); o++) {
            size_t len = strlen(path_options[o]);

            if (strncmp(words->list[i], path_options[o], len) != 0)
                continue;
            if (words->list[i][len])
                words->list[i] =
                    arena_printf(r->arena, "%s%s", path_options[o], from_folder(r, words->list[i] + len));
            else if (i + 1 < words->count)
                words->list[i + 1] = from_folder(r, words->list[i + 1]);
            break;
        }
}

static void take_cflags(struct reading *r, struct flags *words, struct place at)
{
    (void)at;
    move_paths(r, words);
    flags_append(r->arena, &r->wish->cflags, words);
}

/* Objects and archives may stand among them. */
static void take_ldflags(struct reading *r, struct flags *words, struct place at)
{
    (void)at;
    move_paths(r, words);
    for (uint32_t i = 0; i < words->count; i++)
        if (words->list[i][0] != '-' && (!i || strcmp(words->list[i - 1], "-L") != 0))
            words->list[i] = from_folder(r, words->list[i]);
    flags_append(r->arena, &r->wish->ldflags, words);
}

static void take_packages(struct reading *r, struct flags *words, struct place at)
{
    r->wish->packages_at = at;
    flags_append(r->arena, &r->wish->packages, words);
}

static void take_sources(struct reading *r, struct flags *words, struct place at)
{
    for (uint32_t i = 0; i < words->count; i++) {
        if (!source_is(str_of(words->list[i])))
            diag_error(r->diags, at, "'%s' is no C source: 'sources' takes files that end in .c",
                       words->list[i]);
        words->list[i] = from_folder(r, words->list[i]);
    }
    flags_append(r->arena, &r->wish->sources, words);
}

static const struct wish_key keys[] = {
    {"cflags", take_cflags},
    {"ldflags", take_ldflags},
    {"pkg-config", take_packages},
    {"sources", take_sources},
};

static struct str key_at(const void *user, size_t i)
{
    (void)user;
    return str_of(keys[i].name);
}

/* ---- one line ---- */

static void take_part(struct reading *r, struct str part)
{
    struct str key = str_trim(part);
    struct flags words = {0};
    size_t colon;

    if (!key.len)
        return;
    if (!str_find(key, ":", &colon)) {
        diag_error(r->diags, place_in(r, key.ptr),
                   "'%.*s' is no 'KEY: WORDS'; keys are cflags, ldflags, pkg-config and sources",
                   STR_ARG(key));
        return;
    }
    if (!flags_split(r->arena, str_slice(key, colon + 1, key.len), &words)) {
        diag_error(r->diags, place_in(r, key.ptr + colon + 1), "a quote has no end");
        return;
    }
    key = str_trim(str_slice(key, 0, colon));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_is(key, keys[i].name)) {
            keys[i].take(r, &words, place_in(r, key.ptr));
            return;
        }
    diag_error(r->diags, place_in(r, key.ptr),
               "'%.*s' is no key; allowed are cflags, ldflags, pkg-config and sources%s", STR_ARG(key),
               did_you_mean(r->diags, key, ARRAY_LEN(keys), key_at, NULL));
}

/* Semicolons stand between; one in quotes is of a word. */
static size_t end_of_part(struct str text)
{
    char quote = '\0';

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (quote ? c == quote : c == '\'' || c == '"')
            quote = quote ? '\0' : c;
        else if (!quote && c == ';')
            return i;
    }
    return text.len;
}

/* Behind `//`, `/ *` or the `*` of a comment that goes on; empty: it is none of ours. */
static struct str said_in(struct str line)
{
    struct str text = str_trim(line);
    const char *const marks[] = {"//", "/*", "*"};

    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (str_starts(text, marks[i])) {
            text = str_trim(str_slice(text, strlen(marks[i]), text.len));
            if (str_ends(text, "*/"))
                text = str_slice(text, 0, text.len - 2);
            return str_starts(text, INTRODUCED_BY) ? str_slice(text, strlen(INTRODUCED_BY), text.len)
                                                   : (struct str){0};
        }
    return (struct str){0};
}

bool source_wish_read(struct arena *arena, const char *file, const char *called, struct str text,
                      struct source_wish *wish, struct diags *diags)
{
    const char *slash = strrchr(called, '/');
    size_t errors = diags->errors;
    struct reading r = {.arena = arena,
                        .diags = diags,
                        .file = file,
                        .folder = {called, slash ? (size_t)(slash + 1 - called) : 0},
                        .wish = wish};

    *wish = (struct source_wish){0};
    while (text.len && r.number < SOURCE_HEAD_LINES) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct str said;

        r.line = str_slice(text, 0, end ? (size_t)(end - text.ptr) : text.len);
        r.number++;
        text = str_slice(text, r.line.len + (end != NULL), text.len);
        for (said = said_in(r.line); said.len;) {
            size_t part = end_of_part(said);

            take_part(&r, str_slice(said, 0, part));
            said = str_slice(said, part + (part < said.len), said.len);
        }
    }
    return diags->errors == errors;
}
