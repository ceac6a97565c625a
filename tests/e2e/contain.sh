#!/bin/sh
# Every way that tests/kids/kid knows of getting away, under every containment: nobody is left after the run, or, where
# that cannot be promised, who is left is named. Who is root tries it as an ordinary user too. TRIES=500 tries for long,
# and goes on where it was interrupted.
. "$(dirname "$0")/lib.sh"
own_world

tries=${TRIES:-5}
hops=$((tries > 5 ? tries : 2)) # of those that take a processor each
round=10 # tries in a run: kids, and so a decoy, live for two minutes
nobody=65534

# Names of tests and what their kids are told. These leave somebody behind and exit; KEY is that of a System V object.
leavers='
grandchild grandchild-holds
setsid setsid
group own-group
double double-fork
daemon daemon
stubborn stubborn-daemon
deaf deaf-daemon
stopped stopped-daemon
ignored sigchld-ignored
traced traced
clean clean-daemon TOKEN
vfork vfork-child
thread thread-fork
sibling sibling
listener listener
socket socket PWD/sockets/N
shm shm /TOKEN.N
sysv sysv KEY
memfd memfd
'
# Their numbers change all the time. Less so where they cannot be held: the machine has only so many.
hoppers='
hopper hopper REST
sessions hopper-setsid REST
storm storm MANY
'
# These stay until they are ended.
stayers='
ints stubborn
mute deaf
escaped group-escape
still stay stopped-daemon
many forkstorm 20
'

# ---- the suite ----

key_of() { printf '%s' "$token" | cksum | awk '{ print $1 % 1000000 + 1000000 }'; }

tests_of() { # SETTINGS, with a list as above on stdin
    awk -v kid="$kid" -v settings="$1" -v here="$PWD" -v token="$token" -v key="$(key_of)" -v rest="$rest" -v many="$many" '
        BEGIN { number = "${{ matrix.n }}" }
        NF {
            printf "  - {name: %s, %s, run: [\"%s\"", $1, settings, kid
            for (i = 2; i <= NF; i++) {
                sub(/^PWD/, here, $i)
                sub(/TOKEN/, token, $i)
                sub(/^KEY$/, key number, $i)
                sub(/^REST$/, rest, $i)
                sub(/^MANY$/, many, $i)
                sub(/N$/, number, $i)
                printf ", \"%s\"", $i
            }
            printf ", \"%s\"]}\n", token
        }'
}

all_kids() { # CONTAINMENT
    case $1 in
    group) rest=1 many=20 ;;
    *) rest=0 many=200 ;;
    esac
    mkdir -p sockets
    [ -e alive ] || mkfifo alive
    {
        echo "strategy: {matrix: {n: [$(seq -s, "$first" "$last")]}}"
        echo "defaults: {leak-grace: 50ms, env: {KID_ALIVE: $PWD/alive}}"
        echo 'tests:'
        echo "$leavers" | tests_of 'timeout: 60s, stop: [TERM tree 50ms, KILL]'
        # Two at a time: a thousand of them leave nothing of the machine to those who look.
        echo "$hoppers" | tests_of "weight: 4, timeout: 60s, stop: [TERM tree 50ms, KILL], only: 'matrix.n <= $hops'"
        echo "$stayers" | tests_of 'timeout: 300ms, stop: [INT 50ms, TERM tree 50ms, KILL]'
        echo 'hopping stay hopper-setsid REST' | tests_of "timeout: 300ms, stop: [INT 50ms, TERM tree 50ms, KILL], only: 'matrix.n <= $hops'"
    } >run-matrix.yaml
    [ "$(id -u)" != 0 ] || chown -R --reference=. .
}

# ---- as whom ----

# Where `as` may write, and what it needs for control groups: $place.
place_for() { # USER CONTAINMENT
    place=
    [ "$1" = user ] || return 0
    [ "$(id -u)" = 0 ] || return 0
    chmod 711 "$scratch"
    chown "$nobody" .
    setpriv --reuid="$nobody" --regid="$nobody" --clear-groups test -x "$program" || skip "'$program' is out of reach for others"
    [ "$2" != cgroup ] || delegate
}

# A group that belongs to an ordinary user, as systemd makes them.
delegate() {
    make_group
    chown "$nobody" "$place" "$place/cgroup.procs" "$place/cgroup.subtree_control" "$place/cgroup.threads"
}

# As root or as an ordinary user, the one that we are not by becoming it.
as() { # USER COMMAND...
    user=$1
    shift
    case $user:$(id -u) in
    root:0) "$@" ;;
    root:*) skip 'not root' ;;
    user:0)
        # shellcheck disable=SC2016 # for that shell
        sh -c '[ -z "$0" ] || echo 0 >"$0/cgroup.procs" && exec "$@"' "$place" \
            setpriv --reuid="$nobody" --regid="$nobody" --clear-groups "$@"
        ;;
    *) "$@" ;;
    esac
}

needs() { # USER CONTAINMENT
    [ "$1" != root ] || [ "$(id -u)" = 0 ] || skip 'not root'
    place_for "$1" "$2"
    status=0 ran="a run with $2"
    as "$1" "$program" exec "--contain=$2" --run-dir probe -- true >"$scratch/out" 2>"$scratch/err" || status=$?
    [ "$status" != 4 ] || skip "$(head -n 1 "$scratch/err")"
    status_is 0
}

# ---- what came of it ----

# id, verdict, and the numbers of the processes it is said to have left. A run that did not come to its end has cases
# that were never tried, whatever its status was: then all that is known of it is shown.
cases() {
    "$program" report --format json >"$scratch/report"
    python3 -c '
import json, sys
report = json.load(sys.stdin)
if not report["run"]["finished"]:
    sys.exit("the run did not come to its end")
for case in report["cases"]:
    if not case["attempts"]:
        sys.exit("%s has no attempt: %s" % (case["id"], case["reason"]))
    last = case["attempts"][-1]
    print(case["id"], case["verdict"], *[leak["pid"] for leak in last["leaks"] if leak["pid"]])
' <"$scratch/report" >"$scratch/cases" 2>"$scratch/trouble" || {
        show out
        show err
        tail -n 20 .run-matrix/latest/journal.ndjson | cut -c 1-300 | sed 's/^/# /'
        fail "exit status $status, and $(cat "$scratch/trouble")"
    }
}

verdicts_are() { # VERDICT, with a list as above on stdin
    awk 'NF { print $1 }' | while read -r name; do
        grep "^$name@" "$scratch/cases" | while read -r id verdict pids; do
            [ "$verdict" = "$1" ] || echo "$id is '$verdict', not '$1' ($pids)"
        done
    done >"$scratch/others"
    [ ! -s "$scratch/others" ] || fail "$(cat "$scratch/others")"
}

# The same program with the same arguments, started by us and nobody's child; and others whose numbers change.
start_decoy() {
    over=$PWD/over
    rm -f "$over"
    "$kid" canary "$over" >"$scratch/canary" &
    canary=$!
    "$kid" daemon "$token" >"$scratch/decoy"
    read -r decoy <"$scratch/decoy"
    born=$(awk '{ print $22 }' "/proc/$decoy/stat")
}

decoy_lives() {
    touch "$over"
    wait "$canary" || fail "a stranger was $(tail -n 1 "$scratch/canary")"
    is "$(awk '{ print $22 }' "/proc/$decoy/stat")" "$born"
    is "$(ps -o stat= -p "$decoy" | cut -c 1)" S
}

nothing_is_held() {
    ! "$kid" held alive || fail 'somebody is alive, by his FIFO'
    is "$(find sockets -type s)" ''
    is "$(find /dev/shm -name "$token*")" ''
    is "$(awk -v key="$(key_of)" 'index($1, key) == 1' /proc/sysvipc/shm)" ''
}

run_all_kids() { # USER CONTAINMENT
    all_kids "$2"
    start_decoy
    status=0 ran="all kids as $1 with $2, tries $first to $last"
    as "$1" "$program" "--contain=$2" -n 8 >"$scratch/out" 2>"$scratch/err" || status=$?
    status_is 1
}

all_are_gone() { # USER CONTAINMENT
    run_all_kids "$@"
    nobody_is_left
    decoy_lives
    cases
    echo "$leavers" | verdicts_are leaked
    echo "$hoppers" | verdicts_are leaked
    echo "$stayers hopping" | verdicts_are timeout
    nothing_is_held
}

# Who got away has his number in the record; who hops cannot have one.
the_left_are_named() { # USER CONTAINMENT
    run_all_kids "$@"
    decoy_lives
    for pid in $(survivors); do
        line=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || continue
        case $line in *hopper* | *storm*) continue ;; esac
        grep -q "\"pid\":$pid\b\|(pid $pid)" .run-matrix/latest/journal.ndjson || fail "$pid is left and not named: $line"
    done
}

# How far it has come is on record when it is to take long, and holds for the same program.
in_rounds() { # USER CONTAINMENT WHAT
    needs "$1" "$2"
    progress=$scratch/progress first=1
    if [ "$tries" -gt "$round" ] && mkdir -p "$root/build/soak" && [ -w "$root/build/soak" ]; then
        progress=$root/build/soak/contain-$(id -u)-$1-$2
        [ -z "$(find "$progress" -newer "$program" 2>/dev/null)" ] || first=$(cat "$progress")
    fi
    while [ "$first" -le "$tries" ]; do
        last=$((first + round - 1))
        [ "$last" -le "$tries" ] || last=$tries
        "$3" "$1" "$2"
        end_survivors
        first=$((last + 1))
        echo "$first" >"$progress"
    done
    rm -f "$progress"
}

test_root_cgroup() { in_rounds root cgroup all_are_gone; }
test_root_pidns() { in_rounds root pidns all_are_gone; }
test_root_group() { in_rounds root group the_left_are_named; }
test_user_cgroup() { in_rounds user cgroup all_are_gone; }
test_user_pidns() { in_rounds user pidns all_are_gone; }
test_user_group() { in_rounds user group the_left_are_named; }

# ---- two runs ----

# One has processes that stay; the other ends all it knows, and then the first ends what is its own.
side_by_side() { # CONTAINMENT
    needs "$([ "$(id -u)" = 0 ] && echo root || echo user)" "$1"
    mkdir one two
    start_decoy
    (cd one && suite "{name: a, stop: [KILL], run: [$kid, stay, daemon, $token]}" "{name: b, stop: [KILL], run: [$kid, stay, setsid, $token]}")
    (cd two && suite "{name: c, leak-grace: 50ms, run: [$kid, daemon, $token]}" "{name: d, leak-grace: 50ms, run: [$kid, setsid, $token]}")
    cd one
    start "--contain=$1" -n 2 --keep=all -s
    await "$scratch/out" ready
    for _ in $(seq 100); do
        [ "$(grep -c ready "$scratch/out")" -lt 2 ] || break
        sleep 0.1
    done
    is "$(survivors | wc -l)" 4
    (cd ../two && "$program" "--contain=$1" >"$scratch/second" 2>&1) && fail 'nothing leaked from the second'
    is "$(tail -n 1 "$scratch/second")" '0 passed, 2 failed'
    is "$(survivors | wc -l)" 4
    kill -TERM "$runner"
    finish
    status_is 2
    nobody_is_left
    decoy_lives
}

test_two_runs_side_by_side_cgroup() { side_by_side cgroup; }
test_two_runs_side_by_side_pidns() { side_by_side pidns; }
test_two_runs_side_by_side_group() { side_by_side group; }

# ---- what cannot be had ----

hidden='mount -t tmpfs none /sys/fs/cgroup'

runs_are() { # FOLDER, NAMES
    is "$(ls "$1/runs")" "$2"
    is "$(readlink "$1/latest" || :)" "${2:+runs/$2}"
}

test_a_run_that_cannot_be_contained_leaves_nothing() {
    unshare -Urm sh -c "$hidden" 2>/dev/null || skip 'the control groups cannot be hidden'
    run exec --run-dir before -- true
    status_is 0
    before=$(ls before/runs)
    for store in before new; do
        run_command unshare -Urm sh -c "$hidden"' && exec "$@"' sh "$program" exec --contain=cgroup --run-dir "$store" -- true
        status_is 4
        err_has 'cases cannot be contained'
    done
    runs_are before "$before"
    runs_are new ''
}

run_tests
