#include "runner/in_job.h"

#include "runner/base/io.h"
#include "runner/front_cell.h"
#include "runner/header.h"
#include "runner/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUMMARY_MOST  (((size_t)1 << 20) - 1) /* of a step: what is longer is not shown at all */
#define SUMMARY_LEAST ((size_t)4 << 10)

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

static int open_file(const char *path, off_t *size)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        errno = fd < 0 ? errno : ENOTSUP;
        fd_close(&fd);
        return -1;
    }
    *size = st.st_size;
    return fd;
}

static void warn(struct session *s, const char *variable)
{
    diag_warning(s->in->diags, nowhere, "cannot write to the file of %s: %s", variable, strerror(errno));
}

static const char *file_of(const char *variable)
{
    const char *path = getenv(variable);

    return path && *path ? path : NULL;
}

/* Others of the step may have written there before us, and may not have ended their line. */
static void add_summary(struct session *s, const struct report_input *input)
{
    const char *path = file_of("GITHUB_STEP_SUMMARY");
    struct report_options options = *input->options;
    struct report_input ours = *input;
    struct report_sink sink;
    off_t size = 0;
    int fd = path ? open_file(path, &size) : -1;

    if (path && fd < 0)
        warn(s, "GITHUB_STEP_SUMMARY");
    if (fd < 0)
        return;
    if ((uint64_t)size + SUMMARY_LEAST > SUMMARY_MOST) {
        diag_warning(s->in->diags, nowhere, "the summary of this step is full: ours is not in it");
    } else {
        options.bytes_most = SUMMARY_MOST - (size_t)size - 2;
        ours.options = &options;
        report_sink_open(&sink, fd);
        buf_adds(&sink.buf, size ? "\n\n" : "");
        reports[REPORT_MARKDOWN]->write(&ours, &sink);
        errno = report_sink_close(&sink);
        if (errno)
            warn(s, "GITHUB_STEP_SUMMARY");
    }
    fd_close(&fd);
}

/* ---- outputs ---- */

struct outputs {
    struct buf text;
    const char *delimiter;
};

static void add_text(struct outputs *o, const char *name, struct str value)
{
    buf_addf(&o->text, "%s<<%s\n", name, o->delimiter);
    buf_addstr(&o->text, value);
    buf_addf(&o->text, "\n%s\n", o->delimiter);
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

static void add_all(struct session *s, struct outputs *o, const struct report_input *input,
                    enum exit_code code)
{
    struct buf cell = {0}, name = {0}, shown = {0};
    struct journal_counts counts;

    journal_count(input->record, &counts);
    front_cell_words(s->front, &cell);
    artifact_name(s, buf_str(&cell), &name);
    mask_text(s->mask, buf_str(&cell), &shown);
    add_number(o, "passed", counts.counts[COUNT_PASSED]);
    add_number(o, "failed", counts.counts[COUNT_FAILED]);
    add_number(o, "skipped", counts.counts[COUNT_SKIPPED]);
    add_number(o, "not-run", counts.counts[COUNT_NOT_RUN]);
    add_number(o, "flaky", counts.verdicts[VERDICT_FLAKY]);
    add_number(o, "quarantined", counts.quarantined);
    add_number(o, "exit-code", code);
    add_text(o, "cell", buf_str(&shown));
    add_text(o, "run-id", s->run.id);
    add_text(o, "run-dir", str_of(s->run_path));
    add_text(o, "artifact-name", buf_str(&name));
    buf_release(&cell);
    buf_release(&name);
    buf_release(&shown);
}

static void add_outputs(struct session *s, const struct report_input *input, enum exit_code code)
{
    const char *path = file_of("GITHUB_OUTPUT");
    struct job_voice fresh; /* a word for this alone: the file may be read by steps to come */
    struct outputs o = {0};
    off_t size;
    int fd = path ? open_file(path, &size) : -1;

    if (path && fd < 0)
        warn(s, "GITHUB_OUTPUT");
    if (fd < 0)
        return;
    job_voice_open(&fresh);
    o.delimiter = arena_printf(s->arena, "run_matrix_%s", fresh.token);
    add_all(s, &o, input, code);
    if (fd_write_all(fd, o.text.ptr, o.text.len) < 0)
        warn(s, "GITHUB_OUTPUT");
    buf_release(&o.text);
    fd_close(&fd);
}

void in_job_files(struct session *s, const struct report_input *input, enum exit_code code)
{
    if (!s->voice.inside)
        return;
    add_summary(s, input);
    add_outputs(s, input, code);
}
