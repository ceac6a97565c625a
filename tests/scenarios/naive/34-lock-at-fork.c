/*
 * A thread holds a lock while another one forks, and the child wants it: "log" is a lock of the program's own, "stdio" that
 * of a stream, where the child was not made by the fork of libc.
 */
#include "tests/kids/kid/kid.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t held;
static bool stdio;

static void *hold(void *user)
{
    (void)user;
    if (stdio)
        flockfile(stdout);
    else
        pthread_mutex_lock(&log_lock);
    pthread_barrier_wait(&held);
    linger();
}

static _Noreturn void be_child(void)
{
    if (stdio)
        puts("child");
    else
        pthread_mutex_lock(&log_lock);
    _exit(0);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    pid_t pid;

    limit_life(KID_LIFE);
    stdio = argc > 1 && strcmp(argv[1], "stdio") == 0;
    pthread_barrier_init(&held, NULL, 2);
    if (pthread_create(&thread, NULL, hold, NULL) != 0)
        return broken("thread");
    pthread_barrier_wait(&held);
    pid = stdio ? (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL) : fork();
    if (pid == 0)
        be_child();
    return pid > 0 && waitpid(pid, NULL, 0) == pid ? 0 : 99;
}
