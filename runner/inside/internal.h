/* What the files of this room share. */
#ifndef RM_INSIDE_INTERNAL_H
#define RM_INSIDE_INTERNAL_H

#include "runner/inside/inside.h"

/* The folder of copies; -1 and errno. */
int inside_open(int folder);
/* One of them, when it is a file in which something stands; -1 and errno. */
int inside_open_copy(int copies, const char *name);

#endif
