/* They hold ports, socket files and shared memory: a process that is left does, or nobody any more. */
#include "tests/kids/kid/kid.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SIZE (64 << 10)

static void bind_port(int tell, int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, type, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
        (type == SOCK_STREAM && listen(fd, 8) < 0) ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        exit(broken("socket"));
    dprintf(tell, " %d", ntohs(address.sin_port));
}

static void listen_tcp(int tell, char **args)
{
    (void)args;
    bind_port(tell, SOCK_STREAM);
}

static void bind_udp(int tell, char **args)
{
    (void)args;
    bind_port(tell, SOCK_DGRAM);
}

static int socket_left(char **args)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    if (strlen(args[0]) >= sizeof address.sun_path)
        return broken(args[0]);
    strcpy(address.sun_path, args[0]);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 8) < 0)
        return broken(args[0]);
    return 0;
}

static int shm_left(char **args)
{
    int fd = shm_open(args[0], O_RDWR | O_CREAT | O_EXCL, 0600);

    if (fd < 0 || ftruncate(fd, SIZE) < 0 ||
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        return broken(args[0]);
    return 0;
}

static int sysv_left(char **args)
{
    int id = shmget((key_t)number(args[0]), SIZE, IPC_CREAT | IPC_EXCL | 0600);

    if (id < 0 || shmat(id, NULL, 0) == (void *)-1)
        return broken(args[0]);
    return 0;
}

static int memfd_left(char **args)
{
    int fd = memfd_create("kid", 0);

    (void)args;
    return fd < 0 || ftruncate(fd, SIZE) < 0 ? broken("memfd") : 0;
}

#define HOLD(name)                                 \
    static void hold_##name(int tell, char **args) \
    {                                              \
        (void)tell;                                \
        if (name##_left(args))                     \
            _exit(99);                             \
    }
HOLD(socket)
HOLD(shm)
HOLD(sysv)
HOLD(memfd)

#define DAEMON .leaves = true, .places = KID_SESSION | KID_TWICE
const struct kid kids_hold[] = {
    {"listener", "", "leaves a daemon that listens on a port of 127.0.0.1; prints it too", 0, DAEMON,
     .left = listen_tcp},
    {"udp", "", "leaves a daemon that has bound a UDP port of 127.0.0.1; prints it too", 0, DAEMON,
     .left = bind_udp},
    {"socket", "PATH", "leaves a daemon that listens on a socket file", 1, DAEMON, .left = hold_socket},
    {"socket-left", "PATH", "leaves a socket file to which nobody listens", 1, .act = socket_left},
    {"shm", "/NAME", "leaves a daemon with a segment of POSIX shared memory", 1, DAEMON, .left = hold_shm},
    {"shm-left", "/NAME", "leaves a segment of POSIX shared memory", 1, .act = shm_left},
    {"sysv", "KEY", "leaves a daemon with a segment of System V shared memory", 1, DAEMON, .left = hold_sysv},
    {"sysv-left", "KEY", "leaves a segment of System V shared memory", 1, .act = sysv_left},
    {"memfd", "", "leaves a daemon with a memfd", 0, DAEMON, .left = hold_memfd},
    {0},
};
