/* A parent that has SIGINT "ignored" or "blocked", and hands that down. It is killed, and its child is sent SIGINT. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Says who it is, and then answers as long as it lives. */
static _Noreturn void be_child(int fd)
{
    pid_t pid = getpid();
    char byte;

    if (write(fd, &pid, sizeof pid) == sizeof pid)
        while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1)
            ;
    _exit(0);
}

static _Noreturn void be_parent(const char *how, int fd)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    if (strcmp(how, "ignored") == 0)
        ignore(SIGINT);
    else if (strcmp(how, "blocked") == 0)
        sigprocmask(SIG_BLOCK, &set, NULL);
    if (kid_fork() == 0)
        be_child(fd);
    linger();
}

int main(int argc, char **argv)
{
    int ends[2], status;
    pid_t parent, child;
    char byte = 0;

    limit_life(KID_LIFE);
    ignore(SIGPIPE);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return broken("socketpair");
    parent = kid_fork();
    if (parent == 0)
        be_parent(argv[1], ends[1]);
    close(ends[1]);
    if (parent < 0 || read(ends[0], &child, sizeof child) != sizeof child)
        return broken("child");

    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    kill(child, SIGINT);
    if (write(ends[0], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1)
        puts("it goes on");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    printf("it died of SIG%s\n", sigabbrev_np(WTERMSIG(status)));
    return 0;
}
