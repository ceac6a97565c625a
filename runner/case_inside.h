/*
 * What a process said of tests inside that it was asked for by name: called as they are listed, none missing unnoticed;
 * those that failed are run again alone, and the others' results stay.
 */
#ifndef RM_RUNNER_CASE_INSIDE_H
#define RM_RUNNER_CASE_INSIDE_H

#include "runner/case_results.h"

/* Called as the listing calls them; what nobody asked for is left out, what was asked for and not told is `not run`. */
void case_inside_name(struct slot *slot, struct case_results *results);
/* A case that is one test inside comes to what that came to. */
void case_inside_settle(const struct slot *slot, struct judgement *judgement);
/* Nothing was wrong but tests that failed: another attempt need run these alone. */
bool case_inside_may_choose(const struct session *s, const struct slot *slot, enum verdict verdict);
/* The tests that failed in the attempt before, as far as the suite can be told of them; NULL: run all. */
const struct preset_test *case_inside_again(struct session *s, struct slot *slot, uint32_t *count);
/* Results of the attempt before that this one was not asked for. */
void case_inside_carry(struct session *s, struct slot *slot, struct case_results *results,
                       struct journal_results_out *out);

#endif
