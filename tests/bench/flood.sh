#!/bin/sh
# 200 MB on stdout from each of four cases: time, memory of the runner, and whether each byte is there.
# usage: flood.sh PROGRAM TOOLS     (TOOLS: the folder with measure)
# For a quick look: BENCH_FLOOD=20000000
. "$(dirname "$0")/peers.sh"
workshop "$1" "$2"

# Lines that differ, so that what is lost or out of order shows; and TAP at the end, because prove reads it.
size=${BENCH_FLOOD:-200000000}
tap='
ok 1
1..1'
filler=$(printf '%400s' '' | tr ' ' .)
seq -f "line %.0f $filler" 1000000 | head -c $((size - ${#tap} - 1)) >flood
echo "$tap" >>flood
[ "$(wc -c <flood)" = "$size" ]
# Not cat: it has the kernel copy from file to file, which no other program does with its output.
printf '#!/bin/sh\nexec dd if=%s bs=64k status=none\n' "$work/flood" >program
chmod +x program

# The floor: nobody between the program and its file. A new file: ext4 flushes one that is written over.
mkdir floor
printf 'seq 4 | xargs -n 1 -P 2 sh -c "rm -f \\$0 && ../program >\\$0"\n' >floor/run
(cd floor && sh run)

row() { # NAME ROUNDS
    made "$1" 4 "$work/program" || return 0
    # shellcheck disable=SC2046 # a command is words
    "$tools/measure" "$2" --in=floor sh run --in="$1" timeout 120 $(command_of "$1") 2>"$1/log" | sed -n 2p >measured
    if [ ! -s measured ]; then
        echo "bench: '$1' failed with $size bytes, or took more than two minutes: $(tail -n 1 "$1/log")" >&2
        return 0
    fi
    awk -v name="$(label "$1")" -v how="$(typed "$1")" \
        '{ printf "| %s | `%s` | %.0f | %.1f | %.1f |\n", name, how, $3 / 1024, $1 / 1e3, $4 }' measured
}

echo "Four programs that print $((size / 1000000)) MB each (\`dd bs=64k\`), two at a time. Memory is the peak of the runner; × is to the same"
echo 'programs with `>FILE`, two at a time, in turns with the runner.'
echo
echo '| run by | command | memory, MB | s | × `>FILE` |'
echo '|---|---|--:|--:|--:|'
row ours 5
whole=0
find -L ours/.run-matrix/latest/ -name stdout >outputs
while read -r output; do
    cmp flood "$output" && whole=$((whole + 1))
done <outputs
[ "$whole" = 4 ] || {
    echo "bench: the output of $whole cases of 4 is there, byte for byte" >&2
    exit 1
}
rm -rf ours/.run-matrix
# shellcheck disable=SC2046
for name in $(present $(capturing)); do
    row "$name" 1
    rm -rf "$name"
done
