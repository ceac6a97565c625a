/* Actors that are threads of the process: under `subint` and `subint_forkserver`, with each transport and `sys` or `tee-sys`. */
#define _GNU_SOURCE
#include <run_matrix.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 200

static int counter;
static volatile sig_atomic_t signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static int count_entries(const char *folder)
{
    DIR *entries = opendir(folder);
    int count = 0;

    while (readdir(entries))
        count++;
    closedir(entries);
    return count;
}

/* A pidfd, or the end of a thread, is gone a moment after who waited for it was told. */
static void await_threads(int count)
{
    for (int i = 0; i < 5000 && count_entries("/proc/self/task") > count; i++)
        mx_sleep("1ms");
    ASSERT_EQ(count_entries("/proc/self/task"), count);
}

/* ---- what they are ---- */

/* Whatever it has is its own, and as it is at the beginning of a program. */
ROLE(own)
{
    int number;
};
ACTOR(own)
{
    char here[8];

    ASSERT_EQ(counter, 0);
    counter += args->number;
    ASSERT_NULL(getenv("OF_ANOTHER"));
    setenv("OF_ANOTHER", "yes", 1);
    printf("number %d\n", args->number);
    fprintf(stderr, "complains %d\n", args->number);
    snprintf(here, sizeof here, "%d", counter);
    mx_send(mx_parent(), here, strlen(here));
    ASSERT_EQ((int)mx_receive(mx_parent(), "30s").heard, MX_HEARD);
    ASSERT_EQ(counter, args->number);
}

ROLE(waiting){};
ACTOR(waiting)
{
    (void)args;
    mx_sleep("1h");
}

ROLE(failing)
{
    int number;
};
ACTOR(failing)
{
    FAIL("number %d is tired", args->number);
}

enum way {
    EXITS,
    EXITS_LATE,
    ENDS_ITS_THREAD,
    LEAVES_A_THREAD,
    CANCELS_A_THREAD,
    HANDLES,
    FORKS,
    OPENS,
    WAYS
};

static void *pause_for_ever(void *user)
{
    for (;;)
        pause();
    return user;
}

static void *pause_a_while(void *user)
{
    usleep(20000);
    return user;
}

static void say_late(void)
{
    printf("said at exit\n");
}

static void cancel_a_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, pause_for_ever, NULL);
    pthread_cancel(thread);
    pthread_join(thread, NULL);
}

static void fork_once(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        exit(7);
    waitpid(child, &status, 0);
    ASSERT_EQ(WEXITSTATUS(status), 7);
}

/* What it does to what all of a process have. */
ROLE(guest)
{
    enum way way;
};
ACTOR(guest)
{
    struct sigaction before;
    pthread_t thread;

    switch (args->way) {
    case EXITS: exit(3);
    case EXITS_LATE: atexit(say_late); break;
    case ENDS_ITS_THREAD: pthread_exit(NULL);
    case LEAVES_A_THREAD: pthread_create(&thread, NULL, pause_a_while, NULL); break;
    case CANCELS_A_THREAD: cancel_a_thread(); break;
    case HANDLES:
        signal(SIGUSR1, count_signal);
        sigaction(SIGUSR2, NULL, &before);
        signal(SIGUSR2, SIG_IGN);
        sigaction(SIGUSR2, &before, NULL);
        break;
    case FORKS: fork_once(); break;
    case OPENS: ASSERT_NOT_NULL(dlopen("libm.so.6", RTLD_NOW)); break;
    case WAYS: break;
    }
}

ROLE(chain)
{
    int below;
};
ACTOR(chain)
{
    ASSERT_EQ(counter++, 0);
    NURSERY(n)
    if (args->below)
        SPAWN(n, chain, "link", .below = args->below - 1);
    else
        SPAWN(n, waiting, "end"), mx_cancel_all(n);
}

ROLE(spinner){};
ACTOR(spinner)
{
    volatile int goes_on = 1;

    (void)args;
    mx_send(mx_parent(), "", 0);
    while (goes_on)
        usleep(1000);
}

ROLE(leaver){};
ACTOR(leaver)
{
    struct mx_nursery *n = mx_nursery();

    (void)args;
    SPAWN(n, waiting, "a");
    SPAWN(n, chain, "b", .below = 1);
    exit(3);
}

/* Until its body has begun it listens. */
static void await_deafness(struct mx_actor *actor)
{
    ASSERT_EQ((int)mx_receive(mx_peer_of(actor), "30s").heard, MX_HEARD);
}

/* It hears nothing until somebody writes: the descriptor is that of its test. */
ROLE(reader)
{
    int from;
};
ACTOR(reader)
{
    char byte;

    mx_send(mx_parent(), "", 0);
    while (read(args->from, &byte, 1) != 1)
        ;
}

/* ---- what is its own ---- */

PARAM(many, int, 1, 2, 5, 13);

static void have(char *bytes, size_t size, const struct mx_outcome *outcome, const char *ending)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s.%s", getenv("RUN_MATRIX_OUTPUT"), outcome->id, ending);
    file = fopen(path, "r");
    ASSERT_NOT_NULL(file, "%s", path);
    ASSERT_NOT_NULL(fgets(bytes, (int)size, file));
    ASSERT_EQ(fgetc(file), EOF);
    fclose(file);
}

TEST(each_has_its_own, WITH(many))
{
    struct mx_actor *actors[13];
    char text[40], expected[40];

    counter = 100;
    NURSERY(n)
    {
        for (int i = 0; i < many; i++) {
            snprintf(text, sizeof text, "a%d", i);
            actors[i] = SPAWN_SOON(n, own, text, .number = i + 1);
        }
        for (int i = 0; i < many; i++) {
            struct mx_message message = mx_receive(mx_peer_of(actors[i]), "30s");

            ASSERT_EQ((int)message.heard, MX_HEARD);
            ASSERT_EQ(atoi(message.bytes), i + 1);
        }
        for (int i = 0; i < many; i++)
            mx_send(mx_peer_of(actors[i]), "on", 2);
        for (int i = 0; i < many; i++) {
            struct mx_outcome outcome = mx_wait(actors[i], "30s");

            ASSERT_EQ((int)outcome.came, MX_CAME_TO_END);
            ASSERT_EQ(outcome.pid, 0);
            have(text, sizeof text, &outcome, "out");
            snprintf(expected, sizeof expected, "number %d\n", i + 1);
            ASSERT_STR_EQ(text, expected);
            have(text, sizeof text, &outcome, "err");
            snprintf(expected, sizeof expected, "complains %d\n", i + 1);
            ASSERT_STR_EQ(text, expected);
        }
    }
    ASSERT_EQ(counter, 100);
    ASSERT_NULL(getenv("OF_ANOTHER"));
}

/* ---- ends ---- */

TEST(errors_are_collected)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1);
    struct mx_outcome outcome;
    char name[20];

    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "a%d", i);
        SPAWN_SOON(n, failing, name, .number = i);
    }
    outcome = mx_close(n);
    ASSERT_EQ(mx_errors(&outcome), 5);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "number %d", i);
        ASSERT_NOT_NULL(strstr(outcome.children[i].words, name));
    }
}

TEST(one_fails_and_the_others_are_cancelled)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_outcome outcome;

    SPAWN(n, waiting, "a");
    SPAWN(n, waiting, "b");
    SPAWN(n, failing, "c");
    outcome = mx_close(n);
    ASSERT_EQ((int)outcome.children[0].came, MX_CANCELLED);
    ASSERT_EQ((int)outcome.children[1].came, MX_CANCELLED);
    ASSERT_EQ((int)outcome.children[2].came, MX_HAS_FAILED);
}

TEST(is_cancelled)
{
    NURSERY(n)
    {
        struct mx_outcome outcome = mx_cancel(SPAWN(n, waiting, "a"));

        ASSERT_EQ((int)outcome.came, MX_CANCELLED);
        ASSERT_TRUE(!outcome.hard);
    }
}

/* It is told when it connects, and not by a signal. */
TEST(one_that_has_not_connected_is_cancelled)
{
    NURSERY(n, .budget = "30s")
    {
        struct mx_outcome outcome = mx_cancel(SPAWN_SOON(n, waiting, "a"));

        ASSERT_EQ((int)outcome.came, MX_CANCELLED);
        ASSERT_TRUE(outcome.last_words[0] == '\0');
    }
}

static struct mx_outcome come_to(enum way way)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);

    SPAWN(n, guest, "guest", .way = way);
    return mx_close(n).children[0];
}

/* As where it has a process: the test goes on. */
TEST(exit_ends_an_actor_alone)
{
    struct mx_outcome outcome = come_to(EXITS);

    ASSERT_EQ((int)outcome.came, MX_EXITED);
    ASSERT_EQ(outcome.status, 3);
}

TEST(pthread_exit_ends_an_actor_alone)
{
    struct mx_outcome outcome = come_to(ENDS_ITS_THREAD);

    ASSERT_EQ((int)outcome.came, MX_EXITED);
    ASSERT_EQ(outcome.status, 0);
}

TEST(what_is_registered_with_exit_is_run)
{
    struct mx_outcome outcome = come_to(EXITS_LATE);
    char text[40];

    ASSERT_EQ((int)outcome.came, MX_CAME_TO_END);
    have(text, sizeof text, &outcome, "out");
    ASSERT_STR_EQ(text, "said at exit\n");
}

TEST(one_that_does_not_listen_is_abandoned)
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "300ms");
    struct mx_outcome outcome;

    await_deafness(SPAWN(n, spinner, "deaf"));
    SPAWN(n, waiting, "listens");
    mx_cancel_all(n);
    outcome = mx_close(n);
    ASSERT_EQ((int)outcome.children[0].came, MX_ABANDONED);
    ASSERT_EQ((int)outcome.children[1].came, MX_CANCELLED);
    ASSERT_NOT_NULL(strstr(mx_outcome_words(&outcome), "was abandoned"));
}

static void have_all_namespaces(void)
{
    struct mx_nursery *n = mx_nursery(.go_on = 1);
    char name[20];

    for (int i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "a%d", i);
        SPAWN(n, waiting, name);
    }
    mx_cancel_all(n);
    mx_close(n);
}

TEST(one_that_exits_takes_along_whom_it_has_started)
{
    int threads = count_entries("/proc/self/task");

    for (int round = 0; round < 5; round++) {
        struct mx_nursery *n = mx_nursery(.collect = 1);
        struct mx_outcome outcome;

        SPAWN(n, leaver, "leaver");
        outcome = mx_close(n);
        ASSERT_EQ((int)outcome.children[0].came, MX_EXITED);
        ASSERT_EQ(outcome.children[0].status, 3);
    }
    await_threads(threads);
    have_all_namespaces();
}

/* It goes on beside its test, which has closed its nursery; when it ends after all, its namespace is another one's. */
TEST(one_that_was_abandoned_may_end)
{
    int threads = count_entries("/proc/self/task"), ends[2];

    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    for (int round = 0; round < 3; round++) {
        struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "100ms");

        await_deafness(SPAWN(n, reader, "deaf", .from = ends[0]));
        mx_cancel_all(n);
        ASSERT_EQ((int)mx_close(n).children[0].came, MX_ABANDONED);
    }
    ASSERT_EQ(count_entries("/proc/self/task"), threads + 3);
    ASSERT_EQ(write(ends[1], "...", 3), 3);
    await_threads(threads);
    have_all_namespaces();
    close(ends[0]);
    close(ends[1]);
}

TEST(one_below_the_other)
{
    NURSERY(n)
    SPAWN(n, chain, "first", .below = 11);
}

/* ---- what all have in common ---- */

TEST(the_folder_does_not_matter)
{
    ASSERT_EQ(chdir("/"), 0);
    ASSERT_EQ((int)come_to(WAYS).came, MX_CAME_TO_END);
}

static void spawn_many(struct mx_nursery *n, int count)
{
    char name[20];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "a%d", i);
        SPAWN(n, waiting, name);
    }
}

TEST(there_are_no_more_than_namespaces)
{
    for (int round = 0; round < 3; round++) {
        struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1);
        struct mx_outcome outcome;

        spawn_many(n, 16);
        mx_cancel_all(n);
        outcome = mx_close(n);
        ASSERT_EQ((int)outcome.children[13].came, MX_CANCELLED);
        ASSERT_EQ((int)outcome.children[14].came, MX_NOT_BORN);
        ASSERT_NOT_NULL(strstr(outcome.children[14].words, "no namespace is left: a process has 16"));
    }
}

TEST(handlers_of_signals_stay)
{
    int before = signals;

    signal(SIGUSR1, count_signal);
    signal(SIGUSR2, count_signal);
    ASSERT_EQ((int)come_to(HANDLES).came, MX_CAME_TO_END);
    ASSERT_EQ((int)come_to(HANDLES).came, MX_CAME_TO_END);
    raise(SIGUSR1);
    raise(SIGUSR2);
    ASSERT_EQ(signals, before + 2);
}

/* The one that takes the place of another is not closed under the feet of the thread that it has left. */
TEST(threads_that_are_left_may_go_on)
{
    int threads = count_entries("/proc/self/task");

    for (int round = 0; round < 10; round++)
        ASSERT_EQ((int)come_to(LEAVES_A_THREAD).came, MX_CAME_TO_END);
    await_threads(threads);
    NURSERY(n)
    {
        spawn_many(n, 13);
        mx_cancel_all(n);
    }
}

static void *do_nothing(void *user)
{
    static __thread int own[100];

    own[3]++;
    return user;
}

/* With a variable of its own, which is freed by somebody when it ends. */
static void start_and_join(void)
{
    pthread_t thread;

    ASSERT_EQ(pthread_create(&thread, NULL, do_nothing, NULL), 0);
    pthread_join(thread, NULL);
}

TEST(rounds)
{
    int threads = count_entries("/proc/self/task"), fds = 0;

    for (int round = 0; round < ROUNDS; round++) {
        enum way way = (enum way)(round % WAYS);
        struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1);
        struct mx_outcome outcome;

        SPAWN_SOON(n, waiting, "a");
        SPAWN_SOON(n, guest, "b", .way = way);
        SPAWN_SOON(n, failing, "c");
        start_and_join();
        mx_wait(SPAWN(n, failing, "d"), NULL);
        mx_cancel_all(n);
        outcome = mx_close(n);
        ASSERT_EQ((int)outcome.children[3].came, MX_HAS_FAILED, "round %d: %s", round,
                  outcome.children[3].words);
        if (round == WAYS)
            fds = count_entries("/proc/self/fd");
    }
    await_threads(threads);
    ASSERT_EQ(count_entries("/proc/self/fd"), fds);
}

TEST(nothing_is_left_open)
{
    int fds = count_entries("/proc/self/fd");

    for (int round = 0; round < 3; round++) {
        struct mx_nursery *n = mx_nursery(.collect = 1);

        spawn_many(n, 13);
        mx_cancel_all(n);
        mx_close(n);
    }
    /* The descriptor by which a test hears of SIGINT is there from the first wait on. */
    ASSERT_LE(count_entries("/proc/self/fd"), fds + 1);
}
