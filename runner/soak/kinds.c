/* Kinds of failures: what has the same signature is one. So many, and the rest in one heap: a soak of nonsense ends, too. */
#include "runner/soak/internal.h"

#include "runner/base/hash.h"
#include "runner/base/utf8.h"

#include <string.h>

/* As much as there is room for. */
static uint16_t keep(char *to, size_t size, struct str text)
{
    if (!text.len)
        return 0;
    text = utf8_cut(text, size);
    memcpy(to, text.ptr, text.len);
    return (uint16_t)text.len;
}

void kind_find(const struct state *state, const struct soak_outcome *outcome, struct buf *scratch,
               struct kind_found *found)
{
    buf_clear(scratch);
    soak_signature(outcome, scratch);
    found->signature = utf8_cut(buf_str(scratch), SIGNATURE_SIZE);
    found->hash = hash_add(HASH_START, found->signature);
    found->kind = NONE;
    for (uint32_t i = 0; i < state->head->totals.kinds && found->kind == NONE; i++) {
        const struct state_kind *kind = &state->kinds[i];

        if (kind->hash == found->hash &&
            str_eq(found->signature, (struct str){kind->signature, kind->signature_len}))
            found->kind = i;
    }
}

static void write_kind(struct state_kind *kind, const struct soak_outcome *outcome,
                       const struct kind_found *found, uint32_t number)
{
    struct buf words = {0};

    memset(kind, 0, sizeof *kind);
    soak_telling_line(outcome->output, &words);
    kind->hash = found->hash;
    kind->number = number;
    kind->attempt = outcome->attempt;
    kind->verdict = outcome->verdict;
    kind->signature_len = keep(kind->signature, sizeof kind->signature, found->signature);
    kind->reason_len = keep(kind->reason, sizeof kind->reason, outcome->reason);
    kind->place_len = keep(kind->place, sizeof kind->place, outcome->place);
    kind->words_len = keep(kind->words, sizeof kind->words, buf_str(&words));
    kind->evidence_len = keep(kind->evidence, sizeof kind->evidence, outcome->evidence);
    buf_release(&words);
}

static void change_pair(const struct state *state, uint32_t kind, struct state_change *change)
{
    struct state_totals *totals = &change->totals;
    uint32_t at = 0;

    while (at < totals->pairs && (state->pairs[at].kind != kind || state->pairs[at].number != change->number))
        at++;
    if (at == PAIRS_MOST) {
        totals->pairless++;
        return;
    }
    change->at_pair = at;
    change->pair = (struct state_pair){.kind = kind, .number = change->number};
    change->pair.count = at < totals->pairs ? state->pairs[at].count + 1 : 1;
    totals->pairs += at == totals->pairs;
}

void kind_change(const struct state *state, const struct soak_outcome *outcome,
                 const struct kind_found *found, struct state_change *change)
{
    uint32_t kind = found->kind;

    if (kind == NONE && change->totals.kinds == KINDS_MOST) {
        change->totals.others++;
        return;
    }
    if (kind == NONE) {
        kind = change->totals.kinds++;
        write_kind(&state->kinds[kind], outcome, found, change->number);
    }
    change->kind = kind;
    change->kind_count = state->kinds[kind].count + 1;
    change_pair(state, kind, change);
}
