#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *ev;
    bool (*read)(struct reading *reading);
} events[] = {
    {"start", read_start},   {"said", read_said},   {"files", read_files},   {"end", read_end},
    {"cases", read_cases},   {"tests", read_tests}, {"run", read_run},       {"argv", read_argv},
    {"slower", read_slower}, {"note", read_note},   {"cancel", read_cancel}, {"finish", read_finish},
};

/* What a newer program writes and we do not know is no mistake. */
static bool read_record(struct reading *reading)
{
    struct json_reader *json = &reading->json;

    if (json_next(json) != JSON_OBJECT || json_next(json) != JSON_KEY || !str_is(json->text, "ev"))
        return false;
    if (json_next(json) != JSON_STRING)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        if (str_is(json->text, events[i].ev))
            return events[i].read(reading) && json_next(json) == JSON_END;
    return true;
}

static void read_lines(struct reading *reading, struct lines *lines)
{
    struct str line;

    while (lines_next(lines, &line)) {
        struct buf decoded = reading->json.decoded;

        reading->passed = lines->passed;
        reading->json = (struct json_reader){.input = line, .decoded = decoded};
        if (!read_record(reading))
            reading->record->torn++;
    }
    reading->record->torn += lines->torn;
}

/* ---- what was read, into the arena ---- */

static void *keep(struct reading *reading, const void *items, uint32_t count, size_t size)
{
    void *copy = arena_array(reading->arena, count, size);

    return count ? memcpy(copy, items, count * size) : copy;
}

/* Whoever looks up the test of a case finds one, whatever the file says. */
static void mend_tests(struct reading *reading)
{
    uint32_t known = reading->test_count;

    for (uint32_t i = 0; i < reading->case_count; i++)
        if (reading->cases[i].what.test >= known) {
            if (reading->test_count == known) {
                GROW(reading->tests, reading->test_count, reading->test_cap);
                reading->tests[reading->test_count++] = (struct journal_test){0};
            }
            reading->cases[i].what.test = known;
        }
}

static void keep_cases(struct reading *reading)
{
    struct journal_record *record = reading->record;
    struct journal_case *what = ARENA_ARRAY(reading->arena, struct journal_case, reading->case_count);

    record->case_count = reading->case_count;
    record->cases = ARENA_ARRAY(reading->arena, struct journal_history, reading->case_count);
    for (uint32_t i = 0; i < reading->case_count; i++) {
        what[i] = reading->cases[i].what;
        record->cases[i] = reading->cases[i].history;
        record->cases[i].what = &what[i];
    }
}

static void keep_all(struct reading *reading)
{
    struct journal_record *record = reading->record;

    mend_tests(reading);
    keep_cases(reading);
    record->tests = keep(reading, reading->tests, reading->test_count, sizeof *reading->tests);
    record->test_count = reading->test_count;
    record->notes = keep(reading, reading->notes, reading->note_count, sizeof *reading->notes);
    record->note_count = reading->note_count;
    record->run.argc = reading->arg_count - reading->arg_first;
    record->run.argv = keep(reading, reading->args ? reading->args + reading->arg_first : NULL,
                            record->run.argc, sizeof *reading->args);
}

static void reading_release(struct reading *reading)
{
    json_reader_release(&reading->json);
    free(reading->tests);
    free(reading->cases);
    free(reading->notes);
    free(reading->args);
}

/* ---- the whole ---- */

static bool is_usable(const struct reading *reading, const struct lines *lines, const char *path,
                      struct diags *diags)
{
    const struct place nowhere = {0};

    if (lines->error)
        diag_error(diags, nowhere, "cannot read '%s/%s': %s", path, JOURNAL_NAME, strerror(lines->error));
    else if (!reading->runs && !lines->passed)
        diag_error(diags, nowhere, "'%s/%s' is empty: the run died before it began", path, JOURNAL_NAME);
    else if (!reading->runs)
        diag_error(diags, nowhere, "'%s/%s' is no journal: there is no record of a run in it", path,
                   JOURNAL_NAME);
    else if (reading->schema > JOURNAL_SCHEMA)
        diag_error(diags, nowhere, "'%s/%s' was written by a newer run-matrix (schema %u, this one reads %d)",
                   path, JOURNAL_NAME, reading->schema, JOURNAL_SCHEMA);
    else
        return true;
    return false;
}

bool journal_read(struct arena *arena, int folder, const char *path, struct journal_record *record,
                  struct diags *diags)
{
    struct reading reading = {.arena = arena, .record = record};
    struct lines lines;
    bool usable;

    *record = (struct journal_record){0};
    if (!lines_open(&lines, folder)) {
        diag_error(diags, (struct place){0}, "cannot open '%s/%s': %s", path, JOURNAL_NAME, strerror(errno));
        return false;
    }
    read_lines(&reading, &lines);
    usable = is_usable(&reading, &lines, path, diags);
    if (usable)
        keep_all(&reading);
    lines_close(&lines);
    reading_release(&reading);
    return usable;
}
