#!/bin/sh
# PostgreSQL and Redis, as Debian has them, are fixtures by yaml alone (databases/run-matrix.yaml): they get ready, four
# cases at a time use them, they die in use, and nothing of them is left; no port and no socket is met twice.
# usage: databases.sh     ROUNDS=N: so many runs, 10 when not said
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${PROGRAM:-$root/build/run-matrix}
store=$root/build/suites
. "$root/tests/own_world.sh"
unset CI GITHUB_ACTIONS RUN_MATRIX_DIR RUN_MATRIX_FAULTS MAKEFLAGS MAKELEVEL MFLAGS

no() { # REASON...
    echo "$*"
    exit 77
}

have() { # PROGRAM...
    for program_wanted; do
        command -v "$program_wanted" >/dev/null || return 1
    done
}

say() { # WORDS...
    echo "round $round: $*"
    failed=1
}

# ---- what is run ----

# Installed, or taken apart where it is not: a package's own set-up would start a server.
find_programs() {
    for folder in /usr/lib/postgresql/*/bin; do
        [ ! -x "$folder/initdb" ] || PATH=$folder:$PATH
    done
    have initdb postgres psql || no 'no PostgreSQL'
    PATH=$PATH:$store/redis/usr/bin
    export LD_LIBRARY_PATH="$store/redis/shared"
    have redis-server redis-cli || no 'no Redis'
    have setpriv ipcs ss || no 'no setpriv, ipcs or ss'
}

get_redis() {
    if have redis-server redis-cli || [ -e "$store/redis/shared" ]; then return; fi
    have apt-get dpkg-deb || no 'no Redis'
    rm -rf "$store/redis"
    mkdir -p "$store/redis"
    (
        cd "$store/redis"
        # What it needs and is not here.
        # shellcheck disable=SC2046 # names are words
        apt-get -q -o APT::Sandbox::User=root download \
            $(apt-get install -s -q --no-install-recommends redis-server | awk '/^Inst/ { print $2 }') >log 2>&1
        for package in *.deb; do dpkg-deb -x "$package" .; done
        ln -s usr/lib/*-linux-gnu shared
    ) || no 'Redis cannot be had'
}

# As somebody who is not root, in a world where nobody else makes sockets, listens or has shared memory.
enter_world() {
    [ -z "${DATABASES_INSIDE-}" ] || return 0
    get_redis
    own_world
    export DATABASES_INSIDE=1
    [ "$(id -u)" != 0 ] || exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0"
}

# ---- what is left ----

# PostgreSQL writes its title over its environment; but all of them stand in folders of ours.
processes_left() {
    for process in /proc/[0-9]*; do
        case $(readlink "$process/cwd" 2>/dev/null) in
        "$work"*) grep -vx "${0##*/}" "$process/comm" 2>/dev/null ;;
        esac
    done
}

# What is beside the clusters is ours for certain in a world of our own.
files_left() {
    find "$work/clusters" -mindepth 1 -maxdepth 1
    [ -z "${OWN_WORLD-}" ] || find /tmp /dev/shm -maxdepth 1 \( -name 'rm-*' -o -name 'PostgreSQL.*' \)
}
segments_left() { [ -z "${OWN_WORLD-}" ] || ipcs -m | awk '/^0x/'; }
listeners_left() {
    ss -Hltnp | while read -r line; do
        owner=${line##*pid=}
        case $(readlink "/proc/${owner%%,*}/cwd" 2>/dev/null) in
        "$work"*) echo "$line" ;;
        esac
    done
}

look() { # WHAT COMMAND
    left=$("$2" || :)
    [ -z "$left" ] || say "$1 left: $left"
}

# ---- a round ----

outcome() { # of report.json: how many of each test came to what
    python3 - <<'END'
import collections
import json

with open("report.json", encoding="utf-8") as file:
    cases = json.load(file)["cases"]
for (test, verdict), count in sorted(collections.Counter((case["test"], case["verdict"]) for case in cases).items()):
    print(test, verdict, count)
for case in cases:
    dies = {"keys-die": "redis died (SIGSEGV)", "sql-die": "doomed-postgres died (SIGSEGV)"}.get(case["test"], "")
    if not case["reason"].startswith(dies) or (case["reason"] and not dies):
        print(case["id"], case["reason"])
END
}

expected='both passed 2
keys passed 8
keys-die error 2
sql passed 8
sql-die error 2'

run_round() {
    touch began
    "$program" -n 4 -q --report json=report.json >log 2>&1 || :
    came=$(outcome) || came='no report'
    if [ "$came" != "$expected" ]; then
        say "came to: $came"
        tail -n 40 log
    fi
    look process processes_left
    look file files_left
    look 'shared memory' segments_left
    look listener listeners_left
}

enter_world
find_programs
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir clusters
cp "$root/tests/extra/databases/run-matrix.yaml" .
export CLUSTERS="$work/clusters"
round=1 failed=''
while [ "$round" -le "${ROUNDS:-10}" ] && [ -z "$failed" ]; do
    run_round
    round=$((round + 1))
done
[ -z "$failed" ]
echo "$((round - 1)) rounds"
