/* One JSON document, a case a line: docs/reports.md. */
#include "runner/report/internal.h"

#include "runner/base/json.h"
#include "runner/base/sig.h"

/* ---- values ---- */

static void add_str(struct json_writer *w, const char *key, struct str value)
{
    json_key_c(w, key);
    json_str(w, value);
}

/* null where there is none. */
static void add_optional(struct json_writer *w, const char *key, struct str value)
{
    json_key_c(w, key);
    if (value.len)
        json_str(w, value);
    else
        json_null(w);
}

static void add_int(struct json_writer *w, const char *key, long long value)
{
    json_key_c(w, key);
    json_int(w, value);
}

static void add_seconds(struct json_writer *w, const char *key, nanos time)
{
    json_key_c(w, key);
    json_double(w, (double)time / NS_PER_S);
}

static void add_bool(struct json_writer *w, const char *key, bool value)
{
    json_key_c(w, key);
    json_bool(w, value);
}

/* The text of an object from the journal; what is none is an empty one. */
static void add_object(struct json_writer *w, const char *key, struct str json)
{
    struct json_reader r = {.input = json};
    enum json_token token = json_next(&r);
    bool object = token == JSON_OBJECT;

    while (token != JSON_END && token != JSON_ERROR)
        token = json_next(&r);
    json_reader_release(&r);
    json_key_c(w, key);
    json_raw(w, object && token == JSON_END ? json : str_of("{}"));
}

/* ---- an attempt ---- */

static void add_outputs(struct json_writer *w, const struct journal_attempt *attempt)
{
    json_key_c(w, "outputs");
    json_array(w);
    for (uint32_t i = 0; i < attempt->output_count; i++) {
        const struct journal_output *output = &attempt->outputs[i];

        json_object(w);
        add_str(w, "name", output->name);
        add_int(w, "size", (long long)output->size);
        add_optional(w, "path", output->path);
        if (!output->path.len && output->offset >= 0)
            add_int(w, "offset", output->offset);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_files(struct json_writer *w, const struct journal_files *files)
{
    json_key_c(w, "files");
    json_object(w);
    add_optional(w, "folder", files->folder);
    add_int(w, "size", (long long)files->size);
    json_key_c(w, "list");
    json_array(w);
    for (uint32_t i = 0; i < files->count; i++) {
        json_object(w);
        add_str(w, "name", files->list[i].name);
        add_int(w, "size", (long long)files->list[i].size);
        json_object_end(w);
    }
    json_array_end(w);
    add_int(w, "more", (long long)files->more);
    json_object_end(w);
}

static void add_rungs(struct json_writer *w, const struct journal_attempt *attempt)
{
    json_key_c(w, "ladder");
    json_array(w);
    for (uint32_t i = 0; i < attempt->rung_count; i++) {
        const struct journal_rung *rung = &attempt->rungs[i];

        json_object(w);
        add_str(w, "signal", rung->signal);
        add_str(w, "target", rung->target);
        add_seconds(w, "at", rung->at);
        add_str(w, "alive", rung->alive);
        json_object_end(w);
    }
    json_array_end(w);
}

static void add_strings(struct json_writer *w, const char *key, const struct str *strings, uint32_t count)
{
    json_key_c(w, key);
    json_array(w);
    for (uint32_t i = 0; i < count; i++)
        json_str(w, strings[i]);
    json_array_end(w);
}

static void add_leaks(struct json_writer *w, const struct journal_attempt *attempt)
{
    json_key_c(w, "leaks");
    json_array(w);
    for (uint32_t i = 0; i < attempt->leak_count; i++) {
        const struct journal_leak *leak = &attempt->leaks[i];

        json_object(w);
        add_str(w, "kind", leak->kind);
        add_str(w, "what", leak->what);
        add_str(w, "words", leak->words);
        json_key_c(w, "pid");
        if (leak->pid)
            json_int(w, leak->pid);
        else
            json_null(w);
        add_bool(w, "fails", leak->fails);
        add_bool(w, "ended", leak->ended);
        json_object_end(w);
    }
    json_array_end(w);
    add_int(w, "leaks_more", attempt->leaks_more);
}

/* Of a C test alone. */
static void add_said(struct json_writer *w, const struct journal_attempt *attempt)
{
    if (!attempt->said_count)
        return;
    json_key_c(w, "said");
    json_array(w);
    for (uint32_t i = 0; i < attempt->said_count; i++) {
        const struct journal_said *said = &attempt->said[i];

        json_object(w);
        add_str(w, "kind", said->kind);
        add_optional(w, "file", said->file);
        add_int(w, "line", said->line);
        add_str(w, "words", said->words);
        add_int(w, "pid", said->pid);
        json_object_end(w);
    }
    json_array_end(w);
    add_int(w, "said_more", (long long)attempt->said_more);
}

static void add_phases(struct json_writer *w, const struct journal_attempt *attempt)
{
    if (!attempt->in_setup && !attempt->in_call && !attempt->in_teardown)
        return;
    json_key_c(w, "phases");
    json_object(w);
    add_seconds(w, "setup", attempt->in_setup);
    add_seconds(w, "call", attempt->in_call);
    add_seconds(w, "teardown", attempt->in_teardown);
    json_object_end(w);
}

static void add_ending(struct json_writer *w, const struct journal_attempt *attempt)
{
    json_key_c(w, "exit");
    if (attempt->status >= 0)
        json_int(w, attempt->status);
    else
        json_null(w);
    add_optional(w, "signal", str_of(attempt->signal ? signal_name(attempt->signal) : NULL));
    add_bool(w, "core", attempt->core);
}

static void add_attempt(struct json_writer *w, const struct journal_attempt *attempt)
{
    json_object(w);
    add_int(w, "attempt", attempt->attempt);
    add_str(w, "verdict", str_of(verdict_word(attempt->verdict)));
    add_str(w, "reason", attempt->reason);
    add_int(w, "slot", attempt->slot);
    add_seconds(w, "ended", attempt->at);
    add_seconds(w, "duration", attempt->duration);
    if (attempt->setup)
        add_seconds(w, "setup", attempt->setup);
    if (attempt->teardown)
        add_seconds(w, "teardown", attempt->teardown);
    add_phases(w, attempt);
    add_seconds(w, "user", attempt->user);
    add_seconds(w, "system", attempt->system);
    add_int(w, "rss", attempt->rss);
    add_ending(w, attempt);
    add_outputs(w, attempt);
    if (attempt->files)
        add_files(w, attempt->files);
    add_rungs(w, attempt);
    if (attempt->dump.len) {
        add_str(w, "dump", attempt->dump);
        add_bool(w, "dump_partial", attempt->dump_partial);
    }
    add_strings(w, "notes", attempt->notes, attempt->note_count);
    add_leaks(w, attempt);
    add_said(w, attempt);
    json_object_end(w);
}

/* ---- results within a case ---- */

/* A case stands in a line of its own; it is made in `line` and goes out piece by piece, for it may be long. */
struct case_line {
    struct buf line;
    struct json_writer inner;
    struct json_writer *outer;
    struct report_sink *sink;
    const struct journal_history *history;
    bool begun;
};

static void flush_line(struct case_line *c)
{
    if (c->begun)
        buf_addstr(&c->sink->buf, buf_str(&c->line));
    else
        json_raw(c->outer, buf_str(&c->line)); /* with the comma before it */
    c->begun = true;
    buf_clear(&c->line);
    report_sink_relax(c->sink);
}

static bool add_result(void *user, const struct journal_result *result)
{
    struct case_line *c = user;
    struct json_writer *w = &c->inner;
    struct buf id = {0};

    result_id(&id, c->history->what->id, result->id);
    json_object(w);
    add_str(w, "id", buf_str(&id));
    add_str(w, "name", result->id);
    add_str(w, "verdict", str_of(verdict_word(result->verdict)));
    add_str(w, "message", result->message);
    json_key_c(w, "duration");
    if (result->duration >= 0)
        json_double(w, (double)result->duration / NS_PER_S);
    else
        json_null(w);
    add_optional(w, "file", result->file);
    add_int(w, "line", result->line);
    add_int(w, "reruns", result->reruns);
    add_optional(w, "details", result->details);
    json_object_end(w);
    buf_release(&id);
    flush_line(c);
    return true;
}

static void add_results(struct case_line *c, const struct report_input *input)
{
    const struct journal_attempt *last = journal_last(c->history);
    struct results_read read;
    struct buf trouble = {0};

    if (!last || !last->results)
        return;
    json_key_c(&c->inner, "results");
    json_array(&c->inner);
    read = results_each(input, last, add_result, c);
    json_array_end(&c->inner);
    add_int(&c->inner, "unlisted", (long long)last->results->unlisted);
    add_optional(&c->inner, "report", last->results->report);
    add_strings(&c->inner, "problems", last->results->problems, last->results->problem_count);
    results_trouble(input, last, read, &trouble);
    add_optional(&c->inner, "results_missing", buf_str(&trouble));
    buf_release(&trouble);
}

/* ---- a case ---- */

static void add_quarantine(struct json_writer *w, const struct journal_record *record,
                           const struct journal_quarantine *quarantine)
{
    int64_t left;

    if (!quarantine)
        return;
    json_key_c(w, "quarantine");
    json_object(w);
    add_str(w, "owner", quarantine->owner);
    add_str(w, "reason", quarantine->reason);
    add_str(w, "until", quarantine->until);
    if (quarantine_days(record, quarantine, &left))
        add_int(w, "days_left", left);
    json_object_end(w);
}

static void add_slower(struct json_writer *w, const struct journal_history *history)
{
    json_key_c(w, "slower");
    json_object(w);
    add_seconds(w, "was", history->was);
    add_int(w, "runs", history->was_runs);
    json_object_end(w);
}

static void add_case(struct case_line *c, const struct report_input *input)
{
    const struct journal_history *history = c->history;
    const struct journal_case *what = history->what;
    const struct journal_test *test = &input->record->tests[what->test];
    struct json_writer *w = &c->inner;

    json_object(w);
    add_str(w, "id", what->id);
    add_str(w, "test", test->name);
    add_optional(w, "file", test->file);
    add_int(w, "line", test->line);
    add_object(w, "cell", what->cell);
    add_str(w, "verdict", str_of(verdict_word(journal_outcome(history))));
    add_str(w, "reason", case_reason(input, history));
    add_bool(w, "quarantined", case_quarantined(history));
    add_quarantine(w, input->record, case_quarantine(history));
    if (history->was_runs)
        add_slower(w, history);
    add_seconds(w, "duration", case_duration(history));
    json_key_c(w, "attempts");
    json_array(w);
    for (uint32_t i = 0; i < history->count; i++)
        add_attempt(w, &history->attempts[i]);
    json_array_end(w);
    add_results(c, input);
    json_object_end(w);
}

static void add_cases(struct json_writer *w, const struct report_input *input, struct report_sink *sink)
{
    struct case_line c = {.outer = w, .sink = sink};

    json_key_c(w, "cases");
    json_array(w);
    for (uint32_t i = 0; i < input->record->case_count; i++) {
        c.inner = (struct json_writer){.out = &c.line};
        c.history = &input->record->cases[i];
        c.begun = false;
        buf_addc(&c.line, '\n');
        add_case(&c, input);
        flush_line(&c);
    }
    json_array_end(w);
    buf_release(&c.line);
}

/* ---- the run ---- */

static void add_run(struct json_writer *w, const struct report_input *input)
{
    const struct journal_record *record = input->record;
    const struct journal_run *run = &record->run;
    struct buf started = {0};

    time_format(&started, run->wall);
    buf_addc(&started, 'Z');
    json_key_c(w, "run");
    json_object(w);
    add_str(w, "id", run->id);
    add_str(w, "version", run->version);
    add_str(w, "path", str_of(input->path));
    add_str(w, "folder", run->folder);
    add_optional(w, "file", run->file);
    add_strings(w, "argv", run->argv, run->argc);
    add_optional(w, "profile", run->profile);
    add_str(w, "containment", run->containment);
    add_optional(w, "containment_why", run->containment_why);
    add_int(w, "jobs", run->jobs);
    add_str(w, "started", buf_str(&started));
    add_seconds(w, "duration", record->duration);
    add_bool(w, "finished", record->finished);
    json_key_c(w, "exit");
    if (record->finished)
        json_int(w, record->exit_code);
    else
        json_null(w);
    add_optional(w, "cancelled", record->cancelled);
    add_strings(w, "notes", record->notes, record->note_count);
    json_object_end(w);
    buf_release(&started);
}

static void add_counts(struct json_writer *w, const struct journal_record *record)
{
    static const char *const words[] = {
#define X(id, word) word,
        COUNTS(X)
#undef X
    };
    struct journal_counts counts;

    journal_count(record, &counts);
    json_key_c(w, "counts");
    json_object(w);
    for (int i = 0; i < COUNT_COUNT; i++)
        add_int(w, words[i], (long long)counts.counts[i]);
    add_int(w, "quarantined", (long long)counts.quarantined);
    add_int(w, "executed", counts.executed);
    json_key_c(w, "verdicts");
    json_object(w);
    for (int i = 0; i < VERDICT_COUNT; i++)
        add_int(w, verdict_word((enum verdict)i), (long long)counts.verdicts[i]);
    json_object_end(w);
    json_object_end(w);
}

void report_json_write(const struct report_input *input, struct report_sink *sink)
{
    struct json_writer w = {.out = &sink->buf};

    json_object(&w);
    add_int(&w, "schema", 1);
    add_run(&w, input);
    add_counts(&w, input->record);
    add_cases(&w, input, sink);
    json_object_end(&w);
    buf_addc(&sink->buf, '\n');
}
