#include "runner/stacks/internal.h"

#include "runner/base/io.h"
#include "runner/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE       ((size_t)64 << 10)
#define FAREWELL_MS 1000

static void fail(struct unwinding *u, const char *what, int error)
{
    snprintf(u->problem, sizeof u->problem, "%s: %s", what, strerror(error));
}

/* ---- starting ---- */

static int set_up(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions,
                  const struct unwinding *u, int output)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    /* A group of its own: Ctrl-C is for us, and what we do with it may need the stacks. */
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setflags(attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if (u->input >= 0)
        posix_spawn_file_actions_adddup2(actions, u->input, 0);
    else
        posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(actions, output, 1);
    return posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
}

/* Its environment is empty: nobody tells it to fetch debugging information, nor whom to load. */
static pid_t start(struct unwinding *u, int output)
{
    char *const argv[] = {(char *)(uintptr_t)u->program, (char *)(uintptr_t)u->mode,
                          (char *)(uintptr_t)u->first, (char *)(uintptr_t)u->second, NULL},
                *const envp[] = {NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid = -1;
    int error;

    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
    error = set_up(&attributes, &actions, u, output);
    if (!error)
        error = posix_spawn(&pid, u->program, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error)
        fail(u, "it cannot be started", error);
    return error ? -1 : pid;
}

/* ---- hearing and ending ---- */

/* False: nothing more is to come, or we do not want it. */
static bool hear(struct unwinding *u, int input)
{
    struct pollfd fd = {.fd = input, .events = POLLIN};
    nanos left = u->until - clock_now();
    ssize_t got;

    if (left <= 0 || poll(&fd, 1, (int)(left / NS_PER_MS) + 1) == 0) {
        snprintf(u->problem, sizeof u->problem, "it was not done in time");
        return false;
    }
    if (u->said.len > ANSWER_MOST) {
        snprintf(u->problem, sizeof u->problem, "it says more than %zu MiB", ANSWER_MOST >> 20);
        return false;
    }
    buf_reserve(&u->said, PIECE);
    got = read(input, u->said.ptr + u->said.len, PIECE);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    u->said.len += (size_t)got;
    return got > 0;
}

/* Killed, it is gone in a moment; unless it hangs in the kernel, in a file that a disk does not give out: then it is left. */
static bool has_gone(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    int ready;

    do
        ready = poll(&end, 1, FAREWELL_MS);
    while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/*
 * Made by this very thread, it is in no list of children but this one's (/proc/PID/task/TID/children), and nobody takes it for
 * an orphan that a case has left. Where the kernel has no such lists it may be, and the status be somebody else's.
 */
static void end(struct unwinding *u, pid_t pid, int pidfd)
{
    int status = 0;
    pid_t reaped;

    if (!*u->problem && !has_gone(pidfd))
        snprintf(u->problem, sizeof u->problem, "it does not end");
    if (*u->problem)
        pidfd_signal(pidfd, SIGKILL);
    if (!has_gone(pidfd))
        return;
    do
        reaped = waitpid(pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    if (*u->problem || reaped < 0)
        return;
    if (WIFSIGNALED(status))
        snprintf(u->problem, sizeof u->problem, "it died of SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        snprintf(u->problem, sizeof u->problem, "it ended with status %d", WEXITSTATUS(status));
}

static void *run(void *user)
{
    struct unwinding *u = user;
    int ends[2], pidfd;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        fail(u, "there is no pipe", errno);
        return NULL;
    }
    pid = start(u, ends[1]);
    fd_close(&ends[1]);
    if (pid > 0) {
        pidfd = pidfd_of(pid);
        while (hear(u, ends[0]))
            ;
        end(u, pid, pidfd);
        fd_close(&pidfd);
    }
    fd_close(&ends[0]);
    return NULL;
}

void unwinder_run(struct unwinding *u)
{
    pthread_t thread;
    int error;

    if (!u->program) {
        snprintf(u->problem, sizeof u->problem, "it is not there");
        return;
    }
    error = pthread_create(&thread, NULL, run, u);
    if (error)
        fail(u, "there is no thread to start it", error);
    else
        pthread_join(thread, NULL);
}
