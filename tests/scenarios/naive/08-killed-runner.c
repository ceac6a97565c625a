/*
 * A runner with one case, which listens on a port, and nothing that would end it when the runner is killed:
 *
 *     08-killed-runner run HOST PORT      starts the case, and waits for it
 *     08-killed-runner serve HOST PORT    is the case: "ready", or exits with 98 where the port is taken
 */
#include "tests/kids/kid/kid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int serve(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(port))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return broken(host);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0)
        return errno == EADDRINUSE ? 98 : broken("bind");
    return wait_for_ever();
}

int main(int argc, char **argv)
{
    int status = 0;
    pid_t pid;

    limit_life(KID_LIFE);
    if (argc < 4)
        return 99;
    if (strcmp(argv[1], "serve") == 0)
        return serve(argv[2], argv[3]);
    pid = kid_fork();
    if (pid == 0)
        _exit(serve(argv[2], argv[3]));
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return broken("case");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
