/* What a terminal may see of strangers' output. */
#ifndef RM_BASE_HARMLESS_H
#define RM_BASE_HARMLESS_H

#include "runner/base/buf.h"

#include <stdbool.h>

/*
 * One line, without its newline. Colours (SGR) stay when `colour` and are reset at its end, tabs stay, of a progress
 * bar drawn with \r the last piece. Every other control sequence is left out, or written as an escape where it has
 * no end; other controls, those that turn the direction of writing, and bytes that are no UTF-8 are escapes as
 * utf8_show has them. What came out comes out the same when it is put in again.
 */
void text_harmless(struct buf *out, struct str line, bool colour);

#endif
