/* What the files that judge share: facts in words, and what a process said of its own tests. */
#ifndef RM_RUNNER_VERDICT_WORDS_H
#define RM_RUNNER_VERDICT_WORDS_H

#include "runner/verdict.h"

/* Texts that users write may go over several lines; a reason is one that a terminal may see. */
void words_line(struct buf *out, struct str text);

/* What a sanitizer found, where one did: ": LeakSanitizer: 24 byte(s) leaked ...". */
void words_sanitizer(const struct facts *facts, struct buf *out);
/* "SIGSEGV (core dumped)" */
void words_signal(struct buf *out, const struct facts *facts);
bool ended_by_itself(const struct facts *facts);

/* ---- verdict_expected.c ---- */

void judge_expected(const struct facts *facts, struct judgement *judgement);

/* ---- verdict_said.c ---- */

bool said_failure(const struct facts *facts);
bool said_error(const struct facts *facts);
/* "test.c:21: expected x == 0; x: 1 (+2 more)" */
void say_said_failure(const struct facts *facts, const char *words, struct buf *out);
void say_said_error(const struct facts *facts, const char *words, struct buf *out);
/* False: it gave no reason there. */
bool said_skip(const struct facts *facts, struct buf *out);

/* ---- verdict_leaks.c ---- */

bool any_leak(const struct facts *facts, bool fails);
/* "left 2 processes behind: sleep 9 (pid 12); file /var/x" */
void words_leaks(const struct facts *facts, bool fails, struct buf *out);

/* ---- verdict_results.c ---- */

bool results_bailed_out(const struct facts *facts);
bool results_failed(const struct facts *facts);
bool results_incomplete(const struct facts *facts); /* and nothing else is wrong with its end */
bool results_missing(const struct facts *facts);
/* Why it is skipped; NULL: it is not. */
const char *results_skipped(const struct facts *facts);

void say_bail_out(const struct facts *facts, const char *words, struct buf *out);
void say_results_failed(const struct facts *facts, const char *words, struct buf *out);
void say_results_incomplete(const struct facts *facts, const char *words, struct buf *out);
void say_results_missing(const struct facts *facts, const char *words, struct buf *out);

/* How far it got: " in 'Suite.Name', after 512 of 1000 tests". Nothing where that is not known. */
void words_reached(const struct facts *facts, const char *before, struct buf *out);
/* What an exit status has to do with them: ", though none of its 100 tests failed". */
void words_unexplained(const struct facts *facts, struct buf *out);

#endif
