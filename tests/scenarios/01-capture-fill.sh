#!/bin/sh
# Number 1: a pipe that nobody reads is full, and who writes to it never ends.
. "$(dirname "$0")/lib.sh"

test_control_a_pipe_that_is_read_afterwards() {
    run_command "$naive" 4096
    status_is 0
    out_has 'status 0, 4096 bytes'
    begin "$naive" 4097
    stuck_in "$(child_of "$child")" write
    stuck_in "$child" wait4
    stop_it
    out_is_empty
}

# Our own pipes, with the reading left out. The dump says who writes where, that it is full, and who should read it: we.
test_control_pipes_of_ours_that_are_not_read() {
    suite "{name: a, timeout: 2s, stop: [KILL], run: [$kid, flood, '4194304']}"
    RUN_MATRIX_FAULTS=relay-park run --capture pipe
    status_is 1
    out_has 'timed out after 2s'
    out_has 'in flood of kid: writes to fd 1, a pipe, which is full'
    out_has 'run-matrix can read it'
}

test_ours_four_megabytes_each_way() {
    echo 'strategy: {matrix: {capture: [fd, merged, pipe, pty]}}' >axis
    suite "{name: a, run: [$kid, flood, '4194304']}" "{name: b, run: 'echo x; $kid flood 4194304 stderr'}"
    cat axis >>run-matrix.yaml
    run --keep=all -n 2
    status_is 0
    last_line_is '8 passed, 0 failed'
    for mode in fd merged pipe pty; do
        is "$mode $(told "a@capture=$mode" 'sum(output["size"] for output in last["outputs"])')" "$mode 4194304"
        is "$mode $(told "b@capture=$mode" 'sum(output["size"] for output in last["outputs"])')" "$mode 4194306"
    done
}

run_tests
