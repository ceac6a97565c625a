#!/bin/sh
# --debugger and --wrapper: a command that runs the case in our place, with somebody at the terminal or without; and cores.
# shellcheck disable=SC2016 # the shells of tests are to expand them
. "$(dirname "$0")/lib.sh"
own_world # compilers and debuggers leave files in /tmp for a moment
export TERM=xterm DEBUGINFOD_URLS=
# A host that is built with a sanitizer must not catch what it is to die of, and cannot look for leaks below a debugger.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0:detect_leaks=0:disable_coredump=0
export ASAN_OPTIONS

on_terminal() { # WORD KEYS [--then WORD KEYS]... ARG...
    run_command python3 "$root/tests/e2e/on_terminal.py" "$@"
}

script() { # FILE, body on stdin
    { echo '#!/bin/sh' && cat; } >"$1"
    chmod +x "$1"
}

module() { # NAME, body on stdin
    { echo '#include <run_matrix.h>' && cat; } >"$1.c"
    gcc -g -O0 -shared -fPIC "-I$root/fixtures" -o "$1.so" "$1.c" "$root/build/librunmatrix.a"
}

need_gdb() {
    command -v gdb >"$scratch/null" || skip 'there is no gdb'
    gdb -nx -batch -ex run --args true >"$scratch/null" 2>&1 || :
    grep -q 'exited normally' "$scratch/null" || skip 'gdb cannot debug here'
}

test_it_is_for_one_case() {
    suite '{name: a, run: ["true"]}' '{name: b, run: ["true"]}'
    run run --debugger 'gdb --args'
    status_is 4
    err_has "'--debugger' is for one case, and 2 are selected: name one by its id, such as 'a'"
    [ ! -e .run-matrix/latest ] || fail 'a run has begun'
    run run --debugger env --id b
    status_is 0
    last_line_is '1 passed, 0 failed'
}

test_what_cannot_be_a_command() {
    suite '{name: a, run: ["true"]}'
    for bad in 'gdb "--args' "gdb 'x" "gdb \\" '' '  ' "''"; do
        run run --debugger "$bad"
        status_is 4
        err_has "'--debugger'"
    done
    run run --wrapper "'"
    status_is 4
    err_has "'--wrapper' has a ' that is not closed"
    run run --wrapper env --debugger env
    status_is 4
    err_has 'cannot be had together'
    run run --debugger env -w
    status_is 4
    run run --debugger no-such-debugger
    status_is 1
    out_has "no program 'no-such-debugger' on the PATH"
}

test_it_has_what_the_case_would_have() {
    mkdir sub 'a b'
    script 'a b/debugger' <<'END'
printf '<%s>' "$@"
echo " in ${PWD##*/}, X=$X, id=$RUN_MATRIX_CASE_ID, cell=$RUN_MATRIX_AXIS_OS"
[ -e ../up ] && echo 'the fixture is up'
shift
"$@"
END
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {os: [one, two]}}
fixtures:
  f: {run: [touch, up], teardown: [mv, up, down]}
tests:
  - {name: a, run: [sh, -c, 'exit $X', "it's"], cwd: sub, env: {X: 3}, fixtures: [f]}
END
    run run --debugger './"a b"/debugger --opt=\"' --id a@os=two
    status_is 1
    out_has "<--opt=\"><$(command -v sh)><-c><exit \$X><it's> in sub, X=3, id=a@os=two, cell=two"
    out_has 'the fixture is up'
    out_has 'a@os=two: exit status 3'
    [ -e down ] || fail 'the fixture was not torn down'
}

test_no_limit_of_ours_is_for_it() {
    suite '{name: a, run: ["true"], timeout: 200ms, slow: 100ms, output-limit: 10, retries: 3}'
    script debugger <<'END'
echo $RUN_MATRIX_ATTEMPT >>attempts
sleep 0.8
echo more than ten bytes
exit 5
END
    run run --debugger ./debugger --session-timeout 300ms
    status_is 1
    out_has 'a: exit status 5'
    out_has 'more than ten bytes'
    is "$(cat attempts)" 1
}

test_it_has_the_terminal_and_its_keys() {
    suite '{name: a, run: ["true"], timeout: 1s}'
    script debugger <<'END'
trap 'echo interrupted' INT
exec 3</dev/tty
tty
ps -o tpgid=,pgid= -p $$ | awk '$1 == $2 { print "in front" }'
echo 'say 1'
read -r word || read -r word
echo "you said $word"
"$@"
END
    for contain in cgroup pidns group; do
        on_terminal 'say 1' '\x03' --then interrupted 'hello\n' "$program" run --contain "$contain" --debugger ./debugger
        [ "$status" != 4 ] || continue # not to be had here
        status_is 0
        out_has 'in front'
        out_has '/dev/'
        out_has 'you said hello'
        out_has '1 passed, 0 failed'
        out_lacks 'starting nothing more'
    done
}

test_the_run_is_cancelled_by_others() {
    suite '{name: a, run: ["true"], stop: [KILL]}'
    script debugger <<'END'
kill -TERM $PPID
exec sleep 100
END
    run run --debugger ./debugger
    status_is 2
    nobody_is_left
}

test_a_C_test_is_started_by_exec() {
    printf 'TEST(one) {}\nTEST(two) {}\n' | module t
    printf '%s\n' 'strategy: {matrix: {backend: [forkserver, exec, subint]}}' 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run run --debugger 'echo debugging' --id 't::two@backend=subint'
    status_is 0
    out_has "debugging ${program%/*}/run-matrix-host ./t.so --attempt two"
    err_has "with '--debugger' it is started as by backend 'exec', not by 'subint'"
    out_has '1 passed, 0 failed'
    run run --debugger 'echo debugging' --id 't::two@backend=exec'
    status_is 0
    err_lacks 'started as'
}

test_gdb_stops_in_a_C_test() {
    need_gdb
    module t <<'END'
static int twice(int n) { return 2 * n; }
TEST(adds) { if (twice(21) != 42) FAIL("no"); }
TEST(crashes) { volatile int *nowhere = 0; *nowhere = twice(1); }
END
    printf '%s\n' 'strategy: {matrix: {backend: [forkserver]}}' 'tests: [{name: t, module: t.so}]' >run-matrix.yaml
    run run --debugger "gdb -nx -batch -ex 'set breakpoint pending on' -ex 'break twice' -ex run -ex bt -ex continue --args" --id 't::adds'
    status_is 0
    out_has 'twice (n=21) at t.c:2'
    run run --debugger "gdb -nx -batch -return-child-result -ex run -ex bt --args" --id 't::crashes'
    out_has 'received signal SIGSEGV'
    out_has 'at t.c:4'
    status_is 1
}

test_gdb_at_a_terminal_takes_ctrl_c() {
    need_gdb
    module t <<'END'
#include <stdio.h>
TEST(loops) { printf("round and round\n"); fflush(stdout); for (;;) __asm__ volatile("" ::: "memory"); }
END
    suite '{name: t, module: t.so, timeout: 1s}'
    for contain in cgroup pidns group; do
        on_terminal '(gdb)' 'run\n' --then 'round and round' '\x03' --then '(gdb)' '\x03' --then '(gdb)' 'bt\n' \
            --then 't.c:3' 'kill\n' --then '(y or n)' 'y\n' --then '(gdb)' 'quit\n' \
            "$program" run --contain "$contain" --id t::loops \
            --debugger "gdb -nx -q -ex 'set style enabled off' -ex 'set pagination off' --args"
        [ "$status" != 4 ] || continue # not to be had here
        status_is 0
        out_has 'Program received signal SIGINT'
        out_has 't.c:3'
        out_has '1 passed, 0 failed'
    done
    nobody_is_left
}

with_cores() { # CMD ARG...
    run_command bash -c 'ulimit -S -c unlimited && exec "$@"' bash "$@"
}

# Where the kernel's pattern is one for files, they may be as large as they like, and this machine keeps them.
test_a_core_is_named() {
    case $(cat /proc/sys/kernel/core_pattern) in
    '|'* | @* | '') skip "cores are not kept in files: $(cat /proc/sys/kernel/core_pattern)" ;;
    esac
    mkdir sub
    with_cores sh -c 'cd sub; kill -SEGV $$'
    [ "$(ls sub)" ] || skip 'no core is dumped here'
    rm -f sub/*
    printf '%s\n' '#include <signal.h>' 'TEST(crashes) { raise(SIGSEGV); }' | module t
    in_backends 'exec forkserver' '{name: t, module: t.so, cwd: sub}' \
        '{name: none, run: [sh, -c, "kill -SEGV $$"], limits: {core: 0}, axes: []}' \
        '{name: fine, run: ["true"], axes: []}'
    for contain in cgroup pidns group; do
        rm -f sub/*
        with_cores "$program" run -n 1 --contain "$contain"
        [ "$status" = 1 ] || continue
        out_has 't::crashes@backend=forkserver: SIGSEGV (core dumped)'
        "$program" report --format json >report.json
        "$program" report --format junit >report.xml
        for backend in exec forkserver; do
            note=$(told "t::crashes@backend=$backend" '[n for n in last["notes"] if n.startswith("its core is")][0]')
            core=${note#*\'} core=${core%%\'*}
            is "$(readlink -f "$(dirname "$core")")" "$(readlink -f sub)"
            [ -s "$core" ] || fail "there is no '$core'"
            out_has "$note"
            grep -qF "$core" report.json || fail 'not in the report as JSON'
            grep -qF "$core" report.xml || fail 'not in the report as JUnit'
            case $note in
            *"gdb ${program%/*}/run-matrix-host $core") ;;
            *) fail "$note" ;;
            esac
        done
        out_has 'none: SIGSEGV'
        [ "$(grep -c 'its core is' "$scratch/out")" = 2 ] || fail 'a core too many'
    done
    [ "$core" ] || { show err && fail 'by no containment'; }
}

test_a_core_that_is_gone_is_not_named() {
    case $(cat /proc/sys/kernel/core_pattern) in
    '|'* | @* | '' | /*) skip "cores are not kept beside the case: $(cat /proc/sys/kernel/core_pattern)" ;;
    esac
    mkdir elsewhere
    touch -d '1 hour ago' core
    with_cores "$program" exec -- sh -c 'cd elsewhere; kill -SEGV $$'
    [ "$(ls elsewhere)" ] || skip 'no core is dumped here'
    out_has "a core was dumped to '$(cat /proc/sys/kernel/core_pattern)'"
    out_lacks 'its core is'
}

test_a_wrapper_runs_all() {
    script wrapper <<'END'
echo "wrapped: $1"
shift
exec "$@"
END
    printf 'TEST(passes) {}\nTEST(fails) { FAIL("so"); }\nTEST(skips) { SKIP("why not"); }\nTEST(leaves) { mx_leave(); }\n' |
        sed 's/mx_leave()/_exit(0)/; 1i #include <unistd.h>' | module t
    in_backends 'exec forkserver subint' '{name: t, module: t.so}' \
        '{name: p, run: [sh, -c, "exit 4"]}' '{name: hangs, run: [sleep, "100"], timeout: 300ms, stop: [KILL], axes: []}'
    run run --wrapper './wrapper a' -n 2
    status_is 1
    last_line_is '3 passed, 10 failed, 3 skipped'
    out_has 't::fails@backend=subint: t.c:4: so'
    out_has 'p@backend=forkserver: exit status 4'
    out_has 'hangs: timed out after 300ms'
    out_has 't::leaves@backend=exec: its process ended with status 0 before its test could end it'
    err_has "with '--wrapper' it is started as by backend 'exec'"
    is "$(cat .run-matrix/latest/cases/*hangs*/1/stdout)" 'wrapped: a'
}

run_tests
