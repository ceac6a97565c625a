#include "runner/base/ladder.h"

const char *const ladder_target_words[LADDER_TARGET_COUNT] = {
#define X(id, word) [id] = word,
    LADDER_TARGETS(X)
#undef X
};

nanos ladder_length(const struct ladder *ladder)
{
    nanos sum = 0;

    for (uint32_t i = 0; i + 1 < ladder->count; i++)
        if (ladder->steps[i].wait > 0)
            sum += ladder->steps[i].wait;
    return sum;
}
