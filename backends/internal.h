/* What the files of this room share; the child's side has a header of its own. */
#ifndef RM_BACKENDS_INTERNAL_H
#define RM_BACKENDS_INTERNAL_H

#include "backends/backends.h"

extern const struct backend backend_exec;

/*
 * Why a program cannot be executed, by looking at it: a few words that add to what errno says, or none where there is
 * nothing to add. One function for each errno: ENOENT, EACCES, ENOEXEC, ELOOP.
 */
void program_missing(struct buf *out, const struct spawn_spec *spec);
void program_forbidden(struct buf *out, const struct spawn_spec *spec);
void program_foreign(struct buf *out, const struct spawn_spec *spec);
void program_circular(struct buf *out, const struct spawn_spec *spec);

/* 'text', as a terminal may see it. */
void add_quoted(struct buf *out, struct str text);

#endif
