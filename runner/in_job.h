/*
 * A run in a job of GitHub Actions: the log is told when others' text begins and ends, and people and the steps that follow are left
 * what they need. Outside a job all of these do nothing.
 */
#ifndef RM_RUNNER_IN_JOB_H
#define RM_RUNNER_IN_JOB_H

#include "runner/report/report.h"
#include "runner/session.h"

/* From here on all that is printed may hold what others have said; whatever becomes of the run, that ends with the other one. */
void in_job_begin(struct session *s);
void in_job_end(struct session *s);
/* What is wrong with the run itself, told where it ends, as nobody knows which of two streams is read first. */
void in_job_errors(struct session *s);
/* Before and after the summary. The tally is the last line of a run, here as everywhere. */
void in_job_before_summary(struct session *s);
void in_job_after_summary(struct session *s, const struct report_input *input);
/*
 * Outputs of the step: the names of the run as soon as it has begun, so that one that is killed can be looked at; what it counted,
 * with the step's summary, at its end; and the exit code, of every call that was to run something, when nothing can change it any
 * more. What cannot be written is a warning: the verdict stands.
 */
void in_job_names(struct session *s);
void in_job_files(struct session *s, const struct report_input *input);
void in_job_exit(enum exit_code code, struct diags *diags);

/* The same of a soak, whose result is a text, and a last line. */
void in_job_after_soak(struct session *s, struct str text, struct str last, enum exit_code code);
void in_job_soak_files(struct session *s, struct str text, const struct journal_counts *counts);

#endif
