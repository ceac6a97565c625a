#include <kselftest_harness.h>
#include <stdlib.h>
#include <subject.h>
#include <unistd.h>

/* 1 */
TEST(counts)
{
    ASSERT_EQ(4, words_in("to be  or not"));
}

/* 2 */
TEST(renders)
{
    ASSERT_STREQ(
        "<html><head><title>Hello</title></head><body><h1>Hello</h1><p>Served by the little server of the "
        "examples, which listens on port 8080 of this machine and answers one request at a time, so "
        "that whoever reads its code can follow it.</p></body></html>",
        page_of("Hello"));
}

/* 3: there is no check of memory */
TEST(packs)
{
    const unsigned char right[PACKET_SIZE] = {0x45, 0, 0, 4, [20] = 'p', 'i', 'n', 'g'};
    unsigned char packet[PACKET_SIZE];

    packet_pack(packet, "ping");
    ASSERT_EQ(0, memcmp(packet, right, PACKET_SIZE));
}

/* 4 */
FIXTURE(store)
{
    char folder[32];
    struct store *store;
};

FIXTURE_SETUP(store)
{
    strcpy(self->folder, "/tmp/store_XXXXXX");
    ASSERT_NE(NULL, mkdtemp(self->folder));
    self->store = store_open(self->folder);
    ASSERT_NE(NULL, self->store);
}

FIXTURE_TEARDOWN(store)
{
    store_close(self->store);
    rmdir(self->folder);
}

TEST_F(store, begins_empty)
{
    ASSERT_EQ(0, store_count(self->store));
}

TEST_F(store, replaces)
{
    store_put(self->store, "colour", "red");
    store_put(self->store, "colour", "blue");
    ASSERT_EQ(1, store_count(self->store));
}

/* 5: variants belong to a fixture */
/* clang-format off */
FIXTURE(number) {};
FIXTURE_SETUP(number) {}
FIXTURE_TEARDOWN(number) {}
/* clang-format on */

FIXTURE_VARIANT(number)
{
    const char *text;
    long value;
};

FIXTURE_VARIANT_ADD(number, decimal){.text = "10", .value = 10};
FIXTURE_VARIANT_ADD(number, hexadecimal){.text = "0x10", .value = 16};
FIXTURE_VARIANT_ADD(number, octal){.text = "0o10", .value = 8};

TEST_F(number, reads)
{
    ASSERT_EQ(variant->value, number_of(variant->text));
}

/* 6: there is no such fixture: it is built by a main of our own, which the harness does not come back to */
static struct index *tree;

static void free_index(void)
{
    index_free(tree);
}

int main(int argc, char **argv)
{
    tree = index_build();
    atexit(free_index);
    return test_harness_run(argc, argv);
}

TEST(finds_the_first)
{
    ASSERT_EQ(0, index_find(tree, "apple"));
}

TEST(finds_the_last)
{
    ASSERT_EQ(2, index_find(tree, "cherry"));
}

TEST(finds_nothing)
{
    ASSERT_EQ(-1, index_find(tree, "durian"));
}

/* 7: no expected failure for a TEST, only the end of a process that is expected */
TEST(rounds)
{
    SKIP(return, "1.005 has no exact double");
    ASSERT_TRUE(rounded(1.005) > 1.01 - 1e-9 && rounded(1.005) < 1.01 + 1e-9);
}

/* 8 */
TEST(measures_nobody)
{
    ASSERT_EQ(0, name_length(NULL));
}

/* 9: a deadline of its own needs a fixture */
/* clang-format off */
FIXTURE(reply) {};
FIXTURE_SETUP(reply) {}
FIXTURE_TEARDOWN(reply) {}
/* clang-format on */

TEST_F_TIMEOUT(reply, is_got, 1)
{
    ASSERT_EQ(0, wait_for_reply());
}

/* 10 */
TEST(serves)
{
    ASSERT_EQ(0, serve());
}
