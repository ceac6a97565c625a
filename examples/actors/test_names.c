/*
 * Several that want one name: run-matrix examples/actors/test_names.c
 *
 * Who is told apart by its id, "doggy@5bd1c4a96e3f2071", may have any name. Whether a name may be taken twice is for the
 * registrar to say; being refused is an answer, and nobody's end.
 */
#include <run_matrix.h>
#include <stdio.h>
#include <string.h>

PARAM(dogs, int, 2, 4, 8);

ROLE(dog){};

ACTOR(dog)
{
    struct mx_listener *listener = mx_listen(NULL);
    const char *refused;

    mx_receive(mx_parent(), NULL); /* all of them at once */
    refused = mx_register(mx_listener_url(listener));
    mx_send(mx_parent(), refused ? refused : "", refused ? strlen(refused) : 0);
    mx_receive(mx_parent(), NULL); /* it keeps its name until all have had their try */
}

static void tell_all(struct mx_actor **actors, int count, const char *what)
{
    for (int i = 0; i < count; i++)
        mx_send(mx_peer_of(actors[i]), what, strlen(what));
}

/* How many have the name; the others have heard why not. */
static int taken_by(struct mx_actor **actors, int count)
{
    int taken = 0;

    for (int i = 0; i < count; i++) {
        struct mx_message answer = mx_receive(mx_peer_of(actors[i]), "10s");

        ASSERT_EQ(answer.heard, MX_HEARD);
        if (answer.len == 0)
            taken++;
        else
            EXPECT_STR_STARTS(answer.bytes, "the name 'doggy' is taken by doggy@");
    }
    return taken;
}

/* The registrar goes when the others have. */
static int let_them_register(enum mx_names names, int count)
{
    struct mx_actor *dogs[8];
    int taken = 0;

    NURSERY(n)
    {
        mx_registrar(n, names);
        for (int i = 0; i < count; i++)
            dogs[i] = SPAWN(n, dog, "doggy");
        tell_all(dogs, count, "now");
        taken = taken_by(dogs, count);
        EXPECT_NOT_NULL(mx_find("doggy"));
        tell_all(dogs, count, "enough");
    }
    return taken;
}

TEST(one_of_them_has_it, WITH(dogs))
{
    EXPECT_EQ(let_them_register(MX_ONE_OF_A_NAME, dogs), 1);
}

TEST(all_of_them_have_it, WITH(dogs))
{
    EXPECT_EQ(let_them_register(MX_MANY_OF_A_NAME, dogs), dogs);
}
