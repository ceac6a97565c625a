/* What a C test and its actors have put into the folder that the run has for them, beside what we keep there. */
#ifndef RM_RUNNER_FILES_H
#define RM_RUNNER_FILES_H

#include "runner/journal/journal.h"

struct session;
struct slot;

/*
 * Puts what is there into the folder `into`, without what nobody may read; NULL: removes it. What is no file goes in any
 * case. For the record, in the slot's arena; NULL: there is nothing. Nobody writes there any more.
 */
const struct journal_files *files_keep(struct session *s, struct slot *slot, const char *into);
/* Of a run that is resumed: what the attempt before, which its death cut short, has left there. As it was written, so it goes. */
void files_clear(struct session *s, struct slot *slot);

#endif
