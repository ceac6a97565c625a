/*
 * A soak as its session knows it: which attempts come next, what the engine (runner/soak/soak.h) hears of them, how much of each
 * is kept, and what is said meanwhile. All of these do nothing, or what is right for a run, where the session is none.
 */
#ifndef RM_RUNNER_SOAKING_H
#define RM_RUNNER_SOAKING_H

#include "runner/exit.h"
#include "runner/journal/journal.h"
#include "runner/soak/soak.h"

#define SOAKING_NOTES_MOST 50 /* warnings that are told and recorded */

struct invocation;
struct front;
struct past_run;
struct resumption;
struct session;
struct slot;

struct soaking {
    struct soak *engine;
    struct soak_plan asked;
    uint32_t left_out; /* cases that would be skipped each time */
    nanos before,
        began;  /* time that earlier runners took; when its first attempt began, on the watch's clock */
    bool begun; /* it did: what fixtures take before that is no time of the soak */
    bool over;  /* nothing more is called */
    bool dry;   /* nobody was next, when it was asked last */
    const char *stopped; /* why it cannot go on; NULL: it can */
    nanos said, pause;   /* when it was last told how far it is, and how long it says nothing after that */
    uint32_t notes;      /* warnings */
};

/* ---- soaking_ask.c: what it is to find out ---- */

/* From the command line, above the profile; of a resumed one what is said now. False: diags say what is wrong. */
bool soaking_ask(struct session *s, const struct resumption *resumption, struct soak_plan *plan);
/* "0.3%" or "0.003". False: it is neither, or not between 0 and 1. */
bool soaking_share(const char *text, double *share);
/* Sixteen digits at most, as they are printed, with or without 0x. */
bool soaking_seed(const char *text, uint64_t *seed);

/* ---- soaking.c: in the life of a session ---- */

/* Cases have numbers: there is one for each of their copies. EXIT_PASSED, or diags say why not. */
enum exit_code soaking_plan(struct session *s, const struct resumption *resumption);
/* The run has its folder. False: diags say why not. */
bool soaking_open(struct session *s);
void soaking_close(struct session *s);
nanos soaking_now(const struct session *s);

bool soaking_goes_on(const struct session *s); /* cases that have ended may be called again */
/* Somebody more waits in the queue. False: nobody is to. */
bool soaking_call(struct session *s);
/* An attempt of this case is made now: its number is that among those of all its copies. */
void soaking_begins(struct session *s, uint32_t number);
/* In the life of a case that was called. */
void soaking_come(struct session *s, uint32_t number);
/* One that waited will not be started. */
void soaking_dropped(struct session *s, uint32_t number);
/* Before others are started: whoever has waited for a fixture until time was up is not. */
void soaking_end_in_time(struct session *s);
/* Ends it when it is to end, also because nobody is left to be started. */
void soaking_settle(struct session *s);
/* Whatever ends it: nobody is called any more. */
void soaking_let_go(struct session *s);

/* How much of an attempt is kept: of a run all. */
enum soak_worth soaking_worth(struct session *s, struct slot *slot, const struct journal_attempt *attempt);
/* It is kept, and counts from now on. */
void soaking_ended(struct session *s, struct slot *slot, const struct journal_attempt *attempt);

/* ---- soaking_place.c ---- */

/* What kind of failure it is, and the end of what it said: without what nobody may read, in the arena of its slot. */
void soaking_outcome(struct session *s, struct slot *slot, const struct journal_attempt *attempt);

/* What was to be kept of it is there: who wrote nothing, and was not looked at, has left nothing. */
bool soaking_has_evidence(const struct session *s, struct slot *slot);

/* ---- soaking_tell.c ---- */

void soaking_header(struct session *s); /* what is going to be done */
void soaking_draw(struct session *s, nanos now);
void soaking_say(struct session *s); /* how far it is, as a line */
/* A failure of a new kind at once, others as -v says; now and then how far it is. */
void soaking_tell(struct session *s, struct slot *slot, const struct journal_attempt *attempt);
bool soaking_is_quiet(const struct session *s); /* of what happens in each attempt nothing is said */
/* A warning more: false where there were so many that it is only counted. */
bool soaking_may_note(struct session *s);

/* ---- soaking_end.c ---- */

/* "FORMAT=FILE" of every --report. */
bool soaking_check_reports(struct invocation *in);
enum exit_code soaking_finish(struct session *s);
/* Of one that was, or goes on: `report`. */
enum exit_code soaking_report(struct past_run *past, struct invocation *in);

#endif
