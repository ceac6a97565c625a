/* Listeners and who dials them: whose address it is, whose file, and who is let in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/forks.h"
#include "tests/unit/link_bench.h"

#include <sys/stat.h>

static void expect_talk(struct link_bench *bench)
{
    bench_connect(bench, MOST);
    assert_true(link_say(&bench->here, 1, 1, "hello", 5));
    expect_frame(&bench->there, 1, 1, str_of("hello"));
    link_close(&bench->here);
    expect_over(&bench->there, LINK_ENDED);
}

static void expect_refused(struct str url, int error)
{
    struct listener listener;

    assert_int_equal(listener_open_at(&listener, url), -1);
    assert_int_equal(errno, error);
    assert_int_equal(listener.fd, -1);
    listener_close(&listener);
}

/* ---- an address of its own ---- */

static void test_whoever_dials_is_there(void **state)
{
    struct link_bench *bench = *state;

    assert_int_equal(listener_accept(&bench->listener), -1);
    assert_int_equal(errno, EAGAIN);
    expect_talk(bench);
    expect_talk(bench);
    assert_int_equal(listener_accept(&bench->listener), -1);
    assert_int_equal(errno, EAGAIN);
}

static void test_many_wait_at_a_time(void **state)
{
    struct link_bench *bench = *state;
    int dialled[200], accepted;

    for (int i = 0; i < 200; i++) {
        dialled[i] = link_dial(buf_str(&bench->url), clock_now() + WITHIN);
        assert_true(dialled[i] >= 0);
    }
    for (int i = 0; i < 200; i++) {
        accepted = accept_one(&bench->listener);
        close(accepted);
        close(dialled[i]);
    }
}

static void test_no_two_are_the_same(void **state)
{
    struct link_bench *bench = *state;
    struct listener others[20];
    struct buf url = {0};

    for (int i = 0; i < 20; i++)
        assert_int_equal(listener_open(&others[i], bench->transport, bench->folder), 0);
    for (int i = 0; i < 20; i++) {
        buf_clear(&url);
        listener_url(&others[i], &url);
        assert_false(str_eq(buf_str(&url), buf_str(&bench->url)));
        listener_close(&others[i]);
        listener_close(&others[i]);
    }
    buf_release(&url);
}

static void test_the_folder_is_private(void **state)
{
    struct link_bench *bench = *state;
    mode_t before = umask(0777); /* whatever it is */
    char *slash = strrchr(bench->listener.path, '/');
    struct listener other;
    struct stat st;

    assert_int_equal(listener_open(&other, TRANSPORT_UDS, bench->folder), 0);
    umask(before);
    listener_close(&other);
    assert_int_equal(lstat(bench->listener.path, &st), 0);
    assert_int_equal(st.st_mode, S_IFSOCK | S_IRUSR | S_IWUSR);
    *slash = '\0';
    assert_int_equal(lstat(bench->listener.path, &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | S_IRWXU);
    *slash = '/';
}

static void test_a_folder_that_is_none(void **state)
{
    struct link_bench *bench = *state;

    assert_int_equal(listener_open(&bench->listener, TRANSPORT_UDS, "/nonexistent"), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(bench->listener.fd, -1);
}

/* The longest path that a socket can have is one, and a longer one is none. */
static void test_paths_too_long(void **state)
{
    struct link_bench *bench = *state;
    size_t most = SOCKET_PATH_SIZE - 1, own = strlen("/mx-XXXXXX/s");
    char folder[SOCKET_PATH_SIZE + 1], text[SOCKET_PATH_SIZE + 32];

    memset(folder, 'x', sizeof folder);
    memcpy(folder, bench->folder, strlen(bench->folder));
    folder[strlen(bench->folder)] = '/';
    folder[most - own + 1] = '\0';
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(listener_open(&bench->listener, TRANSPORT_UDS, folder), -1);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(rmdir(folder), 0);

    folder[most - own] = '\0';
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(listener_open(&bench->listener, TRANSPORT_UDS, folder), 0);
    assert_int_equal(strlen(bench->listener.path), most);
    listener_url(&bench->listener, &bench->url);
    expect_talk(bench);
    listener_close(&bench->listener);
    assert_int_equal(rmdir(folder), 0);

    snprintf(text, sizeof text, "unix://%s/%0*d", bench->folder, (int)(most - strlen(bench->folder) - 1), 0);
    assert_int_equal(listener_open_at(&bench->listener, str_of(text)), 0);
    listener_close(&bench->listener);
    snprintf(text, sizeof text, "unix://%s/%0*d", bench->folder, (int)(most - strlen(bench->folder)), 0);
    expect_refused(str_of(text), ENAMETOOLONG);
    assert_int_equal(link_dial(str_of(text), clock_now() + WITHIN), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

/* ---- at an address ---- */

static void test_what_is_no_address(void **state)
{
    static const char *const none[] = {"",
                                       "tcp://",
                                       "tcp://127.0.0.1",
                                       "tcp://127.0.0.1:0",
                                       "tcp://127.0.0.1:65536",
                                       "tcp://0.0.0.0:4711",
                                       "tcp://192.0.2.1:4711",
                                       "tcp://[::1]:4711",
                                       "tcp://example.com:80",
                                       "unix://",
                                       "unix://s",
                                       "http://127.0.0.1:80"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        expect_refused(str_of(none[i]), EINVAL);
        assert_int_equal(link_dial(str_of(none[i]), clock_now() + WITHIN), -1);
        assert_int_equal(errno, EINVAL);
    }
}

static void test_a_port_that_is_taken(void **state)
{
    struct link_bench *bench = *state;

    expect_refused(buf_str(&bench->url), EADDRINUSE);
    expect_talk(bench);
    /* And that is free again, though a connection of the past lingers there. */
    bench_connect(bench, MOST);
    link_close(&bench->there);
    expect_over(&bench->here, LINK_ENDED);
    listener_close(&bench->listener);
    assert_int_equal(listener_open_at(&bench->listener, buf_str(&bench->url)), 0);
    expect_talk(bench);
}

static void test_a_path(void **state)
{
    struct link_bench *bench = *state;
    struct str url = own_url(bench);
    struct buf said = {0};

    assert_int_equal(listener_open_at(&bench->listener, url), 0);
    listener_url(&bench->listener, &said);
    assert_true(str_eq(buf_str(&said), url));
    expect_talk(bench);
    listener_close(&bench->listener);
    assert_false(is_socket(own_path(bench)));
    expect_refused(url_of(bench, "none/s"), ENOENT);
    buf_release(&said);
}

static void test_a_stale_file_is_replaced(void **state)
{
    struct link_bench *bench = *state;

    leave_stale(own_path(bench));
    assert_int_equal(listener_open_at(&bench->listener, own_url(bench)), 0);
    expect_talk(bench);
}

static void test_a_live_one_stays(void **state)
{
    struct link_bench *bench = *state;
    int fd;

    assert_int_equal(listener_open_at(&bench->listener, own_url(bench)), 0);
    expect_refused(own_url(bench), EADDRINUSE);
    /* It was asked whether it is there. */
    link_open(&bench->there, accept_one(&bench->listener), MOST);
    expect_over(&bench->there, LINK_ENDED);
    expect_talk(bench);
    listener_close(&bench->listener);

    /* As busy as can be. */
    fd = bind_raw(own_path(bench));
    assert_int_equal(listen(fd, 0), 0);
    link_open(&bench->here, link_dial(own_url(bench), clock_now() + WITHIN), MOST);
    expect_refused(own_url(bench), EADDRINUSE);
    assert_true(is_socket(own_path(bench)));
    close(fd);
    assert_int_equal(unlink(own_path(bench)), 0);
}

static void test_what_is_no_socket_stays(void **state)
{
    struct link_bench *bench = *state;
    const char *path = own_path(bench);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int datagrams;

    assert_int_equal(file_write(path, str_of("precious")), 0);
    expect_refused(own_url(bench), EADDRINUSE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("nowhere", path), 0);
    expect_refused(own_url(bench), EADDRINUSE);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_refused(own_url(bench), EADDRINUSE);
    assert_int_equal(rmdir(path), 0);

    /* Of another kind, and alive. */
    datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    strcpy(at.sun_path, path);
    assert_int_equal(bind(datagrams, (struct sockaddr *)&at, sizeof at), 0);
    expect_refused(own_url(bench), EADDRINUSE);
    assert_int_equal(unlink(path), 0);
    close(datagrams);
}

/* ---- whose file it is ---- */

static void test_a_file_in_its_place_stays(void **state)
{
    struct link_bench *bench = *state;
    struct listener other;
    char path[SOCKET_PATH_SIZE];

    strcpy(path, bench->listener.path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_write(path, str_of("precious")), 0);
    listener_close(&bench->listener);
    assert_int_equal(unlink(path), 0); /* it was there, and so was its folder */

    buf_clear(&bench->url);
    buf_addf(&bench->url, "unix://%s", path);
    assert_int_equal(listener_open_at(&other, buf_str(&bench->url)), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(listener_open_at(&bench->listener, buf_str(&bench->url)), 0);
    listener_close(&other);
    expect_talk(bench);
    listener_close(&bench->listener);
    assert_int_equal(access(path, F_OK), -1);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
}

static void test_a_child_leaves_it(void **state)
{
    struct link_bench *bench = *state;
    int status;
    pid_t pid = must_fork();

    if (pid == 0) {
        listener_forget(&bench->listener);
        listener_close(&bench->listener);
        _exit(bench->listener.fd != -1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    expect_talk(bench);
}

#define CONTENDERS 6

/* All at once, at a stale file or at none: exactly one has it, and can be reached there. */
static void contend(struct link_bench *bench)
{
    int start[2], won[2], hold[2], winners = 0;
    pid_t pids[CONTENDERS];
    char byte;

    assert_true(pipe2(start, O_CLOEXEC) == 0 && pipe2(won, O_CLOEXEC) == 0 && pipe2(hold, O_CLOEXEC) == 0);
    for (int i = 0; i < CONTENDERS; i++) {
        pids[i] = must_fork();
        if (pids[i])
            continue;
        limit_life(60);
        close(start[1]);
        close(hold[1]);
        if (read(start[0], &byte, 1) != 0)
            _exit(2);
        byte = listener_open_at(&bench->listener, own_url(bench)) == 0 ? 'w'
               : errno == EADDRINUSE                                   ? 'l'
                                                                       : '?';
        /* The winner is there until all have tried. */
        _exit(write(won[1], &byte, 1) != 1 || read(hold[0], &byte, 1) != 0);
    }
    fd_close(&start[1]);
    for (int i = 0; i < CONTENDERS; i++) {
        assert_int_equal(read(won[0], &byte, 1), 1);
        assert_true(byte == 'w' || byte == 'l');
        winners += byte == 'w';
    }
    assert_int_equal(winners, 1);
    link_open(&bench->here, link_dial(own_url(bench), clock_now()), MOST);
    assert_true(bench->here.fd >= 0);
    link_close(&bench->here);
    fd_close(&hold[1]);
    for (int i = 0; i < CONTENDERS; i++)
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    fd_close(&start[0]);
    fd_close(&won[0]);
    fd_close(&won[1]);
    fd_close(&hold[0]);
}

static void test_only_one_replaces_it(void **state)
{
    struct link_bench *bench = *state;

    for (int i = 0; i < 100; i++)
        contend(bench); /* whose winner leaves a stale one to the next */
    assert_int_equal(unlink(own_path(bench)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BY_BOTH(test_whoever_dials_is_there),
        BY_BOTH(test_many_wait_at_a_time),
        BY_BOTH(test_no_two_are_the_same),
        WITH_LISTENER(test_the_folder_is_private, TRANSPORT_UDS),
        BARE(test_a_folder_that_is_none, TRANSPORT_UDS),
        BARE(test_paths_too_long, TRANSPORT_UDS),
        BARE(test_what_is_no_address, TRANSPORT_TCP),
        WITH_LISTENER(test_a_port_that_is_taken, TRANSPORT_TCP),
        BARE(test_a_path, TRANSPORT_UDS),
        BARE(test_a_stale_file_is_replaced, TRANSPORT_UDS),
        BARE(test_a_live_one_stays, TRANSPORT_UDS),
        BARE(test_what_is_no_socket_stays, TRANSPORT_UDS),
        WITH_LISTENER(test_a_file_in_its_place_stays, TRANSPORT_UDS),
        BY_BOTH(test_a_child_leaves_it),
        BARE(test_only_one_replaces_it, TRANSPORT_UDS),
    };

    return cmocka_run_group_tests_name("links", tests, NULL, NULL);
}
