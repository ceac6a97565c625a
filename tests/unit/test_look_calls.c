/* Each way of waiting, by a child that waits just so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/expect.h"
#include "tests/unit/look_stage.h"

#include "runner/diagnose/telling.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define HIGH 100 /* a descriptor that nothing else has */

static void must(bool done)
{
    if (!done)
        _exit(2);
}

/* A pipe at HIGH (reading) and HIGH + 1. */
static void make_pipe(void)
{
    int ends[2];

    must(pipe(ends) == 0 && dup2(ends[0], HIGH) == HIGH && dup2(ends[1], HIGH + 1) == HIGH + 1);
    close(ends[0]);
    close(ends[1]);
}

static void in_read(void *user)
{
    char c;

    (void)user;
    make_pipe();
    must(read(HIGH, &c, 1) == 1);
}

static void in_write(void *user)
{
    static const char much[70000];

    (void)user;
    make_pipe();
    must(write(HIGH + 1, much, sizeof much) > 0);
}

static void in_poll(void *user)
{
    struct pollfd list[] = {{.fd = HIGH, .events = POLLIN}, {.fd = -1}, {.fd = HIGH + 2, .events = POLLIN}};

    (void)user;
    make_pipe();
    must(dup2(eventfd(0, 0), HIGH + 2) == HIGH + 2);
    must(poll(list, ARRAY_LEN(list), -1) > 0);
}

static void in_select(void *user)
{
    fd_set reads, writes;

    (void)user;
    make_pipe();
    must(dup2(eventfd(0, 0), HIGH + 2) == HIGH + 2);
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(HIGH, &reads);
    FD_SET(HIGH + 2, &reads);
    must(syscall(SYS_pselect6, HIGH + 3, &reads, &writes, NULL, NULL, NULL) >
         0); /* older C libraries call another */
}

static void in_epoll(void *user)
{
    struct epoll_event event = {.events = EPOLLIN}, got;
    int fd = epoll_create1(0);

    (void)user;
    make_pipe();
    must(dup2(fd, HIGH + 3) == HIGH + 3 && epoll_ctl(fd, EPOLL_CTL_ADD, HIGH, &event) == 0);
    must(epoll_wait(HIGH + 3, &got, 1, -1) == 1);
}

static void in_accept(void *user)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)user;
    must(listen(fd, 5) == 0 && dup2(fd, HIGH) == HIGH);
    must(accept(HIGH, NULL, NULL) >= 0);
}

static void in_futex(void *user)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

    (void)user;
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&mutex);
}

static void in_wait(void *user)
{
    pid_t pid = fork();

    (void)user;
    if (pid == 0) {
        limit_life(LIFE);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
    }
    must(waitpid(pid, NULL, 0) == pid);
}

static void in_wait_any(void *user)
{
    siginfo_t info;

    (void)user;
    if (fork() == 0) {
        limit_life(LIFE);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
    }
    must(waitid(P_ALL, 0, &info, WEXITED) == 0);
}

static void in_flock(void *user)
{
    const char *path = user;
    int first = open(path, O_RDWR | O_CREAT, 0600), second = open(path, O_RDWR);

    must(flock(first, LOCK_EX) == 0 && dup2(second, HIGH) == HIGH);
    must(flock(HIGH, LOCK_SH) == 0);
}

static void in_fcntl(void *user)
{
    struct flock lock = {.l_type = F_WRLCK};
    const char *path = user;
    int first = open(path, O_RDWR | O_CREAT, 0600), second = open(path, O_RDWR);

    must(fcntl(first, F_OFD_SETLK, &lock) == 0 && dup2(second, HIGH) == HIGH);
    must(fcntl(HIGH, F_OFD_SETLKW, &lock) == 0);
}

static void in_sleep(void *user)
{
    struct timespec time = {.tv_sec = 1000, .tv_nsec = 500000000};

    (void)user;
    must(clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL) == 0);
}

static void in_sigwait(void *user)
{
    sigset_t set;

    (void)user;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    must(sigtimedwait(&set, NULL, NULL) > 0);
}

static void in_open(void *user)
{
    must(openat(AT_FDCWD, user, O_RDONLY) >= 0);
}

static struct dump_call look_at(struct look_stage *stage, kid_fn *body, void *user, int number)
{
    pid_t pid = start_kid(stage, body, user);

    until_in(pid, number);
    return process_of(look_now(stage), pid)->threads[0].call;
}

static bool waits_at(const struct dump_call *call, int fd)
{
    for (uint32_t i = 0; i < call->fd_count; i++)
        if (call->fds[i] == fd)
            return true;
    return false;
}

static void test_calls(void **state)
{
    static const struct {
        kid_fn *body;
        int number;
        enum dump_wait wait;
        int fds[2]; /* 0: none */
        const char *words;
    } rows[] = {
        {in_read, SYS_read, DUMP_WAITS_READ, {HIGH}, "read(100 pipe:["},
        {in_write, SYS_write, DUMP_WAITS_WRITE, {HIGH + 1}, "write(101 pipe:["},
        {in_select, SYS_pselect6, DUMP_WAITS_POLL, {HIGH, HIGH + 2}, "[100 pipe:["},
        {in_accept, SYS_accept, DUMP_WAITS_ACCEPT, {HIGH}, "accept(100 socket:["},
        {in_futex, SYS_futex, DUMP_WAITS_FUTEX, {0}, ", FUTEX_WAIT, 2)"},
        {in_wait_any, SYS_waitid, DUMP_WAITS_CHILD, {0}, "waitid(P_ALL, 0, "},
        {in_sleep, SYS_clock_nanosleep, DUMP_WAITS_SLEEP, {0}, "1000.5 s"},
        {in_sigwait, SYS_rt_sigtimedwait, DUMP_WAITS_SIGNAL, {0}, "rt_sigtimedwait(0x"},
#ifdef SYS_poll
        {in_poll, SYS_poll, DUMP_WAITS_POLL, {HIGH, HIGH + 2}, "102 anon_inode:[eventfd]], 3, -1)"},
        {in_epoll, SYS_epoll_wait, DUMP_WAITS_POLL, {HIGH}, "103 anon_inode:[eventpoll], [100 pipe:["},
#endif
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct look_stage *stage = *state;
        struct dump_call call;

        call = look_at(stage, rows[i].body, NULL, rows[i].number);
        assert_int_equal(call.wait, rows[i].wait);
        if (!strstr(call.words, rows[i].words))
            fail_msg("no '%s' in '%s'", rows[i].words, call.words);
        for (size_t k = 0; k < 2; k++)
            assert_true(!rows[i].fds[k] || waits_at(&call, rows[i].fds[k]));
        assert_int_equal(call.fd_count, (rows[i].fds[0] > 0) + (rows[i].fds[1] > 0));
        close_look_stage(state);
        open_look_stage(state);
    }
}

/* A pipe with nobody who reads: what it holds, and what is in it. */
static void test_full_pipe(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, in_write, NULL);
    const struct dump_fd *fd;

    until_in(pid, SYS_write);
    fd = fd_of(process_of(look_now(stage), pid), HIGH + 1);
    assert_int_equal(fd->kind, DUMP_FD_PIPE);
    assert_true(fd->writes && !fd->reads && fd->waits);
    assert_int_equal(fd->room, 65536);
    assert_int_equal(fd->filled, 65536);
    assert_int_equal(fd->end_count, 2);
    assert_true(has_end(fd, pid, HIGH));
    assert_true(fd->ends_known);
}

static void test_child(void **state)
{
    struct look_stage *stage = *state;
    struct dump_call call = look_at(stage, in_wait, NULL, SYS_wait4);
    struct proc_ids children = {0};

    assert_int_equal(call.wait, DUMP_WAITS_CHILD);
    assert_int_equal(proc_children(stage->members[0].id.pid, &children), 0);
    assert_int_equal(children.count, 1);
    assert_int_equal(call.pid, children.list[0].pid);
    proc_ids_release(&children);
}

static void make_file_name(char *path, size_t size)
{
    int fd;

    snprintf(path, size, "/tmp/test-look-XXXXXX");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
}

static void test_locks(void **state)
{
    static const struct {
        kid_fn *body;
        int number;
        const char *kind, *words;
        bool writes;
    } rows[] = {
        {in_flock, SYS_flock, "FLOCK", "flock(100 /tmp/test-look-", false},
        {in_fcntl, SYS_fcntl, "OFDLCK", "F_OFD_SETLKW, 0x", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct look_stage *stage = *state;
        char path[64];
        struct dump_call call;
        const struct dump_process *process;

        make_file_name(path, sizeof path);
        call = look_at(stage, rows[i].body, path, rows[i].number);
        process = &stage->dump.processes[0];
        assert_int_equal(call.wait, DUMP_WAITS_LOCK);
        assert_true(strstr(call.words, rows[i].words) && waits_at(&call, HIGH));
        assert_int_equal(process->lock_count, 2);
        assert_true(process->locks[0].waits && !process->locks[1].waits);
        assert_int_equal(process->locks[0].writes, rows[i].writes);
        assert_true(process->locks[1].writes);
        assert_int_equal(process->locks[0].holder, process->id.pid);
        assert_int_equal(process->locks[0].process, 0);
        for (uint32_t k = 0; k < 2; k++) {
            assert_string_equal(process->locks[k].path, path);
            assert_string_equal(process->locks[k].kind, rows[i].kind);
            assert_true(process->locks[k].from == 0 && process->locks[k].to == UINT64_MAX);
        }
        unlink(path);
        close_look_stage(state);
        open_look_stage(state);
    }
}

/* It names what it wants to open, and we do not open it. */
static void test_fifo(void **state)
{
    struct look_stage *stage = *state;
    char path[64];
    struct dump_call call;
    bool waits_for_partner;

    make_file_name(path, sizeof path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    call = look_at(stage, in_open, path, SYS_openat);
    assert_true(strstr(call.words, "openat(AT_FDCWD, \"/tmp/test-look-"));
    assert_true(strstr(call.words, "\", 0)"));
    assert_string_equal(call.path, path);
    assert_true(call.is_open && call.wants_writers && !call.wants_readers);
    /* The descriptor that it is to get is none that found no room. */
    assert_int_equal(stage->dump.processes[0].fds_more, 0);
    waits_for_partner = does_open_fifo(&stage->dump.processes[0].threads[0]);
    unlink(path);
    assert_true(waits_for_partner || !stage->dump.processes[0].threads[0].wchan);
}

/* After a stop the kernel goes on with another call, and the same registers. */
static void test_after_a_stop(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, in_sleep, NULL);
    struct dump_call call;

    until_in(pid, SYS_clock_nanosleep);
    assert_true(process_of(look_now(stage), pid)->threads[0].call.seconds > 1000.4);
    kill(pid, SIGSTOP);
    until_state(pid, 'T');
    call = process_of(look_now(stage), pid)->threads[0].call;
    assert_int_equal(stage->dump.processes[0].state, 'T');
    kill(pid, SIGCONT);
    until_in(pid, SYS_restart_syscall);
    call = process_of(look_now(stage), pid)->threads[0].call;
    assert_int_equal(call.wait, DUMP_WAITS_SLEEP);
    assert_string_equal(call.name, "clock_nanosleep");
    assert_true(call.seconds > 1000.4);
}

static void in_absent_memory(void *user)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)user;
    must(syscall(SYS_futex, page, FUTEX_WAIT, 0, NULL) == 0);
}

static void test_strange_arguments(void **state)
{
    struct look_stage *stage = *state;
    struct dump_call call = look_at(stage, in_absent_memory, NULL, SYS_futex);

    assert_int_equal(call.wait, DUMP_WAITS_FUTEX);
    assert_true(call.address != 0);
}

#ifdef SYS_poll
/* The page is there when somebody brings it, and nobody does. */
static void in_poll_of_a_page_to_come(void *user)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register page = {.range.len = 4096, .mode = UFFDIO_REGISTER_MODE_MISSING};
    int fd = (int)syscall(SYS_userfaultfd, 0);
    void *list = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)user;
    page.range.start = (uintptr_t)list;
    must(fd >= 0 && ioctl(fd, UFFDIO_API, &api) == 0 && ioctl(fd, UFFDIO_REGISTER, &page) == 0);
    must(syscall(SYS_poll, list, 1, -1) == 0);
}

/* Who reads it as its owner does (process_vm_readv) waits with him for ever. */
static void test_a_page_to_come(void **state)
{
    struct look_stage *stage = *state;
    pid_t pid = start_kid(stage, in_poll_of_a_page_to_come, NULL);
    const struct dump_thread *thread;

    while (call_of(pid) != SYS_poll)
        if (!is_there(pid))
            skip(); /* this kernel has no such thing, or not for us */
    thread = &process_of(look_now(stage), pid)->threads[0];
    assert_int_equal(thread->call.wait, DUMP_WAITS_POLL);
    assert_int_equal(thread->call.fd_count, 0);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_full_pipe, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_child, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_locks, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_fifo, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_after_a_stop, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_strange_arguments, open_look_stage, close_look_stage),
#ifdef SYS_poll
        cmocka_unit_test_setup_teardown(test_a_page_to_come, open_look_stage, close_look_stage),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
