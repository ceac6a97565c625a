/*
 * Text for a log that somebody reads commands out of. GitHub's runner takes a line that begins with "::error::" for one, "##[error]"
 * wherever it stands, and its problem matchers look for places ("main.c:12:5: error: ...") also while commands are stopped. What
 * others have said is made into what looks the same and is none of them:
 *
 *   ::error::x         : :error::x           a blank between the colons that a line begins with
 *   x ##[error]y       x ## [error]y
 *   a.c:12:5, (3,4)    a space of no width before numbers behind : ( [ , and behind "line" or "col"
 *   main.go: x         one before that colon, too
 *
 * Without these numbers no matcher has a place to point at; people see no difference. What is data is not changed: there the same
 * characters are written as JSON and XML write any, and who parses it has them as they were.
 *
 * Matchers are shown lines without their colours: what stands around and between those is looked at as if they were not there.
 */
#ifndef RM_BASE_INERT_H
#define RM_BASE_INERT_H

#include "runner/base/buf.h"

#include <stdbool.h>
#include <stdio.h>

enum inert_form { INERT_TEXT, INERT_JSON, INERT_XML };

/* How far into "ESC [ 1;31 m" it is. */
enum inert_colour { INERT_PLAIN, INERT_ESCAPE, INERT_BEGUN, INERT_NUMBER, INERT_ENDED };

/* All zero is the beginning of a line of text. It may come in pieces, cut wherever; data between characters. */
struct inert {
    enum inert_form form;
    bool quoted, escaped; /* of JSON: in a string, and behind its backslash */
    bool begun;           /* a character that is seen has come in this line */
    bool colon;           /* ... and the first of them is a colon, the last one too */
    unsigned hashes;      /* that the last characters are, at most 2 */
    enum inert_colour colour;
    char tail[8]; /* the last of ASCII in this line, the latest one last; padded with NULs */
};

void inert_add(struct inert *state, struct str text, struct buf *out);
/* Whole lines to a stream, as they are or inert. */
void inert_print(struct str lines, bool inert, FILE *out);

#endif
