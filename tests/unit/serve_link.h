/* A server that is this program again, and what asks it. */
#ifndef RM_TESTS_UNIT_SERVE_LINK_H
#define RM_TESTS_UNIT_SERVE_LINK_H

#include "tests/unit/spawn_bench.h"

#include "backends/child.h"
#include "runner/base/proc.h"

#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define WITHIN 10000 /* ms, for what comes at once */

struct link {
    struct bench bench;
    struct board *board;
    struct spawn *server_spawn;
    struct process server;
    int socket;
    char variable[32]; /* one more of the server; empty: none */
    bool narrow;       /* it can say little before it is heard */
};

static char self[PATH_MAX]; /* of this program */

static inline void wait_readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&poll_fd, 1, WITHIN), 1);
}

static inline enum server_news hear(struct link *link, struct server_told *told)
{
    wait_readable(link->socket);
    return server_hear(link->socket, link->server.pid, told);
}

static inline void start_server(struct link *link, enum serving serving)
{
    char *argv[] = {self, word(server_word(serving)), NULL},
         *envp[] = {word("A=server"), word("RUN_MATRIX_CASE_ID=server"),
                    word(SERVE_ROOM "for what tells whose process it is"),
                    *link->variable ? link->variable : NULL, NULL};
    struct spawn_spec spec = spec_of(&link->bench, argv);
    struct server_told told;
    int ends[2];

    assert_int_equal(server_socket(ends), 0);
    if (link->narrow)
        assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0);
    spec.envp = envp;
    spec.pass[0] = ends[1];
    spec.pass[1] = board_fd(link->board);
    spec.pass_count = 2;
    assert_true(backends[BACKEND_EXEC]->start(link->server_spawn, &spec, &link->server, &link->bench.error));
    fd_close(&ends[1]);
    link->socket = ends[0];
    assert_int_equal(hear(link, &told), SERVER_HELLO);
}

static inline int open_link(void **state)
{
    struct link *link = mem_zero(1, sizeof *link);
    void *bench;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (bench_open(&bench) < 0)
        return -1;
    link->bench = *(struct bench *)bench;
    free(bench);
    link->board = board_new(4);
    link->server_spawn = spawn_new();
    link->socket = -1;
    spawn_post(link->bench.spawn, link->board, 1);
    *state = link;
    return link->board ? 0 : -1;
}

static inline void end_server(struct link *link, int status)
{
    fd_close(&link->socket);
    assert_true(exits_with(&link->server, status));
}

static inline int close_link(void **state)
{
    struct link *link = *state;

    spawn_free(link->bench.spawn);
    spawn_free(link->server_spawn);
    board_free(link->board);
    fd_close(&link->bench.null);
    fd_close(&link->bench.out);
    free(link);
    return 0;
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, open_link, close_link)

static const enum serving servings[] = {SERVING_ALONE, SERVING_THREADED};

/* False: it was refused, and the bench has the error. */
static inline bool ask(struct link *link, const struct spawn_spec *spec)
{
    struct bench *bench = &link->bench;
    struct server_told told;

    spawn_expect(bench->spawn);
    assert_true(server_ask(link->socket, 1, spec, &bench->error));
    switch (hear(link, &told)) {
    case SERVER_STARTED: break;
    case SERVER_REFUSED: bench->error = told.error; return false;
    default: fail_msg("%s", "neither yes nor no");
    }
    assert_int_equal(told.place, 1);
    assert_int_equal(told.ipc, -1);
    bench->process = (struct process){spawn_pid(bench->spawn), pidfd_of(spawn_pid(bench->spawn))};
    assert_true(bench->process.pidfd >= 0);
    return true;
}

static inline struct spawn_spec test_of(const struct link *link, const char *name)
{
    static char a[] = "A=case";
    static char *envp[] = {a, NULL};
    struct spawn_spec spec = spec_of(&link->bench, ARGV(word("x")));

    spec.stdio[2] = link->bench.null; /* sanitizers have something to say of threads that are no more */
    spec.argv = envp + 1;
    spec.envp = envp;
    spec.test = name;
    spec.title = "the title";
    return spec;
}

static inline void expect_output(struct link *link, const char *expected)
{
    struct buf out = {0};

    take_output(link->bench.out, &out);
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
}

#endif
