#ifndef RM_BASE_MASK_WORDS_H
#define RM_BASE_MASK_WORDS_H

#include "runner/base/buf.h"

typedef void mask_spelling(void *user, struct str word);

/* Tells of the word, and of how else it may be spelled. */
void mask_spellings(struct str word, mask_spelling *each, void *user);

#endif
