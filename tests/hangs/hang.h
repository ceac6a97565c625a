/*
 * Programs that hang, each just so: hang NAME. It says "ready" when everybody who is to hang does: known by what the
 * kernel says of them, so whoever reads that need not sleep.
 *
 * The line at which somebody hangs ends with the comment "hangs", in a function whose name tells what it does there: a dump
 * of it has to have both. What is left over of the arguments is not looked at: a test puts a word there by which it finds
 * the processes. And every process ends by itself after KID_LIFE.
 */
#ifndef RM_TESTS_HANGS_HANG_H
#define RM_TESTS_HANGS_HANG_H

#include "tests/kids/kid/kid.h"

#include <pthread.h>

#define HANGS_APART __attribute__((noinline)) /* it has a frame of its own */

/* The last that somebody does before it hangs, be it a process or a thread, also a forked one. */
void hang_comes(void);

/* From now on somebody looks at those who come, and says "ready" when there are so many and all of them sleep. */
void hang_ready_when(unsigned count);

/* Two processes, or threads, wait for each other here: once. */
void hang_meets(void);

/* A thread with a name; exits if there is none to be had. */
pthread_t hang_thread(const char *name, void *(*body)(void *), void *arg);

/* Ended by a row without name. */
extern const struct kid hangs_threads[], hangs_pipes[], hangs_sockets[], hangs_processes[], hangs_names[],
    hangs_refuse[];

#endif
