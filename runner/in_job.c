#include "runner/in_job.h"

#include "runner/base/io.h"
#include "runner/base/utf8.h"
#include "runner/front_cell.h"
#include "runner/header.h"
#include "runner/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SUMMARY_MOST  (((size_t)1 << 20) - 1) /* of a step: what is longer is not shown at all */
#define SUMMARY_LEAST ((size_t)4 << 10)
#define SOAK_MOST     ((size_t)64 << 10)

static const struct place nowhere = {0};

/* ---- the log ---- */

static void say(struct session *s, struct buf *commands)
{
    progress_command(s->progress, buf_str(commands));
    buf_release(commands);
}

void in_job_begin(struct session *s)
{
    struct buf out = {0};

    job_group(&s->voice,
              arena_printf(s->arena, "run-matrix: %u case%s", s->case_count, plural(s->case_count)), &out);
    job_stop(&s->voice, &out);
    say(s, &out);
}

void in_job_end(struct session *s)
{
    struct buf out = {0};

    job_resume(&s->voice, &out);
    job_group_end(&s->voice, &out);
    say(s, &out);
}

void in_job_errors(struct session *s)
{
    struct buf out = {0};

    if (!s->voice.inside)
        return;
    job_tell_errors(s->in->diags, &out);
    say(s, &out);
    diags_print(s->in->diags, stderr);
}

void in_job_before_summary(struct session *s)
{
    struct buf out = {0};

    in_job_end(s);
    job_stop(&s->voice, &out);
    say(s, &out);
}

void in_job_after_summary(struct session *s, const struct report_input *input)
{
    struct journal_counts counts;
    struct buf out = {0};

    if (!s->voice.inside)
        return;
    job_resume(&s->voice, &out);
    report_annotations(input, &out);
    journal_count(input->record, &counts);
    report_tally(&counts, &out);
    buf_addc(&out, '\n');
    say(s, &out);
}

/* ---- files that the job reads ---- */

static void warn(struct diags *diags, const char *variable, const char *why)
{
    diag_warning(diags, nowhere, "cannot write to the file of %s: %s", variable, why);
}

static const char *file_of(const char *variable)
{
    const char *path = getenv(variable);

    return path && *path ? path : NULL;
}

/* What is to be written there, at most `most` bytes. */
typedef void add_page(struct session *s, const void *of, size_t most, struct buf *out);

/* Others of the step may have written there before us, and may not have ended their line. */
static void add_summary(struct session *s, add_page *add, const void *of)
{
    const char *path = file_of("GITHUB_STEP_SUMMARY");
    struct buf page = {0};
    off_t size = 0;
    int fd = path ? github_file_open(path, &size) : -1;

    if (path && fd < 0)
        warn(s->in->diags, "GITHUB_STEP_SUMMARY", strerror(errno));
    if (fd < 0)
        return;
    if ((uint64_t)size + SUMMARY_LEAST > SUMMARY_MOST) {
        diag_warning(s->in->diags, nowhere, "the summary of this step is full: ours is not in it");
    } else {
        buf_adds(&page, size ? "\n\n" : "");
        add(s, of, SUMMARY_MOST - (size_t)size - page.len, &page);
        if (fd_write_all(fd, page.ptr, page.len) < 0)
            warn(s->in->diags, "GITHUB_STEP_SUMMARY", strerror(errno));
    }
    buf_release(&page);
    fd_close(&fd);
}

static void add_report(struct session *s, const void *of, size_t most, struct buf *out)
{
    struct report_input input = *(const struct report_input *)of;
    struct report_options options = *input.options;
    struct report_sink sink;

    (void)s;
    options.bytes_most = most;
    input.options = &options;
    report_sink_open(&sink, -1);
    reports[REPORT_MARKDOWN]->write(&input, &sink); /* which is a page in memory anyway */
    buf_addstr(out, buf_str(&sink.buf));
    buf_release(&sink.buf);
}

static void add_soak(struct session *s, const void *of, size_t most, struct buf *out)
{
    const struct str *text = of;
    size_t room = most / 4 < SOAK_MOST ? most / 4 : SOAK_MOST;

    buf_addf(out, "## run-matrix soak\n\nrun %.*s\n\n", STR_ARG(s->run.id));
    markdown_block(out, utf8_cut(*text, room));
}

/* ---- outputs ---- */

struct outputs {
    struct buf text;
    bool whole; /* there was chance for all of it */
};

static void add_text(struct outputs *o, const char *name, struct str value)
{
    o->whole = github_file_add(&o->text, name, value) && o->whole;
}

static void add_number(struct outputs *o, const char *name, uint64_t value)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%llu", (unsigned long long)value);
    add_text(o, name, str_of(digits));
}

/* "run-matrix-test-backend=exec~k3j-1": one per cell and attempt of the job, and of letters that every name may have. */
static void artifact_name(struct session *s, struct str cell, struct buf *out)
{
    const char *job = file_of("GITHUB_JOB"), *attempt = file_of("GITHUB_RUN_ATTEMPT");

    buf_adds(out, "run-matrix");
    if (job) {
        buf_addc(out, '-');
        outputs_slug(s->mask, str_of(job), 0, out);
    }
    if (cell.len) {
        buf_addc(out, '-');
        outputs_slug(s->mask, cell, 0, out);
    }
    buf_addc(out, '-');
    outputs_slug(s->mask, str_of(attempt ? attempt : "1"), 0, out);
}

static void add_counts(struct outputs *o, const struct journal_counts *counts)
{
    add_number(o, "passed", counts->counts[COUNT_PASSED]);
    add_number(o, "failed", counts->counts[COUNT_FAILED]);
    add_number(o, "skipped", counts->counts[COUNT_SKIPPED]);
    add_number(o, "not-run", counts->counts[COUNT_NOT_RUN]);
    add_number(o, "flaky", counts->verdicts[VERDICT_FLAKY]);
    add_number(o, "quarantined", counts->quarantined);
}

static void add_names(struct session *s, struct outputs *o)
{
    struct buf cell = {0}, name = {0}, shown = {0};

    front_cell_words(s->front, &cell);
    artifact_name(s, buf_str(&cell), &name);
    mask_text(s->mask, buf_str(&cell), &shown);
    add_text(o, "cell", buf_str(&shown));
    add_text(o, "run-id", s->run.id);
    add_text(o, "run-dir", str_of(s->run_path));
    add_text(o, "artifact-name", buf_str(&name));
    buf_release(&cell);
    buf_release(&name);
    buf_release(&shown);
}

/* What stands in the way is said once, by whoever writes the last of them. */
static void write_outputs(struct outputs *o, struct diags *diags)
{
    const char *path = file_of("GITHUB_OUTPUT");
    bool good = !path || (o->whole && github_file_append(path, buf_str(&o->text)) == 0);

    if (!good && diags)
        warn(diags, "GITHUB_OUTPUT", o->whole ? strerror(errno) : "no random numbers are to be had");
    buf_release(&o->text);
}

static void write_counts(const struct journal_counts *counts)
{
    struct outputs o = {.whole = true};

    add_counts(&o, counts);
    write_outputs(&o, NULL);
}

void in_job_names(struct session *s)
{
    struct outputs o = {.whole = true};

    if (!s->voice.inside)
        return;
    add_names(s, &o);
    write_outputs(&o, NULL);
}

void in_job_exit(enum exit_code code, struct diags *diags)
{
    struct outputs o = {.whole = true};

    if (!job_inside())
        return;
    add_number(&o, "exit-code", code);
    write_outputs(&o, diags);
}

void in_job_files(struct session *s, const struct report_input *input)
{
    struct journal_counts counts;

    if (!s->voice.inside)
        return;
    journal_count(input->record, &counts);
    add_summary(s, add_report, input);
    write_counts(&counts);
}

/* ---- of a soak ---- */

void in_job_after_soak(struct session *s, struct str text, struct str last, enum exit_code code)
{
    struct buf out = {0};

    job_resume(&s->voice, &out);
    if (s->voice.inside && (code == EXIT_FAILED || code == EXIT_UNDECIDED))
        annotation_add(&out, &(struct annotation){.kind = code == EXIT_FAILED ? "error" : "warning",
                                                  .title = str_of("run-matrix soak"),
                                                  .message = text});
    buf_addstr(&out, last);
    say(s, &out);
}

void in_job_soak_files(struct session *s, struct str text, const struct journal_counts *counts)
{
    if (!s->voice.inside)
        return;
    add_summary(s, add_soak, &text);
    write_counts(counts);
}
