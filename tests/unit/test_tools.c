/* What a test is lent, and what is put back: folders, files, addresses, environment, variables, numbers, time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner/base/address.h"
#include "runner/base/clock.h"
#include "tests/unit/forks.h"
#include "tests/unit/tools_stage.h"

#include <sys/stat.h>

#define THREADS 8

/* ---- folders and files ---- */

static void test_a_folder_is_made_once(void **state)
{
    const char *folder = mx_tmpdir();
    struct stat st;

    (void)state;
    assert_ptr_equal(mx_tmpdir(), folder);
    assert_int_equal(strncmp(folder, stage.folder, strlen(stage.folder)), 0);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_a_folder_goes_with_all_in_it(void **state)
{
    char path[200];

    (void)state;
    mx_write_file("a/b/c", "text");
    snprintf(path, sizeof path, "%s", mx_path("a/b/c"));
    assert_int_equal(symlink("/etc", mx_path("link")), 0);
    assert_int_equal(chmod(mx_path("a/b"), 0500), 0);
    assert_int_equal(chmod(mx_path("a"), 0), 0);
    end_case();
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    assert_int_equal(stage.others, 0);
    assert_string_not_equal(mx_tmpdir(), ""); /* there is another one afterwards */
}

static void test_files(void **state)
{
    const char *path = mx_write_file("x/y", "one\n");

    (void)state;
    assert_string_equal(path, mx_path("x/%c", 'y'));
    assert_string_equal(mx_read_file(path), "one\n");
    mx_write_file("x/y", "");
    assert_string_equal(mx_read_file(path), "");
    assert_string_equal(mx_path("/abs/%d", 3), "/abs/3");
    REFUSED(mx_read_file(mx_path("none")), "/none': No such file or directory");
    assert_int_equal(stage.line, __LINE__ - 1);
    REFUSED(mx_write_file("x/y/z", ""), "cannot make the folders of '");
}

static void test_no_folder_can_be_made(void **state)
{
    char folder[sizeof stage.folder];

    (void)state;
    memcpy(folder, stage.folder, sizeof folder);
    snprintf(stage.folder, sizeof stage.folder, "/nowhere");
    REFUSED(mx_tmpdir(), "cannot make a folder for the test: No such file or directory");
    memcpy(stage.folder, folder, sizeof folder);
    mx_tmpdir();
}

static void *ask_for_folder(void *user)
{
    pthread_barrier_wait(user);
    return (void *)(uintptr_t)mx_tmpdir();
}

static void test_threads_have_one_folder(void **state)
{
    pthread_t threads[THREADS];
    pthread_barrier_t all;
    void *first, *other;

    (void)state;
    pthread_barrier_init(&all, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_folder, &all), 0);
    pthread_join(threads[0], &first);
    for (int i = 1; i < THREADS; i++) {
        pthread_join(threads[i], &other);
        assert_ptr_equal(first, other);
    }
    pthread_barrier_destroy(&all);
}

/* ---- addresses ---- */

static void test_the_address_that_is_given(void **state)
{
    struct mx_addr address;

    (void)state;
    mx_setenv("RUN_MATRIX_REG_ADDR", "tcp://127.0.0.1:4711");
    address = mx_reg_addr();
    assert_string_equal(address.url, "tcp://127.0.0.1:4711");
    assert_string_equal(address.host, "127.0.0.1");
    assert_int_equal(address.port, 4711);
    assert_null(address.path);
    end_case();
    mx_setenv("RUN_MATRIX_REG_ADDR", "unix:///tmp/rm-x/3-0/s");
    address = mx_reg_addr();
    assert_string_equal(address.path, "/tmp/rm-x/3-0/s");
    assert_null(address.host);
    assert_int_equal(address.port, 0);
}

static void refuse_address(const char *url)
{
    mx_setenv("RUN_MATRIX_REG_ADDR", url);
    REFUSED(mx_reg_addr(), "neither tcp://HOST:PORT nor unix:///PATH");
    said(url);
}

static void test_an_address_that_is_none(void **state)
{
    static const char *const wrong[] = {"4711",          "tcp://",     "tcp://127.0.0.1", "tcp://127.0.0.1:0",
                                        "tcp://a:70000", "tcp://a:1x", "unix:s",          "unix://s"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        refuse_address(wrong[i]);
}

static void test_an_address_of_ones_own(void **state)
{
    struct mx_addr address, other, file;
    struct address taken = ADDRESS_NONE;

    (void)state;
    mx_unsetenv("RUN_MATRIX_REG_ADDR");
    address = mx_reg_addr();
    assert_ptr_equal(mx_reg_addr().url, address.url);
    other = mx_new_addr("tcp");
    assert_int_not_equal(address.port, other.port);
    taken.port = (uint16_t)other.port;
    assert_int_equal(address_listen(&taken), 0); /* nobody is bound there */
    address_release(&taken);
    file = mx_new_addr("uds");
    assert_string_not_equal(file.path, mx_new_addr("uds").path);
    taken = (struct address)ADDRESS_NONE;
    taken.transport = TRANSPORT_UDS;
    snprintf(taken.path, sizeof taken.path, "%s", file.path);
    assert_int_equal(address_listen(&taken), 0);
    address_release(&taken);
    REFUSED(mx_new_addr("udp"), "'udp' is no transport");
}

/* ---- what is put back ---- */

static void test_environment(void **state)
{
    (void)state;
    setenv("TOOLS_ONE", "1", 1);
    unsetenv("TOOLS_TWO");
    mx_setenv("TOOLS_ONE", "2");
    mx_setenv("TOOLS_ONE", "3");
    mx_setenv("TOOLS_TWO", "");
    assert_string_equal(getenv("TOOLS_ONE"), "3");
    assert_string_equal(getenv("TOOLS_TWO"), "");
    mx_unsetenv("TOOLS_ONE");
    assert_null(getenv("TOOLS_ONE"));
    end_case();
    assert_string_equal(getenv("TOOLS_ONE"), "1");
    assert_null(getenv("TOOLS_TWO"));
    unsetenv("TOOLS_ONE");
    REFUSED(mx_setenv("A=B", "x"), "'A=B' is no name of a variable");
    REFUSED(mx_setenv("", "x"), "'' is no name");
}

static void test_working_folder(void **state)
{
    char before[4096], now[4096];

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    mx_chdir(mx_tmpdir());
    assert_string_equal(getcwd(now, sizeof now), mx_tmpdir());
    mx_chdir("/");
    REFUSED(mx_chdir("/nowhere"), "cannot enter '/nowhere': No such file or directory");
    end_case();
    assert_string_equal(getcwd(now, sizeof now), before);
}

static void test_variables(void **state)
{
    static int number = 3;
    static const char *text = "before";

    (void)state;
    MX_SET(number, 4);
    MX_SET(number, 5);
    MX_SET(text, "now");
    assert_int_equal(number, 5);
    end_case();
    assert_int_equal(number, 3);
    assert_string_equal(text, "before");
}

static char order[8];

static void note_order(void *user)
{
    strcat(order, user);
}

static void test_what_came_last_goes_first(void **state)
{
    (void)state;
    order[0] = '\0';
    mx_at_end(note_order, (void *)(uintptr_t) "1");
    mx_at_end(note_order, (void *)(uintptr_t) "2");
    end_case();
    assert_string_equal(order, "21");
}

/* ---- random numbers ---- */

static uint64_t first_with(const char *seed)
{
    mx_setenv("RUN_MATRIX_SEED", seed);
    tools_begin();
    return mx_random();
}

static void test_a_seed_gives_the_same_numbers(void **state)
{
    uint64_t seed = 0;

    (void)state;
    mx_setenv("RUN_MATRIX_SEED", "42");
    tools_begin();
    assert_false(random_seed_used(&seed));
    assert_true(mx_random() ==
                UINT64_C(0xbdd732262feb6e95)); /* what SplitMix64 is known to say first of 42 */
    assert_true(random_seed_used(&seed));
    assert_int_equal(seed, 42);
    assert_true(first_with("0x2a") == first_with("42"));
    assert_true(first_with("43") != first_with("42"));
    first_with("18446744073709551615");
    REFUSED(first_with("18446744073709551616"), "RUN_MATRIX_SEED is '18446744073709551616', and no number");
    REFUSED(first_with("-1"), "RUN_MATRIX_SEED is '-1'");
    REFUSED(first_with("7 "), "RUN_MATRIX_SEED is '7 '");
}

static uint64_t first_of(const char *run, const char *id, const char *attempt)
{
    mx_unsetenv("RUN_MATRIX_SEED");
    mx_setenv("RUN_MATRIX_RUN_ID", run);
    mx_setenv("RUN_MATRIX_CASE_ID", id);
    mx_setenv("RUN_MATRIX_ATTEMPT", attempt);
    tools_begin();
    return mx_random();
}

static void test_an_attempt_has_its_own_numbers(void **state)
{
    const uint64_t one = first_of("7", "t::a", "1");
    uint64_t seed, again;

    (void)state;
    assert_true(random_seed_used(&seed));
    assert_true(one == first_of("7", "t::a", "1"));
    assert_true(one != first_of("7", "t::a", "2"));
    assert_true(one != first_of("8", "t::a", "1"));
    assert_true(one != first_of("7", "t::b", "1"));
    assert_true(first_of("71", "x", "1") != first_of("7", "1x", "1"));
    mx_unsetenv("RUN_MATRIX_CASE_ID");
    tools_begin();
    again = mx_random();
    tools_begin();
    assert_true(again != mx_random()); /* nobody has said which */
}

static void test_numbers_below(void **state)
{
    unsigned seen[7] = {0};

    (void)state;
    first_with("1");
    for (int i = 0; i < 7000; i++) {
        uint64_t number = mx_random_below(7);

        assert_true(number < 7);
        seen[number]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 800, 1200);
    assert_int_equal(mx_random_below(1), 0);
    assert_true(mx_random_below(UINT64_MAX) < UINT64_MAX);
    REFUSED(mx_random_below(0), "there is no number below 0");
}

static void *draw(void *user)
{
    uint64_t *numbers = user;

    for (int i = 0; i < 1000; i++)
        numbers[i] = mx_random();
    return NULL;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

static void test_threads_draw_no_number_twice(void **state)
{
    static uint64_t numbers[THREADS][1000];
    uint64_t *all = numbers[0];
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, numbers[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(all, THREADS * 1000, sizeof *all, by_number);
    for (int i = 1; i < THREADS * 1000; i++)
        assert_true(all[i] != all[i - 1]);
}

/* ---- time ---- */

static void test_the_clock_begins_with_the_test(void **state)
{
    const nanos before = clock_now();
    int64_t deadline, now;

    (void)state;
    tools_begin();
    now = mx_now();
    assert_true(now >= 0 && now <= clock_now() - before);
    mx_sleep("20ms");
    assert_true(mx_now() >= now + 20 * NS_PER_MS);
    deadline = mx_deadline("1h");
    assert_in_range(mx_left(deadline), 3500000, 3600000);
    assert_int_equal(mx_left(deadline - 3601 * NS_PER_S), 0);
    assert_int_equal(mx_left(INT64_MAX), INT32_MAX);
    REFUSED(mx_sleep("5 s"), "'5 s' is no span of time");
    REFUSED(mx_deadline(NULL), "'(null)' is no span of time");
}

static int asked;

static bool is_asked_often(int often)
{
    return ++asked >= often;
}

static void wait_in_vain(void)
{
    WAIT_UNTIL(is_asked_often(1 << 30), "30ms");
}

static void test_waiting(void **state)
{
    (void)state;
    asked = 0;
    WAIT_UNTIL(is_asked_often(5), "1m");
    assert_int_equal(asked, 5);
    WAIT_UNTIL(true, "0");
    asked = 0;
    REFUSED(wait_in_vain(), "is_asked_often(1 << 30) did not become true within 30ms");
    assert_in_range(asked, 2, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_a_folder_is_made_once),
        STAGED(test_a_folder_goes_with_all_in_it),
        STAGED(test_files),
        STAGED(test_no_folder_can_be_made),
        STAGED(test_threads_have_one_folder),
        STAGED(test_the_address_that_is_given),
        STAGED(test_an_address_that_is_none),
        STAGED(test_an_address_of_ones_own),
        STAGED(test_environment),
        STAGED(test_working_folder),
        STAGED(test_variables),
        STAGED(test_what_came_last_goes_first),
        STAGED(test_a_seed_gives_the_same_numbers),
        STAGED(test_an_attempt_has_its_own_numbers),
        STAGED(test_numbers_below),
        STAGED(test_threads_draw_no_number_twice),
        STAGED(test_the_clock_begins_with_the_test),
        STAGED(test_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
