/* Starts a child that dies before it has connected, and waits for its connection. */
#include "tests/kids/kid/kid.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* any name */
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    limit_life(KID_LIFE);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)) < 0 || listen(fd, 1) < 0)
        return broken("listener");
    if (kid_fork() == 0)
        _exit(2);
    accept(fd, NULL, NULL);
    say("it is there");
    return 0;
}
