/*
 * Two more programs in the way of child.c, by its rules: raw system calls, no libc, no sanitizers.
 *
 *  - An usher takes a case to its namespaces. It shares our memory and our descriptors, and whoever started it waits
 *    for its end; but it has attributes of its own, so it can enter what a process with threads cannot, and its change
 *    of namespaces is none of ours. It clones the case with CLONE_PARENT: a child of ours, its pidfd in our table.
 *  - The init of an anchor has a copy of our memory, made while other threads of ours were in the middle of
 *    something: nothing of libc can be trusted in it.
 */
#ifndef RM_BACKENDS_INSIDE_H
#define RM_BACKENDS_INSIDE_H

#include "backends/child.h"

/* Lines for uid_map and gid_map: a user who may nothing can map himself, and nobody else, to the same number. */
struct identity {
    char user[40], group[40];
};

struct identity identity_of_ours(void);

/* ---- steps of both; -errno ---- */

/* `self` is a folder in /proc, of a process in a new user namespace. */
long inside_map_ids(int self, const struct identity *identity);
/* What is mounted here from now on is not seen outside; what is mounted there still is here. */
long inside_detach_mounts(void);

/* ---- usher ---- */

#define USHER_FILES 5

struct usher {
    const struct spawn_room *room;
    struct spawn *spawn;
    struct clone_args *args;            /* of the case */
    long (*bring)(struct usher *usher); /* clones it: its pid, or -errno */
    void *user;                         /* of who gave that */
    struct identity identity;
    int files[USHER_FILES]; /* that it opened on its way, for us to close: it may have been killed */
    unsigned count;
    int self;         /* one of them: its own folder in /proc, which it cannot find any more later */
    int ipc;          /* not one of them. -1: none */
    unsigned failure; /* FAILURE of the step that failed; 0: there is a case, or the usher was killed */
};

long usher_bring_spawn(struct usher *usher); /* the child of its `spawn` */
void usher_main(void *user);                 /* a struct usher */
/* The same as a part of what somebody does who is to end soon. False: `failure` says why. */
bool usher_walk(struct usher *usher);

/* ---- errand: look into an IPC namespace ---- */

#define IPC_TABLES 3

struct ipc_look {
    int ipc;
    int owner;              /* its user namespace, where that had to be entered; -1 */
    int tables[IPC_TABLES]; /* /proc/sysvipc/..., which stay tables of that namespace; -1 */
    int error;
};

void ipc_look_main(void *user); /* a struct ipc_look */

/* ---- init ---- */

struct init {
    int maker;  /* pidfd of its parent, whom it cannot see */
    int report; /* pipe */
    bool user;  /* it begins in a user namespace of its own */
    struct identity identity;
};

/* Written to `report` in one piece when all is done, or cannot be. */
struct init_report {
    int error;      /* it has ended */
    int proc_error; /* it is there, but /proc is what it was; 0: it has its own */
};

void init_main(void *user); /* a struct init */

#endif
