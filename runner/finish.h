/* The end of a run: what it came to, the last record, and the reports, all of them from the journal. */
#ifndef RM_RUNNER_FINISH_H
#define RM_RUNNER_FINISH_H

#include "runner/command.h"
#include "runner/report/report.h"

struct session;

enum exit_code finish_run(struct session *s);

/* Nothing runs any more, and what comes may take as long as somebody reads it. */
void finish_let_go(struct session *s);

/* --report, --junit-xml, --durations, --color ... as the reports know them. */
void finish_options(struct invocation *in, struct report_options *options);
/* "FORMAT=FILE" of every --report is checked before anything runs. */
bool finish_check(struct invocation *in);
/* Standard output belongs to a report: what we say ourselves goes to standard error. */
bool finish_prints_report(const struct invocation *in);

#endif
