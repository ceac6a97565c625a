/* What several attempts, and several cases, come to. */
#include "runner/verdict.h"

#include <string.h>

bool verdict_is_test_failure(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_FAILED:
    case VERDICT_CRASHED:
    case VERDICT_TIMEOUT:
    case VERDICT_LEAKED:
    case VERDICT_OOM:
    case VERDICT_OUTPUT_LIMIT: return true;
    default: return false;
    }
}

/* ---- several attempts ---- */

enum retry_class verdict_retry_class(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_FAILED: return RETRY_FAILED;
    case VERDICT_CRASHED: return RETRY_CRASHED;
    case VERDICT_TIMEOUT: return RETRY_TIMEOUT;
    case VERDICT_LEAKED: return RETRY_LEAKED;
    case VERDICT_OOM: return RETRY_OOM;
    case VERDICT_OUTPUT_LIMIT: return RETRY_OUTPUT_LIMIT;
    case VERDICT_ERROR: return RETRY_ERROR;
    default: return RETRY_CLASS_COUNT;
    }
}

/* A failure is undone by a pass and by nothing else: not by a skip, nor by a retry that was cancelled. */
enum verdict verdict_of_case(enum verdict last, uint32_t failed_before)
{
    if (!failed_before)
        return last;
    if (last == VERDICT_PASSED)
        return VERDICT_FLAKY;
    return verdict_counts(last) == COUNT_SKIPPED || last == VERDICT_NOT_RUN ? VERDICT_FAILED : last;
}

/* ---- several cases ---- */

/*
 * What is less trustworthy comes first: after an error of the harness nothing else is known, a run that was cut short
 * says nothing of the cases it did not come to, and a failure weighs more than the doubt about a flake.
 */
enum exit_code verdict_of_run(const struct run_facts *facts)
{
    const struct journal_counts *counts = &facts->counts;
    bool nothing_fails = facts->no_tests && strcmp(facts->no_tests, "fail") != 0;

    if (facts->broken)
        return EXIT_BROKEN;
    if (facts->interrupted)
        return EXIT_INTERRUPTED;
    if (counts->cases[COUNT_FAILED] || counts->cases[COUNT_NOT_RUN] || facts->timed_out || facts->unclean)
        return EXIT_FAILED;
    if (!counts->executed)
        return nothing_fails ? EXIT_PASSED : EXIT_NOTHING;
    return counts->flaky_fails ? EXIT_FLAKY : EXIT_PASSED;
}
