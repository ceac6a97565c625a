/* A command to GitHub's runner: what it takes, and how its texts are written. */
#include "runner/report/internal.h"

#include "runner/base/utf8.h"

#include <string.h>

#define MESSAGE_MOST 4096 /* the runner cuts there */

/* ---- one command ---- */

static bool add_escaped(struct buf *out, struct str text, const char *escaped, size_t most)
{
    size_t start = out->len;

    for (size_t at = 0, length; at < text.len; at += length) {
        struct str rest = str_slice(text, at, text.len);

        length = utf8_length(rest);
        length = length ? length : 1;
        if (out->len - start + (length < 3 ? 3 : length) > most)
            return false;
        if (length == 1 && rest.ptr[0] && strchr(escaped, rest.ptr[0]))
            buf_addf(out, "%%%02X", (unsigned char)rest.ptr[0]);
        else
            buf_add(out, rest.ptr, length);
    }
    return true;
}

static void add_property(struct buf *out, const char *name, struct str value, const char **separator)
{
    if (!value.len)
        return;
    buf_addf(out, "%s%s=", *separator, name);
    add_escaped(out, value, "%\r\n:,", MESSAGE_MOST);
    *separator = ",";
}

static void add_number(struct buf *out, const char *name, uint32_t number, const char **separator)
{
    if (!number)
        return;
    buf_addf(out, "%s%s=%u", *separator, name, number);
    *separator = ",";
}

void annotation_add(struct buf *out, const struct annotation *a)
{
    const char *separator = " ";

    buf_addf(out, "::%s", a->kind);
    if (a->file.len) {
        add_property(out, "file", a->file, &separator);
        add_number(out, "line", a->line, &separator);
        add_number(out, "col", a->col, &separator);
    }
    add_property(out, "title", a->title, &separator);
    buf_adds(out, "::");
    if (!add_escaped(out, a->message, "%\r\n", MESSAGE_MOST - 3))
        buf_adds(out, "...");
    buf_addc(out, '\n');
}

/* ---- where it is ---- */

/* Without "." and "..", by the letters alone. */
static void add_part(struct buf *path, struct str part)
{
    const char *slash;

    if (!part.len || str_is(part, "."))
        return;
    if (str_is(part, "..")) {
        slash = path->len ? memrchr(path->ptr, '/', path->len) : NULL;
        path->len = slash ? (size_t)(slash - path->ptr) : 0;
        return;
    }
    buf_addc(path, '/');
    buf_addstr(path, part);
}

static void add_parts(struct buf *path, struct str text)
{
    for (size_t at = 0, end; at <= text.len; at = end + 1) {
        for (end = at; end < text.len && text.ptr[end] != '/'; end++)
            ;
        add_part(path, str_slice(text, at, end));
    }
}

static bool is_absolute(struct str path)
{
    return path.len && path.ptr[0] == '/';
}

void annotation_file(struct buf *out, struct str workspace, struct str folder, struct str file)
{
    struct buf whole = {0}, root = {0};

    if (!is_absolute(file))
        add_parts(&whole, folder);
    add_parts(&whole, file);
    add_parts(&root, workspace);
    if (workspace.len && file.len && whole.len > root.len && whole.ptr[root.len] == '/' &&
        (!root.len || memcmp(whole.ptr, root.ptr, root.len) == 0))
        buf_addstr(out, str_slice(buf_str(&whole), root.len + 1, whole.len));
    buf_release(&whole);
    buf_release(&root);
}
