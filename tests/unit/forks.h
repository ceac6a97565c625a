/* Children of a test. */
#ifndef TESTS_FORKS_H
#define TESTS_FORKS_H

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Where there is no process more to be had the test is over: -1 is a number too, and a kill of it reaches everybody on the
 * machine.
 */
static inline pid_t must_fork(void)
{
    pid_t pid = fork();

    if (pid >= 0)
        return pid;
    perror("fork");
    _exit(1);
}

/* A child that was not reaped yet. */
static inline void end_child(pid_t pid)
{
    if (pid > 1)
        kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

#endif
