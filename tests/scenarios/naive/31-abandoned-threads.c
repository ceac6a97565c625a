/*
 * A harness that runs its cases on threads of its own, tells them to end by a flag, waits for a while and goes on:
 * 25 that spin, the first of which holds a lock, and one that needs it.
 */
#include <dirent.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t cancelled; /* nobody looks */
static sem_t begun;

static struct timespec in_ms(long ms)
{
    struct timespec at;

    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += ms * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void *spin(void *arg)
{
    pthread_mutex_trylock(&registry);
    sem_post(&begun);
    for (volatile bool on = true; on;)
        ;
    return arg;
}

static void *need_registry(void *arg)
{
    struct timespec at = in_ms(500);

    if (pthread_mutex_timedlock(&registry, &at) != 0)
        puts("the next case: the registry is held by a case that is over");
    else
        puts("the next case: passed");
    return arg;
}

static void cancel(int signal)
{
    cancelled = signal;
}

static int threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    const struct dirent *entry;
    int count = 0;

    while (dir && (entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return count;
}

static bool run(void *(*act)(void *), long ms)
{
    struct timespec at;
    pthread_t thread;

    if (pthread_create(&thread, NULL, act, NULL) != 0)
        return false;
    if (act == spin)
        while (sem_wait(&begun) < 0)
            ;
    at = in_ms(ms);
    return pthread_timedjoin_np(thread, NULL, &at) == 0;
}

int main(void)
{
    int abandoned = 0;

    sem_init(&begun, 0, 0);
    signal(SIGINT, cancel);
    for (int i = 0; i < 25; i++)
        abandoned += !run(spin, 1);
    printf("abandoned: %d\n", abandoned);
    run(need_registry, 60000);
    raise(SIGINT);
    printf("after SIGINT %s: %d threads besides the main one\n", cancelled ? "was noted" : "was lost",
           threads() - 1);
    fflush(stdout);
    _exit(0);
}
