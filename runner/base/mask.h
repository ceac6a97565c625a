/*
 * Words that nobody may read: found in whatever is printed or written, in one pass however many they are, and
 * replaced (Aho and Corasick's automaton). What begins in one piece of a text and ends in the next is found too. Several
 * threads may use one.
 */
#ifndef RM_BASE_MASK_H
#define RM_BASE_MASK_H

#include "runner/base/arena.h"
#include "runner/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define MASK_SHOWN "***" /* in place of any number of them that touch each other */
/* What is shorter is in every text, and what stands in its place must not be longer than it is. */
#define MASK_LEAST 4

/* NULL is one that hides nothing. */
struct mask;

struct mask *mask_new(void);
void mask_free(struct mask *mask);
/*
 * Each line of a value, less the white space around it, also as a shell or an id would have it. False: all of them are too
 * short to be hidden.
 */
bool mask_add(struct mask *mask, struct str value);
bool mask_is_empty(struct mask *mask);
size_t mask_longest(struct mask *mask);

/*
 * A text as a whole. Where an ellipsis says that it was cut, the beginning of a word is hidden like the word. mask_in
 * answers the text itself when there is nothing to hide.
 */
void mask_text(struct mask *mask, struct str text, struct buf *out);
struct str mask_in(struct mask *mask, struct arena *arena, struct str text);

/*
 * The end of a longer text, without what of its beginning may be the rest of a word that is hidden, nor half of another.
 * That is a word's length or two.
 */
struct str mask_known(struct mask *mask, struct str text);

/* A text in pieces. All zero is one that begins. Words may be added meanwhile. */
struct mask_stream {
    uint32_t state;
    struct buf held;         /* what may be the beginning of a word */
    struct buf hides;        /* for each byte of it: is it hidden? */
    size_t run_from, run_to; /* what was hidden last in it */
    bool within;             /* what was let out last was hidden */
    bool found;              /* anything, so far */
};
/* Adds to `out` what can be told of; at most mask_longest bytes are held back. */
void mask_feed(struct mask *mask, struct mask_stream *stream, struct str piece, struct buf *out);
void mask_end(struct mask_stream *stream, struct buf *out); /* and gives its memory back */

#endif
