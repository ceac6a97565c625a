/* What a command line may say of a soak. */
#include "runner/base/mem.h"
#include "runner/soaking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void shares(void **state)
{
    static const struct {
        const char *text;
        double share; /* 0: refused */
    } rows[] = {
        {"0.3%", 0.003},
        {"0.003", 0.003},
        {".5", 0.5},
        {"50%", 0.5},
        {"99.9999%", 0.999999},
        {"0", 0},
        {"1", 0},
        {"1.0", 0},
        {"0%", 0},
        {"100%", 0},
        {"101%", 0},
        {"", 0},
        {".", 0},
        {"%", 0},
        {"-0.1", 0},
        {"+0.1", 0},
        {"1e-3", 0},
        {"0x1p-4", 0},
        {"0.1.2", 0},
        {"0.1 ", 0},
        {" 0.1", 0},
        {"nan", 0},
        {"inf", 0},
        {"0,3%", 0},
        {"0.0000000000000000000000000000000000000001", 0},
        {"99999999999999999999999999999999999999999999999999", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double share = -1;
        bool good = soaking_share(rows[i].text, &share);

        if (good != (rows[i].share > 0) || (good && share != rows[i].share))
            fail_msg("'%s' is %d, %g", rows[i].text, good, share);
    }
}

static void seeds(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t seed;
    } rows[] = {
        {"0", true, 0},
        {"10", true, 16},
        {"0x10", true, 16},
        {"ffffffffffffffff", true, UINT64_MAX},
        {"FFFFffffFFFFffff", true, UINT64_MAX},
        {"10000000000000000", false, 0},
        {"", false, 0},
        {"0x", false, 0},
        {"-1", false, 0},
        {"x1", false, 0},
        {"1g", false, 0},
        {" 1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t seed = 0;
        bool good = soaking_seed(rows[i].text, &seed);

        if (good != rows[i].good || seed != rows[i].seed)
            fail_msg("'%s' is %d, %llx", rows[i].text, good, (unsigned long long)seed);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(shares), cmocka_unit_test(seeds)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
