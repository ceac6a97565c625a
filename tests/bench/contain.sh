#!/bin/sh
# What each containment costs, as a ratio to process groups.
# usage: contain.sh PROGRAM TOOLS     (TOOLS: the folder with measure and tiny)
# For a quick look: BENCH_CASES=200 BENCH_ROUNDS=3
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"
cases=${BENCH_CASES:-2000}

can() { # CONTAINMENT
    ./run-matrix exec --contain="$1" --run-dir probe -- true >log 2>&1 && return
    echo "bench: no '$1' here: $(tail -n 1 log)" >&2
    return 1
}

made ours "$cases" "$tools/tiny"
kinds=group
for kind in pidns cgroup; do
    ! can "$kind" || kinds="$kinds $kind"
done
echo "$cases programs without libc, two at a time, with each containment in turns; medians of ${BENCH_ROUNDS:-11} rounds."
echo
echo '| `run-matrix run -n 2` | ms a case | CPU ms a case | × group |'
echo '|---|--:|--:|--:|'
set --
for kind in $kinds; do
    # shellcheck disable=SC2046 # a command is words
    set -- "$@" --in=ours $(ours_command) --contain="$kind"
done
"$tools/measure" "${BENCH_ROUNDS:-11}" "$@" >measured
printf '%s\n' "$kinds" | tr ' ' '\n' | paste -d ' ' measured - |
    awk -v n="$cases" '{ printf "| `--contain=%s` | %.3f | %.3f | %.2f |\n", $NF, $1 / n, $2 / n, $4 }'
