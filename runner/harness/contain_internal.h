/* The inside of containment: what its three objects share. */
#ifndef RM_HARNESS_CONTAIN_INTERNAL_H
#define RM_HARNESS_CONTAIN_INTERNAL_H

#include "runner/harness/contain.h"

#include <stdatomic.h>

enum cookie { COOKIE_RUN, COOKIE_CASE, COOKIE_ATTEMPT, COOKIES_MOST };

struct contain_place {
    struct contain *contain;
    const struct means *means; /* those of the run, but of who is outside */
    uint32_t slot;
    _Atomic(const struct spawn *) expected; /* contain_expect; NULL: nobody is */
    struct process leader;                  /* pid 0: none */
    uint64_t since;                         /* ticks of the machine when it was started */
    struct cgroup *cgroup;                  /* CONTAIN_CGROUP */
    uint64_t memory;                        /* limit that waits for the exec; 0: none */
    bool refused;                           /* that limit, when it was to be set last */
    bool exceeded;                          /* it was refused twice: the case has had its end */
    bool frozen;                            /* and was not thawed */
    bool limits[CGROUP_LIMIT_COUNT];        /* that the case has */
    uint64_t hits[CGROUP_LIMIT_COUNT];      /* as the group counted them before it */
    struct anchor anchor;                   /* CONTAIN_PIDNS; pid 0: none yet */
    bool spoilt;                            /* the anchor was killed, or may have been */
    struct spawn_room room;
    int ipc;                           /* -1: none */
    const char *cookies[COOKIES_MOST]; /* of its environment, which tell it from all other attempts */
};

/* One means. Those that are NULL have nothing to do. */
struct means {
    bool walks; /* its members are found in a census */
    int (*prepare)(struct contain_place *place, struct spawn_spec *spec);
    void (*not_started)(struct contain_place *place);
    void (*members)(struct contain_place *place, const struct census *machine, struct census *out);
    /* The number may have changed hands since it was listed; it cannot any more. */
    bool (*holds)(struct contain_place *place, const struct proc_stat *listed);
    bool (*is_empty)(struct contain_place *place);
    void (*kill)(struct contain_place *place);
    bool (*freeze)(struct contain_place *place, bool on, int *events);
    void (*reaped)(struct contain_place *place, bool left);
};

extern const struct means means_cgroup, means_pidns, means_group;

struct contain {
    enum containment kind;
    const struct means *means;
    struct contain_place *places;
    uint32_t count;
    pid_t self;
    int children;         /* /proc/<self>/task/<self>/children; -1: there is no such file */
    atomic_bool starting; /* a child may be there that is in no place, or not yet: a case, or who helps us */
    struct cgroups groups;
    struct proc_ids
        shared; /* CONTAIN_GROUP: orphans that were alive when one of several was over who may have made them */
};

/* ---- contain_strangers.c: children of ours that no place knows ---- */

/* Adds them: orphans of cases. False: one of them may be a case that is being started. */
bool strangers_list(struct contain *contain, struct proc_ids *out);
/* As it was when it was looked at. */
bool stranger_is(const struct contain *contain, const struct proc_stat *stat);
/* True: it is our child, and was dead; nobody waits for it but us. */
bool stranger_reap(const struct contain *contain, pid_t pid);

enum ownership {
    NOT_ITS,
    NOT_KNOWN_YET, /* to be asked again: its environment may tell */
    MAY_BE_ITS,
    ITS,
};

struct stranger {
    const struct proc_stat *stat;
    struct buf environment; /* that which it was executed with; of a child that did not execute, ours */
    bool pending;           /* it is in the moment of an exec, and has none yet */
};

enum ownership stranger_judge(const struct contain_place *place, const struct stranger *stranger);
/*
 * By its session, group or environment, or as nobody else was there who could have made it. With control
 * groups that is asked only of those who have left theirs.
 */
bool stranger_is_its(const struct contain_place *place, const struct proc_stat *stat);

/* For the table of means: of the strangers that are this case's, and those below them. */
void strangers_members(struct contain_place *place, struct census *out);
bool strangers_hold(struct contain_place *place, const struct proc_stat *listed);
bool strangers_are_gone(struct contain_place *place);
void strangers_kill(struct contain_place *place);

#endif
