/* A mount namespace for tests that need a disk or mounts of their own. */
#ifndef RM_TESTS_UNIT_NAME_SPACE_H
#define RM_TESTS_UNIT_NAME_SPACE_H

#include "runner/base/io.h"
#include "runner/base/str.h"
#include "tests/unit/forks.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

/* Who is not root becomes so in a user namespace, with his own number as the only one. */
static inline bool map_user(const char *file, unsigned id)
{
    char line[32];
    int fd = open(file, O_WRONLY | O_CLOEXEC);
    bool done;

    snprintf(line, sizeof line, "0 %u 1", id);
    done = fd >= 0 && fd_write_all(fd, line, strlen(line)) == 0;
    fd_close(&fd);
    return done;
}

/* Mounts of our own, that nobody else sees. False: this cannot be done here. */
static inline bool enter_namespace(void)
{
    unsigned user = geteuid(), group = getegid();

    if (user == 0)
        return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0 &&
           file_write("/proc/self/setgroups", (struct str)STR("deny")) == 0 &&
           map_user("/proc/self/uid_map", user) && map_user("/proc/self/gid_map", group) &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

#define NO_NAMESPACE 77 /* this cannot be done here */

static inline int as_first_process(int (*body)(void))
{
    int status;
    pid_t pid;

    if (!enter_namespace() || unshare(CLONE_NEWPID) < 0)
        return NO_NAMESPACE;
    pid = must_fork();
    if (pid == 0)
        _exit(setsid() < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0 ? NO_NAMESPACE : body());
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/*
 * What `body` returns where it is the first process of a PID namespace, and alone in its session: signals that go astray reach
 * nobody. Or NO_NAMESPACE.
 */
static inline int alone(int (*body)(void))
{
    int status;
    pid_t pid = must_fork();

    if (pid == 0)
        _exit(as_first_process(body));
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#endif
