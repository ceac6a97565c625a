/* They meet others. */
#include "tests/kids/kid/kid.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int touch(char **args)
{
    int fd = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

    return fd < 0 || close(fd) < 0 ? broken(args[0]) : 0;
}

/* Fails as long as FILE has less than N bytes, and adds one. */
static int flaky(char **args)
{
    int fd = open(args[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    off_t before = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

    if (before < 0 || write(fd, "x", 1) != 1)
        return broken(args[0]);
    printf("attempt %ld\n", (long)before + 1);
    return before < number(args[1]);
}

/* Opens FIFOs for writing, one after another: each waits until somebody reads it. */
static int barrier(char **args)
{
    say("ready");
    for (; *args; args++) {
        int fd = open(*args, O_WRONLY | O_CLOEXEC);

        if (fd < 0)
            return broken(*args);
        close(fd);
    }
    return 0;
}

static int held(char **args)
{
    int fd = open(args[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char byte;

    if (fd < 0)
        return broken(args[0]);
    return read(fd, &byte, 1) < 0 && errno == EAGAIN ? 0 : 1;
}

/* The word is looked for when the number cannot become somebody else's any more. */
static void end_if_marked(pid_t pid, const char *word)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    char path[64], text[4096];
    int fd = -1;
    ssize_t got;

    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    if (pidfd >= 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    got = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (got > 0 && pid != getpid() && memmem(text, (size_t)got, word, strlen(word)))
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (fd >= 0)
        close(fd);
    if (pidfd >= 0)
        close(pidfd);
}

static int end_marked(char **args)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;

    if (!dir)
        return broken("/proc");
    while ((entry = readdir(dir)))
        if (isdigit((unsigned char)entry->d_name[0]))
            end_if_marked((pid_t)number(entry->d_name), args[0]);
    closedir(dir);
    return 0;
}

/* Children whose numbers are soon others', one after another: whoever signals numbers that he has only read hits one. */
static int canary(char **args)
{
    int status = 0;

    say("ready");
    while (access(args[0], F_OK) < 0) {
        pid_t pid = kid_fork();

        if (pid == 0) {
            sleep_ms(1);
            _exit(0);
        }
        if (pid > 0 && waitpid(pid, &status, 0) == pid && status != 0) {
            printf("killed by signal %d\n", WTERMSIG(status));
            return 1;
        }
    }
    return 0;
}

const struct kid kids_meet[] = {
    {"touch", "FILE", "makes a file", 1, .act = touch},
    {"flaky", "FILE N", "fails the first N times, which it counts by the size of FILE", 2, .act = flaky},
    {"barrier", "FIFO...", "opens FIFOs for writing, which waits for readers", 1, .act = barrier},
    {"held", "FIFO", "exits 0 while a process lives that came of a kid with this FIFO as KID_ALIVE", 1,
     .act = held},
    {"end", "WORD", "ends all that have a word in their command lines", 1, .act = end_marked},
    {"canary", "FILE", "has children, until there is FILE; exits 1 when one is killed", 1, .act = canary},
    {0},
};
