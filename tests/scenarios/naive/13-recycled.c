/* Somebody has a number of a connection that was closed, and the next connection has got that number. */
#include "tests/kids/kid/kid.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int first[2], second[2], stale;
    char text[32] = "";

    limit_life(KID_LIFE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, first) < 0)
        return broken("socketpair");
    stale = first[0];
    close(first[0]);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, second) < 0 || second[0] != stale)
        return broken("the number was not used again");
    if (write(stale, "for the first", 13) != 13 || read(second[1], text, sizeof text - 1) < 0)
        return broken("talking");
    printf("the second got what was %s\n", text);
    return 0;
}
