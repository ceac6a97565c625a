#include <run_matrix.h>
TEST(one_and_one)
{
    if (1 + 1 != 2)
        FAIL("1 + 1 is %d", 1 + 1);
}
