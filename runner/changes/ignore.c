#include "runner/changes/ignore.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t)1 << 20)

struct ignore_rule {
    char *folder;  /* whose file says so */
    char *pattern; /* without the signs around it */
    bool back;     /* "!": what was ignored is not */
    bool folders;  /* "/" at the end: folders alone */
    bool anchored; /* a "/" elsewhere: from the folder on, not anywhere below it */
};

/* ---- reading ---- */

static char *copy(const char *text, size_t len)
{
    char *new = mem_alloc(len + 1);

    memcpy(new, text, len);
    new[len] = '\0';
    return new;
}

/* Blanks at the end count when a backslash stands before them. */
static struct str trimmed(struct str line)
{
    while (line.len && strchr(" \t\r", line.ptr[line.len - 1]) &&
           !(line.len > 1 && line.ptr[line.len - 2] == '\\'))
        line.len--;
    return line;
}

static void add_line(struct ignore *ignore, const char *folder, struct str line)
{
    struct ignore_rule rule = {0};

    line = trimmed(line);
    if (!line.len || line.ptr[0] == '#' || memchr(line.ptr, '\0', line.len))
        return;
    rule.back = line.ptr[0] == '!';
    line = str_slice(line, rule.back, line.len);
    rule.folders = str_ends(line, "/");
    line = str_slice(line, 0, line.len - rule.folders);
    rule.anchored = line.len && memchr(line.ptr, '/', line.len);
    line = str_slice(line, str_starts(line, "/"), line.len);
    if (!line.len)
        return;
    rule.folder = copy(folder, strlen(folder));
    rule.pattern = copy(line.ptr, line.len);
    GROW(ignore->rules, ignore->count, ignore->cap);
    ignore->rules[ignore->count++] = rule;
}

void ignore_read(struct ignore *ignore, const char *folder)
{
    struct buf path = {0}, text = {0};

    buf_addf(&path, "%s/.gitignore", folder);
    if (file_read_regular(buf_text(&path), &text, FILE_MOST) == 0)
        for (struct str rest = buf_str(&text); rest.len;) {
            const char *newline = memchr(rest.ptr, '\n', rest.len);
            size_t end = newline ? (size_t)(newline - rest.ptr) : rest.len;

            add_line(ignore, folder, str_slice(rest, 0, end));
            rest = str_slice(rest, newline ? end + 1 : end, rest.len);
        }
    buf_release(&path);
    buf_release(&text);
}

void ignore_release(struct ignore *ignore)
{
    for (size_t i = 0; i < ignore->count; i++) {
        free(ignore->rules[i].folder);
        free(ignore->rules[i].pattern);
    }
    free(ignore->rules);
    *ignore = (struct ignore){0};
}

/* ---- matching ---- */

static size_t part_length(const char *text)
{
    return strcspn(text, "/");
}

static const char *next_part(const char *text)
{
    text += part_length(text);
    return *text ? text + 1 : text;
}

static bool part_is_any(const char *pattern)
{
    return part_length(pattern) == 2 && memcmp(pattern, "**", 2) == 0;
}

static bool part_matches(const char *pattern, const char *text)
{
    char one[NAME_MAX + 1], name[NAME_MAX + 1];

    if (part_length(pattern) > NAME_MAX || part_length(text) > NAME_MAX)
        return false;
    snprintf(one, sizeof one, "%.*s", (int)part_length(pattern), pattern);
    snprintf(name, sizeof name, "%.*s", (int)part_length(text), text);
    return fnmatch(one, name, 0) == 0;
}

/* Part by part; `**` is any number of parts, so the last one that was met may take one more. */
static bool path_matches(const char *pattern, const char *path)
{
    const char *any = NULL, *taken = NULL;

    while (*path) {
        if (*pattern && part_is_any(pattern)) {
            any = pattern = next_part(pattern);
            taken = path;
            if (!*pattern)
                return true;
        } else if (*pattern && part_matches(pattern, path)) {
            pattern = next_part(pattern);
            path = next_part(path);
        } else if (any) {
            pattern = any;
            path = taken = next_part(taken);
        } else {
            return false;
        }
    }
    return !*pattern;
}

static bool rule_matches(const struct ignore_rule *rule, const char *path, bool is_folder)
{
    size_t len = strlen(rule->folder);
    const char *name = strrchr(path, '/') + 1;

    if ((rule->folders && !is_folder) || strncmp(path, rule->folder, len) != 0 || path[len] != '/')
        return false;
    return rule->anchored ? path_matches(rule->pattern, path + len + 1)
                          : fnmatch(rule->pattern, name, 0) == 0;
}

bool ignore_has(const struct ignore *ignore, const char *path, bool is_folder)
{
    for (size_t i = ignore->count; i > 0; i--)
        if (rule_matches(&ignore->rules[i - 1], path, is_folder))
            return !ignore->rules[i - 1].back;
    return false;
}
