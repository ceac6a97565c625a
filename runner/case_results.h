/*
 * What the process of an attempt says of its own tests: a folder for reports is lent to it, what it has written is read
 * when it is over, judged, and put on record: a line for each in a file, the numbers in the end of the attempt.
 */
#ifndef RM_RUNNER_CASE_RESULTS_H
#define RM_RUNNER_CASE_RESULTS_H

#include "runner/journal/journal.h"
#include "runner/report_files.h"
#include "runner/results/results.h"
#include "runner/verdict.h"
#include "runner/workdir.h"

struct session;
struct slot;

/* Of a slot. */
struct case_results {
    struct workdir folder;      /* RUN_MATRIX_RESULTS */
    struct report_files before; /* what stood there when the attempt was to begin */
    bool awaited;               /* the attempt is one that is to tell */
    bool read;                  /* `results` are there, until they are cleared */
    struct results results;
    const char *report;        /* what was read, for people */
    enum verdict *verdicts;    /* of each, as it counts; mem_alloc */
    struct result_facts facts; /* texts are the slot's */
    struct journal_results record;
    struct str problems[JOURNAL_PROBLEMS_MOST];
};

/* A folder for reports, when the case is to have one; its path, NULL: none. False and errno. */
bool case_results_lend(struct session *s, struct slot *slot, const char **path);
/* Just before the start. False: the slot says why it cannot be. */
bool case_results_await(struct session *s, struct slot *slot);
/* When nobody of it runs any more. What is known then; NULL: nothing was to be told. */
const struct result_facts *case_results_read(struct session *s, struct slot *slot);
/* Writes them down; `attempt` points to what the slot has. */
void case_results_record(struct session *s, struct slot *slot, struct journal_attempt *attempt);
void case_results_clear(struct session *s, struct slot *slot);

/* ---- report_read.c ---- */

/* Fills in results and report, and why there is none. */
void report_read(struct session *s, struct slot *slot, struct case_results *results);

/* ---- result_facts.c ---- */

/* From results, and how each counts, to what the verdict has to know. */
void result_facts_make(struct slot *slot, struct case_results *results);

#endif
