/* So many, each of which binds a socket file of the same name in this folder, and exits with 2 when it cannot. */
#include "tests/kids/kid/kid.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 8

static _Noreturn void be_doggy(int go, int tell)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "doggy.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char byte;

    if (read(go, &byte, 1) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        _exit(2);
    if (write(tell, "x", 1) != 1)
        _exit(99);
    linger();
}

int main(int argc, char **argv)
{
    int go[2], tell[2], status, exited = 0, count;
    pid_t pids[MOST];
    char byte;

    limit_life(KID_LIFE);
    if (argc < 2 || (count = (int)number(argv[1])) > MOST || pipe(go) < 0 || pipe(tell) < 0)
        return broken("pipe");
    for (int i = 0; i < count; i++) {
        pids[i] = kid_fork();
        if (pids[i] == 0) {
            close(go[1]);
            be_doggy(go[0], tell[1]);
        }
    }
    close(go[1]); /* all at once */
    for (; exited < count - 1 && wait(&status) > 0; exited++)
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 2)
            return broken("status");
    printf("%d has the name, %d exited with status 2\n", read(tell[0], &byte, 1) == 1, exited);
    for (int i = 0; i < count; i++)
        kill(pids[i], SIGKILL); /* a number that was reaped is not given again so soon */
    return 0;
}
