#!/bin/sh
# Number 19: a fork takes longer than anybody waits for it; then there is a child that nobody knows.
. "$(dirname "$0")/lib.sh"

test_control_a_number_in_somebodys_file() {
    run_command "$naive" log "$token"
    status_is 0
    out_is '4 bytes'
    is "$(survivors | wc -l)" 1
    is "$(od -An -td4 log | tr -d ' ')" "$(survivors)"
}

# Whoever forks for the server is held at the fork, until there is a file "released".
held_at_the_fork() {
    module t.so <<END
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void forked(void)
{
    close(open("$PWD/forked", O_CREAT | O_WRONLY, 0600));
    while (access("$PWD/released", F_OK) != 0)
        usleep(1000);
    close(open("$PWD/let-go", O_CREAT | O_WRONLY, 0600));
}
__attribute__((constructor)) static void begin(void)
{
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    if (whose && strstr(whose, "server:"))
        pthread_atfork(NULL, NULL, forked);
}
TEST(t) { close(open("$PWD/made", O_CREAT | O_WRONLY, 0600)); }
END
    in_backends 'main_thread_forkserver exec' '{name: m, module: t.so, only: "matrix.backend != '"'exec'"'"}' \
        "{name: b, run: [sh, $PWD/beside], only: \"matrix.backend == 'exec'\"}"
}

# It is told of, it is ended, and nothing comes of it when it could go on.
test_ours_it_is_ended_and_told_of() {
    held_at_the_fork
    echo 'until [ -e forked ]; do sleep 0.01; done' >beside
    for contain in group auto; do
        rm -rf .run-matrix forked released
        RUN_MATRIX_FAULTS=server-patience=1s run -n 2 --contain="$contain"
        status_is 1
        last_line_is '1 passed, 1 failed'
        out_has 'm::t@backend=main_thread_forkserver: its main_thread_forkserver did not answer in time, and was ended'
        no_server_is_left
        [ -e forked ] || fail 'it did not come as far as the fork'
        touch released
        [ ! -e let-go ] || fail 'it went on'
        [ ! -e made ] || fail 'the case has run'
    done
}

# One that is late and in time: the case runs once.
test_ours_it_is_waited_for_as_long_as_there_is_time() {
    held_at_the_fork
    echo 'until [ -e forked ]; do sleep 0.01; done; touch released' >beside
    run -n 2
    status_is 0
    last_line_is '2 passed, 0 failed'
    [ -e made ] || fail 'it did not run'
}

run_tests
