/*
 * Marks that are declared: built in, under `markers` of a file, or by a module with its list. Who asks for it
 * (--strict-markers, `strict-markers`) is told of those that are not, before anything runs: most are misspelt.
 */
#ifndef RM_RUNNER_MARKERS_H
#define RM_RUNNER_MARKERS_H

#include "runner/front.h"

/* False when diags got an error. After the plan: of modules, those that were asked for their tests are looked at. */
bool markers_check(const struct front *front, struct invocation *in);
/* list --markers */
void markers_print(const struct front *front, const struct invocation *in);

#endif
