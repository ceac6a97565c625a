/* What an attempt left behind, in words. */
#include "runner/verdict_words.h"

#include "runner/leaks/leaks.h"

#define LEAKS_TOLD_MOST 4 /* in one line; the record has more of them */

bool any_leak(const struct facts *f, bool fails)
{
    for (uint32_t i = 0; i < f->leak_count; i++)
        if (f->leaks[i].fails == fails)
            return true;
    return false;
}

static bool is_process(const struct journal_leak *leak)
{
    return str_is(leak->kind, leak_words[LEAK_PROCESS]);
}

/* "left 2 processes behind: ", "left behind: " where no process is among them */
static void add_leaks_head(const struct facts *f, bool fails, struct buf *out)
{
    uint32_t processes = 0;

    for (uint32_t i = 0; i < f->leak_count; i++)
        processes += f->leaks[i].fails == fails && is_process(&f->leaks[i]);
    buf_adds(out, "left ");
    if (processes)
        buf_addf(out, "%s%u process%s ", fails && f->leaks_more ? "at least " : "", processes,
                 processes == 1 ? "" : "es");
    buf_adds(out, "behind: ");
}

/* A process is known by its command; of all else the kind is said too. */
void words_leaks(const struct facts *f, bool fails, struct buf *out)
{
    uint32_t told = 0, more = fails ? f->leaks_more : 0;

    add_leaks_head(f, fails, out);
    for (uint32_t i = 0; i < f->leak_count; i++) {
        const struct journal_leak *leak = &f->leaks[i];

        if (leak->fails != fails)
            continue;
        if (told == LEAKS_TOLD_MOST) {
            more++;
            continue;
        }
        buf_adds(out, told++ ? "; " : "");
        if (!is_process(leak)) {
            words_line(out, leak->kind);
            buf_addc(out, ' ');
        }
        words_line(out, leak->words);
    }
    if (more)
        buf_addf(out, "; and %u more", more);
}
