/*
 * Two hundred tests whose names begin with what they come to, under every backend that can carry them. What differs stands in
 * docs/ctests.md, and in tests/e2e/same.sh.
 */
#include <run_matrix.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- parameters ---- */

PARAM(tens, int, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90);
PARAM(ones, int, 0, 1, 2, 3, 4, 5, 6, 7);
PARAM(word, const char *, "alpha", "beta", "two words", "");

TEST(passed_sums, WITH(tens, ones))
{
    ASSERT_GE(tens + ones, 0);
    ASSERT_LT(tens + ones, 100);
}

TEST(passed_words, WITH(word))
{
    EXPECT_EQ(strlen(word), strcspn(word, "\n"));
}

ROWS(
    number, struct {
        const char *text;
        long value;
    });
ROW(number, decimal) = {"10", 10};
ROW(number, hexadecimal) = {"0x10", 16};
ROW(number, octal) = {"010", 8};

TEST(passed_reads, WITH(number))
{
    ASSERT_EQ(strtol(number.text, NULL, 0), number.value);
}

/* ---- fixtures ---- */

FIXTURE(folder)
{
    char path[300];
};

SETUP(folder)
{
    snprintf(self->path, sizeof self->path, "%s/folder", getenv("TMPDIR"));
    ASSERT_OK(mkdir(self->path, 0700));
}

TEARDOWN(folder)
{
    ASSERT_OK(rmdir(self->path));
}

FIXTURE(file)
{
    char path[400];
};

SETUP(file, USES(folder))
{
    int fd;

    snprintf(self->path, sizeof self->path, "%s/file", folder->path);
    fd = open(self->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ASSERT_OK(fd);
    close(fd);
}

TEARDOWN(file)
{
    ASSERT_OK(unlink(self->path));
}

TEST(passed_with_a_file, USES(file), WITH(ones))
{
    ASSERT_OK(access(file->path, W_OK));
}

TEST(failed_with_a_file, USES(file), WITH(ones))
{
    FAIL("number %d", ones);
}

FIXTURE(table, .scope = MX_SESSION)
{
    int squares[100];
};

SETUP(table)
{
    for (int i = 0; i < 100; i++)
        self->squares[i] = i * i;
}

/* What one does to it no other sees. */
TEST(passed_with_a_table, USES(table), WITH(tens))
{
    ASSERT_EQ(table->squares[tens], tens * tens);
    memset(table->squares, 0, sizeof table->squares);
}

FIXTURE(broken)
{
    int x;
};
SETUP(broken)
{
    FAIL("no luck");
}
TEST(error_of_setup, USES(broken))
{
}

FIXTURE(broken_for_all, .scope = MX_SESSION)
{
    int x;
};
SETUP(broken_for_all)
{
    FAIL("no luck at all");
}
TEST(error_of_shared_setup, USES(broken_for_all), WITH(word))
{
}

FIXTURE(careless)
{
    int x;
};
SETUP(careless)
{
}
TEARDOWN(careless)
{
    FAIL("too late");
}
TEST(error_of_teardown, USES(careless))
{
}

FIXTURE(absent)
{
    int x;
};
SETUP(absent)
{
    SKIP("not here");
}
TEST(skipped_by_setup, USES(absent))
{
}

/* ---- skips, expected failures ---- */

static const char *never(void)
{
    return "never";
}
static const char *always(void)
{
    return NULL;
}

TEST(skipped_itself, USES(file))
{
    SKIP("not today");
}
TEST(skipped_by_option, .skip = "not at all")
{
    abort();
}
TEST(skipped_by_function, .skip_if = never)
{
    abort();
}
TEST(passed_by_function, .skip_if = always)
{
}
TEST(skipped_if, WITH(word))
{
    SKIP_IF(1, "because of '%s'", word);
}

TEST(xfailed, .xfail = "known")
{
    FAIL("as known");
}
TEST(xfailed_strictly, .xfail = "known", .xfail_strict = 1)
{
    ASSERT_EQ(1, 2);
}
TEST(xfailed_by_signal, .xfail = "known", .xfail_signal = SIGABRT)
{
    abort();
}
TEST(xfailed_by_exit, .xfail = "known", .xfail_exit = 3)
{
    exit(3);
}
TEST(xpassed, .xfail = "gone")
{
}
TEST(xpassed_strictly, .xfail = "gone", .xfail_strict = 1)
{
}
TEST(failed_by_another_signal, .xfail = "known", .xfail_signal = SIGABRT)
{
    raise(SIGTERM);
}
TEST(failed_by_another_exit, .xfail = "known", .xfail_exit = 3)
{
    exit(4);
}

/* ---- failures ---- */

TEST(failed_one, WITH(word))
{
    ASSERT_EQ("gamma", word);
}

TEST(failed_several)
{
    EXPECT_EQ(1, 2);
    EXPECT_EQ(3, 4);
}

static void *fail(void *user)
{
    FAIL("in a thread, %s", (const char *)user);
}

TEST(failed_in_a_thread, WITH(word))
{
    pthread_t thread;

    ASSERT_EQ(pthread_create(&thread, NULL, fail, (void *)word), 0);
    pthread_join(thread, NULL);
}

TEST(failed_in_a_child)
{
    if (fork() == 0)
        FAIL("in a child");
    wait(NULL);
}

/* ---- deaths ---- */

PARAM(deadly, int, SIGHUP, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGKILL, SIGUSR1, SIGSEGV,
      SIGUSR2, SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO, SIGPWR,
      SIGSYS, 34, 50, 64);

TEST(crashed, WITH(deadly))
{
    kill(getpid(), deadly);
    for (;;)
        pause();
}

TEST(crashed_by_itself)
{
    *(volatile int *)(intptr_t)(getpid() >> 30) = 1;
}

PARAM(status, int, 0, 1, 2, 42, 77, 98, 113, 114, 127, 128, 255);
TEST(failed_by_exit, WITH(status))
{
    exit(status);
}
PARAM(plain, int, 0, 1, 2, 42, 77, 127, 255);
TEST(failed_by_plain_exit, WITH(plain))
{
    _exit(plain);
}

/* ---- deadlines ---- */

TEST(timeout_asleep, .timeout = "300ms")
{
    for (;;)
        pause();
}
TEST(timeout_busy, .timeout = "300ms")
{
    for (volatile int i = 0;; i++) {}
}
TEST(timeout_with_a_file, USES(file), .timeout = "300ms")
{
    for (;;)
        pause();
}

/* ---- floods ---- */

static void flood(FILE *out)
{
    char line[1024];

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    for (int i = 0; i < 4096; i++)
        ASSERT_EQ(fwrite(line, 1, sizeof line, out), sizeof line);
}

TEST(passed_after_a_flood)
{
    flood(stdout);
}
TEST(failed_after_a_flood)
{
    flood(stderr);
    FAIL("all wet");
}

/* ---- leaks ---- */

TEST(leaked_a_process)
{
    if (fork() == 0)
        for (;;)
            pause();
}

TEST(leaked_a_daemon)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
    wait(NULL);
}

TEST(leaked_a_listener)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    ASSERT_OK(bind(fd, (struct sockaddr *)&here, sizeof here));
    ASSERT_OK(listen(fd, 1));
    if (fork() == 0)
        for (;;)
            pause();
}

TEST(passed_after_its_children, WITH(ones))
{
    for (int i = 0; i < ones; i++)
        if (fork() == 0)
            _exit(0);
    for (int i = 0; i < ones; i++)
        ASSERT_OK(wait(NULL));
}
