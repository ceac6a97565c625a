/* Who has the other end: of sockets, in the tree and outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/look_given.h"
#include "tests/unit/somebody.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>

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
    until_in(client, HANGS);
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
    while (call_of(pid) != HANGS)
        if (waitpid(pid, NULL, WNOHANG) == pid)
            skip(); /* we may not */
    fd = fd_of(process_of(look_now(stage), pid), HIGH);
    assert_int_equal(fd->kind, DUMP_FD_TCP);
    assert_string_equal(fd->state, "LISTEN");
    assert_int_equal(fd->send_queue, 7);
    assert_int_equal(stage->dump.note_count, 0);
}

static void in_network_of_nobody(void *user)
{
    (void)user;
    must(unshare(CLONE_NEWUSER) == 0);
    in_other_network(NULL);
}

/* Whoever has no privileges looks into the network that his own child has made. */
static void test_network_of_nobody(void **state)
{
    struct look_stage *stage = *state;
    int status;
    pid_t looker;

    if (!can_be(NOBODY))
        skip();
    looker = must_fork();
    if (looker == 0) {
        const struct dump_fd *fd;
        pid_t pid;

        limit_life(LIFE);
        must(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
             prctl(PR_SET_DUMPABLE, 1) == 0);
        pid = start_kid(stage, in_network_of_nobody, NULL);
        while (call_of(pid) != HANGS)
            if (!is_there(pid))
                _exit(SKIPPED); /* they may make none on this machine */
        fd = fd_of(process_of(look_now(stage), pid), HIGH);
        must(fd->kind == DUMP_FD_TCP && fd->send_queue == 7 && !stage->dump.note_count);
        must(waitpid(-1, NULL, WNOHANG | __WALL) == 0); /* no child is left of it but the one */
        end_child(pid);
        _exit(0);
    }
    assert_int_equal(waitpid(looker, &status, 0), looker);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_pair, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_nobody_accepts, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_abstract_name, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_tcp, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_tcp_not_accepted, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_udp, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_other_network, open_look_stage, close_look_stage),
        cmocka_unit_test_setup_teardown(test_network_of_nobody, open_look_stage, close_look_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
