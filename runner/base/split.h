/* A command in one piece, as a shell takes it apart. */
#ifndef RM_BASE_SPLIT_H
#define RM_BASE_SPLIT_H

#include "runner/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Blanks part words; '...' is taken as it stands; in "..." a backslash stands for what follows it where that is a sign to the
 * shell, elsewhere always. Nothing is expanded: no variables, no globs. The words end in NULL. False, with `why`: a quote
 * that is not closed, or a backslash at the end.
 */
bool split_command(const char *text, struct arena *arena, const char ***words, uint32_t *count,
                   const char **why);

#endif
