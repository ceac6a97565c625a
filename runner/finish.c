#include "runner/finish.h"

#include "runner/base/io.h"
#include "runner/in_job.h"
#include "runner/leftovers.h"
#include "runner/remember.h"
#include "runner/session.h"
#include "runner/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct place nowhere = {0};

/* ---- which reports ---- */

struct wanted {
    const struct report *report;
    const char *path;
};

static bool parse_wanted(struct invocation *in, const char *text, struct wanted *wanted)
{
    const char *equals = strchr(text, '=');
    struct str word = {text, equals ? (size_t)(equals - text) : strlen(text)};

    wanted->report = report_find(word);
    wanted->path = equals ? equals + 1 : NULL;
    if (wanted->report && wanted->path && *wanted->path)
        return true;
    diag_error(in->diags, nowhere,
               "'--report' wants FORMAT=FILE with one of summary, junit, tap, json, markdown, not '%s'",
               text);
    return false;
}

bool finish_check(struct invocation *in)
{
    struct wanted wanted;
    bool good = true;

    for (size_t i = 0; i < in->options->reports.count; i++)
        good = parse_wanted(in, in->options->reports.values[i], &wanted) && good;
    return good;
}

bool finish_prints_report(const struct invocation *in)
{
    const struct opt_list *list = &in->options->reports;

    for (size_t i = 0; i < list->count; i++)
        if (str_ends(str_of(list->values[i]), "=-"))
            return true;
    return in->options->junit && strcmp(in->options->junit, "-") == 0;
}

void finish_options(struct invocation *in, struct report_options *options)
{
    struct progress_style style;

    progress_style(&style, finish_prints_report(in) ? STDERR_FILENO : STDOUT_FILENO, in->options->color);
    *options = (struct report_options){
        .strict = in->options->junit_strict,
        .colour = style.colour,
        .verbose = in->options->verbose - in->options->quiet,
        .durations = in->options->durations < 0    ? 0
                     : in->options->durations == 0 ? REPORT_ALL /* as pytest has it */
                                                   : (uint32_t)in->options->durations,
        .width = progress_width(STDOUT_FILENO),
        .program = str_of(in->argv[0]),
        .inert = job_inside(),
    };
}

/* ---- writing them ---- */

static bool write_one(struct session *s, const struct report_input *input, const struct report *report,
                      const char *path)
{
    if (report_write(report, input, path) == 0)
        return true;
    diag_error(s->in->diags, nowhere, "cannot write the report '%s': %s", path, strerror(errno));
    return false;
}

static bool write_profile_reports(struct session *s, const struct report_input *input)
{
    const struct node *asked = front_profile_key(s->front, "reports");
    bool good = true;

    for (uint32_t i = 0; asked && i < asked->map.count; i++) {
        const struct pair *pair = &asked->map.pairs[i];
        const struct report *report = report_find(pair->key->string);

        if (report)
            good = write_one(s, input, report, front_profile_path(s->front, pair->value, s->arena)) && good;
        else
            diag_warning(s->in->diags, pair->key->at, "the report '%.*s' comes with a later version",
                         STR_ARG(pair->key->string));
    }
    return good;
}

static bool write_reports(struct session *s, const struct report_input *input)
{
    const struct options *o = s->in->options;
    const char *own = arena_printf(s->arena, "%s/%s", s->run.path, reports[REPORT_JUNIT]->file);
    bool good = write_one(s, input, reports[REPORT_JUNIT], own);
    struct wanted wanted;

    if (o->junit)
        good = write_one(s, input, reports[REPORT_JUNIT], o->junit) && good;
    for (size_t i = 0; i < o->reports.count; i++)
        if (parse_wanted(s->in, o->reports.values[i], &wanted))
            good = write_one(s, input, wanted.report, wanted.path) && good;
    return write_profile_reports(s, input) && good;
}

/* Somebody who closed our output does not want to read it; the record is on disk all the same. */
static void print_summary(struct session *s, const struct report_input *input)
{
    struct report_sink sink;
    int error;

    if (s->cancelled && progress_still(s->progress))
        return;
    in_job_before_summary(s);
    report_sink_open(&sink, s->style.fd);
    sink.harmless = s->style.inert;
    reports[REPORT_SUMMARY]->write(input, &sink);
    error = report_sink_close(&sink);
    in_job_after_summary(s, input);
    if (error || progress_broken(s->progress))
        diag_warning(s->in->diags, nowhere, "what the run printed was not all taken; it is in '%s'",
                     s->run.path);
}

static enum exit_code verdict(struct session *s, const struct journal_record *record)
{
    struct run_facts facts = {
        .broken = s->broken,
        .interrupted = s->cancelled != NULL,
        .timed_out = s->timed_out,
        .unclean = s->unclean,
        .no_tests = s->no_tests,
    };

    journal_count(record, &facts.counts);
    if (!facts.counts.executed && strcmp(s->no_tests, "warn") == 0)
        diag_warning(s->in->diags, nowhere, "nothing was executed");
    return verdict_of_run(&facts);
}

/* A report may be written to what nobody reads: then a signal must help, and the death of the guard. */
void finish_let_go(struct session *s)
{
    tty_close(&s->tty);
    workdirs_close(&s->workdirs);
    workdirs_close(&s->sign);
    signals_let_go(&s->signals);
    guard_die_with(&s->guard);
}

enum exit_code finish_run(struct session *s)
{
    struct journal_record record;
    struct report_options options;
    struct report_input input = {&record, s->run.fd, s->run.path, &options, false};
    struct history *history;
    enum exit_code code;

    progress_hide(s->progress);
    leftovers_of_run(s);
    if (!journal_read(s->arena, s->run.fd, s->run.path, &record, s->in->diags))
        return EXIT_BROKEN;
    code = verdict(s, &record);
    history = remember_slower(s, &record);
    fault_die(&s->faults, FAULT_DIE_FINISH);
    if (!s->broken)
        session_wrote(s, journal_finished(s->journal, code, session_now(s)));
    record.finished = !s->broken;
    record.exit_code = code;
    fault_die(&s->faults, FAULT_DIE_REPORT);
    finish_let_go(s);
    finish_options(s->in, &options);
    if (s->in->options->run_dir || s->resumed || strcmp(s->store.path, front_find_store(s->in)) != 0)
        options.from = str_of(s->run.path);
    options.no_tally = s->voice.inside; /* it follows on what else is to be said */
    options.workspace = str_of(s->voice.inside ? getenv("GITHUB_WORKSPACE") : NULL);
    print_summary(s, &input);
    options.no_tally = false;
    in_job_files(s, &input);
    if (!write_reports(s, &input) || s->broken)
        code = EXIT_BROKEN;
    remember_run(s, &record, history);
    return code;
}
