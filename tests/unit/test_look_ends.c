/* Who has the other end: of pipes and sockets, in the tree and outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/look_stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#define HIGH 100 /* a descriptor that nothing else has */

static void must(bool done)
{
    if (!done)
        _exit(2);
}

static void hang(void)
{
    for (;;)
        pause();
}

/* Only these are left open, at HIGH and after it. */
static void keep(const int *fds, int count)
{
    for (int i = 0; i < count; i++)
        must(dup2(fds[i], HIGH + i) == HIGH + i);
    must(syscall(SYS_close_range, 3, HIGH - 1, 0) == 0);
    must(syscall(SYS_close_range, HIGH + count, UINT32_MAX, 0) == 0);
}

struct given {
    const int *fds;
    int count;
};

static void in_pause_with(void *user)
{
    const struct given *given = user;

    keep(given->fds, given->count);
    hang();
}

static pid_t start_with(struct look_stage *stage, const int *fds, int count)
{
    struct given given = {fds, count};
    pid_t pid = start_kid(stage, in_pause_with, &given);

    until_in(pid, SYS_pause);
    return pid;
}

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

/* ---- sockets of this machine ---- */

static void test_pair(void **state)
{
    struct look_stage *stage = *state;
    int ends[2];
    pid_t one, other;
    const struct dump *dump;
    const struct dump_fd *fd;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    one = start_with(stage, &ends[0], 1);
    other = start_with(stage, &ends[1], 1);
    assert_int_equal(write(ends[1], "1234567", 7), 7);
    close(ends[0]);
    close(ends[1]);
    dump = look_now(stage);
    fd = fd_of(process_of(dump, one), HIGH);
    assert_int_equal(fd->kind, DUMP_FD_UNIX);
    assert_string_equal(fd->state, "ESTABLISHED");
    assert_int_equal(fd->receive_queue, 7);
    assert_int_equal(fd->end_count, 1);
    assert_true(has_end(fd, other, HIGH));
    assert_int_equal(fd->peer_inode, fd_of(process_of(dump, other), HIGH)->inode);
    assert_true(fd->ends_known);

    end_child(other);
    stage->count--;
    fd = fd_of(process_of(look_now(stage), one), HIGH);
    assert_int_equal(fd->end_count, 0);
    assert_string_equal(fd->detail, "its other end is closed");
}

static int listen_unix(struct sockaddr_un *address, int backlog)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "/tmp/test-look-%d.sock", (int)getpid());
    unlink(address->sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

struct connecting {
    const struct sockaddr *address;
    socklen_t length;
};

static void in_connect(void *user)
{
    const struct connecting *to = user;
    int fd = socket(to->address->sa_family, SOCK_STREAM, 0);

    keep(&fd, 1);
    must(connect(HIGH, to->address, to->length) == 0);
    hang();
}

/* One that waits in the backlog, and one for which there is no room in it. */
static void test_nobody_accepts(void **state)
{
    struct look_stage *stage = *state;
    struct sockaddr_un address;
    struct connecting to = {(struct sockaddr *)&address, sizeof address};
    int fd = listen_unix(&address, 0);
    pid_t server = start_with(stage, &fd, 1), client, late;
    const struct dump *dump;
    const struct dump_fd *told;

    close(fd);
    client = start_kid(stage, in_connect, &to);
    until_in(client, SYS_pause);
    late = start_kid(stage, in_connect, &to);
    until_in(late, SYS_connect);
    dump = look_now(stage);
    told = fd_of(process_of(dump, server), HIGH);
    assert_string_equal(told->state, "LISTEN");
    assert_string_equal(told->local, address.sun_path);
    assert_int_equal(told->receive_queue, 1);
    assert_int_equal(told->send_queue, 0);
    told = fd_of(process_of(dump, client), HIGH);
    assert_string_equal(told->detail, "nobody has accepted it yet");
    assert_string_equal(told->peer, address.sun_path);
    assert_true(has_end(told, server, HIGH));
    told = fd_of(process_of(dump, late), HIGH);
    assert_string_equal(told->detail, "the listener has no room for it");
    assert_string_equal(told->peer, address.sun_path);
    assert_true(has_end(told, server, HIGH));
    assert_int_equal(process_of(dump, late)->threads[0].call.wait, DUMP_WAITS_CONNECT);
    assert_true(strstr(process_of(dump, late)->threads[0].call.words, address.sun_path));
    unlink(address.sun_path);
}

static void test_abstract_name(void **state)
{
    struct look_stage *stage = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    char name[32];
    pid_t pid;

    snprintf(name, sizeof name, "@test-look-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
                     0);
    pid = start_with(stage, &fd, 1);
    close(fd);
    assert_string_equal(fd_of(process_of(look_now(stage), pid), HIGH)->local, name);
    assert_string_equal(fd_of(&stage->dump.processes[0], HIGH)->state, "UNCONNECTED");
}

/* ---- the internet ---- */

/* Connected with one another through a listener, by version 4 or 6; false: this machine has no such address. */
static bool make_connection(int family, int *listener, int *client, int *server)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;

    *listener = socket(family, SOCK_STREAM, 0);
    *client = socket(family, SOCK_STREAM, 0);
    if (*listener < 0 || bind(*listener, address, length) < 0)
        return false;
    assert_int_equal(listen(*listener, 3), 0);
    assert_int_equal(getsockname(*listener, address, &length), 0);
    assert_int_equal(connect(*client, address, length), 0);
    if (!server)
        return true;
    *server = accept(*listener, NULL, NULL);
    return *server >= 0;
}

static void test_tcp(void **state)
{
    static const int families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct look_stage *stage = *state;
        int listener, client, server;
        pid_t one, other;
        const struct dump *dump;
        const struct dump_fd *fd;

        if (!make_connection(families[i], &listener, &client, &server))
            continue;
        one = start_with(stage, &client, 1);
        other = start_with(stage, (int[]){server, listener}, 2);
        assert_int_equal(write(server, "123", 3), 3);
        close(listener);
        close(client);
        close(server);
        dump = look_now(stage);
        fd = fd_of(process_of(dump, one), HIGH);
        assert_int_equal(fd->kind, DUMP_FD_TCP);
        assert_string_equal(fd->state, "ESTABLISHED");
        assert_int_equal(fd->receive_queue, 3);
        assert_true(has_end(fd, other, HIGH));
        assert_string_equal(fd->peer, fd_of(process_of(dump, other), HIGH)->local);
        assert_string_equal(fd->local, fd_of(process_of(dump, other), HIGH)->peer);
        fd = fd_of(process_of(dump, other), HIGH + 1);
        assert_string_equal(fd->state, "LISTEN");
        assert_int_equal(fd->send_queue, 3);
        assert_null(fd->peer);
        close_look_stage(state);
        open_look_stage(state);
    }
}

/* The kernel has connected them, and nobody calls accept. The listener is of somebody else. */
static void test_tcp_not_accepted(void **state)
{
    struct look_stage *stage = *state;
    int listener, client;
    pid_t pid;
    const struct dump_fd *fd;

    assert_true(make_connection(AF_INET, &listener, &client, NULL));
    pid = start_with(stage, &client, 1);
    close(client);
    fd = fd_of(process_of(look_now(stage), pid), HIGH);
    assert_string_equal(fd->detail, "nobody has accepted it yet");
    assert_int_equal(fd->end_count, 1);
    assert_true(has_end(fd, getpid(), listener));
    close(listener);
}

static void test_udp(void **state)
{
    struct look_stage *stage = *state;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char local[32];
    pid_t pid;
    const struct dump_fd *told;

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    snprintf(local, sizeof local, "127.0.0.1:%u", ntohs(address.sin_port));
    pid = start_with(stage, &fd, 1);
    close(fd);
    told = fd_of(process_of(look_now(stage), pid), HIGH);
    assert_int_equal(told->kind, DUMP_FD_UDP);
    assert_string_equal(told->local, local);
    assert_string_equal(told->state, "UNCONNECTED");
}

static void in_other_network(void *user)
{
    int fd = -1;

    (void)user;
    must(unshare(CLONE_NEWNET) == 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    must(listen(fd, 7) == 0);
    keep(&fd, 1);
    hang();
}

static void test_other_network(void **state)
{
    struct look_stage *stage = *state;
    const struct dump_fd *fd;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    pid = start_kid(stage, in_other_network, NULL);
    while (call_of(pid) != SYS_pause)
        if (waitpid(pid, NULL, WNOHANG) == pid)
            skip(); /* we may not */
    fd = fd_of(process_of(look_now(stage), pid), HIGH);
    assert_int_equal(fd->kind, DUMP_FD_TCP);
    assert_string_equal(fd->state, "LISTEN");
    assert_int_equal(fd->send_queue, 7);
    assert_int_equal(stage->dump.note_count, 0);
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
        cmocka_unit_test_setup_teardown(test_fifo, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_pair, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_nobody_accepts, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_abstract_name, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_tcp, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_tcp_not_accepted, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_udp, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_other_network, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_kinds, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_many_descriptors, open_look_stage, close_look_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
