/* Threads that wait for each other. */
#include "tests/hangs/hang.h"

#include <pthread.h>

static void wait_for(pthread_t thread)
{
    pthread_join(thread, NULL);
}

/* ---- each has one of two locks and wants the other ---- */

static pthread_mutex_t red = PTHREAD_MUTEX_INITIALIZER, blue = PTHREAD_MUTEX_INITIALIZER;

static HANGS_APART void *has_red_wants_blue(void *arg)
{
    pthread_mutex_lock(&red);
    hang_meets();
    hang_comes();
    pthread_mutex_lock(&blue); /* hangs */
    return arg;
}

static HANGS_APART void *has_blue_wants_red(void *arg)
{
    pthread_mutex_lock(&blue);
    hang_meets();
    hang_comes();
    pthread_mutex_lock(&red); /* hangs */
    return arg;
}

static int mutex_pair(char **args)
{
    pthread_t first = hang_thread("red", has_red_wants_blue, NULL);

    (void)args;
    hang_thread("blue", has_blue_wants_red, NULL);
    hang_ready_when(3);
    hang_comes();
    wait_for(first);
    return 1;
}

/* ---- a condition that nobody signals ---- */

static pthread_cond_t work = PTHREAD_COND_INITIALIZER;

static HANGS_APART void *waits_for_work(void *arg)
{
    pthread_mutex_lock(&red);
    hang_comes();
    for (;;)
        pthread_cond_wait(&work, &red); /* hangs */
    return arg;
}

static int condition(char **args)
{
    pthread_t worker = hang_thread("worker", waits_for_work, NULL);

    (void)args;
    hang_ready_when(2);
    hang_comes();
    wait_for(worker);
    return 1;
}

/* ---- each waits for the end of the next; of two, libc would say so ---- */

static struct ring {
    pthread_t threads[3];
    pthread_barrier_t begun;
} ring;

static HANGS_APART void *joins_the_next(void *arg)
{
    pthread_barrier_wait(&ring.begun);
    hang_comes();
    pthread_join(*(pthread_t *)arg, NULL); /* hangs */
    return NULL;
}

static int join_cycle(char **args)
{
    static const char *const names[] = {"first", "second", "third"};

    (void)args;
    pthread_barrier_init(&ring.begun, NULL, 4);
    for (size_t i = 0; i < 3; i++)
        ring.threads[i] = hang_thread(names[i], joins_the_next, &ring.threads[(i + 1) % 3]);
    hang_ready_when(4);
    pthread_barrier_wait(&ring.begun);
    hang_comes();
    linger();
}

/* ---- one that computes and never comes to an end ---- */

/* All of it is one line to whoever reads where it is. */
#define FOR_EVER(what) \
    for (;;)           \
    what

static HANGS_APART void counts_for_ever(volatile unsigned long *count)
{
    say("ready");
    FOR_EVER(++*count); /* hangs */
}

static int busy_loop(char **args)
{
    unsigned long count = 0;

    (void)args;
    counts_for_ever(&count);
    return 1;
}

/* clang-format off */
const struct kid hangs_threads[] = {
    {.name = "mutex-pair", .what = "two threads, two locks, in two orders", .act = mutex_pair},
    {.name = "condition", .what = "a thread waits for a condition that nobody signals", .act = condition},
    {.name = "join-cycle", .what = "three threads join each other", .act = join_cycle},
    {.name = "busy-loop", .what = "a loop without end", .act = busy_loop},
    {.name = NULL},
};
