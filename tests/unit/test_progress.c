#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/screen/internal.h"
#include "tests/unit/forks.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define S(literal) ((struct str)STR(literal))
#define ID         S("proto@backend=exec")

/* ---- style ---- */

static const char *const variables[] = {"NO_COLOR",     "FORCE_COLOR",  "CLICOLOR",   "CLICOLOR_FORCE",
                                        "CI",           "TERM",         "WT_SESSION", "ConEmuANSI",
                                        "TERM_PROGRAM", "TERM_FEATURES"};

/* "TERM=xterm CI=1" and nothing else of what matters. */
static void set_environment(const char *text)
{
    char *copy = strdup(text), *rest = copy, *word;

    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    while ((word = strsep(&rest, " "))) {
        char *value = strchr(word, '=');

        if (!value)
            continue;
        *value = '\0';
        setenv(word, value + 1, 1);
    }
    free(copy);
}

static void test_style(void **state)
{
    static const struct {
        const char *environment, *option;
        bool terminal, colour, live, osc;
    } rows[] = {
        {"", NULL, true, false, false, false},
        {"TERM=xterm", NULL, true, true, true, false},
        {"TERM=xterm", NULL, false, false, false, false},
        {"TERM=xterm", "auto", true, true, true, false},
        {"TERM=xterm", "never", true, false, true, false},
        {"TERM=dumb", NULL, true, false, false, false},
        {"TERM=dumb", "always", true, true, false, false},
        {"NO_COLOR=1 FORCE_COLOR=1 TERM=xterm", NULL, true, false, true, false},
        {"NO_COLOR=1", "always", false, true, false, false},
        {"NO_COLOR= TERM=xterm", NULL, true, true, true, false},
        {"FORCE_COLOR=1", NULL, false, true, false, false},
        {"FORCE_COLOR=0", NULL, false, false, false, false},
        {"FORCE_COLOR=1", "never", false, false, false, false},
        {"CLICOLOR_FORCE=1 CLICOLOR=0", NULL, false, true, false, false},
        {"CLICOLOR_FORCE=0 TERM=xterm", NULL, true, true, true, false},
        {"CLICOLOR=0 TERM=xterm", NULL, true, false, true, false},
        {"CLICOLOR=1 TERM=xterm", NULL, false, false, false, false},
        {"CI=true TERM=xterm", NULL, true, true, false, false},
        {"CI= TERM=xterm WT_SESSION=x", NULL, true, true, true, true},
        {"CI=1 TERM=xterm WT_SESSION=x", NULL, true, true, false, false},
        {"TERM=xterm WT_SESSION=x", NULL, false, false, false, false},
        {"TERM=xterm ConEmuANSI=OFF", NULL, true, true, true, false},
        {"TERM=xterm TERM_PROGRAM=WezTerm", NULL, true, true, true, true},
        {"TERM=xterm TERM_PROGRAM=Apple_Terminal", NULL, true, true, true, false},
        {"TERM=xterm-ghostty", NULL, true, true, true, true},
        {"TERM=xterm TERM_FEATURES=T3CwPB", NULL, true, true, true, true},
        {"TERM=xterm TERM_FEATURES=T3CwPaB", NULL, true, true, true, false},
    };
    int master, slave, file = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = rows[i].terminal ? slave : file;
        struct progress_style style;

        set_environment(rows[i].environment);
        progress_style(&style, fd, rows[i].option);
        if (style.colour != rows[i].colour || style.live != rows[i].live || style.osc != rows[i].osc)
            fail_msg("'%s' with --color=%s: colour %d, live %d, osc %d", rows[i].environment,
                     rows[i].option ? rows[i].option : "", style.colour, style.live, style.osc);
        assert_int_equal(style.fd, fd);
    }
    set_environment("TERM=xterm");
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &(struct winsize){.ws_col = 123}), 0);
    assert_int_equal(progress_width(slave), 123);
    assert_int_equal(ioctl(slave, TIOCSWINSZ, &(struct winsize){.ws_col = 0}), 0);
    assert_int_equal(progress_width(slave), 80);
    assert_int_equal(progress_width(file), 0);
    close(master);
    close(slave);
    close(file);
}

/* ---- what is written, write by write ---- */

/* Each write is a message of its own. */
struct stage {
    int ends[2];
    struct progress *progress;
    struct buf all;
};

static void stage_open(struct stage *stage, struct progress_style style, uint32_t cases)
{
    style.wake = -1;
    *stage = (struct stage){.ends = {-1, -1}};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, stage->ends), 0);
    style.fd = stage->ends[1];
    stage->progress = progress_new(&style, cases);
}

/* Adds what was written to `all`; how many writes it were. */
static uint32_t stage_take(struct stage *stage)
{
    char message[8192];
    uint32_t writes = 0;
    ssize_t got;

    while ((got = recv(stage->ends[0], message, sizeof message, MSG_DONTWAIT)) > 0) {
        buf_add(&stage->all, message, (size_t)got);
        writes++;
    }
    return writes;
}

static void stage_expect(struct stage *stage, const char *text)
{
    buf_clear(&stage->all);
    assert_int_equal(stage_take(stage), *text ? 1 : 0);
    assert_string_equal(buf_text(&stage->all), text);
}

static void stage_close(struct stage *stage)
{
    progress_free(stage->progress);
    close(stage->ends[0]);
    close(stage->ends[1]);
    buf_release(&stage->all);
}

static struct journal_attempt attempt(enum verdict verdict)
{
    return (struct journal_attempt){.attempt = 1,
                                    .verdict = verdict,
                                    .outcome = verdict,
                                    .last = true,
                                    .reason = S("because"),
                                    .duration = 1234 * NS_PER_MS};
}

static void end_case(struct progress *progress, enum verdict verdict)
{
    struct journal_attempt ended = attempt(verdict);

    progress_ended(progress, 0, ID, &ended, NULL);
}

static void test_lines_of_verdicts(void **state)
{
    static const struct {
        enum verdict verdict;
        int level;
        const char *line;
    } rows[] = {
        {VERDICT_PASSED, 1, "PASS        1.23s  proto@backend=exec: because\n"},
        {VERDICT_FLAKY, 0, "FLAKY       1.23s  proto@backend=exec: because\n"},
        {VERDICT_XPASSED, 1, "XPASS       1.23s  proto@backend=exec: because\n"},
        {VERDICT_SKIPPED, 1, "SKIP        1.23s  proto@backend=exec: because\n"},
        {VERDICT_XFAILED, 1, "XFAIL       1.23s  proto@backend=exec: because\n"},
        {VERDICT_FAILED, -1, "FAIL        1.23s  proto@backend=exec: because\n"},
        {VERDICT_CRASHED, -1, "CRASH       1.23s  proto@backend=exec: because\n"},
        {VERDICT_TIMEOUT, -1, "TIMEOUT     1.23s  proto@backend=exec: because\n"},
        {VERDICT_ERROR, -1, "ERROR       1.23s  proto@backend=exec: because\n"},
        {VERDICT_NOT_RUN, 1, "NOT RUN     1.23s  proto@backend=exec: because\n"},
    };

    (void)state;
    for (int verbose = -2; verbose <= 2; verbose++) {
        struct stage stage;

        stage_open(&stage, (struct progress_style){.verbose = verbose}, 10);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            end_case(stage.progress, rows[i].verdict);
            stage_expect(&stage, verbose >= rows[i].level ? rows[i].line : "");
        }
        stage_close(&stage);
    }
}

/* A case that tells of its tests says how many they are. */
static void test_numbers_of_tests(void **state)
{
    static const struct {
        struct journal_results results;
        const char *line;
    } rows[] = {
        {{.verdicts = {[VERDICT_PASSED] = 1}}, "PASS        1.23s  proto@backend=exec (1 test): because\n"},
        {{.verdicts = {[VERDICT_PASSED] = 999}},
         "PASS        1.23s  proto@backend=exec (999 tests): because\n"},
        {{.verdicts = {[VERDICT_PASSED] = 1, [VERDICT_NOT_RUN] = 1}, .unlisted = 1234565},
         "PASS        1.23s  proto@backend=exec (1,234,567 tests): because\n"},
        {{.announced = -1}, "PASS        1.23s  proto@backend=exec: because\n"},
    };
    struct stage stage;

    (void)state;
    stage_open(&stage, (struct progress_style){.verbose = 1}, 10);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_attempt ended = attempt(VERDICT_PASSED);

        ended.results = &rows[i].results;
        progress_ended(stage.progress, 0, ID, &ended, NULL);
        stage_expect(&stage, rows[i].line);
    }
    stage_close(&stage);
}

static void test_lines_of_events(void **state)
{
    struct journal_attempt a = attempt(VERDICT_FAILED);
    struct progress_again again = {.most = 2};
    struct stage stage;

    (void)state;
    stage_open(&stage, (struct progress_style){.verbose = 2}, 10);
    progress_started(stage.progress, 0, ID, 0);
    stage_expect(&stage, "START              proto@backend=exec\n");
    progress_slow(stage.progress, ID, 61 * NS_PER_S, "out\n/1");
    stage_expect(&stage, "SLOW       61.00s  proto@backend=exec: tail -f out\\n/1\n");
    progress_slow(stage.progress, ID, 61 * NS_PER_S, NULL);
    stage_expect(&stage, "SLOW       61.00s  proto@backend=exec\n");
    progress_ending(stage.progress, ID, "deadline");
    stage_expect(&stage, "ENDING             proto@backend=exec: deadline\n");
    a.last = false;
    progress_ended(stage.progress, 0, ID, &a, &again);
    stage_expect(&stage, "RETRY       1.23s  1/2 proto@backend=exec: because\n");
    again.wait = 1500 * NS_PER_MS;
    progress_ended(stage.progress, 0, ID, &a, &again);
    stage_expect(&stage, "RETRY       1.23s  1/2 proto@backend=exec: because; again in 1.5s\n");
    again.at_end = true;
    progress_ended(stage.progress, 0, ID, &a, &again);
    stage_expect(&stage,
                 "RETRY       1.23s  1/2 proto@backend=exec: because; again when all others are over, not "
                 "before 1.5s from now\n");
    again.wait = 0;
    progress_ended(stage.progress, 0, ID, &a, &again);
    stage_expect(&stage,
                 "RETRY       1.23s  1/2 proto@backend=exec: because; again when all others are over\n");
    a = attempt(VERDICT_FLAKY);
    a.attempt = 2;
    a.reason.len = 0;
    progress_ended(stage.progress, 0, ID, &a, &again);
    stage_expect(&stage, "FLAKY       1.23s  proto@backend=exec (attempt 2)\n");
    a = attempt(VERDICT_FAILED);
    a.quarantined = true;
    progress_ended(stage.progress, 0, ID, &a, &again);
    stage_expect(&stage, "FAIL        1.23s  proto@backend=exec: because (quarantined)\n");
    progress_line(stage.progress, "%d cells", 5);
    stage_expect(&stage, "5 cells\n");
    progress_warn(stage.progress, "'%s' is new", "\x1b[2J");
    stage_expect(&stage, "warning: '\\x1b[2J' is new\n");
    progress_output(stage.progress, S("a\nb\n"));
    stage_expect(&stage, "a\nb\n");
    progress_output(stage.progress, S(""));
    progress_draw(stage.progress, 0, -1);
    progress_hide(stage.progress);
    stage_expect(&stage, "");
    stage_close(&stage);
}

static void test_status(void **state)
{
    static const struct progress_running running[] = {
        {.id = STR("kv@a=1"),
         .attempt = 1,
         .running = 12345 * NS_PER_MS,
         .state = "call",
         .last_line = STR("wait\tfor \x1b[1m")},
        {.id = STR("kv@a=2"), .attempt = 2, .state = "set-up", .path = "out/stdout"},
    };
    struct journal_attempt dropped = attempt(VERDICT_NOT_RUN);
    struct stage stage;

    (void)state;
    stage_open(&stage, (struct progress_style){.verbose = -2}, 9);
    end_case(stage.progress, VERDICT_PASSED);
    end_case(stage.progress, VERDICT_FAILED);
    progress_dropped(stage.progress, &dropped);
    progress_status(stage.progress, running, 2, 4);
    stage_expect(&stage, "[3/9] 1 failed, 1 not run  2 running, 4 waiting\n"
                         "      12.3s  kv@a=1 (call)\n"
                         "             wait\\tfor \\x1b[1m\n"
                         "       0.0s  kv@a=2 (set-up, attempt 2)\n"
                         "             tail -f out/stdout\n");
    progress_resting(stage.progress, 2);
    progress_status(stage.progress, running, 0, 4);
    stage_expect(&stage, "[3/9] 1 failed, 1 not run, 2 wait to be run again  0 running, 4 waiting\n");
    progress_resting(stage.progress, 1);
    progress_status(stage.progress, running, 0, 4);
    stage_expect(&stage, "[3/9] 1 failed, 1 not run, 1 waits to be run again  0 running, 4 waiting\n");
    stage_close(&stage);
}

static void test_colour(void **state)
{
    struct stage stage;

    (void)state;
    stage_open(&stage, (struct progress_style){.verbose = 1, .colour = true}, 9);
    end_case(stage.progress, VERDICT_PASSED);
    stage_expect(&stage, "\x1b[32mPASS   \x1b[0m     1.23s  proto@backend=exec: because\n");
    end_case(stage.progress, VERDICT_FAILED);
    stage_expect(&stage, "\x1b[31mFAIL   \x1b[0m     1.23s  proto@backend=exec: because\n");
    progress_warn(stage.progress, "x");
    stage_expect(&stage, "\x1b[33mwarning: \x1b[0mx\n");
    stage_close(&stage);
}

/* Whatever a case is called and says, no byte of it steers the terminal. */
static void test_nothing_steers(void **state)
{
    static const char evil[] = "\x1b]0;t\x07\x1b[2J\r\n\b\x7f\xc2\x9b"
                               "1m\xe2\x80\xae\xff";
    struct str text = {evil, sizeof evil}; /* with its NUL */
    struct progress_running running = {
        .id = text, .attempt = 1, .state = "call", .last_line = text, .path = evil};
    struct journal_attempt a = attempt(VERDICT_FAILED);
    struct stage stage;
    uint32_t lines = 0;

    (void)state;
    stage_open(&stage, (struct progress_style){.verbose = 2}, 9);
    a.reason = text;
    progress_started(stage.progress, 0, text, 0);
    progress_slow(stage.progress, text, 0, evil);
    progress_ending(stage.progress, text, evil);
    progress_ended(stage.progress, 0, text, &a, NULL);
    progress_warn(stage.progress, "%s", evil);
    progress_status(stage.progress, &running, 1, 0);
    stage_take(&stage);
    for (size_t i = 0; i < stage.all.len; i++) {
        lines += stage.all.ptr[i] == '\n';
        if (stage.all.ptr[i] != '\n' && ((unsigned char)stage.all.ptr[i] < ' ' || stage.all.ptr[i] == 0x7f))
            fail_msg("byte %#x at %zu", stage.all.ptr[i], i);
    }
    assert_int_equal(lines, 5 + 4);
    assert_int_equal(utf8_valid_until(buf_str(&stage.all)), stage.all.len);
    assert_null(strstr(buf_text(&stage.all), "\xc2\x9b"));
    assert_null(strstr(buf_text(&stage.all), "\xe2\x80\xae"));
    stage_close(&stage);
}

/* A write to -1 would fail, and be noticed. */
static void test_a_pass_costs_no_call(void **state)
{
    const struct progress_style style = {.wake = -1, .fd = -1};
    struct progress *progress = progress_new(&style, 1000);

    (void)state;
    for (int i = 0; i < 1000; i++) {
        progress_started(progress, 0, ID, i);
        end_case(progress, VERDICT_PASSED);
        end_case(progress, VERDICT_SKIPPED);
        progress_draw(progress, i * NS_PER_S, -1);
    }
    assert_false(progress_broken(progress));
    end_case(progress, VERDICT_FAILED);
    assert_true(progress_broken(progress));
    end_case(progress, VERDICT_FAILED);
    progress_free(progress);
}

static void test_a_minute_of_silence(void **state)
{
    static const struct {
        nanos at;
        enum verdict verdict;
        const char *line;
    } rows[] = {
        {3600 * NS_PER_S, VERDICT_PASSED, ""}, /* a run that is resumed begins late */
        {3659 * NS_PER_S, VERDICT_PASSED, ""},
        {3660 * NS_PER_S, VERDICT_PASSED, "[3/9]  1:01:00\n"},
        {3719 * NS_PER_S, VERDICT_PASSED, ""},
        {3719 * NS_PER_S, VERDICT_FAILED, "FAIL        0.00s  proto@backend=exec: because\n"},
        {3778 * NS_PER_S, VERDICT_SKIPPED, ""},
        {3779 * NS_PER_S, VERDICT_PASSED, "[7/9] 1 failed, 1 skipped  1:02:59\n"},
    };
    struct stage stage;

    (void)state;
    stage_open(&stage, (struct progress_style){0}, 9);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct journal_attempt a = attempt(rows[i].verdict);

        a.at = rows[i].at;
        a.duration = 0;
        progress_ended(stage.progress, 0, ID, &a, NULL);
        stage_expect(&stage, rows[i].line);
    }
    stage_close(&stage);
}

/* ---- the live line ---- */

/* What a terminal shows after these bytes; only what we write is known to it. */
static void show(struct str bytes, struct buf *screen)
{
    size_t line = 0, column = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        struct str rest = str_slice(bytes, i, bytes.len);

        if (str_starts(rest, "\x1b[K")) {
            screen->len = line + column;
            i += 2;
        } else if (*rest.ptr == '\r') {
            column = 0;
        } else if (*rest.ptr == '\n') {
            buf_addc(screen, '\n');
            line = screen->len;
            column = 0;
        } else {
            assert_true(*rest.ptr != '\x1b');
            if (line + column == screen->len)
                buf_addc(screen, ' ');
            screen->ptr[line + column++] = *rest.ptr;
        }
    }
    buf_reserve(screen, 0);
    screen->ptr[screen->len] = '\0';
}

static void expect_screen(struct stage *stage, const char *text)
{
    struct buf screen = {0};

    stage_take(stage);
    show(buf_str(&stage->all), &screen);
    assert_string_equal(buf_text(&screen), text);
    buf_release(&screen);
}

static void test_live(void **state)
{
    struct stage stage;

    (void)state;
    stage_open(&stage, (struct progress_style){.live = true}, 340);
    progress_started(stage.progress, 1, S("clients"), 40 * NS_PER_S);
    progress_started(stage.progress, 0, ID, 0);
    progress_draw(stage.progress, 0, -1);
    progress_draw(stage.progress, 41 * NS_PER_S, 130 * NS_PER_S);
    expect_screen(&stage, "[0/340]  00:41 left 02:10  proto@backend=exec 41s, clients 1s");
    end_case(stage.progress, VERDICT_FAILED);
    assert_int_equal(stage_take(&stage), 1);
    progress_line(stage.progress, "a line");
    assert_int_equal(stage_take(&stage), 1);
    expect_screen(&stage, "FAIL        1.23s  proto@backend=exec: because\na line\n"
                          "[0/340]  00:41 left 02:10  proto@backend=exec 41s, clients 1s");
    progress_draw(stage.progress, 42 * NS_PER_S, -1);
    expect_screen(&stage, "FAIL        1.23s  proto@backend=exec: because\na line\n"
                          "[1/340] 1 failed  00:42  clients 2s");
    progress_hide(stage.progress);
    expect_screen(&stage, "FAIL        1.23s  proto@backend=exec: because\na line\n");
    progress_hide(stage.progress);
    assert_int_equal(stage_take(&stage), 0);
    progress_draw(stage.progress, 42 * NS_PER_S, -1);
    progress_warn(stage.progress, "end");
    stage_take(&stage);
    progress_free(stage.progress);
    expect_screen(&stage, "FAIL        1.23s  proto@backend=exec: because\na line\nwarning: end\n");
    stage.progress = NULL;
    stage_close(&stage);
}

static void test_ten_times_a_second(void **state)
{
    struct stage stage;
    uint32_t writes;

    (void)state;
    stage_open(&stage, (struct progress_style){.live = true}, 100000);
    for (uint32_t i = 0; i < 10000; i++) {
        end_case(stage.progress, VERDICT_PASSED);
        progress_draw(stage.progress, i * NS_PER_MS, -1);
        if (i % 100 == 50)
            assert_true(stage_take(&stage) <= 2);
    }
    buf_clear(&stage.all);
    progress_draw(stage.progress, 20 * NS_PER_S, -1);
    progress_draw(stage.progress, 20 * NS_PER_S + 500 * NS_PER_MS,
                  -1); /* nothing that is shown has changed */
    writes = stage_take(&stage);
    assert_true(writes >= 1 && writes <= 2);
    stage_close(&stage);
}

static void test_osc(void **state)
{
    static const char *const in_order[] = {"\x1b]9;4;1;0\x1b\\", "\x1b]9;4;1;50\x1b\\", "\x1b]9;4;0;0\x1b\\",
                                           "\x1b]9;4;2;75\x1b\\", "\x1b]9;4;0;0\x1b\\"};
    struct stage stage;
    const char *at;

    (void)state;
    stage_open(&stage, (struct progress_style){.live = true, .osc = true, .verbose = -1}, 4);
    progress_draw(stage.progress, 0, -1);
    end_case(stage.progress, VERDICT_PASSED);
    end_case(stage.progress, VERDICT_PASSED);
    progress_draw(stage.progress, NS_PER_S, -1);
    progress_draw(stage.progress, 2 * NS_PER_S, -1);
    progress_hide(stage.progress);
    end_case(stage.progress, VERDICT_FAILED);
    progress_draw(stage.progress, 3 * NS_PER_S, -1);
    progress_free(stage.progress);
    stage_take(&stage);
    at = buf_text(&stage.all);
    for (size_t i = 0; i < ARRAY_LEN(in_order); i++) {
        at = strstr(at, in_order[i]);
        if (!at)
            fail_msg("number %zu is not there", i);
        at += strlen(in_order[i]);
    }
    assert_null(strstr(at, "]9;"));
    stage.progress = NULL;
    stage_close(&stage);
}

static uint32_t columns_of(struct str text)
{
    uint32_t columns = 0;

    for (size_t at = 0; at < text.len;) {
        struct str rest = str_slice(text, at, text.len);

        assert_true(utf8_length(rest) > 0);
        columns += utf8_decode(rest) < 0x1100 ? 1 : 2;
        at += utf8_length(rest);
    }
    return columns;
}

/* Of any width, and with names that are wide, long, or no UTF-8. */
static void test_line_fits(void **state)
{
    static const char *const names[] = {
        "a",
        "proto::nested/depth=3@backend=exec,transport=uds",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
        "\xff\xff\xff\xff\xff\xff",
        "gr\xc3\xb6\xc3\x9f\x65",
        ""};
    struct buf line = {0};

    (void)state;
    for (uint32_t width = 1; width < 160; width++)
        for (uint32_t count = 0; count < 12; count++) {
            struct live live = {.cases = 340, .done = 12, .counts = {[COUNT_FAILED] = 3}};

            for (uint32_t i = 0; i < count; i++)
                live_started(&live, i, str_of(names[(i + width) % ARRAY_LEN(names)]), i * NS_PER_S);
            buf_clear(&line);
            live_line(&live, 4000 * NS_PER_S, 100, width, &line);
            if (columns_of(buf_str(&line)) > width)
                fail_msg("%u columns of %u: %s", columns_of(buf_str(&line)), width, buf_text(&line));
            live_release(&live);
        }
    buf_release(&line);
}

static void test_oldest_first(void **state)
{
    struct live live = {.cases = 9};
    struct buf line = {0};

    (void)state;
    live_started(&live, 0, S("third"), 3 * NS_PER_S);
    live_started(&live, 1, S("first"), NS_PER_S);
    live_started(&live, 7, S("second"), NS_PER_S);
    live_line(&live, 100 * NS_PER_S, -1, 100, &line);
    assert_string_equal(buf_text(&line), "[0/9]  01:40  first 1m39s, second 1m39s, third 1m37s");
    live_ended(&live, 1, S("another"));
    live_ended(&live, 99, S("second"));
    live_ended(&live, 7, S("second"));
    live_started(&live, 0, S("a-longer-one-than-there-is-room-for"), 99 * NS_PER_S);
    buf_clear(&line);
    live_line(&live, 4000 * NS_PER_S, 3600 * NS_PER_S, 64, &line);
    assert_string_equal(buf_text(&line), "[0/9]  1:06:40 left 1:00:00  first 1h06m, a-longer-one-... 1h05m");
    live_release(&live);
    buf_release(&line);
}

/* ---- output that does not take what is written ---- */

static void test_nobody_reads(void **state)
{
    const struct progress_style plain = {.wake = -1, .verbose = 1};
    struct progress_style style = plain;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    style.fd = ends[1];
    close(ends[0]);
    for (int live = 0; live < 2; live++) {
        struct progress *progress;

        style.live = live;
        progress = progress_new(&style, 3);
        assert_false(progress_broken(progress));
        if (live)
            progress_draw(progress, 0, -1);
        else
            end_case(progress, VERDICT_PASSED);
        assert_true(progress_broken(progress));
        progress_line(progress, "x");
        progress_draw(progress, NS_PER_S, -1);
        progress_free(progress);
    }
    close(ends[1]);
}

#define LINES 50000

/* Non-blocking, as somebody else may have left it: every line is waited for. */
static void test_a_slow_pipe_loses_nothing(void **state)
{
    struct progress_style style = {.wake = -1};
    struct progress *progress;
    struct buf all = {0};
    int ends[2], status;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid = must_fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        style.fd = ends[1];
        progress = progress_new(&style, 0);
        for (uint32_t i = 0; i < LINES; i++)
            progress_line(progress, "line %u", i);
        _exit(progress_broken(progress));
    }
    close(ends[1]);
    assert_int_equal(fd_read_all(ends[0], &all, (size_t)64 << 20), 0);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    for (uint32_t i = 0, at = 0; i < LINES; i++) {
        char expected[32];
        int len = snprintf(expected, sizeof expected, "line %u\n", i);

        if (at + (uint32_t)len > all.len || memcmp(all.ptr + at, expected, (size_t)len) != 0)
            fail_msg("line %u is not there", i);
        at += (uint32_t)len;
    }
    buf_release(&all);
}

static struct progress *on_terminal(int *master, int *slave)
{
    struct termios modes;
    struct progress_style style = {.wake = -1, .live = true};

    assert_int_equal(openpty(master, slave, NULL, NULL, &(struct winsize){.ws_col = 40, .ws_row = 10}), 0);
    assert_int_equal(tcgetattr(*slave, &modes), 0);
    cfmakeraw(&modes);
    assert_int_equal(tcsetattr(*slave, TCSANOW, &modes), 0);
    style.fd = *slave;
    return progress_new(&style, 9);
}

static void read_available(int fd, struct buf *out)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    ssize_t got = 1;

    while (got > 0 && poll(&poll_fd, 1, 0) > 0) {
        buf_reserve(out, 4096);
        got = read(fd, out->ptr + out->len, 4096);
        if (got > 0)
            out->len += (size_t)got;
        out->ptr[out->len] = '\0';
    }
}

static void test_a_terminal(void **state)
{
    struct buf all = {0}, screen = {0};
    int master, slave;
    struct progress *progress = on_terminal(&master, &slave);

    (void)state;
    assert_false(fcntl(slave, F_GETFL) & O_NONBLOCK);
    progress_started(progress, 0, S("a-name-that-is-longer-than-the-terminal-is-wide"), 0);
    for (int i = 0; i < 100; i++) {
        progress_draw(progress, i * NS_PER_S, -1);
        progress_line(progress, "line %d", i);
    }
    progress_free(progress);
    read_available(master, &all);
    show(buf_str(&all), &screen);
    assert_true(str_ends(buf_str(&screen), "\nline 98\nline 99\n"));
    buf_release(&all);
    buf_release(&screen);
    close(master);
    close(slave);
}

static void write_to_stopped(struct progress *progress, int slave)
{
    static char long_text[2000];

    memset(long_text, 'x', sizeof long_text - 1);
    progress_draw(progress, 0, -1);
    if (tcflow(slave, TCOOFF) < 0)
        _exit(1);
    for (int i = 0; i < 10000; i++)
        progress_draw(progress, (i + 1) * NS_PER_S, -1);
    for (int i = 0; i < 1000; i++)
        progress_line(progress, "line %d %s", i, long_text);
    if (progress_broken(progress) || tcflow(slave, TCOON) < 0)
        _exit(2);
    progress_line(progress, "last");
    while (progress->screen.pending.len) /* however slow the reader is */
        progress_hide(progress);
    progress_free(progress);
    _exit(0);
}

/* Ctrl-S: the run goes on; lines come when the terminal does. */
static void test_a_terminal_that_stands_still(void **state)
{
    struct buf all = {0}, screen = {0};
    int master, slave, status;
    struct progress *progress = on_terminal(&master, &slave);
    pid_t pid = must_fork();

    (void)state;
    assert_true(pid >= 0);
    if (pid == 0) {
        close(master);
        write_to_stopped(progress, slave);
    }
    progress_free(progress);
    close(slave);
    fd_read_all(master, &all, (size_t)64 << 20); /* EIO is its end */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    show(buf_str(&all), &screen);
    assert_non_null(strstr(buf_text(&screen), "line 1 xxx"));
    assert_null(strstr(buf_text(&screen), "line 999 "));
    assert_non_null(strstr(buf_text(&screen), " lines are left out here, nobody took them)\nlast\n"));
    buf_release(&all);
    buf_release(&screen);
    close(master);
}

static void test_a_terminal_that_goes_away(void **state)
{
    int master, slave;
    struct progress *progress = on_terminal(&master, &slave);

    (void)state;
    progress_draw(progress, 0, -1);
    close(master);
    progress_line(progress, "x");
    assert_true(progress_broken(progress));
    progress_draw(progress, NS_PER_S, -1);
    progress_free(progress);
    close(slave);
}

/* Somebody else is in front: lines go there, the live one does not. Runs in a session of its own. */
static void in_background(void)
{
    struct progress_style style = {.wake = -1, .fd = STDOUT_FILENO, .live = true};
    struct progress *progress = progress_new(&style, 9);
    sigset_t all;
    pid_t front = must_fork();

    if (front == 0)
        for (;;)
            pause();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (setpgid(front, front) < 0 || tcsetpgrp(STDOUT_FILENO, front) < 0)
        _exit(1);
    progress_draw(progress, 0, -1);
    progress_line(progress, "a line");
    if (tcsetpgrp(STDOUT_FILENO, getpgrp()) < 0)
        _exit(2);
    progress_draw(progress, NS_PER_S, -1);
    progress_free(progress);
    kill(front, SIGKILL);
    _exit(waitpid(front, NULL, 0) == front ? 0 : 3);
}

static void test_background(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct buf all = {0};
        int master, status;
        pid_t pid = forkpty(&master, NULL, NULL, &(struct winsize){.ws_col = 40});

        assert_true(pid >= 0);
        if (pid == 0)
            in_background();
        fd_read_all(master, &all, 4096); /* EIO is its end */
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_string_equal(buf_text(&all), "a line\r\n\r[0/9]  00:01\x1b[K\r\x1b[K");
        buf_release(&all);
        close(master);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_style),
        cmocka_unit_test(test_lines_of_verdicts),
        cmocka_unit_test(test_numbers_of_tests),
        cmocka_unit_test(test_lines_of_events),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_colour),
        cmocka_unit_test(test_nothing_steers),
        cmocka_unit_test(test_a_pass_costs_no_call),
        cmocka_unit_test(test_a_minute_of_silence),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_ten_times_a_second),
        cmocka_unit_test(test_osc),
        cmocka_unit_test(test_line_fits),
        cmocka_unit_test(test_oldest_first),
        cmocka_unit_test(test_nobody_reads),
        cmocka_unit_test(test_a_slow_pipe_loses_nothing),
        cmocka_unit_test(test_a_terminal),
        cmocka_unit_test(test_a_terminal_that_stands_still),
        cmocka_unit_test(test_a_terminal_that_goes_away),
        cmocka_unit_test(test_background),
    };

    signal(SIGPIPE, SIG_IGN); /* blocked in the program itself */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
