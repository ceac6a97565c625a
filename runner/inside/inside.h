/*
 * Stacks that a process linked with librunmatrix tells of itself, in copies that stand in a folder of its private one
 * (runner/stacks/copy.h; fixtures/tools writes them): of the thread that crashed, and of all of them, when they are asked for
 * (timeout-method: thread). It works where nobody may trace. A test may put there whatever it likes: no open waits, nothing
 * but a regular file is read, and no more than a bounded piece of it.
 *
 * All of it may be called on any thread, by one for each folder.
 */
#ifndef RM_INSIDE_INSIDE_H
#define RM_INSIDE_INSIDE_H

#include "runner/base/buf.h"
#include "runner/stacks/copy.h"
#include "runner/stacks/stacks.h"

/* In the private folder; nobody else's. */
#define INSIDE_NAME COPIES_FOLDER

/* Is there a copy of the crash of the process that calls itself by this number? */
bool inside_has_crash(int folder, pid_t pid);
/* Its stack. False: there is none; `out` says why, in words that follow "its stack: ", or nothing where nobody left a copy. */
bool inside_crash(struct stacks *out, struct arena *arena, int folder, pid_t pid,
                  const struct stacks_wants *wants);

/*
 * Asks everybody there, waits until wants->copy_by, and makes stacks of what came until wants->unwind_by. Of those of
 * `list` who have answered, as they are called there; their numbers may be others where they live. Nobody's: they stand in no
 * list. `freeze` is none of this: who stands still cannot answer.
 */
void inside_ask(struct stacks *out, struct arena *arena, int folder, const struct proc_id *list, size_t count,
                const struct stacks_wants *wants);

/* Nothing of it is there any more. */
void inside_forget(int folder);

/* ---- words ---- */

/*
 * A line for each function, indented, with its place: "reach at unit.c:7". Those that a test is called by are left out, and
 * all but INSIDE_FRAMES_MOST counted. Paths below `below` (NULL: none) are told from there. Not harmless.
 */
void inside_words(struct buf *out, const struct stack_thread *thread, const char *below);
#define INSIDE_FRAMES_MOST 12u

#endif
