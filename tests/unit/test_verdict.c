/* Facts to verdicts: every row of docs/verdicts.md, and every pair that the order of facts decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/mem.h"
#include "runner/verdict.h"

#include <signal.h>
#include <string.h>

/* ---- one attempt ---- */

struct row {
    const char *what;
    struct facts facts;
    enum verdict verdict;
    const char *reason;
    const char *notes; /* joined by " | " */
};

/* How a process ends, as initialisers. */
#define CUT_SHORT(status) "its process ended with status " status " before its test could end it"
#define EXITED(code)      .executed = true, .status = (code)
#define KILLED(number)    .executed = true, .status = -1, .signal = (number)
#define LATE              .cause = WATCH_DEADLINE, .phase = WATCH_CALL, .limit = "timed out after 1s"
#define FLOODS            .cause = WATCH_FLOOD, .phase = WATCH_CALL, .limit = "wrote more than 1k"
#define CANCELLED         .cause = WATCH_CANCEL, .phase = WATCH_CALL, .limit = "cancelled by SIGINT"

/* What it left behind, as an initialiser. */
#define LEFT_ONE(...)                                       \
    .leak_count = 1, .leaks = (const struct journal_leak[]) \
    {                                                       \
        {                                                   \
            __VA_ARGS__                                     \
        }                                                   \
    }
#define LEAKS  LEFT_ONE(.kind = STR("process"), .words = STR("sleep 9 (pid 12)"), .pid = 12, .fails = true)
#define WARNED LEFT_ONE(.kind = STR("file"), .words = STR("/var/x"))
#define SLEEP  "left 1 process behind: sleep 9 (pid 12)"
#define SAID_FAILS(...)                           \
    .said = &(const struct said)                  \
    {                                             \
        .failures = 1, .failure = { __VA_ARGS__ } \
    }
#define SAID_ERRS(...)                        \
    .said = &(const struct said)              \
    {                                         \
        .errors = 2, .error = { __VA_ARGS__ } \
    }
#define AT_X       .file = STR("x.c"), .line = 3
#define NEEDS_MORE .oom = "its tree needed more than 64 MiB"

#define FULL "no room was left on the disk: its output may be cut"
#define CUT  "its output could not be written down: Input/output error"
#define LOST "somebody else took its exit status"
#define LEFT "did not end, not even by SIGKILL, and is left where it is"

static const struct row rows[] = {
    {"passes", {EXITED(0)}, VERDICT_PASSED, "", ""},

    /* What never came to a process. */
    {"skip", {.skip = "no IPv6"}, VERDICT_SKIPPED, "no IPv6", ""},
    {"skip without reason", {.skip = ""}, VERDICT_SKIPPED, "", ""},
    {"skip over lines", {.skip = " no\n  IPv6\x1b[1m\n"}, VERDICT_SKIPPED, "no IPv6\\x1b[1m", ""},
    {"unsupported", {.unsupported = "because"}, VERDICT_UNSUPPORTED, "because", ""},
    {"set-up", {.setup = "cannot execute 'x'"}, VERDICT_ERROR, "cannot execute 'x'", ""},
    {"skip before unsupported", {.skip = "x", .unsupported = "y"}, VERDICT_SKIPPED, "x", ""},
    {"skip before set-up", {.skip = "x", .setup = "y"}, VERDICT_SKIPPED, "x", ""},
    {"unsupported before set-up", {.unsupported = "x", .setup = "y"}, VERDICT_UNSUPPORTED, "x", ""},
    {"set-up with the status of the child", {.setup = "x", .status = 127}, VERDICT_ERROR, "x", ""},

    /* Each fact alone. */
    {"failed", {EXITED(3)}, VERDICT_FAILED, "exit status 3", ""},
    {"crashed", {KILLED(SIGSEGV)}, VERDICT_CRASHED, "SIGSEGV", ""},
    {"crashed with core", {KILLED(SIGABRT), .core = true}, VERDICT_CRASHED, "SIGABRT (core dumped)", ""},
    {"crashed with a core that is there",
     {KILLED(SIGABRT), .core = true, .core_at = "its core is 'x'"},
     VERDICT_CRASHED,
     "SIGABRT (core dumped)",
     "its core is 'x'"},
    {"sanitizer",
     {EXITED(23), .sanitizer = "LeakSanitizer: x"},
     VERDICT_FAILED,
     "exit status 23: LeakSanitizer: x",
     ""},
    {"sanitizer that aborts",
     {KILLED(SIGABRT), .sanitizer = "AddressSanitizer: y"},
     VERDICT_CRASHED,
     "SIGABRT: AddressSanitizer: y",
     ""},
    {"killed by somebody", {KILLED(SIGKILL)}, VERDICT_CRASHED, "SIGKILL, which run-matrix did not send", ""},
    {"timeout", {KILLED(SIGKILL), LATE}, VERDICT_TIMEOUT, "timed out after 1s", "when it was ended: SIGKILL"},
    {"timeout without words",
     {KILLED(SIGINT), .cause = WATCH_DEADLINE, .phase = WATCH_CALL},
     VERDICT_TIMEOUT,
     "timed out",
     "when it was ended: SIGINT"},
    {"session deadline",
     {KILLED(SIGTERM), .cause = WATCH_SESSION, .phase = WATCH_CALL, .limit = "session over"},
     VERDICT_TIMEOUT,
     "session over",
     "when it was ended: SIGTERM"},
    {"output limit",
     {KILLED(SIGINT), FLOODS},
     VERDICT_OUTPUT_LIMIT,
     "wrote more than 1k",
     "when it was ended: SIGINT"},
    {"oom",
     {KILLED(SIGKILL), NEEDS_MORE},
     VERDICT_OOM,
     "its tree needed more than 64 MiB",
     "crashed: SIGKILL, which run-matrix did not send"},
    {"oom without words", {EXITED(0), .oom = ""}, VERDICT_OOM, "ended for want of memory", ""},
    {"oom of a child that it survived",
     {EXITED(0), NEEDS_MORE},
     VERDICT_OOM,
     "its tree needed more than 64 MiB",
     ""},
    {"abandoned",
     {.executed = true, .status = -1, .abandoned = true, LATE},
     VERDICT_ABANDONED,
     LEFT,
     "timeout: timed out after 1s"},
    {"lost", {.executed = true, .status = -1, .lost = true}, VERDICT_LOST, LOST, ""},
    {"leaked", {EXITED(0), LEAKS}, VERDICT_LEAKED, SLEEP, ""},
    {"hard error", {EXITED(99)}, VERDICT_ERROR, "exit status 99, a hard error", ""},
    {"0, and not by its test", {EXITED(0), .cut_short = true}, VERDICT_FAILED, CUT_SHORT("0"), ""},
    {"77, and not by its test", {EXITED(77), .cut_short = true}, VERDICT_FAILED, CUT_SHORT("77"), ""},
    {"0 when it was expected to fail",
     {EXITED(0), .cut_short = true, .xfail = "x"},
     VERDICT_XFAILED,
     "x",
     "failed: " CUT_SHORT("0")},
    {"0 when it was ended",
     {EXITED(0), LATE, .cut_short = true},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "when it was ended: exit status 0"},
    {"0, and it leaked",
     {EXITED(0), LEAKS, .cut_short = true},
     VERDICT_FAILED,
     CUT_SHORT("0"),
     "leaked: " SLEEP},
    {"stuck before its program",
     {.status = -1, .signal = SIGKILL, .cause = WATCH_DEADLINE, .phase = WATCH_SETUP},
     VERDICT_ERROR,
     "did not get as far as its program in time",
     ""},
    {"the same with words",
     {.status = -1,
      .signal = SIGKILL,
      .cause = WATCH_DEADLINE,
      .phase = WATCH_SETUP,
      .limit = "not within 10s"},
     VERDICT_ERROR,
     "not within 10s",
     ""},
    {"stuck in its tear-down",
     {EXITED(0), .cause = WATCH_DEADLINE, .phase = WATCH_TEARDOWN},
     VERDICT_ERROR,
     "its tear-down took too long",
     "when it was ended: exit status 0"},
    {"not executable, and too late",
     {.setup = "cannot execute 'x'",
      .cause = WATCH_DEADLINE,
      .phase = WATCH_SETUP,
      .limit = "not within 10s"},
     VERDICT_ERROR,
     "cannot execute 'x'",
     "error: not within 10s"},
    {"killed before its program",
     {.status = -1, .signal = SIGKILL},
     VERDICT_ERROR,
     "ended before it got as far as its program: SIGKILL",
     ""},
    {"the same, and where",
     {.status = -1, .signal = SIGKILL, .reached = "enter the working directory '/x'"},
     VERDICT_ERROR,
     "ended before it got as far as its program: SIGKILL when it was to enter the working directory '/x'",
     ""},
    {"gone before its program, and where",
     {.status = 0, .reached = "run tests"},
     VERDICT_ERROR,
     "ended before it got as far as its program, when it was to run tests",
     ""},
    {"gone before its program",
     {.status = 0},
     VERDICT_ERROR,
     "ended before it got as far as its program",
     ""},
    {"cancelled",
     {KILLED(SIGINT), CANCELLED},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "when it was ended: SIGINT"},
    {"cancelled before its program",
     {.status = -1, .signal = SIGINT, CANCELLED},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     ""},

    /* A cancel hides neither what is left over nor what cannot be known, and all else. */
    {"cancelled and abandoned",
     {.executed = true, .abandoned = true, CANCELLED},
     VERDICT_ABANDONED,
     LEFT,
     "not run: cancelled by SIGINT"},
    {"cancelled and lost",
     {.executed = true, .lost = true, CANCELLED},
     VERDICT_LOST,
     LOST,
     "not run: cancelled by SIGINT"},
    {"cancelled and out of memory",
     {KILLED(SIGKILL), NEEDS_MORE, CANCELLED},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "oom: its tree needed more than 64 MiB | when it was ended: SIGKILL"},
    {"cancelled and leaked",
     {KILLED(SIGINT), LEAKS, CANCELLED},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "leaked: " SLEEP " | when it was ended: SIGINT"},
    {"lost under our signal",
     {.executed = true, .lost = true, LATE},
     VERDICT_LOST,
     LOST,
     "timeout: timed out after 1s"},
    {"lost before its program", {.lost = true}, VERDICT_LOST, LOST, ""},
    {"abandoned before its program",
     {.abandoned = true, .cause = WATCH_DEADLINE, .phase = WATCH_SETUP, .limit = "not within 10s"},
     VERDICT_ERROR,
     "not within 10s",
     "abandoned: " LEFT},
    {"abandoned without a cause", {.abandoned = true}, VERDICT_ABANDONED, LEFT, ""},

    /* Skip by status. */
    {"77", {EXITED(77), .last_line = " no IPv6 here\n"}, VERDICT_SKIPPED, "no IPv6 here", ""},
    {"77 that says nothing", {EXITED(77)}, VERDICT_SKIPPED, "exit status 77", ""},
    {"77 after an empty line", {EXITED(77), .last_line = " "}, VERDICT_SKIPPED, "exit status 77", ""},
    {"77 after colours", {EXITED(77), .last_line = "\x1b[1mno"}, VERDICT_SKIPPED, "exit status 77", ""},
    {"77 after a flood",
     {EXITED(77), .last_line =
                      "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
                      "12345678901234567890123456789012345678901234567890123456789012345678901234567890"
                      "12345678901234567890123456789012345678901"},
     VERDICT_SKIPPED,
     "exit status 77",
     ""},
    {"77 under xfail", {EXITED(77), .xfail = "x"}, VERDICT_SKIPPED, "exit status 77", ""},
    {"77 that leaks", {EXITED(77), LEAKS}, VERDICT_LEAKED, SLEEP, ""},
    {"77 under our signal",
     {EXITED(77), LATE, .last_line = "no"},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "when it was ended: exit status 77"},
    {"77 when cancelled",
     {EXITED(77), CANCELLED},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "when it was ended: exit status 77"},
    {"99 under our signal",
     {EXITED(99), LATE},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "when it was ended: exit status 99"},

    /* An exit 0 after our own signal is never a pass. */
    {"0 after a deadline",
     {EXITED(0), LATE},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "when it was ended: exit status 0"},
    {"0 after a flood",
     {EXITED(0), FLOODS},
     VERDICT_OUTPUT_LIMIT,
     "wrote more than 1k",
     "when it was ended: exit status 0"},
    {"0 after a cancel",
     {EXITED(0), CANCELLED},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "when it was ended: exit status 0"},
    {"0 after the session",
     {EXITED(0), .cause = WATCH_SESSION},
     VERDICT_TIMEOUT,
     "the time of the session was up",
     "when it was ended: exit status 0"},
    {"crash under our signal",
     {KILLED(SIGSEGV), .core = true, LATE},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "when it was ended: SIGSEGV (core dumped)"},

    /* A full disk. */
    {"disk full", {EXITED(0), .disk_full = true}, VERDICT_ERROR, FULL, ""},
    {"disk full and failed", {EXITED(1), .disk_full = true}, VERDICT_FAILED, "exit status 1", FULL},
    {"cut", {EXITED(0), .cut = CUT}, VERDICT_ERROR, CUT, ""},
    {"cut and failed", {EXITED(1), .cut = CUT}, VERDICT_FAILED, "exit status 1", CUT},
    {"cut and skipped", {EXITED(77), .cut = CUT}, VERDICT_SKIPPED, "exit status 77", CUT},
    {"cut by a full disk", {EXITED(0), .cut = CUT, .disk_full = true}, VERDICT_ERROR, CUT, ""},
    {"disk full and skipped", {EXITED(77), .disk_full = true}, VERDICT_SKIPPED, "exit status 77", FULL},
    {"disk full and leaked", {EXITED(0), .disk_full = true, LEAKS}, VERDICT_LEAKED, SLEEP, FULL},
    {"disk full under xfail",
     {EXITED(1), .disk_full = true, .xfail = "x"},
     VERDICT_XFAILED,
     "x",
     "failed: exit status 1 | " FULL},
    {"disk full and would xpass", {EXITED(0), .disk_full = true, .xfail = "x"}, VERDICT_ERROR, FULL, ""},

    /* What is worth a warning alone, and what the machine or a limit refused. */
    {"warned", {EXITED(0), WARNED}, VERDICT_PASSED, "", "warning: left behind: file /var/x"},
    {"warned and failed",
     {EXITED(1), WARNED},
     VERDICT_FAILED,
     "exit status 1",
     "warning: left behind: file /var/x"},
    {"warned and skipped",
     {EXITED(77), WARNED},
     VERDICT_SKIPPED,
     "exit status 77",
     "warning: left behind: file /var/x"},
    {"warned and would xpass",
     {EXITED(0), WARNED, .xfail = ""},
     VERDICT_XPASSED,
     "passed, and a failure was expected",
     "warning: left behind: file /var/x"},
    {"refused processes",
     {EXITED(0), .limited = "was refused processes 3 times"},
     VERDICT_PASSED,
     "",
     "was refused processes 3 times"},
    {"all notes",
     {EXITED(1), .disk_full = true, .limited = "was refused processes", WARNED},
     VERDICT_FAILED,
     "exit status 1",
     FULL " | was refused processes | warning: left behind: file /var/x"},

    /* What was expected. */
    {"xfail", {EXITED(1), .xfail = "bug 12"}, VERDICT_XFAILED, "bug 12", "failed: exit status 1"},
    {"xfail without reason", {EXITED(1), .xfail = ""}, VERDICT_XFAILED, "failed: exit status 1", ""},
    {"strict changes no failure",
     {EXITED(1), .xfail = "x", .xfail_strict = true},
     VERDICT_XFAILED,
     "x",
     "failed: exit status 1"},
    {"xfail crashed", {KILLED(SIGSEGV), .xfail = "x"}, VERDICT_XFAILED, "x", "crashed: SIGSEGV"},
    {"xfail timeout",
     {KILLED(SIGINT), LATE, .xfail = "x"},
     VERDICT_XFAILED,
     "x",
     "timeout: timed out after 1s | when it was ended: SIGINT"},
    {"xfail leaked", {EXITED(0), LEAKS, .xfail = "x"}, VERDICT_XFAILED, "x", "leaked: " SLEEP},
    {"xfail oom",
     {EXITED(0), NEEDS_MORE, .xfail = "x"},
     VERDICT_XFAILED,
     "x",
     "oom: its tree needed more than 64 MiB"},
    {"xfail output limit",
     {KILLED(SIGINT), FLOODS, .xfail = "x"},
     VERDICT_XFAILED,
     "x",
     "output limit: wrote more than 1k | when it was ended: SIGINT"},
    /* What a C test says of itself. */
    {"said a failure",
     {EXITED(1), SAID_FAILS(AT_X, .words = STR("1 == 2"))},
     VERDICT_FAILED,
     "x.c:3: 1 == 2",
     ""},
    {"said lines",
     {EXITED(1), SAID_FAILS(AT_X, .words = STR("expected a == b\n  a: 1\n\n  b: \x1b[1m\n"))},
     VERDICT_FAILED,
     "x.c:3: expected a == b; a: 1; b: \\x1b[1m",
     ""},
    {"said blanks within",
     {EXITED(1), SAID_FAILS(AT_X, .words = STR("expected \"a  b\" == c\n  c:  \"a b\" "))},
     VERDICT_FAILED,
     "x.c:3: expected \"a  b\" == c; c:  \"a b\"",
     ""},
    {"said nowhere", {EXITED(1), SAID_FAILS(.words = STR("w"))}, VERDICT_FAILED, "w", ""},
    {"said nothing of it", {EXITED(1), SAID_FAILS(AT_X)}, VERDICT_FAILED, "x.c:3: ", ""},
    {"said a failure, and passes",
     {EXITED(0), SAID_FAILS(AT_X, .words = STR("w"))},
     VERDICT_FAILED,
     "x.c:3: w; its own exit status is 0",
     ""},
    {"said a failure, and skips",
     {EXITED(77), SAID_FAILS(AT_X, .words = STR("w"))},
     VERDICT_FAILED,
     "x.c:3: w; its own exit status is 77",
     ""},
    {"said a failure, and crashes",
     {KILLED(SIGSEGV), SAID_FAILS(AT_X, .words = STR("w"))},
     VERDICT_CRASHED,
     "SIGSEGV",
     "failed: x.c:3: w"},
    {"said a failure, and hangs",
     {KILLED(SIGINT), LATE, SAID_FAILS(AT_X, .words = STR("w"))},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "failed: x.c:3: w | when it was ended: SIGINT"},
    {"said a failure, expected",
     {EXITED(0), SAID_FAILS(AT_X, .words = STR("w")), .xfail = "known"},
     VERDICT_XFAILED,
     "known",
     "failed: x.c:3: w; its own exit status is 0"},
    {"said a failure of another kind than expected",
     {EXITED(1), SAID_FAILS(AT_X, .words = STR("w")), .xfail = "x", .xfail_signal = SIGSEGV},
     VERDICT_FAILED,
     "expected to die of SIGSEGV, but exit status 1",
     "failed: x.c:3: w"},
    {"said errors",
     {EXITED(99), SAID_ERRS(AT_X, .words = STR("w"))},
     VERDICT_ERROR,
     "x.c:3: w (+1 more)",
     ""},
    {"said errors, and passes",
     {EXITED(0), SAID_ERRS(AT_X, .words = STR("w")), .xfail = "x"},
     VERDICT_ERROR,
     "x.c:3: w (+1 more)",
     ""},
    {"said errors, and crashes",
     {KILLED(SIGSEGV), SAID_ERRS(AT_X, .words = STR("w"))},
     VERDICT_CRASHED,
     "SIGSEGV",
     "error: x.c:3: w (+1 more)"},
    {"said why it skips",
     {EXITED(77), .last_line = "last", .said = &(const struct said){.skip = STR(" no\nnet ")}},
     VERDICT_SKIPPED,
     "no net",
     ""},
    {"said blanks",
     {EXITED(77), .last_line = "last", .said = &(const struct said){.skip = STR("  ")}},
     VERDICT_SKIPPED,
     "last",
     ""},
    {"said that it cannot be run there",
     {EXITED(77), .said = &(const struct said){.skip = STR("no namespace"), .unsupported = true}},
     VERDICT_UNSUPPORTED,
     "no namespace",
     ""},
    {"said that it cannot be run there, and fails",
     {EXITED(1), .said = &(const struct said){.skip = STR("no namespace"), .unsupported = true}},
     VERDICT_FAILED,
     "exit status 1",
     ""},
    {"late, with threads",
     {KILLED(SIGTERM), LATE, .threads = "its threads: reader, worker x3"},
     VERDICT_TIMEOUT,
     "timed out after 1s",
     "when it was ended: SIGTERM | its threads: reader, worker x3"},
    {"said a reason, and passes",
     {EXITED(0), .said = &(const struct said){.skip = STR("no")}},
     VERDICT_PASSED,
     "",
     ""},

    {"xfail, dies of what was expected",
     {KILLED(SIGSEGV), .xfail = "x", .xfail_signal = SIGSEGV},
     VERDICT_XFAILED,
     "x",
     "crashed: SIGSEGV"},
    {"xfail, dies of another signal",
     {KILLED(SIGABRT), .xfail = "x", .xfail_signal = SIGSEGV},
     VERDICT_FAILED,
     "expected to die of SIGSEGV, but SIGABRT",
     ""},
    {"xfail, does not die",
     {EXITED(1), .xfail = "x", .xfail_signal = SIGSEGV},
     VERDICT_FAILED,
     "expected to die of SIGSEGV, but exit status 1",
     ""},
    {"xfail, any of the two",
     {EXITED(3), .xfail = "", .xfail_signal = SIGSEGV, .xfail_exit = 3},
     VERDICT_XFAILED,
     "failed: exit status 3",
     ""},
    {"xfail, none of the two",
     {EXITED(4), .xfail = "", .xfail_signal = SIGSEGV, .xfail_exit = 3},
     VERDICT_FAILED,
     "expected to die of SIGSEGV or exit status 3, but exit status 4",
     ""},
    {"xfail, crashed where a status was expected",
     {KILLED(SIGSEGV), .xfail = "x", .xfail_exit = 3},
     VERDICT_FAILED,
     "expected exit status 3, but SIGSEGV",
     ""},
    {"xfail, leaked where a status was expected",
     {EXITED(0), LEAKS, .xfail = "x", .xfail_exit = 3},
     VERDICT_FAILED,
     "expected exit status 3, but exit status 0",
     "leaked: " SLEEP},
    {"xfail, late where a signal was expected, though it is the one that ends it",
     {KILLED(SIGINT), LATE, .xfail = "x", .xfail_signal = SIGINT},
     VERDICT_FAILED,
     "expected to die of SIGINT, but timeout",
     "timeout: timed out after 1s | when it was ended: SIGINT"},
    {"xfail passes and was to die",
     {EXITED(0), .xfail = "x", .xfail_strict = true, .xfail_signal = SIGSEGV},
     VERDICT_XPASSED_STRICT,
     "passed, and a failure was expected: x",
     ""},
    {"xfail error", {.setup = "no", .xfail = "x"}, VERDICT_ERROR, "no", ""},
    {"xfail 99", {EXITED(99), .xfail = "x"}, VERDICT_ERROR, "exit status 99, a hard error", ""},
    {"xfail lost", {.executed = true, .lost = true, .xfail = "x"}, VERDICT_LOST, LOST, ""},
    {"xfail abandoned", {.executed = true, .abandoned = true, .xfail = "x"}, VERDICT_ABANDONED, LEFT, ""},
    {"xfail cancelled",
     {KILLED(SIGINT), CANCELLED, .xfail = "x"},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "when it was ended: SIGINT"},
    {"xfail skipped", {.skip = "s", .xfail = "x"}, VERDICT_SKIPPED, "s", ""},
    {"xpassed",
     {EXITED(0), .xfail = "bug\n12"},
     VERDICT_XPASSED,
     "passed, and a failure was expected: bug 12",
     ""},
    {"xpassed without reason",
     {EXITED(0), .xfail = ""},
     VERDICT_XPASSED,
     "passed, and a failure was expected",
     ""},
    {"xpassed strict",
     {EXITED(0), .xfail = "", .xfail_strict = true},
     VERDICT_XPASSED_STRICT,
     "passed, and a failure was expected",
     ""},
};

static void join_notes(struct buf *out, const struct judgement *j)
{
    for (uint32_t i = 0; i < j->note_count; i++)
        buf_addf(out, "%s%s", i ? " | " : "", buf_text(&j->notes[i]));
}

static void check_row(const struct row *row, struct judgement *j)
{
    struct buf notes = {0};

    judge(&row->facts, j);
    join_notes(&notes, j);
    if (j->verdict != row->verdict || strcmp(buf_text(&j->reason), row->reason) != 0 ||
        strcmp(buf_text(&notes), row->notes) != 0)
        fail_msg("'%s': got %s: %s (%s)", row->what, verdict_word(j->verdict), buf_text(&j->reason),
                 buf_text(&notes));
    buf_release(&notes);
}

/* ---- what it said of its own tests ---- */

#define SAYS(...)                           \
    .results = &(const struct result_facts) \
    {                                       \
        __VA_ARGS__                         \
    }
#define BAD       SAYS(.reported = 100, .failed = 3, .failed_names = "a, b, c")
#define GOOD      SAYS(.reported = 100)
#define LESS      SAYS(.reported = 7, .not_run = 3)
#define GONE      SAYS(.missing = "wrote no report: 'x.xml' is not there")
#define THREE     "3 of 100 tests failed: a, b, c"
#define NO_REPORT "wrote no report: 'x.xml' is not there"

static const struct row result_rows[] = {
    {"all passed", {EXITED(0), GOOD}, VERDICT_PASSED, "", ""},
    {"some failed, exit 0", {EXITED(0), BAD}, VERDICT_FAILED, THREE, ""},
    {"some failed, and the status says so", {EXITED(1), BAD}, VERDICT_FAILED, THREE, "exit status 1"},
    {"one of one",
     {EXITED(1), SAYS(.reported = 1, .failed = 1, .failed_names = "a")},
     VERDICT_FAILED,
     "1 of 1 test failed: a",
     "exit status 1"},
    {"a status that nothing explains",
     {EXITED(1), GOOD},
     VERDICT_FAILED,
     "exit status 1, though none of its 100 tests failed",
     ""},
    {"the same with one test",
     {EXITED(1), SAYS(.reported = 1)},
     VERDICT_FAILED,
     "exit status 1, though its one test did not fail",
     ""},
    {"a status before the end", {EXITED(1), LESS}, VERDICT_FAILED, "exit status 1, after 7 of 10 tests", ""},
    {"not all", {EXITED(0), LESS}, VERDICT_FAILED, "reported 7 of 10 tests", ""},
    {"not all, one was begun",
     {EXITED(0), SAYS(.reported = 7, .not_run = 1, .open = "A.x")},
     VERDICT_FAILED,
     "reported 7 of 8 tests; begun and not ended: 'A.x'",
     ""},
    {"some failed, and not all",
     {EXITED(0), SAYS(.reported = 7, .failed = 1, .not_run = 3, .failed_names = "a")},
     VERDICT_FAILED,
     "1 of 10 tests failed: a",
     "failed: reported 7 of 10 tests"},
    {"gave up",
     {EXITED(0), SAYS(.reported = 1, .not_run = 1, .bail_out = "no\n db")},
     VERDICT_FAILED,
     "bailed out: no db",
     ""},
    {"gave up and failed",
     {EXITED(255), SAYS(.reported = 2, .failed = 1, .failed_names = "a", .bail_out = "")},
     VERDICT_FAILED,
     "bailed out",
     "failed: 1 of 2 tests failed: a | exit status 255"},

    /* The end of the process keeps its place. */
    {"crash in a test",
     {KILLED(SIGSEGV), SAYS(.reported = 512, .not_run = 488, .open = "S.n")},
     VERDICT_CRASHED,
     "SIGSEGV in 'S.n', after 512 of 1000 tests",
     ""},
    {"crash in a test, and nothing was announced",
     {KILLED(SIGSEGV), SAYS(.reported = 512, .not_run = 1, .open = "S.n")},
     VERDICT_CRASHED,
     "SIGSEGV in 'S.n', after 512 tests",
     ""},
    {"crash between", {KILLED(SIGABRT), LESS}, VERDICT_CRASHED, "SIGABRT, after 7 of 10 tests", ""},
    {"crash at its end", {KILLED(SIGABRT), GOOD}, VERDICT_CRASHED, "SIGABRT, after 100 tests", ""},
    {"crash before the first", {KILLED(SIGABRT), SAYS(0)}, VERDICT_CRASHED, "SIGABRT", ""},
    {"killed in a test",
     {KILLED(SIGKILL), SAYS(.reported = 1, .not_run = 1, .open = "S.n")},
     VERDICT_CRASHED,
     "SIGKILL, which run-matrix did not send, in 'S.n', after 1 test",
     ""},
    {"crash after a failure",
     {KILLED(SIGSEGV), BAD},
     VERDICT_CRASHED,
     "SIGSEGV, after 100 tests",
     "failed: " THREE},
    {"crash without a report", {KILLED(SIGSEGV), GONE}, VERDICT_CRASHED, "SIGSEGV", "error: " NO_REPORT},
    {"timeout in a test",
     {KILLED(SIGINT), LATE, SAYS(.reported = 2, .not_run = 1, .open = "S.n")},
     VERDICT_TIMEOUT,
     "timed out after 1s; in 'S.n', after 2 tests",
     "when it was ended: SIGINT"},
    {"timeout, and it finished its report",
     {EXITED(2), LATE, LESS},
     VERDICT_TIMEOUT,
     "timed out after 1s; after 7 of 10 tests",
     "when it was ended: exit status 2"},
    {"timeout after failures",
     {EXITED(1), LATE, BAD},
     VERDICT_TIMEOUT,
     "timed out after 1s; after 100 tests",
     "failed: " THREE " | when it was ended: exit status 1"},
    {"oom in a test",
     {KILLED(SIGKILL), NEEDS_MORE, SAYS(.reported = 1, .not_run = 1, .open = "S.n")},
     VERDICT_OOM,
     "its tree needed more than 64 MiB; in 'S.n', after 1 test",
     "crashed: SIGKILL, which run-matrix did not send, in 'S.n', after 1 test"},
    {"cancelled",
     {KILLED(SIGINT), CANCELLED, BAD},
     VERDICT_NOT_RUN,
     "cancelled by SIGINT",
     "failed: " THREE " | when it was ended: SIGINT"},
    {"failed and leaked",
     {EXITED(1), BAD, LEAKS},
     VERDICT_FAILED,
     THREE,
     "leaked: " SLEEP " | exit status 1"},
    {"leaked", {EXITED(0), GOOD, LEAKS}, VERDICT_LEAKED, SLEEP, ""},
    {"hard error", {EXITED(99), BAD}, VERDICT_ERROR, "exit status 99, a hard error", "failed: " THREE},

    /* No report, or not all of it. */
    {"no report", {EXITED(0), GONE}, VERDICT_ERROR, NO_REPORT, ""},
    {"no report, and a status", {EXITED(2), GONE}, VERDICT_FAILED, "exit status 2", "error: " NO_REPORT},
    {"no report under xfail", {EXITED(0), GONE, .xfail = "x"}, VERDICT_ERROR, NO_REPORT, ""},
    {"no report and leaked", {EXITED(0), GONE, LEAKS}, VERDICT_ERROR, NO_REPORT, "leaked: " SLEEP},
    {"no report and 77", {EXITED(77), GONE}, VERDICT_SKIPPED, "exit status 77", ""},
    {"a report that was cut",
     {EXITED(0), SAYS(.reported = 2, .missing = "not all of its report can be read: x:3:4: cut")},
     VERDICT_ERROR,
     "not all of its report can be read: x:3:4: cut",
     ""},
    {"a report that was cut, and announced more",
     {EXITED(0),
      SAYS(.reported = 1, .not_run = 2, .missing = "not all of its report can be read: x:3:4: cut")},
     VERDICT_ERROR,
     "not all of its report can be read: x:3:4: cut",
     "failed: reported 1 of 3 tests"},
    {"a problem that does not matter",
     {EXITED(0), SAYS(.reported = 2, .problem = "x:3:4: byte 0x01")},
     VERDICT_PASSED,
     "",
     "x:3:4: byte 0x01"},

    /* Skipped. */
    {"all skipped",
     {EXITED(0), SAYS(.reported = 2, .skipped = 2, .skip = "no net")},
     VERDICT_SKIPPED,
     "no net",
     ""},
    {"all skipped, and a status",
     {EXITED(1), SAYS(.reported = 2, .skipped = 2, .skip = "no net")},
     VERDICT_FAILED,
     "exit status 1, though none of its 2 tests failed",
     ""},
    {"all skipped and leaked",
     {EXITED(0), SAYS(.reported = 1, .skipped = 1, .skip = "no net"), LEAKS},
     VERDICT_LEAKED,
     SLEEP,
     ""},
    {"77 with results", {EXITED(77), GOOD}, VERDICT_SKIPPED, "exit status 77", ""},
    {"77 with failures", {EXITED(77), BAD}, VERDICT_FAILED, THREE, "exit status 77"},
    {"77 before the end", {EXITED(77), LESS}, VERDICT_SKIPPED, "exit status 77", ""},

    /* What is expected of the case holds for it as a whole. */
    {"xfail",
     {EXITED(1), BAD, .xfail = "bug 12"},
     VERDICT_XFAILED,
     "bug 12",
     "failed: " THREE " | exit status 1"},
    {"xpassed", {EXITED(0), GOOD, .xfail = ""}, VERDICT_XPASSED, "passed, and a failure was expected", ""},
    {"disk full", {EXITED(0), GOOD, .disk_full = true}, VERDICT_ERROR, FULL, ""},
};

static void test_results(void **state)
{
    struct judgement j = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(result_rows); i++)
        check_row(&result_rows[i], &j);
    judgement_release(&j);
}

/* ---- what was left behind, in words ---- */

#define PROCESS(text)                                             \
    {                                                             \
        .kind = STR("process"), .words = STR(text), .fails = true \
    }
#define OTHER(what, text)                                    \
    {                                                        \
        .kind = STR(what), .words = STR(text), .fails = true \
    }
#define WARNS(what, text)                     \
    {                                         \
        .kind = STR(what), .words = STR(text) \
    }

static const struct {
    struct journal_leak leaks[6];
    uint32_t count, more;
    const char *reason, *notes;
} left[] = {
    {{PROCESS("a"), PROCESS("b"), OTHER("listener", "127.0.0.1:80 of a")},
     3,
     0,
     "left 2 processes behind: a; b; listener 127.0.0.1:80 of a",
     ""},
    {{OTHER("socket file", "/tmp/x"), OTHER("shared memory", "/psm_1")},
     2,
     0,
     "left behind: socket file /tmp/x; shared memory /psm_1",
     ""},
    {{PROCESS("a"), WARNS("file", "/x"), WARNS("process", "b")},
     3,
     0,
     "left 1 process behind: a",
     "warning: left 1 process behind: file /x; b"},
    {{PROCESS("a"), PROCESS("b"), PROCESS("c"), PROCESS("d")},
     4,
     0,
     "left 4 processes behind: a; b; c; d",
     ""},
    {{PROCESS("a"), PROCESS("b"), PROCESS("c"), PROCESS("d"), PROCESS("e"), WARNS("file", "/x")},
     6,
     0,
     "left 5 processes behind: a; b; c; d; and 1 more",
     "warning: left behind: file /x"},
    {{PROCESS("a"), PROCESS("b"), PROCESS("c"), PROCESS("d"), PROCESS("e"), WARNS("file", "/x")},
     6,
     200,
     "left at least 5 processes behind: a; b; c; d; and 201 more",
     "warning: left behind: file /x"},
    {{PROCESS("two\nlines \x1b[1m")}, 1, 0, "left 1 process behind: two lines \\x1b[1m", ""},
};

static void test_left_behind(void **state)
{
    struct judgement j = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        struct row row = {"left behind", {EXITED(0)}, VERDICT_LEAKED, left[i].reason, left[i].notes};

        row.facts.leaks = left[i].leaks;
        row.facts.leak_count = left[i].count;
        row.facts.leaks_more = left[i].more;
        row.what = left[i].reason;
        check_row(&row, &j);
    }
    judgement_release(&j);
}

static void test_rows(void **state)
{
    struct judgement j = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_row(&rows[i], &j);
    judgement_release(&j);
}

/* ---- pairs ---- */

/* The promised order; each can be had beside each that stands below it, unless they exclude each other. */
static const struct kind {
    enum verdict verdict;
    struct facts facts;
} kinds[] = {
    {VERDICT_LOST, {.executed = true, .lost = true}},
    {VERDICT_ERROR, {.executed = true, .setup = "x"}},
    {VERDICT_ABANDONED, {.executed = true, .abandoned = true}},
    {VERDICT_OOM, {.executed = true, .oom = "x"}},
    {VERDICT_OUTPUT_LIMIT, {.executed = true, .cause = WATCH_FLOOD}},
    {VERDICT_TIMEOUT, {.executed = true, .cause = WATCH_DEADLINE, .phase = WATCH_CALL}},
    {VERDICT_CRASHED, {.executed = true, .status = -1, .signal = SIGSEGV}},
    {VERDICT_FAILED, {.executed = true, .status = 1}},
    {VERDICT_LEAKED, {.executed = true, LEAKS}},
};

/* A process is ended for one cause, and by a signal or with a status. */
static bool both(const struct facts *a, const struct facts *b, struct facts *sum)
{
    *sum = *a;
    sum->lost |= b->lost;
    sum->abandoned |= b->abandoned;
    sum->oom = a->oom ? a->oom : b->oom;
    sum->leaks = a->leaks ? a->leaks : b->leaks;
    sum->leak_count = a->leak_count + b->leak_count;
    sum->setup = a->setup ? a->setup : b->setup;
    if ((a->cause && b->cause) || (a->status && b->status))
        return false;
    sum->cause = a->cause ? a->cause : b->cause;
    sum->phase = a->cause ? a->phase : b->phase;
    sum->status = a->status ? a->status : b->status;
    sum->signal = a->signal ? a->signal : b->signal;
    return true;
}

static bool is_noted(const struct judgement *j, enum verdict verdict)
{
    for (uint32_t i = 0; i < j->note_count; i++)
        if (str_starts(buf_str(&j->notes[i]), verdict_word(verdict)))
            return true;
    return false;
}

/* How a process ended is known only of one that was reaped, and says something only when we did not end it. */
static bool says_how_it_ended(enum verdict verdict)
{
    return verdict == VERDICT_CRASHED || verdict == VERDICT_FAILED;
}

static bool hides_how_it_ended(const struct facts *f)
{
    return f->cause || f->lost || f->abandoned;
}

static void test_pairs(void **state)
{
    struct judgement j = {0};
    size_t met = 0;

    (void)state;
    for (size_t a = 0; a < ARRAY_LEN(kinds); a++)
        for (size_t b = a + 1; b < ARRAY_LEN(kinds); b++) {
            struct facts sum;

            if (!both(&kinds[a].facts, &kinds[b].facts, &sum))
                continue;
            met++;
            judge(&sum, &j);
            if (j.verdict != kinds[a].verdict)
                fail_msg("%s beside %s is %s", verdict_word(kinds[a].verdict), verdict_word(kinds[b].verdict),
                         verdict_word(j.verdict));
            if (says_how_it_ended(kinds[b].verdict) && hides_how_it_ended(&sum))
                continue;
            if (!is_noted(&j, kinds[b].verdict))
                fail_msg("%s beside %s is not noted", verdict_word(kinds[b].verdict),
                         verdict_word(kinds[a].verdict));
        }
    assert_int_equal(met, 36 - 2); /* not output limit and timeout, not crashed and failed */
    judgement_release(&j);
}

/* More facts than there is room for notes. */
static void test_all_at_once(void **state)
{
    const struct facts facts = {.setup = "x",
                                .executed = true,
                                .lost = true,
                                .abandoned = true,
                                .oom = "x",
                                LEAKS,
                                .disk_full = true,
                                .cause = WATCH_DEADLINE,
                                .phase = WATCH_CALL,
                                .xfail = "x",
                                .limited = "x"};
    struct judgement j = {0};

    (void)state;
    judge(&facts, &j);
    assert_int_equal(j.verdict, VERDICT_LOST);
    assert_int_equal(j.note_count, 7);
    judgement_release(&j);
}

/* Whatever the facts: what we ended has not passed, and every reason is one line. */
static void test_no_pass_after_our_signal(void **state)
{
    static const struct journal_leak leak = PROCESS("a\nb");
    struct judgement j = {0};

    (void)state;
    for (unsigned bits = 0; bits < 1u << 11; bits++)
        for (int cause = WATCH_DEADLINE; cause <= WATCH_CANCEL; cause++) {
            struct facts facts = {.executed = bits & 1,
                                  .lost = bits & 2,
                                  .abandoned = bits & 4,
                                  .oom = bits & 8 ? "a\nb" : NULL,
                                  .leaks = &leak,
                                  .leak_count = bits >> 4 & 1,
                                  .disk_full = bits & 32,
                                  .cut = bits & 32 ? "a\nb" : NULL,
                                  .xfail = bits & 64 ? "x\ny" : NULL,
                                  .xfail_strict = bits & 128,
                                  .status = bits & 256 ? 77 : 0,
                                  .cause = (enum watch_cause)cause,
                                  .phase = (enum watch_phase)(bits >> 9 & 1),
                                  .setup = bits & 1024 ? "a\nb" : NULL};

            judge(&facts, &j);
            if (verdict_counts(j.verdict) == COUNT_PASSED || j.verdict == VERDICT_SKIPPED)
                fail_msg("cause %d, bits %x: %s", cause, bits, verdict_word(j.verdict));
            if (strchr(buf_text(&j.reason), '\n'))
                fail_msg("cause %d, bits %x: two lines", cause, bits);
        }
    judgement_release(&j);
}

/* ---- several attempts ---- */

static void test_attempts(void **state)
{
    static const struct {
        enum verdict last;
        uint32_t failed_before;
        enum verdict outcome;
    } attempts[] = {
        {VERDICT_PASSED, 0, VERDICT_PASSED},
        {VERDICT_PASSED, 1, VERDICT_FLAKY},
        {VERDICT_PASSED, 9, VERDICT_FLAKY},
        {VERDICT_FAILED, 2, VERDICT_FAILED},
        {VERDICT_TIMEOUT, 1, VERDICT_TIMEOUT},
        {VERDICT_ERROR, 1, VERDICT_ERROR},
        {VERDICT_SKIPPED, 0, VERDICT_SKIPPED},
        {VERDICT_NOT_RUN, 0, VERDICT_NOT_RUN},
        /* what failed once and then skips, or is cancelled, has failed */
        {VERDICT_SKIPPED, 1, VERDICT_FAILED},
        {VERDICT_NOT_RUN, 1, VERDICT_FAILED},
        {VERDICT_XFAILED, 0, VERDICT_XFAILED},
        {VERDICT_XPASSED, 0, VERDICT_XPASSED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(attempts); i++)
        if (verdict_of_case(attempts[i].last, attempts[i].failed_before) != attempts[i].outcome)
            fail_msg("row %zu", i);
}

static void test_retries(void **state)
{
    static const struct {
        enum verdict verdict;
        enum retry_class class;
    } again[] = {
        {VERDICT_FAILED, RETRY_FAILED},   {VERDICT_CRASHED, RETRY_CRASHED},
        {VERDICT_TIMEOUT, RETRY_TIMEOUT}, {VERDICT_LEAKED, RETRY_LEAKED},
        {VERDICT_OOM, RETRY_OOM},         {VERDICT_OUTPUT_LIMIT, RETRY_OUTPUT_LIMIT},
        {VERDICT_ERROR, RETRY_ERROR},
    };

    (void)state;
    for (int v = 0; v < VERDICT_COUNT; v++) {
        enum retry_class wanted = RETRY_CLASS_COUNT;

        for (size_t i = 0; i < ARRAY_LEN(again); i++)
            if (again[i].verdict == (enum verdict)v)
                wanted = again[i].class;
        if (verdict_retry_class((enum verdict)v) != wanted)
            fail_msg("%s", verdict_word((enum verdict)v));
    }
}

/* ---- the run ---- */

#define RAN(n)     .executed = (n)
#define PASSED(n)  .cases[COUNT_PASSED] = (n)
#define FAILED(n)  .cases[COUNT_FAILED] = (n)
#define SKIPPED(n) .cases[COUNT_SKIPPED] = (n)
#define NOT_RUN(n) .cases[COUNT_NOT_RUN] = (n)

static void test_runs(void **state)
{
    static const struct {
        const char *what;
        struct run_facts facts;
        enum exit_code code;
    } runs[] = {
        {"all passed", {.counts = {RAN(2), PASSED(2)}}, EXIT_PASSED},
        {"some skipped", {.counts = {RAN(1), PASSED(1), SKIPPED(3)}}, EXIT_PASSED},
        {"one failed", {.counts = {RAN(2), PASSED(1), FAILED(1)}}, EXIT_FAILED},
        {"failed, others not run", {.counts = {RAN(1), FAILED(1), NOT_RUN(3)}}, EXIT_FAILED},
        {"not run after a failure in quarantine",
         {.counts = {RAN(1), .quarantined = 1, NOT_RUN(3)}},
         EXIT_FAILED},
        {"failed in quarantine", {.counts = {RAN(2), PASSED(1), .quarantined = 1}}, EXIT_PASSED},
        {"nothing could be started", {.counts = {FAILED(2)}}, EXIT_FAILED},
        {"nothing could be started, in quarantine", {.counts = {.quarantined = 2}}, EXIT_NOTHING},
        {"nothing there", {.counts = {RAN(0)}}, EXIT_NOTHING},
        {"all skipped", {.counts = {SKIPPED(2)}}, EXIT_NOTHING},
        {"all skipped by their status", {.counts = {RAN(2), SKIPPED(2)}}, EXIT_PASSED},
        {"--no-tests=fail", {.no_tests = "fail"}, EXIT_NOTHING},
        {"--no-tests=warn", {.no_tests = "warn"}, EXIT_PASSED},
        {"--no-tests=pass", {.no_tests = "pass"}, EXIT_PASSED},
        {"--no-tests=pass hides no failure", {.counts = {FAILED(1)}, .no_tests = "pass"}, EXIT_FAILED},
        {"flaky", {.counts = {RAN(1), PASSED(1), .verdicts[VERDICT_FLAKY] = 1}}, EXIT_PASSED},
        {"flaky fails", {.counts = {RAN(2), PASSED(2), .flaky_fails = 1}}, EXIT_FLAKY},
        {"flaky fails and one failed", {.counts = {RAN(2), FAILED(1), .flaky_fails = 1}}, EXIT_FAILED},
        {"interrupted", {.counts = {RAN(1), PASSED(1), NOT_RUN(1)}, .interrupted = true}, EXIT_INTERRUPTED},
        {"interrupted after a failure",
         {.counts = {RAN(1), FAILED(1)}, .interrupted = true},
         EXIT_INTERRUPTED},
        {"interrupted before anything", {.interrupted = true}, EXIT_INTERRUPTED},
        {"session deadline", {.counts = {RAN(1), PASSED(1)}, .timed_out = true}, EXIT_FAILED},
        {"session deadline before anything", {.counts = {NOT_RUN(2)}, .timed_out = true}, EXIT_FAILED},
        {"broken", {.counts = {RAN(1), PASSED(1)}, .broken = true}, EXIT_BROKEN},
        {"broken and interrupted", {.broken = true, .interrupted = true}, EXIT_BROKEN},
        {"broken and failed", {.counts = {RAN(1), FAILED(1)}, .broken = true}, EXIT_BROKEN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        if (verdict_of_run(&runs[i].facts) != runs[i].code)
            fail_msg("'%s' is %d", runs[i].what, verdict_of_run(&runs[i].facts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),        cmocka_unit_test(test_results),
        cmocka_unit_test(test_left_behind), cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_all_at_once), cmocka_unit_test(test_no_pass_after_our_signal),
        cmocka_unit_test(test_attempts),    cmocka_unit_test(test_retries),
        cmocka_unit_test(test_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
