#include <cmocka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
static void price(void **s)
{
    (void)s;
    assert_int_equal(4, 2 + 2);
}
static void discount(void **s)
{
    (void)s;
    assert_int_equal(10, 9);
}
static void till(void **s)
{
    (void)s;
    skip();
}
static int no_stock(void **s)
{
    (void)s;
    return -1;
}
static void stock(void **s)
{
    (void)s;
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(price), cmocka_unit_test(discount),
                                       cmocka_unit_test(till), cmocka_unit_test_setup(stock, no_stock)};
    return cmocka_run_group_tests_name("shop", tests, NULL, NULL);
}
