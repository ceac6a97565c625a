/* Is a case slower than it was? Pure. */
#include "runner/history/history.h"

#include <stdlib.h>

#define TIMES   2 /* the median */
#define SCATTER 5 /* times the median of the distances from the median */

static int by_length(const void *left, const void *right)
{
    const nanos *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* Of an even number the smaller of the two in the middle, and the half of what is between. */
static nanos median(nanos *list, uint32_t count)
{
    nanos low, high;

    qsort(list, count, sizeof *list, by_length);
    low = list[(count - 1) / 2];
    high = list[count / 2];
    return low + (high - low) / 2;
}

bool history_is_slower(nanos *passes, uint32_t count, nanos now, nanos *was)
{
    nanos distances[HISTORY_PASSES_MOST], usual;

    *was = 0;
    if (count < HISTORY_PASSES_LEAST || count > HISTORY_PASSES_MOST)
        return false;
    *was = usual = median(passes, count);
    for (uint32_t i = 0; i < count; i++)
        distances[i] = passes[i] > usual ? passes[i] - usual : usual - passes[i];
    return now - usual > HISTORY_SLOWER_MORE && now / TIMES > usual &&
           (now - usual) / SCATTER > median(distances, count);
}
