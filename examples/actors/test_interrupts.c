/*
 * Ctrl-C from inside: run-matrix examples/actors/test_interrupts.c
 *
 * SIGINT tells a test, or an actor, to end: by itself, wherever it is. Its actors are told to end in turn.
 */
#include "tree.h"

#include <pthread.h>
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

PARAM(children, int, 1, 3);

ROLE(sleeper){};

ACTOR(sleeper)
{
    mx_sleep("60s");
}

static void spawn_sleepers(struct mx_nursery *nursery, int count)
{
    char name[20];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "sleeper-%d", i);
        SPAWN(nursery, sleeper, name);
    }
}

static void *interrupt_us(void *unused MX_UNUSED)
{
    kill(getpid(), SIGINT);
    return NULL;
}

ROLE(interrupter)
{
    int children;
    bool by_another_thread; /* while this one waits */
};

ACTOR(interrupter)
{
    pthread_t thread;

    NURSERY(n)
    {
        spawn_sleepers(n, args->children);
        if (!args->by_another_thread)
            raise(SIGINT);
        else if (pthread_create(&thread, NULL, interrupt_us, NULL) == 0)
            pthread_detach(thread);
        mx_sleep("60s");
    }
}

PARAM(by, const char *, "itself", "another thread");

TEST(an_actor_is_interrupted, WITH(children, by))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *actor =
        SPAWN(n, interrupter, "interrupter", .children = children, .by_another_thread = by[0] == 'a');
    struct mx_outcome outcome = mx_wait(actor, "30s");
    struct tree tree = tree_of(&outcome);

    EXPECT_EQ(outcome.came, MX_CANCELLED, "%s", mx_outcome_words(&outcome));
    EXPECT_EQ(tree.actors, children);
    EXPECT_EQ(tree.came[MX_CANCELLED], children, "%s", mx_outcome_words(&outcome));
    EXPECT_EQ(mx_errors(&outcome), 0);
}

/* The test itself: it dies of SIGINT, when all that it has started is gone. Else its case would have `leaked`. */
TEST(the_test_is_interrupted, WITH(children), .xfail = "it interrupts itself", .xfail_signal = SIGINT,
     .xfail_strict = 1)
{
    NURSERY(n)
    {
        spawn_sleepers(n, children);
        raise(SIGINT);
        mx_sleep("60s");
    }
}
