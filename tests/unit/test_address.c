/* Addresses: nobody gets one twice, and whoever it is for can bind. */
#include "runner/base/address.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "tests/unit/forks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* As a server does that sets no option at all. */
static int serve(uint16_t port)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 1) < 0)
        fd_close(&fd);
    return fd;
}

static void kernel_range(unsigned *low, unsigned *high)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%u %u", low, high), 2);
    fclose(file);
}

static void test_who_it_is_for_can_bind(void **state)
{
    struct address address;
    struct endpoint endpoint;
    struct buf url = {0};
    unsigned low, high;
    int server;

    (void)state;
    kernel_range(&low, &high);
    assert_int_equal(address_reserve_tcp(&address), 0);
    assert_true(address.port < low || address.port > high);
    assert_false(address_is_taken(&address));
    address_url(&address, &url);
    assert_true(endpoint_parse(buf_str(&url), &endpoint));
    assert_int_equal(endpoint_try(&endpoint), ECONNREFUSED);

    server = serve(address.port);
    assert_true(server >= 0);
    assert_int_equal(endpoint_try(&endpoint), 0);
    assert_true(address_is_taken(&address));
    close(server);
    address_release(&address);
    address_release(&address);
    buf_release(&url);
}

/* What lingers from a connection stops a server without SO_REUSEADDR: such a port is not handed out. */
static void test_a_port_that_lingers_is_taken(void **state)
{
    struct address address;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server, client, accepted;

    (void)state;
    assert_int_equal(address_reserve_tcp(&address), 0);
    server = serve(address.port);
    assert_true(server >= 0);
    client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    at.sin_port = htons(address.port);
    assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    accepted = accept(server, NULL, NULL);
    assert_true(accepted >= 0);
    close(accepted); /* who closes first is the one that lingers */
    assert_int_equal(read(client, &(char){0}, 1), 0);
    close(client);
    close(server);
    assert_true(address_is_taken(&address));
    address_release(&address);
}

#define PROCESSES 4
#define EACH      100

struct page {
    uint16_t ports[PROCESSES][EACH];
};

static void reserve_many(uint16_t *ports, int in, int out)
{
    char byte;

    for (int i = 0; i < EACH; i++) {
        struct address address;

        if (address_reserve_tcp(&address) < 0)
            _exit(2);
        ports[i] = address.port;
    }
    /* All are held until everybody has his. */
    _exit(write(out, "", 1) == 1 && read(in, &byte, 1) == 0 ? 0 : 3);
}

static int by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void test_no_two_processes_have_the_same(void **state)
{
    struct page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint16_t *all = page->ports[0];
    pid_t pids[PROCESSES];
    int hold[2], ready[2], status;
    char byte;

    (void)state;
    assert_true(page != MAP_FAILED);
    assert_int_equal(pipe2(hold, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = must_fork();
        if (pids[i] == 0) {
            close(hold[1]);
            reserve_many(page->ports[i], hold[0], ready[1]);
        }
    }
    close(ready[1]);
    for (int i = 0; i < PROCESSES; i++)
        assert_int_equal(read(ready[0], &byte, 1), 1);
    close(hold[1]);
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    close(hold[0]);
    close(ready[0]);
    qsort(all, PROCESSES * EACH, sizeof *all, by_number);
    for (int i = 1; i < PROCESSES * EACH; i++)
        assert_true(all[i] != all[i - 1]);
    munmap(page, sizeof *page);
}

static void test_socket_files(void **state)
{
    char folder[] = "/tmp/address-XXXXXX", path[64], long_path[200];
    struct address address;
    struct endpoint endpoint;
    struct buf url = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(address_reserve_uds(&address, folder), 0);
    snprintf(path, sizeof path, "%s/s", folder);
    assert_string_equal(address.path, path);
    address_url(&address, &url);
    assert_true(endpoint_parse(buf_str(&url), &endpoint));
    assert_int_equal(endpoint_try(&endpoint), ENOENT);
    assert_int_equal(address_listen(&address), 0);
    assert_int_equal(endpoint_try(&endpoint), 0);
    assert_true(address_is_taken(&address));
    address_release(&address);
    assert_int_equal(endpoint_try(&endpoint), ECONNREFUSED);
    unlink(path);
    rmdir(folder);
    buf_release(&url);

    memset(long_path, 'a', sizeof long_path);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(address_reserve_uds(&address, long_path), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void test_listener(void **state)
{
    struct address address;
    struct buf url = {0};
    struct endpoint endpoint;

    (void)state;
    assert_int_equal(address_reserve_tcp(&address), 0);
    assert_int_equal(address_listen(&address), 0);
    address_url(&address, &url);
    assert_true(endpoint_parse(buf_str(&url), &endpoint));
    assert_int_equal(endpoint_try(&endpoint), 0);
    address_release(&address);
    buf_release(&url);
}

static void test_endpoints(void **state)
{
    static const struct {
        const char *text;
        int family; /* 0: it is none */
    } rows[] = {
        {"tcp://127.0.0.1:80", AF_INET},
        {"127.0.0.1:80", AF_INET},
        {"localhost:65535", AF_INET},
        {"tcp://[::1]:80", AF_INET6},
        {"[::1]:80", AF_INET6},
        {"::1:80", AF_INET6},
        {"unix:///tmp/s", AF_UNIX},
        {"unix:/tmp/s", AF_UNIX},
        {"/tmp/s", AF_UNIX},
        {"", 0},
        {"unix:", 0},
        {"unix:tmp/s", 0},
        {"unix://", 0},
        {"unix://tmp/s", 0},
        {"unix:127.0.0.1:80", 0},
        {"tmp/s", 0},
        {"80", 0},
        {":80", 0},
        {"[]:80", 0},
        {"127.0.0.1:", 0},
        {"127.0.0.1:0", 0},
        {"127.0.0.1:65536", 0},
        {"127.0.0.1:8o", 0},
        {"127.0.0.1:-1", 0},
        {"example.org:80", 0},
        {"http://127.0.0.1:80", 0},
    };
    struct endpoint endpoint;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool is = endpoint_parse(str_of(rows[i].text), &endpoint);

        if (is != (rows[i].family != 0) || (is && endpoint_family(&endpoint) != rows[i].family))
            fail_msg("'%s': %d", rows[i].text, is ? endpoint_family(&endpoint) : 0);
    }
    assert_false(endpoint_parse((struct str){"/tmp\0s", 6}, &endpoint));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_it_is_for_can_bind),
        cmocka_unit_test(test_a_port_that_lingers_is_taken),
        cmocka_unit_test(test_no_two_processes_have_the_same),
        cmocka_unit_test(test_socket_files),
        cmocka_unit_test(test_listener),
        cmocka_unit_test(test_endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
