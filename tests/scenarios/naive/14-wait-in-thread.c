/*
 * A thread that waits for a child, and another that wants it to stop waiting: by a flag, and by a signal whose handler does
 * nothing. Says the number of the thread, and goes on at SIGUSR2.
 */
#include "tests/kids/kid/kid.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_bool cancelled;
static atomic_int thread_id;

static void nothing(int signal)
{
    (void)signal;
}

static void *wait_for(void *pid)
{
    atomic_store(&thread_id, gettid());
    while (!atomic_load(&cancelled) && waitpid(*(pid_t *)pid, NULL, 0) < 0)
        ;
    return NULL;
}

int main(void)
{
    pthread_t thread;
    sigset_t go_on;
    int signal;
    pid_t child;

    limit_life(KID_LIFE);
    sigemptyset(&go_on);
    sigaddset(&go_on, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &go_on, NULL);
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = nothing, .sa_flags = SA_RESTART}, NULL);
    child = kid_fork();
    if (child == 0)
        linger();
    if (child < 0 || pthread_create(&thread, NULL, wait_for, &child) != 0)
        return broken("thread");
    while (!atomic_load(&thread_id))
        sched_yield();
    printf("%d\n", atomic_load(&thread_id));
    fflush(stdout);
    sigwait(&go_on, &signal); /* from somebody who has seen it wait */
    atomic_store(&cancelled, true);
    pthread_kill(thread, SIGUSR1);
    say("told");
    pthread_join(thread, NULL);
    say("it has stopped");
    return 0;
}
