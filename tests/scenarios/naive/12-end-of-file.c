/* Reads as long as that does not fail. */
#include "tests/kids/kid/kid.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENOUGH 1000000

int main(void)
{
    char bytes[16];
    int ends[2];
    long rounds = 0;

    limit_life(KID_LIFE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return broken("socketpair");
    close(ends[1]);
    while (recv(ends[0], bytes, sizeof bytes, 0) >= 0 && rounds < ENOUGH)
        rounds++;
    printf("%s\n", rounds == ENOUGH ? "it is not done after a million rounds" : "it is done");
    return 0;
}
