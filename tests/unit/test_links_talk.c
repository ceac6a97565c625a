/* What is said on a link is heard at its other end: in pieces, in masses, and as much as the other end wants to hear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/link_bench.h"

#include <signal.h>
#include <sys/time.h>

static void test_both_ways(void **state)
{
    struct link_bench *bench = *state;

    bench_connect(bench, MOST);
    expect_silence(&bench->here);
    expect_silence(&bench->there);
    assert_int_equal(link_events(&bench->here), POLLIN);
    assert_true(link_say(&bench->here, 1, 10, "ping", 4));
    assert_int_equal(link_events(&bench->here), POLLIN);
    expect_frame(&bench->there, 1, 10, str_of("ping"));
    assert_true(link_say(&bench->there, 255, UINT32_MAX, NULL, 0));
    expect_frame(&bench->here, 255, UINT32_MAX, str_of(""));
    expect_silence(&bench->here);
    expect_silence(&bench->there);
}

static void test_descriptors_are_our_own(void **state)
{
    struct link_bench *bench = *state;

    bench_connect(bench, MOST);
    assert_true(fcntl(bench->here.fd, F_GETFD) & fcntl(bench->there.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(bench->here.fd, F_GETFL) & fcntl(bench->there.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(bench->listener.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(bench->listener.fd, F_GETFL) & O_NONBLOCK);
}

/* One that somebody else has made becomes so. */
static void test_opening_makes_it_so(void **state)
{
    struct link link;
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    link_open(&link, ends[0], MOST);
    assert_true(fcntl(link.fd, F_GETFD) & FD_CLOEXEC);
    expect_silence(&link);
    close(ends[1]);
    expect_over(&link, LINK_ENDED);
}

static void test_each_byte_by_itself(void **state)
{
    struct link_bench *bench = *state;
    struct buf out = {0};
    size_t first;

    bench_connect(bench, MOST);
    frame_add(&out, 1, 11, "first", 5);
    first = out.len;
    frame_add(&out, 2, 22, "", 0);
    for (size_t i = 0; i < out.len; i++) {
        send_raw(&bench->here, out.ptr + i, 1);
        if (i + 1 == first)
            expect_frame(&bench->there, 1, 11, str_of("first"));
        else if (i + 1 == out.len)
            expect_frame(&bench->there, 2, 22, str_of(""));
        else {
            wait_for(bench->there.fd, POLLIN);
            expect_silence(&bench->there);
        }
    }
    buf_release(&out);
}

static void test_cut_at_each_place(void **state)
{
    struct link_bench *bench = *state;
    struct buf out = {0};

    bench_connect(bench, MOST);
    frame_add(&out, 1, 11, "first", 5);
    frame_add(&out, 2, 22, "second one", 10);
    for (size_t at = 1; at < out.len; at++) {
        send_raw(&bench->here, out.ptr, at);
        wait_for(bench->there.fd, POLLIN);
        if (at < FRAME_HEAD + 5)
            expect_silence(&bench->there);
        else
            expect_frame(&bench->there, 1, 11, str_of("first"));
        send_raw(&bench->here, out.ptr + at, out.len - at);
        if (at < FRAME_HEAD + 5)
            expect_frame(&bench->there, 1, 11, str_of("first"));
        expect_frame(&bench->there, 2, 22, str_of("second one"));
        expect_silence(&bench->there);
    }
    buf_release(&out);
}

static void test_the_longest(void **state)
{
    struct link_bench *bench = *state;
    struct buf body = {0};
    struct frame frame = {0};
    enum link_news news;

    bench_connect(bench, FRAME_BODY_MOST);
    while (body.len < FRAME_BODY_MOST)
        buf_addc(&body, (char)(body.len * 31 >> 3));
    assert_true(link_say(&bench->here, 3, 1, body.ptr, body.len));
    while ((news = link_hear(&bench->there, &frame)) == LINK_SILENT)
        assert_true(link_flush(&bench->here));
    assert_int_equal(news, LINK_FRAME);
    assert_true(str_eq(frame.body, buf_str(&body)));
    assert_int_equal(link_events(&bench->here), POLLIN);
    /* And it is not kept. */
    expect_silence(&bench->there);
    assert_true(bench->there.in.cap < FRAME_BODY_MOST / 4);
    assert_true(bench->here.out.cap < FRAME_BODY_MOST / 4);

    assert_false(link_say(&bench->here, 3, 1, body.ptr, FRAME_BODY_MOST + 1));
    assert_int_equal(errno, EMSGSIZE);
    assert_true(link_say(&bench->here, 3, 2, "x", 1));
    expect_frame(&bench->there, 3, 2, str_of("x"));
    buf_release(&body);
}

#define FLOOD 10000

static struct str flood_body(uint32_t number, char body[MOST])
{
    size_t len = number * 37 % MOST;

    memset(body, (int)number, len);
    return (struct str){body, len};
}

static void test_a_flood(void **state)
{
    struct link_bench *bench = *state;
    uint32_t said = 0, heard = 0;
    char body[MOST];

    bench_connect(bench, MOST);
    while (heard < FLOOD) {
        struct frame frame;

        while (said < FLOOD) {
            struct str next = flood_body(said, body);

            if (!link_say(&bench->here, 1 + said % 255, said, next.ptr, next.len))
                break;
            said++;
        }
        assert_true(said == FLOOD || errno == EAGAIN);
        assert_true(link_flush(&bench->here));
        while (link_hear(&bench->there, &frame) == LINK_FRAME) {
            assert_int_equal(frame.number, heard);
            assert_int_equal(frame.kind, 1 + heard % 255);
            assert_true(str_eq(frame.body, flood_body(heard++, body)));
        }
        assert_true(bench->there.in.cap < (size_t)256 << 10);
    }
    assert_int_equal(link_events(&bench->here), POLLIN);
}

/* Nobody reads: so much is kept and no more, and each that was taken arrives whole. */
static void test_so_much_waits(void **state)
{
    struct link_bench *bench = *state;
    char *body = mem_zero(1, FRAME_BODY_MOST / 3);
    uint32_t taken = 0, heard = 0;
    struct frame frame;

    bench_connect(bench, FRAME_BODY_MOST);
    while (link_say(&bench->here, 1, taken, body, FRAME_BODY_MOST / 3))
        taken++;
    assert_int_equal(errno, EAGAIN);
    assert_true(taken >= 12);
    assert_int_equal(link_events(&bench->here), POLLIN | POLLOUT);
    assert_true(bench->here.out.len - bench->here.sent <= LINK_UNSENT_MOST);
    assert_true(bench->here.out.cap <= 2 * LINK_UNSENT_MOST);
    assert_false(link_say(&bench->here, 1, taken, body, FRAME_BODY_MOST / 3));
    assert_int_equal(errno, EAGAIN);
    while (heard < taken) {
        assert_true(link_flush(&bench->here));
        if (link_hear(&bench->there, &frame) != LINK_FRAME)
            continue;
        assert_int_equal(frame.number, heard++);
        assert_int_equal(frame.body.len, FRAME_BODY_MOST / 3);
    }
    assert_true(link_say(&bench->here, 1, taken, body, FRAME_BODY_MOST / 3));
    free(body);
}

static void on_alarm(int number)
{
    (void)number;
}

/* A signal each millisecond, that interrupts what it can. */
static void alarms(bool wanted)
{
    const struct sigaction interrupting = {.sa_handler = on_alarm};
    const struct itimerval when = {{0, wanted ? 1000 : 0}, {0, wanted ? 1000 : 0}};

    assert_int_equal(sigaction(SIGALRM, &interrupting, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &when, NULL), 0);
}

static void test_in_spite_of_signals(void **state)
{
    struct link_bench *bench = *state;
    char body[MOST] = {0};

    alarms(true);
    for (nanos until = clock_now() + NS_PER_S / 20; clock_now() < until;) {
        int fd = link_dial(buf_str(&bench->url), clock_now() + WITHIN), other;

        assert_true(fd >= 0);
        while ((other = listener_accept(&bench->listener)) < 0)
            assert_int_equal(errno, EAGAIN);
        link_open(&bench->here, fd, MOST);
        link_open(&bench->there, other, MOST);
        for (uint32_t i = 0; i < 50; i++) {
            struct frame frame;
            enum link_news news;

            assert_true(link_say(&bench->here, 1, i, body, sizeof body));
            while ((news = link_hear(&bench->there, &frame)) == LINK_SILENT)
                ;
            assert_int_equal(news, LINK_FRAME);
        }
        link_close(&bench->here);
        link_close(&bench->there);
    }
    alarms(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BY_BOTH(test_both_ways),
        BY_BOTH(test_descriptors_are_our_own),
        cmocka_unit_test(test_opening_makes_it_so),
        BY_BOTH(test_each_byte_by_itself),
        BY_BOTH(test_cut_at_each_place),
        BY_BOTH(test_the_longest),
        BY_BOTH(test_a_flood),
        BY_BOTH(test_so_much_waits),
        BY_BOTH(test_in_spite_of_signals),
    };

    return cmocka_run_group_tests_name("links_talk", tests, NULL, NULL);
}
