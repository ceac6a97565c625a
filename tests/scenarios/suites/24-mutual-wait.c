/* Number 24: a test that waits for the end of its actor, which waits for a word of the test. This hangs, and is meant to. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(listener){};

ACTOR(listener)
{
    mx_receive(mx_parent(), NULL);
}

TEST(wait_for_each_other)
{
    NURSERY(n)
    {
        mx_wait(SPAWN(n, listener, "listener"), NULL);
    }
}
