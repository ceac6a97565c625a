#include "runner/journal/internal.h"

static const struct {
    const char *word;
    enum count counts;
} verdicts[] = {
#define X(id, word, counts) [id] = {word, counts},
    VERDICTS(X)
#undef X
};

const char *verdict_word(enum verdict verdict)
{
    return verdicts[verdict].word;
}

enum count verdict_counts(enum verdict verdict)
{
    return verdicts[verdict].counts;
}

bool verdict_find(struct str word, enum verdict *verdict)
{
    for (unsigned v = 0; v < VERDICT_COUNT; v++)
        if (str_is(word, verdicts[v].word)) {
            *verdict = (enum verdict)v;
            return true;
        }
    return false;
}
