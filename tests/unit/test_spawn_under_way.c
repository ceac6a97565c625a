/* A child between clone and exec, held there. */
#include "tests/unit/forks.h"
#include "tests/unit/spawn_bench.h"

#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

/*
 * A page that is not there: the child stops at it when it looks into its spec, until release gives it one. Nobody else
 * may touch it; so what the parent reads of the spec, which comes last, is on the page after it, and zero.
 */
struct trap {
    int fd;
    long size;
    char *page;
    struct spawn_spec *spec;
};

#define TRAPPED offsetof(struct spawn_spec, limit_count)
_Static_assert(TRAPPED % _Alignof(struct spawn_spec) == 0 && TRAPPED < offsetof(struct spawn_spec, cgroup),
               "the page ends before what the parent reads");

static bool trap_open(struct trap *trap)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register wanted = {.mode = UFFDIO_REGISTER_MODE_MISSING};

    trap->size = sysconf(_SC_PAGESIZE);
    trap->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (trap->fd < 0)
        return false;
    trap->page =
        mmap(NULL, 2 * (size_t)trap->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    trap->spec = (void *)(trap->page + trap->size - TRAPPED);
    wanted.range.start = (uintptr_t)trap->page;
    wanted.range.len = (size_t)trap->size;
    return ioctl(trap->fd, UFFDIO_API, &api) == 0 && ioctl(trap->fd, UFFDIO_REGISTER, &wanted) == 0;
}

/* Returns when the child is in it. */
static void trap_wait(struct trap *trap)
{
    struct uffd_msg message;

    assert_int_equal(read(trap->fd, &message, sizeof message), sizeof message);
    assert_int_equal(message.event, UFFD_EVENT_PAGEFAULT);
}

static void trap_release(struct trap *trap, const struct spawn_spec *spec)
{
    char *page = mem_zero(1, (size_t)trap->size);
    struct uffdio_copy copy = {
        .dst = (uintptr_t)trap->page, .src = (uintptr_t)page, .len = (size_t)trap->size};

    memcpy(page + trap->size - TRAPPED, spec, TRAPPED);
    assert_int_equal(ioctl(trap->fd, UFFDIO_COPY, &copy), 0);
    free(page);
}

static void trap_close(struct trap *trap)
{
    munmap(trap->page, 2 * (size_t)trap->size);
    fd_close(&trap->fd);
}

#define TRAP(trap)                                                   \
    struct trap trap;                                                \
    if (!trap_open(&trap)) {                                         \
        print_message("no userfaultfd here: %s\n", strerror(errno)); \
        skip();                                                      \
    }

static void test_under_way(void **state)
{
    struct bench *bench = *state, other = *bench;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("5")));
    nanos released;
    TRAP(trap)

    assert_true(start(bench, trap.spec));
    trap_wait(&trap);
    assert_int_equal(phase(bench), SPAWN_UNDER_WAY);
    assert_int_equal(bench->exec_at, 0);

    other.spawn = spawn_new(); /* it keeps nobody from starting others */
    assert_true(start(&other, &spec));
    assert_true(exits_with(&other.process, 5));
    spawn_free(other.spawn);
    assert_false(start(bench, &spec));
    assert_int_equal(bench->error.error, EBUSY);
    assert_int_equal(phase(bench), SPAWN_UNDER_WAY);

    released = clock_now();
    trap_release(&trap, &spec);
    assert_true(exits_with(&bench->process, 5));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    assert_true(bench->exec_at >= released);
    trap_close(&trap);
}

static void test_killed_under_way(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("6")));
    TRAP(trap)

    assert_true(start(bench, &spec)); /* what it leaves is no word of the next */
    assert_true(exits_with(&bench->process, 6));
    assert_true(start(bench, trap.spec));
    trap_wait(&trap);
    assert_int_equal(kill(bench->process.pid, SIGKILL), 0);
    assert_true(dies_of(&bench->process, SIGKILL));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    assert_int_equal(bench->exec_at, 0);
    trap_close(&trap);

    assert_true(start(bench, &spec)); /* the place is free again */
    assert_true(exits_with(&bench->process, 6));
}

/* A line of /proc/PID/status as a mask. */
static uint64_t mask_of(pid_t pid, const char *name)
{
    char path[64], *line;
    struct buf status = {0};
    uint64_t mask = 0;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    assert_int_equal(file_read(path, &status, 1 << 16), 0);
    line = strstr(buf_text(&status), name);
    assert_non_null(line);
    mask = strtoull(line + strlen(name), NULL, 16);
    buf_release(&status);
    return mask;
}

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

static void on_signal(int signal)
{
    (void)signal;
    _exit(3);
}

/* What is sent to it before it executes waits for the last moment, and our handlers are not its own. */
static void test_signalled_under_way(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("0")));
    TRAP(trap)

    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = on_signal}, NULL);
    assert_true(start(bench, trap.spec));
    sigaction(SIGUSR1, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    trap_wait(&trap);
    assert_int_equal(mask_of(bench->process.pid, "SigBlk:"), ~(BIT(SIGKILL) | BIT(SIGSTOP)));
    assert_int_equal(mask_of(bench->process.pid, "SigCgt:"), 0);
    assert_int_equal(kill(bench->process.pid, SIGTTOU), 0);
    assert_int_equal(kill(bench->process.pid, SIGUSR1), 0);
    assert_int_equal(mask_of(bench->process.pid, "ShdPnd:"), BIT(SIGTTOU) | BIT(SIGUSR1));
    spec.session = true; /* where no terminal stops anybody */
    trap_release(&trap, &spec);
    assert_true(dies_of(&bench->process, SIGUSR1));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    assert_int_equal(bench->exec_at, 0);
    trap_close(&trap);
}

/* The child runs in it, so it stays. */
static void test_freed_under_way(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("9")));
    TRAP(trap)

    assert_true(start(bench, trap.spec));
    trap_wait(&trap);
    spawn_free(bench->spawn);
    trap_release(&trap, &spec);
    assert_true(exits_with(&bench->process, 9));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    trap_close(&trap);
}

/* We are killed: it goes on to what it was to do. */
static void test_parent_killed(void **state)
{
    struct bench *bench = *state;
    struct spawn_spec spec = spec_of(bench, KID(word("print"), word("alive")));
    int output[2];
    char text[16] = "";
    int status;
    pid_t pid;

    assert_int_equal(pipe2(output, O_CLOEXEC), 0);
    spec.stdio[1] = output[1];
    pid = must_fork();
    if (pid == 0) {
        struct trap trap;

        if (!trap_open(&trap))
            _exit(77);
        CHECK(start(bench, trap.spec));
        trap_wait(&trap);
        trap_release(&trap, &spec);
        kill(getpid(), SIGKILL);
    }
    close(output[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status == W_EXITCODE(77, 0)) {
        close(output[0]);
        skip();
    }
    assert_int_equal(WTERMSIG(status), SIGKILL);
    while (read(output[0], text + strlen(text), sizeof text - 1 - strlen(text)) > 0)
        ;
    assert_string_equal(text, "alive\n");
    close(output[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_under_way),           BENCH_TEST(test_killed_under_way),
        BENCH_TEST(test_signalled_under_way), BENCH_TEST(test_freed_under_way),
        BENCH_TEST(test_parent_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
