/* A stack as lines that people read. */
#include "runner/inside/internal.h"

#include <string.h>

/* What macros of run_matrix.h make of a test: its body, and what calls that. */
#define BODY   "mx_body_"
#define CALLED "mx_call_"
_Static_assert(sizeof BODY == sizeof CALLED, "what of a name is left out");

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

static const char *shown_path(const char *path, const char *below)
{
    size_t len = below ? strlen(below) : 0;

    while (len && below[len - 1] == '/')
        len--;
    return len && strncmp(path, below, len) == 0 && path[len] == '/' ? path + len + 1 : path;
}

static void add_frame(struct buf *out, const struct stack_frame *frame, const char *below)
{
    const char *function = frame->function;

    buf_adds(out, "\n  ");
    if (begins(function, BODY) || begins(function, CALLED))
        function += strlen(BODY);
    if (function)
        buf_adds(out, function);
    if (function && frame->file)
        buf_addf(out, " at %s:%u", shown_path(frame->file, below), frame->line);
    else if (frame->module)
        buf_addf(out, "%s%s+0x%llx", function ? " in " : "", frame->module,
                 (unsigned long long)frame->offset);
    else if (!function)
        buf_addf(out, "0x%llx", (unsigned long long)frame->pc);
    if (frame->inlined)
        buf_adds(out, " (inlined)");
    if (frame->interrupted)
        buf_adds(out, " (a signal came here)");
}

/* How many of them are the test's: what calls its body is nobody's business, unless that is all there is. */
static uint32_t own_frames(const struct stack_thread *thread)
{
    for (uint32_t i = 0; i < thread->frame_count; i++)
        if (begins(thread->frames[i].function, CALLED))
            return i ? i : 1;
    return thread->frame_count;
}

void inside_words(struct buf *out, const struct stack_thread *thread, const char *below)
{
    uint32_t own = own_frames(thread), shown = own < INSIDE_FRAMES_MOST ? own : INSIDE_FRAMES_MOST;

    for (uint32_t i = 0; i < shown; i++)
        add_frame(out, &thread->frames[i], below);
    if (own > shown)
        buf_addf(out, "\n  ... and %s%u more", own == thread->frame_count ? "at least " : "", own - shown);
    if (thread->cut && own == thread->frame_count)
        buf_addf(out, "\n  and no further: %s", thread->cut);
}
