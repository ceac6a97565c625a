#!/bin/sh
# Number 16: somebody else takes the exit status of a case.
. "$(dirname "$0")/lib.sh"

test_control_a_wait_that_fails_is_status_0() {
    for how in ignored stolen; do
        run_command "$naive" "$how"
        status_is 0
        out_is 'status 0'
    done
    run_command "$naive" neither
    out_is 'status 3'
}

test_ours_children_are_ignored_by_who_started_us() {
    in_backends 'exec spawn forkserver main_thread_forkserver' '{name: a, run: "exit 3"}' '{name: b, run: ["true"]}'
    run_command env --ignore-signal=CHLD "$program"
    status_is 1
    last_line_is '4 passed, 4 failed'
    is "$(records '"reason":"exit status 3"')" 4
}

# Each time that the runner is about to reap a case somebody else in its process has just done so.
thief() {
    cat >thief.c <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

long syscall(long number, ...)
{
    static long (*real)(long, ...);
    long a[6];
    va_list rest;

    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    if (!real)
        real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
    if (number == SYS_waitid && a[0] == P_PIDFD && (int)a[3] & WEXITED && !((int)a[3] & WNOWAIT))
        real(number, a[0], a[1], 0L, a[3] | WNOHANG, 0L, 0L);
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
END
    gcc -shared -fPIC -o thief.so thief.c -ldl
}

test_ours_somebody_else_has_reaped_it() {
    ! ldd "$program" | grep -q san || skip 'a sanitizer has to be loaded before all else'
    thief
    in_backends 'exec spawn' '{name: good, run: ["true"]}' '{name: bad, run: "exit 3"}'
    run_command env LD_PRELOAD="$PWD/thief.so" "$program"
    status_is 1
    last_line_is '0 passed, 4 failed'
    is "$(records '"verdict":"lost"')" 4
    out_has 'somebody else took its exit status'
}

run_tests
