/* Fixtures, those of a test and those of all: run-matrix examples/ctests/index */
#include "fixtures_index.h"

TEST(a_notebook_is_empty, USES(notebook))
{
    EXPECT_EQ(index_count(notebook->index, "word1"), 0);
    index_add(notebook->index, "word1");
    EXPECT_EQ(index_count(notebook->index, "word1"), 1);
}

TEST(a_library_is_not, USES(library))
{
    EXPECT_EQ(index_count(library->index, "word1"), 4);
    index_add(library->index, "word1");
    EXPECT_EQ(index_count(library->index, "word1"), 5);
}

/* What the other has added is not seen here. */
TEST(nobody_writes_in_books_of_a_library, USES(library, notebook))
{
    index_add(notebook->index, "word1");
    EXPECT_EQ(index_count(library->index, "word1"), 4);
}
