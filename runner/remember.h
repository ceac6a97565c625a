/* Runs go into the history of their store: those that have ended without doing so, and the one that ends here. */
#ifndef RM_RUNNER_REMEMBER_H
#define RM_RUNNER_REMEMBER_H

#include "runner/history/history.h"
#include "runner/store/store.h"

struct session;

/*
 * The history of a store, with what has ended there since somebody last looked; not with what goes on. NULL: there is none to be
 * had, and the diags say why. `faults` may be NULL.
 */
struct history *remember_open(struct store *store, struct faults *faults, struct diags *diags);
/* Before the first case: what died is remembered as long as its folder is there, and how long cases took is what they may take. */
void remember_before(struct session *s);
/* Which cases took clearly longer than they used to, in the record that was read and in the journal. NULL as above. */
struct history *remember_slower(struct session *s, struct journal_record *record);
/* This run. Closes `history`, which may be NULL. */
void remember_run(struct session *s, const struct journal_record *record, struct history *history);

#endif
