/*
 * Starts two children, and tells those that are connected to end when one has failed. The second has not connected yet, and
 * waits for what its start needs.
 */
#include "tests/kids/kid/kid.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 2

struct child {
    pid_t pid;
    int fd;
    bool connected;
};

static _Noreturn void be_child(int fd, bool held)
{
    char byte;

    if (held)
        linger();
    if (write(fd, "x", 1) == 1 && read(fd, &byte, 1) == 1)
        _exit(1);
    _exit(0);
}

static bool start(struct child *child, bool held)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return false;
    child->pid = kid_fork();
    if (child->pid == 0)
        be_child(ends[1], held);
    close(ends[1]);
    child->fd = ends[0];
    return child->pid > 0;
}

int main(void)
{
    struct child children[CHILDREN] = {0};
    char byte;

    limit_life(KID_LIFE);
    for (int i = 0; i < CHILDREN; i++)
        if (!start(&children[i], i == 1))
            return broken("child");
    children[0].connected = read(children[0].fd, &byte, 1) == 1;
    if (write(children[0].fd, "x", 1) != 1) /* fail */
        return broken("fail");
    waitpid(children[0].pid, NULL, 0);
    for (int i = 0; i < CHILDREN; i++)
        if (children[i].connected)
            shutdown(children[i].fd, SHUT_WR);
    say("told all who are connected");
    waitpid(children[1].pid, NULL, 0);
    say("all have ended");
    return 0;
}
