/*
 * Number 22: actors that hear a cancel late, not at all, or end while they say that they have heard it. With a budget of 4 s
 * they have a second for that; then they are interrupted, after three the tree is, and it is over after four.
 */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#define BUDGET "4s"

enum manner { NEVER, BEFORE, AFTER, DYING };

ROLE(stubborn)
{
    enum manner manner;
};

static void die(void *unused MX_UNUSED)
{
    signal(SIGABRT, SIG_DFL);
    raise(SIGABRT);
}

/* It asks for the cancel, and listens so much later, and meanwhile not even to SIGINT. */
ACTOR(stubborn)
{
    const int64_t second = 1000 * MS;
    int64_t cancelled;
    sigset_t before;

    sigemptyset(&before);
    sigaddset(&before, SIGINT);
    pthread_sigmask(SIG_BLOCK, &before, NULL);
    if (args->manner == DYING)
        mx_at_end(die, NULL);
    say_number(mx_parent(), 1);
    cancelled = clock_now();
    if (args->manner == NEVER)
        be_deaf();
    while (args->manner == NEVER || clock_now() < cancelled + (args->manner == BEFORE  ? second / 2
                                                               : args->manner == AFTER ? second * 3 / 2
                                                                                       : 0))
        rest(5);
    for (;;)
        mx_checkpoint();
}

/* What came of it, and how much of the budget it took. */
static struct mx_outcome cancel(struct mx_nursery *n, enum manner manner, double *part)
{
    struct mx_actor *actor = SPAWN(n, stubborn, "stubborn", .manner = manner);
    struct mx_outcome outcome;
    int64_t began;

    hear_number(mx_peer_of(actor));
    began = clock_now();
    outcome = mx_cancel(actor);
    *part = (double)(clock_now() - began) / 4000 / MS;
    puts(mx_outcome_words(&outcome));
    return outcome;
}

TEST(never, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = BUDGET);
    double part;
    struct mx_outcome outcome = cancel(n, NEVER, &part);

    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT(outcome.hard);
    EXPECT_EQ(outcome.signal, SIGKILL);
    EXPECT_GE(part, 0.9); /* it had its time */
    EXPECT_LT(part, 2);
}

TEST(just_before_the_bound)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = BUDGET);
    double part;
    struct mx_outcome outcome = cancel(n, BEFORE, &part);

    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT_LT(part, 1);
    EXPECT_EQ(outcome.signal, 0);
}

TEST(just_after_the_bound, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = BUDGET);
    double part;
    struct mx_outcome outcome = cancel(n, AFTER, &part);

    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT(outcome.hard, "it was sent SIGINT meanwhile");
    EXPECT_LT(part, 1);
}

TEST(dies_meanwhile, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "50s");
    double part;
    struct mx_outcome outcome = cancel(n, DYING, &part);

    EXPECT_EQ(outcome.came, MX_DIED);
    EXPECT_EQ(outcome.signal, SIGABRT);
    EXPECT_LT(part, 5, "nobody waits for the rest of the budget");
}
