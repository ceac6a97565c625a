/*
 * What stands between a case and its capture files where it is not to write into them itself (`no`, `pipe`, `pty`): a
 * pipe for each stream, or a pseudo-terminal for both. The loop carries what comes into the files and, where that is
 * wanted, shows it. The end of the case is the end of the relay: what is there then is drained, nobody waits for an end
 * of file that a grandchild holds.
 */
#ifndef RM_HARNESS_RELAY_H
#define RM_HARNESS_RELAY_H

#include "runner/base/buf.h"
#include "runner/base/mask.h"

#include <stdbool.h>
#include <stdint.h>

enum relay_kind {
    RELAY_PIPES,
    RELAY_ONE_PIPE,      /* for both, in the order in which they are written */
    RELAY_TERMINAL,      /* of the same size wherever we run */
    RELAY_LIKE_TERMINAL, /* of the size of the one that we have */
};

#define RELAY_COLUMNS 80
#define RELAY_ROWS    24

struct relay {
    enum relay_kind kind;
    int ends[2]; /* that we read, non-blocking; -1: none. A terminal has one for both */
    /*
     * The case's 1 and 2; with a terminal, or one pipe, twice the same. Pipes have them until relay_started; of a terminal ours stays
     * open, so that there is no end while a case has closed its own, and may open /dev/tty yet: as soon as we let go
     * of the other end, it would be hung up on.
     */
    int given[2];
    int files[2]; /* where it is to be kept; -1: nowhere. Not owned */
    int error; /* errno of the first write into a file that failed; nothing is kept after that. 0: none did */
    struct buf lines[2]; /* what came since the last newline; nothing where it is not shown */
    struct mask_stream hidden[2];
    /* For the caller to set when it is open: */
    bool shown;
    bool colour;       /* SGR may pass */
    struct mask *mask; /* what is hidden in all of it */
};

/* -1 and errno, with nothing left open. EAGAIN: all the terminals that there are have been taken. */
int relay_open(struct relay *relay, enum relay_kind kind, const int files[2]);
void relay_started(struct relay *relay); /* closes our copy of the case's ends */
/*
 * Reads what is there from one end until it has RELAY_TURN bytes or more, by no more than a read, so that no case
 * keeps the loop to itself. Where it is shown, adds whole lines to `out`, made harmless, each behind `prefix`; one longer than
 * RELAY_LINE_MOST in pieces. False: that end is over and closed. What cannot be kept is shown all the same.
 */
#define RELAY_READ      ((size_t)64 << 10)
#define RELAY_TURN      ((size_t)256 << 10)
#define RELAY_LINE_MOST ((size_t)64 << 10)
bool relay_carry(struct relay *relay, int end, const char *prefix, struct buf *out);
/*
 * The case has ended: drains what is there, adds what had no newline too, closes all. Of a pipe that is as much as the
 * kernel says, however large somebody has made it; a terminal, which does not say, holds far less than RELAY_DRAIN.
 */
#define RELAY_DRAIN ((size_t)1 << 20)
void relay_finish(struct relay *relay, const char *prefix, struct buf *out);

#endif
