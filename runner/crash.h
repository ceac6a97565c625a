/*
 * The stack of a C test that has died of a signal: librunmatrix leaves a copy of it, and functions and lines are made of
 * that when the test is gone, on a thread, since it takes longer than all that the loop does. Its case waits for it, and the
 * words become part of what the test has said.
 */
#ifndef RM_RUNNER_CRASH_H
#define RM_RUNNER_CRASH_H

#include <stdbool.h>
#include <stdint.h>

struct session;
struct slot;

/* 0, or -1 and errno. */
int crash_open(struct session *s);
void crash_close(struct session *s);
/* Its process is gone. True: CASE_TOLD comes. False: there is nothing to be read. */
bool crash_begin(struct session *s, struct slot *slot);
/* The loop is told by s->crashes that some were read. */
void crash_heard(struct session *s);

#endif
