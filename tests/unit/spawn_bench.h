/*
 * What tests need to start processes for real. What these see they tell by tests/kids/kid; KID says where it is.
 */
#ifndef RM_TESTS_UNIT_SPAWN_BENCH_H
#define RM_TESTS_UNIT_SPAWN_BENCH_H

#include "backends/backends.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

/* What each test has: a place, and files to give away. */
struct bench {
    struct spawn *spawn;
    struct process process;
    struct spawn_error error;
    nanos exec_at;
    int null, out;
    char kid[PATH_MAX];
};

/* In a process of ours that was forked cmocka must not go on with the next test. */
#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: %s is not so\n", __FILE__, __LINE__, #condition); \
            _exit(1);                                                                 \
        }                                                                             \
    } while (0)

static inline int bench_open(void **state)
{
    struct bench *bench = mem_zero(1, sizeof *bench);
    const char *kid = getenv("KID");

    *state = bench;
    if (!realpath(kid ? kid : "build/tests/kids/kid", bench->kid)) {
        fprintf(stderr, "no tests/kids/kid was built: see KID\n");
        return -1;
    }
    bench->spawn = spawn_new();
    bench->null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bench->out = memfd_create("out", MFD_CLOEXEC);
    return bench->spawn && bench->null >= 0 && bench->out >= 0 ? 0 : -1;
}

static inline int bench_close(void **state)
{
    struct bench *bench = *state;

    spawn_free(bench->spawn);
    fd_close(&bench->null);
    fd_close(&bench->out);
    free(bench);
    return 0;
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

static inline struct spawn_spec spec_of(const struct bench *bench, char *const argv[])
{
    return (struct spawn_spec){.path = argv[0],
                               .argv = argv,
                               .envp = environ,
                               .stdio = {bench->null, bench->out, bench->out},
                               .session = true,
                               .terminal = -1};
}

/* The words are not written to; C's argv has no const. */
static inline char *word(const char *text)
{
    return (char *)(uintptr_t)text;
}

#define ARGV(...)     ((char *[]){__VA_ARGS__, NULL})
#define KID(...)      ARGV(bench->kid, __VA_ARGS__)
#define SHELL(script) ARGV(word("/bin/sh"), word("-c"), word(script))

static inline bool start(struct bench *bench, const struct spawn_spec *spec)
{
    return backends[BACKEND_EXEC]->start(bench->spawn, spec, &bench->process, &bench->error);
}

static inline enum spawn_phase phase(struct bench *bench)
{
    return spawn_phase(bench->spawn, &bench->error, &bench->exec_at);
}

/* Its status as waitid tells it; si_pid is 0 when there is none. */
static inline siginfo_t reap(struct process *process)
{
    siginfo_t info = {0};

    if (waitid(P_PIDFD, (id_t)process->pidfd, &info, WEXITED) < 0)
        info.si_pid = 0;
    fd_close(&process->pidfd);
    return info;
}

static inline bool exits_with(struct process *process, int status)
{
    siginfo_t info = reap(process);

    return info.si_pid == process->pid && info.si_code == CLD_EXITED && info.si_status == status;
}

static inline bool dies_of(struct process *process, int signal)
{
    siginfo_t info = reap(process);

    return info.si_pid == process->pid && info.si_code == CLD_KILLED && info.si_status == signal;
}

/* What is in a file from its beginning on; the file is empty afterwards. */
static inline void take_output(int fd, struct buf *out)
{
    buf_clear(out);
    lseek(fd, 0, SEEK_SET);
    fd_read_all(fd, out, 1 << 20);
    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        buf_adds(out, strerror(errno));
}

/* Runs a program that succeeds and compares what it writes. */
static inline bool prints(struct bench *bench, const struct spawn_spec *spec, const char *expected)
{
    struct buf out = {0};
    bool good = start(bench, spec) && exits_with(&bench->process, 0);

    take_output(bench->out, &out);
    if (!good || !str_is(buf_str(&out), expected)) {
        fprintf(stderr, "'%s' printed '%s' instead of '%s'\n", spec->argv[1], buf_text(&out), expected);
        good = false;
    }
    buf_release(&out);
    return good;
}

/* For what changes the whole process: descriptors, limits, filters. */
static inline void in_fork(struct bench *bench, void (*test)(struct bench *bench))
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        test(bench);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#endif
