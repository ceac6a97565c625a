/* What the files of this room share; the child's side has headers of its own. */
#ifndef RM_BACKENDS_INTERNAL_H
#define RM_BACKENDS_INTERNAL_H

#include "backends/backends.h"

#include <linux/sched.h>

extern const struct backend backend_exec;

/* ---- clones ---- */

/* child_clone (child.h) with all signals blocked, as the new process has them too. */
long clone_blocked(struct clone_args *args, void (*entry)(void *user), void *user);
/*
 * Has something done that would change the thread it is done on, by a child with our memory and our descriptors;
 * returns when that has ended. `run` keeps to the rules of child.h and exits. 0, or -errno when there was no child.
 */
long errand(void (*run)(void *user), void *user);
/* `args` are those of the case itself. A failure as in child.h, or 0. */
unsigned room_start(struct spawn *spawn, struct clone_args *args, const struct process *process);

/* ---- words ---- */

/*
 * Why a program cannot be executed, by looking at it: a few words that add to what errno says, or none where there is
 * nothing to add. One function for each errno: ENOENT, EACCES, ENOEXEC, ELOOP.
 */
void program_missing(struct buf *out, const struct spawn_spec *spec);
void program_forbidden(struct buf *out, const struct spawn_spec *spec);
void program_foreign(struct buf *out, const struct spawn_spec *spec);
void program_circular(struct buf *out, const struct spawn_spec *spec);

/* What on this machine keeps people from making namespaces, as far as that can be seen. */
void namespaces_refused(struct buf *out, const struct spawn_spec *spec);

/* Is a process started there? False: why not, in a sentence. */
bool room_probe(const struct spawn_room *room, struct buf *why);

/* 'text', as a terminal may see it. */
void add_quoted(struct buf *out, struct str text);

#endif
