/* Number 6: three levels that listen to nothing but SIGKILL. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#define LEVELS 3

ROLE(level)
{
    int below;
};

ACTOR(level)
{
    mx_listen(NULL);
    say_number(mx_parent(), getpid());
    NURSERY(n, .budget = "1s")
    {
        if (args->below > 0) {
            struct mx_peer *child = mx_peer_of(SPAWN(n, level, "below", .below = args->below - 1));

            for (int i = 0; i < args->below; i++)
                say_number(mx_parent(), hear_number(child));
        }
        be_deaf();
        say_number(mx_parent(), 0);
        rest(60000);
    }
}

struct tree {
    struct mx_nursery *nursery;
    struct mx_actor *leader;
    int pidfds[LEVELS];
};

static struct tree grow(void)
{
    struct tree tree = {.nursery = mx_nursery(.collect = 1, .budget = "1s")};

    tree.leader = SPAWN(tree.nursery, level, "leader", .below = LEVELS - 1);
    for (int i = 0; i < LEVELS; i++)
        tree.pidfds[i] = watch_process((int)hear_number(mx_peer_of(tree.leader)));
    ASSERT_EQ(hear_number(mx_peer_of(tree.leader)),
              0); /* it is deaf; those below have said so to it, or soon will be */
    return tree;
}

static void all_have_ended(const struct tree *tree)
{
    for (int i = 0; i < LEVELS; i++) {
        WAIT_UNTIL(has_ended(tree->pidfds[i]), "20s");
        close(tree->pidfds[i]);
    }
}

TEST(leader_is_killed, .skip_on_backend = THREADS)
{
    struct tree tree = grow();

    kill(pid_of(tree.leader), SIGKILL);
    EXPECT_EQ(mx_wait(tree.leader, "20s").came, MX_DIED);
    mx_close(tree.nursery);
    all_have_ended(&tree);
}

TEST(leader_is_cancelled, .skip_on_backend = THREADS)
{
    struct tree tree = grow();
    struct mx_outcome outcome = mx_cancel(tree.leader);

    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT(outcome.hard);
    mx_close(tree.nursery);
    all_have_ended(&tree);
}

/* Who listens is cancelled without a signal, and its port, its socket file and all below it are gone. */
ROLE(polite)
{
    int below;
};

ACTOR(polite)
{
    struct mx_listener *listener = mx_listen(NULL);

    mx_send(mx_parent(), mx_listener_url(listener), strlen(mx_listener_url(listener)));
    NURSERY(n)
    {
        if (args->below > 0)
            mx_receive(mx_peer_of(SPAWN(n, polite, "below", .below = args->below - 1)), "20s");
        mx_sleep("60s");
    }
}

TEST(nothing_is_left_of_a_cancelled_tree)
{
    NURSERY(n)
    {
        struct mx_actor *leader = SPAWN(n, polite, "leader", .below = LEVELS - 1);
        struct mx_message url = mx_receive(mx_peer_of(leader), "20s");
        char address[200];

        ASSERT_EQ(url.heard, MX_HEARD);
        snprintf(address, sizeof address, "%s", url.bytes);
        EXPECT_EQ(mx_cancel(leader).came, MX_CANCELLED);
        if (address[0] == 'u') /* unix:///... */
            EXPECT_NE(access(address + strlen("unix://"), F_OK), 0);
        else
            EXPECT_STR_EQ(mx_listener_url(mx_listen(address)), address);
    }
}
