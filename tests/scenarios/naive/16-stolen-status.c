/*
 * A runner whose child exits with 3, and that takes the failure of waitpid for a status of 0. "ignored": SIGCHLD is
 * ignored; "stolen": somebody else in the process has waited for any child before.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int status = 0;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2)
        return 99;
    if (strcmp(argv[1], "ignored") == 0)
        ignore(SIGCHLD);
    pid = kid_fork();
    if (pid == 0)
        _exit(3);
    if (strcmp(argv[1], "stolen") == 0 && waitpid(-1, NULL, 0) != pid)
        return broken("waitpid");
    waitpid(pid, &status, 0);
    printf("status %d\n", WEXITSTATUS(status));
    return 0;
}
