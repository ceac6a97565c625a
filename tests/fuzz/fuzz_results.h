/* Any bytes as a report: what is read is sound, bounded, and the same in whatever pieces they come. */
#ifndef TESTS_FUZZ_RESULTS_H
#define TESTS_FUZZ_RESULTS_H

#include "tests/unit/results_read.h"

#include <stdint.h>
#include <string.h>

#define MEMORY_PER_BYTE 512               /* that what is read of a byte may take */
#define MEMORY_BASE     ((size_t)2 << 20) /* results that a plan announced, problems */

static inline void check_report(results_open *open, struct str text, size_t piece)
{
    struct results whole, pieces;
    struct buf first = {0}, second = {0};

    read_in_pieces(&whole, open, text, text.len + 1);
    if (!results_sound(&whole) || whole.arena.used > MEMORY_BASE + text.len * MEMORY_PER_BYTE)
        abort();
    read_in_pieces(&pieces, open, text, piece);
    show_results(&first, &whole, true);
    show_results(&second, &pieces, true);
    if (strcmp(buf_text(&first), buf_text(&second)) != 0)
        abort();
    buf_release(&first);
    buf_release(&second);
    results_release(&whole);
    results_release(&pieces);
}

#endif
