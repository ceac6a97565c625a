#!/bin/sh
# How the cost of a case changes with their number: not at all, it is to be hoped. BENCH_FULL=1 takes
# 100,000 cases also where that takes more than a minute.
# usage: flat.sh PROGRAM TOOLS     (TOOLS: the folder with measure, floor and tiny)
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"

values() { # NAME N
    awk -v name="$1" -v n="$2" 'BEGIN { printf "    %s: [", name; for (i = 0; i < n; i++) printf "%s%d", i ? ", " : "", i; print "]" }'
}

# Two axes: one alone would be longer than the file may be.
suite() { # FOLDER N N
    mkdir "$1"
    {
        printf 'version: 1\nstrategy:\n  matrix:\n'
        values a "$2"
        values b "$3"
        printf 'tests:\n  - {name: t, run: [%s, "${{ matrix.a }}", "${{ matrix.b }}"]}\n' "$tools/tiny"
    } >"$1/run-matrix.yaml"
}

# Sets $ms: how long all of it took.
row() { # ROUNDS N N
    n=$(($2 * $3))
    suite "$n" "$2" "$3"
    # shellcheck disable=SC2046 # a command is words
    "$tools/measure" "$1" --in=. "$tools/floor" "$n" 2 "$tools/tiny" --in="$n" $(ours_command) >measured
    paste -d ' ' - - <measured |
        awk -v n="$n" '{ printf "| %d | %.3f | %.3f | %.2f | %.1f |\n", n, $1 / n, $6 / n, $9, $8 / 1024 }'
    ms=$(sed -n '2s/[. ].*//p' measured)
}

echo 'The program without libc, in a matrix of two axes, by `run-matrix run -n 2` and in turns with `floor`:'
echo
echo '| cases | floor, ms a case | run-matrix, ms a case | × floor | memory, MB |'
echo '|--:|--:|--:|--:|--:|'
row 9 10 100
row 3 100 100
if [ "$ms" -lt 6000 ] || [ -n "${BENCH_FULL-}" ]; then
    row 1 100 1000
else
    echo "bench: 100,000 cases would take more than a minute, BENCH_FULL=1 takes them" >&2
fi

# ---- the one peer in C or C++ that knows tests by name ----

ctest_there || exit 0
echo
echo '`ctest -j2` with the same program:'
echo
echo '| cases | ms a case |'
echo '|--:|--:|'
for n in 1000 10000; do
    made ctest "$n" "$tools/tiny"
    # shellcheck disable=SC2046
    "$tools/measure" 1 --in=ctest $(ctest_command) | awk -v n="$n" '{ printf "| %d | %.3f |\n", n, $1 / n }'
done
