#!/bin/sh
# `doctor`: what the machine allows, without doing anything to it.
. "$(dirname "$0")/lib.sh"

# As an ordinary user, where we are root and may become one.
run_as_nobody() { # ARG...
    [ "$(id -u)" = 0 ] || skip 'not root'
    as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
    $as_nobody test -x "$program" 2>/dev/null || skip 'nobody else may run the program'
    # shellcheck disable=SC2086 # words
    run_command $as_nobody "$program" "$@"
}

# There may be others at work; the groups that one tries have its number.
groups_of() { # PID OF A DOCTOR
    find /sys/fs/cgroup -name "run-matrix-doctor-$1" 2>/dev/null
}

# A value of the JSON of the last run, by python.
json() { # EXPRESSION OF d
    python3 -c "import json, sys; d = json.load(open(sys.argv[1])); print($1)" "$scratch/out"
}

test_words() {
    run doctor
    status_is 0
    err_is_empty
    for name in 'control groups' 'limit on processes' 'limit on memory' 'PID namespaces' 'a network of its own' \
        '/tmp and IPC of its own' 'lists of children' 'looking into processes' 'files without a name' \
        'leases on files' 'terminals' 'descriptors'; do
        grep -Eq "^$name +(yes|no) +[^ ]" "$scratch/out" || fail "nothing is said of $name"
    done
    grep -Eq '^cases are contained by +(cgroup|pidns|group) +[^ ]' "$scratch/out" || fail 'no containment'
    out_has 'no run-matrix.yaml here'
}

test_nothing_is_made() {
    start doctor
    finish
    status_is 0
    is "$(ls -A)" ''
    is "$(groups_of "$runner")" ''
}

test_json() {
    run doctor --json
    status_is 0
    is "$(json 'd["schema"]')" 1
    is "$(json 'len(d["allows"])')" 12
    is "$(json 'sorted({type(a["can"]).__name__ for a in d["allows"].values()})')" "['bool']"
    is "$(json 'all(a["words"] for a in d["allows"].values())')" True
    is "$(json 'd["ending"]')" None
}

test_a_run_takes_what_it_says() {
    suite '{name: a, run: ["true"]}'
    run doctor --json
    said=$(json 'd["containment"]["name"]')
    run
    status_is 0
    is "$(records "\"containment\":\"$said\"")" 1
}

test_the_weaker_is_explained() {
    run_as_nobody doctor --json
    status_is 0
    case $(json 'd["containment"]["name"]') in
    cgroup) skip 'control groups are everybody'\''s here' ;;
    pidns) json 'd["containment"]["why"]' | grep -q '^no control groups: ' || fail 'no reason' ;;
    group) json 'd["containment"]["why"]' | grep -q '; no PID namespaces: ' || fail 'no reason' ;;
    *) fail 'unknown containment' ;;
    esac
}

# What it says root could do, done by root; in a group of ours, so that nobody else's is changed.
test_the_command_helps() {
    run_as_nobody doctor --json
    case $(json 'd["allows"]["cgroup"].get("more", "")') in
    *'mkdir -p mine'*) ;;
    *) skip 'it names no command that we could try' ;;
    esac
    make_group
    # shellcheck disable=SC2016 # for that shell
    inside='echo 0 >"$0/cgroup.procs" && exec "$@"'
    # shellcheck disable=SC2086 # words
    run_command sh -c "$inside" "$place" $as_nobody "$program" doctor --json
    command=$(json 'd["allows"]["cgroup"]["more"]')
    case $command in
    *"cd '$place' && mkdir -p mine"*) ;;
    *) fail "it would have us do something elsewhere: $command" ;;
    esac
    cat >try <<S
sudo() { "\$@"; }
id() { echo 65534; }
$command
exec $as_nobody $program doctor --json
S
    run_command sh -c "$inside" "$place" sh try
    status_is 0
    is "$(json 'd["containment"]["name"]')" cgroup
}

test_the_bound_of_an_ending() {
    suite '{name: a, run: ["true"], stop: [INT 1s, KILL 2s]}' '{name: b, run: ["true"], stop: [TERM 30s, KILL 2s]}'
    run doctor --json
    is "$(json 'd["ending"]["cases"]')" 2
    is "$(json '35 < d["ending"]["seconds"] < 38')" True
    run doctor
    out_has "at most, by the ladders of 2 cases in 'run-matrix.yaml'"
}

test_it_fits_what_github_gives() {
    suite '{name: a, run: ["true"]}' '{name: b, run: ["true"], stop: [INT 60s, TERM 60s, KILL 60s]}'
    GITHUB_ACTIONS=true
    export GITHUB_ACTIONS
    run doctor --json
    is "$(json 'd["ending"]["seconds"] < d["ending"]["most"] == 7.5')" True
}

test_a_file_with_errors() {
    echo 'tests: [' >run-matrix.yaml
    run doctor
    status_is 0
    err_is_empty
    out_has "not known: 'run-matrix list' says what is wrong with 'run-matrix.yaml'"
}

test_no_arguments() {
    run doctor x
    status_is 4
    err_has "doctor takes no argument, and got 'x'"
}

run_tests
