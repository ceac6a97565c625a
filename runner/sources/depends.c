/* What compilers and linkers tell of the files that they have read. */
#include "runner/sources/sources.h"

#include "runner/base/buf.h"

#include <string.h>
#include <unistd.h>

static void add_file(struct arena *arena, struct flags *files, const char *folder, struct str path)
{
    flags_add(arena, files,
              path.ptr[0] == '/' ? arena_cstr(arena, path)
                                 : arena_printf(arena, "%s%.*s", folder, STR_ARG(path)));
}

/* ---- of `cc -MD`: "x.o: a.c b\ c.h \" ---- */

static bool is_between(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A backslash stands for itself but before a blank, a '#', or the end of a line; a '$' is doubled. */
static bool is_escape(struct str text, size_t at)
{
    char next = at + 1 < text.len ? text.ptr[at + 1] : '\0';

    return (text.ptr[at] == '\\' && (next == ' ' || next == '\t' || next == '#')) ||
           (text.ptr[at] == '$' && next == '$');
}

static bool ends_line(struct str text, size_t at)
{
    return text.ptr[at] == '\\' && at + 1 < text.len &&
           (text.ptr[at + 1] == '\n' || text.ptr[at + 1] == '\r');
}

static size_t take_name(struct str text, size_t at, struct buf *name)
{
    for (; at < text.len && !is_between(text.ptr[at]) && !ends_line(text, at); at++) {
        if (is_escape(text, at))
            at++;
        buf_addc(name, text.ptr[at]);
    }
    return at;
}

void depfile_read(struct arena *arena, struct str text, const char *folder, struct flags *files)
{
    struct buf name = {0};
    size_t at;

    if (!str_find(text, ": ", &at))
        return;
    for (at += 2; at < text.len;) {
        if (is_between(text.ptr[at]) || ends_line(text, at)) {
            at++;
            continue;
        }
        buf_clear(&name);
        at = take_name(text, at, &name);
        add_file(arena, files, folder, buf_str(&name));
    }
    buf_release(&name);
}

/* ---- of `ld --trace`: a file a line, members of archives as "(lib.a)x.o" or "lib.a(x.o)" ---- */

static struct str file_of(struct str line)
{
    size_t at;

    if (str_starts(line, "(") && str_find(line, ")", &at))
        return str_slice(line, 1, at);
    if (str_ends(line, ")") && str_find(line, "(", &at))
        return str_slice(line, 0, at);
    return line;
}

void trace_read(struct arena *arena, struct str text, const char *folder, struct flags *files)
{
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        struct str file = file_of(str_trim(str_slice(text, 0, len)));
        uint32_t before = files->count;

        text = str_slice(text, len + (end != NULL), text.len);
        if (!file.len)
            continue;
        add_file(arena, files, folder, file);
        for (uint32_t i = 0; i < before && files->count > before; i++)
            if (strcmp(files->list[i], files->list[before]) == 0)
                files->count--;
        if (files->count > before && access(files->list[before], F_OK) < 0)
            files->count--;
    }
}
