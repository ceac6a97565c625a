/*
 * Annotations: commands to GitHub's runner, which shows them beside the code. It takes ten errors and ten warnings of a step, so
 * those come first that explain others, and what fails in one place in many cases is said once.
 */
#include "runner/report/internal.h"

#include "runner/base/harmless.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <string.h>

#define NOTES_MOST 10 /* of each kind, as GitHub has it */
#define TITLE_MOST 250
#define IDS_MOST   5 /* that are named of those which fail in one place */
#define WORDS_MOST ((size_t)2 << 10)

static struct str folder_of(struct str path)
{
    const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;

    return str_slice(path, 0, slash ? (size_t)(slash - path.ptr) : 0);
}

static bool is_absolute(struct str path)
{
    return path.len && path.ptr[0] == '/';
}

/* ---- what is to be said, the most important first ---- */

struct note {
    unsigned rank;
    struct buf test; /* whose it is, where the place alone is not enough; of a result, which is gone by now */
    struct buf file; /* as GitHub wants it */
    uint32_t line, count;
    struct buf title, message, ids;
};

struct notes {
    const struct report_input *input;
    const char *kind;
    struct note list[NOTES_MOST]; /* by rank, and as they come */
    uint32_t count;
    uint64_t all; /* also those that found no room */
};

/* A fixture that fails explains all that were not run; a crash or a hang says more than what came of it. */
static const unsigned ranks[VERDICT_COUNT] = {
    [VERDICT_ERROR] = 0,          [VERDICT_CRASHED] = 1, [VERDICT_TIMEOUT] = 1,      [VERDICT_OOM] = 1,
    [VERDICT_ABANDONED] = 1,      [VERDICT_FAILED] = 2,  [VERDICT_OUTPUT_LIMIT] = 3, [VERDICT_LEAKED] = 3,
    [VERDICT_XPASSED_STRICT] = 4, [VERDICT_LOST] = 4,    [VERDICT_FLAKY] = 5,        [VERDICT_PASSED] = 6,
};

static void note_release(struct note *note)
{
    buf_release(&note->test);
    buf_release(&note->file);
    buf_release(&note->title);
    buf_release(&note->message);
    buf_release(&note->ids);
}

/* Its place in the list; NULL: there is none for it. */
static struct note *make_room(struct notes *notes, unsigned rank)
{
    uint32_t at = notes->count;

    if (at == NOTES_MOST && notes->list[at - 1].rank <= rank)
        return NULL;
    if (at == NOTES_MOST)
        note_release(&notes->list[--at]);
    else
        notes->count++;
    for (; at > 0 && notes->list[at - 1].rank > rank; at--)
        notes->list[at] = notes->list[at - 1];
    notes->list[at] = (struct note){.rank = rank};
    return &notes->list[at];
}

struct found {
    enum verdict verdict;
    const char *word;          /* "crashed", "failed in quarantine" */
    struct str id, test, file; /* file: empty where it is not known */
    struct str folder;         /* what it is relative to */
    uint32_t line;
    struct str words; /* lines, of others */
};

static void add_lines(struct buf *out, struct str text)
{
    struct str line;

    text = utf8_cut(text, WORDS_MOST);
    while (line_next(&text, &line)) {
        if (out->len)
            buf_addc(out, '\n');
        text_harmless(out, line, false);
    }
}

static struct note *same_place(struct notes *notes, unsigned rank, const struct buf *file,
                               const struct found *found)
{
    for (uint32_t i = 0; i < notes->count; i++) {
        struct note *note = &notes->list[i];

        if (note->rank == rank && note->line == found->line && str_eq(buf_str(&note->file), buf_str(file)) &&
            str_eq(buf_str(&note->test), found->test))
            return note;
    }
    return NULL;
}

static void add_again(struct note *note, const struct found *found)
{
    if (note->count++ > IDS_MOST)
        return;
    buf_adds(&note->ids, note->ids.len ? ", " : "");
    utf8_show(&note->ids, found->id);
}

static void begin(struct note *note, struct buf *file, const struct found *found)
{
    struct buf title = {0};

    buf_addstr(&note->test, found->test);
    note->file = *file;
    *file = (struct buf){0};
    note->line = found->line;
    note->count = 1;
    buf_addf(&title, "%s: ", found->word);
    utf8_show(&title, found->id);
    buf_addstr(&note->title, utf8_cut(buf_str(&title), TITLE_MOST));
    buf_release(&title);
    add_lines(&note->message, found->words);
}

static void add_found(struct notes *notes, const struct found *found)
{
    unsigned rank = ranks[found->verdict];
    struct buf file = {0};
    struct note *note;

    notes->all++;
    annotation_file(&file, notes->input->options->workspace, found->folder, found->file);
    note = same_place(notes, rank, &file, found);
    if (note)
        add_again(note, found);
    else if ((note = make_room(notes, rank)))
        begin(note, &file, found);
    buf_release(&file);
}

/* ---- cases ---- */

static const struct journal_said *failure_said(const struct journal_attempt *attempt)
{
    for (uint32_t i = 0; attempt && i < attempt->said_count; i++)
        if (attempt->said[i].file.len && !str_is(attempt->said[i].kind, "note"))
            return &attempt->said[i];
    return NULL;
}

/* Folder of the suite, from the root of everything: what a test says of files is relative to that. */
static struct str suite_folder(const struct report_input *input, const struct journal_test *test,
                               struct buf *scratch)
{
    buf_clear(scratch);
    if (!is_absolute(test->file)) {
        buf_addstr(scratch, input->record->run.folder);
        buf_addc(scratch, '/');
    }
    buf_addstr(scratch, folder_of(test->file));
    return buf_str(scratch);
}

/* Of a flaky case the attempt that failed. */
static const struct journal_attempt *telling_attempt(const struct journal_history *history)
{
    for (uint32_t i = history->count; i-- > 0;)
        if (attempt_failed(&history->attempts[i]))
            return &history->attempts[i];
    return journal_last(history);
}

static void add_words(const struct report_input *input, const struct journal_history *history,
                      const struct journal_attempt *attempt, struct buf *out)
{
    buf_addstr(out, attempt ? attempt->reason : case_reason(input, history));
    for (uint32_t i = 0; attempt && i < attempt->said_count; i++) {
        buf_addc(out, '\n');
        buf_addstr(out, attempt->said[i].words);
    }
    for (uint32_t i = 0; attempt && i < attempt->leak_count; i++) {
        buf_adds(out, "\nleft behind: ");
        leak_format(out, &attempt->leaks[i]);
    }
    buf_adds(out, out->len ? "\nagain: " : "again: ");
    report_rerun(input, history->what, out);
}

static void add_case(struct notes *notes, const struct journal_history *history, const char *word)
{
    const struct report_input *input = notes->input;
    const struct journal_test *test = &input->record->tests[history->what->test];
    const struct journal_attempt *attempt = telling_attempt(history);
    const struct journal_said *said = failure_said(attempt);
    struct buf words = {0}, folder = {0};
    struct found found = {journal_outcome(history),
                          word,
                          history->what->id,
                          test->name,
                          test->file,
                          input->record->run.folder,
                          test->line,
                          {0}};

    if (said) {
        found.file = said->file;
        found.line = said->line;
        found.folder = suite_folder(input, test, &folder);
    }
    add_words(input, history, attempt, &words);
    found.words = buf_str(&words);
    add_found(notes, &found);
    buf_release(&words);
    buf_release(&folder);
}

/* ---- results of a case ---- */

struct walk {
    struct notes *notes;
    const struct journal_history *history;
    const struct journal_test *test;
    struct str folder;
    const char *word; /* of all; NULL: of each its own */
    bool flaky;
};

static bool add_result(void *user, const struct journal_result *result)
{
    struct walk *walk = user;
    struct buf id = {0}, words = {0};
    struct found found = {
        .verdict = result->verdict, .folder = walk->folder, .file = result->file, .line = result->line};
    bool wanted =
        walk->flaky ? result->verdict == VERDICT_FLAKY : verdict_counts(result->verdict) == COUNT_FAILED;

    if (!wanted)
        return true;
    result_id(&id, walk->history->what->id, result->id);
    found.word = walk->word ? walk->word : verdict_word(result->verdict);
    found.id = buf_str(&id);
    found.test = result->file.len ? result->id : walk->test->name;
    if (!result->file.len) {
        found.file = walk->test->file;
        found.line = walk->test->line;
        found.folder = walk->notes->input->record->run.folder;
    }
    buf_addstr(&words, result->message);
    buf_adds(&words, words.len ? "\n" : "");
    buf_addstr(&words, result->details);
    found.words = buf_str(&words);
    add_found(walk->notes, &found);
    buf_release(&id);
    buf_release(&words);
    return true;
}

static void add_results(struct notes *notes, const struct journal_history *history, const char *word,
                        bool flaky)
{
    const struct journal_attempt *attempt = case_results(history);
    const struct journal_test *test = &notes->input->record->tests[history->what->test];
    struct buf folder = {0};
    struct walk walk = {notes, history, test, suite_folder(notes->input, test, &folder), word, flaky};
    struct results_read read;

    read = results_each(notes->input, attempt, add_result, &walk);
    if (!flaky && case_itself(history, read))
        add_case(notes, history, word ? word : verdict_word(journal_outcome(history)));
    buf_release(&folder);
}

/* ---- all ---- */

static bool warns_of_leaks(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    for (uint32_t i = 0; last && i < last->leak_count; i++)
        if (!last->leaks[i].fails)
            return true;
    return false;
}

static bool fails_as_flaky(const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    return last && last->flaky_fails && !last->quarantined;
}

static void look_at(struct notes *errors, struct notes *warnings, const struct journal_history *history)
{
    enum verdict outcome = journal_outcome(history);
    bool failed = verdict_counts(outcome) == COUNT_FAILED, quarantined = case_quarantined(history);
    struct notes *notes = quarantined ? warnings : errors;
    const char *word = quarantined ? "failed in quarantine" : NULL;

    if (failed && case_results(history))
        add_results(notes, history, word, false);
    else if (failed)
        add_case(notes, history, word ? word : verdict_word(outcome));
    else if (outcome == VERDICT_FLAKY)
        add_case(fails_as_flaky(history) ? errors : warnings, history, "flaky");
    else if (case_results(history) && case_results(history)->results->verdicts[VERDICT_FLAKY])
        add_results(fails_as_flaky(history) ? errors : warnings, history, "flaky", true);
    else if (verdict_counts(outcome) == COUNT_PASSED && warns_of_leaks(history))
        add_case(warnings, history, "left something behind");
}

static void tell(const struct notes *notes, struct buf *out)
{
    for (uint32_t i = 0; i < notes->count; i++) {
        const struct note *note = &notes->list[i];
        struct buf message = {0};

        if (note->ids.len)
            buf_addf(&message, "and %u more like it: %s%s\n", note->count - 1, buf_text(&note->ids),
                     note->count - 1 > IDS_MOST ? ", ..." : "");
        buf_addstr(&message, buf_str(&note->message));
        annotation_add(out, &(struct annotation){notes->kind, buf_str(&note->file), note->line, 0,
                                                 buf_str(&note->title), buf_str(&message)});
        buf_release(&message);
    }
}

static void notes_release(struct notes *notes)
{
    for (uint32_t i = 0; i < notes->count; i++)
        note_release(&notes->list[i]);
}

void report_annotations(const struct report_input *input, struct buf *out)
{
    struct notes errors = {.input = input, .kind = "error"}, warnings = {.input = input, .kind = "warning"};

    for (uint32_t i = 0; i < input->record->case_count; i++)
        look_at(&errors, &warnings, &input->record->cases[i]);
    tell(&errors, out);
    tell(&warnings, out);
    notes_release(&errors);
    notes_release(&warnings);
}
