/*
 * 44-two-runners PORT NAME: a harness whose port, socket and log are always the same ones (PORT 0: takes one). Prints
 * the port, waits for a byte, and says whose connections arrive at the socket, and whose words are in the log.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at_port(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 8) < 0)
        return -1;
    getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

static int listen_at_path(struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    unlink(address->sun_path); /* of an earlier run, for sure */
    return bind(fd, (struct sockaddr *)address, sizeof *address) < 0 || listen(fd, 8) < 0 ? -1 : fd;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "registry.sock"};
    char byte;
    int log, mine, port;

    if (argc < 3)
        return 99;
    port = listen_at_port(atoi(argv[1]));
    printf("port %s\n", port < 0 ? strerror(errno) : "taken");
    mine = listen_at_path(&address);
    log = open("harness.log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (mine < 0 || log < 0 || dprintf(log, "the log of %s\n", argv[2]) < 0)
        return 99;
    printf("%d\n", port);
    fflush(stdout);
    if (read(0, &byte, 1) != 1)
        return 99;
    if (connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, sizeof address) < 0)
        return 99;
    printf("connection %s\n", accept(mine, NULL, NULL) < 0 ? "of mine went to somebody else" : "arrived");
    return 0;
}
