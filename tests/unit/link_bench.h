/* A folder for socket files, how many descriptors there are, and two ends of a connection. After <cmocka.h>. */
#ifndef RM_TESTS_UNIT_LINK_BENCH_H
#define RM_TESTS_UNIT_LINK_BENCH_H

#include "backends/links/links.h"
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WITHIN (60 * NS_PER_S) /* for what comes at once: catches what hangs */

static inline size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

struct link_bench {
    enum transport transport;
    char folder[32];
    size_t descriptors; /* that were open before */
    struct listener listener;
    struct buf url;
    struct link here, there;
};

static inline void wait_for(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};

    assert_int_equal(poll(&poll_fd, 1, (int)(WITHIN / NS_PER_MS)), 1);
}

/* The other end of one that was dialled, whatever else came before it. */
static inline int accept_one(const struct listener *listener)
{
    int fd;

    wait_for(listener->fd, POLLIN);
    fd = listener_accept(listener);
    assert_true(fd >= 0);
    return fd;
}

static inline void bench_connect(struct link_bench *bench, size_t most)
{
    int fd = link_dial(buf_str(&bench->url), clock_now() + WITHIN);

    assert_true(fd >= 0);
    link_open(&bench->here, fd, most);
    link_open(&bench->there, accept_one(&bench->listener), most);
}

static inline struct link_bench *bench_make(enum transport transport)
{
    struct link_bench *bench = mem_zero(1, sizeof *bench);

    bench->transport = transport;
    bench->listener = (struct listener)LISTENER_NONE;
    bench->here = bench->there = (struct link)LINK_NONE;
    strcpy(bench->folder, "/tmp/links-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    bench->descriptors = open_descriptors();
    return bench;
}

/* With a listener, as `state` says by which transport. */
static inline int bench_open(void **state)
{
    struct link_bench *bench = bench_make(*(const enum transport *)*state);

    assert_int_equal(listener_open(&bench->listener, bench->transport, bench->folder), 0);
    listener_url(&bench->listener, &bench->url);
    *state = bench;
    return 0;
}

static inline int bench_bare(void **state)
{
    *state = bench_make(*(const enum transport *)*state);
    return 0;
}

/* Nothing is left: no descriptor, and no file but what a test has put there itself. */
static inline int bench_close(void **state)
{
    struct link_bench *bench = *state;

    link_close(&bench->here);
    link_close(&bench->there);
    listener_close(&bench->listener);
    buf_release(&bench->url);
    assert_int_equal(open_descriptors(), bench->descriptors);
    assert_int_equal(rmdir(bench->folder), 0);
    free(bench);
    return 0;
}

/* ---- socket files ---- */

/* "unix://<folder>/name" */
static inline struct str url_of(struct link_bench *bench, const char *name)
{
    buf_clear(&bench->url);
    buf_addf(&bench->url, "unix://%s/%s", bench->folder, name);
    return buf_str(&bench->url);
}

static inline struct str own_url(struct link_bench *bench)
{
    return url_of(bench, "s");
}

static inline const char *own_path(struct link_bench *bench)
{
    return own_url(bench).ptr + strlen("unix://");
}

static inline bool is_socket(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

static inline int bind_raw(const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(at.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* As of somebody who was killed. */
static inline void leave_stale(const char *path)
{
    int fd = bind_raw(path);

    assert_int_equal(listen(fd, 1), 0);
    close(fd);
    assert_true(is_socket(path));
}

/* ---- talking ---- */

#define MOST 1000

static inline enum link_news hear(struct link *link, struct frame *frame)
{
    enum link_news news;

    while ((news = link_hear(link, frame)) == LINK_SILENT)
        wait_for(link->fd, POLLIN);
    return news;
}

static inline void expect_over(struct link *link, enum link_news expected)
{
    struct frame frame;

    assert_int_equal(hear(link, &frame), expected);
    /* It is closed at once, and nobody waits for it any more. */
    assert_int_equal(link->fd, -1);
    assert_int_equal(link_events(link), 0);
    assert_int_equal(link_hear(link, &frame), LINK_ENDED);
    assert_int_equal(link_hear(link, &frame), LINK_ENDED);
    assert_false(link_say(link, 1, 1, "x", 1));
    assert_int_equal(errno, EPIPE);
    assert_false(link_flush(link));
    assert_int_equal(errno, EPIPE);
}

static inline void expect_frame(struct link *link, unsigned kind, uint32_t number, struct str body)
{
    struct frame frame;

    assert_int_equal(hear(link, &frame), LINK_FRAME);
    assert_int_equal(frame.kind, kind);
    assert_int_equal(frame.number, number);
    assert_true(str_eq(frame.body, body));
}

static inline void expect_silence(struct link *link)
{
    struct frame frame;

    assert_int_equal(link_hear(link, &frame), LINK_SILENT);
}

static inline void send_raw(struct link *link, const void *bytes, size_t len)
{
    assert_int_equal(send(link->fd, bytes, len, MSG_NOSIGNAL), len);
}

/* ---- by which transports ---- */

static enum transport transports[] = {[TRANSPORT_TCP] = TRANSPORT_TCP, [TRANSPORT_UDS] = TRANSPORT_UDS};

#define WITH_LISTENER(test, by) \
    cmocka_unit_test_prestate_setup_teardown(test, bench_open, bench_close, &transports[by])
#define BARE(test, by) \
    cmocka_unit_test_prestate_setup_teardown(test, bench_bare, bench_close, &transports[by])
#define BY_BOTH(test)      WITH_LISTENER(test, TRANSPORT_TCP), WITH_LISTENER(test, TRANSPORT_UDS)
#define BARE_BY_BOTH(test) BARE(test, TRANSPORT_TCP), BARE(test, TRANSPORT_UDS)

#endif
