#!/bin/sh
# What the cache of compiled sources costs when nothing has changed: `list` of N sources, beside `list` of one command.
# The compilers of the first time run side by side.
# usage: sources.sh PROGRAM TOOLS     (TOOLS: the folder with measure)
set -eu
program=$(realpath "$1")
measure=$(realpath "$2")/measure
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

source_of() { # FILE
    {
        printf '#include <%s.h>\n' run_matrix errno fcntl signal stdio stdlib string sys/socket unistd
        printf 'TEST(%s) {}\n' one two
    } >"$1"
}

sources() { # COUNT
    mkdir "$1"
    for i in $(seq "$1"); do source_of "$1/test_$i.c"; done
    first=$("$measure" 1 "$program" list "$1/")
    again=$("$measure" 21 --in=command "$program" list --in=. "$program" list "$1/" | tail -n 1)
    echo "$1 $first $again" | awk '{ printf "| %d | %.0f | %.1f | %.1f |\n", $1, $2, $8, $11 }'
}

mkdir command
echo 'tests: [{name: one, run: [true]}]' >command/run-matrix.yaml
echo '| sources | the first time, ms | again: CPU, ms | more than `list` of one command, ms |'
echo '|--:|--:|--:|--:|'
sources 1
sources 50
