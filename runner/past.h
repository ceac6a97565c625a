/* A run that was: its folder, its journal, and what a report of it needs. */
#ifndef RM_RUNNER_PAST_H
#define RM_RUNNER_PAST_H

#include "runner/command.h"
#include "runner/report/report.h"
#include "runner/store/store.h"

struct past_run {
    struct store store;
    struct run_folder run;
    struct journal_record record;
    struct report_options options;
    struct report_input input;
};

/* The run alone. False: diags say why; both are to be closed either way. */
bool past_find(struct invocation *in, const char *name, struct store *store, struct run_folder *run);
/* By id, number, folder, or "latest". False: diags say why. It is to be closed either way. */
bool past_open(struct past_run *past, struct invocation *in, const char *name);
void past_close(struct past_run *past);

#endif
