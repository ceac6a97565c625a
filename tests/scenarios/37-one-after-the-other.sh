#!/bin/sh
# Number 37: two pipes of a daemon are read one after the other, and it writes to them in another order.
. "$(dirname "$0")/lib.sh"

mib=1048576

test_control_standard_error_first() {
    run_command "$naive" run 1024
    out_is '1024 and 1024'
    begin "$naive" run "$mib"
    stuck_in "$(child_of "$child")" write
    stuck_in "$child" read
    stop_it
    out_is_empty
}

# While it is up, and when it is stopped.
test_ours_a_daemon_of_the_run() {
    suite '{name: t, run: ["true"], fixtures: [d]}' '{name: fails, run: "exit 1", fixtures: [d]}'
    cat >>run-matrix.yaml <<END
fixtures:
  d: {scope: session, daemon: 'trap "$naive talk $mib; exit 0" TERM; $naive talk $mib; echo up; while :; do sleep 0.02; done', ready: {line: ^up\$}}
END
    run
    status_is 1
    last_line_is '1 passed, 1 failed'
    is "$(wc -c <.run-matrix/latest/fixtures/d/stdout)" "$((2 * mib + 3))"
    [ "$(wc -c <.run-matrix/latest/fixtures/d/stderr)" -ge "$((2 * mib))" ] || fail 'its last words are cut'
}

test_ours_a_daemon_and_a_program_of_a_test() {
    module t.so <<END
#include <string.h>
TEST(daemon)
{
    struct mx_daemon *daemon = mx_daemon(&(struct mx_daemon_command){.argv = MX_ARGV("$naive", "talk", "$mib", "stay", "$token")});
    WAIT_UNTIL(mx_said(daemon).err_len == $mib, "60s");
    ASSERT(mx_said(daemon).out_len == $mib);
    ASSERT(mx_stop(daemon).signal == 15);
}
TEST(program)
{
    struct mx_ran ran = MX_RUN("$naive", "talk", "$mib");
    ASSERT(ran.status == 0 && ran.out_len == $mib && ran.err_len == $mib);
}
END
    suite '{name: t, module: t.so}'
    run
    status_is 0
    last_line_is '2 passed, 0 failed'
}

test_ours_a_case() {
    echo 'strategy: {matrix: {capture: [fd, pipe, pty]}}' >axis
    suite "{name: t, run: [$naive, talk, '$mib']}"
    cat axis >>run-matrix.yaml
    run
    status_is 0
    for mode in fd pipe pty; do
        is "$mode $(told "t@capture=$mode" 'sum(output["size"] for output in last["outputs"])')" "$mode $((2 * mib))"
    done
}

run_tests
