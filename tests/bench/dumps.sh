#!/bin/sh
# A tree of 50 processes with 4 threads each, which hangs: how long it takes to tell where they all stand.
# usage: dumps.sh PROGRAM TOOLS     (TOOLS: the folder with measure and hang_tree)
# For a quick look: BENCH_PROCESSES=5 BENCH_ROUNDS=1
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"
processes=${BENCH_PROCESSES:-50}
threads=4

mkfifo hold
exec 5<>hold

# Everybody stays until his standard input ends. Sets $root and $pids.
grow() { # fork|exec
    : >pids
    "$tools/hang_tree" "$1" "$processes" "$threads" <hold >pids 5<&- &
    root=$!
    trap 'kill "$root" 2>/dev/null; rm -rf "$work"' EXIT
    until [ "$(wc -l <pids)" = 1 ]; do
        kill -0 "$root"
        sleep 0.1
    done
    pids=$(cat pids)
}

# One after the other, as there is no other way.
each() { # NAME COMMAND, the number of a process behind it
    # shellcheck disable=SC2016 # it is for the script
    printf '#!/bin/sh\nfor pid in %s; do %s "$pid" 2>/dev/null; done\n' "$root $(echo "$pids" | tr '\n' ' ')" "$2" >"$1"
    chmod +x "$1"
    echo "\`$2 PID\` for each" >"$1.label"
}

ours() {
    printf '#!/bin/sh\nexec ./run-matrix dump %s\n' "$root" >ours
    chmod +x ours
    # shellcheck disable=SC2016 # as it is shown
    echo '`run-matrix dump PID`' >ours.label
}

# Ours is the first; shown unless it was before.
rows() { # FROM ROUNDS NAME...
    from=$1 rounds=$2
    shift 2
    names=$*
    set --
    for name in $names; do
        set -- "$@" --in=. "./$name"
    done
    "$tools/measure" "$rounds" "$@" >measured
    for name in $names; do
        cat "$name.label"
    done | paste -d '|' - measured | tail -n "+$from" |
        awk -F '|' -v tree="$tree" '{ split($2, n, " "); printf "| %s | %s | %.0f | %.0f | %.1f |\n", $1, tree, n[1], n[2], n[4] }'
}

echo "$processes processes of $threads threads each that hang, and the one that has started them. \`dump\` tells of the kernel's evidence too, and"
echo 'of inlined functions; × is to it, in turns.'
echo
echo '| | tree | ms | CPU ms | × |'
echo '|---|---|--:|--:|--:|'
for tree in fork exec; do
    grow "$tree"
    ours
    set -- ours
    if have eu-stack; then
        each eu_lines 'eu-stack -s -p'
        each eu_inlined 'eu-stack -s -i -p'
        set -- "$@" eu_lines eu_inlined
    fi
    rows 1 "${BENCH_ROUNDS:-5}" "$@"
    if have gdb; then
        each gdb "gdb -nx -batch -ex 'thread apply all bt' -p"
        rows 2 1 ours gdb # a minute, where the others take seconds
    fi
    kill "$root"
    wait "$root" 2>/dev/null || :
done
