#!/bin/sh
# Number 50: a harness that was started with SIGINT ignored or blocked hands that on, and its first step is none.
. "$(dirname "$0")/lib.sh"
own_world

test_control_what_is_handed_on() {
    run_command env --default-signal=INT "$naive"
    out_is 'it died of Interrupt'
    for how in --ignore-signal=INT --block-signal=INT; do
        run_command env "$how" "$naive"
        out_is 'it was there still, and exited with 7'
    done
    "$naive" >"$scratch/out" & # a shell without job control ignores it there
    wait "$!"
    out_is 'it was there still, and exited with 7'
}

# Each step but the first takes longer than anybody waits.
ends_by_int() { # COMMAND...
    rm -rf .run-matrix
    began=$(milliseconds)
    run_command "$@"
    took_at_most 60
    status_is 1
    last_line_is '0 passed, 5 failed'
    is "$("$program" report --format json | python3 -c '
import json, sys
print({(case["verdict"], *(rung["signal"] for rung in case["attempts"][-1]["ladder"])) for case in json.load(sys.stdin)["cases"]})')" \
        "{('timeout', 'SIGINT')}"
    nobody_is_left
}

the_suite() {
    module waits.so <<'END'
#include <unistd.h>
TEST(waits, .timeout = "300ms")
{
    for (;;)
        pause();
}
END
    in_backends 'exec spawn forkserver main_thread_forkserver' '{name: m, module: waits.so, stop: [INT 5m, KILL]}' \
        "{name: a, timeout: 300ms, stop: [INT 5m, KILL], run: [$kid, hang, $token], only: \"matrix.backend == 'exec'\"}"
}

test_ours_whatever_was_inherited() {
    the_suite
    for how in --ignore-signal=INT --block-signal=INT '--ignore-signal=INT,TERM,HUP,QUIT'; do
        ends_by_int env "$how" "$program"
    done
}

test_ours_in_the_background() {
    the_suite
    # shellcheck disable=SC2016 # for that shell
    ends_by_int sh -c '"$0" & wait $!' "$program"
    ends_by_int nohup "$program"
}

run_tests
