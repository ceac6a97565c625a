/* Linked with each test of this folder, as all fixtures_*.c are, and asks for what it is made of. */
/* run-matrix: sources: index.c */
#include "fixtures_index.h"

#include <stdio.h>

SETUP(library)
{
    char word[20];

    self->index = index_new();
    for (int i = 0; i < 200000; i++) {
        snprintf(word, sizeof word, "word%d", i % 50000);
        index_add(self->index, word);
    }
}

TEARDOWN(library)
{
    index_free(self->index);
}

SETUP(notebook)
{
    self->index = index_new();
    ASSERT_NOT_NULL(self->index);
}

TEARDOWN(notebook)
{
    index_free(self->index);
}
