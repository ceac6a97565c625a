/*
 * 30-late-snapshot [late]: a worker hangs in busy_here(), and its stack is dumped; with `late` as a harness does that takes
 * its snapshot where the deadline is handled: when what hung has been unwound.
 */
#include <execinfo.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static sigjmp_buf top;
static sem_t inside, unwound, dumped;

void busy_here(void);
void waits_for_nothing(void);

__attribute__((noinline)) void busy_here(void)
{
    sem_post(&inside);
    for (;;)
        pause();
}

__attribute__((noinline)) void waits_for_nothing(void)
{
    sem_post(&unwound);
    for (;;)
        pause();
}

static void cancel(int signal)
{
    (void)signal;
    siglongjmp(top, 1);
}

static void dump(int signal)
{
    void *frames[64];

    (void)signal;
    backtrace_symbols_fd(frames, backtrace(frames, 64), 1);
    sem_post(&dumped);
}

static void *work(void *arg)
{
    if (sigsetjmp(top, 1) == 0)
        busy_here();
    waits_for_nothing();
    return arg;
}

static void await(sem_t *sem)
{
    while (sem_wait(sem) < 0)
        ;
}

int main(int argc, char **argv)
{
    pthread_t worker;
    void *frames[1];

    (void)argv;
    backtrace(frames, 1); /* loads what it needs: not in a handler */
    sem_init(&inside, 0, 0);
    sem_init(&unwound, 0, 0);
    sem_init(&dumped, 0, 0);
    signal(SIGUSR1, cancel);
    signal(SIGUSR2, dump);
    if (pthread_create(&worker, NULL, work, NULL) != 0)
        return 99;
    await(&inside);
    if (argc > 1) {
        pthread_kill(worker, SIGUSR1);
        await(&unwound);
    }
    pthread_kill(worker, SIGUSR2);
    await(&dumped);
    _exit(0);
}
