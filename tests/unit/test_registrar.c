/* A registrar and those who ask it: each a process, and some who are none of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner/base/io.h"
#include "tests/unit/forks.h"
#include "tests/unit/talk_stage.h"

#include <errno.h>
#include <sys/socket.h>

#define STRANGERS 200

/* ---- a registrar in a process of its own ---- */

struct scene {
    char url[120];
    pid_t server;
};

static _Noreturn void be_registrar(const char *url, bool many, int ready)
{
    struct registrar *registrar;

    limit_life(120);
    registrar = registrar_open(str_of(url), many);
    if (!registrar)
        _exit(1);
    close(ready);
    for (;;)
        registrar_serve(registrar);
}

/* It listens when the pipe is at its end. */
static void start_server(struct scene *scene, bool many)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    scene->server = must_fork();
    if (scene->server == 0) {
        close(ready[0]);
        be_registrar(scene->url, many, ready[1]);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    close(ready[0]);
}

static void stop_server(struct scene *scene)
{
    end_child(scene->server);
}

static void set_scene(struct scene *scene, const char *transport)
{
    struct mx_addr address = mx_new_addr(transport);

    snprintf(scene->url, sizeof scene->url, "%s", address.url);
    mx_setenv("RUN_MATRIX_REG_ADDR", scene->url);
}

static void be(const char *name, const char *id)
{
    self = (struct mx_self){.name = name, .id = id};
}

static const char *const transports[] = {"tcp", "uds"};

#define EACH_SCENE(scene, many)                                                                \
    for (const char *const *at_ = transports; at_ < transports + ARRAY_LEN(transports); at_++) \
        for (struct scene scene = {0}, *once_ = begin_scene(&scene, *at_, many); once_;        \
             once_ = end_scene(once_))

static struct scene *begin_scene(struct scene *scene, const char *transport, bool many)
{
    set_scene(scene, transport);
    start_server(scene, many);
    return scene;
}

static struct scene *end_scene(struct scene *scene)
{
    stop_server(scene);
    end_case();
    return NULL;
}

/* ---- one who asks ---- */

static void test_a_name(void **state)
{
    (void)state;
    EACH_SCENE(scene, false)
    {
        be("doggy", "doggy@1");
        assert_null(mx_find("doggy"));
        assert_false(mx_unregister());
        assert_null(mx_register("unix:///one"));
        assert_string_equal(mx_find("doggy"), "unix:///one");
        assert_null(mx_register("unix:///other"));
        assert_string_equal(mx_find("doggy"), "unix:///other");
        assert_string_equal(mx_await("doggy", "10s"), "unix:///other");
        be("doggy", "doggy@2");
        assert_string_equal(mx_register("unix:///two"), "the name 'doggy' is taken by doggy@1");
        assert_false(mx_unregister());
        be("doggy", "doggy@1");
        assert_true(mx_unregister());
        assert_null(mx_find("doggy"));
        assert_null(mx_await("doggy", "1ms"));
        assert_null(mx_await("doggy", "1ms"));
        assert_null(mx_register("unix:///one"));
        assert_string_equal(mx_await("doggy", NULL), "unix:///one");
    }
}

static void test_refusals(void **state)
{
    struct scene scene = {0};
    char *name = mem_zero(ASKED_MOST + 2, 1);

    (void)state;
    memset(name, 'x', ASKED_MOST + 1);
    REFUSED(mx_find(NULL), "there is no name to find");
    set_scene(&scene, "uds");
    start_server(&scene, false);
    REFUSED(mx_find(name), "that is too long for a registrar");
    REFUSED(mx_await("a", "soon"), "'soon' is no span");
    stop_server(&scene);
    REFUSED(mx_find("a"), "the registrar is gone");
    start_server(&scene, false);
    assert_null(mx_find("a"));
    stop_server(&scene);
    free(name);
}

/* ---- many at once ---- */

static const int counts[] = {2, 4, 8};

/* What each of them says when it has asked; the barrier is the end of a pipe. */
static _Noreturn void be_doggy(int number, int barrier, int out)
{
    char id[32], url[32], byte;
    const char *why;

    limit_life(120);
    snprintf(id, sizeof id, "doggy@%d", number);
    snprintf(url, sizeof url, "unix:///%d", number);
    be("doggy", id);
    mx_find("doggy"); /* connected before they start */
    dprintf(out, ".");
    if (read(barrier, &byte, 1) != 0)
        _exit(1);
    why = mx_register(url);
    dprintf(out, "%s\n", why ? why : "has it");
    pause();
    _exit(1);
}

static int count_of(const char *text, const char *what)
{
    int count = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

/* Until so many of these have come. */
static void read_until(int fd, struct buf *text, const char *what, int count)
{
    char bytes[512];

    while (count_of(buf_text(text), what) < count) {
        ssize_t got = read(fd, bytes, sizeof bytes);

        assert_true(got > 0);
        buf_add(text, bytes, (size_t)got);
    }
}

static void register_at_once(int count, bool many)
{
    pid_t doggies[8];
    int barrier[2], out[2];
    struct buf text = {0};
    const char *url;

    assert_int_equal(pipe(barrier), 0);
    assert_int_equal(pipe(out), 0);
    for (int i = 0; i < count; i++) {
        doggies[i] = must_fork();
        if (doggies[i] == 0) {
            close(barrier[1]);
            be_doggy(i, barrier[0], out[1]);
        }
    }
    close(barrier[0]);
    read_until(out[0], &text, ".", count);
    close(barrier[1]);
    read_until(out[0], &text, "\n", count);
    assert_int_equal(count_of(buf_text(&text), "has it"), many ? count : 1);
    assert_int_equal(count_of(buf_text(&text), "the name 'doggy' is taken by doggy@"), many ? 0 : count - 1);

    be("me", "me@1");
    url = mx_find("doggy");
    assert_non_null(url);
    for (int i = 0; i < count; i++)
        end_child(doggies[i]);
    WAIT_UNTIL(!mx_find("doggy"), "30s");
    close(out[0]);
    close(out[1]);
    buf_release(&text);
}

static void test_all_at_once(void **state)
{
    (void)state;
    for (int many = 0; many < 2; many++)
        EACH_SCENE(scene, many)
        {
            for (size_t i = 0; i < ARRAY_LEN(counts); i++)
                register_at_once(counts[i], many);
        }
}

/* Those who wait hear of it in the moment somebody comes, and of the next one when that one has died. */
static void test_waiting(void **state)
{
    (void)state;
    EACH_SCENE(scene, false)
    {
        pid_t waits[4];

        for (int i = 0; i < 4; i++) {
            waits[i] = must_fork();
            if (waits[i] == 0) {
                const char *url;

                limit_life(60);
                be("waits", "");
                url = mx_await("late", "50s");
                _exit(url && strcmp(url, "unix:///late") == 0 ? 0 : 1);
            }
        }
        be("late", "late@1");
        assert_null(mx_register("unix:///late"));
        for (int i = 0; i < 4; i++)
            ended_well(waits[i]);
    }
}

/* ---- strangers ---- */

static int connect_to(const struct scene *scene)
{
    int fd = link_dial(str_of(scene->url), clock_now() + 30 * NS_PER_S);

    assert_true(fd >= 0);
    return fd;
}

/* The other side has closed it, or will soon. */
static void is_closed(int fd)
{
    struct pollfd over = {.fd = fd, .events = POLLIN};
    char byte;

    assert_int_equal(poll(&over, 1, 30000), 1);
    assert_true(recv(fd, &byte, 1, 0) <= 0);
    close(fd);
}

static void babble(const struct scene *scene, const void *bytes, size_t len)
{
    int fd = connect_to(scene);

    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
    is_closed(fd);
}

static void test_strangers(void **state)
{
    static const char zeroes[64] = {0};

    (void)state;
    EACH_SCENE(scene, false)
    {
        struct buf odd = {0};
        int silent[STRANGERS], half;

        be("me", "me@1");
        assert_null(mx_register("unix:///me"));
        babble(&scene, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
        babble(&scene, zeroes, sizeof zeroes);
        frame_add(&odd, SAID_MESSAGE, 0, "no question", 11);
        babble(&scene, odd.ptr, odd.len);
        buf_clear(&odd);
        frame_add(&odd, SAID_HELLO, 0, "", 0);
        babble(&scene, odd.ptr, odd.len);
        half = connect_to(&scene);
        assert_int_equal(send(half, odd.ptr, 5, MSG_NOSIGNAL), 5);
        for (int i = 0; i < STRANGERS; i++) {
            silent[i] = connect_to(&scene);
            if (i % 50 == 0)
                assert_string_equal(mx_find("me"), "unix:///me");
        }
        be("late", "late@1");
        assert_null(mx_register("unix:///late"));
        is_closed(half);
        for (int i = 0; i < STRANGERS; i++)
            is_closed(silent[i]);
        assert_string_equal(mx_find("me"), "unix:///me");
        assert_string_equal(mx_find("late"), "unix:///late");
        buf_release(&odd);
    }
}

/* ---- its address ---- */

static void test_an_address_in_use(void **state)
{
    (void)state;
    EACH_SCENE(scene, false)
    {
        assert_null(registrar_open(str_of(scene.url), false));
        assert_int_equal(errno, EADDRINUSE);
    }
}

/* What one has left that was killed keeps nobody off. */
static void test_an_address_that_was_left(void **state)
{
    (void)state;
    EACH_SCENE(scene, false)
    {
        stop_server(&scene);
        start_server(&scene, false);
        assert_null(mx_find("anybody"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_a_name),
        STAGED(test_refusals),
        STAGED(test_all_at_once),
        STAGED(test_waiting),
        STAGED(test_strangers),
        STAGED(test_an_address_in_use),
        STAGED(test_an_address_that_was_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
