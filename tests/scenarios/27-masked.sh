#!/bin/sh
# Number 27: a deadline hides what really failed.
. "$(dirname "$0")/lib.sh"

test_control_the_clock_is_all_that_is_told() {
    for how in first only; do
        run_command "$naive" "$how"
        status_is 0
        out_is timeout
    done
}

# The loop stands still from the start, and for longer than the deadline: when it looks, there are both.
test_ours_who_failed_before_the_deadline_has_failed() {
    in_backends 'exec spawn' '{name: a, timeout: 300ms, run: "exit 3"}'
    RUN_MATRIX_FAULTS=loop-park=1s@1x2 run -n 2
    status_is 1
    is "$(records '"verdict":"failed"')" 2
    is "$(records '"reason":"exit status 3"')" 2
}

test_ours_who_fails_upon_the_deadline_has_both() {
    suite "{name: a, timeout: 3s, stop: [INT 60s, KILL], run: 'trap \"echo the real failure; exit 3\" INT; while :; do sleep 0.02; done'}"
    run
    status_is 1
    out_has 'timed out after 3s'
    out_has 'when it was ended: exit status 3'
    out_has 'the real failure'
}

# What it had said before.
test_ours_what_was_said_before_it_hung() {
    module t.so <<'END'
#include <unistd.h>
TEST(hangs)
{
    EXPECT(1 == 2);
    for (;;)
        pause();
}
END
    suite '{name: c, timeout: 3s, stop: [KILL], module: t.so}' \
        "{name: tap, timeout: 3s, stop: [KILL], results: {tap: stdout}, run: 'echo 1..2; echo not ok 1 - the real failure; exec sleep 300'}"
    run
    status_is 1
    is "$(told c::hangs 'case["verdict"]')" timeout
    out_has 't.so.c:5:'
    out_has '1 == 2'
    out_has 'the real failure'
    is "$(grep -c 'timed out after 3s' "$scratch/out")" 4
}

run_tests
