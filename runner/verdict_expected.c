/* What `xfail` makes of a failure: one that was expected, or one of another kind. */
#include "runner/verdict_words.h"

#include "runner/base/sig.h"

#include <string.h>

/* Takes over what is in `note`. */
static void note_first(struct judgement *j, struct buf *note)
{
    if (j->note_count == JOURNAL_NOTES_MOST) {
        buf_release(note);
        return;
    }
    memmove(&j->notes[1], &j->notes[0], j->note_count * sizeof *j->notes);
    j->notes[0] = *note;
    j->note_count++;
}

/* Nobody said how, or just so. */
static bool fails_as_expected(const struct facts *f)
{
    if (!f->xfail_signal && !f->xfail_exit)
        return true;
    return ended_by_itself(f) &&
           (f->signal ? f->signal == f->xfail_signal : f->xfail_exit && f->status == f->xfail_exit);
}

static void add_end(const struct facts *f, struct buf *out)
{
    if (f->signal)
        words_signal(out, f);
    else
        buf_addf(out, "exit status %d", f->status);
}

/* "expected to die of SIGSEGV, but exit status 1" */
static void say_unexpected(const struct facts *f, struct judgement *j, struct buf *out)
{
    buf_adds(out, "expected ");
    if (f->xfail_signal)
        buf_addf(out, "to die of %s", signal_name(f->xfail_signal));
    if (f->xfail_exit)
        buf_addf(out, "%sexit status %d", f->xfail_signal ? " or " : "", f->xfail_exit);
    buf_adds(out, ", but ");
    if (ended_by_itself(f))
        add_end(f, out);
    else
        buf_adds(out, verdict_word(j->verdict));
}

/* All there is to say of it is how it ended. */
static bool is_all_of_it(struct str reason, const struct facts *f)
{
    struct buf end = {0};
    bool same;

    add_end(f, &end);
    same = ended_by_itself(f) && str_eq(reason, buf_str(&end));
    buf_release(&end);
    return same;
}

/* It failed in another way: that is no failure that anybody has expected. */
static void judge_unexpected(const struct facts *f, struct judgement *j)
{
    struct buf happened = {0};
    bool told;

    buf_addf(&happened, "%s: ", verdict_word(j->verdict));
    buf_addstr(&happened, buf_str(&j->reason));
    told = is_all_of_it(buf_str(&j->reason), f);
    buf_clear(&j->reason);
    say_unexpected(f, j, &j->reason);
    j->verdict = VERDICT_FAILED;
    if (told)
        buf_release(&happened);
    else
        note_first(j, &happened);
}

/* Its reason is why that was expected, where somebody said so; what happened comes first among the notes. */
void judge_expected(const struct facts *f, struct judgement *j)
{
    struct buf happened = {0};

    if (!f->xfail || !verdict_is_test_failure(j->verdict))
        return;
    if (!fails_as_expected(f)) {
        judge_unexpected(f, j);
        return;
    }
    buf_addf(&happened, "%s: ", verdict_word(j->verdict));
    buf_addstr(&happened, buf_str(&j->reason));
    j->verdict = VERDICT_XFAILED;
    buf_clear(&j->reason);
    words_line(&j->reason, *f->xfail ? str_of(f->xfail) : buf_str(&happened));
    if (*f->xfail)
        note_first(j, &happened);
    else
        buf_release(&happened);
}
