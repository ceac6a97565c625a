/* What the files that read a suite share. */
#ifndef RM_MATRIX_SUITE_INTERNAL_H
#define RM_MATRIX_SUITE_INTERNAL_H

#include "matrix/suite/suite.h"
#include "matrix/values/lookup.h"

struct variable;

/* One file being read. The readers go on after an error, so they look before they take. */
struct loading {
    struct arena *arena;
    struct diags *diags;
    struct suite *suite;
    const struct node *more_tests; /* that are not in the file; NULL: none */
    bool matrix_broken;            /* it is said already: names that its cells would have are not errors */
    struct names keys;             /* of the cells, each with its number */
    struct names own_keys;         /* of the matrix of any test that is read */
    struct variable *variables;    /* of the cells' keys, sorted */
};

/* strategy, from, bind, host: everything about cells. */
void load_strategy(struct loading *l);
/* Cells that a job's runs-on (NULL: it has none) sends to another kind of machine. */
void load_runs_on(struct loading *l, const struct node *runs_on);
/* A label, or a list of them: does any of them name another kind of machine, or, when `strict`, not this one? */
bool value_is_elsewhere(struct loading *l, const struct node *value, bool strict);
/* Of two keys that would be one variable of the environment it is said. */
void load_variables(struct loading *l);
void check_own_variables(struct loading *l, const struct cells *own);
void load_fixtures(struct loading *l);
void load_tests(struct loading *l);
void load_overrides(struct loading *l);
void load_profiles(struct loading *l);

/* A copy with its expressions evaluated from functions, literals and --context; NULL when diags got an error. */
const struct node *eval_context_tree(struct loading *l, const struct node *tree);

/*
 * What an expression of a test, a fixture or an override may speak of. NULL lists know nothing; a check
 * adds what it finds to `mentions`.
 */
struct scope {
    const struct names *own; /* keys of a test's own matrix; NULL: those of any test */
    bool own_broken;         /* that matrix is wrong, which is said already: any key may be of it */
    const bool *axes;        /* one per key of the cells; NULL: all of them */
    const char *subject;     /* "test 'x'", for messages */
    const uint32_t *fixtures;
    uint32_t fixture_count;
    bool any_fixture; /* do not check which */
    bool *mentions;   /* one per key of the cells, may be NULL */
    bool mentions_matrix;
};

/* Parses every template below `tree` but under the keys of `except`, and checks the names in it. */
void check_templates(struct loading *l, const struct node *tree, const char *const *except,
                     struct scope *scope);
void check_expr_paths(struct loading *l, const struct expr *expr, struct scope *scope);
/* template_parse or template_parse_key */
typedef struct template *template_parser(struct arena *, const struct node *, expr_names, struct diags *);
/* Every path in the expressions of a string; `names` are the contexts they may use. */
void each_scalar_path(struct loading *l, template_parser *parse, const struct node *scalar,
                      const char *const *names, bool (*each)(void *user, struct expr_path path), void *user);

/* Number of a key of the cells, as cells_key gives it; that one looks at every key. */
uint32_t find_key(const struct loading *l, struct str name);
/* Names of fixtures to their numbers; names of axes to one flag per key. `own` (or NULL): axes that need no naming. */
uint32_t *load_fixture_names(struct loading *l, const struct node *names, uint32_t *count);
bool *load_axis_names(struct loading *l, const struct node *names, const struct names *own);

/* Text of a scalar; empty for anything else. */
struct str text_of(struct arena *arena, const struct node *node);

struct str escaped(struct arena *arena, struct str text);
struct str *escaped_key_names(struct arena *arena, const struct cells *cells);

#endif
