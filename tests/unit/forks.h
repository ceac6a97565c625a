/* Children of a test. */
#ifndef TESTS_FORKS_H
#define TESTS_FORKS_H

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
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

/* Nobody stays for ever because a test went wrong, not even stopped or deaf. A child has to say so itself. */
static inline void limit_life(int seconds)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct itimerspec when = {.it_value = {.tv_sec = seconds}};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0 && timer_settime(timer, 0, &when, NULL) == 0)
        return;
    perror("timer");
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
