/* Those who wait for somebody who has other things to do. */
#include "tests/hangs/hang.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- a request that nobody answers: who has it waits for something else ---- */

static int listen_at_a_port(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (fd < 0 || bind(fd, (struct sockaddr *)address, size) < 0 || listen(fd, 5) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &size) < 0)
        exit(broken("listen"));
    return fd;
}

static HANGS_APART void waits_for_the_store(int store)
{
    char answer;

    hang_comes();
    if (read(store, &answer, 1) != 1) /* hangs */
        exit(broken("store"));
}

static _Noreturn void serve(int listener)
{
    int client = accept(listener, NULL, NULL), store[2];
    char question[16];

    if (client < 0 || recv(client, question, sizeof question, 0) <= 0 || pipe(store) < 0)
        exit(broken("serve"));
    waits_for_the_store(store[0]);
    _exit(0);
}

static HANGS_APART void waits_for_the_answer(int server)
{
    char answer[16];

    hang_comes();
    if (recv(server, answer, sizeof answer, 0) < 0) /* hangs */
        exit(broken("recv"));
}

static int request(char **args)
{
    struct sockaddr_in address;
    int listener = listen_at_a_port(&address), server;

    (void)args;
    if (kid_fork() == 0)
        serve(listener);
    close(listener);
    server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address) < 0 ||
        send(server, "how much?", 9, 0) != 9)
        return broken("connect");
    hang_ready_when(2);
    waits_for_the_answer(server);
    return 1;
}

/* ---- who listens never accepts: whoever has connected waits ---- */

static HANGS_APART void never_accepts(int listener)
{
    hang_comes();
    for (;;)
        pause(); /* hangs */
    close(listener);
}

static HANGS_APART void waits_for_the_greeting(int server)
{
    char text[16];

    hang_comes();
    if (read(server, text, sizeof text) < 0) /* hangs */
        exit(broken("read"));
}

static int unaccepted(char **args)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = sizeof address;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), server;

    (void)args;
    /* A name that the kernel chooses: no file is left. */
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) < 0 ||
        listen(listener, 5) < 0 || getsockname(listener, (struct sockaddr *)&address, &size) < 0)
        return broken("listen");
    if (kid_fork() == 0)
        never_accepts(listener);
    close(listener);
    server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, size) < 0)
        return broken("connect");
    hang_ready_when(2);
    waits_for_the_greeting(server);
    return 1;
}

/* clang-format off */
const struct kid hangs_sockets[] = {
    {.name = "request", .what = "a request over TCP is not answered: its server waits itself", .act = request},
    {.name = "unaccepted", .what = "a connection that nobody accepts", .act = unaccepted},
    {.name = NULL},
};
