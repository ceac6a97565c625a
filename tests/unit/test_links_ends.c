/* How a link ends: by nonsense, in peace, in the middle of a word; each is told from the others, and nothing stays open. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/forks.h"
#include "tests/unit/link_bench.h"

/* Hangs up in a way that the other end hears of as a reset, by any transport. */
static void reset(struct link *link)
{
    const struct linger now = {.l_onoff = 1};

    setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    link_close(link);
}

/* ---- nonsense ---- */

static void test_nonsense(void **state)
{
    static const struct {
        struct str text;
        uint32_t version;
    } rows[] = {
        {STR("GET / HTTP/1.1\r\n\r\n"), 0},
        {STR("MX\2\1\0\0\0\0\0\0\0\0"), 2},
        {STR("MX\1\0\0\0\0\0\0\0\0\0"), 0},
        {STR("MX\1\1\0\0\0\0\xE9\3\0\0"), 0}, /* 1001: one more than may be */
        {STR("MX\1\1\0\0\0\0\377\377\377\377"), 0},
    };
    struct link_bench *bench = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct frame frame;

        bench_connect(bench, MOST);
        assert_true(link_say(&bench->here, 1, 1, "good", 4));
        send_raw(&bench->here, rows[i].text.ptr, rows[i].text.len);
        expect_frame(&bench->there, 1, 1, str_of("good"));
        assert_int_equal(hear(&bench->there, &frame), LINK_NONSENSE);
        assert_int_equal(errno, EPROTO);
        assert_int_equal(frame.number, rows[i].version);
        expect_over(&bench->there, LINK_ENDED);
        link_close(&bench->here);
    }
}

/* A head that says much costs nothing until that much has come. */
static void test_a_head_alone_costs_little(void **state)
{
    struct link_bench *bench = *state;
    struct buf out = {0};
    struct frame frame;

    bench_connect(bench, FRAME_BODY_MOST);
    frame_add(&out, 1, 1, NULL, 0);
    out.ptr[10] = FRAME_BODY_MOST >> 16;
    send_raw(&bench->here, out.ptr, out.len);
    wait_for(bench->there.fd, POLLIN);
    expect_silence(&bench->there);
    assert_true(bench->there.in.cap < FRAME_BODY_MOST / 8);
    link_close(&bench->here);
    assert_int_equal(hear(&bench->there, &frame), LINK_LOST);
    buf_release(&out);
}

/* Somebody from whom little is wanted has little kept of what he says. */
static void test_who_may_say_little(void **state)
{
    struct link_bench *bench = *state;
    char many[341 * FRAME_HEAD];

    bench_connect(bench, 16);
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = "MX\1\1\0\0\0\0\0\0\0\0"[i % FRAME_HEAD];
    send_raw(&bench->here, many, sizeof many);
    for (size_t i = 0; i < sizeof many / FRAME_HEAD; i++)
        expect_frame(&bench->there, 1, 0, str_of(""));
    expect_silence(&bench->there);
    assert_true(bench->there.in.cap < 100);
}

static void test_it_may_say_more_later(void **state)
{
    struct link_bench *bench = *state;
    char body[MOST] = {0};

    bench_connect(bench, 4);
    assert_true(link_say(&bench->here, 1, 1, body, 4));
    assert_true(link_say(&bench->here, 2, 2, body, sizeof body));
    expect_frame(&bench->there, 1, 1, (struct str){body, 4});
    bench->there.most = MOST;
    expect_frame(&bench->there, 2, 2, (struct str){body, sizeof body});
}

/* ---- ends ---- */

static void test_an_end_is_heard_once(void **state)
{
    struct link_bench *bench = *state;

    bench_connect(bench, MOST);
    assert_true(link_say(&bench->here, 1, 1, "last", 4));
    link_close(&bench->here);
    expect_frame(&bench->there, 1, 1, str_of("last"));
    expect_over(&bench->there, LINK_ENDED);
}

/* It will say no more, and still listens. */
static void test_half_an_end(void **state)
{
    struct link_bench *bench = *state;

    bench_connect(bench, MOST);
    assert_true(link_say(&bench->there, 1, 1, "before", 6));
    assert_int_equal(shutdown(bench->here.fd, SHUT_WR), 0);
    expect_over(&bench->there, LINK_ENDED);
    expect_frame(&bench->here, 1, 1, str_of("before"));
    expect_over(&bench->here, LINK_ENDED);
}

static void test_an_end_in_the_middle(void **state)
{
    struct link_bench *bench = *state;
    struct buf out = {0};

    frame_add(&out, 1, 1, "half", 4);
    for (size_t len = 1; len < out.len; len++) {
        struct frame frame;

        bench_connect(bench, MOST);
        send_raw(&bench->here, out.ptr, len);
        link_close(&bench->here);
        assert_int_equal(hear(&bench->there, &frame), LINK_LOST);
        assert_int_equal(errno, EPIPE);
        expect_over(&bench->there, LINK_ENDED);
    }
    buf_release(&out);
}

/* What was said before is heard all the same. */
static void test_a_reset(void **state)
{
    struct link_bench *bench = *state;
    struct frame frame;

    bench_connect(bench, MOST);
    assert_true(link_say(&bench->here, 1, 1, "last", 4));
    assert_true(link_say(&bench->there, 2, 2, "never read", 10));
    wait_for(bench->here.fd, POLLIN);
    reset(&bench->here);
    expect_frame(&bench->there, 1, 1, str_of("last"));
    assert_int_equal(hear(&bench->there, &frame), LINK_LOST);
    assert_int_equal(errno, ECONNRESET);
    expect_over(&bench->there, LINK_ENDED);
}

/* Who speaks learns of it first; what was said to him is there nevertheless, and so is how it ended. */
static void test_a_reset_while_speaking(void **state)
{
    struct link_bench *bench = *state;
    struct frame frame;
    int error = 0;

    bench_connect(bench, MOST);
    assert_true(link_say(&bench->here, 1, 1, "last", 4));
    assert_true(link_say(&bench->there, 2, 2, "never read", 10));
    wait_for(bench->here.fd, POLLIN);
    reset(&bench->here);
    assert_false(link_say(&bench->there, 3, 3, "x", 1));
    error = errno;
    assert_true(error == ECONNRESET || error == EPIPE);
    assert_int_equal(link_events(&bench->there), POLLIN);
    assert_false(link_say(&bench->there, 3, 3, "x", 1));
    assert_int_equal(errno, error);
    assert_false(link_flush(&bench->there));
    assert_int_equal(errno, error);
    expect_frame(&bench->there, 1, 1, str_of("last"));
    assert_int_equal(hear(&bench->there, &frame), LINK_LOST);
    assert_int_equal(errno, ECONNRESET);
    expect_over(&bench->there, LINK_ENDED);
}

/* Who has hung up in peace is spoken to in vain, and that is no loss. */
static void test_speaking_to_one_who_is_gone(void **state)
{
    struct link_bench *bench = *state;

    bench_connect(bench, MOST);
    assert_true(link_say(&bench->here, 1, 1, "bye", 3));
    link_close(&bench->here);
    for (nanos until = clock_now() + WITHIN; link_say(&bench->there, 2, 2, "x", 1);)
        assert_true(clock_now() < until);
    assert_int_equal(errno, EPIPE);
    expect_frame(&bench->there, 1, 1, str_of("bye"));
    expect_over(&bench->there, LINK_ENDED);
}

static void test_what_waits_is_gone_with_it(void **state)
{
    struct link_bench *bench = *state;
    char *body = mem_zero(1, FRAME_BODY_MOST);

    bench_connect(bench, FRAME_BODY_MOST);
    while (link_say(&bench->here, 1, 1, body, FRAME_BODY_MOST))
        ;
    assert_int_equal(errno, EAGAIN);
    reset(&bench->there);
    assert_false(link_flush(&bench->here));
    assert_int_equal(bench->here.out.cap, 0);
    expect_over(&bench->here, LINK_LOST);
    free(body);
}

static void test_closing_twice(void **state)
{
    struct link_bench *bench = *state;
    struct link none = LINK_NONE;

    bench_connect(bench, MOST);
    link_close(&bench->here);
    link_close(&bench->here);
    link_close(&none);
    expect_over(&none, LINK_ENDED);
}

/* A process that is killed hangs up, whatever it was about to say. */
static void test_a_peer_that_is_killed(void **state)
{
    struct link_bench *bench = *state;
    struct frame frame;
    enum link_news news;
    pid_t pid;

    pid = must_fork();
    if (pid == 0) {
        struct link link;
        char body[MOST] = {0};

        limit_life(60);
        link_open(&link, link_dial(buf_str(&bench->url), clock_now() + WITHIN), MOST);
        for (uint32_t i = 0;; i++)
            link_say(&link, 1, i, body, sizeof body);
    }
    link_open(&bench->there, accept_one(&bench->listener), MOST);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(hear(&bench->there, &frame), LINK_FRAME);
        assert_int_equal(frame.number, i);
    }
    end_child(pid);
    while ((news = hear(&bench->there, &frame)) == LINK_FRAME)
        ;
    assert_true(news == LINK_LOST || news == LINK_ENDED);
    expect_over(&bench->there, LINK_ENDED);
}

/* ---- what was said arrives ---- */

#define LONG_FRAMES 3

/* Reads little at a time, and has said something that nobody has read. */
static void connect_narrow(struct link_bench *bench)
{
    const int narrow = 4096;

    if (bench->transport == TRANSPORT_TCP)
        assert_int_equal(setsockopt(bench->listener.fd, SOL_SOCKET, SO_RCVBUF, &narrow, sizeof narrow), 0);
    bench_connect(bench, FRAME_BODY_MOST);
    assert_true(link_say(&bench->there, 1, 1, "never read", 10));
    wait_for(bench->here.fd, POLLIN);
}

/* Why there is a way to finish. */
static void test_closing_takes_back(void **state)
{
    struct link_bench *bench = *state;
    char *body = mem_zero(1, FRAME_BODY_MOST);
    struct frame frame;

    connect_narrow(bench);
    assert_true(link_say(&bench->here, 1, 1, body, FRAME_BODY_MOST));
    link_close(&bench->here);
    assert_int_equal(hear(&bench->there, &frame), LINK_LOST);
    free(body);
}

static void test_finishing_takes_nothing_back(void **state)
{
    struct link_bench *bench = *state;
    char *body = mem_zero(1, FRAME_BODY_MOST), byte;
    int said[2], status;
    pid_t pid;

    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    connect_narrow(bench);
    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        for (uint32_t i = 0; i < LONG_FRAMES; i++)
            if (!link_say(&bench->here, 1, i, body, FRAME_BODY_MOST))
                _exit(2);
        close(bench->there.fd);
        if (write(said[1], "", 1) != 1 || !link_finish(&bench->here, clock_now() + WITHIN))
            _exit(3);
        link_close(&bench->here);
        _exit(0);
    }
    fd_close(&bench->here.fd);
    assert_int_equal(read(said[0], &byte, 1), 1);
    for (uint32_t i = 0; i < LONG_FRAMES; i++) {
        struct frame frame;

        assert_int_equal(hear(&bench->there, &frame), LINK_FRAME);
        assert_int_equal(frame.number, i);
        assert_int_equal(frame.body.len, FRAME_BODY_MOST);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    fd_close(&said[0]);
    fd_close(&said[1]);
    free(body);
}

/* Where nobody reads it is over in time; where nobody is, at once. */
static void test_finishing_in_vain(void **state)
{
    struct link_bench *bench = *state;
    char *body = mem_zero(1, FRAME_BODY_MOST);
    nanos until;

    connect_narrow(bench);
    while (link_say(&bench->here, 1, 1, body, FRAME_BODY_MOST))
        ;
    until = clock_now() + 50 * NS_PER_MS;
    assert_false(link_finish(&bench->here, until));
    assert_int_equal(errno, EAGAIN);
    assert_true(clock_now() >= until);
    reset(&bench->there);
    until = clock_now() + WITHIN;
    assert_false(link_finish(&bench->here, until));
    assert_int_not_equal(errno, EAGAIN);
    assert_true(clock_now() < until);
    link_close(&bench->here);
    assert_false(link_finish(&bench->here, until));
    free(body);
}

/* It can be read when there is time for it. */
static void test_finishing_waits_for_no_reader(void **state)
{
    struct link_bench *bench = *state;

    bench_connect(bench, MOST);
    assert_true(link_say(&bench->there, 1, 1, "never read", 10));
    assert_true(link_say(&bench->here, 1, 1, "bye", 3));
    assert_true(link_finish(&bench->here, clock_now() + WITHIN));
    assert_false(link_say(&bench->here, 1, 2, "too late", 8));
    link_close(&bench->here);
    expect_frame(&bench->there, 1, 1, str_of("bye"));
    expect_over(&bench->there, LINK_ENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BY_BOTH(test_nonsense),
        BY_BOTH(test_a_head_alone_costs_little),
        BY_BOTH(test_who_may_say_little),
        BY_BOTH(test_it_may_say_more_later),
        BY_BOTH(test_an_end_is_heard_once),
        BY_BOTH(test_half_an_end),
        BY_BOTH(test_an_end_in_the_middle),
        BY_BOTH(test_a_reset),
        BY_BOTH(test_a_reset_while_speaking),
        BY_BOTH(test_speaking_to_one_who_is_gone),
        BY_BOTH(test_what_waits_is_gone_with_it),
        BY_BOTH(test_closing_twice),
        BY_BOTH(test_a_peer_that_is_killed),
        WITH_LISTENER(test_closing_takes_back, TRANSPORT_TCP),
        BY_BOTH(test_finishing_takes_nothing_back),
        BY_BOTH(test_finishing_in_vain),
        BY_BOTH(test_finishing_waits_for_no_reader),
    };

    return cmocka_run_group_tests_name("links_ends", tests, NULL, NULL);
}
