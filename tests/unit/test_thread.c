#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/clock.h"
#include "runner/base/thread.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

struct told {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool has_begun, takes_signals;
};

static void *tell(void *user)
{
    struct told *told = user;
    sigset_t blocked;

    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    pthread_mutex_lock(&told->lock);
    told->takes_signals = !sigismember(&blocked, SIGINT) || !sigismember(&blocked, SIGUSR2);
    told->has_begun = true;
    pthread_cond_signal(&told->changed);
    pthread_mutex_unlock(&told->lock);
    return NULL;
}

static void await(struct told *told)
{
    pthread_mutex_lock(&told->lock);
    while (!told->has_begun)
        pthread_cond_wait(&told->changed, &told->lock);
    pthread_mutex_unlock(&told->lock);
}

/* And whoever starts one is sent them as before. */
static void test_signals_are_not_for_them(void **state)
{
    struct told joined = {0};
    static struct told left; /* it may still be at its end when we have gone on */
    pthread_t thread;
    sigset_t blocked;

    (void)state;
    thread_init_lock(&joined.lock, &joined.changed);
    thread_init_lock(&left.lock, &left.changed);
    assert_int_equal(thread_start(&thread, tell, &joined), 0);
    assert_int_equal(thread_start(NULL, tell, &left), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(joined.has_begun);
    assert_false(joined.takes_signals);
    await(&left);
    assert_false(left.takes_signals);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    assert_false(sigismember(&blocked, SIGINT));
    pthread_cond_destroy(&joined.changed);
    pthread_mutex_destroy(&joined.lock);
}

/* By another clock it would have been over long ago. */
static void test_waiting_goes_by_our_clock(void **state)
{
    struct told told = {0};
    nanos until = clock_now() + 20 * NS_PER_MS;
    const struct timespec moment = {until / NS_PER_S, until % NS_PER_S};
    int error = 0;

    (void)state;
    thread_init_lock(&told.lock, &told.changed);
    pthread_mutex_lock(&told.lock);
    while (!error)
        error = pthread_cond_timedwait(&told.changed, &told.lock, &moment);
    pthread_mutex_unlock(&told.lock);
    assert_int_equal(error, ETIMEDOUT);
    assert_true(clock_now() >= until);
    pthread_cond_destroy(&told.changed);
    pthread_mutex_destroy(&told.lock);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals_are_not_for_them),
        cmocka_unit_test(test_waiting_goes_by_our_clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
