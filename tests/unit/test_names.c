/* The table of a registrar, beside a model that is as simple as can be: all orders in which few come, and many of many. */
#include "fixtures/actors/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAME          "doggy"
#define CLIENTS_MOST  8
#define STEPS_MOST    3
#define RANDOM_ROUNDS 400
#define RANDOM_STEPS  300

static const struct str name = STR(NAME);

/* ---- the model: all of them want the same name ---- */

struct model {
    struct registry registry;
    int order[CLIENTS_MOST], count; /* who has it, in the order of their coming */
    int waits[CLIENTS_MOST], waiting;
    uint32_t asked; /* questions so far */
    uint32_t number[CLIENTS_MOST];
};

static struct str id_of(int client, char bytes[32])
{
    snprintf(bytes, 32, NAME "@%d", client);
    return str_of(bytes);
}

static struct str url_of(int client, char bytes[32])
{
    snprintf(bytes, 32, "unix:///%d", client);
    return str_of(bytes);
}

static int place_of(const int *list, int count, int client)
{
    for (int i = 0; i < count; i++)
        if (list[i] == client)
            return i;
    return -1;
}

static bool leave(int *list, int *count, int client)
{
    int at = place_of(list, *count, client);

    if (at < 0)
        return false;
    for (--*count; at < *count; at++)
        list[at] = list[at + 1];
    return true;
}

/* ---- what a client does, in both ---- */

static void do_register(struct model *m, int client)
{
    char id[32], url[32], other[32], wanted[128];
    struct buf why = {0};
    bool there = place_of(m->order, m->count, client) >= 0, may = there || m->registry.many || !m->count;

    assert_int_equal(
        registry_add(&m->registry, (uint64_t)client, name, id_of(client, id), url_of(client, url), &why),
        may);
    if (!may) {
        snprintf(wanted, sizeof wanted, "the name '" NAME "' is taken by %s", id_of(m->order[0], other).ptr);
        assert_string_equal(buf_text(&why), wanted);
    } else {
        assert_int_equal(why.len, 0);
        if (!there)
            m->order[m->count++] = client;
    }
    buf_release(&why);
}

static void do_unregister(struct model *m, int client)
{
    int stranger = (client + 1) % CLIENTS_MOST;
    char id[32];

    assert_false(registry_remove(&m->registry, (uint64_t)stranger, name, id_of(client, id)));
    assert_int_equal(registry_remove(&m->registry, (uint64_t)client, name, id_of(client, id)),
                     leave(m->order, &m->count, client));
}

static void do_find(struct model *m, int client)
{
    const char *found = registry_find(&m->registry, name);
    char url[32];

    (void)client;
    if (m->count)
        assert_string_equal(found, url_of(m->order[0], url).ptr);
    else
        assert_null(found);
}

static void do_await(struct model *m, int client)
{
    if (place_of(m->waits, m->waiting, client) >= 0)
        return;
    m->waits[m->waiting++] = client;
    m->number[client] = ++m->asked;
    registry_await(&m->registry, (uint64_t)client, m->asked, name);
}

static void do_stop(struct model *m, int client)
{
    assert_int_equal(registry_stop_waiting(&m->registry, (uint64_t)client, m->number[client]),
                     leave(m->waits, &m->waiting, client));
}

static void do_go(struct model *m, int client)
{
    registry_forget(&m->registry, (uint64_t)client);
    leave(m->order, &m->count, client);
    leave(m->waits, &m->waiting, client);
}

typedef void step(struct model *m, int client);

/* Who waits has an answer as soon as there is one, once, in the order of asking; then both know the same. */
static void take_answers(struct model *m)
{
    struct registry_answer answer;
    char url[32];

    while (m->count && m->waiting) {
        assert_true(registry_next_answer(&m->registry, &answer));
        assert_int_equal(answer.client, m->waits[0]);
        assert_int_equal(answer.number, m->number[m->waits[0]]);
        assert_string_equal(answer.url, url_of(m->order[0], url).ptr);
        leave(m->waits, &m->waiting, m->waits[0]);
    }
    assert_false(registry_next_answer(&m->registry, &answer));
    assert_true(m->registry.many || m->count <= 1);
    assert_int_equal(m->registry.entry_count, m->count);
    assert_int_equal(m->registry.waiter_count, m->waiting);
    for (int i = 0; i < m->count; i++)
        assert_int_equal(m->registry.entries[i].client, m->order[i]);
    do_find(m, 0);
}

/* ---- all orders ---- */

struct scripts {
    step *const *of[CLIENTS_MOST]; /* STEPS_MOST each */
    int clients;
    bool many;
};

static void play(const struct scripts *scripts, const int *order, int length)
{
    struct model m = {.registry.many = scripts->many};
    int done[CLIENTS_MOST] = {0};

    for (int i = 0; i < length; i++) {
        scripts->of[order[i]][done[order[i]]++](&m, order[i]);
        take_answers(&m);
    }
    registry_release(&m.registry);
}

/* Each client keeps the order of its own steps; between them everything is possible. How many orders there were. */
static long play_all(const struct scripts *scripts, int *order, int length, int *left)
{
    long played = 0;
    bool over = true;

    for (int client = 0; client < scripts->clients; client++)
        if (left[client]) {
            over = false;
            left[client]--;
            order[length] = client;
            played += play_all(scripts, order, length + 1, left);
            left[client]++;
        }
    if (!over)
        return played;
    play(scripts, order, length);
    return 1;
}

static long in_all_orders(step *const *one, step *const *other, int clients, bool many)
{
    struct scripts scripts = {.clients = clients, .many = many};
    int order[CLIENTS_MOST * STEPS_MOST], left[CLIENTS_MOST];

    for (int i = 0; i < clients; i++) {
        scripts.of[i] = i % 2 ? other : one;
        left[i] = STEPS_MOST;
    }
    return play_all(&scripts, order, 0, left);
}

static void test_all_orders(void **state)
{
    static step *const comes[] = {do_register, do_find, do_unregister},
                       *const waits[] = {do_await, do_register, do_go},
                       *const stops[] = {do_await, do_stop, do_register},
                       *const again[] = {do_register, do_go, do_register};
    static const long orders[] = {1, 1, 20, 1680, 369600}; /* (3n)! / 3!^n */

    (void)state;
    for (int clients = 1; clients <= 4; clients++)
        for (int many = 0; many < 2; many++) {
            assert_int_equal(in_all_orders(comes, waits, clients, many), orders[clients]);
            if (clients == 4)
                continue; /* a million orders */
            assert_int_equal(in_all_orders(comes, comes, clients, many), orders[clients]);
            assert_int_equal(in_all_orders(stops, again, clients, many), orders[clients]);
        }
}

/* ---- many, by chance ---- */

static uint32_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static void test_eight_by_chance(void **state)
{
    static step *const steps[] = {do_register, do_unregister, do_find, do_await, do_stop, do_go};
    uint64_t seed = 21;

    (void)state;
    for (int round = 0; round < RANDOM_ROUNDS; round++) {
        struct model m = {.registry.many = round % 2};

        for (int i = 0; i < RANDOM_STEPS; i++) {
            int client = (int)(draw(&seed) % CLIENTS_MOST);

            steps[draw(&seed) % (sizeof steps / sizeof steps[0])](&m, client);
            take_answers(&m);
        }
        registry_release(&m.registry);
    }
}

/* ---- what the model has not ---- */

/* Who has come by another connection is the same as before, and the end of the old one takes nothing away. */
static void test_one_that_comes_again(void **state)
{
    struct registry registry = {0};
    struct buf why = {0};
    const struct str id = STR("doggy@1");

    (void)state;
    assert_true(registry_add(&registry, 1, name, id, str_of("unix:///old"), &why));
    assert_true(registry_add(&registry, 2, name, id, str_of("unix:///new"), &why));
    assert_string_equal(registry_find(&registry, name), "unix:///new");
    registry_forget(&registry, 1);
    assert_string_equal(registry_find(&registry, name), "unix:///new");
    registry_forget(&registry, 2);
    assert_null(registry_find(&registry, name));
    registry_release(&registry);
    buf_release(&why);
}

static void test_names_and_ids_are_told_apart(void **state)
{
    struct registry registry = {0};
    struct buf why = {0};

    (void)state;
    assert_true(registry_add(&registry, 1, str_of("a"), str_of("x"), str_of("unix:///a"), &why));
    assert_true(registry_add(&registry, 1, str_of("ab"), str_of("x"), str_of("unix:///ab"), &why));
    assert_true(registry_add(&registry, 2, str_of(""), str_of(""), str_of("unix:///none"), &why));
    assert_string_equal(registry_find(&registry, str_of("ab")), "unix:///ab");
    assert_string_equal(registry_find(&registry, (struct str){"abc", 1}), "unix:///a");
    assert_string_equal(registry_find(&registry, (struct str){0}), "unix:///none");
    assert_null(registry_find(&registry, str_of("abc")));
    assert_false(registry_remove(&registry, 1, str_of("a"), str_of("y")));
    assert_false(registry_add(&registry, 3, str_of(""), str_of("z"), str_of("unix:///z"), &why));
    assert_string_equal(buf_text(&why), "the name '' is taken by the test itself");
    registry_release(&registry);
    buf_release(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_eight_by_chance),
        cmocka_unit_test(test_one_that_comes_again),
        cmocka_unit_test(test_names_and_ids_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
