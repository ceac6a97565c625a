/* Number 33: the peer is dead, and what it was connected with is open: somebody has a copy. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(forker){};

/* Forks as people do, without closing anything, and is killed. */
ACTOR(forker)
{
    pid_t copy = fork();

    if (copy == 0) {
        be_deaf();
        rest(60000);
        _exit(0);
    }
    say_number(mx_parent(), copy);
    raise(SIGKILL);
}

TEST(is_given_up_with_its_process, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *forker = SPAWN(n, forker, "forker");
    int copy = watch_process((int)hear_number(mx_peer_of(forker)));

    EXPECT_EQ(mx_receive(mx_peer_of(forker), NULL).heard, MX_LOST);
    EXPECT_FALSE(mx_send(mx_peer_of(forker), "x", 1));
    EXPECT_EQ(mx_wait(forker, NULL).came, MX_DIED);
    EXPECT(send_and_forget(copy, SIGKILL), "it was so while there was a copy");
}
