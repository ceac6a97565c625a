/* What a JVM, Go, and Node's inspector print when they are asked: where it begins in a text, and where it ends. */
#include "runner/diagnose/runtime.h"

#include "runner/base/mem.h"

#include <ctype.h>
#include <string.h>

/* The line that begins at `at`, without its newline. */
static struct str line_at(struct str text, size_t at)
{
    const char *end = memchr(text.ptr + at, '\n', text.len - at);

    return (struct str){text.ptr + at, end ? (size_t)(end - text.ptr) - at : text.len - at};
}

/* Where the next one begins; the length where there is none, or this one is not whole. */
static size_t after(struct str text, size_t at)
{
    struct str line = line_at(text, at);

    return at + line.len < text.len ? at + line.len + 1 : text.len;
}

static bool is_whole(struct str text, size_t at)
{
    return at + line_at(text, at).len < text.len;
}

/* Where the first line that begins so does, from `at` on. */
static bool find_line(struct str text, size_t at, const char *begin, size_t *found)
{
    for (; at < text.len; at = after(text, at))
        if (str_starts(line_at(text, at), begin)) {
            *found = at;
            return true;
        }
    return false;
}

/* Up to the end of the last whole line. */
static size_t whole_lines(struct str text)
{
    const char *last = text.len ? memrchr(text.ptr, '\n', text.len) : NULL;

    return last ? (size_t)(last - text.ptr) + 1 : 0;
}

/* ---- JVM: a date, "Full thread dump ...", threads, deadlocks, "Heap" and what follows up to an empty line ---- */

/* "2026-11-22 05:11:11" */
static bool is_date(struct str line)
{
    static const char form[] = "0000-00-00 00:00:00";

    if (line.len != sizeof form - 1)
        return false;
    for (size_t i = 0; i < line.len; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)line.ptr[i]) : line.ptr[i] != form[i])
            return false;
    return true;
}

/* The line before; `at` where there is none. */
static size_t before(struct str text, size_t at)
{
    const char *newline = at > 1 ? memrchr(text.ptr, '\n', at - 1) : NULL;

    if (!at)
        return at;
    return newline ? (size_t)(newline - text.ptr) + 1 : 0;
}

bool printed_by_jvm(struct str text, struct printed *printed)
{
    size_t at;

    *printed = (struct printed){0};
    if (!find_line(text, 0, "Full thread dump ", &printed->from))
        return false;
    if (is_date(line_at(text, before(text, printed->from))))
        printed->from = before(text, printed->from);
    printed->to = whole_lines(text);
    if (!find_line(text, printed->from, "JNI global ref", &at) || !find_line(text, at, "Heap", &at))
        return true;
    for (; at < text.len; at = after(text, at))
        if (!line_at(text, at).len && is_whole(text, at)) {
            printed->to = after(text, at);
            printed->whole = true;
            break;
        }
    return true;
}

/* ---- Go: "SIGQUIT: quit", goroutines, and at the end a block of registers ---- */

/* "rip    0x45e6e1" */
static bool is_register(struct str line)
{
    const char *blank = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
    size_t at = blank ? (size_t)(blank - line.ptr) : line.len;

    if (at == 0 || at > 7)
        return false;
    for (size_t i = 0; i < at; i++)
        if (!islower((unsigned char)line.ptr[i]) && !isdigit((unsigned char)line.ptr[i]))
            return false;
    while (at < line.len && line.ptr[at] == ' ')
        at++;
    if (line.len - at < 3 || line.ptr[at] != '0' || line.ptr[at + 1] != 'x')
        return false;
    for (at += 2; at < line.len && isxdigit((unsigned char)line.ptr[at]); at++)
        ;
    return at == line.len;
}

#define REGISTERS_LEAST 8

bool printed_by_go(struct str text, struct printed *printed)
{
    unsigned registers = 0;

    *printed = (struct printed){0};
    if (!find_line(text, 0, "SIGQUIT: quit", &printed->from))
        return false;
    printed->to = whole_lines(text);
    for (size_t at = printed->from; at < text.len && is_whole(text, at); at = after(text, at)) {
        if (is_register(line_at(text, at))) {
            registers++;
            continue;
        }
        if (registers >= REGISTERS_LEAST) {
            printed->to = at;
            break;
        }
        registers = 0;
    }
    printed->whole = registers >= REGISTERS_LEAST;
    return true;
}

/* ---- Node ---- */

static bool is_of_inspector(struct str line)
{
    static const char *const begins[] = {
        "Debugger listening on ws://", "For help, see: https://nodejs.org/",        "Debugger attached.",
        "Debugger ending on ws://",    "Waiting for the debugger to disconnect...", "Starting inspector on ",
    };

    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        if (str_starts(line, begins[i]))
            return true;
    return false;
}

bool printed_by_node(struct str text, size_t at, struct printed *printed)
{
    while (at < text.len && !is_of_inspector(line_at(text, at)))
        at = after(text, at);
    *printed = (struct printed){.from = at, .to = at};
    while (at < text.len && is_whole(text, at) && is_of_inspector(line_at(text, at)))
        printed->to = at = after(text, at);
    printed->whole = printed->to > printed->from;
    return printed->whole;
}
