#!/bin/sh
# How `list` grows: N cells x 10 tests, in words and as JSON; then 10,000 tests beside the peers that are here.
# usage: list.sh PROGRAM TOOLS     (TOOLS: the folder with measure)
set -eu
program=$(realpath "$1")
measure=$(realpath "$2")/measure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# An axis of $2 values called $1.
axis() {
    awk -v name="$1" -v n="$2" 'BEGIN { printf "    %s: [", name; for (i = 0; i < n; i++) printf "%sv%d", i ? ", " : "", i; print "]" }'
}

# Three axes whose sizes multiply to the number of cells, and ten tests that depend on all.
suite() {
    mkdir -p "$1"
    {
        echo 'strategy:'
        echo '  matrix:'
        axis backend_kind "$2"
        axis transport_kind "$3"
        axis mode "$4"
        echo 'tests:'
        for test in 0 1 2 3 4 5 6 7 8 9; do
            echo "  - {name: test$test, run: [./test, '\${{ matrix.mode }}']}"
        done
    } >"$1/run-matrix.yaml"
}

row() {
    suite "$1" "$2" "$3" "$4"
    words=$("$measure" 5 "$program" list "$1/")
    json=$("$measure" 5 "$program" list --json "$1/")
    echo "$1 $words $json" | awk '{
        n = $1 * 10
        printf "| %d | %d | %.0f | %.2f | %.0f | %.0f | %.2f | %.0f |\n", $1, n, $2, $2 * 1e3 / n, $4 * 1024 / n, $7, $7 * 1e3 / n, $9 * 1024 / n }'
}

echo '| cells | cases | list, ms | µs a case | memory, bytes a case | list --json, ms | µs a case | memory, bytes a case |'
echo '|--:|--:|--:|--:|--:|--:|--:|--:|'
row 1000 10 10 10
row 10000 10 10 100
row 100000 10 100 100

# ---- 10,000 tests, nothing else, beside the peers ----

echo
echo '| 10,000 tests listed by | ms | ratio to run-matrix |'
echo '|---|--:|--:|'

mkdir peers
awk 'BEGIN { print "tests:"; for (i = 0; i < 10000; i++) printf "  - {name: t%d, run: [x]}\n", i }' >peers/run-matrix.yaml
# The bound on nodes is GitHub's, 50,000: five a test are just too many for one file, so there are two suites.
mkdir -p peers/a peers/b
awk 'BEGIN { print "tests:"; for (i = 0; i < 5000; i++) printf "  - {name: t%d, run: [x]}\n", i }' | tee peers/a/run-matrix.yaml >peers/b/run-matrix.yaml
echo "suites: ['*/run-matrix.yaml']" >peers/run-matrix.yaml
ours=$("$measure" 5 "$program" list peers/ | cut -d' ' -f1)
echo "| run-matrix | $ours | 1 |"

peer() {
    name=$1
    shift
    if ms=$("$measure" 3 "$@" 2>/dev/null | cut -d' ' -f1) && [ -n "$ms" ]; then
        echo "$name $ms $ours" | awk '{ printf "| %s | %.0f | %.1f |\n", $1, $2, $2 / $3 }'
    fi
}

if command -v ctest >/dev/null; then
    mkdir ctest
    awk 'BEGIN { for (i = 0; i < 10000; i++) printf "add_test(t%d \"x\")\n", i }' >ctest/CTestTestfile.cmake
    peer ctest sh -c 'cd ctest && exec ctest -N'
fi
if command -v pytest >/dev/null && pytest --version >/dev/null 2>&1; then
    mkdir pytest
    awk 'BEGIN { for (i = 0; i < 10000; i++) printf "def test_%d(): pass\n", i }' >pytest/test_many.py
    peer pytest sh -c 'cd pytest && exec pytest --co -q -p no:cacheprovider'
fi
