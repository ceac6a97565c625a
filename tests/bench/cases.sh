#!/bin/sh
# What running a case costs: beside the bare cost of spawning and capturing, then beside other runners.
# usage: cases.sh PROGRAM TOOLS     (TOOLS: the folder with measure, floor, hello and tiny)
# For a quick look: BENCH_CASES=200 BENCH_ROUNDS=3
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"
cases=${BENCH_CASES:-2000}

# ---- beside the floor ----

floor_rows() { # PROGRAM WORDS
    made ours "$cases" "$1"
    made ours_axis "$cases" "$1"
    # shellcheck disable=SC2046 # commands are words
    "$tools/measure" "${BENCH_ROUNDS:-11}" --in=. "$tools/floor" "$cases" 2 "$1" \
        --in=ours $(ours_command) --in=ours_axis $(ours_axis_command) >measured
    printf 'floor %s 2 %s\nrun-matrix run -n 2 (%s tests)\nrun-matrix run -n 2 (an axis of %s values)\n' \
        "$cases" "${1##*/}" "$cases" "$cases" | paste -d ' ' measured - |
        awk -v n="$cases" -v what="$2" '{
            wall = $1; cpu = $2; ratio = $4
            $1 = $2 = $3 = $4 = $5 = ""
            sub(/^ +/, "")
            printf "| %s | `%s` | %.3f | %.3f | %.2f |\n", what, $0, wall / n, cpu / n, ratio
        }'
}

ready ours 20 "$tools/hello"
ready ours_axis 20 "$tools/hello"
echo "$cases programs that print something, two at a time, medians of ${BENCH_ROUNDS:-11} rounds. \`floor\` is \`tests/bench/floor.c\`:"
echo 'vfork, exec, two memfds for the output, waitid, and nothing else.'
echo
echo '| program | run by | ms a case | CPU ms a case | × floor |'
echo '|---|---|--:|--:|--:|'
floor_rows "$tools/tiny" 'without libc'
floor_rows "$tools/hello" 'with glibc, dynamically linked'

# ---- beside the peers ----

pairs() { # ROUNDS COMMAND of $name: the other and ours in turns
    # shellcheck disable=SC2086 # a command is words
    "$tools/measure" "$1" --in=ours $ours --in="$name" $2 | sed -n 2p | grep .
}

# The first pair is warming up, unless it takes long: then it must do.
measured_pairs() { # COMMAND of $name
    pair=$(pairs 1 "$1") || return
    case ${pair%%.*} in
    ? | ?? | ??? | [123]???) pairs 3 "$1" ;;
    *) echo "$pair" ;;
    esac
}

peer_row() { # of $name
    made "$name" "$cases" "$tools/hello"
    if ! measured=$(measured_pairs "$(command_of "$name")" 2>"$name/log"); then
        echo "bench: '$name' failed with $cases programs: $(tail -n 1 "$name/log")" >&2
        return
    fi
    echo "$measured" | awk -v n="$cases" -v name="$(label "$name")" -v how="$(typed "$name")" -v words="$("${name}_words")" \
        '{ printf "| %s | `%s` | %s | %.2f | %.2f |\n", name, how, words, $1 / n, $4 }'
}

made ours "$cases" "$tools/hello"
ours=$(ours_command)
echo
echo 'The glibc program again, by other runners, as pairs of theirs and ours (`run-matrix run -n 2`); three, or one where that takes'
echo 'more than four seconds:'
echo
echo '| run by | command | output | ms a case | × run-matrix |'
echo '|---|---|---|--:|--:|'
# shellcheck disable=SC2046
for name in $(present $(all)); do
    ! ready "$name" 20 "$tools/hello" || peer_row "$name"
done
