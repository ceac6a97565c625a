/*
 * Facts in, verdict out: what is known of an attempt when it is over, and what that comes to. Pure: no clock, no
 * file, no process. docs/verdicts.md is the same table in prose.
 */
#ifndef RM_RUNNER_VERDICT_H
#define RM_RUNNER_VERDICT_H

#include "runner/base/buf.h"
#include "runner/exit.h"
#include "runner/harness/harness.h"
#include "runner/journal/journal.h"
#include "runner/recipe/recipe.h"
#include "runner/said/said.h"

#define EXIT_STATUS_SKIP  77 /* as Automake has them */
#define EXIT_STATUS_ERROR 99
#define SKIP_REASON_MOST  ((size_t)200) /* a longer line is no reason */

/* What a process said of its own tests. Texts are NULL where they do not hold. */
struct result_facts {
    uint64_t reported, failed, skipped; /* failed and skipped are of those that were reported */
    uint64_t not_run;                   /* announced, or begun, and nothing more was heard of them ... */
    uint64_t unlisted;                  /* ... of these, those that have no result of their own */
    const char *failed_names;           /* "a, b and 7 more" */
    const char *open;                   /* the one that was begun and not ended */
    const char *bail_out;               /* it gave up; "" when it did not say why */
    const char *skip;                   /* none was to be run; why */
    const char *missing;                /* why nothing is known of its tests, or not of all of them */
    const char *problem;                /* with the report, which does not matter to what was read */
};

struct facts {
    /* Texts are NULL where they do not hold. Before anything was started: */
    const char *skip;        /* reason; "" when none was given */
    const char *unsupported; /* why */
    const char *setup;       /* "cannot execute './unit': No such file or directory" */
    /* Or later, of what is around it: "kvd died (SIGSEGV) 1.2s ago", "the tear-down of fixture 'db' ..." */
    /* The process: */
    bool executed; /* it got as far as its program */
    bool lost, abandoned, disk_full;
    bool cut_short;  /* it says that it has passed, or was skipped, and its test has not said so */
    bool in_process; /* a thread runs it, which cannot be ended: only the process can, that is its host */
    const char *cut; /* why its output is not kept whole: "its output could not be written down: ..." */
    bool flooded;    /* it wrote too much and ended before anybody saw it */
    int status;      /* -1: ended by a signal */
    int signal;
    bool core;
    const char *sanitizer;  /* "LeakSanitizer: 24 byte(s) leaked in 1 allocation(s)." */
    const char *core_at;    /* "its core is '/tmp/core.12': gdb ..." */
    enum watch_cause cause; /* why we ended it */
    enum watch_phase phase;
    const char
        *limit; /* words for the cause: "timed out after 10s; 'timeout' is set at run-matrix.yaml:9:14" */
    const char *reached; /* where it was when it ended before its program: "execute './unit'" */
    const char *oom; /* "its tree needed more than 64 MiB; raise 'limits: memory' at run-matrix.yaml:9:20" */
    const char *threads;   /* "its threads beside the first when it was ended: reader, worker x4" */
    const char *dump;      /* "there is no dump: it was not made in time" */
    const char *limited;   /* "was refused processes 3 times; raise 'limits: processes' at ..." */
    const char *last_line; /* of its output: the reason of a skip by exit status */
    /* What it left behind, those that fail it first; how many more there were. */
    const struct journal_leak *leaks;
    uint32_t leak_count, leaks_more;
    const struct result_facts *results; /* NULL: it was not to tell */
    const struct said *said;            /* what a C test said of itself; NULL: nothing */
    /* What was expected: */
    const char *xfail; /* reason; "" when none was given */
    bool xfail_strict;
    int xfail_signal, xfail_exit; /* how it was to fail; both 0: in whatever way */
};

struct judgement {
    enum verdict verdict;
    struct buf reason;                    /* one line, may be empty */
    struct buf notes[JOURNAL_NOTES_MOST]; /* facts that did not make the verdict, a line each */
    uint32_t note_count;
};

/* All zero is a judgement to fill in; one may be filled again and again. */
void judge(const struct facts *facts, struct judgement *judgement);
void judgement_release(struct judgement *judgement);

/* As against failures of what is around the test. */
bool verdict_is_test_failure(enum verdict verdict);
/* What `retries: {on: ...}` calls it; RETRY_CLASS_COUNT: whatever is said there, it is not run again. */
enum retry_class verdict_retry_class(enum verdict verdict);
/* What came of a case by its last attempt, when `failed_before` of the attempts before it did not pass. */
enum verdict verdict_of_case(enum verdict last, uint32_t failed_before);

struct run_facts {
    struct journal_counts counts;
    bool broken;          /* the harness itself */
    bool interrupted;     /* by a signal */
    bool timed_out;       /* the session deadline */
    bool unclean;         /* what tests shared could not be torn down */
    const char *no_tests; /* "fail", "warn", "pass"; NULL: "fail" */
};
enum exit_code verdict_of_run(const struct run_facts *facts);

#endif
