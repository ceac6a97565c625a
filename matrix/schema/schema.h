/*
 * What may stand in run-matrix.yaml, as one table: the checker, the JSON Schema and the reference
 * page are made from it. The checker knows shapes and spellings; what names mean is suite.h's matter.
 */
#ifndef RM_MATRIX_SCHEMA_SCHEMA_H
#define RM_MATRIX_SCHEMA_SCHEMA_H

#include "matrix/values/node.h"
#include "runner/base/clock.h"
#include "runner/base/ladder.h"

/*
 * The settings of a case, which several layers may set (built-in, defaults, test, overrides, profile,
 * command line): id, key, type (type_... of schema_table.c), built-in value, one sentence of documentation.
 */
#define SETTINGS(X)                                                                                          \
    X(SET_ENV, "env", env, NULL, "environment variables added to the caller's; null removes one")            \
    X(SET_MARKS, "marks", marks, NULL, "words to select by with -m")                                         \
    X(SET_SKIP, "skip", skips, NULL, "do not run the case when one of these holds")                          \
    X(SET_XFAIL, "xfail", xfails, NULL, "a failure is expected when one of these holds")                     \
    X(SET_TIMEOUT, "timeout", duration, "60s", "deadline, 0 for none; 15m for a test with results")          \
    X(SET_SLOW, "slow", duration, "10s", "say that a case is slow after this time")                          \
    X(SET_TIMEOUT_METHOD, "timeout-method", timeout_method, "outside", "who takes the stacks at a deadline") \
    X(SET_DUMP, "dump", dump_list, "[timeout, kill, crash]", "when to tell where everybody stands")          \
    X(SET_RUNTIMES, "runtimes", runtimes, NULL, "which programs are asked in their own language for a dump") \
    X(SET_STOP, "stop", ladder, "[INT group 3s, TERM tree 2s, KILL]", "how a case is ended")                 \
    X(SET_OUTPUT_LIMIT, "output-limit", size, NULL, "end a case that writes more than this")                 \
    X(SET_LIMITS, "limits", limits, NULL, "bounds on what a case may use")                                   \
    X(SET_ISOLATE, "isolate", isolate, NULL, "what a case gets for itself alone")                            \
    X(SET_LEAKS, "leaks", leak_policy, "fail", "what to do about what a case leaves behind")                 \
    X(SET_LEAK_GRACE, "leak-grace", duration, "1s", "time for what is left to go away by itself")            \
    X(SET_RETRIES, "retries", retry_policy, "0", "how often, and when, a failed case is run again")          \
    X(SET_FLAKY_RESULT, "flaky-result", flaky_result, "pass", "what passed on retry counts as")              \
    X(SET_QUARANTINE, "quarantine", quarantine, NULL, "failures are reported and do not fail the run")       \
    X(SET_WEIGHT, "weight", count, "1", "how many of the -n places the case takes")                          \
    X(SET_LOCK, "lock", locks, NULL, "cases that share a word here never run side by side")                  \
    X(SET_SERIAL, "serial", boolean, "false", "run with nothing beside it")                                  \
    X(SET_MASK, "mask", variables, NULL, "variables whose values no report may show")                        \
    X(SET_CFLAGS, "cflags", flags, NULL, "flags for tests that are compiled from .c")

enum setting {
#define X(id, key, type, builtin, doc) id,
    SETTINGS(X)
#undef X
        SETTING_COUNT
};

const char *setting_key(enum setting setting);
const char *setting_builtin(enum setting setting); /* YAML text, NULL: not set */
bool setting_find(struct str key, enum setting *setting);

/* Finds all that is wrong: unknown keys, wrong types, values out of range, several where one may stand. */
bool schema_check(const struct node *root, struct diags *diags);

/*
 * Version of the file and of the program it asks for come first: a newer file is not picked apart.
 * What is not even a version is left to schema_check.
 */
bool schema_check_version(const struct node *root, const char *program_version, struct diags *diags);

/*
 * One setting whose expressions are evaluated, or that comes from an option: "3" does for a number then,
 * "true" for a boolean, and null (what a cell lacks) for any scalar. What is still an expression passes.
 */
bool schema_check_setting(enum setting setting, const struct node *value, struct diags *diags);

/* A matrix as it was read: warns of numbers that will not look as they are written, 3.10 as 3.1. */
void schema_warn_numbers(const struct node *matrix, struct diags *diags);

void schema_json(struct buf *out);      /* JSON Schema, draft 2020-12 */
void schema_reference(struct buf *out); /* Markdown */

/* ---- typed scalars; the text as it was written, never with an expression in it ---- */

/* "64k" and "64KiB" are 1024s, "500MB" is 1000s, a bare number is bytes; fractions are rounded down. */
bool schema_size(struct str text, uint64_t *bytes);
bool schema_percent(struct str text, double *fraction); /* "0.3%" -> 0.003; from 0% to 100% */

/*
 * "INT group 3s", "TERM tree", "KILL"; a signal may carry its SIG. Where no target is written KILL goes to the tree,
 * all else to the group.
 */
bool schema_ladder_step(struct str text, struct ladder_step *step);

#endif
