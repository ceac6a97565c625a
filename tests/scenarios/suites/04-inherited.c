/* Number 4: what an actor listens on, and what it is connected with, is gone with it, whomever it has started. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

ROLE(deaf){};

ACTOR(deaf)
{
    be_deaf();
    say_number(mx_parent(), getpid());
    rest(60000);
}

/* Tells where it listens, and who is below it. */
ROLE(owner)
{
    char dials[120]; /* "": it listens */
};

ACTOR(owner)
{
    NURSERY(n)
    {
        const char *url = "";
        struct mx_peer *peer = NULL;

        if (args->dials[0])
            peer = mx_dial(args->dials, "20s");
        else
            url = mx_listener_url(mx_listen(NULL));
        ASSERT(peer || url[0]);
        mx_send(mx_parent(), url, strlen(url));
        say_number(mx_parent(), hear_number(mx_peer_of(SPAWN(n, deaf, "below"))));
        mx_sleep("60s");
    }
}

static void end(struct mx_actor *owner)
{
    kill(pid_of(owner), SIGKILL);
    ASSERT_EQ(mx_wait(owner, "20s").came, MX_DIED);
}

TEST(ports, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "20s");
    struct mx_actor *owner = SPAWN(n, owner, "owner");
    struct mx_message message = mx_receive(mx_peer_of(owner), "20s");
    char url[200];
    int below;

    ASSERT_EQ(message.heard, MX_HEARD);
    snprintf(url, sizeof url, "%s", message.bytes);
    below = watch_process((int)hear_number(mx_peer_of(owner)));
    end(owner);
    EXPECT_STR_EQ(mx_listener_url(mx_listen(url)), url); /* it is free */
    EXPECT(send_and_forget(below, SIGKILL), "it was so while its child was there");
}

TEST(connections, .skip_on_backend = THREADS)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "20s");
    struct mx_listener *listener = mx_listen(NULL);
    struct owner_role told = {0};
    struct mx_actor *owner;
    struct mx_peer *peer;
    int below;

    snprintf(told.dials, sizeof told.dials, "%s", mx_listener_url(listener));
    owner = mx_spawn_at(MX_HERE, n, &mx_role_owner, "owner", &told, true);
    peer = mx_accept(listener, "20s");
    ASSERT_NOT_NULL(peer);
    mx_receive(mx_peer_of(owner), "20s");
    below = watch_process((int)hear_number(mx_peer_of(owner)));
    end(owner);
    EXPECT_EQ(mx_receive(peer, "20s").heard, MX_LOST);
    EXPECT(send_and_forget(below, SIGKILL), "it was so while its child was there");
}

/* The same in each level, however deep: nobody has anything of those above. */
ROLE(level)
{
    int below;
};

ACTOR(level)
{
    long sockets = count_open(true);

    say_number(mx_parent(), sockets);
    NURSERY(n)
    {
        if (args->below > 0) {
            struct mx_peer *child = mx_peer_of(SPAWN(n, level, "below", .below = args->below - 1));

            for (int i = 0; i < args->below; i++)
                say_number(mx_parent(), hear_number(child));
        }
    }
}

TEST(depth, .skip_on_backend = THREADS)
{
    NURSERY(n)
    {
        struct mx_peer *first = mx_peer_of(SPAWN(n, level, "first", .below = 3));
        long sockets = hear_number(first);

        for (int i = 0; i < 3; i++)
            EXPECT_EQ(hear_number(first), sockets);
    }
}

/* A connection is closed by its own process, and nobody else has it: on threads, too. */
ROLE(guest)
{
    char url[120];
};

ACTOR(guest)
{
    struct mx_peer *peer = mx_dial(args->url, "20s");

    ASSERT_NOT_NULL(peer);
    NURSERY(n)
    {
        SPAWN(n, level, "below");
        mx_break(peer, MX_BREAK_CLOSE);
        mx_receive(mx_parent(), "20s");
    }
}

TEST(closing)
{
    struct mx_listener *listener = mx_listen(NULL);
    struct guest_role told = {0};

    snprintf(told.url, sizeof told.url, "%s", mx_listener_url(listener));
    NURSERY(n)
    {
        struct mx_actor *guest = mx_spawn_at(MX_HERE, n, &mx_role_guest, "guest", &told, true);
        struct mx_peer *peer = mx_accept(listener, "20s");

        ASSERT_NOT_NULL(peer);
        EXPECT_EQ(mx_receive(peer, "20s").heard, MX_LOST);
        tell(guest, "that will do");
    }
}
