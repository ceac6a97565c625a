#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
Test(shop, price)
{
    cr_assert_eq(2 + 2, 4);
}
Test(shop, discount)
{
    cr_expect_eq(9, 10, "no <discount>");
    cr_assert(0, "second");
}
Test(shop, till)
{
    cr_skip_test("the till is closed");
}
Test(shop, change, .disabled = true)
{
}
Test(shop, crashes)
{
    raise(SIGSEGV);
}
Test(stock, empty)
{
}
Test(stock, slow, .timeout = 0.5)
{
    for (;;)
        ;
}
