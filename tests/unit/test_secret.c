/* What nobody is to see is known by its name. */
#include "runner/base/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_names(void **state)
{
    static const char *const secret[] = {"DB_PASSWORD",  "PGPASSWORD", "token",
                                         "GITHUB_TOKEN", "api_key2",   "SECRETS",
                                         "SECRET_OF",    "MY_APIKEY",  "AWS_SECRET_ACCESS_KEY"};
    static const char *const open[] = {
        "TOKENIZERS_PARALLELISM", "SECRETARY", "PATH", "", "S", "KEY", "PASSWORDLESS"};

    (void)state;
    for (size_t i = 0; i < sizeof secret / sizeof *secret; i++)
        assert_true(secret_is_name(str_of(secret[i])));
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_false(secret_is_name(str_of(open[i])));
}

static void test_plain_values(void **state)
{
    static const char *const plain[] = {"", "0", "8192", "1000000", "true", "False", "yes", "NO"};
    static const char *const others[] = {"12345678", "12ab", "truest", "hunter2", "-1", "n"};

    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        assert_true(secret_is_plain(str_of(plain[i])));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(secret_is_plain(str_of(others[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_plain_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
