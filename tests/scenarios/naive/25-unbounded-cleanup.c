/* At its end it waits until its peer has hung up. The peer has no reason to. */
#include "tests/kids/kid/kid.h"

#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    char byte;

    limit_life(KID_LIFE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return broken("socketpair");
    if (kid_fork() == 0) {
        close(ends[0]);
        linger();
    }
    close(ends[1]);
    shutdown(ends[0], SHUT_WR);
    while (read(ends[0], &byte, 1) == 1)
        ;
    say("it has hung up");
    return 0;
}
