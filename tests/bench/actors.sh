#!/bin/sh
# What actors cost: a tree of them beside a bare tree of forks, many that do not want to end beside one, and what they print
# beside `cat >FILE`.
# usage: actors.sh PROGRAM TOOLS     (TOOLS: the folder with measure, fork_tree and lines; PROGRAM has its library beside it)
# For a quick look: BENCH_TREES=1 BENCH_ROUNDS=3 BENCH_OUTPUT=16000000
. "$(dirname "$0")/peers.sh"
root=$(realpath "$(dirname "$0")/../..")
built=$(dirname "$(realpath "$1")")
workshop "$1" "$2"
export BENCH_ROUNDS="${BENCH_ROUNDS:-11}" BENCH_TREES="${BENCH_TREES:-5}" BENCH_DEPTH=5 BENCH_OUTPUT="${BENCH_OUTPUT:-1073741824}"
writers=16

${CC:-gcc} -O2 -D_GNU_SOURCE "-I$root" "-I$root/fixtures" -shared -fPIC -o actors.so "$root/tests/bench/actors.c" "$built/librunmatrix.a"

suite() { # FOLDER AXIS WORD
    mkdir -p "$1"
    printf "strategy: {matrix: {%s: [%s]}}\ntests:\n  - {name: t, module: '%s', timeout: 300s}\n" "$2" "$3" "$PWD/actors.so" >"$1/run-matrix.yaml"
}

# ---- a tree ----

actors=$(((1 << (BENCH_DEPTH + 1)) - 2))
backends='forkserver main_thread_forkserver exec spawn'
echo "Trees of $actors actors: two, each with two below it, $BENCH_DEPTH levels deep; the $((1 << BENCH_DEPTH)) at the bottom fail, and their errors arrive at the test."
echo "$BENCH_TREES trees in a test, less a test that does nothing; of medians of $BENCH_ROUNDS rounds. \`fork_tree\` is \`tests/bench/fork_tree.c\`: the same"
echo 'tree by fork and waitpid, and nothing else.'
echo
echo '| tree by | ms a tree | ms an actor | × fork_tree | CPU ms a tree | × CPU of fork_tree |'
echo '|---|--:|--:|--:|--:|--:|'
set -- --in=. "$tools/fork_tree" "$BENCH_TREES" "$BENCH_DEPTH"
for backend in $backends; do
    suite "$backend" backend "$backend"
    set -- "$@" --in="$backend" ../run-matrix run --id t::nothing --in="$backend" ../run-matrix run --id t::tree
done
"$tools/measure" "$BENCH_ROUNDS" "$@" >measured
awk -v trees="$BENCH_TREES" -v actors="$actors" -v backends="$backends" '
    function row(name, ms, cpu) {
        printf "| `%s` | %.1f | %.2f | %.1f | %.1f | %.1f |\n", name, ms, ms / actors, ms / floor, cpu, cpu / floor_cpu
    }
    NR == 1 {
        split(backends, name, " ")
        floor = $1 / trees
        floor_cpu = $2 / trees
        row("fork_tree", floor, floor_cpu)
    }
    NR > 1 && NR % 2 == 0 { wall = $1; cpu = $2 }
    NR > 1 && NR % 2 == 1 { row(name[++rows], ($1 - wall) / trees, ($2 - cpu) / trees) }' measured

# ---- those that do not want to end ----

ours() { # FOLDER WORD...
    folder=$1
    shift
    (cd "$folder" && ../run-matrix run "$@" >log 2>&1) || {
        cat "$folder/log" >&2
        return 1
    }
}

echo
echo 'Actors of a nursery with a budget of a second that are cancelled: those that wait in a system call of their own are interrupted at a'
echo "quarter of it, those that block all signals are killed at its end. Medians of $BENCH_ROUNDS rounds, one and 25 of them in turns:"
echo
echo '| by `forkserver` | one, ms | 25 siblings, ms | × one |'
echo '|---|--:|--:|--:|'
ours forkserver -s --id t::cancel
grep -x '[01] [0-9.]* [0-9.]*' forkserver/log >cancelled
for deaf in 0 1; do
    for column in 2 3; do
        awk -v deaf=$deaf -v column=$column '$1 == deaf { print $column }' cancelled | sort -n | awk '{ ms[NR] = $1 } END { print ms[int((NR + 1) / 2)] }'
    done | paste -d ' ' - - | awk -v deaf=$deaf '{
        printf "| %s | %.0f | %.0f | %.2f |\n", deaf ? "deaf to all signals" : "waiting", $1, $2, $2 / $1
    }'
done

# ---- those that print much ----

# Whole, and in order; the files of actors have their names, and what tells two of a name apart.
whole() { # FOLDER ENDING
    for who in $(seq 0 $((writers - 1))); do
        find -L "$1/.run-matrix/latest/" -name "writer-$who@*$2" >outputs
        if [ "$(wc -l <outputs)" != 1 ] || ! "$tools/lines" "$who" $((BENCH_OUTPUT / writers)) | cmp - "$(cat outputs)"; then
            echo "bench: what actor $who has printed is not there byte for byte: $1" >&2
            return 1
        fi
    done
}

printed() { # LINES-COMMAND: what writes a floor
    echo "seq 0 $((writers - 1)) | xargs -P $writers -I WHO sh -c 'rm -f WHO; $1'"
}

# In turns with the floor: of all that is printed, then of so small a part that memory says whether it grows.
row() { # WHAT FOLDER COMMAND [ENDING: of files to be compared]
    what=$1 folder=$2 command=$3 ending=${4-} compared=
    part=$((BENCH_OUTPUT / 64))
    BENCH_OUTPUT=$part "$tools/measure" 1 --in="$folder" sh -c "$command" >small
    "$tools/measure" "$output_rounds" --in=floor sh -c "$cat" --in="$folder" sh -c "$command" >measured
    [ -z "$ending" ] || { whole "$folder" "$ending" && compared=yes; }
    rm -rf "$folder/.run-matrix"
    sed p small | paste -d ' ' measured - | awk -v what="$what" -v bytes="$BENCH_OUTPUT" -v compared="$compared" \
        '{
            cpu[NR] = $2
            if (NR == 2)
                printf "| %s | %.1f | %.0f | %.2f | %.1f | %.2f | %.1f | %.1f | %s |\n", what, $1 / 1e3, bytes / 1e3 / $1, $4,
                    cpu[2] / 1e3, cpu[2] / cpu[1], $3 / 1024, $8 / 1024, compared
        }'
}

output_rounds=${BENCH_OUTPUT_ROUNDS:-3}
mkdir floor
lines="$tools/lines WHO \$((BENCH_OUTPUT / $writers))"
cat=$(printed "$lines | cat >WHO")
file=$(printed "$lines >WHO")
echo
echo "$writers actors that print $((BENCH_OUTPUT / writers / 1000000)) MB each, side by side, in every capture mode; medians of $output_rounds rounds, in turns with the same lines by a"
echo 'program through `cat >FILE`. Memory is the peak of the largest process, of `run-matrix` and of all that it has started; with all, and'
echo 'with a 64th of it. What is in files is compared. On a machine that others share CPU time is what compares: the kernel lets those that'
echo 'wait for a pipe go before those that only write.'
echo
echo '| capture | s | MB/s | × `cat >FILE` | CPU s | × CPU | memory, MB | with a 64th | byte for byte |'
echo '|---|--:|--:|--:|--:|--:|--:|--:|---|'
row '`>FILE`' floor "$file"
for kind in fd sys tee-sys pipe pty merged no discard; do
    suite "$kind" capture "$kind"
    case $kind in
    no | discard) ending= ;;
    *) ending=.out ;;
    esac
    row "\`$kind\`" "$kind" 'rm -rf .run-matrix && exec ../run-matrix run --id t::flood' $ending
done
