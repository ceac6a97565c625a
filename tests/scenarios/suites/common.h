/* What tests of scenarios need. */
#ifndef COMMON_H
#define COMMON_H

#include <dirent.h>
#include <poll.h>
#include <run_matrix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MS ((int64_t)1000000)

#define THREADS "subint subint_forkserver" /* where an actor has no process of its own */

/* A process that nothing reaches but SIGKILL, and that waits where the library does not see it. */
static inline void be_deaf(void)
{
    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static inline void rest(long ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&span, NULL);
}

/* For a minute at most, as whoever makes a mistake here is deaf. */
static inline void rest_until_there(const char *path)
{
    for (int i = 0; i < 30000 && access(path, F_OK) < 0; i++)
        rest(2);
}

static inline int64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* ---- who is alive: by descriptors, as numbers may be of somebody else by then ---- */

static inline int watch_process(int pid)
{
    return ASSERT_OK((int)syscall(SYS_pidfd_open, pid, 0));
}

static inline bool has_ended(int pidfd)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    return poll(&end, 1, 0) == 1;
}

/* Sends a signal and closes the descriptor; true: it was alive until then. */
static inline bool send_and_forget(int pidfd, int number)
{
    bool alive = !has_ended(pidfd);

    syscall(SYS_pidfd_send_signal, pidfd, number, NULL, 0);
    close(pidfd);
    return alive;
}

/* ---- what is open ---- */

static inline int count_open(bool only_sockets)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    ASSERT_NOT_NULL(folder);
    while ((entry = readdir(folder))) {
        struct stat status;
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || fd == dirfd(folder) || fstat(fd, &status) < 0)
            continue;
        count += !only_sockets || S_ISSOCK(status.st_mode);
    }
    closedir(folder);
    return count;
}

/* ---- talking, by one line ---- */

static inline void say_number(struct mx_peer *peer, long value)
{
    char text[24];

    mx_send(peer, text, (size_t)snprintf(text, sizeof text, "%ld", value));
}

static inline long hear_number(struct mx_peer *peer)
{
    struct mx_message message = mx_receive(peer, "20s");

    ASSERT_EQ(message.heard, MX_HEARD);
    return atol(message.bytes);
}

static inline void tell(struct mx_actor *actor, const char *text)
{
    mx_send(mx_peer_of(actor), text, strlen(text));
}

/* ---- what became of it ---- */

static inline int pid_of(struct mx_actor *actor)
{
    return mx_wait(actor, "1ms").pid;
}

#endif
