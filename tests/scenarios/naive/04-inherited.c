/*
 * Two who fork and close nothing: one that listens, and one that has a connection. They are killed; the children that
 * they have forked still have copies of what they had.
 */
#include "tests/kids/kid/kid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct told {
    in_port_t port;
    pid_t child;
};

static int listen_at(in_port_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = port, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 1) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0)
        return -errno;
    return address.sin_port;
}

static _Noreturn void be_owner(int tell)
{
    struct told told = {.port = (in_port_t)listen_at(0), .child = kid_fork()};

    if (told.child && write(tell, &told, sizeof told) != sizeof told)
        _exit(99);
    linger();
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void try_to_listen(const char *who, in_port_t port)
{
    int got = listen_at(port);

    printf("%s: %s\n", who, got < 0 ? strerrorname_np(-got) : "free");
}

int main(void)
{
    struct pollfd news = {.events = POLLIN};
    struct told told;
    int ends[2];
    pid_t owner;

    limit_life(KID_LIFE);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return broken("socketpair");
    owner = kid_fork();
    if (owner == 0)
        be_owner(ends[1]);
    close(ends[1]);
    if (owner < 0 || read(ends[0], &told, sizeof told) != sizeof told)
        return broken("owner");

    end(owner);
    news.fd = ends[0];
    try_to_listen("its port when it is dead", told.port);
    printf("its connection when it is dead: %s\n", poll(&news, 1, 0) == 1 ? "ended" : "open");
    end(told.child);
    try_to_listen("its port when its child is dead", told.port);
    printf("its connection when its child is dead: %s\n", poll(&news, 1, 0) == 1 ? "ended" : "open");
    return 0;
}
