/*
 * What cases came to in earlier runs: an SQLite database beside the runs, which outlives their folders. It is a projection of
 * their journals and never asked for a truth that a journal has: who loses it loses what was longer ago than the runs that are
 * still there.
 *
 * A run is imported whole, in one transaction, and known by its id and the length of its journal: importing it again changes
 * nothing, and one whose journal has grown since then takes the place of what was there. So several runners may do so at once,
 * and one that is killed at it has done nothing.
 *
 * Nothing here ends a run. Nobody waits for locks of others for longer than HISTORY_WAIT, nor for one look or one import for
 * longer than a minute, which no file within its bounds takes. A file that is broken, or takes longer than that to be checked, or not ours, is renamed and
 * another one begun; one of a newer program is left alone; one that is locked, or cannot be written, is done without. Each of
 * these is said once, as a warning.
 *
 * The database has a rollback journal and no write-ahead log, which needs memory shared by all who have it open: so it works
 * on file systems of other machines as far as their locks do.
 */
#ifndef RM_RUNNER_HISTORY_HISTORY_H
#define RM_RUNNER_HISTORY_HISTORY_H

#include "runner/base/arena.h"
#include "runner/base/diag.h"
#include "runner/base/fault.h"
#include "runner/journal/journal.h"

#include <stdbool.h>
#include <stdint.h>

#define HISTORY_NAME "history.db"

#define HISTORY_WAIT         (5 * NS_PER_S) /* for locks of others, from open to close */
#define HISTORY_INSIDE_MOST  1000 /* failed tests inside a case that are remembered; past it, the case */
#define HISTORY_PASSES_MOST  20   /* that say how long a case takes */
#define HISTORY_PASSES_LEAST 5

/* What is kept: all of these hold after an import, more or less. */
struct history_bounds {
    uint32_t results; /* of a case, the newest */
    uint32_t runs;    /* the newest; what only older ones know is forgotten */
    uint64_t bytes;   /* of the file; past it the older half of the runs is forgotten */
};
extern const struct history_bounds history_bounds; /* 100, 5000, 256 MiB */

struct history;

/*
 * In the open folder of a store, which people know by `path`; made when it is not there. NULL: there is none to be had, and the
 * diags say why, if that is worth a word. `faults` may be NULL.
 */
struct history *history_open(int folder, const char *path, struct faults *faults, struct diags *diags);
/* As it was before a run that began then (ms since 1970): what later ones came to is not told. */
void history_before(struct history *history, int64_t wall);
/* Also after anything went wrong, which may put the file aside. */
void history_close(struct history *history);
/* Something went wrong that a database begun anew would not have: worth closing, and opening again. */
bool history_is_spoilt(const struct history *history);

/* A run that is in there, as long as its journal was then: nothing new is to be had of it. */
bool history_knows(struct history *history, struct str run, uint64_t journal_size);
/* From its record, and its folder for what its cases said of their tests. False: it is not in there, and the diags say why. */
bool history_import(struct history *history, const struct journal_record *record, int folder,
                    uint64_t journal_size, const struct history_bounds *bounds);

/* What is imported now came before this run, whatever its clock says; nothing: it is not known what came after it. */
void history_next(struct history *history, struct str run);

/* A case as history knows it. */
struct history_case {
    bool seen;            /* by any run */
    int64_t first;        /* the run that was the first to see it: ms since 1970 when that began */
    bool failed;          /* what last became of it made its run fail, or something inside it did */
    bool pending;         /* the newest run that was to run it did not */
    enum verdict outcome; /* the last that is known, NOT_RUN: none */
    nanos duration;       /* the last that is known of one that came to its end by itself; -1: none */
    const struct str
        *inside; /* with `failed`: only these tests inside it did, as the suite names them; NULL: all of it */
    uint32_t inside_count;
};

/* Of a command without a file (`exec`) by what history_command_id makes of its id. Texts are the arena's; nothing is known of it where history is spoilt. */
void history_look(struct history *history, struct str id, struct arena *arena, struct history_case *c);
/* Whoever has looked keeps others from writing, until this, an import, or the end. */
void history_look_away(struct history *history);
/* A case of a command is not the test that happens to be called so. */
struct str history_command_id(struct arena *arena, struct str id);

#define HISTORY_STREAK_MOST 20
/* How often in a row, until now, it has passed without a retry, at most HISTORY_STREAK_MOST; runs that did not run it aside. */
uint32_t history_streak(struct history *history, struct str id);
/* How long it took when it passed, the newest first; how many. */
uint32_t history_passes(struct history *history, struct str id, nanos passes[HISTORY_PASSES_MOST]);
#define HISTORY_SLOWER_MORE (100 * NS_PER_MS) /* a machine that was busy for a moment is nothing to tell of */
/*
 * Is `now` clearly longer than these? More than twice their median, by more than that, and by more than five times the
 * median of how far each is from it; and there are HISTORY_PASSES_LEAST of them. Puts them in order. Pure.
 */
bool history_is_slower(nanos *passes, uint32_t count, nanos now, nanos *was);

#endif
