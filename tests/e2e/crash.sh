#!/bin/sh
# C tests that die of a signal: they do, and stderr says where.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

signals_kill

host=${program%/*}/run-matrix-host

build() { # MODULE FLAGS..., body on stdin
    module=$1
    shift
    { echo '#include <run_matrix.h>' && cat; } >unit.c
    gcc -g -Wall -Wextra -Werror "-I$root/fixtures" "$@" -o "$module" unit.c "$root/build/librunmatrix.a"
}

dies_of() { # SIGNAL COMMAND...
    case $1 in
    SEGV) wanted=139 ;;
    ABRT) wanted=134 ;;
    esac
    shift
    run_command sh -c 'ulimit -c 0; "$@"; exit $?' sh "$@"
    status_is "$wanted"
}

frames_has() { # TEXT: a line of the stack
    grep -qFx "  $1" "$scratch/err" || fail "no frame '$1' in: $(cat "$scratch/err")"
}

some_tests() {
    cat <<'END'
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
static void reach(volatile int *at)
{
    *at = 1;
}
static int deep(int n)
{
    volatile char room[4096];
    room[0] = (char)n;
    return n < 0 ? 0 : deep(n + 1) + room[0];
}
TEST(faults)
{
    reach(NULL);
}
TEST(overflows)
{
    deep(1);
}
TEST(aborts)
{
    abort();
}
TEST(is_sent)
{
    kill(getpid(), SIGSEGV);
}
TEST(jumps)
{
    ((void (*)(void))16)();
}
TEST(has_no_path)
{
    setenv("PATH", "/nonexistent", 1);
    reach(NULL);
}
TEST(child_dies)
{
    ASSERT_DIES(reach(NULL), SIGSEGV);
    if (fork() == 0)
        reach(NULL);
}
TEST(heeds_it_itself)
{
    signal(SIGSEGV, SIG_IGN);
    kill(getpid(), SIGSEGV);
}
END
}

# What the loader says of an address is not what addr2line wants to hear where a program cannot be moved.
test_says_where() {
    some_tests | build unit.so -shared -fPIC
    some_tests | build movable -fPIE -pie
    some_tests | build fixed -fno-pie -no-pie
    for how in "$host unit.so" ./movable ./fixed; do
        # shellcheck disable=SC2086 # words
        dies_of SEGV $how --case faults
        err_has 'unit.c:15: faults: died of SIGSEGV at address 0'
        frames_has 'reach at unit.c:7'
        frames_has 'test_faults at unit.c:17'
    done
}

test_says_where_of_all_kinds() {
    some_tests | build unit.so -shared -fPIC
    dies_of SEGV "$host" unit.so --case overflows
    err_has 'unit.c:19: overflows: died of SIGSEGV at address 0x'
    frames_has 'deep at unit.c:13'
    dies_of ABRT "$host" unit.so --case aborts
    err_has 'unit.c:23: aborts: died of SIGABRT'
    frames_has 'test_aborts at unit.c:25'
    dies_of SEGV "$host" unit.so --case is_sent
    err_has 'unit.c:27: is_sent: died of SIGSEGV'
    err_lacks 'address'
    frames_has 'test_is_sent at unit.c:29'
    dies_of SEGV "$host" unit.so --case jumps
    err_has 'unit.c:31: jumps: died of SIGSEGV at address 0x10'
}

test_without_addr2line() {
    some_tests | build unit.so -shared -fPIC
    dies_of SEGV "$host" unit.so --case has_no_path
    err_has 'unit.c:35: has_no_path: died of SIGSEGV at address 0'
    grep -q '^  .*unit.so+0x[0-9a-f]*$' "$scratch/err" || fail "no address in: $(cat "$scratch/err")"
}

# Children of the test are its own matter.
test_says_nothing_of_others() {
    some_tests | build unit.so -shared -fPIC
    for test in child_dies heeds_it_itself; do
        run_command sh -c 'ulimit -c 0; "$@"; exit $?' sh "$host" unit.so --case "$test"
        status_is 0
        err_lacks 'died of'
    done
}

test_under_each_backend() {
    every='exec spawn forkserver main_thread_forkserver subint subint_forkserver'
    some_tests | build unit.so -shared -fPIC
    in_backends "$every" '{name: unit, module: unit.so, limits: {core: 0}}'
    run run --id 'unit::faults*'
    status_is 1
    for backend in $every; do
        out_has "unit::faults@backend=$backend: SIGSEGV"
    done
    grep -q 'test_faults at .*unit.c:17' "$scratch/out" || fail "not told: $(cat "$scratch/out")"
    last_line_is '0 passed, 6 failed'
}

# With its lock held, which a test with threads takes: the handler needs none of it.
test_a_crash_within_malloc() {
    build t -Wno-use-after-free -pthread <<'END'
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
static void *idle(void *user)
{
    pause();
    return user;
}
TEST(frees_twice)
{
    char *volatile large = malloc(5000), *volatile after = malloc(100);
    pthread_t thread;

    pthread_create(&thread, NULL, idle, NULL);
    free(large);
    free(large);
    free(after);
}
END
    dies_of ABRT timeout -k 1 30 ./t --case frees_twice
    err_has 'unit.c:10: frees_twice: died of SIGABRT'
}

run_tests
