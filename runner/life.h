/* The life of a case: which event leads from which state to which, and what is done on the way. */
#ifndef RM_RUNNER_LIFE_H
#define RM_RUNNER_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct session;

#define CASE_STATES(X)                                                       \
    X(CASE_WAITING, "waiting")     /* in the queue */                        \
    X(CASE_STARTING, "starting")   /* has a slot; a process is being made */ \
    X(CASE_ASKING, "asking")       /* ... by a server, who was asked */      \
    X(CASE_PREPARING, "preparing") /* its own fixtures are */                \
    X(CASE_RUNNING, "running")     /* has a process */                       \
    X(CASE_ENDING, "ending")       /* its ladder is being climbed */         \
    X(CASE_TELLING, "telling")     /* it has crashed; its stack is read */   \
    X(CASE_CLEANING, "cleaning")   /* its own fixtures are going */          \
    X(CASE_PAUSING, "pausing")     /* is to be run again, and not yet */     \
    X(CASE_RESTING, "resting")     /* of a soak: until it is called */       \
    X(CASE_OVER, "over")           /* has its verdict, in the journal */

enum case_state {
#define X(id, word) id,
    CASE_STATES(X)
#undef X
        CASE_STATE_COUNT
};

#define CASE_EVENTS(X)                                                                     \
    X(CASE_CALLED, "called")         /* the soak has it come next */                       \
    X(CASE_TAKEN, "taken")           /* the queue handed it out, a slot is free */         \
    X(CASE_PREPARES, "prepares")     /* its own fixtures are on their way */               \
    X(CASE_PREPARED, "prepared")     /* they are up */                                     \
    X(CASE_UNPREPARED, "unprepared") /* they will not be */                                \
    X(CASE_ASKED, "asked")           /* somebody else is to make its process */            \
    X(CASE_STARTED, "started")       /* there is a process */                              \
    X(CASE_REFUSED, "refused")       /* there will be none: skipped, unsupported, error */ \
    X(CASE_STUCK, "stuck")           /* no descriptors, memory or processes just now */    \
    X(CASE_CLIMBED, "climbed")       /* the first rung of its ladder */                    \
    X(CASE_GONE, "gone")             /* the process was reaped, or abandoned */            \
    X(CASE_TOLD, "told")             /* where it crashed, or why that is not known */      \
    X(CASE_CLEANED, "cleaned")       /* there is nothing of its own fixtures any more */   \
    X(CASE_DUE, "due")               /* its next attempt may come */                       \
    X(CASE_DROPPED, "dropped")       /* it will not be run */

enum case_event {
#define X(id, word) id,
    CASE_EVENTS(X)
#undef X
        CASE_EVENT_COUNT
};

struct case_life {
    uint32_t planned;          /* its place in the plan */
    uint32_t queued;           /* its number in the queue: a resumed run has fewer */
    uint32_t slot;             /* while it has one */
    uint32_t attempts, failed; /* that were judged; of them did not pass */
    uint8_t state;
    uint8_t unserved;              /* servers that have died before they had begun with it */
    bool awaits_end;               /* while it rests */
    bool numbered;                 /* of a soak: its attempt has been begun before, and put back */
    bool quarantined, flaky_fails; /* of its last attempt: also of what becomes of it without another */
    bool may_choose;             /* the next attempt need run no other tests inside than those that failed */
    struct resting *awaits_time; /* while it rests, and there is a time that it waits for */
};

void life_event(struct session *s, uint32_t number, enum case_event event);

#endif
