/* A connection that breaks in the middle of a talk, from either side and from both: each side hears of it, and soon. */
#include "tests/suites/registrar/doggies.h"

#include <stdlib.h>

PARAM(how, enum mx_breaking, MX_BREAK_CLOSE, MX_BREAK_EOF, MX_BREAK_RESET);
/* After how many messages who breaks it, or 0: does not. */
PARAM(plan,
      struct {
          const char *name;
          int caller;
          int called;
      },
      {"caller", 500, 0}, {"called", 0, 500}, {"caller-first", 500, 800}, {"called-first", 800, 500});

/* ---- a connection of their own ---- */

ROLE(called)
{
    char url[200];
    enum mx_breaking how;
    int after;
};

/* Everybody says something, and hears the answer, until it breaks. How many were heard. */
static int talk(struct mx_peer *peer, bool begins, int after, enum mx_breaking how, enum mx_heard *end)
{
    struct mx_message message = {.heard = MX_HEARD};
    int heard = 0;

    if (begins)
        mx_send(peer, "x", 1);
    while ((message = mx_receive(peer, "30s")).heard == MX_HEARD) {
        if (++heard == after)
            mx_break(peer, how);
        mx_send(peer, "x", 1);
    }
    *end = message.heard;
    return heard;
}

ACTOR(called)
{
    struct mx_peer *peer = mx_dial(args->url, "30s");
    enum mx_heard end;
    char text[32];

    ASSERT_NOT_NULL(peer);
    snprintf(text, sizeof text, "%d", talk(peer, false, args->after, args->how, &end));
    ASSERT_EQ(end, MX_LOST);
    ASSERT(!mx_send(peer, "x", 1));
    says(mx_parent(), text);
}

TEST(between_two, WITH(how, plan), .leaks = "fds")
{
    NURSERY(n)
    {
        struct mx_listener *listener = mx_listen(NULL);
        struct called_role told = {.how = how, .after = plan.called};
        int most = plan.caller && (plan.caller < plan.called || !plan.called) ? plan.caller : plan.called;
        struct mx_actor *called;
        struct mx_peer *peer;
        enum mx_heard end;

        snprintf(told.url, sizeof told.url, "%s", mx_listener_url(listener));
        called = mx_spawn_at(MX_HERE, n, &mx_role_called, "called", &told, true);
        peer = mx_accept(listener, "30s");
        ASSERT_NOT_NULL(peer);
        /* The one who breaks it has heard so many; the other one has heard no answer to that. */
        ASSERT_NEAR(talk(peer, true, plan.caller, how, &end), most, 1);
        ASSERT_EQ(end, MX_LOST);
        ASSERT(!mx_send(peer, "x", 1));
        ASSERT_NEAR(atoi(hears(mx_peer_of(called))), most, 1);
        ASSERT_EQ(mx_wait(called, "30s").came, MX_CAME_TO_END);
    }
}

/* ---- the connection to its owner: it is lost with it ---- */

ROLE(talker)
{
    int after;
    enum mx_breaking how;
    bool breaks;
};

ACTOR(talker)
{
    enum mx_heard end;

    talk(mx_parent(), false, args->breaks ? args->after : 0, args->how, &end);
    ASSERT_EQ(end, MX_LOST);
}

static void lose(bool breaks, enum mx_breaking how, int after)
{
    struct mx_outcome outcome;
    enum mx_heard end;

    NURSERY(n, .collect = true, .budget = "5s")
    {
        struct mx_actor *talker = SPAWN(n, talker, "talker", .after = after, .how = how, .breaks = breaks);

        talk(mx_peer_of(talker), true, breaks ? 0 : after, how, &end);
        ASSERT_EQ(end, MX_LOST);
        outcome = mx_wait(talker, "30s");
        ASSERT_EQ(outcome.came, MX_HAS_FAILED, "%s, status %d, signal %d, hard %d", outcome.words,
                  outcome.status, outcome.signal, outcome.hard);
        ASSERT_STR_STARTS(outcome.words, "the connection to it was lost");
        ASSERT(!outcome.hard, "it has heard of that, and ended");
    }
}

PARAM(after, int, 500, 800);

TEST(of_an_actor_by_itself, WITH(how, after), .leaks = "fds")
{
    lose(true, how, after);
}

TEST(of_an_actor_by_its_owner, WITH(how, after), .leaks = "fds")
{
    lose(false, how, after);
}
