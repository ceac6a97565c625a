#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <subject.h>
#include <unistd.h>

/* 1 */
Test(text, counts)
{
    cr_assert(eq(int, words_in("to be  or not"), 4));
}

/* 2 */
Test(text, renders)
{
    cr_assert(
        eq(str, (char *)page_of("Hello"),
           "<html><head><title>Hello</title></head><body><h1>Hello</h1><p>Served by the little server of the "
           "examples, which listens on port 8080 of this machine and answers one request at a time, so "
           "that whoever reads its code can follow it.</p></body></html>"));
}

/* 3 */
Test(text, packs)
{
    const unsigned char right[PACKET_SIZE] = {0x45, 0, 0, 4, [20] = 'p', 'i', 'n', 'g'};
    unsigned char packet[PACKET_SIZE];
    struct cr_mem actual = {packet, sizeof packet};
    struct cr_mem expected = {right, sizeof right};

    packet_pack(packet, "ping");
    cr_assert(eq(mem, actual, expected));
}

/* 4 */
static char folder[] = "/tmp/store_XXXXXX";
static struct store *store;

static void open_store(void)
{
    cr_assert(ne(ptr, mkdtemp(folder), NULL));
    store = store_open(folder);
    cr_assert(ne(ptr, store, NULL));
}

static void close_store(void)
{
    store_close(store);
    rmdir(folder);
}

TestSuite(store, .init = open_store, .fini = close_store);

Test(store, begins_empty)
{
    cr_assert(eq(int, store_count(store), 0));
}

Test(store, replaces)
{
    store_put(store, "colour", "red");
    store_put(store, "colour", "blue");
    cr_assert(eq(int, store_count(store), 1));
}

/* 5 */
struct number {
    char name[16], text[8]; /* parameters go to another process: they may not point to anything */
    long value;
};

ParameterizedTestParameters(text, reads)
{
    static struct number numbers[] = {
        {"decimal", "10", 10}, {"hexadecimal", "0x10", 16}, {"octal", "0o10", 8}};

    return cr_make_param_array(struct number, numbers, sizeof numbers / sizeof numbers[0]);
}

ParameterizedTest(struct number *number, text, reads)
{
    cr_assert(eq(long, number_of(number->text), number->value), "%s", number->name);
}

/* 6: tests do not share memory, so each builds its own */
static struct index *tree;

static void build_index(void)
{
    tree = index_build();
}

static void free_index(void)
{
    index_free(tree);
}

TestSuite(index, .init = build_index, .fini = free_index);

Test(index, finds_the_first)
{
    cr_assert(eq(int, index_find(tree, "apple"), 0));
}

Test(index, finds_the_last)
{
    cr_assert(eq(int, index_find(tree, "cherry"), 2));
}

Test(index, finds_nothing)
{
    cr_assert(eq(int, index_find(tree, "durian"), -1));
}

/* 7: there is no expected failure, only the end of a process that is expected */
Test(text, rounds)
{
    cr_skip_test("1.005 has no exact double");
    cr_assert(epsilon_eq(dbl, rounded(1.005), 1.01, 1e-9));
}

/* 8 */
Test(text, measures_nobody)
{
    cr_assert(eq(sz, name_length(NULL), 0));
}

/* 9 */
Test(text, gets_a_reply, .timeout = 1)
{
    cr_assert(eq(int, wait_for_reply(), 0));
}

/* 10 */
Test(text, serves)
{
    cr_assert(eq(int, serve(), 0));
}
