# shellcheck shell=sh
# What the scenarios have beyond the library of the end-to-end tests, which they source by this one:
#
#     . "$(dirname "$0")/lib.sh"
#     test_control_...() { ... }     # somebody who does it the naive way: the failure is there
#     test_ours_...() { ... }        # the same with us: it is not
#     run_tests
#
# tests/scenarios/NN-name.sh is number NN of docs/scenarios.md. Where its control is a program, that is
# tests/scenarios/naive/NN-name.c, a file that stands by itself: $naive. What waits is known by what it waits in; nobody
# sleeps and hopes.
. "$(dirname "$0")/../e2e/lib.sh"

# shellcheck disable=SC2034 # for those who source this
naive=$root/build/tests/scenarios/$(basename "$0" .sh)

# What becomes of a test module (*.so) with the text on stdin.
module() { # FILE
    { echo '#include <run_matrix.h>' && cat; } >"$1.c"
    gcc -Wall -Wextra -Werror "-I$root/fixtures" -shared -fPIC -o "$1" "$1.c" "$root/build/librunmatrix.a"
}

# Starts a program in the background, with a token by which it is ended when the test goes wrong: $child.
begin() { # PROGRAM ARG...
    ran=$*
    env --default-signal=INT,QUIT "$@" "$token" >"$scratch/out" 2>"$scratch/err" </dev/null &
    child=$!
}

# How it ended, as a shell says it: $status. 137 when a test that had enough of it has killed it.
ended() {
    status=0
    wait "$child" || status=$?
}

stop_it() {
    kill -KILL "$child"
    ended
    status_is 137
}

# ---- who waits for what ----

state_of() { # PID; "none" when it is dead
    sed 's/.*) \(.\).*/\1/; s/[ZX]/none/' "/proc/$1/stat" 2>/dev/null || echo none
}

comes_to() { # PID STATE
    for _ in $(seq 300); do
        [ "$(state_of "$1")" != "$2" ] || return 0
        sleep 0.1
    done
    fail "$1 is $(state_of "$1"), not $2"
}

number_of() { # SYSTEM CALL
    echo "SYS_$1" | gcc -include sys/syscall.h -E -P - | tail -n 1
}

# How often it has been given a processor, as long as it sleeps in the call.
sleeps_in() { # PID NUMBER
    [ "$(state_of "$1")" = S ] && grep -q "^$2 " "/proc/$1/syscall" 2>/dev/null &&
        sed -n 's/^\(non\)\{0,1\}voluntary_ctxt_switches:.//p' "/proc/$1/status" | tr '\n' ' '
}

# Until a process stays in a system call: seen in it twice, and not awake between.
stuck_in() { # PID SYSTEM CALL
    number=$(number_of "$2") before=
    for _ in $(seq 600); do
        now=$(sleeps_in "$1" "$number") || now=
        [ -z "$now" ] || [ "$now" != "$before" ] || return 0
        before=$now
        sleep 0.05
    done
    fail "$1 is not stuck in $2: $(cat "/proc/$1/syscall" "/proc/$1/wchan" 2>&1)"
}

# The first child of a process, waited for.
child_of() { # PID
    for _ in $(seq 300); do
        found=$(tr ' ' '\n' <"/proc/$1/task/$1/children" | head -n 1)
        [ -z "$found" ] || break
        sleep 0.1
    done
    [ -n "$found" ] || fail "$1 has no child"
    echo "$found"
}
