/* Who is no business of ours: other users, other machines, and a connection with oneself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/forks.h"
#include "tests/unit/link_bench.h"
#include "tests/unit/name_space.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#define SOMEBODY 65534

/* Of a process of another user; 0: it has been turned away without a word. */
static int connect_as_somebody(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;

    strcpy(at.sun_path, path);
    if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) < 0)
        return 2;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        return 3;
    return read(fd, &byte, 1) != 0;
}

static void open_to_all(struct link_bench *bench)
{
    char *slash = strrchr(bench->listener.path, '/');

    assert_int_equal(chmod(bench->folder, 0755), 0);
    assert_int_equal(chmod(bench->listener.path, 0777), 0);
    *slash = '\0';
    assert_int_equal(chmod(bench->listener.path, 0755), 0);
    *slash = '/';
}

/* Even where the file lets them. */
static void test_another_user(void **state)
{
    struct link_bench *bench = *state;
    int status;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    pid = must_fork();
    if (pid == 0)
        _exit(connect_as_somebody(bench->listener.path));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 3); /* the folder is ours */

    open_to_all(bench);
    pid = must_fork();
    if (pid == 0)
        _exit(connect_as_somebody(bench->listener.path));
    wait_for(bench->listener.fd, POLLIN);
    assert_int_equal(listener_accept(&bench->listener), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Who dials does not tell his secrets to another user either. */
static void test_where_another_user_listens(void **state)
{
    struct link_bench *bench = *state;
    int status;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    open_to_all(bench);
    pid = must_fork();
    if (pid == 0)
        _exit(setresuid(SOMEBODY, SOMEBODY, SOMEBODY) < 0 ||
              link_dial(buf_str(&bench->url), clock_now() + WITHIN) >= 0 || errno != EACCES);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(listener_accept(&bench->listener), -1);
    assert_int_equal(errno, EAGAIN);
}

/* A file that another user has left, in a folder of everybody, is not ours to replace. */
static int refuse_a_foreign_file(struct str url)
{
    struct listener listener;
    int error;

    if (setresuid(SOMEBODY, SOMEBODY, SOMEBODY) < 0)
        return 1;
    error = listener_open_at(&listener, url) < 0 ? errno : 0;
    return error == EACCES || error == EPERM ? 0 : 2;
}

static void test_a_file_of_another_user(void **state)
{
    struct link_bench *bench = *state;
    int status;
    pid_t pid;

    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(bench->folder, 01777), 0);
    leave_stale(own_path(bench));
    pid = must_fork();
    if (pid == 0)
        _exit(refuse_a_foreign_file(own_url(bench)));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(unlink(own_path(bench)), 0);
}

/* ---- in a network of our own ---- */

static int in_network(int (*body)(void))
{
    int status;
    pid_t pid = must_fork();

    if (pid == 0) {
        limit_life(60);
        _exit(!enter_namespace() || unshare(CLONE_NEWNET) < 0 ? NO_NAMESPACE : body());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_in_network(int (*body)(void))
{
    int result = in_network(body);

    if (result == NO_NAMESPACE)
        skip();
    assert_int_equal(result, 0);
}

static bool add_address(const char *name, const char *address)
{
    struct ifreq request = {0};
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done;

    inet_pton(AF_INET, address, &at.sin_addr);
    strcpy(request.ifr_name, name);
    memcpy(&request.ifr_addr, &at, sizeof at);
    done = ioctl(fd, SIOCSIFADDR, &request) == 0;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    done = done && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    fd_close(&fd);
    return done;
}

static int without_loopback(void)
{
    struct listener listener;

    if (listener_open(&listener, TRANSPORT_TCP, NULL) == 0 || errno != EADDRNOTAVAIL || listener.fd != -1)
        return 1;
    if (listener_open_at(&listener, str_of("tcp://127.0.0.1:4711")) == 0 || errno != EADDRNOTAVAIL)
        return 2;
    return 0;
}

static void test_no_loopback(void **state)
{
    (void)state;
    expect_in_network(without_loopback);
}

/* From an address that others of the network could have, too. */
static int connect_from_elsewhere(void)
{
    struct sockaddr_in from = {.sin_family = AF_INET},
                       to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct listener listener;
    char byte;

    if (!add_address("lo", "127.0.0.1") || !add_address("lo:1", "10.1.2.3"))
        return 1;
    if (listener_open(&listener, TRANSPORT_TCP, NULL) < 0)
        return 2;
    inet_pton(AF_INET, "10.1.2.3", &from.sin_addr);
    to.sin_port = htons(listener.port);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        return 3;
    if (listener_accept(&listener) >= 0 || errno != EAGAIN)
        return 4;
    return read(fd, &byte, 1) == 0 ? 0 : 5;
}

static void test_from_elsewhere(void **state)
{
    (void)state;
    expect_in_network(connect_from_elsewhere);
}

/* Where the kernel has but one port to choose, whoever dials it meets himself: that is nobody. */
static int dial_oneself(void)
{
    nanos until = clock_now() + 100 * NS_PER_MS;
    size_t before;

    if (!add_address("lo", "127.0.0.1") ||
        file_write("/proc/sys/net/ipv4/ip_local_port_range", str_of("40000 40001\n")) < 0)
        return 1;
    before = open_descriptors();
    if (link_dial(str_of("tcp://127.0.0.1:40000"), until) >= 0 || errno != ECONNREFUSED)
        return 2;
    if (link_dial(str_of("tcp://127.0.0.1:40001"), until) >= 0 || errno != ECONNREFUSED)
        return 3;
    return open_descriptors() == before ? 0 : 4;
}

static void test_oneself(void **state)
{
    (void)state;
    expect_in_network(dial_oneself);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LISTENER(test_another_user, TRANSPORT_UDS),
        WITH_LISTENER(test_where_another_user_listens, TRANSPORT_UDS),
        BARE(test_a_file_of_another_user, TRANSPORT_UDS),
        cmocka_unit_test(test_no_loopback),
        cmocka_unit_test(test_from_elsewhere),
        cmocka_unit_test(test_oneself),
    };

    return cmocka_run_group_tests_name("links_strangers", tests, NULL, NULL);
}
