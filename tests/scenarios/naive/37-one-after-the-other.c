/*
 * A program that writes to standard output and then to standard error, and a reader that has a pipe for each, and reads
 * one to its end after the other:
 *
 *     talk BYTES [stay]   BYTES to 1, then to 2; waits afterwards
 *     run BYTES           the reader: standard error first
 */
#include "tests/kids/kid/kid.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_so_much(int fd, long left)
{
    static const char block[64] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";

    while (left > 0) {
        ssize_t wrote = write(fd, block, left < (long)sizeof block ? (size_t)left : sizeof block);

        if (wrote < 0)
            _exit(99);
        left -= wrote;
    }
}

static int talk(long bytes, bool stays)
{
    write_so_much(1, bytes);
    write_so_much(2, bytes);
    if (stays)
        linger();
    return 0;
}

static long read_all(int fd)
{
    char block[4096];
    long all = 0;
    ssize_t got;

    while ((got = read(fd, block, sizeof block)) > 0)
        all += got;
    return all;
}

static int run(long bytes)
{
    int out[2], err[2];
    long of_err, of_out;
    pid_t pid;

    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
        return broken("pipe");
    pid = kid_fork();
    if (pid == 0) {
        dup2(out[1], 1);
        dup2(err[1], 2);
        close(out[1]);
        close(err[1]);
        _exit(talk(bytes, false));
    }
    close(out[1]);
    close(err[1]);
    of_err = read_all(err[0]);
    of_out = read_all(out[0]);
    printf("%ld and %ld\n", of_out, of_err);
    return waitpid(pid, NULL, 0) == pid ? 0 : 99;
}

int main(int argc, char **argv)
{
    limit_life(KID_LIFE);
    if (argc > 2 && strcmp(argv[1], "talk") == 0)
        return talk(number(argv[2]), argc > 3 && strcmp(argv[3], "stay") == 0);
    return argc > 2 && strcmp(argv[1], "run") == 0 ? run(number(argv[2])) : 99;
}
