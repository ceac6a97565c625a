#include "runner/diagnose/internal.h"

#include <stdarg.h>
#include <string.h>

#define NOTES_MOST 64u

/* What is said once is enough: of a hundred processes the same may be so. */
static bool is_known(const struct dump *dump, const char *words)
{
    for (uint32_t i = 0; i < dump->note_count; i++)
        if (strcmp(dump->notes[i], words) == 0)
            return true;
    return false;
}

void taking_note(struct taking *taking, const char *format, ...)
{
    struct dump *dump = taking->dump;
    struct buf words = {0};
    const char **notes;
    va_list args;

    va_start(args, format);
    buf_vaddf(&words, format, args);
    va_end(args);
    if (dump->note_count < NOTES_MOST && !is_known(dump, buf_text(&words))) {
        notes = ARENA_ARRAY(taking->arena, const char *, dump->note_count + 1);
        if (dump->note_count)
            memcpy(notes, dump->notes, dump->note_count * sizeof *notes);
        notes[dump->note_count++] = arena_cstr(taking->arena, buf_str(&words));
        dump->notes = notes;
    }
    buf_release(&words);
}
