# shellcheck shell=sh
# A small library for end-to-end tests; they source it, define functions and end with run_tests:
#
#     . "$(dirname "$0")/lib.sh"
#     test_names_the_nearest_command() {
#         run lst
#         status_is 4
#         err_has 'did you mean "list"?'
#     }
#     run_tests
#
# Every function named test_* is one test, run in the order of the file, in a subshell and an empty folder of its own,
# so nothing that one does is seen by the next. The first expectation that is not met, or command that fails, ends the
# test and says why. ONLY=WORD runs the tests that have it in their names.

LC_ALL=C
export LC_ALL
unset CI GITHUB_ACTIONS NO_COLOR FORCE_COLOR CLICOLOR
root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
program=${PROGRAM:-build/run-matrix}
case $program in
/*) ;;
*) program=$root/$program ;;
esac

. "$root/tests/own_world.sh"

# Runs of a test are kept in its own folder, and what surrounds us has no say.
unset RUN_MATRIX RUN_MATRIX_DIR RUN_MATRIX_FAULTS RUN_MATRIX_CELL CLICOLOR_FORCE GITHUB_STEP_SUMMARY GITHUB_OUTPUT
unset GITHUB_JOB GITHUB_WORKFLOW_REF GITHUB_WORKSPACE GITHUB_RUN_ATTEMPT
# shellcheck disable=SC2034 # for those who source this
kid=$root/build/tests/kids/kid
# shellcheck disable=SC2034
tiny=$root/build/tests/kids/tiny

fail() { # WORDS...
    printf '# %s\n' "$*"
    exit 1
}

skip() { # REASON...
    printf '%s\n' "$*" >"$scratch/skipped"
    exit 77
}

# Runs the program; what it did stands in $status and in the files out and err of $scratch.
run() { # ARG...
    run_command "$program" "$@"
}

run_command() { # CMD ARG...
    ran=$*
    status=0
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
}

common= # what all suites of a script begin with

suite() { # LINE OF TESTS...
    {
        [ -z "$common" ] || printf '%s\n' "$common"
        echo 'tests:'
        printf '  - %s\n' "$@"
    } >run-matrix.yaml
}

# The same in a cell for each backend.
in_backends() { # BACKENDS LINE OF TESTS...
    cells="strategy: {matrix: {backend: [$(echo "$1" | tr ' ' ,)]}}"
    shift
    suite "$@"
    echo "$cells" >>run-matrix.yaml
}

# A host that is built with a sanitizer must not catch what a test is to die of.
signals_kill() {
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:handle_sigbus=0:handle_sigfpe=0:use_sigaltstack=0
    export ASAN_OPTIONS
}

# Starts the program in the background, with the dispositions a shell in the foreground gives: $runner.
start() { # ARG...
    ran="$program $*"
    : >"$scratch/out" # whoever awaits a line of it is not to find one of before
    env --default-signal=INT,QUIT "$program" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$!
}

# The same in a group of its own, as an interactive shell does it: so somebody is there who could continue it.
start_job() { # ARG...
    ran="$program $*"
    : >"$scratch/out"
    env --default-signal=INT,QUIT python3 -c 'import os, sys
os.setpgid(0, 0)
os.execv(sys.argv[1], sys.argv[1:])' "$program" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    runner=$!
}

finish() {
    status=0
    wait "$runner" || status=$?
}

show() { # FILE
    printf '# ---- %s of: %s\n' "$1" "$ran"
    sed 's/^/# /' "$scratch/$1" | head -n 40
}

status_is() { # NUMBER
    [ "$status" = "$1" ] || {
        show out
        show err
        fail "exit status is $status, not $1"
    }
}

has() { # FILE TEXT
    grep -qF -e "$2" "$scratch/$1" || {
        show "$1"
        fail "$1 has not: $2"
    }
}

lacks() { # FILE TEXT
    ! grep -qF -e "$2" "$scratch/$1" || {
        show "$1"
        fail "$1 has: $2"
    }
}

out_has() { has out "$1"; }
err_has() { has err "$1"; }
out_lacks() { lacks out "$1"; }
err_lacks() { lacks err "$1"; }

out_is() { # all of it, without the last newline; with no argument: what stands on stdin
    if [ $# -gt 0 ]; then
        printf '%s\n' "$1"
    else
        cat
    fi >"$scratch/wanted"
    diff -u "$scratch/wanted" "$scratch/out" >"$scratch/diff" || {
        sed 's/^/# /' "$scratch/diff" | head -n 60
        fail 'stdout differs'
    }
}

out_is_empty() { [ ! -s "$scratch/out" ] || { show out && fail 'stdout is not empty'; }; }
err_is_empty() { [ ! -s "$scratch/err" ] || { show err && fail 'stderr is not empty'; }; }

# Records of the journal of the latest run that hold a text.
records() { # TEXT
    grep -cF -e "$1" .run-matrix/latest/journal.ndjson || :
}

# Of the latest run, by Python.
told() { # ID EXPRESSION OF case, last
    "$program" report --format json | python3 -c '
import json, sys
for case in json.load(sys.stdin)["cases"]:
    if case["id"] == sys.argv[1]:
        last = case["attempts"][-1]
        print(eval(sys.argv[2]))' "$1" "$2"
}

last_line_is() { is "$(tail -n 1 "$scratch/out")" "$1"; }

is() { # GOT WANTED
    [ "$1" = "$2" ] || fail "got: $1, wanted: $2"
}

# Waits until a file has a line with a text; a minute at most, since a test must not hang.
await() { # FILE TEXT
    for _ in $(seq 300); do
        ! grep -qF -e "$2" "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    show out
    fail "no '$2' in $1"
}

# The same for a file that somebody makes to say how far he is.
await_file() { # FILE
    for _ in $(seq 300); do
        [ ! -e "$1" ] || return 0
        sleep 0.1
    done
    show out
    fail "no file $1"
}

milliseconds() { date +%s%3N; }

# ---- who is alive ----

# Processes whose command lines have the word of this test, but for the decoy: the test of that name.
survivors() {
    pgrep -f -- "$token" | grep -vx "${decoy:-none}" || :
}

# What was sent KILL may be seen for a moment.
nobody_is_left() {
    for _ in $(seq 50); do
        [ -n "$(survivors)" ] || return 0
        sleep 0.1
    done
    fail "still there: $(survivors | xargs -n 1 ps -o pid=,stat=,args= -p)"
}

# A test that went wrong leaves nothing. A hopper may take some attempts.
end_survivors() {
    for _ in $(seq 20); do
        [ -n "$(decoy='' survivors)" ] || return 0
        "$kid" end "$token"
    done
}

# ---- servers ----

# Other runs on this machine have servers too: ours are children of our runner, and stand in our folder.
signal_server() { # SIGNAL BACKEND: words for a case
    echo "pkill -$1 -P \$PPID -f '^run-matrix: $2'"
}

no_server_is_left() {
    for pid in $(pgrep -f '^run-matrix: '); do
        [ "$(readlink "/proc/$pid/cwd")" != "$PWD" ] || fail "a server is left: $(ps -o pid=,stat=,args= -p "$pid")"
    done
}

# ---- control groups ----

# A group of this test below our own, for as long as the test takes: $place.
make_group() {
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
    [ -n "$mount" ] || skip 'no cgroup2 is mounted'
    place=$mount$(sed -n '/^0::/{s/^0:://;s,/$,,;p}' /proc/self/cgroup)/test-$token
    mkdir "$place" 2>/dev/null || skip "no group can be made below '${place%/*}'"
    trap 'end_group' EXIT
}

end_group() {
    for _ in $(seq 50); do
        find "$place" -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
        ! rmdir "$place" 2>/dev/null || return 0
        sleep 0.1
    done
    echo "# '$place' is not empty"
}

# ---- files ----

write() { # FILE, content on stdin; its folder is made
    mkdir -p "$(dirname "$1")" && cat >"$1"
}

run_one() { # TEST
    mkdir "$scratch/here"
    token=$(basename "$scratch").$count
    (
        set -e
        cd "$scratch/here"
        "$1"
    ) >"$scratch/log" 2>&1
    result=$?
    name=$(printf '%s' "${1#test_}" | tr _ ' ')
    case $result in
    0) echo "ok $count - $name" ;;
    77) echo "ok $count - $name # SKIP $(cat "$scratch/skipped")" ;;
    *)
        echo "not ok $count - $name"
        sed 's/^\(# \)*/# /' "$scratch/log"
        ;;
    esac
    end_survivors
    chmod -R u+rwx "$scratch/here" && rm -rf "$scratch/here"
}

run_tests() {
    scratch=$(mktemp -d) || exit 1
    trap 'rm -rf "$scratch"' EXIT
    trap 'exit 130' HUP INT TERM
    # Every second or third of them, as EVERY says.
    tests=$(sed -n 's/^\(test_[A-Za-z0-9_]*\)().*/\1/p' "$0" | grep -e "${ONLY-}" | awk -v every="${EVERY:-1}" 'NR % every == 1 % every')
    count=0 failed=0
    for test in $tests; do
        count=$((count + 1))
        run_one "$test"
        [ "$result" = 0 ] || [ "$result" = 77 ] || failed=$((failed + 1))
    done
    echo "1..$count"
    [ "$failed" = 0 ]
    exit
}
