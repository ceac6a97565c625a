/* What the two kinds of listings share: of suites of other people's runners, and of C tests. */
#ifndef RM_RUNNER_LISTING_INTERNAL_H
#define RM_RUNNER_LISTING_INTERNAL_H

#include "runner/ask.h"
#include "runner/listing.h"

/* In the arena, to be filled in. */
struct sub_list *listing_of(struct listing *listing, uint32_t count, struct sub_test **subs);
/* Why there is no answer to be read; NULL: there is one. `whom`: who was asked. */
const char *listing_unanswered(struct listing *listing, const char *whom, const struct asked *asked,
                               struct str out, struct str err);
/* Why what was read of it is no list of tests; NULL: it is. */
const char *listing_useless(struct listing *listing, const char *whom, const struct asked *asked,
                            const struct preset_listing *found, struct str out, struct str err);

/* ---- listing_modules.c ---- */

/* Each file of a C test is asked by itself; what is wrong with one is a case's error, and the others have theirs. */
struct sub_list *listing_modules(struct listing *listing, const struct plan_case *c);

/* ---- listing_own.c ---- */

/* What the list says of a test, into `own` and `wrong`. */
void listing_own(struct listing *listing, const struct preset_test *test, struct sub_test *sub);
/* The marks that its heading declares; NULL: none. */
const struct node *listing_marks(struct listing *listing, const struct preset_listing *found);
/* A name in the list of a module, as it stands in ids. */
void listing_own_id(struct buf *out, struct str name);

#endif
