#!/bin/sh
# Actors that are threads of the process of their test, and what becomes of a test whose threads do not end.
. "$(dirname "$0")/lib.sh"
own_world # compilers leave files in /tmp for a moment, and others look for what is left there

library=$root/build/librunmatrix.a

heading() {
    cat <<'END'
#define _GNU_SOURCE
#include <run_matrix.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
ROLE(quiet){};
ACTOR(quiet) { (void)args; }
ROLE(deaf){};
ACTOR(deaf)
{
    (void)args;
    mx_send(mx_parent(), "", 0);
    for (;;)
        usleep(1000);
}
#line 1 "t.c"
END
}

build() { # WORD... FILE
    gcc -O1 -g -Wall -Wextra -Wno-unused-result -shared -fPIC "-I$root/fixtures" -o t.so "$@" "$library" -pthread
}

module() { # source on stdin
    { heading && cat; } >t.c
    build t.c
}

in_cells() { # CAPTURES [BACKENDS [MORE KEYS]]
    echo "strategy: {matrix: {capture: [$1], backend: [${2:-subint, subint_forkserver}]}}" >run-matrix.yaml
    echo "tests: [{name: t, module: t.so${3-}}]" >>run-matrix.yaml
}

verdict_is() { is "$1: $(told "$1" 'case["verdict"]')" "$1: $2"; }
reason_has() { told "$1" 'last["reason"]' | grep -qF "$2" || fail "$1: $(told "$1" 'last["reason"]')"; }

test_by_every_transport_and_capture() {
    build "$root/tests/suites/threads/threads.c"
    cat >run-matrix.yaml <<'END'
strategy: {matrix: {backend: [subint, subint_forkserver], transport: [tcp, uds], capture: [sys, tee-sys]}}
defaults: {timeout: 2m, leak-grace: 1s}
tests: [{name: t, module: t.so}]
END
    run run -n 4
    status_is 0
    out_has ' passed, 0 failed'
}

test_descriptors_of_their_own_cannot_be_had() {
    module <<'END'
TEST(spawns)
{
    NURSERY(n)
    SPAWN(n, quiet, "a");
}
TEST(spawns_none) { puts("x"); }
END
    in_cells 'fd, merged, sys, no, discard'
    run
    status_is 0
    for backend in subint subint_forkserver; do
        for capture in fd merged; do
            id="t::spawns@capture=$capture,backend=$backend"
            verdict_is "$id" unsupported
            reason_has "$id" "use capture 'sys' or 'tee-sys'"
            verdict_is "t::spawns_none@capture=$capture,backend=$backend" passed
        done
        for capture in sys no discard; do
            verdict_is "t::spawns@capture=$capture,backend=$backend" passed
        done
    done
}

# The process of the test ends when it does, with the threads that go on.
test_one_that_does_not_end_is_named() {
    module <<'END'
TEST(leaves_one)
{
    NURSERY(n, .budget = "200ms")
    {
        SPAWN(n, quiet, "good");
        mx_receive(mx_peer_of(SPAWN(n, deaf, "hard_of_hearing")), "30s"); /* until its body has begun it listens */
        FAIL("enough");
    }
}
TEST(goes_on) { puts("x"); }
END
    in_cells sys
    run
    status_is 1
    for backend in subint subint_forkserver; do
        id="t::leaves_one@capture=sys,backend=$backend"
        verdict_is "$id" failed
        "$program" show "$id" >shown
        grep -q 'hard_of_hearing@.* was abandoned.*: its thread did not end' shown || fail "$(cat shown)"
        verdict_is "t::goes_on@capture=sys,backend=$backend" passed
    done
    nobody_is_left
}

nobody_is_left() {
    ! pgrep -f 'run-matrix: case t::leaves_one@' >left || fail "left: $(cat left)"
}

# What ends the process ends the test, whoever does it; exit() of an actor does not.
test_what_ends_the_process_ends_the_test() {
    module <<'END'
ROLE(ending){};
ACTOR(ending)
{
    (void)args;
    _exit(0);
}
TEST(is_ended)
{
    NURSERY(n)
    SPAWN(n, ending, "a");
}
ROLE(crashing){};
ACTOR(crashing)
{
    (void)args;
    *(volatile int *)8 = 1;
}
TEST(is_crashed)
{
    NURSERY(n)
    SPAWN(n, crashing, "a");
}
END
    in_cells sys
    run
    status_is 1
    for backend in subint subint_forkserver; do
        verdict_is "t::is_ended@capture=sys,backend=$backend" failed
        reason_has "t::is_ended@capture=sys,backend=$backend" 'before its test could end it'
        verdict_is "t::is_crashed@capture=sys,backend=$backend" crashed
    done
}

# What is said to the loader is not for the test, and what the user says to it holds.
test_the_environment_is_that_of_the_case() {
    module <<'END'
ROLE(reader){};
ACTOR(reader)
{
    const char *expected = getenv("EXPECTED"), *tunables = getenv("GLIBC_TUNABLES");

    (void)args;
    ASSERT_NULL(getenv("RUN_MATRIX_TUNED"));
    ASSERT_STR_EQ(tunables ? tunables : "", expected);
}
TEST(reads)
{
    NURSERY(n)
    SPAWN(n, reader, "a");
    ASSERT_NULL(getenv("RUN_MATRIX_TUNED"));
    ASSERT_STR_EQ(getenv("GLIBC_TUNABLES") ? getenv("GLIBC_TUNABLES") : "", getenv("EXPECTED"));
}
END
    in_cells sys 'subint, subint_forkserver' ', env: {EXPECTED: ""}'
    run
    status_is 0
    in_cells sys 'subint, subint_forkserver' ', env: {EXPECTED: glibc.malloc.check=0, GLIBC_TUNABLES: glibc.malloc.check=0}'
    run
    status_is 0
}

# Threads that a test has started: what they have of their own is freed by its libc when another one takes their stack.
test_threads_with_variables_of_their_own() {
    module <<'END'
static __thread int own[100];
static void *write_own(void *user)
{
    own[3]++;
    return user;
}
TEST(starts_many)
{
    for (int i = 0; i < 100; i++) {
        pthread_t thread;

        ASSERT_EQ(pthread_create(&thread, NULL, write_own, NULL), 0);
        pthread_join(thread, NULL);
    }
}
END
    in_cells fd
    run
    status_is 0
}

# 25 that nothing ends: their process goes, they are told by their names, and what runs beside it is not touched.
test_threads_that_spin() {
    module <<'END'
static void *spin(void *user)
{
    volatile int goes_on = 1;

    while (goes_on)
        ;
    return user;
}
TEST(spins, .timeout = "4s")
{
    pthread_t threads[25];
    char name[16];

    for (int i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "spinner-%d", i);
        pthread_create(&threads[i], NULL, spin, NULL);
        pthread_setname_np(threads[i], name);
    }
    pthread_join(threads[0], NULL);
}
TEST(leaves_them)
{
    pthread_t thread;

    for (int i = 0; i < 25; i++)
        pthread_create(&thread, NULL, spin, NULL);
}
TEST(goes_on) { puts("x"); }
END
    in_cells fd '' ', stop: [INT 200ms, KILL]'
    run -n 2
    status_is 1
    spins='t::spins@capture=fd,backend=subint'
    verdict_is "$spins" abandoned
    verdict_is "${spins}_forkserver" timeout
    for backend in subint subint_forkserver; do
        for i in 0 7 24; do
            notes_have "t::spins@capture=fd,backend=$backend" "spinner-$i"
        done
        verdict_is "t::leaves_them@capture=fd,backend=$backend" passed
        verdict_is "t::goes_on@capture=fd,backend=$backend" passed
    done
    ! pgrep -f 'run-matrix: case t::spins@' >left || fail "left: $(cat left)"
}

notes_have() { # ID WORD
    told "$1" 'last["notes"]' | grep -q "beside the first when it was ended: .*$2[,']" || fail "$1: $(told "$1" 'last["notes"]')"
}

# What loads has the loader of the process for itself; when it is back after all, all is as before.
test_a_constructor_that_hangs_is_not_waited_for() {
    module <<'END'
__attribute__((constructor)) static void hang(void)
{
    const char *path = getenv("HANGS");

    while (path && access(path, F_OK) == 0)
        usleep(1000);
}
static struct mx_outcome spawn(const char *boot)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .boot = boot);

    return mx_wait(SPAWN(n, quiet, "a"), NULL);
}
TEST(hangs)
{
    const char *path = mx_write_file("hangs", "");

    mx_setenv("HANGS", path);
    for (int i = 0; i < 3; i++) {
        struct mx_outcome outcome = spawn("300ms");

        ASSERT_EQ((int)outcome.came, MX_NOT_BORN);
        ASSERT_NOT_NULL(strstr(outcome.words, "a constructor"), "%s", outcome.words);
    }
    unlink(path);
    for (int i = 0; i < 5000 && spawn("10s").came == MX_NOT_BORN; i++)
        mx_sleep("1ms");
    for (int i = 0; i < 20; i++)
        ASSERT_EQ((int)spawn("10s").came, MX_CAME_TO_END);
}
TEST(hangs_to_the_end)
{
    mx_setenv("HANGS", mx_write_file("hangs", ""));
    ASSERT_EQ((int)spawn("300ms").came, MX_NOT_BORN);
}
END
    in_cells sys '' ', timeout: 20s'
    run
    status_is 0
}

run_tests
