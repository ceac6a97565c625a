/* What of a run is worth running again: what failed in the last one, and what is concerned by changes. */
#ifndef RM_RUNNER_NARROW_H
#define RM_RUNNER_NARROW_H

#include "runner/changes/changes.h"
#include "runner/command.h"

/*
 * `in` from now on selects that alone, as if it had been called so. Left as it is when everything is to be run: there was no run, it
 * cannot be told what a change concerns, or a file that says what is run is among them.
 */
void narrow(struct invocation *in, const struct changes *changes);

#endif
