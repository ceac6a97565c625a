/* The inside of fixtures: instances, their life, and the processes they have. */
#ifndef RM_RUNNER_FIXTURE_INTERNAL_H
#define RM_RUNNER_FIXTURE_INTERNAL_H

#include "runner/fixture.h"
#include "runner/ready.h"
#include "runner/session.h"

#define FIXTURE_STATES(X)                                                                 \
    X(FIXTURE_IDLE, "idle")       /* there is nothing of it */                            \
    X(FIXTURE_WAITING, "waiting") /* for those it needs */                                \
    X(FIXTURE_MAKING, "making")   /* its command runs; its daemon is asked if it is up */ \
    X(FIXTURE_UP, "up")                                                                   \
    X(FIXTURE_BREAKING, "breaking") /* given up while it was being made */                \
    X(FIXTURE_DEAD, "dead")         /* its daemon is; those who use it are being ended */ \
    X(FIXTURE_UNMAKING, "unmaking") /* its tear-down runs */                              \
    X(FIXTURE_ENDING, "ending")     /* what still runs of it is ended */                  \
    X(FIXTURE_FAILED, "failed")     /* it could not be made, and is not tried again */

enum fixture_state {
#define X(id, word) id,
    FIXTURE_STATES(X)
#undef X
        FIXTURE_STATE_COUNT
};

#define FIXTURE_EVENTS(X)                                                           \
    X(FIXTURE_WANTED, "wanted")                                                     \
    X(FIXTURE_NEED_IS_UP, "a need is up")                                           \
    X(FIXTURE_NEED_FAILED, "a need failed")                                         \
    X(FIXTURE_AGAIN, "again") /* it is to be started once more */                   \
    X(FIXTURE_READY, "ready")                                                       \
    X(FIXTURE_HEADLESS, "headless")   /* its process has exited, others have not */ \
    X(FIXTURE_GONE, "gone")           /* its process, and all of its tree */        \
    X(FIXTURE_SIDE_GONE, "side gone") /* that of another command of it */           \
    X(FIXTURE_UNWANTED, "unwanted")

enum fixture_event {
#define X(id, word) id,
    FIXTURE_EVENTS(X)
#undef X
        FIXTURE_EVENT_COUNT
};

/* A place for a process of a fixture. */
struct seat {
    uint32_t number, generation; /* for containment and watch */
    bool busy, unwatched;
    struct instance *instance;
    struct fixture_process *process;
    const struct dump_subject *subject; /* for who wants to know where it stands, while it is busy */
    int pidfd;                          /* the watch's */
    pid_t pid;
    struct spawn *spawn;
};

struct fixture_process {
    struct seat *seat; /* NULL: it does not run */
    enum fixture_command command;
    struct capture capture; /* what the last one wrote; until the next, or the release */
    bool captured;
    struct spawn_spec spec;
    nanos started;
    struct watch_ending ending; /* when it is over */
    const char *dump;           /* where everybody stood then, in the run's folder; NULL: nobody has looked */
};

struct instance {
    const struct suite *suite;
    const struct fixture *fixture;
    uint32_t suite_number;
    uint32_t cell;     /* whose values it has */
    struct slot *slot; /* of whose case it is; NULL: a wide one */
    struct instance **needs;
    uint32_t need_count;
    uint32_t pending;    /* wide: cases to come that may want it */
    uint32_t users;      /* wide: cases that have it */
    uint32_t held_first; /* number plus one of the first of those that are held for it ... */
    uint32_t held_last;  /* ... and of the last */
    uint32_t ordinal;    /* tells folders apart */
    int idle_deaths;     /* of its daemon, since somebody used it */
    uint32_t time;       /* that it is made, from 1 */
    uint8_t state;
    bool stale;        /* it stands on what has died: to be made anew, when nobody has it any more */
    bool failing;      /* what is being undone is a failure */
    bool told;         /* ... which is on record */
    const char *words; /* "build failed"; NULL: nobody has asked */

    /* Of this making: */
    struct arena arena;
    struct str id; /* "fixture:kvd@transport=tcp" */
    struct fixture_recipe recipe;
    struct address address;
    struct workdir tmp;
    const char *notify, *env_file;
    const char *folder;         /* of its output, in that of the run */
    const struct node *context; /* what `fixtures.<name>` is */
    struct variable *variables; /* for its users */
    uint32_t variable_count;
    struct leak_list left; /* wide: what has appeared while it was made */
    struct fixture_process main, side;
    struct ready ready;
    bool asked;            /* whether it is up */
    nanos next_try, pause; /* when it is asked again, and how long after that */
    nanos began, died;
    uint32_t shown;         /* the number under which the screen knows that it is being made */
    const char *reason;     /* of its failure, or of its death */
    const char *last_words; /* before its death */
    bool starting,
        may_pass; /* its process could not be started for want of something that others hold: again, later */
    int starts;
};

/* Those that a test needs, with all that these need; each after its own needs. */
struct closure {
    bool known;
    uint32_t *list, count;
};

struct fixtures {
    struct closure **closures;   /* per suite and test */
    struct instance ***of_suite; /* per suite: fixtures × cells, the wide ones; NULL where none is known */
    struct instance **wide;
    uint32_t wide_count, wide_cap;
    uint32_t ordinals;
    struct seat *seats;
    uint32_t seat_count, own_seats; /* own: that one case uses at most, for itself */
    uint32_t live, failures;
    uint32_t *held_next; /* per case: number plus one of the next that is held for the same */
    bool *held, *has;    /* per case */
};

/* ---- fixture_plan.c ---- */

const struct closure *closure_of(const struct session *s, uint32_t number);
/* The wide one that a case has of a fixture; NULL: it is one of the attempt's own. */
struct instance *wide_of(const struct session *s, uint32_t number, uint32_t fixture);
void instance_init(struct session *s, struct instance *instance, uint32_t suite, uint32_t fixture,
                   uint32_t cell);

/* ---- fixture_life.c ---- */

void instance_event(struct session *s, struct instance *instance, enum fixture_event event);
void fixture_hurry(struct session *s, struct instance *instance);
static inline bool instance_is_live(const struct instance *instance)
{
    return instance->state != FIXTURE_IDLE && instance->state != FIXTURE_FAILED;
}

/* ---- fixture_case.c ---- */

/* Nobody has it, and nobody will; or it is to be made anew. */
bool instance_is_unwanted(const struct session *s, const struct instance *instance);
void instance_look(struct session *s, struct instance *instance); /* whether it is */
bool instance_needs(const struct instance *instance, const struct instance *need);
/* Whether a daemon that it stands on has died and nobody has been told: then it is told. */
void needs_look(struct session *s, struct instance *instance);
/* Of the fixtures of an attempt. */
enum fixtures_answer slot_answer(const struct slot *slot);
bool slot_has_live(const struct slot *slot);

/* ---- fixture_tell.c: whom it concerns ---- */

void instance_is_up(struct session *s, struct instance *instance);
void instance_has_failed(struct session *s, struct instance *instance);
void instance_is_gone(struct session *s, struct instance *instance);
void instance_has_died(struct session *s, struct instance *instance);

/* ---- fixture_make.c ---- */

/* Everything but what takes a process. False: `reason` says why not. */
bool instance_prepare(struct session *s, struct instance *instance);
/* What its users get is complete: it is up. False: `reason`. */
bool instance_complete(struct session *s, struct instance *instance);
/* Of the variables that `run` has set. */
void instance_tell_teardown(struct session *s, struct instance *instance);
void instance_release(struct session *s, struct instance *instance);
struct from_fixtures given_by(struct instance *const *list, uint32_t count, const struct address *reg_addr,
                              struct arena *arena);

/* ---- fixture_words.c ---- */

/* Why it could not be made, by how its process ended. */
const char *words_of_failure(struct session *s, struct instance *instance);
/* `reason`: "died (SIGSEGV)", "ended with exit status 3"; `last_words`: "; its last words: ..." or "". */
void words_of_death(struct instance *instance, int status, int signal);
/* NULL: its tear-down did what it should. */
const char *words_of_teardown(struct session *s, struct instance *instance);
/* An error of the run, with a record of its own. */
void instance_record(struct session *s, struct instance *instance, const char *reason);
/* It is up, and had failed before the run was resumed: that is over. */
void instance_mended(struct session *s, struct instance *instance);
uint32_t instance_times_before(const struct session *s, struct str id); /* that it was recorded then */

/* ---- fixture_process.c ---- */

/* False, and the reason: "cannot find a free address: ..."; `may_pass` by errno. */
bool instance_could_not(struct instance *instance, const char *what);

/* False: `reason` of the instance says why not. */
bool process_start(struct session *s, struct instance *instance, struct fixture_process *process,
                   enum fixture_command command, nanos limit);
void process_end(struct session *s, const struct fixture_process *process, enum watch_cause cause);
/* Where in the run folder its i-th stream is, or would be. */
const char *process_output(struct instance *instance, const struct fixture_process *process, int i);
/* Names what it wrote beside the output of its case. */
void process_keep(struct session *s, struct instance *instance, struct fixture_process *process);
/* ---- fixture_dump.c ---- */

/* Before it is watched. */
void process_watch_dumps(struct instance *instance, struct fixture_process *process, struct seat *seat,
                         nanos limit);
/* It is over. */
void process_keep_dump(struct session *s, struct instance *instance, const struct seat *seat,
                       struct fixture_process *process);
/* "; where everybody stood: .run-matrix/..."; nothing where nobody has looked. */
void add_dump(struct buf *out, const struct session *s, const struct fixture_process *process);

void process_forget_output(struct session *s, struct fixture_process *process);

#endif
