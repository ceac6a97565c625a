/*
 * Who comes next. In each round every copy of every case has its turn, in an order made of the seed and the number of the round.
 * One that still runs from the round before, when its turn comes, is late: it is handed out when it is free again, before any
 * other.
 */
#include "runner/soak/internal.h"

#include <string.h>

/* ---- chance: xoshiro256** of Blackman and Vigna, seeded by splitmix64 ---- */

static uint64_t mix(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void soak_random_seed(struct soak_random *random, uint64_t seed, uint64_t stream)
{
    uint64_t state = seed;

    /* Mixed before they meet: seeds and rounds that are next to each other have nothing in common. */
    state = mix(&state) ^ (stream * UINT64_C(0xD1342543DE82EF95));
    for (size_t i = 0; i < ARRAY_LEN(random->s); i++)
        random->s[i] = mix(&state);
}

static uint64_t turned(uint64_t x, int by)
{
    return (x << by) | (x >> (64 - by));
}

uint64_t soak_random_next(struct soak_random *random)
{
    uint64_t *s = random->s, result = turned(s[1] * 5, 7) * 9, t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = turned(s[3], 45);
    return result;
}

uint64_t soak_random_below(struct soak_random *random, uint64_t bound)
{
    uint64_t uneven =
        -bound % bound; /* 2^64 is no multiple of it: so many numbers would be drawn once too often */
    uint64_t drawn;

    do
        drawn = soak_random_next(random);
    while (drawn < uneven);
    return drawn % bound;
}

void soak_permute(uint32_t *order, uint32_t count, uint64_t seed, uint64_t round)
{
    struct soak_random random;

    soak_random_seed(&random, seed, round);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)soak_random_below(&random, i + 1);

        order[i] = order[at];
        order[at] = i;
    }
}

/* ---- rounds ---- */

bool record_is_done(const struct state_case *record, uint64_t most)
{
    return record->skips == LEFT_OUT ||
           (most && record_attempts(record) + record_passed_over(record) >= most);
}

bool case_is_done(const struct soak *soak, uint32_t number)
{
    return record_is_done(&soak->state.cases[number], soak->plan.count);
}

/* Those that run may be all that are wanted of it. */
static bool has_enough(const struct soak *soak, uint32_t number)
{
    const struct state_case *record = &soak->state.cases[number];
    uint64_t ended = record_attempts(record) + record_passed_over(record);

    return case_is_done(soak, number) ||
           (soak->plan.count && ended + soak->running[number] >= soak->plan.count);
}

static uint64_t this_round(const struct soak *soak)
{
    return soak->state.head->totals.round;
}

void order_begin_round(struct soak *soak)
{
    soak_permute(soak->order, soak->entries, soak->state.head->fixed.seed, this_round(soak));
    for (uint32_t i = 0; i < soak->entries; i++)
        soak->flags[i] &= ENTRY_OUT;
    soak->cursor = soak->late_count = 0;
}

static void make_late(struct soak *soak, uint32_t entry)
{
    if (soak->flags[entry] & ENTRY_LATE)
        return;
    soak->flags[entry] |= ENTRY_LATE;
    soak->late[soak->late_count++] = entry;
}

static bool is_free(const struct soak *soak, uint32_t entry)
{
    return !(soak->flags[entry] & ENTRY_OUT) && !has_enough(soak, entry / soak->copies);
}

static bool take_late(struct soak *soak, uint32_t *entry)
{
    for (uint32_t i = 0; i < soak->late_count; i++)
        if (is_free(soak, soak->late[i])) {
            *entry = soak->late[i];
            soak->flags[*entry] &= (uint8_t)~ENTRY_LATE;
            memmove(&soak->late[i], &soak->late[i + 1], (--soak->late_count - i) * sizeof *soak->late);
            return true;
        }
    return false;
}

static bool take_in_turn(struct soak *soak, uint32_t *entry)
{
    while (soak->cursor < soak->entries) {
        uint32_t next = soak->order[soak->cursor++];

        soak->flags[next] |= ENTRY_PASSED;
        if (soak->state.rounds[next] > this_round(soak))
            continue; /* before a kill */
        if (soak->flags[next] & ENTRY_OUT) {
            make_late(soak, next);
            continue;
        }
        if (has_enough(soak, next / soak->copies))
            continue;
        *entry = next;
        return true;
    }
    return false;
}

/* Everybody has begun this round, or does so in vain. */
static bool round_is_over(const struct soak *soak)
{
    if (soak->cursor < soak->entries)
        return false;
    for (uint32_t i = 0; i < soak->entries; i++) {
        uint64_t owed = this_round(soak) + 1 - soak->state.rounds[i];

        if (soak->state.rounds[i] > this_round(soak) || case_is_done(soak, i / soak->copies))
            continue;
        if (owed > 1 || !(soak->flags[i] & ENTRY_OUT))
            return false;
    }
    return true;
}

bool order_next(struct soak *soak, uint32_t *entry)
{
    if (take_late(soak, entry) || take_in_turn(soak, entry))
        return true;
    if (!soak->unfinished || !round_is_over(soak))
        return false;
    __atomic_store_n(&soak->state.head->totals.round, this_round(soak) + 1, __ATOMIC_SEQ_CST);
    order_begin_round(soak);
    return take_in_turn(soak, entry);
}

void order_back(struct soak *soak, uint32_t entry)
{
    soak->flags[entry] &= (uint8_t)~ENTRY_OUT;
    if (soak->state.rounds[entry] <= this_round(soak) && (soak->flags[entry] & ENTRY_PASSED))
        make_late(soak, entry);
}
