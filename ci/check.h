/* The parts of which ci_workflow_check is made. */
#ifndef RM_CI_CHECK_H
#define RM_CI_CHECK_H

#include "ci/workflow.h"

struct check {
    struct arena *arena;
    const struct ci_facts *facts;
    const struct node *root, *jobs; /* of the workflow */
    struct diags *found;
};

/* What no longer fits, and where the file says otherwise; a place that is none is left out. */
void check_tell(const struct check *c, struct place at, struct place other, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

enum step_does { STEP_OTHER, STEP_CHECKOUT, STEP_INSTALLS, STEP_PLANS, STEP_RUNS, STEP_SOAKS };

/* ---- check_calls.c: scripts ---- */

struct script_view {
    enum step_does does; /* to plan is more than to soak, and that more than to run */
    bool by_name;        /* its first command is run-matrix from the path, and not ./run-matrix */
    struct str profile;  /* empty: none, or one that is computed */
};

void script_view(struct str script, struct script_view *view);
/* That of options, as the action takes them. */
struct str words_profile(struct str words);

/* ---- check_steps.c: what the steps of a job do ---- */

struct step_view {
    enum step_does does;
    const struct node *node;
    bool action;  /* by the action, not by a script */
    bool by_name; /* a script that wants it on the path */
    struct str profile;
    struct place profile_at;
};

/* owner/run-matrix/ci@v0; a folder run-matrix of the repository; or ./ci, where the project itself uses it. */
bool action_is_known(struct str uses);
struct step_view step_view(const struct check *c, const struct node *step);
/* A scalar of a mapping as text; empty: it is not there, or no scalar. */
struct str check_text(const struct check *c, const struct node *map, const char *key);
/* What is wrong with those that are ours, and with what comes before them. */
void check_steps(const struct check *c, const struct node *job);
bool job_does(const struct check *c, const struct node *job, enum step_does what);

/* ---- check_needs.c: outputs of another job ---- */

/* "needs.plan.outputs.count": what of it stands where in a text. */
struct needs_ref {
    struct str job, output;
    struct str rest; /* of the expression, behind it */
    bool in_from_json;
};

/* The first of a text, inside `${{ }}` or, for `if`, without. */
bool needs_find(struct str text, bool bare, struct needs_ref *ref);
/*
 * Does it lead to that output of a step with `run-matrix ci matrix --github-output`? Tells where it does not: `at` is the place
 * of the text in the job, `what` names the key.
 */
bool check_needs(const struct check *c, const struct node *job, const struct needs_ref *ref,
                 const char *output, struct place at, const char *what);

/* ---- check_matrix.c ---- */

void check_matrix(const struct check *c, const struct node *job);

#endif
