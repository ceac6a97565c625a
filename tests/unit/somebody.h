/* Users that a test may become, or give something to. */
#ifndef TESTS_SOMEBODY_H
#define TESTS_SOMEBODY_H

#include "tests/unit/forks.h"

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

/* Root may be anybody, but for a user namespace in which there is nobody else. */
static inline bool can_be(uid_t user)
{
    int status = 1;
    pid_t pid;

    if (geteuid() != 0)
        return false;
    pid = must_fork();
    if (pid == 0)
        _exit(setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

#endif
