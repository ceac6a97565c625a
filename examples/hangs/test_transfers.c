/*
 * Two locks, in two orders: each thread has one and waits for the other. The dump names both, and the lines.
 */
#include <pthread.h>
#include <run_matrix.h>

static struct account {
    pthread_mutex_t lock;
    long balance;
} savings = {PTHREAD_MUTEX_INITIALIZER, 100}, checking = {PTHREAD_MUTEX_INITIALIZER, 100};

static pthread_barrier_t both; /* so that it hangs today, and not once a year */

static void transfer(struct account *from, struct account *to)
{
    pthread_mutex_lock(&from->lock);
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&to->lock);
    from->balance--;
    to->balance++;
    pthread_mutex_unlock(&to->lock);
    pthread_mutex_unlock(&from->lock);
}

static void *saves(void *arg)
{
    transfer(&checking, &savings);
    return arg;
}

static void *spends(void *arg)
{
    transfer(&savings, &checking);
    return arg;
}

TEST(both_ways)
{
    pthread_t saver, spender;

    pthread_barrier_init(&both, NULL, 2);
    ASSERT_EQ(pthread_create(&saver, NULL, saves, NULL), 0);
    ASSERT_EQ(pthread_create(&spender, NULL, spends, NULL), 0);
    pthread_join(saver, NULL);
    pthread_join(spender, NULL);
    EXPECT_EQ(savings.balance + checking.balance, 200);
}
