#include "runner/base/ladder.h"

const char *const ladder_target_words[LADDER_TARGET_COUNT] = {
#define X(id, word) [id] = word,
    LADDER_TARGETS(X)
#undef X
};
