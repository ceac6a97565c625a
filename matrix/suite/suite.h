/*
 * A run-matrix.yaml, read and checked: cells, tests, fixtures, overrides, profiles. Nothing is opened
 * here: files come through the reader that the caller hands in.
 */
#ifndef RM_MATRIX_SUITE_SUITE_H
#define RM_MATRIX_SUITE_SUITE_H

#include "matrix/cells/cells.h"
#include "matrix/expr/expr.h"
#include "matrix/schema/schema.h"
#include "matrix/select/select.h"

/* ---- what reading needs from outside ---- */

struct suite_world {
    /* File by path; 0, or an errno. */
    int (*read)(void *user, const char *path, struct buf *out);
    /* Paths that match a pattern, sorted, from the arena; 0, or an errno. */
    int (*glob)(void *user, struct arena *arena, const char *pattern, struct str **paths, size_t *count);
    void *user;
    const struct node *context; /* --context FILE.json: a mapping, or NULL */
    const struct node *env;     /* the environment as a mapping */
    const char *const *labels;  /* this machine's labels, for --host strict: {"linux", "debian-12", NULL} */
    bool host_strict;
    const char *version;      /* the program's own */
    const struct node *tests; /* more of them, for the file that is asked for; NULL: none */
};

/* ---- what is read ---- */

#define BUILT_IN_AXES(X)           \
    X(AXIS_BACKEND, "backend")     \
    X(AXIS_TRANSPORT, "transport") \
    X(AXIS_CAPTURE, "capture")

enum built_in_axis {
#define X(id, word) id,
    BUILT_IN_AXES(X)
#undef X
        BUILT_IN_AXIS_COUNT
};

#define FIXTURE_SCOPES(X) \
    X(SCOPE_CASE, "case") \
    X(SCOPE_CELL, "cell") \
    X(SCOPE_SESSION, "session")

enum fixture_scope {
#define X(id, word) id,
    FIXTURE_SCOPES(X)
#undef X
};

struct fixture {
    struct str name;
    const struct node *node; /* NULL: predeclared (reg_addr) */
    enum fixture_scope scope;
    uint32_t *needs; /* indices of fixtures, in the order written */
    uint32_t need_count;
    bool *axes;     /* one per key of the cells: named by `axes` */
    bool *mentions; /* one per key of the cells: used in an expression, here or in what it needs */
};

/* A suite that a test of ours starts has tests of its own. */
enum test_inside {
    INSIDE_UNKNOWN, /* or none that could be chosen */
    INSIDE_CHOSEN,  /* one process for all of them, or for those that are selected */
    INSIDE_APART,   /* a case and a process for each */
};

struct test {
    struct str name;
    struct str id;           /* with the suite's prefix, escaped */
    const struct node *node; /* run, module, cwd, … are read from it when they are needed */
    bool is_module;
    bool left_out; /* the caller wants no case of it */
    enum test_inside inside;
    bool all_axes;         /* no `axes` key: depends on every one */
    bool *axes;            /* one per key of the suite's cells: which the test depends on */
    bool mentions_matrix;  /* the command or an expression uses the matrix */
    struct cells own;      /* `matrix` of the test; one cell without keys when it has none */
    struct str *own_names; /* escaped name of each key of `own` */
    struct expr *only;     /* NULL: everywhere */
    uint32_t *fixtures;
    uint32_t fixture_count;
};

struct override {
    struct selection *select;
    const struct node *node;
};

struct profile {
    struct str name;
    const struct node *node;
};

struct suite {
    const char *file, *dir; /* dir: folder of the file with a slash at its end, "" for the current one */
    struct str prefix;      /* of ids: "" or "services/kv/" for a suite found by `suites` */
    size_t id_prefix;       /* so much of an id is that, escaped */
    bool left_out;          /* the caller wants no case of it */
    bool narrowed;          /* ... or only those of certain files */
    const struct node *root, *defaults;

    struct cells cells;
    struct str *key_names; /* escaped name of each key of `cells` */
    bool *host;            /* one per key: describes the machine */
    bool *elsewhere;       /* one per cell: needs another kind of machine */
    bool *foreign;         /* the same, whatever this machine is called: no Linux */
    bool one_cell;         /* the caller wants those cases alone that belong to one cell: */
    uint32_t only_cell;    /* ... that one; CELL_ABSENT: to none */
    bool fail_fast;
    uint32_t max_parallel;               /* 0: no limit */
    nanos session_timeout;               /* 0: none */
    uint32_t bound[BUILT_IN_AXIS_COUNT]; /* key of the cells, or CELL_ABSENT */

    struct fixture *fixtures;
    uint32_t fixture_count;
    struct test *tests;
    uint32_t test_count;
    struct override *overrides;
    uint32_t override_count;
    struct profile *profiles;
    uint32_t profile_count;

    const struct suite_world *world; /* must outlive the suite */
};

/* One file and, in a monorepo, those its `suites` names: the first is the one that was asked for. */
struct suites {
    struct suite **list;
    uint32_t count;
};

#define SUITES_MOST 4000u

/* False when diags got an error: then it may only be released. */
bool suites_load(struct arena *arena, const char *file, const struct suite_world *world,
                 struct suites *suites, struct diags *diags);
/*
 * Is this one of the files that the `suites` of another file name? `same` compares two paths. No diags: a file that cannot be
 * read names none.
 */
bool suites_name(const char *file, const struct suite_world *world, const char *member,
                 bool (*same)(const char *a, const char *b));
/* The compiled patterns of overrides keep memory outside the arena. */
void suites_release(struct suites *suites);

uint32_t suite_fixture(const struct suite *suite, struct str name); /* UINT32_MAX: none */
/* "; did you mean 'x'?" with the nearest key of the suite's cells, or "". */
const char *suite_guess_key(const struct suite *suite, struct str name, const struct diags *diags);

extern const char *const expr_contexts[]; /* matrix, strategy, env, fixtures */

#endif
