#include "runner/base/ladder.h"
#include "runner/base/mem.h"
#include "runner/base/sig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
    static const struct {
        int number;
        const char *name;
    } rows[] = {
        {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGKILL, "SIGKILL"}, {SIGSEGV, "SIGSEGV"},
        {SIGTERM, "SIGTERM"}, {SIGSTOP, "SIGSTOP"}, {SIGCHLD, "SIGCHLD"}, {SIGPOLL, "SIGIO"},
        {SIGSYS, "SIGSYS"},   {32, "signal 32"},    {33, "signal 33"},    {0, "no signal"},
        {-1, "no signal"},    {65, "no signal"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(signal_name(rows[i].number), rows[i].name);
    assert_string_equal(signal_name(SIGRTMIN), "SIGRTMIN");
    assert_string_equal(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
    assert_string_equal(signal_name(SIGRTMAX), "SIGRTMIN+30");
}

/* What has a name is found by it, with and without SIG, in any case of letters; nothing else is. */
static void test_find_each(void **state)
{
    (void)state;
    for (int number = 1; number <= 64; number++) {
        const char *name = signal_name(number);
        char small[32] = {0};

        if (number == 32 || number == 33) {
            assert_int_equal(signal_find(str_of(name)), 0);
            continue;
        }
        for (size_t i = 0; name[i]; i++)
            small[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] | 0x20 : name[i]);
        if (signal_find(str_of(name)) != number || signal_find(str_of(name + 3)) != number ||
            signal_find(str_of(small)) != number || signal_find(str_of(small + 3)) != number)
            fail_msg("%s is not found", name);
    }
}

static void test_find_refuses(void **state)
{
    static const struct str rows[] = {
        STR(""),        STR("SIG"),      STR("SIGSIGINT"),  STR("INTT"),        STR("IN"),
        STR(" INT"),    STR("2"),        STR("INT\0"),      STR("signal 32"),   STR("no signal"),
        STR("RTMIN+0"), STR("RTMIN+31"), STR("SIGRTMIN-1"), STR("SIGRTMIN+03"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (signal_find(rows[i]) != 0)
            fail_msg("'%.*s' is found", STR_ARG(rows[i]));
}

static void test_ladder_words(void **state)
{
    (void)state;
    assert_string_equal(ladder_target_words[LADDER_GROUP], "group");
    assert_string_equal(ladder_target_words[LADDER_LEADER], "leader");
    assert_string_equal(ladder_target_words[LADDER_TREE], "tree");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_find_each),
        cmocka_unit_test(test_find_refuses),
        cmocka_unit_test(test_ladder_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
