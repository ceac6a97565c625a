#!/bin/sh
# What other runners leave behind when they are killed or interrupted, and when a case makes daemons; beside ours. Writes
# the table into docs/containment.md.
# usage: peers.sh [PROGRAM]     CHAOS_PEERS='ctest prove': only these, and nothing is written
set -eu
LC_ALL=C
export LC_ALL
root=$(cd "$(dirname "$0")/../.." && pwd)
program=$(realpath "${1:-$root/build/run-matrix}")
kid=$root/build/tests/kids/kid
. "$root/tests/bench/peers.sh"
. "$root/tests/chaos/world.sh"
. "$root/tests/own_world.sh"
own_world "$@"
unset MAKEFLAGS MAKELEVEL MFLAGS CI GITHUB_ACTIONS RUN_MATRIX_DIR RUN_MATRIX_FAULTS
page=$root/docs/containment.md
cases=4
patience=100 # tenths of a second, until what is left is counted; a run that goes on hangs

work=$(mktemp -d)
world=$work/w
token=chaos-$(basename "$work")
trap 'world_end; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
ln -s "$program" run-matrix

# ---- runners that only this table has ----

pytest_timeout_there() { pytest_program pytest_timeout >/dev/null; }
pytest_timeout_suite() { pytest_suite "$@"; }
pytest_timeout_command() { echo "$(pytest_program pytest_timeout) --timeout 60"; }

criterion_there() { have pkg-config && pkg-config --exists criterion; }
criterion_suite() {
    {
        echo '#include <criterion/criterion.h>'
        echo '#include <stdlib.h>'
        seq -f "Test(bench, t%.0f) { cr_assert(system(\"$2\") == 0); }" "$1"
    } >suite.c
    # shellcheck disable=SC2046 # flags are words
    ${CC:-cc} -o suite suite.c $(pkg-config --cflags --libs criterion)
}
criterion_command() { echo ./suite -j2; }

name_of() {
    case $1 in
    pytest_timeout) echo 'pytest with pytest-timeout' ;;
    criterion) echo Criterion ;;
    *) label "$1" ;;
    esac
}

# ---- one trial ----

# Starts a runner, as a foreground shell would: $runner, its own number.
begin() { # NAME PROGRAM MS
    rm -rf "$world"
    world_new
    made "$1" "$cases" "$2" >"$1.log" 2>&1
    command=$(command_of "$1")
    cd "$1"
    # shellcheck disable=SC2086 # a command is words
    CULPRIT_MS=$3 TMPDIR=$world/tmp env --default-signal=INT,QUIT $command >>"../$1.log" 2>&1 </dev/null &
    runner=$!
    cd ..
}

# Until it has ended, or for as long as we have patience.
ended() { # TENTHS
    for _ in $(seq "${1:-$patience}"); do
        case $(ps -o stat= -p "$runner") in '' | Z*) return 0 ;; esac
        sleep 0.1
    done
    return 1
}

# Two of them, or the one of a runner that takes them one by one.
until_some_are_up() {
    for tenths in $(seq 300); do
        [ "$(world_up)" -lt "$((tenths < 30 ? 2 : 1))" ] || return 0
        sleep 0.1
    done
    return 1
}

# "5 processes, 2 ports", or 0.
in_words() { # PROCESSES PORTS SOCKETS SEGMENTS TEMPS GROUPS
    echo "$@" | awk '{
        split("processes,ports,socket files,segments,temporary files,control groups", words, ",")
        for (i = 1; i <= NF; i++)
            if ($i)
                text = text (text ? ", " : "") $i " " ($i == 1 ? (i == 1 ? "process" : substr(words[i], 1, length(words[i]) - 1)) : words[i])
        print text ? text : "0"
    }'
}

over() { # NAME: what is left, then an end of it
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        now=$(world_left "$1/.run-matrix")
        [ "$now" != '0 0 0 0 0 0' ] || break
        sleep 0.2
    done
    # shellcheck disable=SC2086 # numbers
    in_words $now
    ended 1 || kill -KILL "$runner" 2>/dev/null || :
    { wait "$runner" || :; } 2>/dev/null
    world_end
}

killed() { # NAME SIGNAL
    begin "$1" "$world/culprit" 60000
    if ! until_some_are_up; then
        echo "chaos: '$1' started nothing: $(tail -n 1 "$1.log")" >&2
    fi
    kill "-$2" "$runner"
    ended || printf 'it goes on; '
    over "$1"
}

daemonised() { # NAME
    begin "$1" "$world/culprit" 0
    ended || printf 'hangs; '
    over "$1"
}

held() { # NAME
    printf '#!/bin/sh\nexec "%s" grandchild-holds %s\n' "$kid" "$token" >holder
    chmod +x holder
    begin "$1" "$work/holder" 0
    if ended; then printf 'ends; '; else printf 'hangs; '; fi
    over "$1"
}

row() { # NAME
    echo "chaos: $1" >&2
    printf '| %s | %s | %s | %s | %s |\n' "$(name_of "$1")" "$(killed "$1" KILL)" "$(killed "$1" INT)" "$(daemonised "$1")" "$(held "$1")"
}

table() { # NAME...
    echo '| runner | killed with SIGKILL | SIGINT to the runner alone | cases leave daemons and exit | a grandchild keeps stdout |'
    echo '|---|---|---|---|---|'
    for name; do
        row "$name"
    done
}

if [ -n "${CHAOS_PEERS-}" ]; then
    # shellcheck disable=SC2086 # names
    table $CHAOS_PEERS
    exit
fi
# shellcheck disable=SC2046
table ours $(present ctest meson prove pytest_timeout kyua lit criterion) >rows
# shellcheck disable=SC2094 # "$page" is read to its end before it is written
awk '
    !skipping { print }
    /^<!-- table -->$/ { while ((getline line < "rows") > 0) print line; skipping = 1 }
    /^<!-- end -->$/ { print; skipping = 0 }' <"$page" >page
cat page >"$page"
cat rows
