/* Number 21: several actors of one name register, at once and in every order. */
/* run-matrix: cflags: -I../../.. */
#include "tests/scenarios/suites/common.h"

#define MOST 8

ROLE(dog){};

ACTOR(dog)
{
    struct mx_listener *listener = mx_listen(NULL);
    const char *refused;

    mx_receive(mx_parent(), "20s");
    refused = mx_register(mx_listener_url(listener));
    mx_send(mx_parent(), refused ? refused : "", refused ? strlen(refused) : 0);
    mx_receive(mx_parent(), "20s");
}

/* Has it got the name? If not, it was told why not. */
static bool is_it(struct mx_actor *dog)
{
    struct mx_message answer = mx_receive(mx_peer_of(dog), "20s");

    ASSERT_EQ(answer.heard, MX_HEARD);
    if (answer.len)
        EXPECT_STR_STARTS(answer.bytes, "the name 'doggy' is taken by doggy@");
    return answer.len == 0;
}

static void spawn_dogs(struct mx_nursery *n, struct mx_actor **dogs, int count)
{
    for (int i = 0; i < count; i++)
        dogs[i] = SPAWN_SOON(n, dog, "doggy");
}

/* None of them has failed, or exited with anything. */
static void all_end_well(struct mx_actor **dogs, int count)
{
    for (int i = 0; i < count; i++)
        tell(dogs[i], "enough");
    for (int i = 0; i < count; i++)
        EXPECT_EQ(mx_wait(dogs[i], "20s").came, MX_CAME_TO_END);
}

PARAM(count, int, 2, 4, 8);
PARAM(names, enum mx_names, MX_ONE_OF_A_NAME, MX_MANY_OF_A_NAME);

TEST(at_once, WITH(count, names))
{
    NURSERY(outer)
    {
        struct mx_actor *registrar = mx_registrar(outer, names), *dogs[MOST];
        int have_it = 0;

        NURSERY(n)
        {
            spawn_dogs(n, dogs, count);
            for (int i = 0; i < count; i++)
                tell(dogs[i], "now");
            for (int i = 0; i < count; i++)
                have_it += is_it(dogs[i]);
            EXPECT_EQ(have_it, names == MX_ONE_OF_A_NAME ? 1 : count);
            all_end_well(dogs, count);
        }
        mx_cancel(registrar);
    }
}

/* The next order of them, as one counts; false: that was the last. */
static bool permute(int *order, int count)
{
    int i = count - 2, j = count - 1;

    while (i >= 0 && order[i] > order[i + 1])
        i--;
    if (i < 0)
        return false;
    while (order[j] < order[i])
        j--;
    for (int at = i, with = j, lower = i + 1, upper = count - 1;; at = lower++, with = upper--) {
        int kept = order[at];

        order[at] = order[with];
        order[with] = kept;
        if (lower >= upper)
            return true;
    }
}

static void register_in_order(const int *order, int count)
{
    struct mx_actor *dogs[MOST];

    NURSERY(n)
    {
        spawn_dogs(n, dogs, count);
        for (int i = 0; i < count; i++) {
            tell(dogs[order[i]], "now");
            EXPECT_EQ(is_it(dogs[order[i]]), i == 0, "number %d was the %dth", order[i], i);
        }
        all_end_well(dogs, count);
    }
}

PARAM(few, int, 2, 3, 4);

TEST(in_every_order, WITH(few), .timeout = "120s", .slow = "60s")
{
    int order[MOST] = {0, 1, 2, 3};

    NURSERY(outer)
    {
        struct mx_actor *registrar = mx_registrar(outer, MX_ONE_OF_A_NAME);

        do
            register_in_order(order, few);
        while (permute(order, few));
        mx_cancel(registrar);
    }
}
