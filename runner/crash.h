/*
 * The stack of what has died of a signal: functions and lines are made of the copy that librunmatrix has left of a C test, or
 * of a core, when it is gone; on a thread, since that takes longer than all that the loop does. Its case waits for it. It becomes
 * a dump like those of what hangs, and of a C test a part of what that has said.
 */
#ifndef RM_RUNNER_CRASH_H
#define RM_RUNNER_CRASH_H

#include "runner/diagnose/diagnose.h"

struct session;
struct slot;

/* 0, or -1 and errno. */
int crash_open(struct session *s);
void crash_close(struct session *s);
/* Its process is gone. True: CASE_TOLD comes. False: there is nothing to be read. */
bool crash_begin(struct session *s, struct slot *slot);
/* The loop is told by s->crashes that some were read. */
void crash_heard(struct session *s);
/* "recv_exact at proto.c:41". False: that is not known. */
bool crash_place(struct slot *slot, struct buf *out);
/* Its output has been kept, and now its dump is; nothing where there is none. */
void crash_keep(struct session *s, struct slot *slot);

/* ---- crash_dump.c ---- */

/* Where that was, and nothing else: whoever is dead is not in /proc any more. */
void crash_dump(struct dump *dump, struct arena *arena, const struct slot *slot, const struct stacks *stacks,
                const char *reason, nanos took);

#endif
