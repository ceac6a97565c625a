#!/bin/sh
# Number 10: orphans, and SIGINT.
. "$(dirname "$0")/cells.sh"

test_control_what_was_handed_down_keeps_it_alive() {
    for how in ignored blocked; do
        run_command "$naive" "$how"
        status_is 0
        out_is <<'END'
it goes on
it died of SIGKILL
END
    done
    run_command "$naive" default
    out_is 'it died of SIGINT'
}

test_ours_orphans_end() { passes; }

run_tests
