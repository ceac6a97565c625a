/* Who has the other end: of pipes, in the tree and outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/look_given.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

/* A child that is not looked at: somebody else on the machine. */
static pid_t start_outsider(struct look_stage *stage, const int *fds, int count)
{
    pid_t pid = start_with(stage, fds, count);

    stage->count--;
    return pid;
}

/* ---- pipes ---- */

static void test_pipe_within(void **state)
{
    struct look_stage *stage = *state;
    int ends[2];
    pid_t reader, writer, both;
    const struct dump *dump;
    const struct dump_fd *fd;

    assert_int_equal(pipe(ends), 0);
    reader = start_with(stage, &ends[0], 1);
    writer = start_with(stage, &ends[1], 1);
    both = start_with(stage, ends, 2);
    assert_int_equal(write(ends[1], "12345", 5), 5);
    close(ends[0]);
    close(ends[1]);
    dump = look_now(stage);

    fd = fd_of(process_of(dump, reader), HIGH);
    assert_true(fd->reads && !fd->writes);
    assert_int_equal(fd->filled, 5);
    assert_int_equal(fd->end_count, 4);
    assert_true(fd->ends_known);
    assert_true(has_end(fd, reader, HIGH) && has_end(fd, writer, HIGH) && has_end(fd, both, HIGH) &&
                has_end(fd, both, HIGH + 1));
    for (uint32_t i = 0; i < fd->end_count; i++) {
        const struct dump_end *end = &fd->ends[i];

        assert_int_equal(dump->processes[end->process].id.pid, end->pid);
        assert_string_equal(end->name, "test_look_ends");
        assert_int_equal(end->writes, end->pid == writer || (end->pid == both && end->fd == HIGH + 1));
        assert_int_equal(end->reads, !end->writes);
    }
    assert_ptr_equal(fd->ends, fd_of(process_of(dump, writer), HIGH)->ends);
}

/* We have the other end ourselves, and so has a stranger. */
static void test_pipe_outside(void **state)
{
    struct look_stage *stage = *state;
    int ends[2];
    pid_t outsider, reader;
    const struct dump_fd *fd;

    assert_int_equal(pipe(ends), 0);
    outsider = start_outsider(stage, &ends[1], 1);
    reader = start_with(stage, &ends[0], 1);
    close(ends[0]);
    fd = fd_of(process_of(look_now(stage), reader), HIGH);
    assert_int_equal(fd->end_count, 3);
    assert_true(has_end(fd, getpid(), ends[1]) && has_end(fd, outsider, HIGH));
    for (uint32_t i = 0; i < fd->end_count; i++)
        assert_int_equal(fd->ends[i].process == DUMP_NOBODY, fd->ends[i].pid != reader);
    close(ends[1]);
    end_child(outsider);
}

/* Looking does not keep a pipe open: when its writer has gone its reader sees the end. */
static void test_pipe_is_not_kept(void **state)
{
    struct look_stage *stage = *state;
    int ends[2];
    char c;

    assert_int_equal(pipe(ends), 0);
    start_with(stage, &ends[1], 1);
    close(ends[1]);
    look_now(stage);
    end_child(stage->members[--stage->count].id.pid);
    assert_int_equal(read(ends[0], &c, 1), 0);
    close(ends[0]);
}

/* As where ptrace_scope keeps us from those that are not ours: some calls are refused. */
static bool refuse_copies(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_getfd, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {ARRAY_LEN(code), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* What is in a pipe is not known then, and who has it is. */
static void test_pipe_kept_from_us(void **state)
{
    struct look_stage *stage = *state;
    int ends[2], status;
    pid_t pid, looker;

    assert_int_equal(pipe(ends), 0);
    pid = start_with(stage, ends, 2);
    looker = must_fork();
    if (looker == 0) {
        const struct dump_process *process;

        if (!refuse_copies())
            _exit(SKIPPED);
        process = process_of(look_now(stage), pid);
        must(fd_of(process, HIGH)->filled == -1 && fd_of(process, HIGH)->room == -1 &&
             has_end(fd_of(process, HIGH), pid, HIGH + 1) &&
             strcmp(process->unread, "what its pipes hold: Operation not permitted") == 0);
        _exit(0);
    }
    assert_int_equal(waitpid(looker, &status, 0), looker);
    close(ends[0]);
    close(ends[1]);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(status, 0);
}

static void test_fifo(void **state)
{
    struct look_stage *stage = *state;
    char path[64];
    int fd;
    pid_t pid;
    const struct dump_fd *told;

    snprintf(path, sizeof path, "/tmp/test-look-ends-%d", (int)getpid());
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    fd = open(path, O_RDWR | O_NONBLOCK);
    pid = start_with(stage, &fd, 1);
    assert_int_equal(write(fd, "123", 3), 3);
    told = fd_of(process_of(look_now(stage), pid), HIGH);
    assert_int_equal(told->kind, DUMP_FD_FIFO);
    assert_string_equal(told->target, path);
    assert_true(told->reads && told->writes && !told->waits);
    assert_int_equal(told->filled, 3);
    assert_int_equal(told->end_count, 2);
    assert_true(has_end(told, getpid(), fd));
    close(fd);
    unlink(path);
}

/* ---- all kinds ---- */

static void test_kinds(void **state)
{
    struct look_stage *stage = *state;
    struct itimerspec when = {.it_value.tv_sec = 1000};
    sigset_t set;
    int fds[9];
    pid_t pid;
    const struct dump_process *process;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    fds[0] = eventfd(3, 0);
    fds[1] = timerfd_create(CLOCK_MONOTONIC, 0);
    assert_int_equal(timerfd_settime(fds[1], 0, &when, NULL), 0);
    fds[2] = signalfd(-1, &set, 0);
    fds[3] = (int)syscall(SYS_pidfd_open, getpid(), 0);
    fds[4] = (int)syscall(SYS_memfd_create, "thing", 0);
    fds[5] = open("/", O_RDONLY | O_DIRECTORY);
    fds[6] = open("/dev/null", O_RDWR);
    fds[7] = open("/proc/self/exe", O_RDONLY);
    fds[8] = epoll_create1(0);
    assert_int_equal(lseek(fds[7], 42, SEEK_SET), 42);
    pid = start_with(stage, fds, ARRAY_LEN(fds));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    process = process_of(look_now(stage), pid);
    assert_int_equal(fd_of(process, HIGH)->kind, DUMP_FD_EVENT);
    assert_string_equal(fd_of(process, HIGH)->detail, "counts 3");
    assert_int_equal(fd_of(process, HIGH + 1)->kind, DUMP_FD_TIMER);
    assert_true(strncmp(fd_of(process, HIGH + 1)->detail, "rings in ", 9) == 0);
    assert_int_equal(fd_of(process, HIGH + 2)->kind, DUMP_FD_SIGNAL);
    assert_string_equal(fd_of(process, HIGH + 2)->detail, "takes SIGUSR1, SIGCHLD");
    assert_int_equal(fd_of(process, HIGH + 3)->kind, DUMP_FD_PROCESS);
    assert_int_equal(atoi(fd_of(process, HIGH + 3)->detail + strlen("of process ")), getpid());
    assert_int_equal(fd_of(process, HIGH + 4)->kind, DUMP_FD_MEMORY);
    assert_int_equal(fd_of(process, HIGH + 5)->kind, DUMP_FD_FOLDER);
    assert_int_equal(fd_of(process, HIGH + 6)->kind, DUMP_FD_DEVICE);
    assert_int_equal(fd_of(process, HIGH + 7)->kind, DUMP_FD_FILE);
    assert_int_equal(fd_of(process, HIGH + 7)->position, 42);
    assert_string_equal(fd_of(process, HIGH + 7)->target, process->program);
    assert_int_equal(fd_of(process, HIGH + 8)->kind, DUMP_FD_EPOLL);
    assert_string_equal(fd_of(process, HIGH + 8)->detail, "watches nothing");
}

#define MANY 10000 /* more than are looked at */

static void in_read_with_many(void *user)
{
    int ends[2];
    char c;

    (void)user;
    must(fd_raise_limit(NULL) > MANY);
    must(pipe(ends) == 0);
    for (int fd = 10; fd < MANY; fd++)
        must(dup2(1, fd) == fd);
    must(dup2(ends[0], MANY) == MANY);
    must(read(MANY, &c, 1) == 1);
}

/* It is told at which of them it waits, and how many there are; what was not looked at is said. */
static void test_many_descriptors(void **state)
{
    struct look_stage *stage = *state;
    const struct dump_process *process;
    struct rlimit limit;
    pid_t pid;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max <= MANY)
        skip();
    pid = start_kid(stage, in_read_with_many, NULL);
    until_in(pid, SYS_read);
    process = process_of(look_now(stage), pid);
    assert_int_equal(process->fd_count, DUMP_FDS_MOST);
    assert_true(process->fds_more > 0);
    assert_true(strstr(process->threads[0].call.words, "read(10000 pipe:["));
    assert_non_null(process->unread);
    for (uint32_t i = 1; i < process->fd_count; i++)
        assert_true(process->fds[i - 1].number < process->fds[i].number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pipe_within, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_pipe_outside, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_pipe_is_not_kept, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_pipe_kept_from_us, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_fifo, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_kinds, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_many_descriptors, open_look_stage, close_look_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
