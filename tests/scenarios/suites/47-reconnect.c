/* Number 47: connections that are over are closed, whoever looks for whom while all ends. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#define TIMES 5

ROLE(server){};

ACTOR(server)
{
    struct mx_listener *listener = mx_listen(NULL);

    ASSERT_NULL(mx_register(mx_listener_url(listener)));
    say_number(mx_parent(), 1);
    for (;;)
        mx_accept(listener, NULL);
}

static struct mx_peer *look_and_dial(void)
{
    const char *url = mx_await("server", "20s");
    struct mx_peer *peer;

    ASSERT_NOT_NULL(url);
    peer = mx_dial(url, "20s");
    ASSERT_NOT_NULL(peer);
    return peer;
}

/* Is connected with it when it goes, looks for it again, and never hangs up. */
static void look_once(void)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_actor *server = SPAWN(n, server, "server");
    struct mx_peer *peer;

    hear_number(mx_peer_of(server));
    peer = look_and_dial();
    mx_cancel(server);
    mx_find("server");
    EXPECT_GE(mx_receive(peer, "20s").heard, MX_CLOSED);
    mx_close(n);
}

TEST(leaves_no_descriptor, .skip_on_backend = THREADS, .leaks = "fds")
{
    int before, after;

    NURSERY(outer)
    {
        struct mx_actor *registrar = mx_registrar(outer, MX_ONE_OF_A_NAME);

        look_once(); /* what is opened once is open */
        before = count_open(false);
        for (int i = 0; i < TIMES; i++)
            look_once();
        after = count_open(false);
        EXPECT_LE(after, before);
        mx_cancel(registrar);
    }
}

/* On threads descriptors are everybody's: all that is counted is that nothing grows. */
TEST(does_not_grow)
{
    NURSERY(outer)
    {
        struct mx_actor *registrar = mx_registrar(outer, MX_ONE_OF_A_NAME);
        int before;

        look_once();
        before = count_open(false);
        for (int i = 0; i < TIMES; i++)
            look_once();
        EXPECT_LE(count_open(false), before);
        mx_cancel(registrar);
    }
}
