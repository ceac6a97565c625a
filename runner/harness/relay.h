/*
 * Live output (`no`): the case writes into a pipe or, when we have a terminal, into a pseudo-terminal, and the loop
 * carries it to our output and into the capture file. The end of the case is the end of the relay: what is there
 * then is drained, nobody waits for an end of file that a grandchild holds.
 */
#ifndef RM_HARNESS_RELAY_H
#define RM_HARNESS_RELAY_H

#include "runner/base/buf.h"
#include "runner/base/mask.h"

#include <stdbool.h>
#include <stdint.h>

struct relay {
    int ends[2];         /* that we read, non-blocking; -1: none. A pty has one for both */
    int given[2];        /* the case's 1 and 2, until relay_started; with a pty twice the same */
    int files[2];        /* where a copy goes; -1: nowhere. Not owned */
    struct buf lines[2]; /* what came since the last newline */
    struct mask *mask; /* what is hidden in all of it; for the caller to set when it is open, like `colour` */
    struct mask_stream hidden[2];
    bool colour; /* SGR may pass; for the caller to set when it is open */
};

/* -1 and errno, with nothing left open. A pty is as large as the terminal on our stdout or stderr. */
int relay_open(struct relay *relay, bool pty, const int files[2]);
void relay_started(struct relay *relay); /* closes our copy of the case's ends */
/*
 * Reads what is there from one end, at most RELAY_TURN bytes so that no case keeps the loop to itself, and
 * adds whole lines to `out`, made harmless, each behind `prefix`; one longer than RELAY_LINE_MOST in pieces. False:
 * that end is over and closed. What cannot be copied into the file is shown all the same.
 */
#define RELAY_TURN      ((size_t)256 << 10)
#define RELAY_LINE_MOST ((size_t)64 << 10)
bool relay_carry(struct relay *relay, int end, const char *prefix, struct buf *out);
/* The case has ended: drains at most RELAY_DRAIN more of each, adds what had no newline too, closes all. */
#define RELAY_DRAIN ((size_t)4 << 20)
void relay_finish(struct relay *relay, const char *prefix, struct buf *out);

#endif
