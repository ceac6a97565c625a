/*
 * The record of a run: one whole line of JSON per event, appended by one write each, so that it can be read after a
 * kill at any byte. Every report is made from it. docs/journal.md tells users the format.
 */
#ifndef RM_JOURNAL_JOURNAL_H
#define RM_JOURNAL_JOURNAL_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"
#include "runner/base/diag.h"
#include "runner/base/fault.h"
#include "runner/base/mask.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- verdicts ---- */

#define COUNTS(X)               \
    X(COUNT_PASSED, "passed")   \
    X(COUNT_FAILED, "failed")   \
    X(COUNT_SKIPPED, "skipped") \
    X(COUNT_NOT_RUN, "not run")

enum count {
#define X(id, word) id,
    COUNTS(X)
#undef X
        COUNT_COUNT
};

/* id, word in the journal and for people, counts as */
#define VERDICTS(X)                                             \
    X(VERDICT_PASSED, "passed", COUNT_PASSED)                   \
    X(VERDICT_FLAKY, "flaky", COUNT_PASSED)                     \
    X(VERDICT_XPASSED, "xpassed", COUNT_PASSED)                 \
    X(VERDICT_SKIPPED, "skipped", COUNT_SKIPPED)                \
    X(VERDICT_UNSUPPORTED, "unsupported", COUNT_SKIPPED)        \
    X(VERDICT_XFAILED, "xfailed", COUNT_SKIPPED)                \
    X(VERDICT_FAILED, "failed", COUNT_FAILED)                   \
    X(VERDICT_XPASSED_STRICT, "xpassed (strict)", COUNT_FAILED) \
    X(VERDICT_CRASHED, "crashed", COUNT_FAILED)                 \
    X(VERDICT_TIMEOUT, "timeout", COUNT_FAILED)                 \
    X(VERDICT_LEAKED, "leaked", COUNT_FAILED)                   \
    X(VERDICT_OOM, "oom", COUNT_FAILED)                         \
    X(VERDICT_OUTPUT_LIMIT, "output limit", COUNT_FAILED)       \
    X(VERDICT_ABANDONED, "abandoned", COUNT_FAILED)             \
    X(VERDICT_LOST, "lost", COUNT_FAILED)                       \
    X(VERDICT_ERROR, "error", COUNT_FAILED)                     \
    X(VERDICT_NOT_RUN, "not run", COUNT_NOT_RUN)

enum verdict {
#define X(id, word, counts) id,
    VERDICTS(X)
#undef X
        VERDICT_COUNT
};

const char *verdict_word(enum verdict verdict);
bool verdict_find(struct str word, enum verdict *verdict); /* false: it is none */
enum count verdict_counts(enum verdict verdict);

/* ---- what is recorded ---- */

struct journal_run {
    struct str id;          /* of the run: the name of its folder */
    struct str version;     /* of the program */
    struct str file;        /* run-matrix.yaml as it was named; empty: none (exec) */
    struct str folder;      /* where the run was started, absolute */
    const struct str *argv; /* of the program, for --resume and for the reader */
    uint32_t argc;
    struct str profile;         /* empty: none */
    struct str containment;     /* "cgroup", "pidns", "group" */
    struct str containment_why; /* why not a stronger one; empty: there is none, or another was asked for */
    uint32_t jobs, cases;
    int64_t wall; /* ms since 1970 when it began; everything else counts from there by the monotonic clock */
    int64_t pid, pid_start; /* of the runner, and its start in ticks: is it alive? */
    uint64_t digest;        /* of the ids: --resume tells when they have changed */
    bool soak; /* cases came over and over, of which failures alone are on record: no history of any case */
};

struct journal_test {
    struct str name; /* with the suite's prefix: "services/kv/proto" */
    struct str file; /* where it stands; empty: nowhere */
    uint32_t line;
};

struct journal_case {
    struct str id;   /* read: empty where the line that told it cannot be read */
    uint32_t test;   /* index of a journal_test; read: always one that is there */
    struct str cell; /* JSON object; empty is read back as {} */
};

/* A stream of an attempt. */
struct journal_output {
    struct str name; /* "stdout", "stderr", "output" */
    uint64_t size;
    struct str path; /* in the run folder; empty: not kept as a file */
    int64_t offset;  /* in the pack; -1: not packed */
};

/* What a C test, or its actors, have written into the folder that is kept for them; none of its streams. */
struct journal_file {
    struct str name;
    uint64_t size;
};

struct journal_files {
    struct str folder;               /* in the run's; empty: they were not kept */
    uint64_t size;                   /* of all */
    const struct journal_file *list; /* JOURNAL_FILES_MOST */
    uint32_t count;
    uint64_t more; /* that are not in the list */
};

struct journal_rung {
    struct str signal, target, alive;
    nanos at; /* since the attempt began */
};

/* Something that an attempt left behind. */
struct journal_leak {
    struct str kind;  /* "process", "listener", "socket file" */
    struct str what;  /* its name alone: "ssh-agent", "127.0.0.1:8080", a path */
    struct str words; /* all that is known: "sleep 1000 (pid 4711), 3 s old" */
    int64_t pid;      /* whose it is; 0: nobody's, or not known */
    bool fails;       /* else it is only warned of */
    bool ended;       /* the process was ended, the file or segment removed */
};

/* What a C test said: a failure of it, an error around it, a note. */
struct journal_said {
    struct str kind;  /* "failure", "error", "note", "crash" */
    struct str file;  /* empty: not known */
    struct str words; /* one or several lines */
    uint32_t line;
    int64_t pid; /* of the process that said it; 0: not known */
};

/* What the process of an attempt said of its own tests, in numbers; each of them stands in a file of its own, below. */
struct journal_results {
    uint32_t verdicts[VERDICT_COUNT]; /* of those in the file */
    uint64_t unlisted;                /* that were announced, not reported, and are not in the file either */
    uint64_t left_out;                /* reported beyond what a file holds */
    int64_t announced;                /* -1: not known */
    uint32_t asked;                   /* tests that it was asked for by name; 0: all that there are */
    struct str path;                  /* of the file, in the run folder; empty: it was not kept */
    struct str report;                /* what they were read from, for people */
    const struct str *problems;       /* of the report, a line each; JOURNAL_PROBLEMS_MOST */
    uint32_t problem_count, problems_more;
};

#define JOURNAL_PROBLEMS_MOST 3
#define JOURNAL_OUTPUTS_MOST  4
#define JOURNAL_RUNGS_MOST    17
#define JOURNAL_NOTES_MOST    8
#define JOURNAL_LEAKS_MOST    32
#define JOURNAL_SAID_MOST     12
#define JOURNAL_FILES_MOST    200

/* What its case was in, whether or not it still held when the run began. */
struct journal_quarantine {
    struct str owner, reason;
    struct str until; /* its last day: "2026-12-01" */
};

struct journal_attempt {
    uint32_t number;  /* of the case, from 0 */
    uint32_t attempt; /* from 1 */
    uint32_t slot;
    enum verdict verdict;                        /* of this attempt */
    bool last;                                   /* no other attempt follows: `outcome` is the case's */
    enum verdict outcome;                        /* flaky, where this one passed and an earlier one did not */
    bool flaky_fails;                            /* flaky-result: fail */
    bool quarantined;                            /* does not fail the run */
    const struct journal_quarantine *quarantine; /* NULL: it is in none, or nobody has said more */
    struct str reason;  /* one line: "exit status 3", "timed out after 10s (timeout, run-matrix.yaml:9:14)" */
    struct str dump;    /* where everybody stood: a path in the run folder; empty: nobody has looked */
    bool dump_partial;  /* not all could be looked at */
    nanos at, duration; /* when it ended, since the run began; how long the call took */
    nanos setup, teardown;                /* of its own fixtures, before and after the call; 0: it has none */
    nanos in_setup, in_call, in_teardown; /* of a C test that has fixtures in C; 0: not known */
    nanos user, system;
    int64_t rss;        /* largest resident set, KiB */
    int status, signal; /* status -1: none */
    bool core;
    /* The caller's, or the arena's; past these numbers nothing is recorded. A run may have 10^5 attempts in memory, and
     * most have none of them: no arrays in here. */
    const struct journal_output *outputs;  /* JOURNAL_OUTPUTS_MOST */
    const struct journal_rung *rungs;      /* JOURNAL_RUNGS_MOST */
    const struct str *notes;               /* JOURNAL_NOTES_MOST: the other facts, a line each */
    const struct journal_leak *leaks;      /* JOURNAL_LEAKS_MOST */
    const struct journal_said *said;       /* JOURNAL_SAID_MOST; on record by journal_said */
    const struct journal_files *files;     /* NULL: there are none; on record by journal_files */
    const struct journal_results *results; /* NULL: nobody asked for any, or there are none */
    uint32_t output_count, rung_count, note_count, leak_count, said_count;
    uint32_t leaks_more; /* that were found and are not in the list */
    uint64_t said_more;
};

/* ---- writing ---- */

struct journal;

#define JOURNAL_NAME        "journal.ndjson"
#define JOURNAL_RECORD_MOST ((size_t)64 << 10)
#define JOURNAL_RESERVE     ((uint64_t)1 << 20)

/*
 * Creates the file in an open folder, or goes on with one that is there, which is first cut back to its last
 * whole line. NULL and errno. The caller holds the run's lock (store_lock_run): a journal has one writer.
 */
struct journal *journal_open(int folder, struct faults *faults);
void journal_close(struct journal *journal);
/* Nothing that `mask` hides gets into a record from now on. The caller's; words may be added to it later. */
void journal_mask(struct journal *journal, struct mask *mask);

/*
 * Each is one write of one whole line, lists that are too long for one are several; -1 and errno when it is not on
 * disk: then the file ends where it ended before. Texts that would make a line longer than JOURNAL_RECORD_MOST are
 * cut. Times are written as whole microseconds. Who resumes a run writes a second `run`, and the rest as before.
 */
int journal_run(struct journal *journal, const struct journal_run *run);
int journal_tests(struct journal *journal, const struct journal_test *tests, uint32_t count);
int journal_cases(struct journal *journal, const struct journal_case *cases,
                  uint32_t count); /* many: call repeatedly */
/* One that was not planned, under the first number that is free: the failure of a fixture. */
int journal_case_more(struct journal *journal, uint32_t number, const struct journal_case *c);
int journal_started(struct journal *journal, uint32_t number, uint32_t attempt, uint32_t slot, int64_t pid,
                    nanos at);
/* What its test said, before its end; nothing is written where it said nothing. */
int journal_said(struct journal *journal, const struct journal_attempt *attempt);
/* The same of its files. */
int journal_files(struct journal *journal, const struct journal_attempt *attempt);
int journal_ended(struct journal *journal, const struct journal_attempt *attempt);
int journal_note(struct journal *journal, struct str text, nanos at); /* warnings of the run as a whole */
int journal_cancelled(struct journal *journal, struct str why, nanos at);
/* A case took clearly longer than it used to: `was`, in so many runs before. */
int journal_slower(struct journal *journal, uint32_t number, nanos was, uint32_t runs);
int journal_finished(struct journal *journal, int exit_code, nanos at);

/*
 * Room on disk for so many records more, each as long as a record may be, reserved ahead: asked before a case is
 * started. Costs nothing as long as it lasts. -1 and errno.
 */
int journal_room(struct journal *journal, uint32_t records);

/* ---- results of an attempt: one whole line each, in a file of its own ---- */

#define JOURNAL_RESULTS_NAME "results.ndjson"
#define JOURNAL_RESULT_MOST  ((size_t)2 << 20) /* a line: three long texts, escaped */

struct journal_result {
    struct str id; /* as the suite names it */
    enum verdict verdict;
    nanos duration;                        /* -1: not known */
    struct str message, details, out, err; /* empty: there is none */
    struct str file;
    uint32_t line, reruns;
};

/* All to be written go through one of these; the first error stays. */
struct journal_results_out {
    int fd;
    int error;
    struct mask *mask; /* as journal_mask has it; for the caller to set when it is created */
    struct buf buf;
};
/* Creates the file and its folders; one that is there is written anew. -1 and errno. */
int journal_results_create(struct journal_results_out *out, int folder, const char *path);
void journal_results_add(struct journal_results_out *out, const struct journal_result *result);
int journal_results_close(struct journal_results_out *out); /* the error, 0: none */

/* False: enough. */
typedef bool journal_result_each(void *user, const struct journal_result *result);
/*
 * From an open file. What cannot be read is passed over and counted. -1 and errno: what was handed out before stays
 * true.
 */
int journal_results_read(int fd, journal_result_each *each, void *user, uint32_t *torn);

/* ---- reading ---- */

/* A case as the whole journal knows it. */
struct journal_history {
    const struct journal_case *what;
    struct journal_attempt *attempts; /* those that ended, in order */
    uint32_t count, cap;
    uint32_t started; /* number of the last attempt that was made; those that a kill cut short have no end */
    bool open;        /* ... and has none: it goes on, or the run died under it */
    bool executed;    /* a process was started for any of them */
    int64_t pid;      /* of the last one */
    nanos started_at;
    nanos was;         /* how long it used to take, where it took clearly longer ... */
    uint32_t was_runs; /* ... in so many runs before; 0: it did not */
};

struct journal_record {
    struct journal_run run;
    const struct journal_test *tests;
    uint32_t test_count;
    struct journal_history *cases;
    uint32_t case_count;
    const struct str *notes;
    uint32_t note_count;
    struct str cancelled; /* why; empty: it was not */
    bool finished;
    int exit_code;
    nanos duration; /* to the last record; where a run was resumed, the time between does not count */
    uint32_t torn;  /* lines that could not be read: the last one after a kill, others never */
};

/*
 * Reads a journal whole; everything is in the arena. What cannot be read is passed over and counted. False and an
 * error in diags when there is no journal there or its first record is missing.
 */
bool journal_read(struct arena *arena, int folder, const char *path, struct journal_record *record,
                  struct diags *diags);

/* What came of a case: its last attempt's outcome; NOT_RUN when none ended. */
enum verdict journal_outcome(const struct journal_history *history);
/* It has its verdict: no attempt of it is to be made any more. */
bool journal_is_over(const struct journal_history *history);
const struct journal_attempt *journal_last(const struct journal_history *history); /* NULL: none ended */

/* What counts for the case as a whole: an expected failure of the case is one of each that failed in it. */
enum verdict journal_result_counts(const struct journal_attempt *attempt, enum verdict verdict);
/*
 * The process of the case is one record more than its results, or the only one: its own end is bad beyond what they
 * say, or they say nothing.
 */
bool journal_counts_itself(const struct journal_history *history);
/* Some are on record. */
bool journal_has_results(const struct journal_attempt *attempt);
uint64_t journal_failed_results(const struct journal_results *results);

/* The results of a case stand for it where it has some. */
struct journal_counts {
    uint64_t verdicts[VERDICT_COUNT];
    uint64_t counts[COUNT_COUNT]; /* those in quarantine left out of COUNT_FAILED */
    uint64_t quarantined;
    uint32_t cases[COUNT_COUNT]; /* outcomes of cases, whatever is in them; quarantine as above */
    uint32_t flaky_fails;
    uint32_t executed; /* cases of which a process was started */
};
void journal_count(const struct journal_record *record, struct journal_counts *counts);

#endif
