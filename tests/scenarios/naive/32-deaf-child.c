/*
 * A runner that cancels its case by SIGINT and waits for it. The case waits in short naps with SIGINT blocked, as one does
 * that never comes to a place where it would notice; with "child" it is the case alone.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void nap_for_ever(void)
{
    sigset_t mask;

    sigemptyset(&mask);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    say("ready");
    for (;;)
        sigsuspend(&mask);
}

int main(int argc, char **argv)
{
    int status = 0, tell[2];
    char byte;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc > 1 && strcmp(argv[1], "child") == 0)
        nap_for_ever();
    if (pipe(tell) < 0)
        return broken("pipe");
    pid = kid_fork();
    if (pid == 0) {
        dup2(tell[1], 1);
        nap_for_ever();
    }
    if (read(tell[0], &byte, 1) != 1 || kill(pid, SIGINT) < 0)
        return broken("kill");
    say("sent");
    return waitpid(pid, &status, 0) == pid ? 0 : broken("waitpid");
}
