#include "runner/base/mem.h"
#include "runner/screen/tty.h"
#include "runner/signals.h"
#include "tests/unit/forks.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS 200

/* The body of a test runs in a session of its own with a terminal; the other side of that is the test. */
#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            dprintf(scene->report, "# line %d: %s: %m\n", __LINE__, #condition); \
            _exit(1);                                                            \
        }                                                                        \
    } while (0)

struct scene {
    int ready[2]; /* from the body: it waits for the terminal's other side */
    int report;   /* our stderr */
    int master;
    pid_t pid;
    struct signals signals;
};

static void begin(struct scene *scene, void (*body)(struct scene *scene))
{
    assert_int_equal(pipe2(scene->ready, O_CLOEXEC), 0);
    scene->report = dup(STDERR_FILENO);
    scene->pid = forkpty(&scene->master, NULL, NULL, NULL);
    assert_true(scene->pid >= 0);
    if (scene->pid == 0) {
        CHECK(signals_open(&scene->signals) == 0);
        body(scene);
        _exit(0);
    }
    close(scene->ready[1]);
}

static void await_body(struct scene *scene)
{
    char byte;

    assert_int_equal(read(scene->ready[0], &byte, 1), 1);
}

static void end(struct scene *scene)
{
    int status;

    assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    if (scene->master >= 0)
        close(scene->master);
    close(scene->ready[0]);
    close(scene->report);
}

static struct termios modes_now(struct scene *scene)
{
    struct termios modes;

    CHECK(tcgetattr(STDIN_FILENO, &modes) == 0);
    return modes;
}

static void await_input(struct scene *scene, int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    CHECK(poll(&poll_fd, 1, 20000) == 1);
}

/* ---- modes ---- */

static void keys_and_back(struct scene *scene)
{
    struct termios before = modes_now(scene), now;
    struct tty tty;

    tty_open(&tty, STDIN_FILENO);
    CHECK(tty.fd > STDERR_FILENO && !tty.changed);
    CHECK(!(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK));
    tty_keys(&tty);
    CHECK(tty.changed);
    now = modes_now(scene);
    CHECK((now.c_lflag ^ before.c_lflag) == (ICANON | ECHO) && (now.c_lflag & ISIG));
    CHECK(now.c_iflag == before.c_iflag && now.c_oflag == before.c_oflag);
    CHECK(now.c_cc[VMIN] == 1 && now.c_cc[VTIME] == 0);
    tty_keys(&tty); /* of a SIGCONT: must not take keys mode for what was before */
    CHECK(!tty_restore(&tty));
    now = modes_now(scene);
    CHECK(now.c_lflag == before.c_lflag && memcmp(now.c_cc, before.c_cc, sizeof now.c_cc) == 0);
    CHECK(!tty_restore(&tty));
    tty_close(&tty);
    CHECK(tty.fd == -1);
}

static void test_modes(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct scene scene;

        begin(&scene, keys_and_back);
        end(&scene);
    }
}

static void somebody_changes(struct scene *scene)
{
    struct termios before = modes_now(scene), other = before;
    struct tty tty;

    tty_open(&tty, STDIN_FILENO);
    tty_keys(&tty);
    cfmakeraw(&other);
    CHECK(tcsetattr(STDIN_FILENO, TCSANOW, &other) == 0);
    CHECK(tty_restore(&tty));
    CHECK(modes_now(scene).c_oflag == before.c_oflag && modes_now(scene).c_lflag == before.c_lflag);

    /* While we were stopped, on purpose: that is what has to come back. */
    other = before;
    other.c_lflag &= ~(tcflag_t)ECHOE;
    CHECK(tcsetattr(STDIN_FILENO, TCSANOW, &other) == 0);
    tty_keys(&tty);
    CHECK(!tty_restore(&tty));
    CHECK(modes_now(scene).c_lflag == other.c_lflag);
}

static void test_modes_of_others(void **state)
{
    struct scene scene;

    (void)state;
    begin(&scene, somebody_changes);
    end(&scene);
}

/* ---- keys ---- */

static void reads_keys(struct scene *scene)
{
    static const char expected[] = {'t', 'x', '\n', 'y'};
    bool gone = false;
    struct tty tty;

    tty_open(&tty, STDIN_FILENO);
    tty_keys(&tty);
    CHECK(tty_key(&tty, &gone) == '\0' && !gone);
    CHECK(write(scene->ready[1], "", 1) == 1);
    for (size_t i = 0; i < ARRAY_LEN(expected);) {
        char key = tty_key(&tty, &gone);

        CHECK(!gone);
        if (key)
            CHECK(key == expected[i++]);
        else
            await_input(scene, tty.fd);
    }
    CHECK(tty_key(&tty, &gone) == '\0' && !gone);
}

static void test_keys(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct scene scene;

        begin(&scene, reads_keys);
        await_body(&scene);
        assert_int_equal(write(scene.master, "tx\r\0y", 5), 5); /* Enter sends \r, ICRNL makes it \n */
        end(&scene);
    }
}

static void sees_the_end(struct scene *scene)
{
    bool gone = false;
    struct tty tty;

    tty_open(&tty, STDIN_FILENO);
    tty_keys(&tty);
    CHECK(write(scene->ready[1], "", 1) == 1);
    /* Reading fails a moment before the kernel has taken the terminal from us; it wakes us again then. */
    while (!gone) {
        await_input(scene, tty.fd);
        CHECK(tty_key(&tty, &gone) == '\0');
    }
    CHECK(!tty_restore(&tty));
    tty_close(&tty);
}

static void test_a_terminal_that_goes_away(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct scene scene;

        begin(&scene, sees_the_end);
        await_body(&scene);
        close(scene.master);
        scene.master = -1;
        end(&scene);
    }
}

/* ---- in the background ---- */

/* A process in a group of its own that waits to be killed. */
static pid_t other_group(struct scene *scene)
{
    pid_t pid = must_fork();

    CHECK(pid >= 0);
    if (pid == 0)
        for (;;)
            pause();
    CHECK(setpgid(pid, pid) == 0);
    return pid;
}

static void leaves_it_alone(struct scene *scene)
{
    struct termios before = modes_now(scene), other = before;
    bool gone = false;
    struct tty tty;
    pid_t front = other_group(scene);

    CHECK(tcsetpgrp(STDIN_FILENO, front) == 0);
    tty_open(&tty, STDIN_FILENO);
    tty_keys(&tty);
    CHECK(!tty.changed && modes_now(scene).c_lflag == before.c_lflag);
    CHECK(write(scene->ready[1], "", 1) == 1);
    await_input(scene, tty.fd);
    CHECK(tty_key(&tty, &gone) == '\0' && !gone);

    CHECK(tcsetpgrp(STDIN_FILENO, getpgrp()) == 0);
    CHECK(tty_key(&tty, &gone) == 'q' && !gone);
    tty_keys(&tty);
    CHECK(tty.changed);

    CHECK(tcsetpgrp(STDIN_FILENO, front) == 0);
    other.c_lflag = 0;
    CHECK(tcsetattr(STDIN_FILENO, TCSANOW, &other) == 0);
    tty_keys(&tty);
    CHECK(!tty_restore(&tty) && modes_now(scene).c_lflag == 0);
    CHECK(kill(front, SIGKILL) == 0 && waitpid(front, NULL, 0) == front);
}

static void test_background(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++) {
        struct scene scene;

        begin(&scene, leaves_it_alone);
        await_body(&scene);
        assert_int_equal(write(scene.master, "q\n", 2), 2);
        end(&scene);
    }
}

/* ---- what is no terminal of ours ---- */

static void test_not_ours(void **state)
{
    int ends[2], master, slave;
    bool gone = false;
    struct tty tty;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    tty_open(&tty, -1);
    assert_int_equal(tty.fd, -1);
    tty_open(&tty, slave);
    assert_int_equal(tty.fd, -1);
    tty_open(&tty, ends[0]);
    assert_int_equal(tty.fd, -1);
    tty_keys(&tty);
    assert_false(tty.changed);
    assert_int_equal(tty_key(&tty, &gone), '\0');
    assert_false(gone);
    assert_false(tty_restore(&tty));
    tty_close(&tty);
    close(ends[0]);
    close(ends[1]);
    close(master);
    close(slave);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),      cmocka_unit_test(test_modes_of_others),
        cmocka_unit_test(test_keys),       cmocka_unit_test(test_a_terminal_that_goes_away),
        cmocka_unit_test(test_background), cmocka_unit_test(test_not_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
