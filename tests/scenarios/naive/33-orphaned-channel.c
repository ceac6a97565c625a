/*
 * Waits for a word of its child by what they are connected with. The child has forked one that has a copy of its end, and was
 * killed. Says the number of the child, and then that there was an end.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int ends[2];
    pid_t child;
    char byte;

    limit_life(KID_LIFE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return broken("socketpair");
    child = kid_fork();
    if (child == 0) {
        close(ends[0]);
        if (kid_fork() == 0)
            linger();
        raise(SIGKILL);
    }
    close(ends[1]);
    printf("%d\n", child);
    fflush(stdout);
    while (read(ends[0], &byte, 1) == 1)
        ;
    say("that was the end");
    return 0;
}
