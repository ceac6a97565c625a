/*
 * A socket in the network of another process, through which the kernel tells of the sockets there.
 *
 * Who enters a namespace is a child that shares our memory and descriptors, and nothing else: its thread alone is elsewhere
 * for a moment, and a namespace of users lets in only who has no other threads. Nobody but us can wait for it, as it tells of
 * its end by no signal.
 */
#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_SIZE ((size_t)64 << 10)

struct entering {
    int users, network; /* namespaces */
    int fd, error;
};

static int open_here(void)
{
    return (int)syscall(SYS_socket, AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/* Without privileges one enters what one has made: first the users, among whom one may do the rest. */
static int enter(void *user)
{
    struct entering *entering = user;

    if (syscall(SYS_setns, entering->network, CLONE_NEWNET) == 0 ||
        (syscall(SYS_setns, entering->users, CLONE_NEWUSER) == 0 &&
         syscall(SYS_setns, entering->network, CLONE_NEWNET) == 0))
        entering->fd = open_here();
    entering->error = entering->fd < 0 ? errno : 0;
    syscall(SYS_exit, 0);
    return 0;
}

/* CLONE_VFORK: we stand still while it has our memory. */
static void enter_apart(struct entering *entering)
{
    char *stack = mem_alloc(STACK_SIZE);
    pid_t pid = clone(enter, stack + STACK_SIZE, CLONE_VM | CLONE_FILES | CLONE_VFORK, entering);

    if (pid < 0)
        entering->error = errno;
    while (pid > 0 && waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR)
        ;
    free(stack);
}

static bool is_ours(int process)
{
    struct stat theirs, ours;

    return fstatat(process, "ns/net", &theirs, 0) == 0 && stat("/proc/self/ns/net", &ours) == 0 &&
           theirs.st_ino == ours.st_ino;
}

int look_network(int process, int *fd)
{
    struct entering entering = {.fd = -1};

    if (is_ours(process)) {
        *fd = open_here();
        return *fd < 0 ? errno : 0;
    }
    entering.network = openat(process, "ns/net", O_RDONLY | O_CLOEXEC);
    entering.error = entering.network < 0 ? errno : 0;
    entering.users = openat(process, "ns/user", O_RDONLY | O_CLOEXEC);
    if (!entering.error)
        enter_apart(&entering);
    fd_close(&entering.users);
    fd_close(&entering.network);
    *fd = entering.fd;
    return entering.error;
}
