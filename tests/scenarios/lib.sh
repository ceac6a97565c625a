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

# What a case of the latest run has printed, as `show` has it.
printed() { # ID
    "$program" show "$1" | sed -n 's/^ *| //p'
}

# Starts a program in the background, with a token by which it is ended when the test goes wrong: $child.
begin() { # PROGRAM ARG...
    ran=$*
    : >"$scratch/out" # whoever awaits a line of it is not to find one of before
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

# ---- numbers of processes ----

# Begins the script anew in a PID namespace, where nobody else takes numbers, or goes on as it is where none can be had.
own_numbers() { # ARG... of the script
    [ -z "${OWN_NUMBERS-}" ] || return 0
    namespaces='unshare --pid --fork --mount-proc --kill-child'
    [ "$(id -u)" = 0 ] || namespaces="$namespaces --user --map-root-user"
    $namespaces true 2>/dev/null || return 0
    # shellcheck disable=SC2016 # for that shell, which is the first process and reaps
    OWN_NUMBERS=1 exec $namespaces sh -c '"$@"; exit $?' sh "$0" "$@"
}

needs_own_numbers() {
    [ -n "${OWN_NUMBERS-}" ] || skip 'no PID namespace to be had'
}

# Has somebody run with the number of one who is dead, or about to be reaped.
take_number() { # PID COMMAND...
    status=0
    "$root/build/tests/scenarios/take-pid" "$@" >"$scratch/taken" 2>&1 </dev/null || status=$?
    [ "$status" != 77 ] || skip "no number can be chosen: $(cat "$scratch/taken")"
    status_is 0
}

# Number and start of a process: another one of that number has another start.
who_has() { # PID
    sed 's/(.*) //' "/proc/$1/stat" 2>/dev/null | awk '{ print $1, $21 }'
}

# ---- runs ----

# False: not here.
can_contain() { # CONTAINMENT; a group of processes is to be had everywhere
    [ "$1" != group ] || return 0
    "$program" exec "--contain=$1" --run-dir "$scratch/probe" -- true >"$scratch/probed" 2>&1
}

member() { # runner|guard|keeper
    sed 's/.*"'"$1"'":{"pid":\([0-9]*\).*/\1/' .run-matrix/latest/held.json
}

# All who look after a run die at once: none is to see that another is dead.
kill_the_crew() {
    crew="$(member guard) $(member runner) $(member keeper)"
    # shellcheck disable=SC2086 # three words
    kill -STOP $crew
    # shellcheck disable=SC2086
    kill -KILL $crew
    finish
    for pid in $crew; do
        has_let_go "$pid"
    done
}

# What it had is closed when its last thread has ended, which may be after its first.
has_let_go() { # PID
    comes_to "$1" none
    for _ in $(seq 300); do
        [ "$(find "/proc/$1/task" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" -gt 1 ] || return 0
        sleep 0.1
    done
    fail "a thread of $1 is there"
}

verdict_is() { # ID VERDICT
    is "$1: $(told "$1" 'case["verdict"]')" "$1: $2"
}

# What a hang would make longer, and a busy machine does not; in seconds, of what began at $began.
took_at_most() { # SECONDS
    # shellcheck disable=SC2154 # of the test
    took=$(($(milliseconds) - began))
    [ "$took" -le "$(($1 * 1000))" ] || fail "it took $took ms"
}
