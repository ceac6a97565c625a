/*
 * A program that misbehaves: kid NAME [ARGS]. One that waits prints the line "ready" first, when whatever it does to
 * signals, sessions and children is done: who reads it need not sleep. One that leaves processes behind prints their
 * numbers, when all of them are where they should be.
 *
 * What is left over of the arguments is not looked at: a test puts a word there by which it finds the processes. And
 * every process ends by itself after KID_LIFE, so that a test that goes wrong leaves nothing for ever.
 */
#ifndef RM_TESTS_KIDS_KID_H
#define RM_TESTS_KIDS_KID_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KID_LIFE     120 /* seconds */
#define KID_HOPPING  15  /* ... of what costs a processor */
#define LENGTH(list) (sizeof(list) / sizeof *(list))

/* Where a process goes before it does what it does. */
enum kid_place {
    KID_SESSION = 1, /* into a session of its own */
    KID_GROUP = 2,   /* into a process group of its own */
    KID_TWICE = 4,   /* and forks once more: nobody is its parent */
};

struct kid {
    const char *name, *args, *what;
    int least; /* arguments */
    int (*act)(char **args);
    /*
     * Instead of acting it leaves a process, which calls this, if anything, and then waits. What it writes to `tell`
     * is printed after its number, as soon as nobody has `tell` any more.
     */
    bool leaves;
    int places;
    void (*left)(int tell, char **args);
};

/* Ended by a row without name. */
extern const struct kid kids_end[], kids_stay[], kids_write[], kids_leave[], kids_escape[], kids_hold[],
    kids_take[], kids_look[], kids_meet[];

int broken(const char *what); /* says why, by errno; 99 */
void say(const char *line);
int wait_for_ever(void);       /* says "ready" */
_Noreturn void linger(void);   /* says nothing */
long number(const char *text); /* digits alone; atol would take anything */
void ignore(int signal);
void sleep_ms(long ms);
void limit_life(int seconds); /* of this process, whatever it does to signals, and even when it is stopped */
pid_t kid_fork(void);         /* a child's life is limited as well */
int kid_leave(const struct kid *kid, char **args);

#endif
