#!/bin/bash
# Number 18: fork fails in the thread that forks for others, and whoever asked is to be told.
. "$(dirname "$0")/lib.sh"

# The thread that forks has ended; nobody is there who could write.
test_control_who_asked_reads_for_ever() {
    begin "$naive"
    await "$scratch/out" asked
    for _ in $(seq 300); do
        tasks=$(echo "/proc/$child/task"/*)
        [ "$tasks" != "/proc/$child/task/$child" ] || break
        sleep 0.05
    done
    is "$tasks" "/proc/$child/task/$child"
    stuck_in "$child" read
    is "$(cat "/proc/$child/task/$child/children")" ''
    stop_it
}

# In a server of it one system call fails.
module_that_fails() { # FILE SYSTEM CALL
    module "$1" <<END
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
__attribute__((constructor)) static void begin(void)
{
    const char *whose = getenv("RUN_MATRIX_CASE_ID");
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_$2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof code / sizeof *code, code};

    if (!whose || !strstr(whose, "server:"))
        return;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        abort();
}
TEST(t) {}
END
}

# clone is what a thread of the living program forks by, clone3 what cases are made by. What may be there again in a moment
# is asked for some times before it is given up.
test_ours_in_a_server() {
    module_that_fails clone.so clone
    module_that_fails clone3.so clone3
    in_backends 'main_thread_forkserver forkserver' '{name: m, module: clone.so, only: "matrix.backend != '"'forkserver'"'"}' \
        '{name: m3, module: clone3.so, only: "matrix.backend == '"'forkserver'"'"}'
    run -n 2
    status_is 1
    out_has 'm::t@backend=main_thread_forkserver: cannot start a process: Resource temporarily unavailable'
    out_has 'm3::t@backend=forkserver: cannot start a process: Resource temporarily unavailable'
    no_server_is_left
}

# The runner's own.
test_ours_in_the_runner() {
    in_backends 'exec spawn' '{name: a, run: ["true"]}'
    RUN_MATRIX_FAULTS=clone=EAGAIN run -n 2
    status_is 1
    last_line_is '0 passed, 2 failed'
    is "$(grep -c 'ERROR.*: cannot start a process: Resource temporarily unavailable' "$scratch/out")" 2
}

# What is lacking for a while is waited for.
test_ours_for_a_while() {
    in_backends 'exec spawn' '{name: a, run: ["true"]}'
    RUN_MATRIX_FAULTS=clone=EAGAIN@1x3 run
    status_is 0
}

# A case that has used up all its processes is told so by its own fork, and ends by itself.
test_ours_a_limit_of_processes() {
    run exec --contain=cgroup -- true
    [ "$status" != 4 ] || skip 'no control groups'
    suite "{name: a, limits: {processes: 5}, run: [$kid, processes, '20']}"
    run --contain=cgroup
    status_is 1
    out_has 'exit status 99'
    "$program" show a | grep -q 'fork: Resource temporarily unavailable' || fail 'it was not told'
}

run_tests
