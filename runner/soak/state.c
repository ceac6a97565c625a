/*
 * The file of a soak: laid out, changed, read. Whoever writes it may be killed between any two stores, and others read it
 * meanwhile.
 */
#include "runner/soak/internal.h"

#include "runner/base/hash.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES_MOST    1000
#define COUNT_LARGEST ((uint64_t)1 << 32)
#define CHUNK         ((size_t)16 << 10) /* is copied between two changes, with luck; so is a record at least */

/* It is looked at before the size of a file is believed. */
_Static_assert(sizeof(struct state_head) <= 4096, "a page");

/* ---- where its parts are ---- */

static size_t rounded(size_t size)
{
    return (size + 63) & ~(size_t)63;
}

static size_t entries(const struct state_fixed *fixed)
{
    return (size_t)fixed->count * fixed->copies;
}

size_t state_size(const struct state_fixed *fixed)
{
    return rounded(sizeof(struct state_head)) + rounded(fixed->count * sizeof(struct state_case)) +
           rounded(entries(fixed) * sizeof(uint64_t)) + rounded(KINDS_MOST * sizeof(struct state_kind)) +
           rounded(PAIRS_MOST * sizeof(struct state_pair)) + (size_t)fixed->text_size;
}

static void *take_part(struct state *state, size_t *at, size_t size)
{
    void *part = (char *)state->head + *at;

    *at += rounded(size);
    return part;
}

static void find_parts(struct state *state)
{
    const struct state_fixed *fixed = &state->head->fixed;
    size_t at = rounded(sizeof *state->head);

    state->cases = take_part(state, &at, fixed->count * sizeof *state->cases);
    state->rounds = take_part(state, &at, entries(fixed) * sizeof *state->rounds);
    state->kinds = take_part(state, &at, KINDS_MOST * sizeof *state->kinds);
    state->pairs = take_part(state, &at, PAIRS_MOST * sizeof *state->pairs);
    state->text = take_part(state, &at, (size_t)fixed->text_size);
}

uint64_t state_digest(const struct state_fixed *fixed)
{
    struct state_fixed plain;

    memset(&plain, 0, sizeof plain);
    memcpy(&plain, fixed, sizeof plain);
    return hash_add(HASH_START, (struct str){(const char *)&plain, sizeof plain});
}

/* ---- is it one? ---- */

static bool is_rate(double rate)
{
    return rate >= 0 && rate < 1;
}

static const char *why_head_is_wrong(const struct state_head *head, size_t size)
{
    const struct state_fixed *fixed = &head->fixed;

    if (size < sizeof fixed->magic + sizeof fixed->version ||
        memcmp(fixed->magic, STATE_MAGIC, sizeof fixed->magic))
        return "it is no record of a soak";
    if (fixed->version != STATE_VERSION)
        return "another version of run-matrix has written it";
    if (size < sizeof *head)
        return "it is cut short";
    if (head->fixed_digest != state_digest(fixed))
        return "it is damaged";
    if (fixed->verdicts != VERDICT_COUNT)
        return "another version of run-matrix has written it";
    if (!fixed->count || fixed->count > CASES_MOST || !fixed->copies || fixed->copies > SOAK_COPIES_MOST ||
        entries(fixed) > ENTRIES_MOST || fixed->text_size > TEXT_MOST || !is_rate(fixed->below) ||
        !is_rate(fixed->confidence))
        return "it is damaged";
    return size == state_size(fixed) ? NULL : size < state_size(fixed) ? "it is cut short" : "it is damaged";
}

static bool change_fits(const struct state_head *head)
{
    const struct state_change *change = &head->change;

    return change->number < head->fixed.count && change->entry < entries(&head->fixed) &&
           (change->kind == NONE || change->kind < KINDS_MOST) &&
           (change->at_pair == NONE || change->at_pair < PAIRS_MOST);
}

static bool totals_fit(const struct state_totals *totals)
{
    return totals->kinds <= KINDS_MOST && totals->pairs <= PAIRS_MOST && totals->end <= SOAK_UNDECIDED &&
           totals->taken >= 0;
}

/* What whoever resumes may change is in no digest. */
static bool plan_fits(const struct state_plan *plan)
{
    return plan->duration >= 0 && plan->count <= UINT32_MAX;
}

static bool kind_fits(const struct state_kind *kind, uint32_t count)
{
    return kind->number < count && kind->verdict < VERDICT_COUNT &&
           kind->signature_len <= sizeof kind->signature && kind->reason_len <= sizeof kind->reason &&
           kind->place_len <= sizeof kind->place && kind->words_len <= sizeof kind->words &&
           kind->evidence_len <= sizeof kind->evidence;
}

/* So that sums of them are sums. */
static bool case_fits(const struct state_case *record)
{
    uint64_t counts[COUNT_COUNT] = {0};

    for (int v = 0; v < VERDICT_COUNT; v++) {
        if (record->verdicts[v] > COUNT_LARGEST)
            return false;
        counts[verdict_counts((enum verdict)v)] += record->verdicts[v];
    }
    return !memcmp(counts, record->counts, sizeof counts) && record->sum >= 0 && record->shortest >= 0 &&
           record->longest >= 0;
}

static bool lists_fit(const struct state *state)
{
    const struct state_head *head = state->head;

    for (uint32_t i = 0; i < head->fixed.count; i++)
        if (!case_fits(&state->cases[i]))
            return false;

    for (uint32_t i = 0; i < head->totals.kinds; i++)
        if (!kind_fits(&state->kinds[i], head->fixed.count))
            return false;
    for (uint32_t i = 0; i < head->totals.pairs; i++)
        if (state->pairs[i].kind >= KINDS_MOST || state->pairs[i].number >= head->fixed.count)
            return false;
    return true;
}

bool state_lay_out(struct state *state, void *bytes, size_t size, const char **why)
{
    state->head = bytes;
    state->size = size;
    *why = why_head_is_wrong(state->head, size);
    if (*why)
        return false;
    find_parts(state);
    *why = "it is damaged";
    if (state->head->phase % 2) {
        if (!change_fits(state->head) || !totals_fit(&state->head->change.totals))
            return false;
        state_mend(state);
    }
    return plan_fits(&state->head->plan) && totals_fit(&state->head->totals) && lists_fit(state);
}

/* ---- change ---- */

void fault_step(struct faults *faults)
{
    if (faults)
        fault_place(faults);
}

/* A fence as well: what stands before it is done before, what stands behind it afterwards. */
static void next_phase(const struct state *state)
{
    __atomic_fetch_add(&state->head->phase, 1, __ATOMIC_SEQ_CST);
}

static void put_parts(const struct state *state, struct faults *faults)
{
    const struct state_change *change = &state->head->change;

    state->cases[change->number] = change->record;
    fault_step(faults);
    state->rounds[change->entry] = change->rounds;
    fault_step(faults);
    if (change->kind != NONE)
        state->kinds[change->kind].count = change->kind_count;
    fault_step(faults);
    if (change->at_pair != NONE)
        state->pairs[change->at_pair] = change->pair;
    fault_step(faults);
    state->head->totals = change->totals;
    fault_step(faults);
}

void state_apply(const struct state *state, struct faults *faults)
{
    fault_step(faults);
    next_phase(state);
    fault_step(faults);
    put_parts(state, faults);
    next_phase(state);
    fault_step(faults);
}

void state_mend(const struct state *state)
{
    if (state->head->phase % 2 == 0)
        return;
    put_parts(state, NULL);
    next_phase(state);
}

/* ---- a copy of what changes ---- */

static bool read_phase(int fd, uint64_t *phase)
{
    return pread(fd, phase, sizeof *phase, offsetof(struct state_head, phase)) == (ssize_t)sizeof *phase;
}

static bool read_bytes(int fd, char *to, size_t size, size_t at)
{
    while (size) {
        ssize_t got = pread(fd, to, size, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        at += (size_t)got;
        size -= (size_t)got;
    }
    return true;
}

/* As it was at one moment, from `at` on. */
static bool read_quiet(int fd, char *to, size_t size, size_t at)
{
    for (uint32_t i = 0; i < TRIES_MOST; i++) {
        uint64_t before, after;

        if (!read_phase(fd, &before) || !read_bytes(fd, to, size, at) || !read_phase(fd, &after))
            return false;
        if (before == after && before % 2 == 0)
            return true;
    }
    return true; /* somebody changes it faster than it can be read: parts of it are of one attempt, parts of the next */
}

/* Pieces end where records do. */
static bool read_records(int fd, const struct state *state, const void *part, size_t count, size_t each)
{
    char *to = (char *)state->head + ((const char *)part - (const char *)state->head);
    size_t piece = CHUNK / each ? CHUNK / each * each : each, size = count * each;

    for (size_t at = 0; at < size; at += piece)
        if (!read_quiet(fd, to + at, size - at < piece ? size - at : piece,
                        (size_t)(to - (char *)state->head) + at))
            return false;
    return true;
}

static bool read_parts(int fd, const struct state *state)
{
    const struct state_fixed *fixed = &state->head->fixed;

    return read_records(fd, state, state->head, 1, sizeof *state->head) &&
           read_records(fd, state, state->cases, fixed->count, sizeof *state->cases) &&
           read_records(fd, state, state->rounds, entries(fixed), sizeof *state->rounds) &&
           read_records(fd, state, state->kinds, KINDS_MOST, sizeof *state->kinds) &&
           read_records(fd, state, state->pairs, PAIRS_MOST, sizeof *state->pairs);
}

/*
 * Whole where nobody writes meanwhile or pauses long enough, which is tried; else piece by piece, so that each record is of one
 * moment. What never changes stands in `bytes` after the first try.
 */
static bool read_whole(int fd, char *bytes, size_t size)
{
    struct state state = {.head = (struct state_head *)(void *)bytes};
    uint64_t before, after;

    for (uint32_t i = 0; i < 3; i++) {
        if (!read_phase(fd, &before) || !read_bytes(fd, bytes, size, 0) || !read_phase(fd, &after))
            return false;
        if (before == after)
            return true;
    }
    if (why_head_is_wrong(state.head, size))
        return true; /* whoever lays it out says so */
    find_parts(&state);
    return read_parts(fd, &state);
}

/* A file may be of any size and have nothing in it: first it is asked whether it is what it should be. */
static bool head_is_good(int fd, size_t size, const char **why)
{
    struct state_head head;

    memset(&head, 0, sizeof head);
    if (!read_bytes(fd, (char *)&head, size < sizeof head ? size : sizeof head, 0))
        return false;
    *why = why_head_is_wrong(&head, size);
    return !*why;
}

static uint64_t text_digest(const struct state *state)
{
    return hash_add(HASH_START, (struct str){state->text, (size_t)state->head->fixed.text_size});
}

bool state_read(int fd, struct arena *arena, struct state *state, const char **why)
{
    struct stat status;
    size_t size;
    char *bytes;

    *why = "it is no file";
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return false;
    size = (size_t)status.st_size;
    *why = "it cannot be read";
    if (!head_is_good(fd, size, why))
        return false;
    bytes = arena_alloc(arena, size);
    *why = "it cannot be read";
    if (!read_whole(fd, bytes, size) || !state_lay_out(state, bytes, size, why))
        return false;
    *why = "it is damaged";
    return text_digest(state) == state->head->fixed.text_digest;
}

/* ---- sums of a record ---- */

uint64_t record_failures(const struct state_case *record)
{
    return record->counts[COUNT_FAILED];
}

uint64_t record_attempts(const struct state_case *record)
{
    return record->counts[COUNT_FAILED] + record->counts[COUNT_PASSED];
}

uint64_t record_passed_over(const struct state_case *record)
{
    return record->counts[COUNT_SKIPPED] + record->counts[COUNT_NOT_RUN];
}

uint64_t record_unended(const struct state_case *record)
{
    uint64_t ended = record_attempts(record) + record_passed_over(record);

    return record->begun > ended ? record->begun - ended : 0;
}

void tally_add(struct tally *to, struct tally more)
{
    to->failures += more.failures;
    to->attempts += more.attempts;
    to->unended += more.unended;
}

/*
 * One that ended where it was to end whatever came of it has the shorter ones; all others have been looked at, and ended, or may
 * end, because of what was seen: as one does that is given more to do when its first result is known.
 */
static struct stats_interval interval(const struct state *state, uint64_t failures, uint64_t attempts)
{
    const struct state_fixed *fixed = &state->head->fixed;
    uint32_t end = state->head->totals.end;

    if (!(fixed->below > 0) && !state->head->totals.moved && (end == SOAK_COUNTED || end == SOAK_FAILED))
        return stats_interval(failures, attempts, fixed->confidence);
    return stats_interval_at_any_time(failures, attempts, fixed->confidence);
}

/*
 * Those that fail often take longest: while they run, or where they were cut short, the ones that have ended look better than they
 * are. So it is that of all that have been begun: not below what it is if none of the others fails, and not above what it is if all
 * do.
 */
struct stats_interval soak_interval(const struct state *state, struct tally tally)
{
    uint64_t begun = tally.attempts + tally.unended;
    struct stats_interval least = interval(state, tally.failures, begun);

    if (tally.unended)
        least.high = interval(state, tally.failures + tally.unended, begun).high;
    return least;
}
