/* Where the output of actors goes. An actor is a child here that has what it would have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "fixtures/actors/internal.h"
#include "runner/base/io.h"
#include "tests/unit/forks.h"
#include "tests/unit/tools_stage.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define ID    "first@5bd1c4a96e3f2071"
#define LIMIT 60 /* s of a child: a hang is one */

static const char *const with_files[] = {"fd", "merged", "sys", "tee-sys", "pipe", "pty"};

static struct streams open_as(const char *capture, const char *name, const char *id)
{
    struct streams streams;

    setenv(CAPTURE_VARIABLE, capture, 1);
    setenv(OUTPUT_VARIABLE, mx_path("kept/t/1"), 1);
    if (!streams_open(&streams, name, id))
        fail_msg("%s: %s", capture, strerror(errno));
    return streams;
}

/* Its 1 and 2, and 3 and 4 for its streams, where these are apart; nothing else. */
static pid_t start_actor(struct streams *streams, void (*body)(const void *user), const void *user)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        int fds[5], high[5];

        limit_life(LIMIT);
        for (int i = 0; i < 5; i++) {
            fds[i] = i < 3 ? streams->stdio[i] : streams->own[i - 3];
            high[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD, 100);
        }
        for (int i = 0; i < 5; i++)
            if (high[i] >= 0)
                dup2(high[i], i);
            else
                close(i);
        closefrom(5);
        body(user);
        _exit(0);
    }
    streams_started(streams);
    return pid;
}

static void reap(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static struct buf content_of(const char *path)
{
    struct buf content = {0};

    buf_reserve(&content, 0);
    if (file_read(path, &content, (size_t)1 << 30) < 0)
        fail_msg("%s: %s", path, strerror(errno));
    return content;
}

static void expect_content(const char *path, const char *wanted)
{
    struct buf content = content_of(path);

    assert_string_equal(buf_text(&content), wanted);
    buf_release(&content);
}

static bool is_apart(const char *capture)
{
    return strcmp(capture, "sys") == 0 || strcmp(capture, "tee-sys") == 0;
}

/* ---- files ---- */

static void print_both(const void *user)
{
    const int *first = user;

    dprintf(*first, "to out\n");
    dprintf(*first + 1, "to err\n");
}

static void test_each_has_its_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(with_files); i++) {
        const char *capture = with_files[i];
        bool one = strcmp(capture, "merged") == 0 || strcmp(capture, "pty") == 0;
        struct streams streams = open_as(capture, capture, ID);
        const char *folder = mx_path("kept/t/1");
        char path[PATH_MAX];

        reap(start_actor(&streams, print_both, &(int){is_apart(capture) ? 3 : 1}));
        streams_settle(&streams);
        snprintf(path, sizeof path, "%s/%s@5bd1c4a96e3f2071.out", folder, capture);
        assert_string_equal(streams.path[0], path);
        expect_content(path, one ? "to out\nto err\n" : "to out\n");
        if (!one) {
            snprintf(path, sizeof path, "%s/%s@5bd1c4a96e3f2071.err", folder, capture);
            assert_string_equal(streams.path[1], path);
            expect_content(path, "to err\n");
        } else
            assert_string_equal(streams.path[1], streams.path[0]);
        streams_release(&streams);
    }
}

static void test_names_cannot_lead_elsewhere(void **state)
{
    char name[1000];
    struct streams streams = open_as("fd", "../a b/ü", "7");

    (void)state;
    assert_string_equal(strrchr(streams.path[0], '/'), "/..%2Fa%20b%2F%C3%BC@7.out");
    streams_release(&streams);
    memset(name, '/', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    streams = open_as("fd", name, ID);
    assert_true(strlen(strrchr(streams.path[0], '/')) <= NAME_MAX + 1);
    assert_true(strstr(streams.path[0], "%2F@5bd1c4a96e3f2071.out") != NULL);
    streams_release(&streams);
}

static void test_nothing_is_kept_of(void **state)
{
    static const char *const modes[] = {"discard", "no"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        struct streams streams = open_as(modes[i], "a", ID);
        char *tail;

        assert_null(streams.path[0]);
        assert_null(streams.path[1]);
        tail = streams_tail(&streams, 100);
        assert_string_equal(tail, "");
        free(tail);
        streams_release(&streams);
    }
}

/* What a test has closed does not become a file of its actors. */
static void open_with_nothing(const void *user)
{
    (void)user;
    closefrom(0);
    for (size_t i = 0; i < ARRAY_LEN(with_files); i++) {
        struct streams streams;

        setenv(CAPTURE_VARIABLE, with_files[i], 1);
        if (!streams_open(&streams, "closed", ID))
            _exit(10);
        for (int k = 0; k < 3; k++)
            if (streams.stdio[k] <= STDERR_FILENO)
                _exit(11);
        streams_release(&streams);
        if (fcntl(0, F_GETFD) >= 0 || fcntl(1, F_GETFD) >= 0 || fcntl(2, F_GETFD) >= 0)
            _exit(12);
    }
}

static void test_without_standard_streams(void **state)
{
    struct streams streams = open_as("fd", "other", ID);

    (void)state;
    setenv(OUTPUT_VARIABLE, mx_path("kept/t/1"), 1);
    reap(start_actor(&streams, open_with_nothing, NULL));
    streams_release(&streams);
}

static void test_where_nobody_says_it_is_below_the_folder_of_the_test(void **state)
{
    struct streams streams;

    (void)state;
    unsetenv(OUTPUT_VARIABLE);
    unsetenv(CAPTURE_VARIABLE);
    assert_true(streams_open(&streams, "a", ID));
    assert_memory_equal(streams.path[0], stage.folder, strlen(stage.folder));
    assert_int_equal(unlink(streams.path[0]), 0);
    assert_int_equal(unlink(streams.path[1]), 0);
    streams_release(&streams);
}

static void test_it_cannot_be_opened(void **state)
{
    struct streams streams;

    (void)state;
    mx_write_file("no-folder", "");
    for (size_t i = 0; i < ARRAY_LEN(with_files); i++) {
        setenv(CAPTURE_VARIABLE, with_files[i], 1);
        setenv(OUTPUT_VARIABLE, mx_path("no-folder/1"), 1);
        assert_false(streams_open(&streams, "a", ID));
        assert_int_equal(errno, ENOTDIR);
    }
}

/* ---- the last lines ---- */

static void print_much(const void *user)
{
    (void)user;
    for (int i = 0; i < 1000; i++)
        dprintf(1, "line %d\n", i);
}

static void complain_too(const void *user)
{
    print_much(user);
    dprintf(2, "complaint\n \n");
}

static void expect_tail(void (*body)(const void *user), const char *capture, const char *wanted)
{
    struct streams streams = open_as(capture, "tail", body == print_much ? "1" : "2");
    char *tail;

    reap(start_actor(&streams, body, NULL));
    streams_settle(&streams);
    tail = streams_tail(&streams, 20);
    assert_string_equal(tail, wanted);
    free(tail);
    unlink(streams.path[0]);
    unlink(streams.path[1]);
    streams_release(&streams);
}

static void test_the_last_lines(void **state)
{
    (void)state;
    expect_tail(print_much, "fd", "line 998\nline 999");
    expect_tail(print_much, "pipe", "line 998\nline 999");
    expect_tail(print_much, "pty", "line 998\nline 999");
    expect_tail(complain_too, "pipe", "complaint");
    expect_tail(complain_too, "merged", "complaint");
}

static void test_what_stands_there_instead(void **state)
{
    struct streams streams = open_as("fd", "a", ID);
    char *tail;

    (void)state;
    streams_started(&streams);
    assert_int_equal(unlink(streams.path[1]), 0);
    assert_int_equal(mkfifo(streams.path[1], 0600), 0);
    assert_int_equal(unlink(streams.path[0]), 0);
    assert_int_equal(symlink("/etc/passwd", streams.path[0]), 0);
    tail = streams_tail(&streams, 100);
    assert_string_equal(tail, "");
    free(tail);
    streams_release(&streams);
}

/* ---- what is drained ---- */

#define ACTORS 16
#define LARGE  ((size_t)2 << 20)

static char byte_at(int actor, size_t at)
{
    return (char)('a' + (at * 7 + at / 4099 + (size_t)actor) % 26);
}

static void flood(const void *user)
{
    const int actor = *(const int *)user;
    char *bytes = mem_alloc(LARGE);

    for (size_t i = 0; i < LARGE; i++)
        bytes[i] = byte_at(actor, i);
    if (fd_write_all(1, bytes, LARGE) < 0)
        _exit(1);
}

static void expect_flood(const char *path, int actor)
{
    struct buf content = content_of(path);

    assert_int_equal(content.len, LARGE);
    for (size_t i = 0; i < LARGE; i++)
        if (content.ptr[i] != byte_at(actor, i))
            fail_msg("byte %zu is another", i);
    buf_release(&content);
}

static void test_all_that_many_write_is_kept(void **state)
{
    static const char *const modes[] = {"pipe", "pty", "fd"};

    (void)state;
    for (size_t mode = 0; mode < ARRAY_LEN(modes); mode++) {
        struct streams streams[ACTORS];
        pid_t pids[ACTORS];

        for (int i = 0; i < ACTORS; i++) {
            char name[20];

            snprintf(name, sizeof name, "%s%d", modes[mode], i);
            streams[i] = open_as(modes[mode], name, ID);
            pids[i] = start_actor(&streams[i], flood, &i);
        }
        for (int i = 0; i < ACTORS; i++) {
            reap(pids[i]);
            streams_settle(&streams[i]);
            expect_flood(streams[i].path[0], i);
        }
        for (int i = 0; i < ACTORS; i++)
            streams_release(&streams[i]);
    }
}

/* However little or much the actor lets its pipe hold. */
static void flood_through(const void *user)
{
    static const int first = 0;

    if (fcntl(1, F_SETPIPE_SZ, *(const int *)user) < 0 && errno != EPERM)
        _exit(2);
    flood(&first);
}

static void test_pipes_of_any_size(void **state)
{
    static const int sizes[] = {4096, 64 << 10, 4 << 20};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct streams streams = open_as("pipe", "a", i == 0 ? "1" : i == 1 ? "2" : "3");

        reap(start_actor(&streams, flood_through, &sizes[i]));
        streams_settle(&streams);
        expect_flood(streams.path[0], 0);
        streams_release(&streams);
    }
}

/* What the drainer is there for: with nobody who reads the same actor stands still, its pipe full. */
static void test_a_pipe_that_nobody_reads_holds_its_actor_up(void **state)
{
    struct streams streams = open_as("discard", "a", ID);
    int ends[2], capacity, held = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    capacity = fcntl(ends[0], F_GETPIPE_SZ);
    fd_close(&streams.stdio[1]);
    streams.stdio[1] = ends[1];
    pid = start_actor(&streams, flood, &(int){0});
    for (int i = 0; i < 30000 && held < capacity; i++) {
        ioctl(ends[0], FIONREAD, &held);
        usleep(1000);
    }
    assert_int_equal(held, capacity);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
    end_child(pid);
    close(ends[0]);
    streams_release(&streams);
}

/* ---- who stays ---- */

struct staying {
    int told, go; /* eventfds: it is there; it may write */
};

static void leave_somebody(const void *user)
{
    uint64_t number;

    (void)user;
    dprintf(1, "before");
    if (must_fork() == 0) {
        limit_life(LIMIT);
        eventfd_write(98, 1);
        while (read(99, &number, sizeof number) < 0)
            ;
        dprintf(1, ", after");
        _exit(0);
    }
}

/* As start_actor closes all but the first, these are handed over by numbers that it leaves alone. */
static pid_t start_one_that_leaves(struct streams *streams, const struct staying *staying)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        limit_life(LIMIT);
        dup2(staying->told, 98);
        dup2(staying->go, 99);
        dup2(streams->stdio[1], 1);
        for (int i = 0; i < 3; i++)
            fd_close(&streams->stdio[i]);
        leave_somebody(staying);
        _exit(0);
    }
    streams_started(streams);
    return pid;
}

static void test_who_holds_it_delays_nobody(void **state)
{
    static const char *const modes[] = {"fd", "merged", "pipe", "pty"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        const struct staying staying = {eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)};
        struct streams streams = open_as(modes[i], modes[i], ID);
        uint64_t number;

        reap(start_one_that_leaves(&streams, &staying));
        assert_int_equal(read(staying.told, &number, sizeof number), sizeof number);
        streams_settle(&streams);
        expect_content(streams.path[0], "before");
        streams_release(&streams);
        eventfd_write(staying.go, 1);
        close(staying.told);
        close(staying.go);
    }
}

/* ---- the drainer itself ---- */

static void test_nobody_waits_for_it(void **state)
{
    struct streams streams = open_as("pipe", "a", ID);

    (void)state;
    reap(start_actor(&streams, print_both, &(int){1}));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    streams_settle(&streams);
    streams_release(&streams);
    assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* The only child that no signal is sent for. */
static pid_t find_drainer(void)
{
    char path[64], text[4096];
    int fd;
    ssize_t got;
    char *rest = text;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    got = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(got > 0);
    text[got] = '\0';
    return (pid_t)strtol(rest, NULL, 10);
}

static void test_it_was_killed(void **state)
{
    struct streams streams = open_as("pipe", "a", "1"), next;

    (void)state;
    streams_started(&streams);
    kill(find_drainer(), SIGKILL);
    assert_true(waitid(P_PID, (id_t)find_drainer(), &(siginfo_t){0}, WEXITED | WNOWAIT | __WALL) == 0);
    streams_settle(&streams);
    next = open_as("pipe", "a", "2");
    reap(start_actor(&next, print_both, &(int){1}));
    streams_settle(&next);
    expect_content(next.path[0], "to out\n");
    streams_release(&next);
    streams_release(&streams);
    assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

static void use_one_too(const void *user)
{
    struct streams streams = open_as("pipe", "below", ID);

    (void)user;
    reap(start_actor(&streams, print_both, &(int){1}));
    streams_settle(&streams);
    expect_content(streams.path[0], "to out\n");
    streams_release(&streams);
}

/* A child that was forked has one of its own, and leaves that of its parent alone. */
static void test_of_a_child(void **state)
{
    struct streams streams = open_as("pipe", "above", ID);
    pid_t pid = must_fork();

    (void)state;
    if (pid == 0) {
        limit_life(LIMIT);
        stage.pid = getpid();
        use_one_too(NULL);
        _exit(0);
    }
    reap(pid);
    reap(start_actor(&streams, print_both, &(int){1}));
    streams_settle(&streams);
    expect_content(streams.path[0], "to out\n");
    streams_release(&streams);
}

/* Its owner is killed, and an actor that is told so writes its last words: they are kept, and then it is gone. */
static void test_its_owner_dies(void **state)
{
    int ends[2];
    pid_t owner;
    char *path;

    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    mx_write_file("kept/t/1/a@1.out", "");
    path = strdup(mx_path("kept/t/1/a@1.out"));
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    owner = must_fork();
    if (owner == 0) {
        struct streams streams = open_as("pipe", "a", "1");
        char byte;

        limit_life(LIMIT);
        if (must_fork() == 0) {
            limit_life(LIMIT);
            close(ends[1]);
            if (read(ends[0], &byte, 1) == 0) /* nobody but the owner has the other end */
                dprintf(streams.stdio[1], "last words\n");
            _exit(0);
        }
        streams_started(&streams);
        raise(SIGKILL);
    }
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    while (waitpid(-1, NULL, __WALL) > 0)
        ;
    assert_int_equal(errno, ECHILD);
    expect_content(path, "last words\n");
    free(path);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

static void *open_and_settle(void *user)
{
    struct streams *streams = user;

    for (int i = 0; i < 50; i++) {
        if (!streams_open(streams, "thread", ID))
            return user; /* it could not be opened */
        dprintf(streams->stdio[1], "%d\n", i);
        streams_settle(streams);
        streams_release(streams);
    }
    return NULL;
}

static void test_threads_have_it_together(void **state)
{
    struct streams streams[4];
    pthread_t threads[4];

    (void)state;
    setenv(CAPTURE_VARIABLE, "pipe", 1);
    setenv(OUTPUT_VARIABLE, mx_path("kept/t/1"), 1);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_and_settle, &streams[i]), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(waitpid(-1, NULL, __WALL | WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_each_has_its_files),
        STAGED(test_names_cannot_lead_elsewhere),
        STAGED(test_nothing_is_kept_of),
        STAGED(test_without_standard_streams),
        STAGED(test_where_nobody_says_it_is_below_the_folder_of_the_test),
        STAGED(test_it_cannot_be_opened),
        STAGED(test_the_last_lines),
        STAGED(test_what_stands_there_instead),
        STAGED(test_all_that_many_write_is_kept),
        STAGED(test_pipes_of_any_size),
        STAGED(test_a_pipe_that_nobody_reads_holds_its_actor_up),
        STAGED(test_who_holds_it_delays_nobody),
        STAGED(test_nobody_waits_for_it),
        STAGED(test_it_was_killed),
        STAGED(test_of_a_child),
        STAGED(test_its_owner_dies),
        STAGED(test_threads_have_it_together),
    };

    limit_life(10 * LIMIT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
