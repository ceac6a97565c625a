/* What a process has after a test that it had not before, and where its threads are when it hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner/base/address.h"
#include "runner/base/io.h"
#include "tests/unit/forks.h"
#include "tests/unit/tools_stage.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>

static struct leaks *before(const char *what)
{
    struct leaks *leaks = leaks_before(what, "t.c", 7);

    assert_non_null(leaks);
    return leaks;
}

static void nothing_is_left(struct leaks *leaks)
{
    int others = stage.others;

    leaks_after(leaks);
    if (stage.others != others)
        fail_msg("%s", stage.words);
}

static void is_left(struct leaks *leaks, const char *fragment)
{
    int others = stage.others;

    leaks_after(leaks);
    assert_int_equal(stage.others, others + 1);
    assert_int_equal(stage.line, 7);
    said("the test has left behind\n");
    said(fragment);
}

/* ---- descriptors ---- */

static void test_no_descriptor(void **state)
{
    struct leaks *leaks = before("fds");

    (void)state;
    close(open("/dev/null", O_RDONLY));
    nothing_is_left(leaks);
}

static void fd_is_left(int fd, struct leaks *leaks, const char *fragment)
{
    char words[200];

    assert_true(fd >= 0);
    snprintf(words, sizeof words, "\n  descriptor %d: %s", fd, fragment);
    is_left(leaks, words);
    close(fd);
}

static void test_descriptors_by_what_they_are(void **state)
{
    struct address address = ADDRESS_NONE;
    struct leaks *leaks = before("fds");
    struct buf name = {0};
    int pair[2];

    (void)state;
    fd_is_left(open("/etc/passwd", O_RDONLY), leaks, "/etc/passwd, for reading");
    leaks = before("fds");
    fd_is_left(open(mx_write_file("f", ""), O_WRONLY), leaks, mx_path("f, for writing"));
    leaks = before(" fds,threads ");
    fd_is_left(epoll_create1(0), leaks, "anon_inode:[eventpoll]");
    leaks = before("fds");
    assert_int_equal(pipe(pair), 0);
    close(pair[1]);
    fd_is_left(pair[0], leaks, "pipe:[");
    leaks = before("fds");
    assert_int_equal(address_reserve_tcp(&address), 0);
    fd_close(&address.claim);
    assert_int_equal(address_listen(&address), 0);
    buf_addf(&name, "a socket that listens on 127.0.0.1:%u", address.port);
    fd_is_left(address.listener, leaks, buf_text(&name));
    buf_release(&name);
    leaks = before("fds");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[1]);
    fd_is_left(pair[0], leaks, "a socket,");
}

static void test_a_number_that_was_taken_anew(void **state)
{
    int fd = open("/dev/null", O_RDONLY);
    struct leaks *leaks = before("fds");

    (void)state;
    close(fd);
    assert_int_equal(open("/etc/passwd", O_RDONLY), fd);
    fd_is_left(fd, leaks, "/etc/passwd");
}

static void test_a_file_that_was_removed_is_the_same(void **state)
{
    const char *path = mx_write_file("f", "");
    int fd = open(path, O_RDONLY);
    struct leaks *leaks = before("fds");

    (void)state;
    unlink(path);
    nothing_is_left(leaks);
    close(fd);
}

/* ---- threads ---- */

static void *wait_at(void *user)
{
    pthread_setname_np(pthread_self(), "waits");
    pthread_barrier_wait(user);
    pthread_barrier_wait(user);
    return NULL;
}

static void test_a_thread_by_its_name(void **state)
{
    struct leaks *leaks = before("threads");
    pthread_barrier_t both;
    pthread_t thread;

    (void)state;
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&thread, NULL, wait_at, &both);
    pthread_barrier_wait(&both);
    is_left(leaks, ", 'waits'");
    leaks = before("threads"); /* it is there before */
    pthread_barrier_wait(&both);
    pthread_join(thread, NULL);
    nothing_is_left(leaks);
    pthread_barrier_destroy(&both);
}

static void *do_nothing(void *user)
{
    return user;
}

/* A join may come back before the kernel has forgotten the thread. */
static void test_threads_that_have_ended(void **state)
{
    pthread_t thread;

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct leaks *leaks = before("threads");

        pthread_create(&thread, NULL, do_nothing, NULL);
        pthread_join(thread, NULL);
        nothing_is_left(leaks);
    }
}

/* ---- memory ---- */

static void *volatile kept; /* so that the compiler does not know that nobody wants it */

/* A child: what is lost is lost in it alone. */
static void in_child(void (*run)(void))
{
    pid_t pid = must_fork();
    int status;

    if (pid == 0) {
        stage.pid = getpid();
        run();
        _exit(0);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

/* Several: of one or the other a pointer may be left somewhere, and then LeakSanitizer finds it held. */
static void lose(void)
{
    struct leaks *leaks = before("memory");

    for (int i = 0; i < 100; i++)
        kept = malloc(1000);
    kept = NULL;
    leaks_after(leaks);
    if (stage.others != 1)
        _exit(1);
#if defined(__SANITIZE_ADDRESS__)
    said("memory that nobody points to");
#else
    said("100800 bytes of memory");
#endif
}

static void lose_much(void)
{
    struct leaks *leaks = before("memory");

    for (int i = 0; i < 10; i++)
        kept = malloc((size_t)1 << 20);
    kept = NULL;
    leaks_after(leaks);
    if (stage.others != 1)
        _exit(1);
}

static void print_first(void)
{
    FILE *before = stdout;

    stdout = fdopen(dup(STDERR_FILENO), "w"); /* one that has no buffer yet */
    if (stdout) {
        struct leaks *leaks = leaks_before("memory", "t.c", 7);

        fputs("# printed\n", stdout);
        leaks_after(leaks);
        stdout = before;
    }
    if (stage.others) {
        dprintf(STDERR_FILENO, "# %s\n", stage.words);
        _exit(1);
    }
}

static void *churn(void *user)
{
    void *volatile parts[50];

    for (size_t size = 1; size < 3000; size += 7) {
        for (size_t i = 0; i < 50; i++)
            parts[i] = malloc(size);
        for (size_t i = 0; i < 50; i++)
            free(parts[i]);
    }
    kept = malloc((size_t)4 << 20);
    free(kept);
    return user;
}

static void churn_much(void)
{
    struct leaks *leaks;
    pthread_barrier_t all;
    pthread_t threads[4];

    leaks_after(
        before("memory")); /* before there is a thread: then malloc has no place of its own for each */
    /* What a thread needs is kept for the next one: of four at a time there is enough for four. */
    pthread_barrier_init(&all, NULL, 4);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, wait_at, &all);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    leaks = leaks_before("memory", "t.c", 7);
    churn(NULL);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, churn, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    leaks_after(leaks);
    if (stage.others) {
        dprintf(STDERR_FILENO, "# %s\n", stage.words);
        _exit(1);
    }
}

static void test_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    skip(); /* its malloc is one that nobody can ask */
#endif
    in_child(lose);
    in_child(lose_much);
    in_child(print_first);
    in_child(churn_much);
}

static void test_what_is_no_leak(void **state)
{
    (void)state;
    assert_null(leaks_before("fds sockets", "t.c", 7));
    said("there are no leaks of 'sockets': .leaks takes fds, threads and memory");
    leaks_after(NULL);
    nothing_is_left(before(""));
}

/* ---- hangs ---- */

/* What goes to stderr meanwhile, up to its last line. */
struct listening {
    int pipe[2], before;
    struct buf heard;
};

static void listen_to(struct listening *listening)
{
    *listening = (struct listening){.before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
    assert_int_equal(pipe(listening->pipe), 0);
    dup2(listening->pipe[1], STDERR_FILENO);
    close(listening->pipe[1]);
}

static void hear_until(struct listening *listening, const char *words)
{
    char piece[4096];

    while (!strstr(buf_text(&listening->heard), words)) {
        ssize_t got = read(listening->pipe[0], piece, sizeof piece);

        if (got <= 0)
            break;
        buf_add(&listening->heard, piece, (size_t)got);
    }
}

static void stop_listening(struct listening *listening)
{
    dup2(listening->before, STDERR_FILENO);
    close(listening->before);
    close(listening->pipe[0]);
}

static bool is_default(int signal)
{
    struct sigaction action;

    sigaction(signal, NULL, &action);
    return action.sa_handler == SIG_DFL;
}

static void *wait_deaf(void *user)
{
    sigset_t all, none;

    sigfillset(&all);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_barrier_wait(user);
    pthread_barrier_wait(user);
    pthread_sigmask(SIG_SETMASK, &none, NULL); /* what was sent to it must not be pending any more */
    return NULL;
}

static void test_where_all_threads_are(void **state)
{
    struct listening listening;
    pthread_barrier_t all;
    pthread_t threads[2];

    (void)state;
    pthread_barrier_init(&all, NULL, 3);
    pthread_create(&threads[0], NULL, wait_at, &all);
    pthread_create(&threads[1], NULL, wait_deaf, &all);
    pthread_barrier_wait(&all);
    listen_to(&listening);
    mx_dump_on_hang(0.01);
    hear_until(&listening, "the test goes on");
    stop_listening(&listening);
    mx_dump_on_hang(0);
    pthread_barrier_wait(&all);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all);
    if (!strstr(buf_text(&listening.heard), "still there after 0.01 s"))
        fail_msg("%s", buf_text(&listening.heard));
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
        assert_true(is_default(signal));
    assert_non_null(strstr(buf_text(&listening.heard), " 'waits'"));
    assert_non_null(strstr(buf_text(&listening.heard), "it does not answer"));
#if !defined(__SANITIZE_THREAD__) /* which lets no handler run in the midst of a call */
    assert_non_null(strstr(buf_text(&listening.heard), "pthread_barrier_wait"));
#endif
    buf_release(&listening.heard);
}

static void test_who_is_in_time_hears_nothing(void **state)
{
    struct listening listening;

    (void)state;
    listen_to(&listening);
    mx_dump_on_hang(1000);
    mx_dump_on_hang(2000);
    mx_dump_on_hang(0);
    mx_dump_on_hang(0);
    mx_dump_on_hang(1000);
    end_case();
    stop_listening(&listening);
    assert_int_equal(listening.heard.len, 0);
    REFUSED(mx_dump_on_hang(-1), "-1 seconds are no time to wait for");
}

/* Past the streams that are captured, and in a test that goes on. */
static void test_a_dump_is_seen(void **state)
{
    struct listening listening;

    (void)state;
    listen_to(&listening);
    CAPTURE(caught)
    {
        mx_dump_on_hang(0.01);
        hear_until(&listening, "the test goes on");
    }
    stop_listening(&listening);
    assert_string_equal(caught.err, "");
    assert_non_null(strstr(buf_text(&listening.heard), "the test goes on"));
    buf_release(&listening.heard);
}

static void end_as_a_child(void)
{
    mx_dump_on_hang(0);
    end_case();
}

static void test_a_child_has_no_such_thread(void **state)
{
    (void)state;
    mx_dump_on_hang(1000);
    in_child(end_as_a_child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STAGED(test_memory),
        STAGED(test_no_descriptor),
        STAGED(test_descriptors_by_what_they_are),
        STAGED(test_a_number_that_was_taken_anew),
        STAGED(test_a_file_that_was_removed_is_the_same),
        STAGED(test_a_thread_by_its_name),
        STAGED(test_threads_that_have_ended),
        STAGED(test_what_is_no_leak),
        STAGED(test_where_all_threads_are),
        STAGED(test_who_is_in_time_hears_nothing),
        STAGED(test_a_dump_is_seen),
        STAGED(test_a_child_has_no_such_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
