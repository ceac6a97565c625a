/* TAP in three steps: what a line is, what a block of YAML says, and the document they are part of. */
#ifndef RM_RESULTS_TAP_H
#define RM_RESULTS_TAP_H

#include "runner/results/internal.h"

#define TAP_INDENT 4 /* of a subtest */

/* ---- one line ---- */

enum tap_kind {
    TAP_NOISE,
    TAP_VERSION, /* "TAP version 14" */
    TAP_PLAN,    /* "1..5 # SKIP reason" */
    TAP_POINT,   /* "not ok 3 - description # TODO reason" */
    TAP_COMMENT, /* "# text" */
    TAP_SUBTEST, /* "# Subtest: name" */
    TAP_PRAGMA,  /* "pragma +strict" */
    TAP_BAIL,    /* "Bail out! reason" */
    TAP_YAML,    /* "---" */
};

enum tap_directive { TAP_NONE, TAP_SKIP, TAP_TODO };

struct tap_line {
    enum tap_kind kind;
    size_t indent;   /* blanks before it */
    uint64_t number; /* of a version, a plan, a point (0: it has none) */
    bool ok;
    struct str text; /* description with its escapes, name of a subtest, comment, pragmas */
    enum tap_directive directive;
    struct str reason; /* of a directive or of bailing out */
    nanos duration;    /* that bats, Criterion and node-tap put at the end of a description; -1 */
};

void tap_line_read(struct str line, struct tap_line *out);
/* "\#" and "\\" are what they escape. */
void tap_unescape(struct buf *out, struct str text);

/* ---- a block of YAML ---- */

/* What we look for in a block; everything else in it is left to who reads the details. */
struct tap_yaml {
    struct buf message, file;
    uint32_t line;
    nanos duration; /* -1 */
    /* the reader's own */
    struct buf *scalar; /* the literal that goes on with lines indented more than ... */
    size_t scalar_indent;
    bool in_place; /* keys that are indented belong to `at` */
};

void tap_yaml_clear(struct tap_yaml *yaml);
void tap_yaml_release(struct tap_yaml *yaml);
void tap_yaml_line(struct tap_yaml *yaml, struct str line); /* without the indent of the block */

/* ---- the document ---- */

#define TAP_LEVELS_MOST 32 /* subtests in subtests */

/* A subtest that has results: its name is known when its own test point comes, after them. */
struct tap_node {
    const struct tap_node *up; /* NULL: the document */
    struct str name;
};

struct tap_numbered {
    uint32_t number, line;
};

/* The document or a subtest of it, while it is open. */
struct tap_level {
    struct tap_node *node; /* NULL until it has a result; the document has none */
    struct str name;       /* that a comment gave it */
    uint32_t began;        /* its first line */
    int64_t plan;          /* -1: none yet */
    bool plan_late;        /* it came after a test point: none may follow */
    bool failed;           /* a result of it says so */
    bool left_out;         /* a point of it is not in `numbers`: nothing is known of what is missing */
    uint32_t points;
    struct tap_numbered *numbers; /* of its points, in the order they came */
    uint32_t count, cap;
};

/* A result that is not in the list yet, since it is not whole or the name of a subtest it is in is not known. */
struct tap_pending {
    struct result result;
    const struct tap_node *in;
};

struct tap {
    struct results_reader reader;
    struct line_feed feed;
    bool strict, over; /* over: it has bailed out */
    struct tap_level levels[TAP_LEVELS_MOST];
    unsigned depth; /* of the level that is open, 0: the document */

    struct tap_pending *pending;
    uint32_t count, cap;
    bool has_last;          /* the last of them is a point to which what comes may belong ... */
    unsigned last_depth;    /* ... and stands in this level */
    struct excerpt details; /* of it */
    struct buf name;        /* scratch */

    bool in_yaml;
    size_t yaml_indent;
    uint64_t yaml_began;
    struct tap_yaml yaml;
};

void tap_problem(struct tap *tap, uint64_t line, uint64_t col, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A test point of the open level; `parent`: it is that of a subtest, in which something has failed or not. */
void tap_point(struct tap *tap, const struct tap_line *line, const struct tap_level *parent);
/* One that the plan announced and that did not come. */
void tap_missing(struct tap *tap, uint64_t number, struct str why);
/* Nothing more belongs to the last point. */
void tap_point_over(struct tap *tap);
/* Those that wait go to the list: the document's own level is open, so all names are known. */
void tap_settle(struct tap *tap);
/* What comes between a point and the next. */
void tap_comment(struct tap *tap, struct str text);
void tap_yaml_begin(struct tap *tap, size_t indent);
void tap_yaml_end(struct tap *tap);

#endif
