#!/bin/sh
# What one case costs over the command itself: starting, planning, recording, reporting.
# usage: startup.sh PROGRAM TOOLS     (TOOLS: the folder with measure and hello)
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"

row() { # NAME ROUNDS
    ready "$1" 1 "$tools/hello" || return 0
    # shellcheck disable=SC2046 # a command is words
    "$tools/measure" "$2" --in=. "$tools/hello" --in="$1" $(command_of "$1") 2>"$1/log" | sed -n 2p >measured
    if [ ! -s measured ]; then
        echo "bench: '$1' failed with one program: $(tail -n 1 "$1/log")" >&2
        return 0
    fi
    awk -v name="$(label "$1")" -v how="$(typed "$1")" '{ printf "| %s | `%s` | %.1f | %.0f |\n", name, how, $5, $3 / 1024 }' measured
}

echo 'One case: what a runner takes over the command itself, as pairs of the command alone and the runner.'
echo
echo '| run by | command | ms more | memory, MB |'
echo '|---|---|--:|--:|'
ready ours 1 "$tools/hello"
row ours 101
# shellcheck disable=SC2046
for name in $(present $(capturing)); do
    row "$name" 11
done
