/*
 * What a run holds on this machine, on record in its folder (held.json) from before the first process until
 * it has let go of all of it. A run that has the record and is locked by nobody is dead, and something may be
 * left of it: this room finds that, ends it, and removes it.
 *
 * A process is a run's when it is in its control group, has the run's id in its environment, has a file in
 * the run's folder open for writing, or has anything to do with the folder of its TMPDIRs; and so are the
 * descendants of such a one. Never by its name, never because its parent is gone. Nobody who is older than
 * the run is ever its process, and our own ancestors are never touched.
 */
#ifndef RM_REMAINS_REMAINS_H
#define RM_REMAINS_REMAINS_H

#include "runner/base/arena.h"
#include "runner/base/diag.h"
#include "runner/leaks/leaks.h"
#include "runner/store/store.h"

#define REMAINS_NAME "held.json"

#define HELD_LEGACY 2

struct held {
    struct str run;                  /* its id */
    const char *containment;         /* "cgroup", "pidns", "group" */
    const char *cgroup;              /* absolute path of its own group; NULL: none */
    const char *legacy[HELD_LEGACY]; /* ... in hierarchies of version 1 */
    const char *tmp;                 /* where its TMPDIRs are; NULL: none yet */
    const char *masked;              /* names of variables that nobody may read, blanks between; NULL: none */
    struct proc_id guard, runner, keeper; /* pid 0: none */
    struct world *world;                  /* what was on the machine before the run; NULL: not known */
    nanos last_sign;                      /* of its life, as the first who reaped it saw it; 0: nobody has */
    bool rebooted;                        /* read: the machine was started anew since */
};

/* Replaces the record whole. 0, or -1 and errno. */
int held_write(int run, const struct held *held);
int held_remove(int run); /* the run has let go of everything */
/* False: there is none, it is not ours, or it cannot be read; `held` is empty then. */
bool held_read(int run, struct arena *arena, struct held *held);
void held_release(struct held *held); /* what was read */

/* What one look or reap came to. Numbers are added to those that are there. */
struct reaped {
    uint32_t found;   /* things that are left: processes, sockets, segments, folders */
    uint32_t ended;   /* processes that are gone now */
    uint32_t killed;  /* ... by KILL */
    uint32_t removed; /* sockets, segments, folders */
    uint32_t left;    /* what could not be ended or removed, or was only looked at */
    uint32_t unsure;  /* left alone: what may be another's */
};

#define REAP_GRACE (3 * NS_PER_S)

struct reaping {
    bool look_only;
    bool at_once;         /* KILL without asking before: the runner has just died, and so does the run */
    nanos grace;          /* after INT, before KILL; over as soon as nobody is left */
    const char *who;      /* for the journal: "its guard"; NULL: "reap" */
    struct reaped before; /* ... and what it had ended and removed when it came here */
    /* "process 4711 (sleep 1000), 3m old, of run 0042-...: ended"; NULL: silent */
    void (*say)(void *user, const char *line);
    /* Asked while we wait: true, and nobody is waited for any longer; it stays true. NULL: there is time. */
    bool (*hurry)(void *user);
    void *user;
};

/*
 * A dead run whose lock the caller holds: processes, then sockets and segments, then folders and control
 * groups, then the journal gets its note and the record is removed. False: something is left, or what may be
 * the run's or another's was left alone, and the record stays. Its guard and its keeper, who may be those who
 * call, are left alone; while its runner is alive nothing is done at all.
 */
bool reap_run(struct run_folder *run, const struct reaping *how, struct reaped *result);
/*
 * Every dead run of a store that has a record, and folders of TMPDIRs whose run has none. Live runs are
 * passed over. Before a run makes anything of its own.
 */
void reap_store(struct store *store, const struct reaping *how, struct reaped *result, struct diags *diags);
/* The descendants of a process that is not ours, which itself is left alone: `reap --parent`. */
bool reap_descendants(struct proc_id parent, const struct reaping *how, struct reaped *result);

/* Another run of ours was there when something appeared (wall clock, 0: not known): it may be that one's. */
bool remains_has_neighbour(const char *folder, nanos born);
/*
 * The folder of TMPDIRs of a run that is over is removed; while others are going on that were beside it, it
 * stays and says when that was. The last of them, which has let go of its lock by then, removes them all.
 */
void remains_close_root(const char *root, const char *folder);
void remains_forget_ended(void);

#endif
