/* Pipes, and locks of files. */
#include "tests/hangs/hang.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a child's report does not fit, and who is to read it waits for the child's end first ---- */

static HANGS_APART void writes_its_report(int out)
{
    static const char page[4096] = "all of it";

    hang_comes();
    while (write(out, page, sizeof page) > 0) /* hangs */
        ;
}

static HANGS_APART int waits_before_it_reads(pid_t child)
{
    int status = 0;

    hang_comes();
    waitpid(child, &status, 0); /* hangs */
    return status;
}

static int full_pipe(char **args)
{
    int ends[2], status;
    pid_t child;
    char byte;

    (void)args;
    if (pipe(ends) < 0)
        return broken("pipe");
    child = kid_fork();
    if (child == 0) {
        close(ends[0]);
        writes_its_report(ends[1]);
        _exit(0);
    }
    close(ends[1]);
    hang_ready_when(2);
    status = waits_before_it_reads(child);
    return status != 0 || read(ends[0], &byte, 1) < 0;
}

/* ---- who reads until the end of a file has its write end open himself ---- */

static HANGS_APART void reads_until_the_end(int in)
{
    char text[512];

    hang_comes();
    while (read(in, text, sizeof text) > 0) /* hangs */
        ;
}

static int forgotten_end(char **args)
{
    int ends[2];
    pid_t child;

    (void)args;
    if (pipe(ends) < 0)
        return broken("pipe");
    child = kid_fork();
    if (child == 0) {
        reads_until_the_end(ends[0]); /* ends[1] is open here */
        _exit(0);
    }
    close(ends[0]);
    if (write(ends[1], "all of it", 9) != 9)
        return broken("write");
    close(ends[1]);
    hang_ready_when(2);
    hang_comes();
    return waitpid(child, NULL, 0) != child;
}

/* ---- each has one of two files locked and wants the other ---- */

static void lock_first(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0 || flock(*fd, LOCK_EX) < 0)
        exit(broken(path));
    hang_meets();
}

static HANGS_APART void has_left_wants_right(const char *right)
{
    int fd = open(right, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    hang_comes();
    flock(fd, LOCK_EX); /* hangs */
}

static HANGS_APART void has_right_wants_left(const char *left)
{
    int fd = open(left, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    hang_comes();
    flock(fd, LOCK_EX); /* hangs */
}

static int flock_pair(char **args)
{
    const char *folder = getenv("TMPDIR");
    int fd;

    (void)args;
    if (folder && chdir(folder) < 0)
        return broken(folder);
    if (kid_fork() == 0) {
        lock_first("right.lock", &fd);
        has_right_wants_left("left.lock");
        _exit(0);
    }
    lock_first("left.lock", &fd);
    hang_ready_when(2);
    has_left_wants_right("right.lock");
    return 1;
}

/* clang-format off */
const struct kid hangs_pipes[] = {
    {.name = "full-pipe", .what = "a child's pipe is full, and its parent waits for its end", .act = full_pipe},
    {.name = "forgotten-end", .what = "a pipe is read by who has its write end open too", .act = forgotten_end},
    {.name = "flock-pair", .what = "two processes, two files, in two orders; in TMPDIR", .act = flock_pair},
    {.name = NULL},
};
