/* What is said of a run before it begins; `list` says some of it too. */
#ifndef RM_RUNNER_HEADER_H
#define RM_RUNNER_HEADER_H

#include "runner/front.h"

struct contain_wants;
struct session;

/*
 * How long the end of a run takes at most, from a deadline or a cancel to the last report, if its longest
 * ladder takes that long.
 */
nanos header_ending(nanos longest);

const char *plural(uint32_t count); /* "s", or nothing for one */

/* Tests that no file names; nothing where there are none. */
void header_implied(struct buf *out, const struct front *front);
/* "last failed: 3 of 214 cases"; nothing where history has no say. */
void header_recalled(struct buf *out, const struct front *front);
/* "run-matrix.yaml: 5 cells: 3 here, 2 elsewhere (os=macos-latest)" */
void header_cells(struct buf *out, const struct suite *suite);
/* A test that mentions no axis does the same in every cell; that is rarely what was meant. */
void header_warn(const struct front *front, struct diags *diags);

void header_print(struct session *s);
/* A case wants limits: of those that do not hold here the run says so, once each. */
void header_limits(struct session *s, const struct contain_wants *wants);

#endif
