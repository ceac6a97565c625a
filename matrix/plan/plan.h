/*
 * Cases out of suites: every test in the projections of the cells it depends on, selected, in order.
 * A case is a few numbers; its id, its cell and its settings are made when somebody asks.
 */
#ifndef RM_MATRIX_PLAN_PLAN_H
#define RM_MATRIX_PLAN_PLAN_H

#include "matrix/plan/settings.h"
#include "matrix/suite/suite.h"

#define CASES_MOST 20000000u
/* Of one suite: no more than the nodes of a file (YAML_LIMITS). */
#define TESTS_MOST 50000u

#define CASE_SUITE_BITS 12
#define CASE_TEST_BITS  19

/* A test of a suite that a test of ours starts, or one in a file of C tests. */
struct sub_test {
    struct str id;       /* escaped, as it stands in ids; empty: see `problem` */
    struct str name;     /* what the suite calls it */
    const char *problem; /* it stands for those of a suite, or a file, that are not known: why not */
    const char *file;    /* of C tests, where it is; NULL: of a suite */
    const char *words;   /* with `problem`: all that was said of it, to be its output; NULL: nothing */
    /* What a C test says of itself: a mapping of settings, and `skip_on_backend`. NULL: nothing. */
    const struct node *own;
    const struct node *marks; /* that its module declares, with what they mean; NULL: none */
    uint32_t suite;           /* with `own` or `marks`: whose it is */
    const char *wrong;        /* what it says of itself and cannot be: the error of its case; NULL: nothing */
};

struct sub_list {
    const struct sub_test *list;
    uint32_t count;
    uint32_t first; /* the plan's own: the number of the first; 0: they have none yet */
};

/*
 * Asked for the tests inside the suite that a case starts, when they matter. NULL: they cannot be known before it is
 * started, and it is one case. What is handed out stays as it is as long as the plan.
 */
struct plan_lister {
    struct sub_list *(*list)(void *user, const struct plan_case *c);
    void *user;
};

struct plan_case {
    uint32_t suite : CASE_SUITE_BITS;
    uint32_t elsewhere : 1; /* every cell it stands for needs another kind of machine */
    uint32_t test : CASE_TEST_BITS;
    uint32_t cell;   /* the first cell with this projection (one that is here, when any is) */
    uint32_t own;    /* cell of the test's own matrix */
    uint32_t extras; /* which keys beyond the axes stand in the id: an index into `plan.extras` */
    /*
     * INSIDE_APART: the number of its test inside, see plan_sub. INSIDE_CHOSEN: which of them, an index into
     * `plan.choices`. 0: all there are.
     */
    uint32_t sub;
};

struct key_set {
    const uint32_t *keys;
    uint32_t count;
};

struct plan {
    struct arena *arena;
    const struct suites *suites;
    struct plan_case *cases;
    uint32_t count;
    uint32_t collected;           /* before selection */
    const struct key_set *extras; /* [0] is empty */
    struct plan_lister lister;    /* set after plan_init; nobody, and no test inside is known */
    const struct sub_test **subs;
    uint32_t sub_count, sub_cap;
    struct key_set *choices; /* of numbers for plan_sub; [0] is empty */
    uint32_t choice_count, choice_cap;
};

#define SUBS_MOST 20000000u

void plan_init(struct plan *plan, struct arena *arena, const struct suites *suites);
/* NULL selection: all. Marks come from the settings. False when diags got an error. */
bool plan_make(struct plan *plan, struct settings *settings, const struct selection *selection,
               struct diags *diags);
/*
 * Of an INSIDE_CHOSEN only these tests, whatever was chosen before; `subs` stay as long as the plan. False: it has too many.
 */
bool plan_choose(struct plan *plan, struct plan_case *c, const struct sub_test *subs, uint32_t count);
void plan_release(struct plan *plan);

const struct suite *case_suite(const struct suites *suites, const struct plan_case *c);
const struct test *case_test(const struct suites *suites, const struct plan_case *c);

/* By number, from 1. */
const struct sub_test *plan_sub(const struct plan *plan, uint32_t number);
/* The test inside that the case is; NULL: it is not one of them. */
const struct sub_test *case_sub(const struct plan *plan, const struct plan_case *c);
/* Why the tests inside are not known, which is an error of the case; NULL: they are, or do not matter. */
const char *case_problem(const struct plan *plan, const struct plan_case *c);
/* Those that were chosen of an INSIDE_CHOSEN; empty: all. */
struct key_set case_choice(const struct plan *plan, const struct plan_case *c);

void case_id(struct buf *out, const struct plan *plan, const struct plan_case *c);
/* The values the case keeps, {} for `axes: []`; its `matrix` context is the same as a node. */
void case_cell_json(struct buf *out, const struct suites *suites, const struct plan_case *c);
struct node *case_context(const struct suites *suites, const struct plan_case *c, struct arena *arena);

/* A cell, or what of it lies on some axes (one flag per key; NULL: all): its context, "@backend=exec" or "". */
struct node *cell_context(const struct suite *suite, uint32_t cell, const bool *axes, struct arena *arena);
void cell_id(struct buf *out, const struct suite *suite, uint32_t cell, const bool *axes);
bool cell_same(const struct suite *suite, uint32_t a, uint32_t b, const bool *axes);

#endif
