/* Programs of ours that are not this one. */
#ifndef RM_BASE_BESIDE_H
#define RM_BASE_BESIDE_H

#include "runner/base/arena.h"

/* In the folder of the running program, or, in an installation, beside that; NULL: it is in neither. */
const char *program_beside(struct arena *arena, const char *name);

#endif
