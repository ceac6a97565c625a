/* In what a runtime says of itself: its innermost line that is not its own library's. */
#include "runner/diagnose/telling.h"

#include <string.h>

/* Cuts the next line off. */
static bool next_line(struct str *rest, struct str *line)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;

    if (!rest->len)
        return false;
    *line = str_slice(*rest, 0, length);
    *rest = str_slice(*rest, length + (end != NULL), rest->len);
    return true;
}

static bool parse_number(struct str text, uint32_t *number)
{
    uint64_t value = 0;
    size_t at = 0;

    for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9' && value < UINT32_MAX; at++)
        value = value * 10 + (uint64_t)(text.ptr[at] - '0');
    *number = (uint32_t)value;
    return at > 0 && value <= UINT32_MAX;
}

static bool has(struct str text, const char *part)
{
    size_t at;

    return str_find(text, part, &at);
}

/* ---- Python: '  File "client.py", line 12 in reconnect' ---- */

static bool python_frame(struct str line, struct runtime_place *place)
{
    size_t at;

    line = str_trim(line);
    if (!str_starts(line, "File \""))
        return false;
    line = str_slice(line, strlen("File \""), line.len);
    if (!str_find(line, "\", line ", &at))
        return false;
    place->file = str_slice(line, 0, at);
    line = str_slice(line, at + strlen("\", line "), line.len);
    if (!parse_number(line, &place->line) || !str_find(line, " in ", &at))
        return false;
    place->function = str_slice(line, at + strlen(" in "), line.len);
    return true;
}

static bool python_library(struct str file)
{
    return str_starts(file, "<frozen ") || has(file, "/lib/python3");
}

/* The current thread is the one that was asked, which is the first; tasks are those of asyncio, and told after all threads. */
static bool python_thread(struct str line, struct runtime_reader *r)
{
    bool current = str_starts(line, "Current thread "), task = str_starts(line, "Task ");
    size_t end;

    if (!current && !task && !str_starts(line, "Thread 0x"))
        return false;
    r->main = current;
    r->task = task;
    if (!task)
        line = str_slice(line, strlen(current ? "Current thread " : "Thread "), line.len);
    r->thread = str_find(line, " (", &end) ? str_slice(line, 0, end) : line;
    return true;
}

/* ---- JVM and Node: "at Client.reconnect(Client.java:12)", "at reconnect (file:///x/client.js:12:3)", "at /x/client.js:12:3" ---- */

/* "client.js:12:3": the first of two numbers is the line. */
static bool at_location(struct str line, struct runtime_place *place)
{
    const char *close = line.ptr + line.len;
    const char *colon = line.len ? memrchr(line.ptr, ':', line.len) : NULL;
    const char *before = colon ? memrchr(line.ptr, ':', (size_t)(colon - line.ptr)) : NULL;

    if (before && before + 1 < colon && before[1] >= '0' && before[1] <= '9')
        colon = before;
    if (!colon)
        return false;
    place->file = str_slice(line, 0, (size_t)(colon - line.ptr));
    return parse_number((struct str){colon + 1, (size_t)(close - colon - 1)}, &place->line);
}

static bool at_frame(struct str line, struct runtime_place *place)
{
    const char *open;

    line = str_trim(line);
    if (!str_starts(line, "at "))
        return false;
    line = str_slice(line, strlen("at "), line.len);
    open = memchr(line.ptr, '(', line.len);
    if (!open) {
        place->function = str_of("<anonymous>");
        return at_location(line, place);
    }
    place->function = str_trim(str_slice(line, 0, (size_t)(open - line.ptr)));
    return str_ends(line, ")") && place->function.len &&
           at_location(str_slice(line, (size_t)(open - line.ptr) + 1, line.len - 1), place);
}

static bool at_library(const struct runtime_place *frame)
{
    static const char *const libraries[] = {"java.", "jdk.", "sun.", "javax.", "java.base@"};

    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        if (str_starts(frame->function, libraries[i]))
            return true;
    return str_starts(frame->file, "node:") || has(frame->file, "java.base@");
}

/* Those that have come to a deadlock are told once more behind all of them. */
static bool jvm_thread(struct str line, struct runtime_reader *r)
{
    const char *end;

    if (str_starts(line, "Found ") && has(line, "deadlock"))
        r->rest = (struct str){0};
    if (!str_starts(line, "\""))
        return false;
    end = memrchr(line.ptr, '"', line.len);
    r->thread = str_slice(line, 1, end > line.ptr ? (size_t)(end - line.ptr) : 1);
    r->main = str_is(r->thread, "main");
    return true;
}

/* ---- Go: "main.reconnect(0x1)", then "\t/x/client.go:12 +0x1d" ---- */

static bool go_library(struct str function, struct str file)
{
    return str_starts(function, "runtime.") || str_starts(function, "sync.") ||
           str_starts(function, "internal/") || has(file, "/go/src/") || str_starts(file, "/usr/lib/go");
}

static bool go_frame(struct str function, struct str line, struct runtime_place *place)
{
    const char *open = function.len ? memrchr(function.ptr, '(', function.len) : NULL;
    const char *colon;

    if (!str_starts(line, "\t") || !open)
        return false;
    line = str_trim(line);
    colon = line.len ? memrchr(line.ptr, ':', line.len) : NULL;
    if (!colon)
        return false;
    place->function = str_slice(function, 0, (size_t)(open - function.ptr));
    place->file = str_slice(line, 0, (size_t)(colon - line.ptr));
    return place->function.len && place->file.len &&
           parse_number((struct str){colon + 1, (size_t)(line.ptr + line.len - colon - 1)}, &place->line);
}

static bool go_thread(struct str line, struct runtime_reader *r)
{
    size_t end;

    if (!str_starts(line, "goroutine "))
        return false;
    r->thread = str_find(line, " [", &end) ? str_slice(line, 0, end) : line;
    r->main = str_is(r->thread, "goroutine 1");
    return true;
}

/* ---- all of them ---- */

static bool is_thread(struct runtime_reader *r, struct str line)
{
    switch (r->runtime) {
    case RUNTIME_PYTHON: return python_thread(line, r);
    case RUNTIME_JVM: return jvm_thread(line, r);
    case RUNTIME_GO: return go_thread(line, r);
    default: return false;
    }
}

static bool is_frame(const struct runtime_reader *r, struct str line, struct runtime_place *place)
{
    switch (r->runtime) {
    case RUNTIME_PYTHON: return python_frame(line, place) && (r->library || !python_library(place->file));
    case RUNTIME_JVM:
    case RUNTIME_NODE: return at_frame(line, place) && (r->library || !at_library(place));
    case RUNTIME_GO:
        return go_frame(r->previous, line, place) &&
               (r->library || !go_library(place->function, place->file));
    default: return false;
    }
}

void runtime_begin(struct runtime_reader *r, const struct dump_process *process)
{
    *r = (struct runtime_reader){
        .runtime = process->runtime,
        .rest = str_of(process->runtime_says),
        /* Of Node there is only one that can be asked, and it has no heading. */
        .wanted = process->runtime == RUNTIME_NODE,
        .main = process->runtime == RUNTIME_NODE,
    };
}

bool runtime_next(struct runtime_reader *r, struct runtime_place *place)
{
    struct runtime_place frame = {0};
    struct str line;

    while (next_line(&r->rest, &line)) {
        if (is_thread(r, line)) {
            r->wanted = true;
        } else if (r->wanted && is_frame(r, line, &frame)) {
            frame.thread = r->thread;
            frame.main = r->main;
            *place = frame;
            r->wanted = false;
            return true;
        }
        r->previous = line;
    }
    return false;
}

/* Node has none where it runs nothing; then it says what would make it. */
static bool in_event_loop(const struct dump_process *process, struct runtime_place *place)
{
    struct str rest = str_of(process->runtime_says), line;

    if (process->runtime != RUNTIME_NODE || !next_line(&rest, &line) ||
        !str_is(line, "no JavaScript runs: it is in its event loop"))
        return false;
    if (!next_line(&rest, &line) || !str_starts(line, "waits for: "))
        return false;
    *place = (struct runtime_place){.main = true, .waits = str_slice(line, strlen("waits for: "), line.len)};
    return true;
}

/* Python tells of its first thread last, where it has not answered itself; if it runs a loop, a task says more than that. */
static bool find_place(const struct dump_process *process, bool library, struct runtime_place *place,
                       bool *sure)
{
    bool python = process->runtime == RUNTIME_PYTHON, found = false;
    struct runtime_reader r;
    struct runtime_place one;

    *sure = false;
    runtime_begin(&r, process);
    r.library = library;
    while (!(*sure && !python) && runtime_next(&r, &one)) {
        if (library && r.task)
            break;
        if (!found || one.main || r.task || (python && !*sure))
            *place = one;
        *sure |= one.main || r.task;
        if (r.task)
            return true;
        found = true;
    }
    return found;
}

bool runtime_place(const struct dump_process *process, struct runtime_place *place)
{
    struct runtime_place other;
    bool sure, found;

    if (in_event_loop(process, place))
        return true;
    found = find_place(process, false, place, &sure);
    /* Where it is known which the first is, what another one does is no answer. */
    if (!sure && find_place(process, true, &other, &sure) && (sure || !found)) {
        *place = other;
        found = true;
    }
    return found;
}
