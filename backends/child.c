/* The child's side of a spawn. Read child.h first: what is not allowed here is more than elsewhere. */
#include "backends/child.h"

#include "backends/raw.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>

/* ---- clone ---- */

#define NEWER_FLAGS CLONE_CLEAR_SIGHAND

/*
 * Containers refuse clone3, as their filters cannot look into its arguments. The old call leaves handlers as they
 * are, for the child to meet between its last step and exec; we have none for signals that somebody sends. It has one
 * argument for both pid and pidfd, and none for a control group: so with a pidfd the pid is left by us, afterwards.
 */
static long clone_as_of_old(const struct clone_args *args, void (*entry)(void *user), void *user)
{
    bool with_pidfd = args->flags & CLONE_PIDFD;
    uint64_t unknown = NEWER_FLAGS | (with_pidfd ? CLONE_PARENT_SETTID : 0);
    const long old[5] = RAW_CLONE_ARGS(
        (long)((args->flags & ~unknown) | args->exit_signal), (long)(args->stack + args->stack_size),
        (long)(with_pidfd ? args->pidfd : args->parent_tid), (long)args->child_tid);
    long pid = raw_clone(SYS_clone, old, entry, user);

    if (pid > 0 && with_pidfd && args->flags & CLONE_PARENT_SETTID)
        *(pid_t *)args->parent_tid = (pid_t)pid;
    return pid;
}

long child_clone(struct clone_args *args, void (*entry)(void *user), void *user)
{
    long pid = raw_clone(SYS_clone3, (const long[5]){(long)args, sizeof *args}, entry, user);

    if (pid != -ENOSYS && pid != -EINVAL)
        return pid;
    return args->flags & CLONE_INTO_CGROUP ? pid : clone_as_of_old(args, entry, user);
}

/* ---- steps ---- */

/* Each step answers a number that is negative, -errno, when it failed. */

/* Groups of version 1: "0" is whoever writes it. */
static long join_groups(const struct spawn_spec *spec)
{
    long result = 0;

    for (int i = 0; i < 2 && result >= 0; i++)
        if (spec->joined[i] > 0)
            result = RAW(write, spec->joined[i], "0", 1);
    return result;
}

static long enter_session(const struct spawn_spec *spec)
{
    return spec->session ? RAW(setsid) : 0;
}

static long take_terminal(const struct spawn_spec *spec)
{
    return spec->session && spec->terminal >= 0 ? RAW(ioctl, spec->terminal, TIOCSCTTY, 0) : 0;
}

/* What is 0, 1 or 2 itself and wanted elsewhere moves, or one target could destroy the source of the next. */
static long move_away(int fd, int target)
{
    if (fd < 0)
        return -EBADF;
    return fd == target || fd > 2 ? fd : RAW(fcntl, fd, F_DUPFD_CLOEXEC, 3);
}

/* What is in its place already must only lose FD_CLOEXEC, which dup3 does for all others. */
static long redirect(const struct spawn_spec *spec)
{
    long from[3], result = 0;

    for (int i = 0; i < 3; i++) {
        from[i] = move_away(spec->stdio[i], i);
        if (from[i] < 0)
            return from[i];
    }
    for (int i = 0; i < 3 && result >= 0; i++)
        result = from[i] == i ? RAW(fcntl, i, F_SETFD, 0) : RAW(dup3, from[i], i, 0);
    return result;
}

/* Ours are FD_CLOEXEC as it is; this is for those we were started with. Kernels before 5.11 cannot: so be it. */
static long close_others(const struct spawn_spec *spec)
{
    (void)spec;
    RAW(close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    return 0;
}

/* Not one may stand where another is to go before all have been taken out of the way. */
static long pass_on(const struct spawn_spec *spec)
{
    long from[SPAWN_PASS_MOST], result = 0;

    for (uint32_t i = 0; i < spec->pass_count; i++) {
        from[i] = RAW(fcntl, spec->pass[i], F_DUPFD_CLOEXEC, 3 + spec->pass_count);
        if (from[i] < 0)
            return from[i];
    }
    for (uint32_t i = 0; i < spec->pass_count && result >= 0; i++)
        result = RAW(dup3, from[i], 3 + i, 0);
    for (uint32_t i = 0; i < spec->pass_count; i++)
        RAW(close, from[i]); /* not every child executes */
    return result;
}

/* As it is known to itself, in whatever namespace: who is handed descriptors compares (sd_listen_fds). */
static long say_pid(const struct spawn_spec *spec)
{
    long pid = spec->own_pid ? RAW(getpid) : 0, rest = pid;
    char *at = spec->own_pid;

    if (!at)
        return 0;
    do
        at++;
    while (rest /= 10);
    for (*at = '\0'; at > spec->own_pid; pid /= 10)
        *--at = (char)('0' + pid % 10);
    return 0;
}

static long enter_folder(const struct spawn_spec *spec)
{
    return spec->cwd ? RAW(chdir, spec->cwd) : 0;
}

static long set_limits(const struct spawn_spec *spec)
{
    long result = 0;

    for (uint32_t i = 0; i < spec->limit_count && result >= 0; i++)
        result = RAW(prlimit64, 0, spec->limits[i].resource, &spec->limits[i].limit, 0);
    return result;
}

/*
 * What was sent meanwhile takes effect here. Until here no SIGTSTP or SIGTTOU could stop us, while somebody waits
 * for us to execute.
 */
static long unblock_signals(const struct spawn_spec *spec)
{
    static const uint64_t none = 0;

    (void)spec;
    return RAW(rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
}

static const struct {
    enum spawn_stage stage;
    long (*take)(const struct spawn_spec *spec);
} steps[] = {
    {SPAWN_STAGE_JOIN, join_groups},       {SPAWN_STAGE_SESSION, enter_session},
    {SPAWN_STAGE_TERMINAL, take_terminal}, {SPAWN_STAGE_STDIO, redirect},
    {SPAWN_STAGE_STDIO, close_others},     {SPAWN_STAGE_PASS, pass_on},
    {SPAWN_STAGE_PASS, say_pid},           {SPAWN_STAGE_CWD, enter_folder},
    {SPAWN_STAGE_LIMIT, set_limits},       {SPAWN_STAGE_SIGNALS, unblock_signals},
};

/*
 * A process that dies of what was pending has no exec_at. The parent reads it once it sees `alive` at 0, which the
 * kernel writes later on this same processor; the fence keeps the two in order where processors do not.
 */
static void note_time(struct spawn_words *words)
{
    struct timespec now = {0};

    RAW(clock_gettime, CLOCK_MONOTONIC, &now);
    atomic_store_explicit(&words->exec_at, now.tv_sec * NS_PER_S + now.tv_nsec, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
}

static void fail(struct spawn_words *words, enum spawn_stage stage, long result)
{
    atomic_store_explicit(&words->failed, FAILURE(stage, -result), memory_order_release);
    atomic_thread_fence(memory_order_seq_cst);
}

bool child_prepare(const struct spawn_spec *spec, struct spawn_words *words)
{
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        long result;

        atomic_store_explicit(&words->stage, steps[i].stage, memory_order_relaxed);
        result = steps[i].take(spec);
        if (result < 0) {
            fail(words, steps[i].stage, result);
            return false;
        }
    }
    note_time(words);
    return true;
}

void child_execute(const struct spawn_spec *spec, struct spawn_words *words)
{
    atomic_store_explicit(&words->stage, SPAWN_STAGE_EXEC, memory_order_relaxed);
    fail(words, SPAWN_STAGE_EXEC, RAW(execve, spec->path, spec->argv, spec->envp));
}

void child_main(void *user)
{
    struct spawn *spawn = user;

    if (child_prepare(spawn->spec, spawn->words))
        child_execute(spawn->spec, spawn->words);
    for (;;)
        RAW(exit_group, SPAWN_FAILED_STATUS);
}
