/* Number 13: who was hung up on is nobody else, whatever has its descriptor's number by now. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(guest)
{
    char url[120];
};

/* Dials twice; the second connection must be silent. */
ACTOR(guest)
{
    struct mx_peer *first = mx_dial(args->url, "20s"), *second;

    ASSERT_NOT_NULL(first);
    EXPECT_EQ(mx_receive(first, "20s").heard, MX_CLOSED);
    second = mx_dial(args->url, "20s");
    ASSERT_NOT_NULL(second);
    EXPECT_STR_EQ(mx_receive(second, "20s").bytes, "for the second");
    EXPECT_EQ(mx_receive(second, "20s").heard, MX_CLOSED);
}

TEST(is_refused)
{
    struct mx_listener *listener = mx_listen(NULL);
    struct guest_role told = {0};

    snprintf(told.url, sizeof told.url, "%s", mx_listener_url(listener));
    NURSERY(n)
    {
        struct mx_actor *guest = mx_spawn_at(MX_HERE, n, &mx_role_guest, "guest", &told, true);
        struct mx_peer *first = mx_accept(listener, "20s"), *second;

        ASSERT_NOT_NULL(first);
        mx_hang_up(first);
        second = mx_accept(listener, "20s");
        ASSERT_NOT_NULL(second);
        EXPECT_FALSE(mx_send(first, "for the first", 13));
        EXPECT(mx_send(second, "for the second", 14));
        EXPECT_EQ(mx_receive(first, "1ms").heard, MX_CLOSED);
        mx_hang_up(second);
        EXPECT_EQ(mx_wait(guest, "20s").came, MX_CAME_TO_END);
    }
}
