#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/harness/harness.h"
#include "tests/unit/name_space.h"

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

static int setup_with(void **state, enum relay_kind kind)
{
    struct scratch *scratch = mem_zero(1, sizeof *scratch);

    scratch->fds_before = proc_count_fds(getpid());
    for (int end = 0; end < 2; end++)
        scratch->files[end] = memfd_create("copy", MFD_CLOEXEC);
    *state = scratch;
    if (relay_open(&scratch->relay, kind, scratch->files) < 0)
        return -1;
    scratch->relay.shown = true;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, RELAY_PIPES);
}

static int setup_terminal(void **state)
{
    return setup_with(state, RELAY_TERMINAL);
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

/* What a child has by its exec: the streams alone, and of a terminal, that it is the one of its session. */
static void become_case(const struct relay *relay)
{
    if (setsid() < 0 || (relay->kind != RELAY_PIPES && ioctl(relay->given[0], TIOCSCTTY, 0) < 0))
        _exit(1);
    if (dup2(relay->given[0], 1) < 0 || dup2(relay->given[1], 2) < 0)
        _exit(1);
    for (int end = 0; end < 2; end++) {
        close(relay->given[end]);
        close(relay->ends[end]);
    }
}

/* A process that writes into the relay; `life` is all it does. */
static pid_t start(struct relay *relay, body *life, const int *ends)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        become_case(relay);
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

static uint64_t size_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_size;
}

/* Carries until the process has ended, and finishes: as the loop does it. */
static void carry_until_end(struct scratch *scratch, const char *prefix, pid_t pid)
{
    struct relay *relay = &scratch->relay;
    int pidfd = pidfd_of(pid);
    bool open[2] = {relay->ends[0] >= 0, relay->ends[1] >= 0};

    for (;;) {
        struct pollfd fds[] = {{open[0] ? relay->ends[0] : -1, POLLIN, 0},
                               {open[1] ? relay->ends[1] : -1, POLLIN, 0},
                               {pidfd, POLLIN, 0}};

        assert_true(poll(fds, 3, -1) > 0 || errno == EINTR);
        if (fds[2].revents)
            break;
        for (int end = 0; end < 2; end++)
            if (fds[end].revents)
                open[end] = relay_carry(relay, end, prefix, &scratch->shown);
    }
    relay_finish(relay, prefix, &scratch->shown);
    wait_for(pid);
    close(pidfd);
    assert_int_equal(relay->ends[0], -1);
    assert_int_equal(relay->ends[1], -1);
    assert_int_equal(relay->given[0], -1);
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

        assert_int_equal(relay_open(&relay, RELAY_PIPES, (int[]){-1, -1}), 0);
        relay.shown = true;
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

/* It is shown all the same, and what comes later does not stand where it was to be. */
static void test_not_kept(void **state)
{
    struct scratch *scratch = *state;
    struct relay *relay = &scratch->relay;
    int closed = open("/dev/null", O_RDONLY | O_CLOEXEC), file = relay->files[0];

    relay->files[0] = closed;
    put(relay->given[0], "shown\n");
    assert_true(relay_carry(relay, 0, "", &scratch->shown));
    assert_string_equal(buf_text(&scratch->shown), "shown\n");
    assert_int_equal(relay->error, EBADF);
    assert_int_equal(dup3(file, closed, O_CLOEXEC), closed); /* as if there were room again */
    put(relay->given[0], "later\n");
    put(relay->given[1], "the other\n");
    relay_finish(relay, "", &scratch->shown);
    assert_int_equal(relay->error, EBADF);
    assert_file(file, str_of(""));
    assert_file(scratch->files[1], str_of("the other\n"));
    close(closed);
}

/* Nothing is held back for want of a newline, and nothing grows. */
static void test_not_shown(void **state)
{
    struct scratch *scratch = *state;
    struct relay *relay = &scratch->relay;

    relay->shown = false;
    put(relay->given[0], "one\ntw");
    assert_true(relay_carry(relay, 0, "> ", &scratch->shown));
    assert_file(scratch->files[0], str_of("one\ntw"));
    assert_int_equal(relay->lines[0].len, 0);
    put(relay->given[0], "o");
    relay_finish(relay, "> ", &scratch->shown);
    assert_int_equal(scratch->shown.len, 0);
    assert_file(scratch->files[0], str_of("one\ntwo"));
}

static void test_hidden(void **state)
{
    struct scratch *scratch = *state;
    struct relay *relay = &scratch->relay;
    struct mask *mask = mask_new();

    mask_add(mask, str_of("the secret"));
    relay->mask = mask;
    for (int shown = 0; shown < 2; shown++) {
        relay->shown = shown;
        put(relay->given[0], "it is the se");
        assert_true(relay_carry(relay, 0, "", &scratch->shown));
        put(relay->given[0], "cret\n");
        assert_true(relay_carry(relay, 0, "", &scratch->shown));
    }
    relay_finish(relay, "", &scratch->shown);
    assert_string_equal(buf_text(&scratch->shown), "it is ***\n");
    assert_file(scratch->files[0], str_of("it is ***\nit is ***\n"));
    mask_free(mask);
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
        carry_until_end(scratch, "", pid);
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

    carry_until_end(scratch, "", pid);
    fill_large(&wanted);
    assert_true(str_eq(buf_str(&scratch->shown), buf_str(&wanted)));
    assert_file(scratch->files[0], buf_str(&wanted));
    buf_release(&wanted);
}

/* Its process has ended, and all it has written is still there. So much that no more goes in. */
static void fill(int fd, struct buf *wanted)
{
    char unit[64];
    ssize_t wrote;

    memset(unit, 'x', sizeof unit);
    unit[sizeof unit - 1] = '\n';
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while ((wrote = write(fd, unit, sizeof unit)) > 0)
        buf_add(wanted, unit, (size_t)wrote);
    assert_int_equal(errno, EAGAIN);
}

static void test_finish_drains(void **state)
{
    struct scratch *scratch = *state;
    struct buf wanted[2] = {0};

    for (int end = 0; end < 2 && scratch->relay.ends[end] >= 0; end++)
        fill(scratch->relay.given[end], &wanted[end]);
    assert_true(wanted[0].len > 4096);
    relay_finish(&scratch->relay, "", &scratch->shown);
    for (int end = 0; end < 2; end++) {
        assert_file(scratch->files[end], buf_str(&wanted[end]));
        buf_release(&wanted[end]);
    }
}

/* Whoever writes may make the pipe as large as he is allowed to. */
static void test_finish_drains_what_was_made_larger(void **state)
{
    struct scratch *scratch = *state;
    struct buf wanted = {0};
    int size = fcntl(scratch->relay.given[0], F_SETPIPE_SZ, 1 << 20);

    if (size < 0)
        skip();
    fill(scratch->relay.given[0], &wanted);
    assert_int_equal(wanted.len, size);
    relay_finish(&scratch->relay, "", &scratch->shown);
    assert_true(str_eq(buf_str(&scratch->shown), buf_str(&wanted)));
    assert_file(scratch->files[0], buf_str(&wanted));
    buf_release(&wanted);
}

#define PACKET  3000 /* no whole number of them is what is read at a time */
#define PACKETS 2000

static void write_packets(const int *ends)
{
    char packet[PACKET];

    (void)ends;
    memset(packet, 'x', sizeof packet);
    if (fcntl(1, F_SETFL, O_DIRECT) < 0)
        _exit(1);
    for (int i = 0; i < PACKETS; i++)
        if (write(1, packet, sizeof packet) != sizeof packet)
            _exit(1);
}

static void test_packets(void **state)
{
    struct scratch *scratch = *state;

    scratch->relay.shown = false;
    carry_until_end(scratch, "", start(&scratch->relay, write_packets, NULL));
    assert_int_equal(size_of(scratch->files[0]), PACKET * PACKETS);
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

    carry_until_end(scratch, "", pid);
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
    pause(); /* a signal is on its way */
}

/* Who never ends keeps nobody for ever, and when the relay is over he cannot write any more. */
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
        assert_true(size_of(scratch->files[0]) - before <= RELAY_TURN + RELAY_READ);
        assert_true(relay->lines[0].len <= RELAY_LINE_MOST);
        before = size_of(scratch->files[0]);
    }
    relay_finish(relay, "", &scratch->shown);
    assert_true(size_of(scratch->files[0]) - before <= RELAY_DRAIN + RELAY_READ);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), relay->kind == RELAY_PIPES ? SIGPIPE : SIGHUP);
}

/* ---- who stays ---- */

enum { HOLD, HELD, HEARD, SAYS }; /* two pipes: what keeps somebody there, and what he says */

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

static void test_terminal(void **state)
{
    struct scratch *scratch = *state;
    pid_t pid;

    assert_int_equal(scratch->relay.ends[1], -1);
    assert_int_equal(scratch->relay.given[0], scratch->relay.given[1]);
    pid = start(&scratch->relay, look_at_terminal, NULL);
    carry_until_end(scratch, "| ", pid);
    assert_string_equal(buf_text(&scratch->shown), "| out\n| err\n| a\tb\n");
    assert_file(scratch->files[0], str_of("out\nerr\na\tb"));
    assert_file(scratch->files[1], str_of(""));
}

/* As a daemon does it, or a script with `exec >log`. */
static void come_back(const int *ends)
{
    char byte;
    int terminal;

    close(1);
    close(2);
    close(ends[HELD]);
    if (write(ends[SAYS], "c", 1) != 1 || read(ends[HOLD], &byte, 1) != 0)
        _exit(1);
    terminal = open("/dev/tty", O_WRONLY);
    _exit(terminal < 0 || fd_write_all(terminal, "back", 4) < 0);
}

/* Nobody has it open for a while but us: that is no end, and nobody is hung up on. */
static void test_nobody_has_the_terminal(void **state)
{
    struct scratch *scratch = *state;
    int ends[4];
    char said;
    pid_t pid;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ends + 2, O_CLOEXEC), 0);
    pid = start(&scratch->relay, come_back, ends);
    assert_int_equal(read(ends[HEARD], &said, 1), 1);
    assert_true(relay_carry(&scratch->relay, 0, "", &scratch->shown));
    close(ends[HELD]);
    carry_until_end(scratch, "", pid);
    assert_file(scratch->files[0], str_of("back"));
    close(ends[HOLD]);
    close(ends[HEARD]);
    close(ends[SAYS]);
}

/* In a process whose stdout is a terminal of a size of its own, or none. */
static int check_size(enum relay_kind kind, const struct winsize *ours, const struct winsize *wanted)
{
    struct winsize size = {0};
    struct relay terminal, relay;

    close(STDERR_FILENO);
    if (relay_open(&terminal, RELAY_TERMINAL, (int[]){-1, -1}) < 0)
        return 1;
    if (!ours)
        close(STDOUT_FILENO);
    else if (ioctl(terminal.given[0], TIOCSWINSZ, ours) < 0 || dup2(terminal.given[0], STDOUT_FILENO) < 0)
        return 1;
    if (relay_open(&relay, kind, (int[]){-1, -1}) < 0 || ioctl(relay.given[0], TIOCGWINSZ, &size) < 0)
        return 1;
    return size.ws_row != wanted->ws_row || size.ws_col != wanted->ws_col;
}

static void test_size(void **state)
{
    static const struct winsize usual = {24, 80, 0, 0}, ours = {33, 77, 0, 0}, unknown = {0, 0, 0, 0};
    static const struct {
        enum relay_kind kind;
        const struct winsize *ours, *wanted;
    } rows[] = {
        {RELAY_LIKE_TERMINAL, &ours, &ours}, {RELAY_LIKE_TERMINAL, &unknown, &usual},
        {RELAY_LIKE_TERMINAL, NULL, &usual}, {RELAY_TERMINAL, &ours, &usual},
        {RELAY_TERMINAL, &unknown, &usual},  {RELAY_TERMINAL, NULL, &usual},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int status;
        pid_t pid = fork();

        if (pid == 0)
            _exit(check_size(rows[i].kind, rows[i].ours, rows[i].wanted));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (status != 0)
            fail_msg("row %zu: the size is another one", i);
    }
}

/* ---- bad luck ---- */

static void test_no_descriptors(void **state)
{
    static const int needed[] = {[RELAY_PIPES] = 4, [RELAY_TERMINAL] = 2, [RELAY_LIKE_TERMINAL] = 2};

    (void)state;
    for (size_t kind = 0; kind < ARRAY_LEN(needed); kind++)
        for (int room = 0; room < needed[kind]; room++) {
            int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0), before = proc_count_fds(getpid()) - 1, result;
            struct rlimit limit, few;
            struct relay relay;

            close(lowest);
            assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
            few = limit;
            few.rlim_cur = (rlim_t)(lowest + room);
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
            result = relay_open(&relay, (enum relay_kind)kind, (int[]){-1, -1});
            if (result == 0 || errno != EMFILE)
                fail_msg("kind %zu, room for %d: %s", kind, room, strerror(errno));
            assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
            assert_int_equal(proc_count_fds(getpid()), before);
        }
}

/* Where there are as many as one: the next is to be had when that is given back. */
static int take_the_last(void)
{
    struct relay first, second;

    if (mount("devpts", "/dev/pts", "devpts", 0, "newinstance,ptmxmode=0666,max=1") < 0)
        return NO_NAMESPACE;
    if (relay_open(&first, RELAY_TERMINAL, (int[]){-1, -1}) < 0)
        return 1;
    if (relay_open(&second, RELAY_TERMINAL, (int[]){-1, -1}) == 0 || errno != EAGAIN)
        return 2;
    relay_finish(&first, "", &(struct buf){0});
    return relay_open(&second, RELAY_TERMINAL, (int[]){-1, -1}) < 0 ? 3 : 0;
}

static void test_no_terminals(void **state)
{
    int result = alone(take_the_last);

    (void)state;
    if (result == NO_NAMESPACE)
        skip();
    assert_int_equal(result, 0);
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
#define TEST_TERMINAL(name)                                          \
    {                                                                \
#name " of a terminal", name, setup_terminal, teardown, NULL \
    }
#define TEST_BOTH(name) TEST(name), TEST_TERMINAL(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        TEST(test_two_streams),
        TEST(test_not_kept),
        TEST_BOTH(test_not_shown),
        TEST_BOTH(test_hidden),
        cmocka_unit_test(test_long_lines),
        TEST_BOTH(test_large),
        TEST_BOTH(test_finish_drains),
        TEST(test_finish_drains_what_was_made_larger),
        TEST(test_packets),
        TEST_BOTH(test_bytes),
        TEST_BOTH(test_endless),
        TEST_BOTH(test_grandchild),
        TEST_TERMINAL(test_terminal),
        TEST_TERMINAL(test_nobody_has_the_terminal),
        cmocka_unit_test(test_size),
        cmocka_unit_test(test_no_descriptors),
        cmocka_unit_test(test_no_terminals),
        TEST_BOTH(test_blocking),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
