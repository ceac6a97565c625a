#!/bin/sh
# What an attempt of a soak costs beside a case of a run: the same program, as often. And that it costs the same, in time and in memory,
# however many there are.
# usage: soak.sh PROGRAM TOOLS     (TOOLS: the folder with measure, floor and tiny)
# For a quick look: BENCH_CASES=200 BENCH_ROUNDS=3
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"
cases=${BENCH_CASES:-2000}

# As many cases as keep two places busy, whatever order they come in.
mkdir soaked
{
    echo "strategy: {matrix: {n: [$(seq -s, 20)]}}"
    echo "tests: [{name: t, run: [$tools/tiny, '\${{ matrix.n }}']}]"
} >soaked/run-matrix.yaml

attempts() { # N
    echo "$program soak -n 2 --run-dir $1 --count $(($1 / 20))"
}

made ours "$cases" "$tools/tiny"
# shellcheck disable=SC2046 # commands are words
"$tools/measure" "${BENCH_ROUNDS:-11}" --in=. "$tools/floor" "$cases" 2 "$tools/tiny" \
    --in=ours $(ours_command) --in=soaked $(attempts "$cases") >measured
echo "$cases times the program without libc, two at a time, medians of ${BENCH_ROUNDS:-11} rounds:"
echo
echo '| | ms each | CPU ms each | × floor |'
echo '|---|--:|--:|--:|'
printf 'floor\nrun-matrix run: a case\nrun-matrix soak: an attempt\n' | paste -d ' ' measured - |
    awk -v n="$cases" '{
        wall = $1; cpu = $2; ratio = $4
        $1 = $2 = $3 = $4 = $5 = ""
        sub(/^ +/, "")
        printf "| %s | %.3f | %.3f | %.2f |\n", $0, wall / n, cpu / n, ratio
    }'
echo
echo 'As the attempts become more:'
echo
echo '| attempts | ms each | memory, MB | folder of the run, KB |'
echo '|--:|--:|--:|--:|'
for n in $cases $((cases * 10)); do
    # shellcheck disable=SC2046
    "$tools/measure" 1 --in=soaked $(attempts "$n") >measured
    awk -v n="$n" -v disk="$(du -sk "soaked/$n/latest/" | cut -f1)" \
        '{ printf "| %d | %.3f | %.1f | %d |\n", n, $1 / n, $3 / 1024, disk }' measured
done
