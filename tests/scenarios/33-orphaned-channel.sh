#!/bin/sh
# Number 33: a peer is gone without the end of its stream.
. "$(dirname "$0")/cells.sh"

test_control_who_reads_never_hears_of_it() {
    begin "$naive"
    peer=$(child_of "$child")
    comes_to "$peer" none
    stuck_in "$child" read
    stop_it
    out_lacks 'that was the end'
}

test_ours_it_is_given_up_with_its_process() { passes_in "$processes"; }

run_tests
