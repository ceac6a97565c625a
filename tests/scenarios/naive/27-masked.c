/*
 * A runner with a deadline, and what it says of its case. "first": the case has failed with 3, and its time is up as well:
 * the clock is looked at first. "only": the case says what is wrong, and hangs: only the clock is told of.
 */
#include "tests/kids/kid/kid.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void be_the_case(bool hangs, int output)
{
    if (!hangs)
        _exit(3);
    if (write(output, "not ok 1 - the real failure\n", 28) != 28)
        _exit(99);
    linger();
}

int main(int argc, char **argv)
{
    struct itimerspec at_once = {.it_value = {.tv_nsec = 1}};
    struct pollfd ready[2] = {{.events = POLLIN}, {.events = POLLIN}};
    char said[100];
    int output[2], status = 0;
    bool hangs;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2 || pipe(output) < 0)
        return broken("pipe");
    hangs = strcmp(argv[1], "only") == 0;
    pid = kid_fork();
    if (pid == 0)
        be_the_case(hangs, output[1]);
    if (hangs && read(output[0], said, sizeof said) != 28)
        return broken("read");
    if (!hangs)
        waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
    ready[0].fd = timerfd_create(CLOCK_MONOTONIC, 0);
    ready[1].fd = (int)syscall(SYS_pidfd_open, pid, 0);
    timerfd_settime(ready[0].fd, 0, &at_once, NULL);
    poll(ready, 1, -1); /* by now it is up */
    poll(ready, 2, -1);
    if (ready[0].revents) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        puts("timeout");
    } else if (waitpid(pid, &status, 0) == pid) {
        printf("exit status %d\n", WEXITSTATUS(status));
    }
    return 0;
}
