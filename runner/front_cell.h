/* In a job of a matrix on GitHub: of all cases those that belong to its cell. */
#ifndef RM_RUNNER_FRONT_CELL_H
#define RM_RUNNER_FRONT_CELL_H

#include "runner/front.h"

/*
 * Heeds RUN_MATRIX_CELL where RUN_MATRIX is not set: inside a case it describes, and selects nothing. False: it is no cell, or there
 * should be one; diags say so. When suites are left out: those decide nothing.
 */
bool front_choose_cell(struct front *front, struct invocation *in);

/* "backend=exec,transport=uds" of the first suite that has the cell of this job; nothing: all cells are wanted, or none has it. */
void front_cell_words(const struct front *front, struct buf *out);

#endif
