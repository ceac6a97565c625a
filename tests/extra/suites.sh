#!/bin/sh
# A suite that nobody here wrote, unchanged: what its own runner says of every test, and what we say, is the same.
# usage: suites.sh NAME     PAIRS=N: each runs so often, and the ratio of the fastest times is of that many
#
# NAME is a file in suites/ (lib.sh tells what stands in one). What it is made of is fetched once and built once, in
# build/suites. Exits with 77 where it cannot be had.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$root/build/run-matrix
store=$root/build/suites
place=$store/$1
LC_ALL=C.UTF-8
TERM=dumb
export LC_ALL TERM
unset MAKEFLAGS MAKELEVEL MFLAGS CI GITHUB_ACTIONS RUN_MATRIX_DIR RUN_MATRIX_FAULTS PYTEST_ADDOPTS NODE_TEST_CONTEXT
. "$root/tests/bench/peers.sh"
. "$root/tests/extra/suites/lib.sh"
# shellcheck source=/dev/null # one of many
. "$root/tests/extra/suites/$1.sh"

get_ready "$root/tests/extra/suites/$1.sh"
cd "$place"
yaml >run-matrix.yaml
pair=1 native_best='' our_best=''
while [ "$pair" -le "${PAIRS:-1}" ]; do
    timed native_best run_native
    timed our_best run_ours
    pair=$((pair + 1))
done
compare
echo "time: $(ratio "$our_best" "$native_best") of its own runner's"
[ ! -s differences ]
