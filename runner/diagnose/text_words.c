#include "runner/base/harmless.h"
#include "runner/base/sig.h"
#include "runner/base/utf8.h"
#include "runner/diagnose/telling.h"

#include <string.h>

#define ELLIPSIS "\xE2\x80\xA6"
#define CUT_ROOM 256 /* for the line that says so */

/* Masked before it is made harmless, and that before it is cut: what is hidden must be found as it is. */
const char *say_safe(struct telling *t, const char *text, size_t most)
{
    struct buf shown = {0};
    const char *safe;

    if (!text)
        return "?";
    utf8_show(&shown, mask_in(t->mask, t->arena, str_of(text)));
    if (shown.len > most) {
        struct str kept = utf8_cut(buf_str(&shown), most - strlen(ELLIPSIS));

        safe = arena_printf(t->arena, "%.*s" ELLIPSIS, STR_ARG(kept));
    } else {
        safe = arena_cstr(t->arena, buf_str(&shown));
    }
    buf_release(&shown);
    return safe;
}

static bool is_plain(const char *name)
{
    return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                       "_-./+:@#[]*=,~%" ELLIPSIS)];
}

/* Between quotes, where a quote of its own cannot end it. */
const char *say_quoted(struct telling *t, const char *name, size_t most)
{
    const char *safe = say_safe(t, name, most);
    struct buf quoted = {0};

    if (!name || is_plain(safe))
        return safe;
    buf_addc(&quoted, '"');
    for (const char *c = safe; *c; c++) {
        if (*c == '"')
            buf_addc(&quoted, '\\');
        buf_addc(&quoted, *c);
    }
    buf_addc(&quoted, '"');
    safe = arena_cstr(t->arena, buf_str(&quoted));
    buf_release(&quoted);
    return safe;
}

const char *say_name(struct telling *t, const char *name)
{
    return say_quoted(t, name, TELL_NAME_MOST);
}

const char *say_signals(struct telling *t, uint64_t set)
{
    struct buf names = {0};
    const char *text;

    for (int signal = 1; signal <= 64; signal++)
        if (set >> (signal - 1) & 1) {
            const char *name = signal_name(signal);

            buf_addf(&names, "%s%s", names.len ? " " : "", strncmp(name, "SIG", 3) == 0 ? name + 3 : name);
        }
    text = names.len ? arena_cstr(t->arena, buf_str(&names)) : "none";
    buf_release(&names);
    return text;
}

const char *say_span(struct telling *t, nanos span)
{
    struct buf text = {0};
    const char *kept;

    /* Nobody asks for the milliseconds of an hour. */
    span_format(&text, span >= 10 * NS_PER_S ? span / NS_PER_S * NS_PER_S : span);
    kept = arena_cstr(t->arena, buf_str(&text));
    buf_release(&text);
    return kept;
}

const char *say_bytes(struct telling *t, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes / 1024;
    size_t unit = 0;

    if (bytes < 1024)
        return arena_printf(t->arena, "%llu B", (unsigned long long)bytes);
    for (; value >= 1024 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    return arena_printf(t->arena, "%.1f %s", value, units[unit]);
}

const char *say_process(struct telling *t, uint32_t process)
{
    const struct dump_process *p = &t->dump->processes[process];

    return arena_printf(t->arena, "%d %s", (int)p->id.pid, say_name(t, p->name));
}

const char *say_state(char state)
{
    switch (state) {
    case 'R': return "runs";
    case 'S': return "sleeps";
    case 'D': return "sleeps in the kernel and cannot be woken";
    case 'T': return "is stopped";
    case 't': return "is stopped by its tracer";
    case 'Z': return "has ended and is not reaped";
    case 'X': return "is dead";
    case 'I': return "is idle";
    default: return "is in a state that nobody knows";
    }
}

void say_line(struct telling *t, const char *format, ...)
{
    size_t before = t->out->len;
    va_list args;

    if (t->cut)
        return;
    va_start(args, format);
    buf_vaddf(t->out, format, args);
    va_end(args);
    buf_addc(t->out, '\n');
    if (t->out->len - t->from + CUT_ROOM <= t->most)
        return;
    t->cut = true;
    t->out->len = before;
    t->out->ptr[before] = '\0';
    buf_addf(t->out, "(there is more, which did not find room: it ends at %zu MiB)\n", t->most >> 20);
}

/* Masked as a whole: what is hidden may go on in the next line. */
void say_lines(struct telling *t, const char *prefix, struct str text)
{
    struct str rest = mask_in(t->mask, t->arena, text);
    struct buf line = {0};

    while (rest.len && !t->cut) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t length = end ? (size_t)(end - rest.ptr) : rest.len;

        buf_clear(&line);
        text_harmless(&line, str_slice(rest, 0, length), false);
        say_line(t, "%s%s", prefix, buf_text(&line));
        rest = str_slice(rest, length + (end != NULL), rest.len);
    }
    buf_release(&line);
}

/*
 * The end of an output may begin within a line, and so within a word that is hidden, of which nobody knows the rest: as much
 * as that may be is left out.
 */
struct str tail_text(struct telling *t, const struct dump_tail *tail)
{
    size_t line_end;

    if (tail->size <= tail->text.len || mask_is_empty(t->mask))
        return tail->text;
    if (str_find(tail->text, "\n", &line_end) && line_end + 1 < tail->text.len)
        return tail->text; /* of whole lines */
    return mask_known(t->mask, tail->text);
}
