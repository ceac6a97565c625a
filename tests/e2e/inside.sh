#!/bin/sh
# timeout-method: thread. A C test that tells by itself where its threads are; and crashes, whose stacks run-matrix reads.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

signals_kill
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}disable_coredump=0
export ASAN_OPTIONS

folder=.run-matrix/latest/cases

build() { # MODULE FLAGS..., body on stdin
    module=$1
    shift
    { cat "$scratch/heading" && cat; } >t.c
    gcc -g -O1 -Wall -Wextra -Werror -shared -fPIC "-I$root/fixtures" "$@" -o "$module" t.c "$root/build/librunmatrix.a" -pthread
}

heading() {
    cat >"$scratch/heading" <<'END'
#define _GNU_SOURCE
#include <run_matrix.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;
static void *lock_other_then_one(void *user)
{
    pthread_mutex_lock(&other);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&one);
    return user;
}
__attribute__((unused)) static void lock_one_then_other(void)
{
    pthread_t thread;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&thread, NULL, lock_other_then_one, NULL);
    pthread_mutex_lock(&one);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&other);
}
#line 1 "t.c"
END
}

# The stack of the thread that stands in a function: its functions, or why there is none.
functions() { # CASE'S FOLDER FUNCTION
    python3 - "$folder/$1/1/dump.json" "$2" <<'END'
import json, sys
dump = json.load(open(sys.argv[1]))
for process in dump["processes"]:
    for thread in process["threads"]:
        stack = dump["stacks"][thread["stack"]] if thread["stack"] is not None else {"frames": []}
        names = [frame["function"] for frame in stack["frames"]]
        if any(sys.argv[2] in (name or "") for name in names):
            print(process["name"], *[name for name in names if name])
END
}

stands_in() { # CASE'S FOLDER FUNCTION
    [ "$(functions "$1" "$2")" ] || {
        sed 's/^/# /' "$folder/$1/1/dump.txt" | head -n 80
        fail "nobody stands in $2 in the dump of $1"
    }
}

# Nobody was stopped from outside.
told_by_itself() { # CASE'S FOLDER
    is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["stood_still_ms"])' "$folder/$1/1/dump.json")" 0
}

only() { # GLOB: the folder of the one case
    for path in "$folder"/$1; do
        basename "$path"
    done | head -n 1
}

test_where_all_threads_are() {
    heading
    build t.so <<'END'
TEST(hangs) { lock_one_then_other(); }
END
    every='exec spawn forkserver main_thread_forkserver subint subint_forkserver'
    in_backends "$every" '{name: t, module: t.so, timeout: 500ms, stop: [KILL], timeout-method: thread}'
    run
    status_is 1
    for backend in $every; do
        case=$(only "t-hangs@backend=$backend*")
        told_by_itself "$case"
        stands_in "$case" lock_one_then_other
        stands_in "$case" lock_other_then_one
        grep -qF 'in lock_one_then_other at ' "$folder/$case/1/dump.txt" || fail "no line in the dump of $case"
    done
    out_has 'in lock_other_then_one at t.c'
}

# Another one traces it, as a debugger would: from outside nothing is to be had. And it has closed all that it had open.
test_who_may_not_be_looked_at() {
    heading
    build t.so <<'END'
static void trace(pid_t whom, int ready)
{
    int status;
    pid_t thread;
    if (ptrace(PTRACE_SEIZE, whom, 0, PTRACE_O_TRACECLONE) < 0)
        _exit(errno == EPERM ? 77 : 1);
    if (write(ready, "", 1) != 1)
        _exit(1);
    while ((thread = waitpid(-1, &status, __WALL)) > 0)
        if (WIFSTOPPED(status))
            ptrace(PTRACE_CONT, thread, 0, status >> 16 ? 0 : WSTOPSIG(status));
    _exit(0);
}
TEST(hangs)
{
    int ready[2];
    char byte;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
    ASSERT_EQ(pipe(ready), 0);
    if (fork() == 0)
        trace(getppid(), ready[1]);
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        SKIP("nobody may be traced here");
    syscall(SYS_close_range, 0U, ~0U, 0);
    lock_one_then_other();
}
END
    suite '{name: t, module: t.so, timeout: 500ms, stop: [KILL], timeout-method: thread}' \
        '{name: control, module: t.so, timeout: 500ms, stop: [KILL]}'
    run
    [ "$(told t::hangs 'last["verdict"]')" != skipped ] || skip "$(told t::hangs 'last["reason"]')"
    stands_in "$(only 't-hangs*')" lock_one_then_other
    is "$(functions "$(only 'control-hangs*')" lock_one_then_other)" ''
    grep -q 'is traced by' "$folder/$(only 'control-hangs*')/1/dump.txt" || fail 'the control does not say who traces it'
}

# With the first thread gone, too.
test_who_does_not_answer() {
    heading
    build t.so <<'END'
static void *be_deaf(void *user)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    return lock_other_then_one(user);
}
TEST(hangs)
{
    pthread_t thread;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&thread, NULL, be_deaf, NULL);
    pthread_mutex_lock(&one);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&other);
}
END
    suite '{name: t, module: t.so, timeout: 500ms, stop: [KILL], timeout-method: thread}'
    run
    case=$(only 't-hangs*')
    told_by_itself "$case"
    stands_in "$case" test_hangs
    is "$(functions "$case" be_deaf)" ''
    grep -qF 'it does not answer: it has all signals blocked, or hangs in the kernel' "$folder/$case/1/dump.txt" ||
        fail "not said: $(cat "$folder/$case/1/dump.txt")"
}

# What it is to be asked by is gone: then it is looked at from outside.
test_who_cannot_be_asked() {
    heading
    build t.so <<'END'
#include <stdio.h>
TEST(removes)
{
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s/.stacks'", getenv("TMPDIR"));
    ASSERT_EQ(system(command), 0);
    lock_one_then_other();
}
TEST(replaces)
{
    char command[300];
    snprintf(command, sizeof command, "cd '%s/.stacks' && for f in ask-*; do rm $f; ln -s /dev/zero $f; done", getenv("TMPDIR"));
    ASSERT_EQ(system(command), 0);
    lock_one_then_other();
}
END
    suite '{name: t, module: t.so, timeout: 500ms, stop: [KILL], timeout-method: thread}'
    run
    status_is 1
    for test in removes replaces; do
        case=$(only "t-$test*")
        stands_in "$case" lock_one_then_other
        stands_in "$case" lock_other_then_one
        grep -q 'timeout-method is thread, and' "$folder/$case/1/dump.txt" || fail "not said: $(cat "$folder/$case/1/dump.txt")"
    done
}

# It is no leak, and nothing of it is left.
test_who_is_in_time() {
    heading
    build t.so <<'END'
TEST(passes, .leaks = "fds threads memory") { ASSERT_EQ(1, 1); }
END
    in_backends 'exec forkserver' \
        '{name: t, module: t.so, timeout-method: thread, leaks: {processes: fail, files: fail, outside-files: ignore}}'
    run
    status_is 0
    [ -z "$(find .run-matrix/latest/ -name 'dump*')" ] || fail 'there is a dump'
}

test_actors_tell_too() {
    heading
    build t.so <<'END'
#line 1 "t.c"
ROLE(stuck){};
ACTOR(stuck)
{
    (void)args;
    lock_one_then_other();
}
TEST(hangs)
{
    NURSERY(n)
    {
        SPAWN(n, stuck, "a");
        SPAWN(n, stuck, "b");
    }
}
END
    in_backends 'exec forkserver main_thread_forkserver' \
        '{name: t, module: t.so, timeout: 5s, stop: [KILL], timeout-method: thread}'
    run
    for backend in exec forkserver main_thread_forkserver; do
        case=$(only "t-hangs@backend=$backend*")
        is "$(functions "$case" lock_one_then_other | wc -l)" 2
        is "$(functions "$case" lock_other_then_one | wc -l)" 2
    done
}

test_programs_have_no_such_thread() {
    suite '{name: t, run: "true", timeout-method: thread}'
    run
    status_is 4
    err_has "'timeout-method: thread' is for C tests"
}

test_what_is_said_of_all_tests_is_for_those_that_can() {
    heading
    build t.so <<'END'
TEST(hangs) { for (;;) pause(); }
END
    suite '{name: t, module: t.so}' '{name: p, run: [sleep, 60]}'
    echo 'defaults: {timeout: 500ms, stop: [KILL], timeout-method: thread}' >>run-matrix.yaml
    run -n 2
    status_is 1
    out_lacks 'beside the first'
    told_by_itself "$(only "t-hangs*")"
    grep -qF 'sleep (case)' "$folder/p/1/dump.txt" || fail "not looked at: $(cat "$folder/p/1/dump.txt")"
}

# ---- crashes ----

some_crashes() {
    heading
    build t.so <<'END'
static void reach(volatile int *at)
{
    *at = 1;
}
TEST(faults) { int *volatile nowhere = NULL; reach(nowhere); }
TEST(is_expected, .xfail_signal = SIGSEGV) { raise(SIGSEGV); }
static void *fault(void *user) { int *volatile nowhere = user; reach(nowhere); return NULL; }
TEST(faults_in_a_thread)
{
    pthread_t thread;
    pthread_create(&thread, NULL, fault, NULL);
    pthread_join(thread, NULL);
}
END
}

test_a_crash_is_part_of_what_is_said() {
    some_crashes
    every='exec spawn forkserver main_thread_forkserver subint subint_forkserver'
    in_backends "$every" '{name: t, module: t.so, limits: {core: 0}}'
    run
    status_is 1
    for backend in $every; do
        id="t::faults@backend=$backend"
        is "$(told "$id" 'last["said"][-1]["kind"], last["said"][-1]["line"]')" "('crash', 5)"
        told "$id" 'last["said"][-1]["words"]' >words
        grep -qx 'died of SIGSEGV at address 0' words || fail "$id: $(cat words)"
        grep -q '^  reach at t.c:[34]' words || fail "$id: $(cat words)"
        grep -q '^  test_faults at t.c:5' words || fail "$id: $(cat words)"
        ! grep -q 'mx_\|run_body\|more' words || fail "$id: $(cat words)"
        told "t::faults_in_a_thread@backend=$backend" 'last["said"][-1]["words"]' | grep -q '^  fault at t.c:7' ||
            fail "$backend: no thread"
        is "$(told "t::is_expected@backend=$backend" 'last["verdict"], last.get("dump")')" "('xfailed', None)"
        stands_in "$(only "t-faults@backend=$backend*")" reach
    done
    out_has '          test_faults at t.c:5'
    run report --format junit
    out_has '  test_faults at t.c:5'
}

# Who makes functions and lines of it may not be there, or die: the run goes on, and says so.
test_a_crash_that_nobody_can_read() {
    some_crashes
    suite '{name: t, module: t.so, limits: {core: 0}}'
    mkdir bin
    cp "$program" "${program%/*}/run-matrix-host" bin
    program=$PWD/bin/run-matrix
    run run --id t::faults
    status_is 1
    is "$(told t::faults '"said" in last, "dump" in last')" '(False, False)'
    grep -q '  | .*test_faults at .*t.c:5' "$scratch/out" || fail "no stack: $(cat "$scratch/out")"
    for end in 'exit 1' 'kill -SEGV $$' 'exec sleep 1000'; do
        printf '%s\n' '#!/bin/sh' "$end" >bin/run-matrix-stacks
        chmod +x bin/run-matrix-stacks
        run run --id t::faults
        status_is 1
        told t::faults 'last["said"][-1]["words"]' >words
        grep -qx 'died of SIGSEGV at address 0' words || fail "$end: $(cat words)"
        grep -q '^  its stack: run-matrix-stacks' words || fail "$end: $(cat words)"
        is "$(told t::faults '"dump" in last')" False
    done
}

# As it is without run-matrix.
test_a_crash_without_dumps() {
    some_crashes
    suite '{name: t, module: t.so, limits: {core: 0}, dump: [timeout]}'
    run run --id t::faults
    status_is 1
    is "$(told t::faults '"said" in last, "dump" in last')" '(False, False)'
    out_has '  | t.c:5: faults: died of SIGSEGV at address 0'
    out_lacks mx_call_
    grep -q '  | .*test_faults at .*t.c:5' "$scratch/out" || fail "no stack: $(cat "$scratch/out")"
}

test_a_core_of_a_program() {
    case $(cat /proc/sys/kernel/core_pattern) in
    '|'* | @* | '') skip "cores are not kept in files: $(cat /proc/sys/kernel/core_pattern)" ;;
    esac
    cat >p.c <<'END'
static void reach(volatile int *at)
{
    *at = 1;
}
int main(void)
{
    reach(0);
}
END
    gcc -g -O0 -o p p.c
    bash -c 'ulimit -S -c unlimited' || skip 'no core may be dumped here'
    suite '{name: p, run: ./p}' '{name: without, run: ./p, dump: [timeout, kill]}'
    # One after another: where the kernel calls each core 'core', of two at a time only one is written.
    run_command bash -c 'ulimit -S -c unlimited && exec "$@"' bash "$program" -n 1
    out_has 'p: SIGSEGV (core dumped)'
    [ "$(told p '[n for n in last["notes"] if n.startswith("its core is")]')" != '[]' ] || skip 'no core is kept here'
    out_has 'in reach at p.c:3'
    stands_in p reach
    is "$(told without '"dump" in last')" False
}

run_tests
