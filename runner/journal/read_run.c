/* Records about the run as a whole. */
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#define ITEM_LEAST 8 /* bytes that a test or a case takes in a line */

/* ---- run ---- */

static bool read_arg(struct reading *reading, enum json_token first, void *into)
{
    struct str arg;

    (void)into;
    if (!copy_text(reading, first, &arg))
        return false;
    GROW(reading->args, reading->arg_count, reading->arg_cap);
    reading->args[reading->arg_count++] = arg;
    return true;
}

static bool field_args(struct reading *reading, void *into)
{
    return read_items(reading, read_arg, into);
}

struct run_line {
    struct journal_run run;
    uint32_t schema;
};

/*
 * Who resumes a run writes another of these: it tells who writes now; when the run began stays as it was, and the
 * clock goes on from the last thing that was recorded.
 */
static void take_run(struct reading *reading, struct run_line *line)
{
    struct journal_record *record = reading->record;

    if (line->schema > reading->schema)
        reading->schema = line->schema;
    if (reading->runs++)
        line->run.wall = record->run.wall;
    record->run = line->run;
    record->finished = false;
    record->cancelled = (struct str){0};
    reading->base = record->duration;
}

bool read_run(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct run_line, "schema", u32, schema),
        FIELD(struct run_line, "id", str, run.id),
        FIELD(struct run_line, "version", str, run.version),
        FIELD(struct run_line, "file", str, run.file),
        FIELD(struct run_line, "folder", str, run.folder),
        FIELD(struct run_line, "profile", str, run.profile),
        FIELD(struct run_line, "containment", str, run.containment),
        FIELD(struct run_line, "containment_why", str, run.containment_why),
        FIELD(struct run_line, "jobs", u32, run.jobs),
        FIELD(struct run_line, "cases", u32, run.cases),
        FIELD(struct run_line, "wall", i64, run.wall),
        FIELD(struct run_line, "pid", i64, run.pid),
        FIELD(struct run_line, "pid_start", i64, run.pid_start),
        FIELD(struct run_line, "digest", hex, run.digest),
        FIELD(struct run_line, "soak", flag, run.soak),
        FIELD(struct run_line, "argv", args, run.argv),
    };
    struct run_line line = {0};
    uint32_t before = reading->arg_count;

    if (!read_fields(reading, fields, ARRAY_LEN(fields), &line)) {
        reading->arg_count = before;
        return false;
    }
    reading->arg_first = before;
    take_run(reading, &line);
    return true;
}

/* ---- what did not fit into a `run`, and what is told before the first case ---- */

struct list_line {
    uint32_t from;
};

bool read_argv(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct list_line, "from", u32, from),
        {"argv", field_args, 0},
    };
    struct list_line line = {0};
    uint32_t before = reading->arg_count;

    if (read_fields(reading, fields, ARRAY_LEN(fields), &line) && line.from == before - reading->arg_first)
        return true;
    reading->arg_count = before;
    return false;
}

/* A number that can be true: a hole in front of it is a line that we could not read, and holes take memory. */
static bool is_likely(const struct reading *reading, uint32_t number)
{
    return number <= reading->passed / ITEM_LEAST;
}

static bool read_test(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_test, "name", str, name),
        FIELD(struct journal_test, "file", str, file),
        FIELD(struct journal_test, "line", u32, line),
    };
    struct journal_test test = {0};
    uint32_t number = ((struct list_line *)into)->from++;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &test))
        return false;
    if (!is_likely(reading, number))
        return false;
    while (reading->test_count <= number) {
        GROW(reading->tests, reading->test_count, reading->test_cap);
        reading->tests[reading->test_count++] = (struct journal_test){0};
    }
    if (!reading->tests[number].name.len)
        reading->tests[number] = test;
    return true;
}

static bool field_tests(struct reading *reading, void *into)
{
    return read_items(reading, read_test, into);
}

bool read_tests(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct list_line, "from", u32, from),
        {"tests", field_tests, 0},
    };
    struct list_line line = {0};
    uint32_t before = reading->test_count;

    if (read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return true;
    reading->test_count = before;
    return false;
}

static bool read_case(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_case, "id", str, id),
        FIELD(struct journal_case, "test", u32, test),
        FIELD(struct journal_case, "cell", json, cell),
    };
    struct journal_case c = {.cell = STR("{}")};
    uint32_t number = ((struct list_line *)into)->from++;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &c))
        return false;
    if (!is_likely(reading, number))
        return false;
    while (reading->case_count <= number) {
        GROW(reading->cases, reading->case_count, reading->case_cap);
        reading->cases[reading->case_count++] = (struct entry){.what.cell = STR("{}")};
    }
    /* Told again by who resumed the run: nothing has changed. */
    if (!reading->cases[number].what.id.len)
        reading->cases[number].what = c;
    return true;
}

static bool field_cases(struct reading *reading, void *into)
{
    return read_items(reading, read_case, into);
}

bool read_cases(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct list_line, "from", u32, from),
        {"cases", field_cases, 0},
    };
    struct list_line line = {0};
    uint32_t before = reading->case_count;

    if (read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return true;
    reading->case_count = before;
    return false;
}

/* ---- while it goes on, and at its end ---- */

struct event_line {
    struct str text;
    nanos at;
    int exit_code;
};

/* The last thing that happened is how long the run has taken. */
static bool read_event(struct reading *reading, struct event_line *line)
{
    static const struct field fields[] = {
        FIELD(struct event_line, "at", time, at),
        FIELD(struct event_line, "text", str, text),
        FIELD(struct event_line, "why", str, text),
        FIELD(struct event_line, "exit", int, exit_code),
    };

    *line = (struct event_line){0};
    if (!read_fields(reading, fields, ARRAY_LEN(fields), line))
        return false;
    time_passed(reading, &line->at);
    return true;
}

bool read_note(struct reading *reading)
{
    struct event_line line;

    if (!read_event(reading, &line))
        return false;
    GROW(reading->notes, reading->note_count, reading->note_cap);
    reading->notes[reading->note_count++] = line.text;
    return true;
}

bool read_cancel(struct reading *reading)
{
    struct event_line line;

    if (!read_event(reading, &line))
        return false;
    reading->record->cancelled = line.text.len ? line.text : str_of("cancelled");
    return true;
}

bool read_finish(struct reading *reading)
{
    struct event_line line;

    if (!read_event(reading, &line))
        return false;
    reading->record->finished = true;
    reading->record->exit_code = line.exit_code;
    return true;
}
