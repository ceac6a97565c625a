/* Between the files about dumps. */
#ifndef RM_RUNNER_DUMPS_INTERNAL_H
#define RM_RUNNER_DUMPS_INTERNAL_H

#include "runner/diagnose/diagnose.h"
#include "runner/dumps.h"
#include "runner/session.h"

#include <pthread.h>

#define DUMPS_WHOLE       8 /* so many at a time take stacks, and ask runtimes: others wait for a seat a while, */
#define DUMPS_MOST        32 /* so many at all; more are refused */
#define DUMP_OUTPUTS_MOST 24

/* A tree that the watch knows. */
struct dump_tree {
    uint32_t place, generation;
    pid_t leader;
    const char *role; /* of its leader */
};

/* As its files have it; malloced. */
struct dump_texts {
    struct buf text, json;
};

/* One that is being made, or has been and was not taken yet. All it points to is its own, for it may outlive its attempt. */
struct dump_job {
    struct dumps *dumps;
    struct dump_job *next;
    enum dump_occasion occasion;
    uint32_t place, generation; /* of the watch */
    nanos until, park;          /* park: it stands still so long before it begins, for tests */
    nanos bare_at;              /* it waits for a seat no longer */
    bool waited_for;            /* by the ladder of its case */
    bool hurried; /* its case is about to be ended, and looked at for that: this one has no time any more */
    bool queues, sits; /* for one of DUMPS_WHOLE seats, on one */
    bool bare;         /* all seats were taken: no stacks, nobody is asked */
    bool done;
    bool made;     /* false, and done: there was no time */
    bool unwanted; /* whoever makes it throws it away */
    struct arena arena;
    const char *title, *reason, *folder;
    uint32_t number; /* of those of its occasion, from 1 */
    struct dump_tree *trees;
    uint32_t tree_count;
    struct dump_output outputs[DUMP_OUTPUTS_MOST];
    size_t output_count;
    int captured[CAPTURE_FILES_MOST]; /* which output of the attempt each is; -1: none */
    const struct dump_runtime_choice *choices;
    size_t choice_count;
    bool asks_runtimes;
    int inside; /* the private folder of a case that tells of its stacks itself; -1: it does not */
    struct dump dump;
    struct dump_texts texts;
    struct dump_answers answers;
};

struct dumps {
    struct session *s; /* what of it does not change while the run goes on */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a thread has done its work, a seat is free or taken, or all are to end */
    int eventfd;
    struct dump_job *jobs;
    uint32_t threads, seated;
    bool closing;
    const char *stacks; /* the program that unwinds; NULL: it is not there */
    struct arena arena;
};

/* ---- dumps.c ---- */

void dump_job_free(struct dump_job *job);
/* Both under the lock. */
void dumps_take_out(struct dumps *dumps, const struct dump_job *job);
void dumps_await(struct dumps *dumps, nanos until); /* until something has changed, no longer than that */

/* ---- dumps_work.c ---- */

/* On a thread of its own, which counts already; under the lock. */
bool dump_job_start(struct dump_job *job);

/* ---- dumps_look.c: on the thread of the job ---- */

/* Everything that it is made of, but what the kernel knows. On the loop, or for the watchdog under its lock. */
void dump_job_fill(struct dump_job *job, const struct dump_subject *subject,
                   const struct watch_dump_wish *wish);
void dump_job_look(struct dump_job *job);

/* ---- dumps_keep.c ---- */

/* On any thread. */
void dump_render(struct session *s, const struct dump *dump, struct dump_texts *texts);
void dump_texts_release(struct dump_texts *texts);
/* The path of the text, in the run's folder; NULL: it could not be written. What was not, JSON also, has been said. */
const char *dump_write(struct session *s, struct arena *arena, const char *folder, const char *name,
                       const struct dump_texts *texts);
void dump_job_told(struct session *s, struct dump_job *job);

#endif
