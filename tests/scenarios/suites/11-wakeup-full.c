/* Number 11: an actor is told to end when all ways to tell it anything are full. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#include <errno.h>
#include <sys/resource.h>

ROLE(flooded){};

static void nothing(int number MX_UNUSED)
{
}

/* The queue of its signals takes no more; what it was sent before waits unread. */
ACTOR(flooded)
{
    struct rlimit few;
    sigset_t set;

    signal(SIGRTMIN + 5, nothing); /* when it leaves, they are unblocked */
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 5);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    getrlimit(RLIMIT_SIGPENDING, &few);
    few.rlim_cur = few.rlim_cur < 100 ? few.rlim_cur : 100;
    setrlimit(RLIMIT_SIGPENDING, &few);
    for (int i = 0; i < 100000 && sigqueue(getpid(), SIGRTMIN + 5, (union sigval){0}) == 0; i++)
        ;
    say_number(mx_parent(), getpid());
    mx_sleep("60s");
}

TEST(signals_are_heard, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *actor = SPAWN(n, flooded, "flooded");

    kill((pid_t)hear_number(mx_peer_of(actor)), SIGINT);
    EXPECT_EQ(mx_wait(actor, "20s").came, MX_CANCELLED);
}

TEST(cancels_are_heard, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *actor = SPAWN(n, flooded, "flooded");

    hear_number(mx_peer_of(actor));
    EXPECT_EQ(mx_cancel(actor).came, MX_CANCELLED);
}

/* Messages that nobody receives do not stand in the way of a cancel. */
ROLE(sleeper){};

ACTOR(sleeper)
{
    mx_sleep("60s");
}

TEST(a_cancel_behind_messages)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "10s");
    struct mx_actor *actor = SPAWN(n, sleeper, "sleeper");
    static char bytes[100000];
    struct mx_outcome outcome;

    for (int i = 0; i < 10; i++)
        ASSERT(mx_send(mx_peer_of(actor), bytes, sizeof bytes));
    outcome = mx_cancel(actor);
    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT_FALSE(outcome.hard);
}
