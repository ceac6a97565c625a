/*
 * A runner that waits for the signal of its child's end. The child exits with 3: "before" the runner asks to be told, or
 * "between" its look whether that has come and its wait for it. Then nothing comes any more.
 */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t told;

static void tell(int signal)
{
    (void)signal;
    told = 1;
}

static void ask_to_be_told(void)
{
    sigaction(SIGCHLD, &(struct sigaction){.sa_handler = tell}, NULL);
}

/* It exits when it may, and is a zombie afterwards. */
static void let_exit(int go, pid_t pid)
{
    if (write(go, "", 1) == 1)
        waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
}

int main(int argc, char **argv)
{
    int go[2], status = 0;
    char byte;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 2 || pipe(go) < 0)
        return 99;
    pid = kid_fork();
    if (pid == 0)
        _exit(read(go[0], &byte, 1) == 1 ? 3 : 99);
    if (strcmp(argv[1], "before") == 0) {
        let_exit(go[1], pid);
        ask_to_be_told();
        if (!told)
            pause();
    } else {
        ask_to_be_told();
        if (!told) {
            let_exit(go[1], pid);
            pause();
        }
    }
    if (waitpid(pid, &status, 0) != pid)
        return broken("waitpid");
    printf("status %d\n", WEXITSTATUS(status));
    return 0;
}
