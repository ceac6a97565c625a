/* What plan, case, settings and merge share. */
#ifndef RM_MATRIX_PLAN_INTERNAL_H
#define RM_MATRIX_PLAN_INTERNAL_H

#include "matrix/plan/plan.h"
#include "matrix/plan/projection.h"

/* Memory to look at one case after another through; a view is valid until the next one. */
struct case_lens {
    struct buf id;
    struct str *axes, *values;
};

void case_lens_init(struct case_lens *lens, struct arena *arena, const struct suites *suites);
void case_lens_release(struct case_lens *lens);
/* Without marks. */
struct case_view case_view(struct case_lens *lens, const struct plan *plan, const struct plan_case *c);
/* Of one of the tests inside; NULL: of the case itself. */
struct case_view case_view_inside(struct case_lens *lens, const struct plan *plan, const struct plan_case *c,
                                  const struct sub_test *sub);

/* By its whole id, or as the override's own file calls it, without the folder that a monorepo puts before it. */
enum select_answer override_matches(const struct override *override, const struct suite *suite,
                                    const struct case_view *view);

/* Contexts of a case for expressions; `fixtures` is not among them. */
struct case_env {
    const struct suites *suites;
    const struct plan_case *c;
    struct arena *scratch;
    const struct node *matrix; /* made on first use */
};

const struct node *case_env_context(void *user, struct str name); /* for expr_env.context */

/* ---- a plan in the making ---- */

struct planning {
    struct arena scratch;
    struct diags *diags;
    struct settings *settings;
    const struct selection *selection;
    struct plan *plan;
    struct key_sets sets;
    struct case_lens lens;
    struct str *marks;
    uint32_t marks_cap;
    uint32_t cap;
    uint32_t *idle; /* overrides of the suite that have met no case yet */
    uint32_t idle_count;
    uint64_t looks; /* that are left for meeting them */
};

/* False, here and below: diags got an error. */
bool plan_read_marks(struct planning *p, const struct plan_case *c, struct case_view *view);
bool plan_ask(struct planning *p, const struct case_view *view, bool *selected);
/* Counts it, and takes it when it is selected. */
bool plan_consider(struct planning *p, const struct plan_case *c);
/* Takes it without asking. */
bool plan_take(struct planning *p, const struct plan_case *c);
/* One that has tests inside. */
bool plan_consider_inside(struct planning *p, struct plan_case c);

/* ---- one setting ---- */

struct layers {
    struct setting_part *list; /* lowest first */
    uint32_t count;
};

/* Where the expressions of a setting are evaluated, and into what. */
struct evaluation {
    const struct expr_env *env;
    struct arena *arena;
    struct diags *diags;
};

bool layers_have_expr(const struct layers *layers);
/* False when an expression failed. */
bool layers_merge(const struct layers *layers, enum setting setting, struct evaluation *e,
                  struct setting_value *value);

#endif
