/* A run that was cut short, to be finished: what it was asked, what it has done, and its folder. */
#ifndef RM_RUNNER_RESUME_H
#define RM_RUNNER_RESUME_H

#include "runner/command.h"
#include "runner/store/store.h"

struct resumption {
    struct invocation in; /* the run's own: options and arguments as they were given then */
    struct options options;
    const struct options *more; /* of who resumes it */
    bool of_command;            /* exec, or a soak of a command */
    struct store store;
    struct run_folder run;
    struct journal_record record;
};

/* The current folder is the run's own from here on. On failure diags say why; it is to be closed either way. */
enum exit_code resume_open(struct resumption *resumption, struct invocation *in);
void resume_close(struct resumption *resumption);

#endif
