/* What a case leaves behind: looked at when it is over, and told of; what can be removed is. */
#ifndef RM_RUNNER_LEFTOVERS_H
#define RM_RUNNER_LEFTOVERS_H

#include "runner/leaks/leaks.h"

struct session;
struct slot;

/* Its process has ended, and others of its tree have had their grace: who they are, and what they hold. */
void leftovers_of_tree(struct session *s, struct slot *slot);
/*
 * All of it is over: what has appeared on the machine meanwhile, in its private folder, and in namespaces of
 * its own.
 */
void leftovers_of_dead(struct session *s, struct slot *slot);
/*
 * What has appeared while a fixture was made is taken for its doing, whoever ran beside it: known from here on, and in
 * the list. When it is gone, what
 * is there of the list, and what else has appeared, is told of and removed.
 */
void leftovers_of_making(struct session *s, struct arena *texts, struct leak_list *made);
void leftovers_of_fixture(struct session *s, struct str name, struct leak_list *made);
/* All cases and fixtures are over: what only one of several can have left is removed now. */
void leftovers_of_run(struct session *s);
/* As the record has them, those that fail the case first: `left` of the slot. */
void leftovers_record(struct slot *slot);

#endif
