/* A loop that knows of signals by bytes that their handler writes, and a socket that is full when one comes. */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int wakeup[2], handler_errno;

static void tell(int signal)
{
    char byte = (char)signal;

    handler_errno = write(wakeup[1], &byte, 1) == 1 ? 0 : errno;
}

int main(void)
{
    bool seen = false;
    char byte = 0;
    int bytes = 0;

    limit_life(KID_LIFE);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, wakeup) < 0 ||
        setsockopt(wakeup[1], SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)) < 0)
        return broken("socketpair");
    sigaction(SIGINT, &(struct sigaction){.sa_handler = tell}, NULL);
    while (write(wakeup[1], &byte, 1) == 1)
        ;
    raise(SIGINT);
    for (; read(wakeup[0], &byte, 1) == 1; bytes++)
        seen |= byte == SIGINT;
    printf("%s bytes, the handler: %s, SIGINT was %s\n", bytes ? "some" : "no",
           handler_errno == EAGAIN ? "EAGAIN" : "well", seen ? "seen" : "not seen");
    return 0;
}
