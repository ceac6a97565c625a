/* Records about attempts. */
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <string.h>

struct entry *find_entry(struct reading *reading, uint32_t number)
{
    return number < reading->case_count ? &reading->cases[number] : NULL;
}

/* ---- start ---- */

struct start_line {
    uint32_t number, attempt;
    int64_t pid;
    nanos at;
};

bool read_start(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct start_line, "case", u32, number),
        FIELD(struct start_line, "attempt", u32, attempt),
        FIELD(struct start_line, "pid", i64, pid),
        FIELD(struct start_line, "at", time, at),
    };
    struct start_line line = {.number = UINT32_MAX, .attempt = 1};
    struct journal_history *history;
    struct entry *entry;

    if (!read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return false;
    entry = find_entry(reading, line.number);
    if (!entry)
        return false;
    time_passed(reading, &line.at);
    history = &entry->history;
    /* A case that was given up before it began gets another chance when the run is resumed. */
    if (history->count && history->attempts[history->count - 1].verdict == VERDICT_NOT_RUN)
        history->count--;
    history->started = line.attempt;
    history->open = history->executed = true;
    history->pid = line.pid;
    history->started_at = line.at;
    return true;
}

/* ---- what a test said ---- */

const void *copy_items(struct reading *reading, const void *items, uint32_t count, size_t size)
{
    return count ? memcpy(arena_array(reading->arena, count, size), items, count * size) : NULL;
}

struct said_line {
    uint32_t number, attempt, count;
    uint64_t more;
    struct journal_said said[JOURNAL_SAID_MOST];
};

static bool read_one_said(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_said, "kind", str, kind), FIELD(struct journal_said, "file", str, file),
        FIELD(struct journal_said, "line", u32, line), FIELD(struct journal_said, "words", str, words),
        FIELD(struct journal_said, "pid", i64, pid),
    };
    struct journal_said said = {0};
    struct said_line *line = into;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &said))
        return false;
    if (line->count < JOURNAL_SAID_MOST)
        line->said[line->count++] = said;
    return true;
}

static bool field_said(struct reading *reading, void *into)
{
    return read_items(reading, read_one_said, into);
}

/* It stands before the end of its attempt, and is kept until that comes. */
bool read_said(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct said_line, "case", u32, number),
        FIELD(struct said_line, "attempt", u32, attempt),
        {"said", field_said, 0},
        FIELD(struct said_line, "more", u64, more),
    };
    struct said_line line = {.number = UINT32_MAX};
    struct entry *entry;

    if (!read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return false;
    entry = find_entry(reading, line.number);
    if (!entry)
        return false;
    entry->said_attempt = line.attempt;
    entry->said = copy_items(reading, line.said, line.count, sizeof *line.said);
    entry->said_count = line.count;
    entry->said_more = line.more;
    return true;
}

/* ---- end ---- */

struct end_line {
    struct journal_attempt attempt;
    uint32_t output_count, rung_count, note_count, leak_count;
    struct journal_output outputs[JOURNAL_OUTPUTS_MOST];
    struct journal_rung rungs[JOURNAL_RUNGS_MOST];
    struct str notes[JOURNAL_NOTES_MOST];
    struct journal_leak leaks[JOURNAL_LEAKS_MOST];
};

static bool read_output(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_output, "name", str, name),
        FIELD(struct journal_output, "size", u64, size),
        FIELD(struct journal_output, "path", str, path),
        FIELD(struct journal_output, "offset", i64, offset),
    };
    struct journal_output output = {.offset = -1};
    struct end_line *line = into;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &output))
        return false;
    if (line->output_count < JOURNAL_OUTPUTS_MOST)
        line->outputs[line->output_count++] = output;
    return true;
}

static bool read_rung(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_rung, "signal", str, signal),
        FIELD(struct journal_rung, "target", str, target),
        FIELD(struct journal_rung, "alive", str, alive),
        FIELD(struct journal_rung, "at", time, at),
    };
    struct journal_rung rung = {0};
    struct end_line *line = into;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &rung))
        return false;
    if (line->rung_count < JOURNAL_RUNGS_MOST)
        line->rungs[line->rung_count++] = rung;
    return true;
}

static bool read_fact(struct reading *reading, enum json_token first, void *into)
{
    struct end_line *line = into;
    struct str fact;

    if (!copy_text(reading, first, &fact))
        return false;
    if (line->note_count < JOURNAL_NOTES_MOST)
        line->notes[line->note_count++] = fact;
    return true;
}

static bool read_leak(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_leak, "kind", str, kind),    FIELD(struct journal_leak, "what", str, what),
        FIELD(struct journal_leak, "words", str, words),  FIELD(struct journal_leak, "pid", i64, pid),
        FIELD(struct journal_leak, "fails", flag, fails), FIELD(struct journal_leak, "ended", flag, ended),
    };
    struct journal_leak leak = {0};
    struct end_line *line = into;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &leak))
        return false;
    if (line->leak_count < JOURNAL_LEAKS_MOST)
        line->leaks[line->leak_count++] = leak;
    return true;
}

static bool field_phases(struct reading *reading, void *into)
{
    static const struct field fields[] = {
        FIELD(struct end_line, "setup", time, attempt.in_setup),
        FIELD(struct end_line, "call", time, attempt.in_call),
        FIELD(struct end_line, "teardown", time, attempt.in_teardown),
    };

    return json_next(&reading->json) == JSON_OBJECT && read_fields(reading, fields, ARRAY_LEN(fields), into);
}

static bool field_quarantine(struct reading *reading, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_quarantine, "until", str, until),
        FIELD(struct journal_quarantine, "owner", str, owner),
        FIELD(struct journal_quarantine, "reason", str, reason),
    };
    struct journal_quarantine *quarantine = ARENA_NEW(reading->arena, struct journal_quarantine);

    *(const struct journal_quarantine **)into = quarantine;
    return json_next(&reading->json) == JSON_OBJECT &&
           read_fields(reading, fields, ARRAY_LEN(fields), quarantine);
}

static bool field_outputs(struct reading *reading, void *into)
{
    return read_items(reading, read_output, into);
}

static bool field_rungs(struct reading *reading, void *into)
{
    return read_items(reading, read_rung, into);
}

static bool field_facts(struct reading *reading, void *into)
{
    return read_items(reading, read_fact, into);
}

static bool field_leaks(struct reading *reading, void *into)
{
    return read_items(reading, read_leak, into);
}

/* Only the last attempt of a case has an outcome. */
static bool field_outcome(struct reading *reading, void *into)
{
    struct end_line *line = into;

    line->attempt.last = true;
    return field_verdict(reading, &line->attempt.outcome);
}

static bool read_end_fields(struct reading *reading, struct end_line *line)
{
    static const struct field fields[] = {
        FIELD(struct end_line, "case", u32, attempt.number),
        FIELD(struct end_line, "attempt", u32, attempt.attempt),
        FIELD(struct end_line, "verdict", verdict, attempt.verdict),
        FIELD(struct end_line, "duration", time, attempt.duration),
        FIELD(struct end_line, "at", time, attempt.at),
        FIELD(struct end_line, "slot", u32, attempt.slot),
        {"outcome", field_outcome, 0},
        FIELD(struct end_line, "flaky_fails", flag, attempt.flaky_fails),
        FIELD(struct end_line, "quarantined", flag, attempt.quarantined),
        FIELD(struct end_line, "quarantine", quarantine, attempt.quarantine),
        FIELD(struct end_line, "reason", str, attempt.reason),
        FIELD(struct end_line, "setup", time, attempt.setup),
        FIELD(struct end_line, "teardown", time, attempt.teardown),
        {"phases", field_phases, 0},
        FIELD(struct end_line, "user", time, attempt.user),
        FIELD(struct end_line, "system", time, attempt.system),
        FIELD(struct end_line, "rss", i64, attempt.rss),
        FIELD(struct end_line, "status", int, attempt.status),
        FIELD(struct end_line, "signal", int, attempt.signal),
        FIELD(struct end_line, "core", flag, attempt.core),
        {"outputs", field_outputs, 0},
        {"rungs", field_rungs, 0},
        {"notes", field_facts, 0},
        {"leaks", field_leaks, 0},
        FIELD(struct end_line, "leaks_more", u32, attempt.leaks_more),
        FIELD(struct end_line, "dump", str, attempt.dump),
        FIELD(struct end_line, "dump_partial", flag, attempt.dump_partial),
        FIELD(struct end_line, "results", results, attempt.results),
    };

    line->attempt =
        (struct journal_attempt){.number = UINT32_MAX, .attempt = 1, .verdict = VERDICT_COUNT, .status = -1};
    line->output_count = line->rung_count = line->note_count = line->leak_count = 0;
    return read_fields(reading, fields, ARRAY_LEN(fields), line) && line->attempt.verdict != VERDICT_COUNT;
}

/* ---- into the history ---- */

static void take_said(struct entry *entry, struct journal_attempt *attempt)
{
    if (entry->files_attempt == attempt->attempt)
        attempt->files = entry->files;
    if (entry->said_attempt != attempt->attempt)
        return;
    attempt->said = entry->said;
    attempt->said_count = entry->said_count;
    attempt->said_more = entry->said_more;
}

/* A second record of the same attempt is a correction. */
static struct journal_attempt *place_of(struct reading *reading, struct journal_history *history,
                                        uint32_t attempt)
{
    struct journal_attempt *grown;

    if (history->count && history->attempts[history->count - 1].attempt == attempt)
        return &history->attempts[history->count - 1];
    if (history->count == history->cap) {
        uint32_t cap = history->cap ? history->cap * 2 : 1;

        grown = ARENA_ARRAY(reading->arena, struct journal_attempt, cap);
        if (history->count)
            memcpy(grown, history->attempts, history->count * sizeof *grown);
        history->attempts = grown;
        history->cap = cap;
    }
    return &history->attempts[history->count++];
}

bool read_end(struct reading *reading)
{
    struct end_line line;
    struct journal_attempt *attempt = &line.attempt;
    struct entry *entry;

    if (!read_end_fields(reading, &line))
        return false;
    entry = find_entry(reading, attempt->number);
    if (!entry)
        return false;
    time_passed(reading, &attempt->at);
    if (!attempt->last)
        attempt->outcome = attempt->verdict;
    attempt->outputs = copy_items(reading, line.outputs, line.output_count, sizeof *line.outputs);
    attempt->rungs = copy_items(reading, line.rungs, line.rung_count, sizeof *line.rungs);
    attempt->notes = copy_items(reading, line.notes, line.note_count, sizeof *line.notes);
    attempt->leaks = copy_items(reading, line.leaks, line.leak_count, sizeof *line.leaks);
    attempt->output_count = line.output_count;
    attempt->rung_count = line.rung_count;
    attempt->note_count = line.note_count;
    attempt->leak_count = line.leak_count;
    take_said(entry, attempt);
    if (attempt->verdict != VERDICT_NOT_RUN && attempt->attempt > entry->history.started)
        entry->history.started = attempt->attempt;
    if (attempt->attempt >= entry->history.started)
        entry->history.open = false;
    *place_of(reading, &entry->history, attempt->attempt) = *attempt;
    return true;
}

/* ---- slower ---- */

struct slower_line {
    uint32_t number, runs;
    nanos was;
};

bool read_slower(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct slower_line, "case", u32, number),
        FIELD(struct slower_line, "was", time, was),
        FIELD(struct slower_line, "runs", u32, runs),
    };
    struct slower_line line = {.number = UINT32_MAX};
    struct entry *entry;

    if (!read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return false;
    entry = find_entry(reading, line.number);
    if (!entry)
        return false;
    entry->history.was = line.was;
    entry->history.was_runs = line.runs;
    return true;
}
