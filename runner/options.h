/* The program's commands and options: one table, from which everything that speaks of them is made. */
#ifndef RM_RUNNER_OPTIONS_H
#define RM_RUNNER_OPTIONS_H

#include "runner/base/clock.h"
#include "runner/base/opt.h"

#define VERSION "0.1.0"

/* id (also the word), takes_rest, synopsis, sentence; the implementation is cmd_<id> */
#define COMMANDS(X)                                                                                     \
    X(run, false, "[PATH | ID ...]", "run cases; this is what the program does without a command word") \
    X(exec, false, "[-- CMD ARG ...]", "the harness around one command, without a file")                \
    X(soak, false, "[PATH | ID ...] [-- CMD ARG ...]",                                                  \
      "run cases over and over, until it is known how often they fail")                                 \
    X(report, false, "[RUN]", "make a report of a run again")                                           \
    X(list, false, "[PATH | ID ...]", "show cells and cases; nothing is started")                       \
    X(show, false, "[PATH | ID ...]",                                                                   \
      "print the last output and facts of cases, failures first; --config: their settings")             \
    X(reap, false, "[--run RUN] [--parent PID]", "find and end what a dead run has left")               \
    X(dump, false, "PID [PID ...]",                                                                     \
      "show where everybody stands in a process and all below it: stacks, and what each waits for")     \
    X(doctor, false, "", "say what this machine allows, and what follows from it")                      \
    X(eval, true, "[--context FILE] EXPR", "evaluate a GitHub expression and print its value as JSON")  \
    X(init, false, "[--from WORKFLOW[#JOB]]", "draft a run-matrix.yaml in the current folder")          \
    X(ci, false, "matrix | init | check [PATH | ID ...]",                                               \
      "GitHub Actions: print the matrix of a workflow, write the workflow, or compare the two")         \
    X(schema, false, "", "print the JSON Schema of run-matrix.yaml")

enum command_id {
    COMMAND_NONE, /* the program without a command word */
#define X(id, rest, synopsis, help) COMMAND_##id,
    COMMANDS(X)
#undef X
        COMMAND_COUNT
};

struct options {
    bool help, version, man;
    const char *completion; /* shell to print completions for */

    struct opt_list ids, cells, deselect;
    const char *keywords, *marks, *partition;
    bool strict_markers, markers, quarantined; /* the last two: list */

    const char *profile, *context, *host;
    int quiet, verbose;
    bool json;

    const char *jobs, *timeout, *flaky_result, *retry_on, *retry_when, *capture, *keep,
        *no_tests;            /* run: NULL when not given */
    int64_t retries, maxfail; /* -1: not given */
    nanos session_timeout;    /* -1: not given */
    bool exit_first, no_capture, resume, collect_only, watch;
    bool last_failed, failed_first, new_first, stepwise, stepwise_skip;
    const char *no_failures;        /* with last_failed: "all", "none"; NULL: not given */
    const char *debugger, *wrapper; /* NULL: none */
    const char *contain;            /* NULL: auto */
    const char *name;               /* exec, soak */

    const char *below, *confidence, *seed; /* soak; NULL: not given */
    int64_t count, copies;                 /* -1: not given */
    nanos duration, within;                /* -1: not given */
    bool until_fail;

    bool dry_run; /* reap */
    const char *run;
    int64_t parent; /* -1: not given */
    nanos grace;    /* -1: not given */

    const char *ask; /* dump; NULL: none */
    nanos budget;    /* -1: not given */
    struct opt_list masks;

    const char *run_dir, *color, *junit, *format, *output;
    bool junit_strict;
    struct opt_list reports;
    int64_t durations; /* -1: not given */

    bool config;   /* show */
    bool markdown; /* schema */
    const char *from;
    bool force;

    bool github_output, written_out; /* ci */
    const char *workflow, *uses;
    bool
        as_in_ci; /* ci's own: profiles are chosen as they are there, and nobody is asked for tests inside suites */
};

extern const struct opt_table options_table;

/* What is not said on the command line. */
void options_init(struct options *options);

#endif
