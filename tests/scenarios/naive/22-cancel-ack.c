/*
 * Asks its child to end, and waits a while for the answer, which never comes. Then it has done what it could, and waits
 * for the end.
 */
#include "tests/kids/kid/kid.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void be_child(int fd)
{
    char byte;

    while (read(fd, &byte, 1) == 1) /* it is heard, and that is all */
        ;
    linger();
}

int main(void)
{
    struct pollfd answer = {.events = POLLIN};
    int ends[2];

    limit_life(KID_LIFE);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return broken("socketpair");
    if (kid_fork() == 0)
        be_child(ends[1]);
    answer.fd = ends[0];
    if (write(ends[0], "x", 1) != 1)
        return broken("cancel");
    say(poll(&answer, 1, 200) == 1 ? "an answer" : "no answer");
    wait(NULL);
    say("it has ended");
    return 0;
}
