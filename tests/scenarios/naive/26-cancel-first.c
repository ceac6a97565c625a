/*
 * Two children that fail by themselves, with status 3. When one has ended, the other is told to end, and from then on is one that
 * was cancelled.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN 2

static _Noreturn void fail_when_told(int go)
{
    char byte;

    if (read(go, &byte, 1) == 1)
        _exit(3);
    _exit(99);
}

static int collect(pid_t pid, bool cancelled)
{
    int status;

    if (waitpid(pid, &status, 0) < 0)
        return broken("wait");
    if (cancelled)
        printf("cancelled (its status was %d)\n", WEXITSTATUS(status));
    else
        printf("failed with status %d\n", WEXITSTATUS(status));
    return 0;
}

int main(void)
{
    int go[CHILDREN][2];
    pid_t pids[CHILDREN];

    limit_life(KID_LIFE);
    ignore(SIGTERM); /* in the children: they are about to say what went wrong */
    for (int i = 0; i < CHILDREN; i++) {
        if (pipe(go[i]) < 0)
            return broken("pipe");
        pids[i] = kid_fork();
        if (pids[i] == 0)
            fail_when_told(go[i][0]);
    }
    for (int i = 0; i < CHILDREN; i++) {
        if (i > 0)
            kill(pids[i], SIGTERM);
        if (write(go[i][1], "x", 1) != 1 || collect(pids[i], i > 0) != 0)
            return broken("child");
    }
    return 0;
}
