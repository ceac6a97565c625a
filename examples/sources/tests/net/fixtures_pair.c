/* Linked with every test of this folder. */
#include "fixtures_pair.h"

#include <run_matrix.h>
#include <sys/socket.h>

void pair_open(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        FAIL("there are no sockets");
}
