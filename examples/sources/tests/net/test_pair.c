#include "fixtures_pair.h"

#include <run_matrix.h>
#include <unistd.h>

TEST(what_goes_in_comes_out)
{
    char byte = 0;
    int ends[2];

    pair_open(ends);
    if (write(ends[0], "x", 1) != 1 || read(ends[1], &byte, 1) != 1 || byte != 'x')
        FAIL("it was %d", byte);
}
