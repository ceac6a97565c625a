#include <run_matrix.h>
#include <stdlib.h>

TEST(counts)
{
    ASSERT_EQ(atoi("42"), 42);
}

TEST(sorts)
{
    SKIP("there is nothing to sort");
}
