/*
 * Which cases: ids and globs, -k and -m in pytest's grammar, re:/…/, --cell, --deselect, --partition.
 * A selection is compiled once and asked once per case.
 */
#ifndef RM_MATRIX_SELECT_SELECT_H
#define RM_MATRIX_SELECT_SELECT_H

#include "runner/base/arena.h"
#include "runner/base/diag.h"
#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What a selection looks at. Everything but the marks escaped as it stands in the id. */
struct case_view {
    struct str id;                   /* whole */
    struct str test;                 /* up to the parameters, with its folder: "services/kv/proto::nested" */
    struct str params;               /* "depth=3,mode=x", or empty */
    const struct str *axes, *values; /* every key that the cell has, also those that are not in the id */
    uint32_t axis_count;
    struct str backend; /* the axis whose values are spawn backends; empty: none */
    const struct str *marks;
    uint32_t mark_count;
    bool more_inside; /* of C tests: each has these marks and its own, and its parameters */
};

/*
 * An id may be shortened: "proto" is also "proto::x", "services/kv/" all of that folder; without parameters
 * or cell any will do, with some those that have them. Names and values may be globs; what is copied from
 * a report selects its case. re:/PATTERN/ or re:/PATTERN/i searches the id as it is printed.
 *
 * A cell is axis=value,... with several values as axis=a|b; one axis given twice means any of the two.
 * Axes are compared without regard to case, and null also selects cells that lack the axis.
 *
 * -k and -m are pytest's: -k looks for its words anywhere in the id, escaped or not, and in the marks,
 * without regard to case. Blank ones are as good as not given.
 */
struct selection_spec {
    /* each list may be empty; NULL texts are not given */
    const char *const *ids; /* any of them */
    size_t id_count;
    const char *const *cells; /* any of them */
    size_t cell_count;
    const char *const *deselect; /* none of these ids */
    size_t deselect_count;
    const char *keywords;  /* -k */
    const char *marks;     /* -m */
    const char *partition; /* slice:M/N, every Nth of what is selected, or hash:M/N, by id; M from 1 */
};

struct selection;

/*
 * Places are those of `at`, the column moved to what is wrong inside the text; a place without a file has the
 * column in its message. NULL when diags got an error.
 */
struct selection *selection_compile(struct arena *arena, const struct selection_spec *spec, struct place at,
                                    struct diags *diags);
/* PCRE2 keeps memory outside the arena. */
void selection_release(struct selection *selection);

/* Axis names, not escaped, that --cell and the ids' `@` parts speak of, to be checked against the cells. */
bool selection_each_axis(const struct selection *selection, bool (*each)(void *user, struct str axis),
                         void *user);

/* Ordered so that the lesser of two answers is their `and`, the greater their `or`. */
#define SELECT_ANSWERS(X)                                                                          \
    X(SELECT_NO, "no")                                                                             \
    X(SELECT_GAVE_UP, "gave up") /* a regular expression met its limit: not known for this case */ \
    X(SELECT_YES, "yes")

enum select_answer {
#define X(id, word) id,
    SELECT_ANSWERS(X)
#undef X
};

/*
 * What it has to say of the tests inside a case, which has the view of the case itself: that none or all of them are
 * selected, or that it depends on what they are called.
 */
enum select_reach { REACH_NONE, REACH_ALL, REACH_SOME };

enum select_reach selection_reach(const struct selection *selection, const struct case_view *view);

/* Of a case whose tests inside cannot be known: what is asked for is somewhere in it, or -k finds it. */
bool selection_takes_whole(const struct selection *selection, const struct case_view *view);

/* Everything but --partition, which needs to know how many the others leave. */
enum select_answer selection_matches(const struct selection *selection, const struct case_view *view);
/* `ordinal`: how many selected cases came before this one. True without --partition. */
bool selection_in_partition(const struct selection *selection, struct str id, uint64_t ordinal);

/*
 * `*` any text, also across `::` and `/`, `?` one character, `[a-z]`, `[!a-z]`; a backslash takes the next
 * character as it is. Never more steps than pattern times text.
 */
bool glob_match(struct str pattern, struct str text);

/* The other name of a spawn backend ("trio" for "exec"), or NULL. */
const char *backend_alias(struct str value);

#endif
