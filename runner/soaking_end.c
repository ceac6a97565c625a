/* What a soak came to: its result in the folder of the run, printed, and as reports. */
#include "runner/finish.h"
#include "runner/header.h"
#include "runner/in_job.h"
#include "runner/leftovers.h"
#include "runner/past.h"
#include "runner/session.h"
#include "runner/soaking.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define JSON_NAME "soak.json"
#define TEXT_NAME "soak.txt"

static const struct place nowhere = {0};

/* ---- which reports ---- */

struct wanted {
    bool json;
    const char *path;
};

static bool parse_wanted(struct invocation *in, const char *text, struct wanted *wanted)
{
    const char *equals = strchr(text, '=');
    struct str word = {text, equals ? (size_t)(equals - text) : strlen(text)};

    wanted->json = str_is(word, "json");
    wanted->path = equals ? equals + 1 : NULL;
    if (wanted->path && *wanted->path && (wanted->json || str_is(word, "summary")))
        return true;
    diag_error(in->diags, nowhere, "'--report' of a soak wants json=FILE or summary=FILE, not '%s'", text);
    return false;
}

bool soaking_check_reports(struct invocation *in)
{
    struct wanted wanted;
    bool good = true;

    for (size_t i = 0; i < in->options->reports.count; i++)
        good = parse_wanted(in, in->options->reports.values[i], &wanted) && good;
    return good;
}

/* The last line is plain, and says it all to who reads no other. */
static void add_last_line(const struct soak_result *result, struct buf *out)
{
    static const char *const words[] = {
        [SOAK_GOES_ON] = ", so far", [SOAK_BELOW] = ", below", [SOAK_NOT_BELOW] = ", not below",
        [SOAK_COUNTED] = "",         [SOAK_FAILED] = "",       [SOAK_UNDECIDED] = ", undecided",
    };
    uint32_t fixtures = soak_result_failed_fixtures(result);
    uint64_t attempts, failures;

    soak_result_counts(result, &attempts, &failures);
    buf_addf(out, "\n%llu passed, %llu failed%s", (unsigned long long)(attempts - failures),
             (unsigned long long)failures, words[soak_result_end(result)]);
    if (fixtures)
        buf_addf(out, ", %u fixture%s failed", fixtures, plural(fixtures));
    buf_addc(out, '\n');
}

static void make(const struct soak_result *result, bool json, bool colour, int verbose, struct buf *out)
{
    if (json) {
        soak_result_json(result, out);
        buf_addc(out, '\n');
        return;
    }
    soak_result_text(result, colour, verbose, out);
    add_last_line(result, out);
}

static int print(struct str text, bool json, bool inert)
{
    struct report_sink sink;

    report_sink_open(&sink, STDOUT_FILENO);
    sink.harmless = inert;
    sink.inert.form = json ? INERT_JSON : INERT_TEXT;
    buf_addstr(&sink.buf, text);
    errno = report_sink_close(&sink);
    return errno ? -1 : 0;
}

/* Whole or not at all; "-" is standard output. */
static bool write_to(const struct soak_result *result, bool json, const char *path, struct diags *diags)
{
    struct buf text = {0};
    struct file_out out;
    int answer;

    make(result, json, false, 0, &text);
    if (strcmp(path, "-") == 0) {
        answer = print(buf_str(&text), json, job_inside());
    } else {
        dir_make_parents(AT_FDCWD, path, 0777); /* what cannot be made is found out below */
        answer = file_out_open(&out, path);
        if (answer == 0)
            answer = file_out_close(&out, fd_write_all(out.fd, text.ptr, text.len) == 0);
    }
    if (answer < 0)
        diag_error(diags, nowhere, "cannot write the report '%s': %s", path, strerror(errno));
    buf_release(&text);
    return answer == 0;
}

/* One profile is for runs and soaks, and runs have reports that soaks have not. */
static bool write_profile_reports(struct session *s, const struct soak_result *result)
{
    const struct node *asked = front_profile_key(s->front, "reports");
    bool good = true;

    for (uint32_t i = 0; asked && i < asked->map.count; i++) {
        const struct pair *pair = &asked->map.pairs[i];
        bool json = str_is(pair->key->string, "json");

        if (json || str_is(pair->key->string, "summary"))
            good =
                write_to(result, json, front_profile_path(s->front, pair->value, s->arena), s->in->diags) &&
                good;
        else
            diag_warning(s->in->diags, pair->key->at, "a soak has no report '%.*s': json and summary",
                         STR_ARG(pair->key->string));
    }
    return good;
}

static bool write_reports(struct session *s, const struct soak_result *result)
{
    const struct opt_list *asked = &s->in->options->reports;
    struct diags *diags = s->in->diags;
    bool good = write_to(result, true, arena_printf(s->arena, "%s/" JSON_NAME, s->run.path), diags);
    struct wanted wanted;

    good = write_to(result, false, arena_printf(s->arena, "%s/" TEXT_NAME, s->run.path), diags) && good;
    for (size_t i = 0; i < asked->count; i++)
        if (parse_wanted(s->in, asked->values[i], &wanted))
            good = write_to(result, wanted.json, wanted.path, diags) && good;
    return write_profile_reports(s, result) && good;
}

/* ---- the end ---- */

/* What was to be proven says whether failures are one. */
static enum exit_code code_of(enum soak_end end, bool failed)
{
    switch (end) {
    case SOAK_BELOW: return EXIT_PASSED;
    case SOAK_NOT_BELOW:
    case SOAK_FAILED: return EXIT_FAILED;
    case SOAK_UNDECIDED: return EXIT_UNDECIDED;
    case SOAK_COUNTED:
    case SOAK_GOES_ON: break;
    }
    return failed ? EXIT_FAILED : EXIT_PASSED;
}

static enum exit_code verdict(struct session *s, enum soak_end end, const struct soak_result *result)
{
    struct soak_now view;
    enum exit_code code;

    soak_look(s->soak->engine, soaking_now(s), &view);
    if (s->broken || !result)
        return EXIT_BROKEN;
    if (s->cancelled)
        return EXIT_INTERRUPTED;
    code = code_of(end, view.failures > 0);
    if (s->soak->stopped || s->unclean || soak_result_failed_fixtures(result))
        return EXIT_FAILED;
    if (!view.attempts)
        return EXIT_NOTHING;
    return end == SOAK_GOES_ON && code == EXIT_PASSED ? EXIT_UNDECIDED : code;
}

static const char *why_nothing(struct session *s)
{
    struct soak_now view;

    soak_look(s->soak->engine, soaking_now(s), &view);
    return view.passed_over ? "every attempt was skipped" : "time was up before anything ran";
}

/* Who was cut short has said nothing of it; a soak that was stopped by something else says by what. */
static void add_why(struct session *s, enum exit_code code, struct buf *out)
{
    if (s->soak->stopped)
        buf_addf(out, "stopped: %s\n", s->soak->stopped);
    else if (s->cancelled)
        buf_addf(out, "interrupted, so far:\n");
    else if (code == EXIT_NOTHING)
        buf_addf(out, "nothing was executed: %s\n", why_nothing(s));
}

/* What others have said in it is no command to who reads the log of a job. */
static bool print_harmless(struct session *s, struct str text)
{
    struct report_sink sink;

    report_sink_open(&sink, s->style.fd);
    sink.harmless = s->style.inert;
    buf_addstr(&sink.buf, text);
    return report_sink_close(&sink) == 0;
}

static void print_result(struct session *s, struct str text, struct str last, enum exit_code code)
{
    if (s->cancelled && progress_still(s->progress))
        return;
    in_job_before_summary(s);
    if (!print_harmless(s, text))
        diag_warning(s->in->diags, nowhere,
                     "what the soak printed was not all taken; it is in '%s/" TEXT_NAME "'", s->run.path);
    in_job_after_soak(s, text, last, code);
}

static void tell_result(struct session *s, const struct soak_result *result, enum exit_code code)
{
    struct buf out = {0}, last = {0};
    struct journal_counts counts = {0};
    uint64_t attempts, failures;

    soak_result_counts(result, &attempts, &failures);
    counts.counts[COUNT_PASSED] = attempts - failures;
    counts.counts[COUNT_FAILED] = failures;
    if (s->soak->notes > SOAKING_NOTES_MOST)
        buf_addf(&out, "%u warnings\n", s->soak->notes);
    add_why(s, code, &out);
    soak_result_text(result, s->style.colour && !s->voice.inside, s->style.verbose, &out);
    add_last_line(result, &last);
    print_result(s, buf_str(&out), buf_str(&last), code);
    in_job_soak_files(s, buf_str(&out), &counts);
    buf_release(&out);
    buf_release(&last);
}

/* Of the folder of the run; what cannot be written to any more is not read either. */
static const struct soak_result *read_result(struct session *s)
{
    struct soak_result *result = soak_read(s->run.fd, s->run.path, s->arena, s->in->diags);
    struct journal_record record;

    if (!result || s->broken)
        return result;
    if (!journal_read(s->arena, s->run.fd, s->run.path, &record, s->in->diags))
        return NULL;
    soak_result_fixtures(result, &record);
    return result;
}

enum exit_code soaking_finish(struct session *s)
{
    const struct soak_result *result;
    enum exit_code code;
    enum soak_end end;

    progress_hide(s->progress);
    leftovers_of_run(s);
    end = soak_where(s->soak->engine, soaking_now(s)); /* which the result is to know of */
    result = read_result(s);
    code = verdict(s, end, result);
    fault_die(&s->faults, FAULT_DIE_FINISH);
    if (!s->broken)
        session_wrote(s, journal_finished(s->journal, code, session_now(s)));
    fault_die(&s->faults, FAULT_DIE_REPORT);
    finish_let_go(s);
    if (!result)
        return EXIT_BROKEN;
    tell_result(s, result, code);
    if (!write_reports(s, result) || s->broken)
        return EXIT_BROKEN;
    return code;
}

/* ---- of one that was ---- */

enum exit_code soaking_report(struct past_run *past, struct invocation *in)
{
    const char *format = in->options->format ? in->options->format : "summary";
    struct soak_result *result;
    struct buf out = {0};
    bool json = strcmp(format, "json") == 0;
    bool good;

    if (!json && strcmp(format, "summary") != 0) {
        diag_error(in->diags, nowhere, "run %.*s is a soak, which has no report '%s' but json and summary",
                   STR_ARG(past->run.id), format);
        return EXIT_USAGE;
    }
    result = soak_read(past->run.fd, past->run.path, in->arena, in->diags);
    if (!result)
        return EXIT_USAGE;
    soak_result_fixtures(result, &past->record);
    if (in->options->output)
        return write_to(result, json, in->options->output, in->diags) ? EXIT_PASSED : EXIT_BROKEN;
    make(result, json, past->options.colour, past->options.verbose, &out);
    good = print(buf_str(&out), json, past->options.inert) == 0;
    buf_release(&out);
    if (good)
        return EXIT_PASSED;
    diag_error(in->diags, nowhere, "cannot write to standard output: %s", strerror(errno));
    return EXIT_BROKEN;
}
