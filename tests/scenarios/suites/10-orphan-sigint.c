/*
 * Number 10: a parent is killed, which had done something to SIGINT before it has started its child, or whose child has
 * lost all that could wake it. The child ends.
 */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#include <fcntl.h>

enum variant { DEFAULT, IGNORED, BLOCKED, CLOSED };
PARAM(variant, enum variant, DEFAULT, IGNORED, BLOCKED, CLOSED);

ROLE(child)
{
    bool closes;
};

/* All that the library has open is closed, and the numbers are something else's. */
static void recycle(void)
{
    syscall(SYS_close_range, 3, ~0U, 0);
    for (int i = 0; i < 16; i++)
        open("/dev/null", O_RDONLY);
}

ACTOR(child)
{
    say_number(mx_parent(), getpid());
    mx_receive(mx_parent(), "20s");
    if (args->closes)
        recycle();
    mx_sleep("60s");
}

ROLE(parent)
{
    enum variant variant;
};

ACTOR(parent)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    if (args->variant == IGNORED)
        signal(SIGINT, SIG_IGN);
    else if (args->variant == BLOCKED)
        pthread_sigmask(SIG_BLOCK, &set, NULL);
    NURSERY(n, .go_on = 1)
    {
        struct mx_actor *child = SPAWN(n, child, "child", .closes = args->variant == CLOSED);

        say_number(mx_parent(), hear_number(mx_peer_of(child)));
        mx_receive(mx_parent(), "20s");
        tell(child, "go on");
        mx_sleep("60s");
    }
}

TEST(ends, WITH(variant), .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *parent = SPAWN(n, parent, "parent", .variant = variant);
    int child = watch_process((int)hear_number(mx_peer_of(parent)));

    tell(parent, "go on"); /* not before it is watched: one that has closed what it had may end by that */
    kill(pid_of(parent), SIGKILL);
    EXPECT_EQ(mx_wait(parent, "20s").came, MX_DIED);
    WAIT_UNTIL(has_ended(child), "20s");
    close(child);
}

/* On threads: one whose owner is told to end takes those below it along. */
TEST(ends_with_its_owner, WITH(variant))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *parent = SPAWN(n, parent, "parent", .variant = variant == CLOSED ? DEFAULT : variant);
    struct mx_outcome outcome;

    hear_number(mx_peer_of(parent));
    outcome = mx_cancel(parent);
    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT_EQ(outcome.count, 1u);
}
