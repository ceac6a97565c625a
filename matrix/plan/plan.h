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

struct plan_case {
    uint32_t suite : CASE_SUITE_BITS;
    uint32_t elsewhere : 1; /* every cell it stands for needs another kind of machine */
    uint32_t test : CASE_TEST_BITS;
    uint32_t cell;   /* the first cell with this projection (one that is here, when any is) */
    uint32_t own;    /* cell of the test's own matrix */
    uint32_t extras; /* which keys beyond the axes stand in the id: an index into `plan.extras` */
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
};

void plan_init(struct plan *plan, struct arena *arena, const struct suites *suites);
/* NULL selection: all. Marks come from the settings. False when diags got an error. */
bool plan_make(struct plan *plan, struct settings *settings, const struct selection *selection,
               struct diags *diags);
void plan_release(struct plan *plan);

const struct suite *case_suite(const struct suites *suites, const struct plan_case *c);
const struct test *case_test(const struct suites *suites, const struct plan_case *c);

void case_id(struct buf *out, const struct plan *plan, const struct plan_case *c);
/* The values the case keeps, {} for `axes: []`; its `matrix` context is the same as a node. */
void case_cell_json(struct buf *out, const struct suites *suites, const struct plan_case *c);
struct node *case_context(const struct suites *suites, const struct plan_case *c, struct arena *arena);

/* A cell, or what of it lies on some axes (one flag per key; NULL: all): its context, "@backend=exec" or "". */
struct node *cell_context(const struct suite *suite, uint32_t cell, const bool *axes, struct arena *arena);
void cell_id(struct buf *out, const struct suite *suite, uint32_t cell, const bool *axes);
bool cell_same(const struct suite *suite, uint32_t a, uint32_t b, const bool *axes);

#endif
