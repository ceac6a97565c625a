/*
 * A server that comes up late, and a runner that takes it to be up after a while:
 *
 *     serve HOST PORT GATE [WAY]   binds when it has been able to open GATE, a FIFO, for writing, and listens; WAY: "dies" with 3
 *                                  before it binds, "deaf" binds and does not listen, "mute" listens and accepts nobody
 *     run HOST PORT GATE           starts one, gives it all the time that it takes itself, and connects: prints what came of it
 */
#include "tests/kids/kid/kid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address_of(char **args)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number(args[1]))};

    inet_pton(AF_INET, args[0], &address.sin_addr);
    return address;
}

static int serve(char **args)
{
    struct sockaddr_in address = address_of(args);
    const char *gate = args[2], *way = args[3] ? args[3] : "";
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1, client;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (open(gate, O_WRONLY) < 0)
        return broken(gate);
    if (strcmp(way, "dies") == 0) {
        fputs("it does not like it here\n", stderr);
        return 3;
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        return broken("bind");
    if (strcmp(way, "deaf") != 0 && listen(fd, 8) < 0)
        return broken("listen");
    if (strcmp(way, "deaf") == 0 || strcmp(way, "mute") == 0)
        linger();
    while ((client = accept(fd, NULL, NULL)) >= 0)
        close(client);
    return broken("accept");
}

/* Nothing is gained by sleeping: whatever it is, the server may take longer, and here it does. */
static int run(char **args)
{
    struct sockaddr_in address = address_of(args);
    int fd = socket(AF_INET, SOCK_STREAM, 0), result;
    pid_t pid = kid_fork();

    if (pid == 0)
        _exit(serve(args));
    sleep_ms(10);
    result = connect(fd, (struct sockaddr *)&address, sizeof address);
    puts(result == 0 ? "connected" : strerror(errno));
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return 0;
}

int main(int argc, char **argv)
{
    limit_life(KID_LIFE);
    if (argc > 4 && strcmp(argv[1], "serve") == 0)
        return serve(argv + 2);
    if (argc > 4 && strcmp(argv[1], "run") == 0)
        return run(argv + 2);
    return 99;
}
