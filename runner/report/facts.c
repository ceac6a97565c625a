#include "runner/report/internal.h"

#include <string.h>

#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <time.h>

/* ---- cases and attempts ---- */

nanos case_duration(const struct journal_history *history)
{
    nanos sum = 0;

    for (uint32_t i = 0; i < history->count; i++)
        sum += history->attempts[i].duration;
    return sum;
}

struct str case_reason(const struct report_input *input, const struct journal_history *history)
{
    const struct journal_attempt *last = journal_last(history);

    if (last && (last->reason.len || last->verdict != VERDICT_NOT_RUN))
        return last->reason;
    if (history->open)
        return str_of(input->going_on ? "it is running" : "the run died while it ran");
    if (input->record->cancelled.len)
        return input->record->cancelled;
    if (input->going_on)
        return str_of("the run is going on");
    return str_of(input->record->finished ? "the run ended before it" : "the run died before it");
}

bool attempt_failed(const struct journal_attempt *attempt)
{
    return verdict_counts(attempt->verdict) == COUNT_FAILED;
}

static void add_rung(const struct journal_rung *rung, const char *indent, struct buf *out)
{
    buf_addf(out, "%safter ", indent);
    span_format(out, rung->at);
    buf_addc(out, ' ');
    utf8_show(out, rung->signal);
    buf_adds(out, " to the ");
    utf8_show(out, rung->target);
    if (rung->alive.len) {
        buf_adds(out, "; alive: ");
        utf8_show(out, rung->alive);
    }
    buf_addc(out, '\n');
}

/* ---- what was left behind ---- */

static const char *what_became_of(const struct journal_leak *leak)
{
    if (!leak->ended)
        return "still there";
    return leak->pid ? "ended" : "cleaned up";
}

void leak_format(struct buf *out, const struct journal_leak *leak)
{
    utf8_show(out, leak->kind);
    buf_addc(out, ' ');
    utf8_show(out, leak->words.len ? leak->words : leak->what);
    buf_addf(out, ", %s", what_became_of(leak));
}

/* Those that are only warned of have their note. */
static void add_leaks(const struct journal_attempt *attempt, const char *indent, struct buf *out)
{
    for (uint32_t i = 0; i < attempt->leak_count; i++) {
        if (!attempt->leaks[i].fails)
            continue;
        buf_addf(out, "%sleft behind: ", indent);
        leak_format(out, &attempt->leaks[i]);
        buf_addc(out, '\n');
    }
    if (attempt->leaks_more)
        buf_addf(out, "%sleft behind: %u more\n", indent, attempt->leaks_more);
}

void attempt_facts(const struct journal_attempt *attempt, const char *indent, struct buf *out)
{
    for (uint32_t i = 0; i < attempt->rung_count; i++)
        add_rung(&attempt->rungs[i], indent, out);
    for (uint32_t i = 0; i < attempt->note_count; i++) {
        buf_adds(out, indent);
        utf8_show(out, attempt->notes[i]);
        buf_addc(out, '\n');
    }
    add_leaks(attempt, indent, out);
}

/* ---- what a C test said ---- */

static void add_place_said(struct buf *out, const struct journal_said *said)
{
    if (!str_is(said->kind, "failure")) {
        utf8_show(out, said->kind);
        buf_adds(out, ": ");
    }
    if (!said->file.len)
        return;
    utf8_show(out, said->file);
    if (said->line)
        buf_addf(out, ":%u", said->line);
    buf_adds(out, ": ");
}

static void add_said(const struct journal_said *said, const char *indent, struct buf *out)
{
    struct str rest = said->words;
    size_t end;

    buf_adds(out, indent);
    add_place_said(out, said);
    while (str_find(rest, "\n", &end)) {
        utf8_show(out, str_slice(rest, 0, end));
        buf_addf(out, "\n%s", indent);
        rest = str_slice(rest, end + 1, rest.len);
    }
    utf8_show(out, rest);
    buf_addc(out, '\n');
}

void attempt_said(const struct journal_attempt *attempt, const char *indent, struct buf *out)
{
    for (uint32_t i = 0; i < attempt->said_count; i++)
        add_said(&attempt->said[i], indent, out);
    if (attempt->said_more)
        buf_addf(out, "%sand %llu more\n", indent, (unsigned long long)attempt->said_more);
}

bool attempt_told_crash(const struct journal_attempt *attempt)
{
    return attempt->said_count && str_is(attempt->said[attempt->said_count - 1].kind, "crash");
}

void attempt_crash(const struct journal_attempt *attempt, const char *indent, struct buf *out)
{
    if (attempt_told_crash(attempt))
        add_said(&attempt->said[attempt->said_count - 1], indent, out);
}

/* ---- values ---- */

void size_format(struct buf *out, uint64_t size)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)size / 1024;
    size_t unit = 0;

    if (size < 1024) {
        buf_addf(out, "%u B", (unsigned)size);
        return;
    }
    for (; value >= 1024 && unit + 1 < ARRAY_LEN(units); unit++)
        value /= 1024;
    buf_addf(out, "%.1f %s", value, units[unit]);
}

void time_format(struct buf *out, int64_t wall)
{
    time_t seconds = (time_t)(wall / 1000);
    struct tm tm;
    char text[64];

    /* A year that no calendar has: the record is not to be trusted. */
    if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) ||
        tm.tm_year > 8099)
        buf_adds(out, "1970-01-01T00:00:00");
    else
        buf_adds(out, text);
}

/* ---- commands ---- */

static bool is_shell_safe(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/' || c == ':' || c == '+';
}

void shell_word(struct buf *out, struct str word)
{
    size_t safe = 0;

    while (safe < word.len && is_shell_safe(word.ptr[safe]))
        safe++;
    if (word.len && safe == word.len) {
        buf_addstr(out, word);
        return;
    }
    buf_addc(out, '\'');
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] == '\'')
            buf_adds(out, "'\\''");
        else
            buf_addc(out, word.ptr[i]);
    buf_addc(out, '\'');
}

static void add_words(struct buf *out, const struct str *words, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_addc(out, ' ');
        shell_word(out, words[i]);
    }
}

static void add_rerun(const struct report_input *input, struct str id, struct buf *out)
{
    const struct journal_run *run = &input->record->run;
    struct buf command = {0};

    if (!run->file.len) /* `exec`: one command, and it is all there is */
        add_words(&command, run->argv, run->argc);
    else {
        shell_word(&command, input->options->program);
        buf_adds(&command, id.ptr ? " run --id " : " run");
        if (id.ptr)
            shell_word(&command, id);
        if (run->profile.len) {
            buf_adds(&command, " -P ");
            shell_word(&command, run->profile);
        }
        if (!str_is(run->file, "run-matrix.yaml")) {
            buf_addc(&command, ' ');
            shell_word(&command, run->file);
        }
    }
    utf8_show(out, buf_str(&command)); /* it stands in a line, whatever is in an argument */
    buf_release(&command);
}

/* A fixture is made for those that use it: one of these was not run for its failure. */
static struct str user_of(const struct report_input *input, struct str fixture)
{
    struct str name = str_slice(fixture, strlen("fixture:"), fixture.len);
    const char *at = memchr(name.ptr, '@', name.len), *slash;

    name.len = at ? (size_t)(at - name.ptr) : name.len;
    slash = memrchr(name.ptr, '/', name.len);
    if (slash)
        name = str_slice(name, (size_t)(slash + 1 - name.ptr), name.len);
    for (uint32_t i = 0; i < input->record->case_count; i++) {
        const struct journal_attempt *last = journal_last(&input->record->cases[i]);

        if (last && last->verdict == VERDICT_NOT_RUN && last->reason.len > name.len &&
            str_eq(str_slice(last->reason, 0, name.len), name) &&
            str_is(str_slice(last->reason, name.len, last->reason.len), " failed"))
            return input->record->cases[i].what->id;
    }
    return (struct str){0};
}

void report_rerun(const struct report_input *input, const struct journal_case *c, struct buf *out)
{
    if (str_starts(c->id, "fixture:")) {
        add_rerun(input, user_of(input, c->id), out);
        return;
    }
    add_rerun(input, c->id, out);
}

void report_rerun_result(const struct report_input *input, const struct journal_case *c, struct str result,
                         struct buf *out)
{
    struct buf id = {0};

    result_id(&id, c->id, result);
    add_rerun(input, buf_str(&id), out);
    buf_release(&id);
}
