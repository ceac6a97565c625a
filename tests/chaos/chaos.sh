#!/bin/sh
# The runner, its guard, or both are killed in the middle of a run whose cases leave everything one can leave: nothing
# of it is there afterwards, the record can be read, and the next run is as good as any.
# usage: chaos.sh [PROGRAM]     CHAOS_STEP=1 CHAOS_TIMES=100 CHAOS_SEED=1: every CHAOS_STEP-th place, so many random moments
PROGRAM=${1:-${PROGRAM:-build/run-matrix}}
. "$(dirname "$0")/../e2e/lib.sh"
own_world "$@"
. "$root/tests/chaos/world.sh"

step=${CHAOS_STEP:-1}
times=${CHAOS_TIMES:-20}
seed=${CHAOS_SEED:-$(date +%s)}
nothing='0 0 0 0 0 0'
patience=150 # tenths of a second
glance=5     # ... when nothing needs to happen

begin() { # CONTAINMENT
    contain=$1
    run exec "--contain=$contain" --run-dir probe -- true
    [ "$status" != 4 ] || skip "$(head -n 1 "$scratch/err")"
    status_is 0
    world=$scratch/w
    trap world_end EXIT
    world_new
    TMPDIR=$world/tmp
    export TMPDIR
    {
        echo 'strategy: {matrix: {n: [1, 2, 3]}}'
        echo 'defaults: {stop: [TERM tree 1s, KILL]}'
        echo 'tests:'
        echo "  - {name: messy, leak-grace: 50ms, run: [$world/culprit]}"
        echo '  - {name: good, run: ["true"]}'
    } >run-matrix.yaml
    as_good_as_any
    is "$(left)" "$nothing"
}

# One after another: of what the dead of several leave nobody knows whose it was.
as_good_as_any() {
    run "--contain=$contain" -n 1
    status_is 1
    last_line_is '3 passed, 3 failed'
}

# Where others may leave something at the same time, nobody can tell whose a file or a segment of the dead is.
left() {
    now_left=$(world_left .run-matrix)
    [ -n "${OWN_WORLD-}" ] || now_left=$(echo "$now_left" | awk '{ print $1, $2, 0, 0, 0, $6 }')
    echo "$now_left"
}

wait_until_nothing_is_left() { # TENTHS
    for _ in $(seq "$1"); do
        now=$(left)
        [ "$now" != "$nothing" ] || return 0
        sleep 0.1
    done
    return 1
}

# Whoever of guard, runner and keeper lives may still be at it.
nothing_is_left() { # WHEN
    wait_until_nothing_is_left "$patience" || {
        world_names
        ls .run-matrix/latest/
        tail -n 2 .run-matrix/latest/journal.ndjson
    } || :
    [ "$now" = "$nothing" ] || fail "left after $1 with $contain (processes, ports, sockets, segments, folders, groups): $now"
}

# What cannot be promised of process groups when both are dead is found by the next who looks: reap, or the next run.
let_somebody_look() { # NUMBER
    wait_until_nothing_is_left "$glance" || [ $(($1 % 2)) = 0 ] || "$program" reap >"$scratch/reaped" 2>&1 || :
}

# Whole lines of JSON, but for a last one that was cut.
journal_can_be_read() { # WHEN
    [ -e .run-matrix/latest/journal.ndjson ] || return 0
    python3 -c '
import json, sys
for line in open(sys.argv[1], "rb").read().split(b"\n")[:-1]:
    json.loads(line)' .run-matrix/latest/journal.ndjson || fail "the journal cannot be read after $1"
    ! grep -q '"ev":"cases"' .run-matrix/latest/journal.ndjson || {
        run report
        status_is 0
    }
}

# Who dies on a busy machine is a neighbour to the next run until he is dead, and what appears meanwhile may be his.
nobody_holds_the_run() { # WHEN
    [ -e .run-matrix/latest/lock ] || return 0
    flock -w $((patience / 10)) .run-matrix/latest/lock true || fail "somebody still holds the run after $1"
}

all_is_well() { # WHO NUMBER WHEN
    case $contain:$1 in
    group:both) let_somebody_look "$2" ;;
    *) nothing_is_left "$3" ;;
    esac
    nobody_holds_the_run "$3"
    journal_can_be_read "$3"
    as_good_as_any
    nothing_is_left "the run after $3"
    rm -rf .run-matrix
}

# ---- at places, by number ----

# Nobody was killed, since there are not so many places.
the_walk_is_over() {
    status_is 1
    last_line_is '3 passed, 3 failed'
    is "$(records '"ev":"finish"')" 1
    nothing_is_left "$ran"
    rm -rf .run-matrix
    [ "$place" -gt $((2 * step)) ] || fail "$ran is past the last place"
}

killed_at_places() { # CONTAINMENT
    begin "$1"
    for who in runner guard both; do
        place=1 number=1
        while :; do
            status=0 ran="kill-$who@$place"
            RUN_MATRIX_FAULTS=$ran "$program" "--contain=$contain" -n 2 >"$scratch/out" 2>"$scratch/err" || status=$?
            [ "$status" = 137 ] || break
            all_is_well "$who" "$number" "$ran"
            place=$((place + step)) number=$((number + 1))
        done
        the_walk_is_over
    done
}

test_killed_at_places_cgroup() { killed_at_places cgroup; }
test_killed_at_places_pidns() { killed_at_places pidns; }
test_killed_at_places_group() { killed_at_places group; }

# ---- at random moments ----

number_of() { # WHO
    python3 -c '
import json, sys
try:
    who = json.load(open(".run-matrix/latest/held.json"))[sys.argv[1]]
    print(who["pid"] if isinstance(who, dict) else who[0] if isinstance(who, list) else who)
except (OSError, ValueError, KeyError):
    pass' "$1"
}

# Seeded: the same numbers come again, whatever the machine makes of them.
random() { # NUMBER MOST
    awk -v seed="$seed" -v number="$1" -v most="$2" 'BEGIN { srand((seed % 100000) * 20000 + number); rand(); print int(rand() * most) }'
}

# It may have ended, and its number be somebody else's.
is_ours() { [ "$(readlink "/proc/$1/exe")" = "$(realpath "$program")" ]; }

# Before there is a runner on record, who is seen may be all there is.
kill_somebody() { # WHICH: its name in $who
    below=$(number_of runner)
    case $1 in
    0) victims=$below who=runner ;;
    1) victims=$runner who=$([ -n "$below" ] && echo guard || echo both) ;;
    *) victims="$below $runner" who=both ;;
    esac
    echo "# killed: $who"
    for victim in $victims; do
        is_ours "$victim" || return 0
    done
    # shellcheck disable=SC2086 # numbers; at once, since the guard is quick
    [ -z "${victims# }" ] || kill -KILL $victims 2>/dev/null || :
}

killed_at_random() { # CONTAINMENT
    begin "$1"
    for number in $(seq "$times"); do
        CULPRIT_MS=$(random "$number" 200)
        export CULPRIT_MS
        start "--contain=$contain" -n 2
        sleep "0.$(printf %03d "$(random "$((number + 5000))" 600)")"
        kill_somebody "$(random "$((number + 9000))" 3)"
        finish
        unset CULPRIT_MS
        all_is_well "$who" "$number" "moment $number of CHAOS_SEED=$seed"
    done
}

test_killed_at_random_cgroup() { killed_at_random cgroup; }
test_killed_at_random_pidns() { killed_at_random pidns; }
test_killed_at_random_group() { killed_at_random group; }

run_tests
