/* What was installed with this program: files that belong to it and are no programs of people. */
#ifndef RM_BASE_INSTALLED_H
#define RM_BASE_INSTALLED_H

#include "runner/base/arena.h"

/*
 * The path of "run-matrix-host": in our own folder, where it was built, or where it is installed, ../libexec/run-matrix. As
 * access(2) is asked by `mode`; NULL: it is in neither.
 */
const char *installed_find(struct arena *arena, const char *name, int mode);

/* What fixtures/python/sitecustomize.py calls the memory that it has open in each Python program. */
#define INSTALLED_PYTHON_MEMORY "run-matrix-python:"

#endif
