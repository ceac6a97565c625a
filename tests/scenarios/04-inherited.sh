#!/bin/sh
# Number 4: children that have copies of listeners and connections.
. "$(dirname "$0")/cells.sh"

test_control_copies_outlive_their_owner() {
    run_command "$naive"
    status_is 0
    out_is <<'END'
its port when it is dead: EADDRINUSE
its connection when it is dead: open
its port when its child is dead: free
its connection when its child is dead: ended
END
}

test_ours_nobody_has_what_an_actor_opens() { passes; }

run_tests
