/* Number 12: the end of a stream is heard once, and costs nothing from then on. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(guest)
{
    char url[120];
    bool hangs_up;
};

ACTOR(guest)
{
    struct mx_peer *peer = mx_dial(args->url, "20s");

    ASSERT_NOT_NULL(peer);
    mx_send(peer, "hello", 5);
    if (args->hangs_up)
        mx_hang_up(peer);
    else
        mx_break(peer, MX_BREAK_EOF);
    mx_sleep("60s");
}

static int64_t processor_time(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return used.tv_sec * 1000000000LL + used.tv_nsec;
}

PARAM(end, const char *, "hung up", "broken");

TEST(is_heard_and_is_no_progress, WITH(end))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_listener *listener = mx_listen(NULL);
    struct guest_role told = {.hangs_up = end[0] == 'h'};
    struct mx_peer *peer;
    int64_t began, used;

    snprintf(told.url, sizeof told.url, "%s", mx_listener_url(listener));
    mx_spawn_at(MX_HERE, n, &mx_role_guest, "guest", &told, true);
    peer = mx_accept(listener, "20s");
    ASSERT_NOT_NULL(peer);
    EXPECT_STR_EQ(mx_receive(peer, "20s").bytes, "hello");
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(mx_receive(peer, "20s").heard, told.hangs_up ? MX_CLOSED : MX_LOST);

    began = mx_now();
    used = processor_time();
    mx_sleep("300ms");
    EXPECT_LT((processor_time() - used) * 2,
              mx_now() - began); /* a loop that spins would have used all of it */
}

/* The same of an actor that has ended, while others are waited for. */
ROLE(brief){};

ACTOR(brief)
{
}

TEST(of_actors_that_have_ended)
{
    NURSERY(n)
    {
        struct mx_actor *brief = SPAWN(n, brief, "brief");
        int64_t began, used;

        EXPECT_EQ(mx_wait(brief, "20s").came, MX_CAME_TO_END);
        EXPECT_EQ(mx_receive(mx_peer_of(brief), "20s").heard, MX_CLOSED);
        began = mx_now();
        used = processor_time();
        mx_sleep("300ms");
        EXPECT_LT((processor_time() - used) * 2, mx_now() - began);
    }
}
