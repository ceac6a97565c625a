/* The inside of taking stacks: a copy is asked of, by a program of its own. */
#ifndef RM_STACKS_INTERNAL_H
#define RM_STACKS_INTERNAL_H

#include "runner/stacks/answer.h"
#include "runner/stacks/copied.h"

/* ---- unwinder.c: run-matrix-stacks as a process ---- */

struct unwinding {
    const char *program;        /* NULL: there is none */
    const char *mode;           /* its first argument */
    const char *first, *second; /* more of them; NULL: none */
    int input;                  /* its standard input; -1: none */
    nanos until;                /* clock_now(); it is killed then */
    nanos quiet;                /* or when it has said nothing for so long; 0: it may */
    struct buf said;
    char problem[128]; /* empty: it has ended well */
};

/* On any thread of a process, whatever the others wait for: its child is none that they see. */
void unwinder_run(struct unwinding *unwinding);

#endif
