/*
 * Soaks: cases run over and over, until their flake rate is known. The engine: which comes next, what is known by now, is it
 * enough. No process, no clock: whoever runs the cases says what came of them and when; a simulation is as good.
 *
 * What it knows stands in a file that is mapped, changed attempt by attempt: a runner that is killed takes nothing of it
 * along, and whoever opens it again goes on where that one was. Memory does not grow with the attempts.
 */
#ifndef RM_RUNNER_SOAK_H
#define RM_RUNNER_SOAK_H

#include "runner/base/arena.h"
#include "runner/base/clock.h"
#include "runner/base/diag.h"
#include "runner/journal/journal.h"
#include "runner/stats/stats.h"

#define SOAK_COPIES_MOST 1000 /* the schema says it too */

/* What it is to find out, and when it gives up. */
struct soak_plan {
    double below, confidence; /* below 0: not asked for. Confidence is that of the intervals too */
    uint64_t count;           /* attempts of each case; 0: no bound */
    nanos duration;           /* of all, time between two runners not counted; 0: no bound */
    bool
        within; /* `duration` is one by which `below` is to be known: one that proves nothing does not take it */
    bool until_fail;
    uint64_t seed;
    uint32_t copies; /* of each case, at a time; SOAK_COPIES_MOST at most; 0: 1 */
    uint32_t jobs;   /* cases at a time, for what is said of time alone; 0: not known */
};

/* A case as reports call it. */
struct soak_case {
    struct str id, test;
    const struct soak_value {
        struct str axis, value;
    } * values; /* of its cell, in order */
    uint32_t value_count;
    nanos expected; /* of an attempt; -1: not known */
};

struct soak;

#define SOAK_STATE_NAME "soak.state" /* in the folder of the run */

/*
 * In an open folder of a run: a new one, or to be resumed one that is there, which must be of the same cases, or it is refused:
 * NULL, and diags say why. A resumed one has the seed and the copies it began with, and of its plan what `plan` does not say (0): that may
 * say more time and more attempts, never less; then intervals are those that hold at any time. What was to be proven stays what it was: whoever asks for something else when he has seen the
 * half of it gets an answer that is worth nothing, and is refused.
 */
struct soak *soak_open(int folder, const struct soak_plan *plan, const struct soak_case *cases,
                       uint32_t count, bool resume, struct diags *diags);
void soak_close(struct soak *soak);
/* Between any two of its stores the runner may be killed; NULL, as at first: nowhere. */
void soak_set_faults(struct soak *soak, struct faults *faults);

/*
 * Who is next: number of a case and of a copy of it. In rounds, each in an order of its own made of the seed and the number of
 * the round, so that it can be had again; one that still runs is no reason for others to wait, until they are a round ahead of it.
 * False: none for now, or none any more.
 */
bool soak_next(struct soak *soak, uint32_t *number, uint32_t *copy);
/* It is begun: its number among the attempts of its case, from 1. None is given twice, whoever was killed meanwhile. */
uint32_t soak_begin(struct soak *soak, uint32_t number);
/* It has not been run, and nothing is known of it: it comes again in this round. */
void soak_put_back(struct soak *soak, uint32_t number, uint32_t copy);

/*
 * What came of one. What counts as skipped or not run is no attempt, for any rate: it is counted and told. A case that did
 * nothing else in its first three, or in a hundred in a row, is not run any more.
 *
 * The texts get into files that people pass on: whoever has secrets masks them before.
 */
struct soak_outcome {
    enum verdict verdict;
    uint32_t attempt; /* as soak_begin has numbered it */
    nanos duration;
    struct str reason; /* its words ... */
    struct str
        place; /* ... where it failed: "proto.c:41 in recv_exact", of dump, crash or test; empty: not known */
    struct str output; /* ... and the end of what it wrote */
    struct str
        evidence; /* the folder of all that is kept of it, in the run's: "cases/proto@backend=exec/17" */
};

/* What is to be kept of it. */
enum soak_worth {
    SOAK_NOTHING, /* it passed, or enough is known of its like */
    SOAK_RECORD,  /* a failure of a kind that is known: a line in the journal */
    SOAK_ALL,     /* the first of its kind: evidence whole */
};

/*
 * What soak_ended will say of it. Asked first, so that what is to be kept is there when it counts: who is killed between the two has
 * one attempt less, and the next failure of its kind is the first.
 */
enum soak_worth soak_worth(const struct soak *soak, const struct soak_outcome *outcome);
/* `now`: time that this soak has taken so far. */
enum soak_worth soak_ended(struct soak *soak, uint32_t number, uint32_t copy,
                           const struct soak_outcome *outcome, nanos now);

enum soak_end {
    SOAK_GOES_ON,
    SOAK_BELOW,     /* proven */
    SOAK_NOT_BELOW, /* the contrary is */
    SOAK_COUNTED,   /* as many as were asked for, or for as long; nothing was to be proven */
    SOAK_FAILED,    /* --until-fail, and one has */
    SOAK_UNDECIDED, /* it was to be proven, and time or count are up */
};
/*
 * It stays what it once was, in a resumed one too, unless that is given more to do; but as long as any of those that were begun
 * still runs, nothing is proven that would not be if it failed, and time that is up may yet turn out to have been enough.
 */
enum soak_end soak_where(struct soak *soak, nanos now);
/* What holds, of a resumed one too. */
const struct soak_plan *soak_plan_of(const struct soak *soak);
uint64_t soak_seed(const struct soak *soak);
nanos soak_taken(const struct soak *soak); /* by those that were before, when it was resumed */

struct soak_now {
    uint64_t attempts, failures, passed_over;
    struct stats_interval interval;
    uint64_t needed; /* attempts more until something is proven, if none of them fails; 0: nothing is to be */
    nanos proven_in; /* ... and how long they take; -1: not known, or there is no time for them */
    nanos left;      /* until it ends by itself, if none fails; -1: not known */
};
void soak_look(const struct soak *soak, nanos now, struct soak_now *view);

/* ---- what is told of it ---- */

/* "about 998 clean runs, 14 min, of 3 cases, seed 7f3a..." : what is going to be done, before it is. */
void soak_tell_plan(const struct soak *soak, struct buf *out);
/* "12,345 runs, 3 failed, 0.024 % [0.005, 0.071], proven below 0.3 % in 2 min": of at most `width` columns. */
void soak_tell_line(const struct soak *soak, nanos now, uint32_t width, struct buf *out);

/*
 * The result: of the folder of a run alone, also by those who did not run it, and while it goes on. Rates by case, cell and
 * value of each axis, which axis carries it, failures by what they have in common, and whether they are of one test or go
 * around. False: diags say why.
 */
struct soak_result;
struct soak_result *soak_read(int folder, const char *path, struct arena *arena, struct diags *diags);
/* What failed of fixtures that all share, and has not been made good, is in the journal. */
void soak_result_fixtures(struct soak_result *result, const struct journal_record *record);
void soak_result_text(const struct soak_result *result, bool colour, int verbose, struct buf *out);
void soak_result_json(const struct soak_result *result, struct buf *out);
enum soak_end soak_result_end(const struct soak_result *result);
bool soak_result_failed(const struct soak_result *result); /* any attempt */
void soak_result_counts(const struct soak_result *result, uint64_t *attempts, uint64_t *failures);
uint32_t soak_result_failed_fixtures(const struct soak_result *result);

/* What failures have in common: the words without what differs from one to the next, as numbers and addresses do. */
void soak_signature(const struct soak_outcome *outcome, struct buf *out);

#endif
