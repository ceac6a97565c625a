#include <check.h>
#include <stdlib.h>
#include <subject.h>
#include <unistd.h>

/* 1 */
START_TEST(counts)
{
    ck_assert_int_eq(words_in("to be  or not"), 4);
}
END_TEST

/* 2 */
START_TEST(renders)
{
    ck_assert_str_eq(
        page_of("Hello"),
        "<html><head><title>Hello</title></head><body><h1>Hello</h1><p>Served by the little server of the "
        "examples, which listens on port 8080 of this machine and answers one request at a time, so "
        "that whoever reads its code can follow it.</p></body></html>");
}
END_TEST

/* 3 */
START_TEST(packs)
{
    const unsigned char right[PACKET_SIZE] = {0x45, 0, 0, 4, [20] = 'p', 'i', 'n', 'g'};
    unsigned char packet[PACKET_SIZE];

    packet_pack(packet, "ping");
    ck_assert_mem_eq(packet, right, PACKET_SIZE);
}
END_TEST

/* 4 */
static char folder[] = "/tmp/store_XXXXXX";
static struct store *store;

static void open_store(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    store = store_open(folder);
    ck_assert_ptr_nonnull(store);
}

static void close_store(void)
{
    store_close(store);
    rmdir(folder);
}

START_TEST(store_begins_empty)
{
    ck_assert_int_eq(store_count(store), 0);
}
END_TEST

START_TEST(store_replaces)
{
    store_put(store, "colour", "red");
    store_put(store, "colour", "blue");
    ck_assert_int_eq(store_count(store), 1);
}
END_TEST

/* 5 */
static const struct {
    const char *name, *text;
    long value;
} numbers[] = {{"decimal", "10", 10}, {"hexadecimal", "0x10", 16}, {"octal", "0o10", 8}};

START_TEST(reads)
{
    ck_assert_msg(number_of(numbers[_i].text) == numbers[_i].value, "%s: number_of(\"%s\") is %ld, not %ld",
                  numbers[_i].name, numbers[_i].text, number_of(numbers[_i].text), numbers[_i].value);
}
END_TEST

/* 6 */
static struct index *tree;

static void build_index(void)
{
    tree = index_build();
}

static void free_index(void)
{
    index_free(tree);
}

START_TEST(finds_the_first)
{
    ck_assert_int_eq(index_find(tree, "apple"), 0);
}
END_TEST

START_TEST(finds_the_last)
{
    ck_assert_int_eq(index_find(tree, "cherry"), 2);
}
END_TEST

START_TEST(finds_nothing)
{
    ck_assert_int_eq(index_find(tree, "durian"), -1);
}
END_TEST

/* 7: there is no expected failure, only the end of a process that is expected; nor is there a skip */
START_TEST(rounds)
{
    ck_assert_double_eq_tol(rounded(1.005), 1.01, 1e-9);
}
END_TEST

/* 8 */
START_TEST(measures_nobody)
{
    ck_assert_uint_eq(name_length(NULL), 0);
}
END_TEST

/* 9 */
START_TEST(gets_a_reply)
{
    ck_assert_int_eq(wait_for_reply(), 0);
}
END_TEST

/* 10 */
START_TEST(serves)
{
    ck_assert_int_eq(serve(), 0);
}
END_TEST

/* around */
static TCase *group(Suite *suite, const char *name)
{
    TCase *made = tcase_create(name);

    suite_add_tcase(suite, made);
    return made;
}

int main(void)
{
    Suite *suite = suite_create("subject");
    SRunner *runner = srunner_create(suite);
    TCase *text = group(suite, "text"), *slow = group(suite, "slow");
    TCase *stores = group(suite, "store"), *indices = group(suite, "index");
    int failed;

    tcase_add_test(text, counts);
    tcase_add_test(text, renders);
    tcase_add_test(text, packs);
    tcase_add_checked_fixture(stores, open_store, close_store);
    tcase_add_test(stores, store_begins_empty);
    tcase_add_test(stores, store_replaces);
    tcase_add_loop_test(text, reads, 0, sizeof numbers / sizeof numbers[0]);
    tcase_add_unchecked_fixture(indices, build_index, free_index);
    tcase_add_test(indices, finds_the_first);
    tcase_add_test(indices, finds_the_last);
    tcase_add_test(indices, finds_nothing);
    tcase_add_test(text, rounds);
    tcase_add_test(text, measures_nobody);
    tcase_set_timeout(slow, 1);
    tcase_add_test(slow, gets_a_reply);
    tcase_add_test(text, serves);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
