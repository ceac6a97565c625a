/*
 * take-pid PID COMMAND...: waits until a number is free, and has the command run with it, in a session of its own. Ends
 * when that is so; with 77 where a number cannot be chosen.
 */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t fork_as(pid_t pid)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

int main(int argc, char **argv)
{
    pid_t pid = argc > 2 ? (pid_t)atol(argv[1]) : 0, child;

    limit_life(KID_LIFE);
    if (pid <= 0)
        return 99;
    /* Whoever has it may be dead and not reaped. */
    while ((child = fork_as(pid)) < 0 && errno == EEXIST)
        poll(NULL, 0, 1);
    if (child == 0) {
        setsid();
        execvp(argv[2], argv + 2);
        _exit(99);
    }
    if (child < 0)
        perror("clone3");
    return child == pid ? 0 : 77;
}
