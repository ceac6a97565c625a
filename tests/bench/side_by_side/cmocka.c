#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <subject.h>
#include <unistd.h>

#include <cmocka.h>

/* 1 */
static void counts(void **state)
{
    (void)state;
    assert_int_equal(words_in("to be  or not"), 4);
}

/* 2 */
static void renders(void **state)
{
    (void)state;
    assert_string_equal(
        page_of("Hello"),
        "<html><head><title>Hello</title></head><body><h1>Hello</h1><p>Served by the little server of the "
        "examples, which listens on port 8080 of this machine and answers one request at a time, so "
        "that whoever reads its code can follow it.</p></body></html>");
}

/* 3 */
static void packs(void **state)
{
    const unsigned char right[PACKET_SIZE] = {0x45, 0, 0, 4, [20] = 'p', 'i', 'n', 'g'};
    unsigned char packet[PACKET_SIZE];

    (void)state;
    packet_pack(packet, "ping");
    assert_memory_equal(packet, right, PACKET_SIZE);
}

/* 4 */
struct fixture {
    char folder[32];
    struct store *store;
};

static int open_store(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (!fixture)
        return -1;
    *fixture = (struct fixture){.folder = "/tmp/store_XXXXXX"};
    *state = fixture;
    if (!mkdtemp(fixture->folder))
        return -1;
    fixture->store = store_open(fixture->folder);
    return fixture->store ? 0 : -1;
}

static int close_store(void **state)
{
    struct fixture *fixture = *state;

    store_close(fixture->store);
    rmdir(fixture->folder);
    free(fixture);
    return 0;
}

static void store_begins_empty(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(store_count(fixture->store), 0);
}

static void store_replaces(void **state)
{
    struct fixture *fixture = *state;

    store_put(fixture->store, "colour", "red");
    store_put(fixture->store, "colour", "blue");
    assert_int_equal(store_count(fixture->store), 1);
}

/* 5 */
struct number {
    const char *text;
    long value;
};

static void reads(void **state)
{
    const struct number *number = *state;

    assert_int_equal(number_of(number->text), number->value);
}

#define READS(name, ...)                                   \
    {                                                      \
        "reads " name, reads, NULL, NULL, &(struct number) \
        {                                                  \
            __VA_ARGS__                                    \
        }                                                  \
    }

/* 6 */
static int build_index(void **state)
{
    *state = index_build();
    return *state ? 0 : -1;
}

static int free_index(void **state)
{
    index_free(*state);
    return 0;
}

static void finds_the_first(void **state)
{
    assert_int_equal(index_find(*state, "apple"), 0);
}

static void finds_the_last(void **state)
{
    assert_int_equal(index_find(*state, "cherry"), 2);
}

static void finds_nothing(void **state)
{
    assert_int_equal(index_find(*state, "durian"), -1);
}

/* 7: there is no expected failure */
static void rounds(void **state)
{
    (void)state;
    skip(); /* 1.005 has no exact double */
    assert_float_equal(rounded(1.005), 1.01, 1e-6);
}

/* 8 */
static void measures_nobody(void **state)
{
    (void)state;
    assert_int_equal(name_length(NULL), 0);
}

/* 9: there is no deadline; fail() leaves by longjmp, also out of a handler */
static void too_late(int number)
{
    (void)number;
    fail_msg("no end after 1 s");
}

static int set_alarm(void **state)
{
    (void)state;
    signal(SIGALRM, too_late);
    alarm(1);
    return 0;
}

static int clear_alarm(void **state)
{
    (void)state;
    alarm(0);
    return 0;
}

static void gets_a_reply(void **state)
{
    (void)state;
    assert_int_equal(wait_for_reply(), 0);
}

/* 10 */
static void serves(void **state)
{
    (void)state;
    assert_int_equal(serve(), 0);
}

/* around */
int main(void)
{
    const struct CMUnitTest texts[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(renders),
        cmocka_unit_test(packs),
        cmocka_unit_test_setup_teardown(store_begins_empty, open_store, close_store),
        cmocka_unit_test_setup_teardown(store_replaces, open_store, close_store),
        READS("decimal", "10", 10),
        READS("hexadecimal", "0x10", 16),
        READS("octal", "0o10", 8),
        cmocka_unit_test(rounds),
        cmocka_unit_test(measures_nobody),
        cmocka_unit_test_setup_teardown(gets_a_reply, set_alarm, clear_alarm),
        cmocka_unit_test(serves),
    };
    const struct CMUnitTest indices[] = {
        cmocka_unit_test(finds_the_first),
        cmocka_unit_test(finds_the_last),
        cmocka_unit_test(finds_nothing),
    };

    return cmocka_run_group_tests(texts, NULL, NULL) +
           cmocka_run_group_tests(indices, build_index, free_index);
}
