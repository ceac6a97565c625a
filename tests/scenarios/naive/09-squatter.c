/*
 * A stranger, and a runner that does not expect one.
 *
 *     squat ADDRESS           listens at HOST:PORT or /PATH, answers "stranger" to all who connect; "ready" first
 *     serve ADDRESS           the same with "server"; exits with 98 where the address is taken
 *     run ADDRESS N           starts a server there, and N clients as soon as somebody takes connections; prints how many
 *                             of them did not get the answer of the server
 *     clean PATH              makes place for a server: removes the socket file
 */
#include "tests/kids/kid/kid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

static int open_socket(const char *text, union address *address)
{
    const char *colon = strrchr(text, ':');
    char host[64];

    memset(address, 0, sizeof *address);
    if (*text == '/') {
        address->un.sun_family = AF_UNIX;
        snprintf(address->un.sun_path, sizeof address->un.sun_path, "%s", text);
    } else {
        snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
        address->in.sin_family = AF_INET;
        address->in.sin_port = htons((uint16_t)number(colon + 1));
        inet_pton(AF_INET, host, &address->in.sin_addr);
    }
    return socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int serve(const char *text, const char *answer)
{
    union address address;
    int fd = open_socket(text, &address), client;

    ignore(SIGPIPE); /* who only looks whether we are here does not wait for an answer */
    if (bind(fd, &address.any, *text == '/' ? sizeof address.un : sizeof address.in) < 0 ||
        listen(fd, 64) < 0)
        return errno == EADDRINUSE ? 98 : broken("bind");
    say("ready");
    while ((client = accept(fd, NULL, NULL)) >= 0) {
        if (write(client, answer, strlen(answer)) < 0 && errno != EPIPE)
            return broken("write");
        close(client);
    }
    return broken("accept");
}

/* Waits until somebody is there. */
static int ask(const char *text, char *answer, size_t size)
{
    union address address;
    int fd = open_socket(text, &address);
    ssize_t got;

    while (connect(fd, &address.any, *text == '/' ? sizeof address.un : sizeof address.in) < 0)
        sleep_ms(1);
    got = read(fd, answer, size - 1);
    answer[got > 0 ? got : 0] = '\0';
    close(fd);
    return 0;
}

static int run(const char *program, const char *text, long clients)
{
    char answer[20];
    long wrong = 0;
    pid_t server = kid_fork();

    if (server == 0) {
        execl(program, program, "serve", text, (char *)NULL);
        _exit(99);
    }
    for (long i = 0; i < clients; i++) {
        ask(text, answer, sizeof answer);
        wrong += strcmp(answer, "server") != 0;
    }
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    printf("%ld of %ld\n", wrong, clients);
    return 0;
}

int main(int argc, char **argv)
{
    limit_life(KID_LIFE);
    if (argc > 2 && strcmp(argv[1], "squat") == 0)
        return serve(argv[2], "stranger");
    if (argc > 2 && strcmp(argv[1], "serve") == 0)
        return serve(argv[2], "server");
    if (argc > 3 && strcmp(argv[1], "run") == 0)
        return run(argv[0], argv[2], number(argv[3]));
    if (argc > 2 && strcmp(argv[1], "clean") == 0)
        return unlink(argv[2]) < 0 ? broken(argv[2]) : 0;
    return 99;
}
