#include <run_matrix.h>
TEST(one_and_one)
{
    ASSERT_EQ(1 + 1, 2);
}
