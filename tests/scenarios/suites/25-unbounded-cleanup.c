/* Number 25: peers that never hang up, and actors that never come to the end of their clean-up. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

static void rest_for_ever(void *unused MX_UNUSED)
{
    be_deaf();
    rest(60000);
}

ROLE(slow)
{
    bool cleans_up;
};

ACTOR(slow)
{
    if (args->cleans_up)
        mx_at_end(rest_for_ever, NULL);
    say_number(mx_parent(), 1);
    mx_sleep("60s");
}

TEST(of_an_actor, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "500ms");
    struct mx_actor *slow = SPAWN(n, slow, "slow", .cleans_up = true);
    struct mx_outcome outcome;

    hear_number(mx_peer_of(slow));
    outcome = mx_cancel(slow);
    EXPECT_EQ(outcome.came, MX_CANCELLED);
    EXPECT(outcome.hard);
    EXPECT_EQ(outcome.signal, SIGKILL);
}

/* Connected with a test that never hangs up, and never reads either. */
ROLE(guest)
{
    char url[120];
};

ACTOR(guest)
{
    struct mx_peer *peer = mx_dial(args->url, "20s");

    ASSERT_NOT_NULL(peer);
    mx_send(peer, "hello", 5);
    say_number(mx_parent(), 1);
}

TEST(of_peers)
{
    struct mx_listener *listener = mx_listen(NULL);
    struct guest_role told = {0};

    snprintf(told.url, sizeof told.url, "%s", mx_listener_url(listener));
    NURSERY(n)
    {
        struct mx_actor *guest = mx_spawn_at(MX_HERE, n, &mx_role_guest, "guest", &told, true);

        ASSERT_NOT_NULL(mx_accept(listener, "20s"));
        hear_number(mx_peer_of(guest));
        EXPECT_EQ(mx_wait(guest, "20s").came, MX_CAME_TO_END);
    }
}

/* The other way round: the test is over, and they are not. */
TEST(of_the_test)
{
    struct mx_nursery *n = mx_nursery(.budget = "2s");

    hear_number(mx_peer_of(SPAWN(n, slow, "slow")));
}
