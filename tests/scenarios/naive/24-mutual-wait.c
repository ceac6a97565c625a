/* A parent that waits for the end of its child, and a child that waits for a word of its parent. */
#include "tests/kids/kid/kid.h"

#include <sys/socket.h>
#include <sys/wait.h>
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
        _exit(read(ends[1], &byte, 1) == 1 ? 0 : 1);
    }
    wait(NULL);
    say("it has ended");
    return 0;
}
