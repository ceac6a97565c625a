#include "runner/verdict.h"

#include "runner/base/mem.h"
#include "runner/base/sig.h"
#include "runner/base/utf8.h"
#include "runner/verdict_words.h"

#include <signal.h>
#include <string.h>

static const char disk_full_words[] = "no room was left on the disk: its output may be cut";

/* ---- facts ---- */

bool ended_by_itself(const struct facts *f)
{
    return f->executed && !f->lost && !f->abandoned && f->cause == WATCH_NO_CAUSE;
}

static bool is_lost(const struct facts *f)
{
    return f->lost;
}

static bool is_not_set_up(const struct facts *f)
{
    return f->setup != NULL;
}

static bool is_stuck_in_setup(const struct facts *f)
{
    return f->cause == WATCH_DEADLINE && f->phase == WATCH_SETUP;
}

static bool is_stuck_in_teardown(const struct facts *f)
{
    return f->cause == WATCH_DEADLINE && f->phase == WATCH_TEARDOWN;
}

/* Ended by somebody before it was what it should have become. */
static bool is_never_executed(const struct facts *f)
{
    return !f->executed && !f->setup && !f->lost && !f->abandoned && f->cause == WATCH_NO_CAUSE;
}

static bool says_error(const struct facts *f)
{
    return ended_by_itself(f) && (f->status == EXIT_STATUS_ERROR || (!f->signal && said_error(f)));
}

/* Not the reason for its end: it was ended, or died. */
static bool said_error_besides(const struct facts *f)
{
    return said_error(f) && !says_error(f);
}

/* Its time was up and it did not come back: then its host had to go. */
static bool is_retired(const struct facts *f)
{
    return f->in_process && f->signal && (f->cause == WATCH_DEADLINE || f->cause == WATCH_SESSION);
}

static bool is_abandoned(const struct facts *f)
{
    return f->abandoned || is_retired(f);
}

static bool is_cancelled(const struct facts *f)
{
    return f->cause == WATCH_CANCEL;
}

static bool is_out_of_memory(const struct facts *f)
{
    return f->oom != NULL;
}

static bool is_flood(const struct facts *f)
{
    return f->cause == WATCH_FLOOD || f->flooded;
}

static bool is_late(const struct facts *f)
{
    return f->cause == WATCH_DEADLINE && f->phase == WATCH_CALL;
}

static bool is_late_for_session(const struct facts *f)
{
    return f->cause == WATCH_SESSION;
}

static bool is_crashed(const struct facts *f)
{
    return ended_by_itself(f) && f->signal;
}

static bool has_failed_status(const struct facts *f)
{
    return ended_by_itself(f) && !f->signal && f->status != 0 && f->status != EXIT_STATUS_SKIP &&
           f->status != EXIT_STATUS_ERROR && !results_failed(f) && !results_bailed_out(f);
}

/* By its status, or by what any process of it has said, whatever the others made of that one's end. */
static bool is_failed(const struct facts *f)
{
    return said_failure(f) || has_failed_status(f);
}

static bool is_cut_short(const struct facts *f)
{
    return ended_by_itself(f) && f->cut_short;
}

static bool is_leaked(const struct facts *f)
{
    return any_leak(f, true);
}

/* ---- facts in words ---- */

static void say_setup(const struct facts *f, const char *words, struct buf *out)
{
    (void)words;
    words_line(out, str_of(f->setup));
}

static void say_limit(const struct facts *f, const char *words, struct buf *out)
{
    words_line(out, str_of(f->limit ? f->limit : words));
    if (f->cause != WATCH_CANCEL)
        words_reached(f, ";", out);
}

static void say_abandoned(const struct facts *f, const char *words, struct buf *out)
{
    if (!is_retired(f)) {
        buf_adds(out, words);
        return;
    }
    words_line(out, str_of(f->limit ? f->limit : "its time was up"));
    buf_adds(out, "; a thread cannot be ended from outside, so its host was retired");
    words_reached(f, ";", out);
}

static void say_memory(const struct facts *f, const char *words, struct buf *out)
{
    words_line(out, str_of(*f->oom ? f->oom : words));
    words_reached(f, ";", out);
}

static void say_unexecuted(const struct facts *f, const char *words, struct buf *out)
{
    buf_adds(out, words);
    if (f->signal) {
        buf_adds(out, ": ");
        words_signal(out, f);
    }
    if (f->reached) {
        buf_adds(out, f->signal ? " when it was to " : ", when it was to ");
        words_line(out, str_of(f->reached));
    }
}

/* Nobody but the kernel's killer and people send KILL, and that is worth saying. */
static void say_signal(const struct facts *f, const char *words, struct buf *out)
{
    words_signal(out, f);
    if (f->signal == SIGKILL)
        buf_adds(out, words);
    words_sanitizer(f, out);
    words_reached(f, f->signal == SIGKILL ? "," : "", out);
}

static void say_status(const struct facts *f, const char *words, struct buf *out)
{
    buf_addf(out, "exit status %d%s", f->status, words);
}

static void say_failed(const struct facts *f, const char *words, struct buf *out)
{
    if (said_failure(f)) {
        say_said_failure(f, words, out);
        return;
    }
    say_status(f, words, out);
    words_sanitizer(f, out);
    words_unexplained(f, out);
}

static void say_error(const struct facts *f, const char *words, struct buf *out)
{
    if (said_error(f))
        say_said_error(f, words, out);
    else
        say_status(f, words, out);
}

static void say_cut_short(const struct facts *f, const char *words, struct buf *out)
{
    buf_addf(out, "its process ended with status %d %s", f->status, words);
}

static void say_leaks(const struct facts *f, const char *words, struct buf *out)
{
    (void)words;
    words_leaks(f, true, out);
}

/* ---- the order ---- */

/* The first that holds is the verdict, the others are notes. */
static const struct order {
    enum verdict verdict;
    bool (*holds)(const struct facts *facts);
    const char *words;
    void (*say)(const struct facts *facts, const char *words, struct buf *out); /* NULL: the words */
} order[] = {
    {VERDICT_LOST, is_lost, "somebody else took its exit status", NULL},
    {VERDICT_ERROR, is_not_set_up, "", say_setup},
    {VERDICT_ERROR, is_stuck_in_setup, "did not get as far as its program in time", say_limit},
    {VERDICT_ERROR, is_stuck_in_teardown, "its tear-down took too long", say_limit},
    {VERDICT_ERROR, is_never_executed, "ended before it got as far as its program", say_unexecuted},
    {VERDICT_ERROR, says_error, ", a hard error", say_error},
    {VERDICT_ABANDONED, is_abandoned, "did not end, not even by SIGKILL, and is left where it is",
     say_abandoned},
    {VERDICT_NOT_RUN, is_cancelled, "cancelled while it ran", say_limit},
    {VERDICT_OOM, is_out_of_memory, "ended for want of memory", say_memory},
    {VERDICT_OUTPUT_LIMIT, is_flood, "wrote more than its output limit", say_limit},
    {VERDICT_TIMEOUT, is_late, "timed out", say_limit},
    {VERDICT_TIMEOUT, is_late_for_session, "the time of the session was up", say_limit},
    {VERDICT_CRASHED, is_crashed, ", which run-matrix did not send", say_signal},
    {VERDICT_FAILED, results_bailed_out, "bailed out", say_bail_out},
    {VERDICT_FAILED, results_failed, "", say_results_failed},
    {VERDICT_FAILED, is_failed, "", say_failed},
    {VERDICT_FAILED, is_cut_short, "before its test could end it", say_cut_short},
    {VERDICT_ERROR, results_missing, "", say_results_missing},
    {VERDICT_FAILED, results_incomplete, "", say_results_incomplete},
    {VERDICT_ERROR, said_error_besides, "", say_said_error},
    {VERDICT_LEAKED, is_leaked, "", say_leaks},
};

static void say_fact(const struct order *fact, const struct facts *f, struct buf *out)
{
    if (fact->say)
        fact->say(f, fact->words, out);
    else
        buf_adds(out, fact->words);
}

/* ---- judging ---- */

/* NULL when there is no room for another. */
static struct buf *new_note(struct judgement *j)
{
    return j->note_count < JOURNAL_NOTES_MOST ? &j->notes[j->note_count++] : NULL;
}

static void note_fact(struct judgement *j, const struct order *fact, const struct facts *f)
{
    struct buf *note = new_note(j);

    if (!note)
        return;
    buf_addf(note, "%s: ", verdict_word(fact->verdict));
    say_fact(fact, f, note);
}

/* What it did when it was told to end: a status after our signal says nothing about the test. */
static void note_ending(const struct facts *f, struct judgement *j)
{
    struct buf *note;

    if (f->cause == WATCH_NO_CAUSE || !f->executed || f->lost || f->abandoned)
        return;
    note = new_note(j);
    if (!note)
        return;
    buf_adds(note, "when it was ended: ");
    if (f->signal)
        words_signal(note, f);
    else
        buf_addf(note, "exit status %d", f->status);
}

static void note_text(struct judgement *j, const char *text)
{
    struct buf *note = text ? new_note(j) : NULL;

    if (note)
        words_line(note, str_of(text));
}

/* A status that failing tests explain is no failure of its own. */
static void note_explained(const struct facts *f, struct judgement *j)
{
    struct buf *note;

    if (!ended_by_itself(f) || f->signal || !f->status || f->status == EXIT_STATUS_ERROR ||
        !(results_failed(f) || results_bailed_out(f)))
        return;
    note = new_note(j);
    if (note)
        buf_addf(note, "exit status %d", f->status);
}

/* What was left behind and fails nobody, by what holds for the case or because it may be somebody else's. */
static void note_warnings(const struct facts *f, struct judgement *j)
{
    struct buf *note = any_leak(f, false) ? new_note(j) : NULL;

    if (!note)
        return;
    buf_adds(note, "warning: ");
    words_leaks(f, false, note);
}

/* False when nothing is wrong with it. */
static bool find_fault(const struct facts *f, struct judgement *j)
{
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        if (!order[i].holds(f))
            continue;
        if (found) {
            note_fact(j, &order[i], f);
        } else {
            j->verdict = order[i].verdict;
            say_fact(&order[i], f, &j->reason);
        }
        found = true;
    }
    return found;
}

/* A line to be read by people: one that is neither long nor for terminals only. */
static bool can_be_reason(struct str line, struct buf *shown)
{
    if (!line.len || line.len > SKIP_REASON_MOST)
        return false;
    utf8_show(shown, line);
    return str_eq(buf_str(shown), line);
}

static void judge_skip(const struct facts *f, struct judgement *j)
{
    struct str line = str_trim(str_of(f->last_line));

    j->verdict = VERDICT_SKIPPED;
    if (results_skipped(f)) {
        words_line(&j->reason, str_of(results_skipped(f)));
        return;
    }
    if (said_skip(f, &j->reason)) {
        j->verdict = f->said->unsupported ? VERDICT_UNSUPPORTED : VERDICT_SKIPPED;
        return;
    }
    if (can_be_reason(line, &j->reason))
        return;
    buf_clear(&j->reason);
    buf_addf(&j->reason, "exit status %d", EXIT_STATUS_SKIP);
}

static void judge_pass(const struct facts *f, struct judgement *j)
{
    j->verdict = VERDICT_PASSED;
    if (!f->xfail)
        return;
    j->verdict = f->xfail_strict ? VERDICT_XPASSED_STRICT : VERDICT_XPASSED;
    buf_adds(&j->reason, "passed, and a failure was expected");
    if (*f->xfail) {
        buf_adds(&j->reason, ": ");
        words_line(&j->reason, str_of(f->xfail));
    }
}

/* Why there may be less of its output than it has written; NULL: it is whole. */
static const char *why_cut(const struct facts *f)
{
    return f->cut ? f->cut : f->disk_full ? disk_full_words : NULL;
}

/* Nothing is wrong with the process: then what it may have failed to write is. */
static void judge_clean(const struct facts *f, struct judgement *j)
{
    bool skips = f->status == EXIT_STATUS_SKIP || results_skipped(f);

    if (why_cut(f) && !skips) {
        j->verdict = VERDICT_ERROR;
        words_line(&j->reason, str_of(why_cut(f)));
        return;
    }
    if (skips)
        judge_skip(f, j);
    else
        judge_pass(f, j);
}

/* True when it never came to a process. */
static bool judge_unstarted(const struct facts *f, struct judgement *j)
{
    const struct {
        const char *reason;
        enum verdict verdict;
    } reasons[] = {{f->skip, VERDICT_SKIPPED}, {f->unsupported, VERDICT_UNSUPPORTED}};

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i].reason) {
            j->verdict = reasons[i].verdict;
            words_line(&j->reason, str_of(reasons[i].reason));
            return true;
        }
    return false;
}

void judge(const struct facts *facts, struct judgement *judgement)
{
    judgement_release(judgement);
    if (judge_unstarted(facts, judgement))
        return;
    if (!find_fault(facts, judgement))
        judge_clean(facts, judgement);
    judge_expected(facts, judgement);
    note_explained(facts, judgement);
    note_ending(facts, judgement);
    note_text(judgement, facts->threads);
    note_text(judgement, facts->dump);
    if (why_cut(facts) && !str_is(buf_str(&judgement->reason), why_cut(facts)))
        note_text(judgement, why_cut(facts));
    note_text(judgement, facts->core_at);
    note_text(judgement, facts->limited);
    note_text(judgement, facts->results ? facts->results->problem : NULL);
    note_warnings(facts, judgement);
}

void judgement_release(struct judgement *judgement)
{
    buf_release(&judgement->reason);
    for (uint32_t i = 0; i < judgement->note_count; i++)
        buf_release(&judgement->notes[i]);
    judgement->note_count = 0;
    judgement->verdict = VERDICT_PASSED;
}
