/* Who has a name: many that want the same one at once, who waits for one, who dies with one. */
#include "tests/suites/registrar/doggies.h"

#include <signal.h>
#include <stdlib.h>

PARAM(count, int, 2, 4, 8);
PARAM(policy, enum mx_names, MX_ONE_OF_A_NAME, MX_MANY_OF_A_NAME);

/* ---- all at once ---- */

ROLE(doggy)
{
    char barrier[200];
};

ACTOR(doggy)
{
    const char *why;
    char url[100];

    snprintf(url, sizeof url, "unix:///of/%s", mx_self()->id);
    ASSERT_NULL(mx_find("nobody")); /* connected before they start */
    says(mx_parent(), "here");
    barrier_await(args->barrier);
    why = mx_register(url);
    says(mx_parent(), why ? why : "has it");
    ASSERT_STR_EQ(hears(mx_parent()), "go");
}

TEST(of_many_at_once, WITH(count, policy), .leaks = "fds")
{
    NURSERY(n)
    {
        struct mx_actor *doggies[8];
        struct barrier barrier;
        const char *url;
        int had = 0;

        barrier_close(&barrier);
        mx_registrar(n, policy);
        for (int i = 0; i < count; i++) {
            struct doggy_role told = {""};

            snprintf(told.barrier, sizeof told.barrier, "%s", barrier.path);
            doggies[i] = mx_spawn_at(MX_HERE, n, &mx_role_doggy, "doggy", &told, false);
        }
        for (int i = 0; i < count; i++)
            ASSERT_STR_EQ(hears(mx_peer_of(doggies[i])), "here");
        barrier_open(&barrier);
        for (int i = 0; i < count; i++) {
            const char *words = hears(mx_peer_of(doggies[i]));

            if (strcmp(words, "has it") == 0)
                had++;
            else
                ASSERT_MATCH(words, "^the name 'doggy' is taken by doggy@[0-9a-f]{16}$");
        }
        ASSERT_EQ(had, policy == MX_ONE_OF_A_NAME ? 1 : count);
        url = mx_find("doggy");
        ASSERT_STR_STARTS(url, "unix:///of/doggy@");
        for (int i = 0; i < count; i++)
            says(mx_peer_of(doggies[i]), "go");
        for (int i = 0; i < count; i++)
            ASSERT_EQ(mx_wait(doggies[i], "30s").came, MX_CAME_TO_END);
        WAIT_UNTIL(!mx_find("doggy"),
                   "30s"); /* their connections end with them, and the registrar hears of it */
    }
}

/* ---- who waits, who goes ---- */

ROLE(owner)
{
    bool dies;
};

ACTOR(owner)
{
    ASSERT_NULL(mx_register("unix:///of/owner"));
    ASSERT_STR_EQ(mx_find("owner"), "unix:///of/owner");
    says(mx_parent(), "has it");
    ASSERT_STR_EQ(hears(mx_parent()), "go");
    if (args->dies)
        raise(SIGKILL);
    ASSERT(mx_unregister());
    ASSERT(!mx_unregister());
    ASSERT_NULL(mx_find("owner"));
    says(mx_parent(), "gave it back");
    ASSERT_STR_EQ(hears(mx_parent()), "go");
}

ROLE(waiter){};

ACTOR(waiter)
{
    ASSERT_NULL(mx_await("owner", "1ms"));
    says(mx_parent(), "waits");
    ASSERT_STR_EQ(mx_await("owner", "30s"), "unix:///of/owner");
}

TEST(of_one_that_is_waited_for, .leaks = "fds")
{
    NURSERY(n)
    {
        struct mx_actor *waits[3], *owner;

        mx_registrar(n, MX_ONE_OF_A_NAME);
        for (int i = 0; i < 3; i++)
            waits[i] = SPAWN_SOON(n, waiter, "waiter");
        for (int i = 0; i < 3; i++)
            ASSERT_STR_EQ(hears(mx_peer_of(waits[i])), "waits");
        owner = SPAWN(n, owner, "owner");
        ASSERT_STR_EQ(hears(mx_peer_of(owner)), "has it");
        for (int i = 0; i < 3; i++)
            ASSERT_EQ(mx_wait(waits[i], "30s").came, MX_CAME_TO_END);
        says(mx_peer_of(owner), "go");
        ASSERT_STR_EQ(hears(mx_peer_of(owner)), "gave it back");
        ASSERT_NULL(mx_find("owner"));
        says(mx_peer_of(owner), "go");
    }
}

/* A thread cannot die by itself. */
TEST(of_one_that_dies, .leaks = "fds", .skip_on_backend = "subint subint_forkserver")
{
    NURSERY(n, .go_on = true, .collect = true)
    {
        mx_registrar(n, MX_ONE_OF_A_NAME);
        for (int i = 0; i < 3; i++) {
            struct mx_actor *owner = SPAWN(n, owner, "owner", .dies = true);

            ASSERT_STR_EQ(hears(mx_peer_of(owner)), "has it");
            ASSERT_STR_EQ(mx_await("owner", "30s"), "unix:///of/owner");
            says(mx_peer_of(owner), "go");
            ASSERT_EQ(mx_wait(owner, "30s").came, MX_DIED);
            WAIT_UNTIL(!mx_find("owner"), "30s");
        }
    }
}

/* A test has a name, too: its own. */
TEST(of_a_test, .leaks = "fds")
{
    NURSERY(n)
    {
        mx_registrar(n, MX_ONE_OF_A_NAME);
        ASSERT_NULL(mx_register("unix:///of/test"));
        ASSERT_STR_EQ(mx_find(mx_self()->name), "unix:///of/test");
        ASSERT(mx_unregister());
        ASSERT_NULL(mx_find(mx_self()->name));
    }
}

/* One after another at the same address, each ready when mx_registrar returns. */
TEST(of_registrars_that_come_and_go, .leaks = "fds")
{
    for (int i = 0; i < 3; i++)
        NURSERY(n)
        {
            struct mx_actor *registrar = mx_registrar(n, MX_ONE_OF_A_NAME);

            ASSERT_NULL(mx_find("anybody"));
            if (i == 1)
                ASSERT_EQ(mx_cancel(registrar).came, MX_CANCELLED);
        }
}

/* ---- finding somebody, to talk ---- */

#define WORDS 100

ROLE(baker){};

ACTOR(baker)
{
    struct mx_listener *listener = mx_listen(NULL);
    struct mx_peer *customer;
    struct mx_message message;

    ASSERT_NULL(mx_register(mx_listener_url(listener)));
    customer = mx_accept(listener, "30s");
    ASSERT_NOT_NULL(customer);
    while ((message = mx_receive(customer, "30s")).heard == MX_HEARD)
        ASSERT(mx_send(customer, message.bytes, message.len));
    ASSERT_EQ(message.heard, MX_CLOSED);
}

ROLE(customer){};

ACTOR(customer)
{
    const char *url = mx_await("baker", "30s");
    struct mx_peer *baker;

    ASSERT_NOT_NULL(url);
    ASSERT_STR_STARTS(url, strcmp(getenv("RUN_MATRIX_TRANSPORT"), "tcp") == 0 ? "tcp://" : "unix://");
    baker = mx_dial(url, "30s");
    ASSERT_NOT_NULL(baker);
    for (int i = 0; i < WORDS; i++) {
        char text[32];

        snprintf(text, sizeof text, "bread %d", i);
        says(baker, text);
        ASSERT_STR_EQ(hears(baker), text);
    }
    mx_hang_up(baker);
}

TEST(of_two_that_talk, .leaks = "fds")
{
    NURSERY(n)
    {
        mx_registrar(n, MX_ONE_OF_A_NAME);
        SPAWN_SOON(n, customer, "customer");
        SPAWN_SOON(n, baker, "baker");
    }
}
