/* A client that keeps its connection for the next time, and looks for a new one when it notices that the old one is over. */
#include "tests/kids/kid/kid.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define TIMES 3

static int listener(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    if (fd < 0 || bind(fd, (struct sockaddr *)address, size) < 0 || listen(fd, TIMES) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &size) < 0)
        return -1;
    return fd;
}

static int state_of(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_state;
}

int main(void)
{
    struct sockaddr_in address;
    int server = listener(&address), left = 0, fds[TIMES];
    char byte;

    limit_life(KID_LIFE);
    if (server < 0)
        return broken("listener");
    for (int i = 0; i < TIMES; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fds[i], (struct sockaddr *)&address, sizeof address) < 0)
            return broken("connect");
        close(accept(server, NULL, NULL)); /* the server goes away */
        if (read(fds[i], &byte, 1) != 0)
            return broken("read");
    }
    for (int i = 0; i < TIMES; i++)
        left += state_of(fds[i]) == TCP_CLOSE_WAIT;
    printf("%d connections in CLOSE_WAIT\n", left);
    return 0;
}
