#include "runner/harness/internal.h"

/* What executed before the gap did so on the clock as it was. */
static void take_out(struct watch *watch, nanos gap, nanos latest)
{
    for (uint32_t i = 0; i < watch->slot_count; i++)
        slot_note_executed(watch, &watch->slots[i], latest);
    watch->away += gap;
}

/*
 * The run stood still when the thread is late and nobody else has read the clock since: so no reader ever sees it go
 * back, whoever notices the gap.
 */
nanos clock_read(struct watch *watch)
{
    nanos real = clock_now(), from = watch->planned > watch->seen ? watch->planned : watch->seen;

    if (watch->stopped)
        return watch->stopped_at;
    if (real - WATCH_GAP > from)
        take_out(watch, real - from, from - watch->away);
    watch->seen = real;
    return real - watch->away;
}

void clock_stop(struct watch *watch)
{
    watch->stopped_at = clock_read(watch);
    watch->stopped = true;
}

void clock_continue(struct watch *watch)
{
    nanos real = clock_now();

    take_out(watch, real - watch->away - watch->stopped_at, watch->stopped_at);
    watch->stopped = false;
    watch->seen = real;
}
