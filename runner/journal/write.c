/* One function per record. docs/journal.md shows what comes out. */
#include "runner/journal/internal.h"

/*
 * What texts may take, in bytes between quotes: a record holds them all at their longest. Those with digits and
 * brackets around them are counted generously.
 */
#define NAME_MOST    256
#define PATH_MOST    ((size_t)8 << 10)
#define ID_MOST      ((size_t)16 << 10)
#define CELL_MOST    ((size_t)32 << 10)
#define ARG_MOST     ((size_t)40 << 10)
#define NOTE_MOST    ((size_t)56 << 10) /* of the run */
#define REASON_MOST  ((size_t)11 << 9)
#define FACT_MOST    1024
#define KEPT_MOST    ((size_t)2 << 10) /* path of an output */
#define ALIVE_MOST   512
#define WHY_MOST     ((size_t)2 << 10)
#define WORD_MOST    32 /* of signals, targets, kinds */
#define WHAT_MOST    256
#define WORDS_MOST   320
#define PROBLEM_MOST 512
#define REPORT_MOST  512
#define RESULTS_MOST (REPORT_MOST + FACT_MOST + JOURNAL_PROBLEMS_MOST * PROBLEM_MOST)
#define NUMBERS      1024 /* all keys and numbers of a record */
#define FRAME        128  /* the same for an item of a list */

_Static_assert(NUMBERS + REASON_MOST + RESULTS_MOST + 2 * NAME_MOST + WORD_MOST + FRAME + NUMBERS / 2 +
                       JOURNAL_NOTES_MOST * (FACT_MOST + FRAME) +
                       JOURNAL_OUTPUTS_MOST * (NAME_MOST + KEPT_MOST + FRAME) +
                       JOURNAL_RUNGS_MOST * (2 * WORD_MOST + ALIVE_MOST + FRAME) +
                       JOURNAL_LEAKS_MOST * (WORD_MOST + WHAT_MOST + WORDS_MOST + FRAME) <
                   JOURNAL_RECORD_MOST,
               "the end of an attempt fits into a record");
_Static_assert(FRAME + ID_MOST + CELL_MOST + FRAME < JOURNAL_RECORD_MOST, "a case fits into a record");
_Static_assert(FRAME + ID_MOST + PATH_MOST + FRAME < JOURNAL_RECORD_MOST, "a test fits into a record");
_Static_assert(FRAME + ARG_MOST + FRAME < JOURNAL_RECORD_MOST, "an argument fits into a record");
_Static_assert(NUMBERS + 4 * NAME_MOST + 2 * PATH_MOST + WHY_MOST < JOURNAL_RECORD_MOST,
               "a run fits into a record");

#define EVENT(journal, name) event((journal), "{\"ev\":\"" name "\"", sizeof("{\"ev\":\"" name "\"") - 1)

static struct buf *event(struct journal *journal, const char *text, size_t len)
{
    buf_clear(&journal->line);
    buf_add(&journal->line, text, len);
    return &journal->line;
}

static int end_event(struct journal *journal)
{
    buf_addc(&journal->line, '}');
    return journal_append(journal);
}

/* ---- lists: as many items as fit into a record, the rest into the next ---- */

struct list {
    const char *key; /* of the record and of the array in it */
    void (*add)(struct buf *line, const void *items, uint32_t i);
    const void *items;
    uint32_t count;
};

/* From the i-th on; which one is next. */
static uint32_t add_items(struct buf *line, const struct list *list, uint32_t i)
{
    const char *comma = "";

    buf_addf(line, ",\"%s\":[", list->key);
    for (; i < list->count; i++, comma = ",") {
        size_t before = line->len;

        buf_adds(line, comma);
        list->add(line, list->items, i);
        if (line->len + sizeof "]}" > JOURNAL_RECORD_MOST) {
            line->len = before;
            break;
        }
    }
    buf_addc(line, ']');
    return i;
}

/* Items from the i-th on, numbered from `first` on. */
static int write_list(struct journal *journal, const struct list *list, uint32_t i, uint32_t first)
{
    while (i < list->count) {
        struct buf *line = event(journal, "{", 1);

        buf_addf(line, "\"ev\":\"%s\"", list->key);
        line_int(line, "from", first + i);
        i = add_items(line, list, i);
        if (end_event(journal) < 0)
            return -1;
    }
    return 0;
}

/* ---- before the first case ---- */

static void add_arg(struct buf *line, const void *items, uint32_t i)
{
    line_quote(line, ((const struct str *)items)[i], ARG_MOST);
}

int journal_run(struct journal *journal, const struct journal_run *run)
{
    struct list argv = {"argv", add_arg, run->argv, run->argc};
    struct buf *line = EVENT(journal, "run");
    uint32_t written;

    line_int(line, "schema", JOURNAL_SCHEMA);
    line_text(line, "id", run->id, NAME_MOST);
    line_text(line, "version", run->version, NAME_MOST);
    line_text(line, "file", run->file, PATH_MOST);
    line_text(line, "folder", run->folder, PATH_MOST);
    line_text(line, "profile", run->profile, NAME_MOST);
    line_text(line, "containment", run->containment, NAME_MOST);
    line_text(line, "containment_why", run->containment_why, WHY_MOST);
    line_int(line, "jobs", run->jobs);
    line_int(line, "cases", run->cases);
    line_int(line, "wall", run->wall);
    line_int(line, "pid", run->pid);
    line_int(line, "pid_start", run->pid_start);
    /* Readers whose numbers are doubles would spoil it. */
    buf_addf(line, ",\"digest\":\"%016llx\"", (unsigned long long)run->digest);
    line_flag(line, "soak", run->soak);
    written = add_items(line, &argv, 0);
    if (end_event(journal) < 0)
        return -1;
    journal->tests = journal->cases = 0;
    return write_list(journal, &argv, written, 0);
}

static void add_test(struct buf *line, const void *items, uint32_t i)
{
    const struct journal_test *test = (const struct journal_test *)items + i;

    LINE_ADD(line, "{\"name\":");
    line_quote(line, test->name, ID_MOST);
    line_text(line, "file", test->file, PATH_MOST);
    if (test->line)
        line_int(line, "line", test->line);
    buf_addc(line, '}');
}

int journal_tests(struct journal *journal, const struct journal_test *tests, uint32_t count)
{
    struct list list = {"tests", add_test, tests, count};
    uint32_t first = journal->tests;

    journal->tests += count;
    return write_list(journal, &list, 0, first);
}

/* A cell as it was given, if it fits: half an object would be none. */
static void add_cell(struct buf *line, struct str cell)
{
    size_t at;

    if (!cell.len || cell.len > CELL_MOST)
        return;
    LINE_ADD(line, ",\"cell\":");
    at = line->len;
    buf_addstr(line, cell);
    for (; at < line->len; at++)
        if (line->ptr[at] == '\n')
            line->ptr[at] = ' '; /* JSON on several lines */
}

static void add_case(struct buf *line, const void *items, uint32_t i)
{
    const struct journal_case *c = (const struct journal_case *)items + i;

    LINE_ADD(line, "{\"id\":");
    line_quote(line, c->id, ID_MOST);
    line_int(line, "test", c->test);
    add_cell(line, c->cell);
    buf_addc(line, '}');
}

int journal_cases(struct journal *journal, const struct journal_case *cases, uint32_t count)
{
    struct list list = {"cases", add_case, cases, count};
    uint32_t first = journal->cases;

    journal->cases += count;
    return write_list(journal, &list, 0, first);
}

int journal_case_more(struct journal *journal, uint32_t number, const struct journal_case *c)
{
    struct list list = {"cases", add_case, c, 1};

    return write_list(journal, &list, 0, number);
}

/* ---- cases ---- */

int journal_started(struct journal *journal, uint32_t number, uint32_t attempt, uint32_t slot, int64_t pid,
                    nanos at)
{
    struct buf *line = EVENT(journal, "start");

    line_int(line, "case", number);
    line_int(line, "attempt", attempt);
    line_int(line, "slot", slot);
    line_int(line, "pid", pid);
    line_time(line, "at", at);
    return end_event(journal);
}

static void add_outputs(struct buf *line, const struct journal_attempt *attempt)
{
    for (uint32_t i = 0; i < attempt->output_count && i < JOURNAL_OUTPUTS_MOST; i++) {
        const struct journal_output *output = &attempt->outputs[i];

        buf_adds(line, i ? ",{\"name\":" : ",\"outputs\":[{\"name\":");
        line_quote(line, output->name, NAME_MOST);
        line_int(line, "size", (int64_t)output->size);
        line_text(line, "path", output->path, KEPT_MOST);
        if (output->offset >= 0)
            line_int(line, "offset", output->offset);
        buf_addc(line, '}');
    }
    if (attempt->output_count)
        buf_addc(line, ']');
}

static void add_rungs(struct buf *line, const struct journal_attempt *attempt)
{
    for (uint32_t i = 0; i < attempt->rung_count && i < JOURNAL_RUNGS_MOST; i++) {
        const struct journal_rung *rung = &attempt->rungs[i];

        buf_adds(line, i ? ",{\"signal\":" : ",\"rungs\":[{\"signal\":");
        line_quote(line, rung->signal, WORD_MOST);
        line_text(line, "target", rung->target, WORD_MOST);
        line_text(line, "alive", rung->alive, ALIVE_MOST);
        line_time(line, "at", rung->at);
        buf_addc(line, '}');
    }
    if (attempt->rung_count)
        buf_addc(line, ']');
}

static void add_notes(struct buf *line, const struct journal_attempt *attempt)
{
    for (uint32_t i = 0; i < attempt->note_count && i < JOURNAL_NOTES_MOST; i++) {
        buf_adds(line, i ? "," : ",\"notes\":[");
        line_quote(line, attempt->notes[i], FACT_MOST);
    }
    if (attempt->note_count)
        buf_addc(line, ']');
}

static void add_leak(struct buf *line, const struct journal_leak *leak)
{
    LINE_ADD(line, "{\"kind\":");
    line_quote(line, leak->kind, WORD_MOST);
    line_text(line, "what", leak->what, WHAT_MOST);
    line_text(line, "words", leak->words, WORDS_MOST);
    if (leak->pid)
        line_int(line, "pid", leak->pid);
    line_flag(line, "fails", leak->fails);
    line_flag(line, "ended", leak->ended);
    buf_addc(line, '}');
}

static void add_leaks(struct buf *line, const struct journal_attempt *attempt)
{
    uint32_t most = attempt->leak_count < JOURNAL_LEAKS_MOST ? attempt->leak_count : JOURNAL_LEAKS_MOST;
    uint32_t more = attempt->leaks_more + (attempt->leak_count - most);

    for (uint32_t i = 0; i < most; i++) {
        buf_adds(line, i ? "," : ",\"leaks\":[");
        add_leak(line, &attempt->leaks[i]);
    }
    if (most)
        buf_addc(line, ']');
    if (more)
        line_int(line, "leaks_more", more);
}

static void add_problems(struct buf *line, const struct journal_results *results)
{
    for (uint32_t i = 0; i < results->problem_count && i < JOURNAL_PROBLEMS_MOST; i++) {
        buf_adds(line, i ? "," : ",\"problems\":[");
        line_quote(line, results->problems[i], PROBLEM_MOST);
    }
    if (results->problem_count)
        buf_addc(line, ']');
    if (results->problems_more)
        line_int(line, "problems_more", results->problems_more);
}

/* Keys of the counts are the words of the verdicts. */
static void add_results(struct buf *line, const struct journal_results *results)
{
    const char *comma = "";

    LINE_ADD(line, ",\"results\":{\"counts\":{");
    for (int v = 0; v < VERDICT_COUNT; v++)
        if (results->verdicts[v]) {
            buf_addf(line, "%s\"%s\":%u", comma, verdict_word((enum verdict)v), results->verdicts[v]);
            comma = ",";
        }
    buf_addc(line, '}');
    if (results->unlisted)
        line_int(line, "unlisted", (int64_t)results->unlisted);
    if (results->left_out)
        line_int(line, "left_out", (int64_t)results->left_out);
    if (results->announced >= 0)
        line_int(line, "announced", results->announced);
    if (results->asked)
        line_int(line, "asked", results->asked);
    line_text(line, "path", results->path, FACT_MOST);
    line_text(line, "report", results->report, REPORT_MOST);
    add_problems(line, results);
    buf_addc(line, '}');
}

static const char *add_part(struct buf *line, const char *before, const char *key, nanos part)
{
    if (part <= 0)
        return before;
    buf_addf(line, "%s\"%s\":", before, key);
    line_number(line, part / NS_PER_US);
    return ",";
}

static void add_phases(struct buf *line, const struct journal_attempt *attempt)
{
    const char *before = ",\"phases\":{";

    before = add_part(line, before, "setup", attempt->in_setup);
    before = add_part(line, before, "call", attempt->in_call);
    before = add_part(line, before, "teardown", attempt->in_teardown);
    if (!before[1])
        buf_addc(line, '}');
}

/* What was measured, less what is nothing. */
static void add_usage(struct buf *line, const struct journal_attempt *attempt)
{
    if (attempt->setup)
        line_time(line, "setup", attempt->setup);
    if (attempt->teardown)
        line_time(line, "teardown", attempt->teardown);
    add_phases(line, attempt);
    if (attempt->user)
        line_time(line, "user", attempt->user);
    if (attempt->system)
        line_time(line, "system", attempt->system);
    if (attempt->rss)
        line_int(line, "rss", attempt->rss);
    if (attempt->status >= 0)
        line_int(line, "status", attempt->status);
    if (attempt->signal)
        line_int(line, "signal", attempt->signal);
    line_flag(line, "core", attempt->core);
}

static void add_quarantine(struct buf *line, const struct journal_quarantine *quarantine)
{
    LINE_ADD(line, ",\"quarantine\":{\"until\":");
    line_quote(line, quarantine->until, WORD_MOST);
    line_text(line, "owner", quarantine->owner, NAME_MOST);
    line_text(line, "reason", quarantine->reason, NAME_MOST);
    buf_addc(line, '}');
}

int journal_ended(struct journal *journal, const struct journal_attempt *attempt)
{
    struct buf *line = EVENT(journal, "end");

    line_int(line, "case", attempt->number);
    line_int(line, "attempt", attempt->attempt);
    line_text(line, "verdict", str_of(verdict_word(attempt->verdict)), NAME_MOST);
    line_time(line, "duration", attempt->duration);
    line_time(line, "at", attempt->at);
    line_int(line, "slot", attempt->slot);
    if (attempt->last)
        line_text(line, "outcome", str_of(verdict_word(attempt->outcome)), NAME_MOST);
    line_flag(line, "flaky_fails", attempt->flaky_fails);
    line_flag(line, "quarantined", attempt->quarantined);
    if (attempt->quarantine)
        add_quarantine(line, attempt->quarantine);
    line_text(line, "reason", attempt->reason, REASON_MOST);
    add_usage(line, attempt);
    add_outputs(line, attempt);
    add_rungs(line, attempt);
    add_notes(line, attempt);
    add_leaks(line, attempt);
    line_text(line, "dump", attempt->dump, FACT_MOST);
    line_flag(line, "dump_partial", attempt->dump_partial);
    if (attempt->results)
        add_results(line, attempt->results);
    return end_event(journal);
}

/* ---- the run as a whole ---- */

int journal_note(struct journal *journal, struct str text, nanos at)
{
    struct buf *line = EVENT(journal, "note");

    line_time(line, "at", at);
    line_text(line, "text", text, NOTE_MOST);
    return end_event(journal);
}

int journal_cancelled(struct journal *journal, struct str why, nanos at)
{
    struct buf *line = EVENT(journal, "cancel");

    line_time(line, "at", at);
    line_text(line, "why", why, NOTE_MOST);
    return end_event(journal);
}

int journal_slower(struct journal *journal, uint32_t number, nanos was, uint32_t runs)
{
    struct buf *line = EVENT(journal, "slower");

    line_int(line, "case", number);
    line_time(line, "was", was);
    line_int(line, "runs", runs);
    return end_event(journal);
}

int journal_finished(struct journal *journal, int exit_code, nanos at)
{
    struct buf *line = EVENT(journal, "finish");

    line_time(line, "at", at);
    line_int(line, "exit", exit_code);
    return end_event(journal);
}
