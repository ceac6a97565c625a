/*
 * Errors with a place. A reader of configuration collects all it finds and
 * goes on; whoever called decides what to print and with which exit code.
 */
#ifndef RM_BASE_DIAG_H
#define RM_BASE_DIAG_H

#include "runner/base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

/* Where something stands in a text: lines and columns from 1, columns counted in characters. */
struct place {
    const char *file;   /* NULL: not in a file (an option, a built-in value) */
    uint32_t line, col; /* 0: the file as a whole */
};

#define DIAG_SEVERITIES(X)     \
    X(DIAG_WARNING, "warning") \
    X(DIAG_ERROR, "error")

enum diag_severity {
#define X(id, word) id,
    DIAG_SEVERITIES(X)
#undef X
};

struct diag {
    enum diag_severity severity;
    struct place at;
    const char *text;
    size_t number; /* in the order found */
};

/* All zero and an arena is ready for use; everything lives in the arena. */
struct diags {
    struct arena *arena;
    struct diag *list; /* at most DIAG_MOST, in the order found */
    size_t count, cap;
    size_t errors, warnings; /* all that were found, also those past DIAG_MOST */
    size_t told;             /* of them, by diags_print */
    bool inert;              /* what is printed is no command to who reads the log */
};

#define DIAG_MOST 200 /* of each severity: a machine-made mess need not be read to its end */

void diag_error(struct diags *diags, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void diag_warning(struct diags *diags, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * "file:line:col: error: text", one a line, sorted by file and place. What was printed is forgotten, but for the
 * numbers of errors and warnings.
 */
void diags_print(struct diags *diags, FILE *out);

/* "file:line:col", shorter where less is known; "" for a place that is none. */
const char *place_text(struct arena *arena, struct place at);

#endif
