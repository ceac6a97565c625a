#!/bin/sh
# Trees of other people that hang, and what `run-matrix dump` says of them: a make -j, a pipeline of a shell, PostgreSQL with a
# lock that is waited for, a pool of Python's multiprocessing. None of them knows of us, and none notices.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${PROGRAM:-$root/build/run-matrix}
work=$(mktemp -d)
unset CI GITHUB_ACTIONS MAKEFLAGS MAKELEVEL MFLAGS PYTHONPATH
root_of_tree='' status=0
trap 'end_tree; rm -rf "$work"' EXIT
cd "$work"

say() { # WORDS...
    echo "$tree: $*"
    status=1
}

have() { # PROGRAM...
    for wanted; do
        command -v "$wanted" >/dev/null || {
            echo "$tree: no $wanted"
            return 1
        }
    done
}

# ---- a tree, in a session of its own: $root_of_tree ----

begin() { # COMMAND...
    setsid "$@" >"$work/said" 2>&1 </dev/null &
    root_of_tree=$!
}

end_tree() {
    [ -n "$root_of_tree" ] || return 0
    kill -KILL "-$root_of_tree" 2>/dev/null || :
    wait "$root_of_tree" 2>/dev/null || :
    root_of_tree=
}

below() { # PID...: those and all below them
    [ $# = 0 ] || {
        printf '%s\n' "$@"
        for pid; do
            # shellcheck disable=SC2046 # numbers
            below $(cat "/proc/$pid/task"/*/children 2>/dev/null)
        done
    }
}

# How often each has been given a processor: what sleeps has not.
awake() {
    for pid in $(below "$root_of_tree"); do
        sed -n "s/^\(State:.[A-Z]\|\(non\)\{0,1\}voluntary.*:\)/$pid &/p" "/proc/$pid/task"/*/status 2>/dev/null || :
    done
}

# Until so many processes sleep, and none of them wakes.
hangs() { # HOW MANY
    before=
    for _ in $(seq 300); do
        now=$(awake)
        case $now in
        *'State:	R'* | *'State:	D'*) ;;
        *) [ "$now" != "$before" ] || [ "$(below "$root_of_tree" | wc -l)" -lt "$1" ] || return 0 ;;
        esac
        before=$now
        sleep 0.1
    done
    say "does not come to hang: $(cat "$work/said")"
    return 1
}

dump() {
    "$program" dump --budget 60s "$root_of_tree" >"$work/$tree.txt" || say "dump: exit status $?"
    "$program" dump --budget 60s --json "$root_of_tree" >"$work/$tree.json" || say "dump --json: exit status $?"
}

# A line of the summary has all of the words.
summary_has() { # WORD...
    python3 "$root/tests/hangs/check" lines "$work/$tree.txt" >"$work/summary"
    for word; do
        grep -qF -e "$word" "$work/summary" || {
            say "no '$word' in the summary"
            cat "$work/summary"
        }
    done
}

text_has() { # WORD...
    for word; do
        grep -qF -e "$word" "$work/$tree.txt" || say "no '$word' in $(head -n 60 "$work/$tree.txt")"
    done
}

so() { # EXPRESSION, as tests/hangs/table has them
    python3 "$root/tests/hangs/check" fact "$1" "$work/$tree.json" || say "not so"
}

# ---- make -j2: a make below it whose recipe reads from what only it could write to ----

tree_make() {
    have make mkfifo || return 0
    mkfifo words
    cat >Makefile <<'MAKE'
all: one two three
one two:
	@+$(MAKE) --no-print-directory -f Makefile inner-$@
three:
	@true
inner-%:
	@exec 3<>words; cat <&3
MAKE
    begin make -j3
    hangs 5 && dump || return 0
    summary_has make cat words
    so 'sum(p["name"] == "make" for p in processes) == 3 and sum(p["name"] == "cat" for p in processes) == 2'
    so 'any(finding["kind"] == "reads" for finding in dump["findings"])'
    so '{p["state"] for p in processes} == {"S"}'
}

# ---- a pipeline whose last one does not read ----

tree_pipeline() {
    have yes || return 0
    begin sh -c 'yes | tr y n | sleep 1000'
    hangs 4 && dump || return 0
    summary_has yes tr sleep 65536
    so 'sum(finding["kind"] == "full" for finding in dump["findings"]) == 2'
    so '[processes[e["process"]]["name"] for p in processes if p["name"] == "tr" for fd in p["fds"] if fd["fd"] == 1
        for e in fd["ends"] if e["reads"]] == ["sleep"]'
}

# ---- PostgreSQL: one session has locked a row and does nothing, another one wants it ----

# The two sessions are clients of their own beside the tree; both are in its group, and end with it.
cat >"$work/postgres.sh" <<'SH'
set -eu
initdb --auth=trust --username=test --no-sync --no-instructions --pgdata=data
postgres -D data -c listen_addresses= -c "unix_socket_directories=$PWD" -c fsync=off -c deadlock_timeout=100s &
until psql -c 'select 1' 2>/dev/null; do sleep 0.1; done
psql -c 'create table account (id int primary key, amount int); insert into account values (1, 10)'
mkfifo first second
psql <first &
psql <second &
exec 5>first 6>second
echo 'begin; update account set amount = 20 where id = 1;' >&5
until psql -Atc "select count(*) from pg_stat_activity where state = 'idle in transaction'" | grep -qx 1; do sleep 0.1; done
echo 'update account set amount = 30 where id = 1;' >&6
wait
SH

tree_postgres() {
    for folder in /usr/lib/postgresql/*/bin; do
        [ ! -x "$folder/initdb" ] || PATH=$folder:$PATH
    done
    have initdb postgres psql setpriv mkfifo || return 0
    mkdir cluster && cd cluster && chmod 777 . && chmod 755 "$work"
    [ "$(id -u)" != 0 ] || set -- setpriv --reuid=65534 --regid=65534 --clear-groups # it refuses root
    begin "$@" env PGHOST="$PWD" PGUSER=test PGDATABASE=postgres sh "$work/postgres.sh"
    waiting='UPDATE waiting'
    for _ in $(seq 600); do
        # shellcheck disable=SC2046 # files
        ! grep -sqa "$waiting" $(below "$root_of_tree" | sed 's,.*,/proc/&/cmdline,') || break
        [ -d "/proc/$root_of_tree" ] || break
        sleep 0.1
    done
    [ -s data/postmaster.pid ] || {
        say "does not start: $(tail -n 5 "$work/said")"
        cd "$work"
        return
    }
    dump
    text_has ProcSleep "$waiting" 'idle in transaction'
    summary_has "$waiting" psql 'has its other end' WaitEventSetWait
    [ -z "${SHOW-}" ] || cat "$work/summary"
    so 'any("ProcSleep" == f["function"] for t in threads() for f in frames(t))'
    # As it wishes to be ended: its processes have sessions of their own.
    read -r postmaster <data/postmaster.pid
    kill -INT "$postmaster"
    for _ in $(seq 100); do
        [ -e data/postmaster.pid ] || break
        sleep 0.1
    done
    cd "$work"
}

# ---- a pool of Python's, whose workers want a lock that the parent has ----

tree_pool() {
    cat >pool.py <<'PY'
import multiprocessing
lock = multiprocessing.Lock()
def wants_the_lock(number):
    with lock:
        return number
if __name__ == "__main__":
    lock.acquire()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(wants_the_lock, range(9), 3)
PY
    begin python3 pool.py
    hangs 4 && dump || return 0
    so 'len(processes) == 4 and sum(any("sem_" in (f["function"] or "") for t in p["threads"] for f in frames(t)) for p in processes[1:]) >= 3'
    summary_has 'x 3' python3 semaphore
}

for tree in ${ONLY:-make pipeline postgres pool}; do
    mkdir "$work/$tree.d" && cd "$work/$tree.d"
    "tree_$tree"
    end_tree
done
exit "$status"
