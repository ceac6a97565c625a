/* Peers: what two say to each other, and how a connection ends. Whoever waits here attends to nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/forks.h"
#include "tests/unit/talk_stage.h"

#include <errno.h>
#include <sys/socket.h>

#define LONG FRAME_BODY_MOST
#define MANY 100 /* that a socket takes while nobody reads, however small they are */

/* ---- two that are connected ---- */

struct pair {
    struct mx_peer *one, *other;
};

static struct pair connect_two(const char *transport)
{
    struct mx_listener *listener;
    struct pair pair;

    setenv(TRANSPORT_VARIABLE, transport, 1);
    listener = mx_listen(NULL);
    assert_null(mx_accept(listener, "0"));
    pair.one = mx_dial(mx_listener_url(listener), "10s");
    pair.other = mx_accept(listener, "10s");
    assert_non_null(pair.one);
    assert_non_null(pair.other);
    return pair;
}

static const char *const transports[] = {"tcp", "uds"};

#define EACH_TRANSPORT(name) \
    for (const char *const *name = transports; name < transports + ARRAY_LEN(transports); name++)

static void says(struct mx_peer *peer, const char *text)
{
    assert_true(mx_send(peer, text, strlen(text)));
}

static void hears(struct mx_peer *peer, const char *text)
{
    struct mx_message message = mx_receive(peer, "10s");

    assert_int_equal(message.heard, MX_HEARD);
    assert_int_equal(message.len, strlen(text));
    assert_string_equal(message.bytes, text);
}

static void has_ended(struct mx_peer *peer, enum mx_heard how)
{
    assert_int_equal(mx_receive(peer, "10s").heard, how);
    assert_int_equal(mx_receive(peer, "0").heard, how);
    assert_false(mx_send(peer, "x", 1));
}

/* ---- talking ---- */

static void test_messages_keep_their_order(void **state)
{
    (void)state;
    EACH_TRANSPORT(transport)
    {
        struct pair pair = connect_two(*transport);
        char text[32];

        assert_int_equal(mx_receive(pair.one, "0").heard, MX_QUIET);
        assert_int_equal(mx_receive(pair.other, "5ms").heard, MX_QUIET);
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "%d", i);
            says(pair.one, text);
        }
        says(pair.other, "");
        for (int i = 0; i < MANY; i++) {
            snprintf(text, sizeof text, "%d", i);
            hears(pair.other, text);
        }
        hears(pair.one, "");
        end_case();
    }
}

/* Bytes are bytes, up to the longest. */
static void test_the_longest(void **state)
{
    char *bytes = mem_zero(LONG + 1, 1);

    (void)state;
    memset(bytes, 0, LONG / 2);
    memset(bytes + LONG / 2, 0xff, LONG / 2);
    EACH_TRANSPORT(transport)
    {
        struct pair pair = connect_two(*transport);
        pid_t child = must_fork();
        struct mx_message message;

        if (child == 0) {
            limit_life(60);
            _exit(mx_send(pair.one, bytes, LONG) ? 0 : 1);
        }
        message = mx_receive(pair.other, "30s");
        assert_int_equal(message.heard, MX_HEARD);
        assert_int_equal(message.len, LONG);
        assert_memory_equal(message.bytes, bytes, LONG);
        assert_int_equal(message.bytes[LONG], 0);
        ended_well(child);
        end_case();
    }
    free(bytes);
}

static void test_what_is_too_long(void **state)
{
    char *bytes = mem_zero(LONG + 1, 1);
    struct pair pair = connect_two("uds");

    (void)state;
    REFUSED(mx_send(pair.one, bytes, LONG + 1), "at most 1048576 bytes, and this one 1048577");
    free(bytes);
}

/* Each sends more than the way between them holds, and nobody receives before he is through. */
static void test_both_send_at_once(void **state)
{
    enum { COUNT = 48 };
    char *bytes = mem_zero(64 << 10, 1);

    (void)state;
    EACH_TRANSPORT(transport)
    {
        struct pair pair = connect_two(*transport);
        struct mx_peer *peer;
        pid_t child = must_fork();
        bool whole = true;

        peer = child ? pair.one : pair.other;
        if (child == 0)
            limit_life(60);
        for (int i = 0; i < COUNT; i++)
            whole = mx_send(peer, bytes, 64 << 10) && whole;
        for (int i = 0; i < COUNT; i++)
            whole = mx_receive(peer, "30s").len == 64 << 10 && whole;
        if (child == 0)
            _exit(whole ? 0 : 1);
        assert_true(whole);
        ended_well(child);
        end_case();
    }
    free(bytes);
}

/* ---- ends ---- */

/* What was said before arrives; where something is unread that was said to whom hangs up, too. */
static void test_hanging_up(void **state)
{
    (void)state;
    EACH_TRANSPORT(transport)
    for (int unread = 0; unread < 2; unread++) {
        struct pair pair = connect_two(*transport);

        for (int i = 0; i < MANY; i++)
            says(pair.one, "last words");
        if (unread)
            says(pair.other, "not heard");
        mx_hang_up(pair.one);
        has_ended(pair.one, MX_CLOSED);
        for (int i = 0; i < MANY; i++)
            hears(pair.other, "last words");
        has_ended(pair.other, MX_CLOSED);
        mx_hang_up(pair.one);
        mx_hang_up(pair.other);
        mx_hang_up(NULL);
        end_case();
    }
}

/* Much is under way, and whoever hears it says something all the time. */
static void test_hanging_up_on_who_talks(void **state)
{
    enum { COUNT = 40 };
    char *bytes = mem_zero(64 << 10, 1);

    (void)state;
    EACH_TRANSPORT(transport)
    {
        struct pair pair = connect_two(*transport);
        pid_t child = must_fork();
        int heard = 0;

        if (child == 0) {
            limit_life(60);
            link_close(pair.other->link);
            for (int i = 0; i < COUNT; i++)
                if (!mx_send(pair.one, bytes, 64 << 10))
                    _exit(1);
            mx_hang_up(pair.one);
            _exit(0);
        }
        close(pair.one->link->fd);
        pair.one->link->fd = -1;
        while (mx_receive(pair.other, "30s").heard == MX_HEARD) {
            heard++;
            if (heard < COUNT)
                mx_send(pair.other, "yes", 3);
        }
        assert_int_equal(heard, COUNT);
        has_ended(pair.other, MX_CLOSED);
        ended_well(child);
        end_case();
    }
    free(bytes);
}

static void test_breaking(void **state)
{
    static const enum mx_breaking ways[] = {MX_BREAK_CLOSE, MX_BREAK_EOF, MX_BREAK_RESET};

    (void)state;
    EACH_TRANSPORT(transport)
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct pair pair = connect_two(*transport);

        says(pair.one, "before");
        hears(pair.other, "before");
        mx_break(pair.one, ways[i]);
        has_ended(pair.other, MX_LOST);
        has_ended(pair.one, MX_LOST);
        mx_break(pair.one, ways[i]);
        mx_hang_up(pair.one);
        end_case();
    }
}

/* What has arrived before it broke is heard; of a reset not all may be. */
static void test_words_before_a_break(void **state)
{
    static const enum mx_breaking ways[] = {MX_BREAK_CLOSE, MX_BREAK_EOF};

    (void)state;
    EACH_TRANSPORT(transport)
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct pair pair = connect_two(*transport);

        for (int k = 0; k < MANY; k++)
            says(pair.one, "before");
        mx_break(pair.one, ways[i]);
        for (int k = 0; k < MANY; k++)
            hears(pair.other, "before");
        has_ended(pair.other, MX_LOST);
        end_case();
    }
}

static void test_nonsense(void **state)
{
    (void)state;
    EACH_TRANSPORT(transport)
    {
        struct pair pair = connect_two(*transport);

        says(pair.one, "sense");
        assert_int_equal(send(pair.one->link->fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
        hears(pair.other, "sense");
        has_ended(pair.other, MX_LOST);
        end_case();
    }
}

/* Who does not read keeps the other waiting, and is not drowned. */
static void test_a_flood(void **state)
{
    enum { SIZE = 100 << 10, COUNT = 200 };
    char *bytes = mem_zero(SIZE, 1);

    (void)state;
    EACH_TRANSPORT(transport)
    {
        struct pair pair = connect_two(*transport);
        pid_t child = must_fork();

        if (child == 0) {
            limit_life(60);
            for (int i = 0; i < COUNT; i++)
                if (!mx_send(pair.one, bytes, SIZE))
                    _exit(1);
            _exit(0);
        }
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(mx_receive(pair.other, "30s").len, SIZE);
            assert_true(pair.other->waiting < PEER_WAITING_MOST + 2 * SIZE);
        }
        ended_well(child);
        end_case();
    }
    free(bytes);
}

/* ---- over the link of an actor ---- */

static void test_the_link_of_an_actor(void **state)
{
    struct link ends[2];
    struct mx_peer *peer;
    int fds[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    link_open(&ends[0], fds[0], FRAME_BODY_MOST);
    link_open(&ends[1], fds[1], FRAME_BODY_MOST);
    peer = peer_new(&ends[0]);
    waits_for = peer;

    assert_int_equal(mx_receive(peer, "0").heard, MX_QUIET);
    link_say(&ends[1], SAID_MESSAGE, 0, "one", 3);
    link_say(&ends[1], SAID_MESSAGE, 0, "two", 3);
    hears(peer, "one");
    hears(peer, "two");
    says(peer, "three");
    mx_hang_up(peer);
    has_ended(peer, MX_CLOSED);
    assert_true(ends[0].fd >= 0);

    peer_free(peer);
    waits_for = peer = peer_new(&ends[0]);
    link_say(&ends[1], SAID_MESSAGE, 0, "last", 4);
    link_close(&ends[1]);
    hears(peer, "last");
    has_ended(peer, MX_LOST);
    peer_free(peer);
    waits_for = NULL;
    link_close(&ends[0]);
}

/* A link that others have closed is no reason to wait for ever. */
static void test_a_link_that_is_closed(void **state)
{
    struct link none = LINK_NONE;
    struct mx_peer *peer = peer_new(&none);

    (void)state;
    peer_take(peer, (struct str){"left", 4});
    hears(peer, "left");
    assert_int_equal(mx_receive(peer, NULL).heard, MX_LOST);
    mx_break(peer, MX_BREAK_CLOSE);
    peer_free(peer);
}

/* ---- addresses ---- */

static void test_dialling(void **state)
{
    struct mx_listener *listener;
    char url[200];

    (void)state;
    snprintf(url, sizeof url, "unix://%s/nobody", private_folder());
    assert_null(mx_dial(url, "30ms"));
    REFUSED(mx_dial("http://example.org", "1s"), "cannot dial 'http://example.org'");
    REFUSED(mx_dial(NULL, "1s"), "cannot dial ''");
    REFUSED(mx_dial(url, "soon"), "'soon' is no span of time");
    REFUSED(mx_accept(NULL, "1s"), "there is no listener");
    REFUSED(mx_receive(NULL, "1s"), "there is nobody to talk to");
    setenv(TRANSPORT_VARIABLE, "pigeon", 1);
    REFUSED(mx_listen(NULL), "RUN_MATRIX_TRANSPORT is 'pigeon': there are tcp and uds");
    unsetenv(TRANSPORT_VARIABLE);
    listener = mx_listen(url);
    assert_string_equal(mx_listener_url(listener), url);
    assert_null(mx_listener_url(NULL));
    assert_non_null(mx_dial(url, "10s"));
    assert_non_null(mx_accept(listener, "10s"));
}

/* Somebody comes later than who dials. */
static void test_dialling_who_is_not_there_yet(void **state)
{
    char url[200];
    pid_t child;

    (void)state;
    snprintf(url, sizeof url, "unix://%s/late", private_folder());
    child = must_fork();
    if (child == 0) {
        struct mx_peer *peer;

        limit_life(60);
        peer = mx_dial(url, "30s");
        _exit(peer && mx_send(peer, "hello", 5) ? 0 : 1);
    }
    hears(mx_accept(mx_listen(url), "30s"), "hello");
    ended_well(child);
}

static void is_told_of_us(const char *transport)
{
    struct mx_listener *listener;
    char pid[32];

    setenv(TRANSPORT_VARIABLE, transport, 1);
    listener = mx_listen(NULL);
    snprintf(pid, sizeof pid, "test_peers' (pid %d)", getpid());
    REFUSED(mx_listen(mx_listener_url(listener)), "it is in use by '");
    said(pid);
    end_case();
}

static void test_who_has_an_address(void **state)
{
    (void)state;
    EACH_TRANSPORT(transport)
    is_told_of_us(*transport);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_messages_keep_their_order),
        STAGED(test_the_longest),
        STAGED(test_what_is_too_long),
        STAGED(test_both_send_at_once),
        STAGED(test_hanging_up),
        STAGED(test_hanging_up_on_who_talks),
        STAGED(test_breaking),
        STAGED(test_words_before_a_break),
        STAGED(test_nonsense),
        STAGED(test_a_flood),
        STAGED(test_the_link_of_an_actor),
        STAGED(test_a_link_that_is_closed),
        STAGED(test_dialling),
        STAGED(test_dialling_who_is_not_there_yet),
        STAGED(test_who_has_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
