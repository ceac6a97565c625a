/*
 * What running programs costs by itself: vfork, exec, two memfds for the output, waitid, and nothing else.
 *
 *     floor N J COMMAND [ARGUMENT ...]        N times, J at a time
 *     floor N J                               ... copies of itself by fork, which print something and exit
 *
 * Copies are of a process that holds as many more megabytes as BENCH_IMAGE says, in huge pages with BENCH_HUGE (image.h).
 */
#include "tests/bench/image.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOTS_MOST 64

struct slot {
    pid_t pid; /* 0: free */
    int out, err;
};

/* On its own, so that nothing of a caller lives on the stack that parent and child share. */
static __attribute__((noinline)) pid_t start(const struct slot *slot, char **argv)
{
    pid_t pid = vfork();

    if (pid == 0) {
        if (dup2(slot->out, STDOUT_FILENO) >= 0 && dup2(slot->err, STDERR_FILENO) >= 0)
            execv(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static pid_t copy(const struct slot *slot)
{
    static const char words[] = "ok\n";
    pid_t pid = fork();

    if (pid == 0)
        _exit(dup2(slot->out, STDOUT_FILENO) < 0 || dup2(slot->err, STDERR_FILENO) < 0 ||
              write(STDOUT_FILENO, words, sizeof words - 1) != sizeof words - 1);
    return pid;
}

static bool fill(struct slot *slot, char **argv)
{
    slot->out = memfd_create("stdout", MFD_CLOEXEC);
    slot->err = memfd_create("stderr", MFD_CLOEXEC);
    if (slot->out < 0 || slot->err < 0)
        return false;
    slot->pid = argv[0] ? start(slot, argv) : copy(slot);
    return slot->pid > 0;
}

/* It ended well, and said something. */
static bool empty(struct slot *slot, const siginfo_t *info)
{
    struct stat out;
    bool good =
        info->si_code == CLD_EXITED && info->si_status == 0 && fstat(slot->out, &out) == 0 && out.st_size > 0;

    close(slot->out);
    close(slot->err);
    slot->pid = 0;
    return good;
}

static struct slot *find(struct slot *slots, pid_t pid)
{
    while (slots->pid != pid)
        slots++;
    return slots;
}

int main(int argc, char **argv)
{
    static struct slot slots[SLOTS_MOST];
    long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0, jobs = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
    long started = 0, ended = 0;
    siginfo_t info;

    if (count < 1 || jobs < 1 || jobs > SLOTS_MOST) {
        fprintf(stderr, "usage: floor N J [COMMAND [ARGUMENT ...]]\n");
        return 4;
    }
    image_make();
    while (ended < count) {
        while (started < count && started - ended < jobs && fill(find(slots, 0), argv + 3))
            started++;
        if (started == ended || waitid(P_ALL, 0, &info, WEXITED) < 0)
            return 1;
        if (!empty(find(slots, info.si_pid), &info))
            return 1;
        ended++;
    }
    return 0;
}
