/* Kills a process, and takes what it has started for dead. None of them listens to INT and TERM. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LEVELS 3

/* Whoever has forked the next one stays; the last one has forked nobody. */
static _Noreturn void be_levels(int tell)
{
    pid_t pid;

    ignore(SIGINT);
    ignore(SIGTERM);
    for (int level = 1; level <= LEVELS; level++) {
        pid = getpid();
        if (write(tell, &pid, sizeof pid) != sizeof pid || level == LEVELS || kid_fork() != 0)
            break;
    }
    linger();
}

int main(void)
{
    pid_t pids[LEVELS];
    int tell[2], left = 0;

    limit_life(KID_LIFE);
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* to see them, and to end them */
    if (pipe(tell) < 0)
        return broken("pipe");
    if (kid_fork() == 0)
        be_levels(tell[1]);
    for (int i = 0; i < LEVELS; i++)
        if (read(tell[0], &pids[i], sizeof pids[i]) != sizeof pids[i])
            return broken("pids");

    kill(pids[0], SIGKILL);
    waitpid(pids[0], NULL, 0);
    for (int i = 1; i < LEVELS; i++)
        left += kill(pids[i], 0) == 0;
    printf("the leader is dead, %d below it are not\n", left);
    for (int i = 1; i < LEVELS; i++)
        kill(pids[i], SIGKILL);
    return 0;
}
