/* What the files of the room share. */
#ifndef RM_REMAINS_INTERNAL_H
#define RM_REMAINS_INTERNAL_H

#include "runner/base/census.h"
#include "runner/remains/remains.h"

#define SPARED_MOST 3
#define CHASES      200 /* for the one process that was born last */

/*
 * So many looks, and for so long, that find nobody, where somebody else was born meanwhile. Time alone says
 * nothing: on a machine that has no time for us it passes without a look.
 */
#define CALM_LOOKS 20
#define CALM_TIME  (200 * NS_PER_MS)

/* Its runner is gone, and so are guard and keeper, unless it is one of these who asks. */
bool held_is_dead(const struct held *held);

/* ---- who belongs to a run ---- */

/* NULL: there is no such mark. */
struct marks {
    const char *variable;               /* "RUN_MATRIX_RUN_ID=0042-...", in its environment */
    const char *group;                  /* "/run-matrix-0042-.../cases", in the path of its control group */
    const char *folder;                 /* of the run, absolute, without links */
    const char *tmp;                    /* of TMPDIRs */
    uint64_t since;                     /* in ticks since boot: nobody of the run is older */
    struct proc_id parent;              /* whose descendants are meant; pid 0: nobody's */
    struct proc_id spared[SPARED_MOST]; /* belong to the run, and are left alone */
};

/* A group that is called after the run: of no other is to be believed that it is the run's. */
bool is_group_of(const struct held *held, const char *path);
void marks_of_run(struct marks *marks, const struct held *held, const char *folder, struct arena *arena);
/* Has it a mark of its own? Asked of the number: who wants to be sure holds a pidfd of it. */
bool marks_on(const struct marks *marks, const struct proc_stat *stat);
bool marks_spare(const struct marks *marks, const struct proc_stat *stat);
bool is_alive(struct proc_id id); /* it and no other */

/* ---- those who were found ---- */

struct found {
    struct proc_id id;
    struct proc_id parent; /* for whose sake it was found; pid 0: it has a mark of its own */
    int pidfd;             /* -1: none */
    const char *words;     /* "process 4711 (sleep 1000), 3m old"; NULL: it came late */
    int asked;             /* the last signal by which it was; 0: none */
    bool killed;
};

struct search {
    struct marks marks;
    struct arena *arena;
    struct found *list; /* all that were ever found; malloced */
    size_t count, cap;
    struct census machine; /* who was there at the last look */
    pid_t newest;          /* number that had been given out last before the last look */
    bool restless;         /* others were given out meanwhile */
    int blind;             /* errno of the last look that could not see everybody; 0: none */
};

void search_release(struct search *search);
/* Looks at the machine once; how many that belong to the run are alive. New ones are added to the list. */
size_t search_look(struct search *search);
/* The same, until it can be believed: is anybody of the run alive? */
bool search_look_well(struct search *search);
/* Who was born last, where it may be of the run and was not there at the last look. */
bool search_newest(struct search *search, struct found *found);
/* Unless it is known already; the one in the list. */
struct found *search_add(struct search *search, const struct found *found);

/* Ends them all, by the ladder or at once. The number of those that are still there. */
size_t search_end(struct search *search, const struct reaping *how, const char *group);

/* ---- folders of TMPDIRs ---- */

struct root {
    const char *path; /* "/tmp/rm-Xb3kQ1" */
    const char *run;  /* the run's folder, as it says itself; NULL: it does not say */
    nanos since;      /* 1970: it says so since then */
    nanos ended;      /* 1970: the run was over then; 0: it has not said so */
};

struct stat;
nanos changed_at(const struct stat *st); /* 1970 */
/* Is it called as they are? A record may be damaged, and everybody has something to do with "/". */
bool root_is_path(const char *path);
/* All of ours, where they are made. `beside`: one that is known; NULL: none. The number; the list is in the arena. */
size_t roots_list(const char *beside, struct arena *arena, struct root **list);
/* Was another run of ours there when something appeared? The best that is known of it. */
enum neighbour { NEIGHBOUR_NONE, NEIGHBOUR_ENDED, NEIGHBOUR_GOING_ON };
enum neighbour roots_find_neighbour(const struct root *list, size_t count, const char *folder, nanos born);
/* Somebody who was beside that run, which has ended or ends now, is still to be told of it. */
bool root_is_wanted(const struct root *list, size_t count, const struct root *root);
/* Takes all out of it but what tells of its run, and that this is over. 0, or -1 and errno. */
int root_end(const struct root *root);

/* ---- saying so ---- */

/* id, what is said of a thing */
#define OUTCOMES(X)               \
    X(OUTCOME_FOUND, "found")     \
    X(OUTCOME_ENDED, "ended")     \
    X(OUTCOME_KILLED, "killed")   \
    X(OUTCOME_REMOVED, "removed") \
    X(OUTCOME_LEFT, "left")       \
    X(OUTCOME_UNSURE, "left alone")

enum outcome {
#define X(id, word) id,
    OUTCOMES(X)
#undef X
};

struct telling {
    const struct reaping *how;
    struct reaped *result;
    struct str run; /* empty: of none */
};

/*
 * Counts a thing, and says it where there are words: "<words>, of run <run>: <outcome>", or with `why` "...:
 * left: <why>".
 */
void tell(const struct telling *t, enum outcome outcome, const char *words, const char *why);
/* "process 4711 (sleep 1000), 3m old"; from the arena. */
const char *tell_process(const struct proc_stat *stat, const char *masked, struct arena *arena);

/* ---- one run ---- */

struct reap {
    const struct reaping *how;
    struct reaped result;
    struct arena arena;
    struct telling telling;
    struct held held;
    const char *folder; /* of the run, absolute, without links; NULL: there is none */
    int fd;             /* ... open */
    struct search search;
    size_t alive;            /* processes that could not be ended, or not be looked for */
    struct leak_list things; /* that they held */
    bool first;              /* nobody has tried before */
    bool unsure;             /* something may be a run's that is going on: whoever comes later may know */
};

/*
 * When the run was alive for certain; a case may be silent for as long as its deadline. To be asked before
 * anything is changed.
 */
nanos things_last_sign(const struct reap *r);
void things_look(struct reap *r); /* before they are ended */
void things_remove(struct reap *r);
void things_remove_appeared(struct reap *r);

#endif
