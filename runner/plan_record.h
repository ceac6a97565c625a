/* The cases of a run: out of the plan, into the queue and into the journal. */
#ifndef RM_RUNNER_PLAN_RECORD_H
#define RM_RUNNER_PLAN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

struct session;

/* Numbers those that are here, and finds all that is wrong with their settings. False: diags say what. */
bool plan_cases(struct session *s);
/* Longest first as far as that is known; those that a resumed run has done are left out. */
void plan_queue(struct session *s);
/* The first records: the run, its tests and its cases. */
void plan_record(struct session *s);

struct fixture;
/* Its place among the tests of the journal: fixtures come after all of them. */
uint32_t plan_fixture_number(const struct session *s, uint32_t suite, const struct fixture *fixture);

#endif
