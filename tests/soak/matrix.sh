#!/bin/sh
# The matrix of examples/actors, ROUNDS times in a row, beside programs that take each processor twice: every case comes to
# what tests/soak/matrix.verdicts says, and after each round nothing is left. Goes on where it was interrupted, as long as
# the program is the same. SLICE=1/8 takes that part of the cases, and with more rounds the next ones; SELECT='--cell
# backend=exec' takes some.
. "$(dirname "$0")/../scenarios/lib.sh"
own_world
own_numbers

rounds=${ROUNDS:-1} slice=${SLICE:-1/1}

# ---- load ----

load=

busy() {
    while :; do :; done
}

start_load() {
    trap 'end_load' EXIT
    if command -v stress-ng >"$scratch/which"; then
        stress-ng --cpu 4 --quiet &
        load=$!
        for _ in $(seq 300); do
            [ "$(pgrep -c -P "$load")" -lt 4 ] || break
            sleep 0.1
        done
    else
        for _ in 1 2 3 4; do
            busy &
            load="$load $!"
        done
    fi
}

end_load() {
    # shellcheck disable=SC2086 # words
    kill -TERM $load 2>/dev/null
    wait
}

# ---- what is left ----

# All that there is in this world, each in a line: processes, files, objects of System V. No process is made for it.
all_there_is() {
    for entry in /proc/[0-9]*; do
        printf '%s\n' "$entry"
    done
}

files_there_are() {
    find /tmp /dev/shm ${XDG_RUNTIME_DIR:+"$XDG_RUNTIME_DIR"} -path "$scratch" -prune -o -print 2>/dev/null
    find "$PWD" -type s
    sed 1d /proc/sysvipc/shm /proc/sysvipc/sem /proc/sysvipc/msg
}

look() { # NAME
    files_there_are | sort >"$scratch/$1.files"
    all_there_is >"$scratch/$1.processes"
}

describe() { # lines on stdin
    while read -r line; do
        case $line in
        /proc/*) ps -o pid=,ppid=,stat=,args= -p "${line#/proc/}" || echo "$line, gone by now" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done
}

what_is_new() {
    comm -13 "$scratch/before.processes" "$scratch/after.processes"
    comm -13 "$scratch/before.files" "$scratch/after.files"
}

# The guard tidies up after who was seen, and who was killed may be seen for a moment.
nothing_new() {
    over=$(($(milliseconds) + 10000))
    while look after && [ -n "$(what_is_new)" ]; do
        [ "$(milliseconds)" -lt "$over" ] || break
        sleep 0.1
    done
    [ -n "$(what_is_new)" ] || return 0
    what_is_new | describe
    fail "that is left after round $round"
}

# ---- what it came to ----

verdicts_are_expected() {
    "$program" report --format json >"$scratch/report"
    python3 - "$root/tests/soak/matrix.verdicts" "$scratch/report" >"$scratch/unexpected" <<'END'
import fnmatch, json, sys
rules = [line.split(maxsplit=1) for line in open(sys.argv[1]) if line.strip() and not line.startswith("#")]
report = json.load(open(sys.argv[2]))
if not report["run"]["finished"]:
    print("the run did not come to its end")
for case in report["cases"]:
    wanted = next(verdict.strip() for glob, verdict in rules if fnmatch.fnmatchcase(case["id"], glob))
    if case["verdict"] != wanted:
        last = case["attempts"][-1] if case["attempts"] else case
        print(case["id"], "is", case["verdict"] + ", not", wanted + ":", last.get("reason"))
        for leak in last.get("leaks", []):
            print("    left behind:", leak["words"])
if not report["cases"]:
    print("there are no cases")
END
    [ ! -s "$scratch/unexpected" ] || {
        sed 's/^/# /' "$scratch/unexpected" | head -n 60
        fail "in round $round"
    }
}

one_round() {
    part=$(((${slice%/*} + round - 2) % ${slice#*/} + 1))/${slice#*/}
    look before
    # shellcheck disable=SC2086 # words
    run run --keep=failed --partition "slice:$part" ${SELECT-}
    nothing_new
    verdicts_are_expected
}

test_many_rounds() {
    needs_own_world
    needs_own_numbers
    cp -r "$root/examples/actors" . && cd actors && rm -rf .run-matrix
    "$program" list -q >"$scratch/listed" # and compiles
    start_load
    progress=$scratch/progress round=1
    if [ "$rounds" -gt 2 ] && mkdir -p "$root/build/soak" && [ -w "$root/build/soak" ]; then
        progress=$root/build/soak/matrix
        [ -z "$(find "$progress" -newer "$program" 2>/dev/null)" ] || round=$(cat "$progress")
    fi
    while [ "$round" -le "$rounds" ]; do
        one_round
        round=$((round + 1))
        echo "$round" >"$progress"
    done
    rm -f "$progress"
}

run_tests
