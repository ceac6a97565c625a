#!/bin/sh
# run-matrix dump: where everybody stands in a tree that is none of ours.
. "$(dirname "$0")/lib.sh"

# A parent that reads what its child never writes; both have said so, and what is in their environment is on a command line.
stand() {
    cat >stand.py <<'END'
import os, sys
ready, give = os.pipe()
def waits_for_a_word(fd):
    os.write(give, b"x")
    os.read(fd, 1)
a, b = os.pipe()
c, d = os.pipe()
if os.fork() == 0:
    os.close(b)
    waits_for_a_word(c)
    os._exit(0)
if os.fork() == 0:
    os.read(ready, 1), os.read(ready, 1)
    open("ready", "w").close()
    os.execvp("sleep", ["sleep", "1000"])
waits_for_a_word(a)
END
    DB_PASSWORD=hunter2secret LICENSE=4711-4712-4713 python3 stand.py "$token" hunter2secret 4711-4712-4713 &
    root_pid=$!
    await_file ready
}

# What has lost its word of the test has to be ended by hand.
leave() {
    tr ' ' '\n' <"/proc/$root_pid/task/$root_pid/children" | xargs -r kill "$root_pid"
    wait
}

fits() { # FILE
    python3 "$root/tests/e2e/schema.py" "$root/docs/dump.schema.json" "$1" || fail "$1 is not as docs/dump.schema.json says"
}

of_json() { # FILE EXPRESSION OF dump
    python3 -c 'import json, sys
dump = json.load(open(sys.argv[1]))
print(eval(sys.argv[2]))' "$1" "$2"
}

test_what_is_no_process() {
    run dump
    status_is 4
    err_has 'whom? dump takes numbers of processes'
    run dump nobody
    status_is 4
    err_has "'nobody' is not the number of a process"
    run dump -- -5
    status_is 4
    run dump 4194305
    status_is 4
    err_has 'there is no process 4194305'
    out_is_empty
}

test_no_time() {
    run dump --budget 0 $$
    status_is 4
    err_has '--budget 0: nothing can be looked at in no time'
    out_is_empty
}

test_a_tree() {
    stand
    run dump "$root_pid"
    leave
    status_is 0
    err_is_empty
    out_has "process $root_pid, and all below"
    out_has 'what stands out:'
    out_has 'reads from fd '
    out_has 'nobody but itself can write to it'
    out_has -- '---- in detail ----'
    out_has "python3 stand.py $token"
    out_has 'pipe:['
    grep -q '#0  .*read' "$scratch/out" || fail 'there is no stack'
}

test_only_the_summary() {
    stand
    run dump -q "$root_pid"
    leave
    status_is 0
    out_has 'what stands out:'
    out_lacks 'in detail'
    [ "$(wc -l <"$scratch/out")" -le 40 ] || fail 'it is longer than a screen'
}

test_json() {
    stand
    run dump --json --output dump.json "$root_pid"
    leave
    status_is 0
    out_is_empty
    fits dump.json
    is "$(of_json dump.json '[p["name"] for p in dump["processes"]]')" "['python3', 'python3', 'sleep']"
    is "$(of_json dump.json 'dump["processes"][1]["parent"]')" 0
    is "$(of_json dump.json 'sorted({f["kind"] for f in dump["findings"]})')" "['reads']"
    of_json dump.json '[f["function"] for f in dump["stacks"][dump["processes"][2]["threads"][0]["stack"]]["frames"]]' |
        grep -q nanosleep || fail 'sleep has no stack'
    is "$(of_json dump.json 'all(len(p["threads"]) > 0 for p in dump["processes"])')" True
}

test_secrets_are_hidden() {
    stand
    run dump "$root_pid"
    out_has "stand.py $token *** 4711-4712-4713"
    out_lacks hunter2secret
    run dump --json --mask LICENSE "$root_pid"
    leave
    status_is 0
    out_has "stand.py $token ***"
    out_lacks 4711-4712
}

# Settings that are called like secrets would be hidden in every number.
test_settings_are_not_hidden() {
    MAX_TOKENS=8192 TOKENIZERS_PARALLELISM=sometimes sh -c 'sleep 1000; :' 8192 sometimes "$token" &
    root_pid=$!
    until grep -q '[0-9]' "/proc/$root_pid/task/$root_pid/children"; do
        sleep 0.05
    done
    run dump -q "$root_pid"
    out_lacks '***'
    run dump "$root_pid"
    leave
    status_is 0
    out_has "8192 sometimes $token"
}

test_an_ancestor_of_ours() {
    # shellcheck disable=SC2016 # for that shell
    run_command sh -c '"$0" dump --json $$ && :' "$program"
    status_is 0
    cp "$scratch/out" dump.json
    fits dump.json
    is "$(of_json dump.json '[p["name"] for p in dump["processes"]]')" "['sh']"
}

test_several_at_a_time() {
    stand
    run dump --json "$root_pid" $$ "$root_pid"
    leave
    status_is 0
    cp "$scratch/out" dump.json
    is "$(of_json dump.json 'len({p["pid"] for p in dump["processes"]}) == len(dump["processes"]) >= 4')" True
}

test_a_file_that_cannot_be_written() {
    run dump --output no/such/folder $$
    status_is 3
    err_has "'no/such/folder' cannot be written"
}

# What is not ours to trace is told of all the same, with what could be done about it.
test_a_stranger() {
    [ "$(id -u)" = 0 ] || skip 'we are not root'
    command -v setpriv >/dev/null || skip 'no setpriv'
    chmod 755 "$scratch"
    cp "$program" "${program%/*}/run-matrix-stacks" .
    stand
    run_command setpriv --reuid 65534 --clear-groups ./run-matrix dump --json "$root_pid"
    cp "$scratch/out" dump.json
    run_command setpriv --reuid 65534 --clear-groups ./run-matrix dump "$root_pid"
    leave
    status_is 0
    out_has 'note: stacks are to be had of processes'
    out_has 'do the same as root'
    out_has 'no stacks: it is of another user (0)'
    err_has 'environments of 3 could not be read: nothing of theirs is hidden'
    fits dump.json
    is "$(of_json dump.json '[p["name"] for p in dump["processes"]]')" "['python3', 'python3', 'sleep']"
}

# The words of the tables stand in the schema, and what stands out on the page.
test_the_schema_has_all_words() {
    rooms=$root/runner/diagnose
    sed -n 's/.*X(FINDING_[A-Z]*, *"\(.*\)").*/\1/p' "$rooms/telling.h" >kinds
    sed -n 's/.*X(\(DUMP_FD_\|DUMP_WAITS\|RUNTIME_\)[A-Z_]*, *"\([^"]\{1,\}\)").*/\2/p' "$rooms/diagnose.h" >words
    [ "$(wc -l <kinds)" -gt 10 ] || fail "only $(wc -l <kinds) kinds"
    [ "$(wc -l <words)" -gt 30 ] || fail "only $(wc -l <words) words"
    while IFS= read -r kind; do
        grep -qF "| \`$kind\` |" "$root/docs/dumps.md" || fail "docs/dumps.md has no $kind"
    done <kinds
    sort -u kinds words >all
    while IFS= read -r word; do
        grep -qF "\"$word\"" "$root/docs/dump.schema.json" || fail "docs/dump.schema.json has no $word"
    done <all
}

run_tests
