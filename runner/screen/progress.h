/*
 * What a run prints while it goes on. On a terminal the last line shows how far it is: counts, time, what is left of
 * it, and the cases that have run longest; it is taken away before any other line and put back in the same write.
 * Elsewhere there are plain lines, and when a minute of passes has said nothing, one that tells how far it is.
 *
 *   verbose  lines for
 *        -2  warnings, and what was asked for
 *        -1  cases that failed
 *         0  and those that are flaky, retried or slow
 *         1  and every other case, and each ladder that begins
 *         2  and starts
 *
 * A pass that prints nothing costs no system call. Ids, reasons and output pass through utf8_show, so nothing of a case
 * steers the terminal. Output that goes away is noticed once and then written to no more: the run goes on, its record
 * is on disk. A pipe is waited for; a terminal that stands still (Ctrl-S) for a second only: from then on the live line
 * is not drawn, and other lines wait in memory, up to a bound.
 */
#ifndef RM_RUNNER_PROGRESS_H
#define RM_RUNNER_PROGRESS_H

#include "runner/base/buf.h"
#include "runner/base/clock.h"
#include "runner/base/mask.h"
#include "runner/journal/journal.h"

struct progress_style {
    int fd;
    int wake; /* while a pipe is waited for: readable when it must be waited for no longer; -1: none. The caller's */
    bool live; /* a terminal that can go back in its line */
    bool colour;
    bool osc;          /* tell the terminal (taskbar, tab) how far we are: OSC 9;4 */
    int verbose;       /* -2 .. 2; set by the caller */
    struct mask *mask; /* nothing of it is shown; NULL: all may be. The caller's */
    bool inert;        /* the log is read for commands, and finds none (base/inert.h); set by the caller */
    bool prefix; /* several cases may relay their output: each line says whose it is; set by the caller */
};

/*
 * From NO_COLOR, FORCE_COLOR, CLICOLOR, CLICOLOR_FORCE, CI, TERM, --color (NULL: auto), and what fd is. Pure but for
 * isatty. The first that says something: the option, NO_COLOR, FORCE_COLOR or CLICOLOR_FORCE, CLICOLOR=0, the terminal.
 */
void progress_style(struct progress_style *style, int fd, const char *color_option);
uint32_t progress_width(int fd); /* columns; 0: no terminal */

struct progress;

struct progress *progress_new(const struct progress_style *style, uint32_t cases); /* 0: nobody counts them */
void progress_free(struct progress *progress); /* takes the live line away first */

/* A line above the live one, without newline; `line` is shown as it is, `warn` made harmless. */
void progress_line(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
void progress_warn(struct progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whole lines that are commands for who reads the log, as they are. */
void progress_command(struct progress *progress, struct str lines);
/* Relayed output: whole lines, harmless already. */
void progress_output(struct progress *progress, struct str lines);

/* `now`: the same clock as for progress_draw. */
void progress_started(struct progress *progress, uint32_t slot, struct str id, nanos now);
void progress_slow(struct progress *progress, struct str id, nanos running,
                   const char *path); /* NULL: nowhere */
/* Where everybody of it stands has been written down. */
void progress_dumped(struct progress *progress, struct str title,
                     const char *path);                                          /* or why there is none */
void progress_ending(struct progress *progress, struct str id, const char *why); /* the ladder begins */
/* An attempt that others follow. */
struct progress_again {
    uint32_t most; /* retries, in all */
    nanos wait;    /* before the next; 0: none */
    bool at_end;   /* it comes when all others are over */
};
/* `again` may be NULL for the last one. */
void progress_ended(struct progress *progress, uint32_t slot, struct str id,
                    const struct journal_attempt *attempt, const struct progress_again *again);
/* So many wait to be run again, and not for a slot alone. */
void progress_resting(struct progress *progress, uint32_t count);
/* A fixture was being made, since progress_started with this number past those of the slots: it is up after `span`. */
void progress_made(struct progress *progress, uint32_t slot, struct str id, nanos span);
void progress_gone(struct progress *progress, uint32_t slot, struct str id); /* nothing will come of it */
/* A fixture failed, which is one more than was planned. */
void progress_fixture(struct progress *progress, uint32_t slot, struct str id,
                      const struct journal_attempt *attempt);
/* One that will not be run, or not again; the record that says so. */
void progress_dropped(struct progress *progress, const struct journal_attempt *attempt);

/* Draws the live line, not more often than ten times a second. `left`: -1 when it is not known. */
void progress_draw(struct progress *progress, nanos now, nanos left);
/*
 * The same with a line of somebody else's, of so many columns at most, who need make it only when it is due.
 */
bool progress_is_due(const struct progress *progress, nanos now);
uint32_t progress_columns(const struct progress *progress);
void progress_say(struct progress *progress, nanos now, struct str line);
/* Takes the live line away, until it is drawn again: before a stop, or when somebody else is going to write. */
void progress_hide(struct progress *progress);

struct progress_running {
    struct str id;
    uint32_t attempt;
    nanos running;
    const char *state;    /* "set-up", "call", "being ended: timeout" */
    struct str last_line; /* raw */
    const char *path;     /* where its output can be followed; NULL: nowhere */
};
/* `t`, Enter, SIGUSR1: what runs and for how long, with its last line. */
void progress_status(struct progress *progress, const struct progress_running *running, uint32_t count,
                     uint32_t waiting);

/* From now on a pipe is not waited for either: the run is to end. */
void progress_hurry(struct progress *progress);
bool progress_still(const struct progress *progress);  /* it takes nothing at present */
bool progress_broken(const struct progress *progress); /* the output went away */

#endif
