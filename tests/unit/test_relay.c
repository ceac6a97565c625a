#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE ((size_t)10 << 20)

/* A relay with a file behind each end, and what it has shown. */
struct scratch {
    struct relay relay;
    int files[2], fds_before;
    struct buf shown;
};

static int setup_with(void **state, bool pty)
{
    struct scratch *scratch = mem_zero(1, sizeof *scratch);

    scratch->fds_before = proc_count_fds(getpid());
    for (int end = 0; end < 2; end++)
        scratch->files[end] = memfd_create("copy", MFD_CLOEXEC);
    *state = scratch;
    return relay_open(&scratch->relay, pty, scratch->files);
}

static int setup(void **state)
{
    return setup_with(state, false);
}

static int setup_pty(void **state)
{
    return setup_with(state, true);
}

static int teardown(void **state)
{
    struct scratch *scratch = *state;
    int left;

    relay_finish(&scratch->relay, "", &scratch->shown);
    close(scratch->files[0]);
    close(scratch->files[1]);
    left = proc_count_fds(getpid()) - scratch->fds_before;
    buf_release(&scratch->shown);
    free(scratch);
    if (left != 0)
        print_error("%d descriptors are open\n", left);
    return left;
}

/* ---- what is written, and what comes of it ---- */

typedef void body(const int *ends);

/* A process that writes into the relay; `life` is all it does. */
static pid_t start(struct relay *relay, body *life, const int *ends)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(relay->given[0], 1) < 0 || dup2(relay->given[1], 2) < 0)
            _exit(1);
        relay_started(relay);
        close(relay->ends[0]);
        close(relay->ends[1]);
        life(ends);
        _exit(0);
    }
    relay_started(relay);
    return pid;
}

static void wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void assert_file(int fd, struct str wanted)
{
    struct buf content = {0};

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(fd_read_all(fd, &content, SIZE_MAX / 2), 0);
    assert_true(str_eq(buf_str(&content), wanted));
    buf_release(&content);
}

/* Carries until both ends are over. */
static void carry_all(struct scratch *scratch, const char *prefix)
{
    struct relay *relay = &scratch->relay;
    bool open[2] = {relay->ends[0] >= 0, relay->ends[1] >= 0};

    while (open[0] || open[1]) {
        struct pollfd fds[] = {{relay->ends[0], POLLIN, 0}, {relay->ends[1], POLLIN, 0}};

        assert_true(poll(fds, 2, -1) > 0 || errno == EINTR);
        for (int end = 0; end < 2; end++)
            if (open[end] && fds[end].revents)
                open[end] = relay_carry(relay, end, prefix, &scratch->shown);
    }
    assert_int_equal(relay->ends[0], -1);
    assert_int_equal(relay->ends[1], -1);
}

static void put(int fd, const char *text)
{
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

/* ---- lines ---- */

static void test_lines(void **state)
{
    static const struct {
        const char *parts[4]; /* each is carried before the next one is written */
        bool colour;
        const char *wanted;
    } rows[] = {
        {{"one\n"}, false, "> one\n"},
        {{"one\ntwo\n\nfour\n"}, false, "> one\n> two\n> \n> four\n"},
        {{"o", "n", "e\nt", "wo\n"}, false, "> one\n> two\n"},
        {{"no end"}, false, "> no end\n"},
        {{"one\nno end"}, false, "> one\n> no end\n"},
        {{"\n"}, false, "> \n"},
        {{"10%\r", "20%\r", "30%\n"}, false, "> 30%\n"},
        {{"\x1b[31mred\x1b[0m\n"}, false, "> red\n"},
        {{"\x1b[31mred\n"}, true, "> \x1b[31mred\x1b[0m\n"},
        {{"\x1b]0;ti", "tle\ax\n"}, true, "> x\n"},
        {{"\xC3", "\xBC\n"}, false, "> \xC3\xBC\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct relay relay;
        struct buf shown = {0};

        assert_int_equal(relay_open(&relay, false, (int[]){-1, -1}), 0);
        relay.colour = rows[i].colour;
        for (size_t part = 0; part < 4 && rows[i].parts[part]; part++) {
            put(relay.given[0], rows[i].parts[part]);
            assert_true(relay_carry(&relay, 0, "> ", &shown));
        }
        relay_started(&relay);
        assert_false(relay_carry(&relay, 0, "> ", &shown));
        assert_false(relay_carry(&relay, 0, "> ", &shown));
        relay_finish(&relay, "> ", &shown);
        if (!str_is(buf_str(&shown), rows[i].wanted))
            fail_msg("row %zu shows '%s', not '%s'", i, buf_text(&shown), rows[i].wanted);
        buf_release(&shown);
    }
}

/* Two unfinished lines at once do not mix. */
static void test_two_streams(void **state)
{
    struct scratch *scratch = *state;
    struct relay *relay = &scratch->relay;

    put(relay->given[0], "out ");
    put(relay->given[1], "err ");
    assert_true(relay_carry(relay, 0, "", &scratch->shown));
    assert_true(relay_carry(relay, 1, "", &scratch->shown));
    assert_int_equal(scratch->shown.len, 0);
    put(relay->given[1], "ends\n");
    assert_true(relay_carry(relay, 1, "", &scratch->shown));
    assert_string_equal(buf_text(&scratch->shown), "err ends\n");
    relay_finish(relay, "", &scratch->shown);
    assert_string_equal(buf_text(&scratch->shown), "err ends\nout \n");
    assert_file(scratch->files[0], str_of("out "));
    assert_file(scratch->files[1], str_of("err ends\n"));
}

static void test_not_copied(void **state)
{
    struct scratch *scratch = *state;
    struct relay relay;
    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(relay_open(&relay, false, (int[]){closed, -1}), 0);
    put(relay.given[0], "shown\n");
    assert_true(relay_carry(&relay, 0, "", &scratch->shown));
    assert_string_equal(buf_text(&scratch->shown), "shown\n");
    relay_finish(&relay, "", &scratch->shown);
    close(closed);
}

static void write_long(const int *which)
{
    static const char *const units[] = {"x", "\xC3\xBC", "\x80", "\xF0\x9F\x98\x80"};
    struct buf text = {0};

    buf_addc(&text, 'a'); /* so that no character ends where a piece does */
    while (text.len < 4 * RELAY_LINE_MOST)
        buf_adds(&text, units[*which]);
    _exit(fd_write_all(1, text.ptr, text.len) < 0);
}

/* Only the pieces of what is no UTF-8 are longer than what was written: its bytes are escapes. */
static void test_long_lines(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        struct scratch *scratch;
        size_t lines = 0;
        pid_t pid;

        assert_int_equal(setup((void **)&scratch), 0);
        pid = start(&scratch->relay, write_long, &which);
        carry_all(scratch, "");
        wait_for(pid);
        for (size_t i = 0; i < scratch->shown.len; i++)
            lines += scratch->shown.ptr[i] == '\n';
        if (lines < 4 || lines > 6)
            fail_msg("row %d is shown in %zu lines", which, lines);
        if (which != 2 && memchr(scratch->shown.ptr, '\\', scratch->shown.len))
            fail_msg("row %d: a character is cut in two", which);
        assert_int_equal(teardown((void **)&scratch), 0);
    }
}

/* ---- much ---- */

static void fill_large(struct buf *text)
{
    for (unsigned i = 0; text->len < LARGE; i++)
        buf_addf(text, "line %u of many\n", i);
}

static void write_large(const int *ends)
{
    struct buf text = {0};

    (void)ends;
    fill_large(&text);
    _exit(fd_write_all(1, text.ptr, text.len) < 0);
}

static void test_large(void **state)
{
    struct scratch *scratch = *state;
    struct buf wanted = {0};
    pid_t pid = start(&scratch->relay, write_large, NULL);

    carry_all(scratch, "");
    wait_for(pid);
    fill_large(&wanted);
    assert_true(str_eq(buf_str(&scratch->shown), buf_str(&wanted)));
    assert_file(scratch->files[0], buf_str(&wanted));
    buf_release(&wanted);
}

/* Its process has ended, and all it has written is still in the pipe. */
static void test_finish_drains(void **state)
{
    struct scratch *scratch = *state;
    struct buf wanted = {0};
    int size = fcntl(scratch->relay.ends[0], F_GETPIPE_SZ);

    while (wanted.len < (size_t)size)
        buf_addc(&wanted, wanted.len % 64 == 63 ? '\n' : 'x');
    assert_int_equal(fd_write_all(scratch->relay.given[0], wanted.ptr, wanted.len), 0);
    relay_finish(&scratch->relay, "", &scratch->shown);
    assert_true(str_eq(buf_str(&scratch->shown), buf_str(&wanted)));
    buf_release(&wanted);
}

static void write_bytes(const int *ends)
{
    (void)ends;
    for (int i = 0; i < 20000; i++)
        if (write(1, i % 10 == 9 ? "\n" : "x", 1) != 1)
            _exit(1);
}

static void test_bytes(void **state)
{
    struct scratch *scratch = *state;
    pid_t pid = start(&scratch->relay, write_bytes, NULL);

    carry_all(scratch, "");
    wait_for(pid);
    assert_int_equal(scratch->shown.len, 20000);
    for (size_t i = 0; i < scratch->shown.len; i++)
        assert_int_equal(scratch->shown.ptr[i], i % 10 == 9 ? '\n' : 'x');
}

static void write_for_ever(const int *ends)
{
    static char bytes[64 << 10];

    (void)ends;
    memset(bytes, 'x', sizeof bytes);
    while (fd_write_all(1, bytes, sizeof bytes) == 0)
        ;
}

static uint64_t size_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_size;
}

/* Who never ends keeps nobody for ever, and SIGPIPE ends him when the relay is over. */
static void test_endless(void **state)
{
    struct scratch *scratch = *state;
    struct relay *relay = &scratch->relay;
    pid_t pid = start(relay, write_for_ever, NULL);
    uint64_t before = 0;
    int status;

    for (int turn = 0; turn < 100; turn++) {
        struct pollfd fd = {relay->ends[0], POLLIN, 0};

        assert_int_equal(poll(&fd, 1, -1), 1);
        assert_true(relay_carry(relay, 0, "", &scratch->shown));
        assert_true(size_of(scratch->files[0]) - before <= RELAY_TURN);
        assert_true(relay->lines[0].len <= RELAY_LINE_MOST);
        before = size_of(scratch->files[0]);
    }
    relay_finish(relay, "", &scratch->shown);
    assert_true(size_of(scratch->files[0]) - before <= RELAY_DRAIN);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
}

/* ---- who stays ---- */

enum { HOLD, HELD };

/* Ends at once; somebody stays behind with its streams until `HELD` is closed. */
static void leave_somebody(const int *ends)
{
    char byte;

    if (fd_write_all(1, "left\nno end", 11) < 0)
        _exit(1);
    if (fork() == 0) {
        close(ends[HELD]);
        _exit((int)read(ends[HOLD], &byte, 1));
    }
}

static void test_grandchild(void **state)
{
    struct scratch *scratch = *state;
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid = start(&scratch->relay, leave_somebody, ends);
    wait_for(pid);
    relay_finish(&scratch->relay, "", &scratch->shown);
    assert_string_equal(buf_text(&scratch->shown), "left\nno end\n");
    assert_file(scratch->files[0], str_of("left\nno end"));
    close(ends[HOLD]);
    close(ends[HELD]);
}

/* ---- a terminal ---- */

static void look_at_terminal(const int *ends)
{
    struct termios modes;

    (void)ends;
    if (!isatty(1) || !isatty(2) || tcgetattr(1, &modes) < 0)
        _exit(1);
    if (fd_write_all(1, "out\n", 4) < 0 || fd_write_all(2, "err\n", 4) < 0)
        _exit(1);
    _exit(fd_write_all(1, "a\tb", 3) < 0);
}

static void test_pty(void **state)
{
    struct scratch *scratch = *state;
    pid_t pid;

    assert_int_equal(scratch->relay.ends[1], -1);
    assert_int_equal(scratch->relay.given[0], scratch->relay.given[1]);
    pid = start(&scratch->relay, look_at_terminal, NULL);
    carry_all(scratch, "| ");
    wait_for(pid);
    assert_string_equal(buf_text(&scratch->shown), "| out\n| err\n| a\tb\n");
    assert_file(scratch->files[0], str_of("out\nerr\na\tb"));
    assert_file(scratch->files[1], str_of(""));
}

/* In a process whose stdout is a terminal of a size of its own. */
static int check_size(void)
{
    const struct winsize wanted = {.ws_row = 33, .ws_col = 77};
    struct winsize size = {0};
    struct relay ours, relay;

    if (relay_open(&ours, true, (int[]){-1, -1}) < 0 || ioctl(ours.given[0], TIOCSWINSZ, &wanted) < 0 ||
        dup2(ours.given[0], STDOUT_FILENO) < 0 || relay_open(&relay, true, (int[]){-1, -1}) < 0)
        return 1;
    return ioctl(relay.given[0], TIOCGWINSZ, &size) < 0 || size.ws_row != 33 || size.ws_col != 77;
}

static void test_pty_size(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(check_size());
    wait_for(pid);
}

/* ---- bad luck ---- */

static void test_no_descriptors(void **state)
{
    static const int needed[] = {4, 2}; /* pipes, a pty */

    (void)state;
    for (int pty = 0; pty < 2; pty++)
        for (int room = 0; room < needed[pty]; room++) {
            int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0), before = proc_count_fds(getpid()) - 1, result;
            struct rlimit limit, few;
            struct relay relay;

            close(lowest);
            assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
            few = limit;
            few.rlim_cur = (rlim_t)(lowest + room);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
            result = relay_open(&relay, pty, (int[]){-1, -1});
            if (result == 0 || errno != EMFILE)
                fail_msg("room for %d: %s", room, strerror(errno));
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
            assert_int_equal(proc_count_fds(getpid()), before);
        }
}

static void test_blocking(void **state)
{
    struct scratch *scratch = *state;

    for (int end = 0; end < 2; end++) {
        if (scratch->relay.ends[end] >= 0)
            assert_true(fcntl(scratch->relay.ends[end], F_GETFL) & O_NONBLOCK);
        assert_false(fcntl(scratch->relay.given[end], F_GETFL) & O_NONBLOCK);
        assert_true(fcntl(scratch->relay.given[end], F_GETFD) & FD_CLOEXEC);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_PTY(name)                                     \
    {                                                      \
#name " of a pty", name, setup_pty, teardown, NULL \
    }
#define TEST_BOTH(name) TEST(name), TEST_PTY(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),    TEST(test_two_streams),
        TEST(test_not_copied),           cmocka_unit_test(test_long_lines),
        TEST_BOTH(test_large),           TEST(test_finish_drains),
        TEST_BOTH(test_bytes),           TEST(test_endless),
        TEST_BOTH(test_grandchild),      TEST_PTY(test_pty),
        cmocka_unit_test(test_pty_size), cmocka_unit_test(test_no_descriptors),
        TEST_BOTH(test_blocking),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
