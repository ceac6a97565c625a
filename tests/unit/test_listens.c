#include "runner/base/mem.h"
#include "runner/leaks/leaks.h"
#include "tests/unit/forks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A listener of ours; its port. 0: this machine has no such address. */
static unsigned listen_at(int family, int type, const char *host, int *fd)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;

    inet_pton(family, host, family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr);
    *fd = socket(family, type | SOCK_CLOEXEC, 0);
    if (*fd < 0 || bind(*fd, any, len) < 0 || (type == SOCK_STREAM && listen(*fd, 1) < 0) ||
        getsockname(*fd, any, &len) < 0)
        return 0;
    return ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
}

static void assert_it_is_us(const char *address, bool us)
{
    struct buf words = {0};
    char own[100] = "";

    if (us)
        snprintf(own, sizeof own, "test_listens (pid %d)", getpid());
    assert_int_equal(leaks_who_listens(str_of(address), 60 * NS_PER_S, &words), us);
    assert_string_equal(buf_text(&words), own);
    buf_release(&words);
}

static void test_ports(void **state)
{
    static const struct {
        int family, type;
        const char *at, *asked; /* with its port behind */
        bool found;
    } rows[] = {
        {AF_INET, SOCK_STREAM, "127.0.0.1", "127.0.0.1:", true},
        {AF_INET, SOCK_STREAM, "127.0.0.1", "tcp://127.0.0.1:", true},
        {AF_INET, SOCK_STREAM, "127.0.0.1", "localhost:", true},
        {AF_INET, SOCK_STREAM, "0.0.0.0", "127.0.0.1:", true},
        {AF_INET, SOCK_STREAM, "127.0.0.2", "127.0.0.1:", false},
        {AF_INET, SOCK_STREAM, "127.0.0.1", "127.0.0.1:1", false}, /* a port that ends like it */
        {AF_INET, SOCK_DGRAM, "127.0.0.1", "127.0.0.1:", false},
        {AF_INET6, SOCK_STREAM, "::1", "[::1]:", true},
        {AF_INET6, SOCK_STREAM, "::", "[::1]:", true},
        {AF_INET6, SOCK_STREAM, "::", "127.0.0.1:", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char address[100];
        int fd;
        unsigned port = listen_at(rows[i].family, rows[i].type, rows[i].at, &fd);

        assert_true(port || rows[i].family == AF_INET6);
        snprintf(address, sizeof address, "%s%u", rows[i].asked, port);
        if (port)
            assert_it_is_us(address, rows[i].found);
        close(fd);
        if (port)
            assert_it_is_us(address, false);
    }
}

static void test_socket_files(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char folder[] = "/tmp/test-listens-XXXXXX", url[200];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/a:1", folder);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_it_is_us(address.sun_path, true);
    snprintf(url, sizeof url, "unix://%s", address.sun_path);
    assert_it_is_us(url, true);
    snprintf(url, sizeof url, "unix:%s", address.sun_path);
    assert_it_is_us(url, true);
    assert_it_is_us(folder, false);
    close(fd);
    assert_it_is_us(address.sun_path, false);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* Of the same number, where we cannot connect to it. */
static void test_another_network(void **state)
{
    char address[100], byte;
    int told[2], life[2], fd;
    unsigned port = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(told, O_CLOEXEC) | pipe2(life, O_CLOEXEC), 0);
    pid = must_fork();
    if (pid == 0) {
        close(life[1]);
        if (unshare(CLONE_NEWNET) == 0)
            port = listen_at(AF_INET, SOCK_STREAM, "0.0.0.0", &fd);
        _exit(write(told[1], &port, sizeof port) < 0 || read(life[0], &byte, 1) != 0);
    }
    assert_int_equal(read(told[0], &port, sizeof port), sizeof port);
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    if (port)
        assert_it_is_us(address, false);
    close(life[1]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(life[0]);
    close(told[0]);
    close(told[1]);
    if (!port)
        skip();
}

static void test_no_budget(void **state)
{
    int fd;
    unsigned port = listen_at(AF_INET, SOCK_STREAM, "127.0.0.1", &fd);
    char address[100];
    struct buf words = {0};

    (void)state;
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    assert_false(leaks_who_listens(str_of(address), 0, &words));
    assert_int_equal(words.len, 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_socket_files),
        cmocka_unit_test(test_another_network),
        cmocka_unit_test(test_no_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
