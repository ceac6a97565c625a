/* Actors under every backend that makes processes, and every transport; each test passes by itself. */
#include <run_matrix.h>

#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

PARAM(backend, const char *, "exec", "spawn", "forkserver", "main_thread_forkserver");
PARAM(transport, const char *, "tcp", "uds");

/* The cell of the test, whatever run-matrix says: so one run is all of them. */
FIXTURE(cell)
{
    int unused;
};
SETUP(cell, WITH(backend, transport))
{
    (void)self;
    mx_setenv("RUN_MATRIX_BACKEND", backend);
    mx_setenv("RUN_MATRIX_TRANSPORT", transport);
}

/* ---- what they are ---- */

ROLE(quiet){};
ACTOR(quiet)
{
    (void)args;
}

ROLE(speaker)
{
    int lines;
};
ACTOR(speaker)
{
    for (int i = 0; i < args->lines; i++)
        printf("line %d of %s\n", i, mx_self()->name);
}

ROLE(failing)
{
    char words[40];
};
ACTOR(failing)
{
    fprintf(stderr, "about to fail\n");
    FAIL("%s", args->words);
}

enum way { WAIT, BLOCKED, STOPPED, SLEEP, COUNT };

ROLE(stuck)
{
    enum way way;
};
ACTOR(stuck)
{
    const int pid = getpid();
    sigset_t all;

    sigfillset(&all);
    mx_send(mx_parent(), &pid, sizeof pid);
    if (args->way == WAIT)
        mx_sleep("1h");
    if (args->way == BLOCKED)
        sigprocmask(SIG_SETMASK, &all, NULL);
    if (args->way == STOPPED)
        raise(SIGSTOP);
    for (;;)
        if (args->way != COUNT)
            pause();
}

static struct mx_actor *spawn_stuck(struct mx_nursery *n, const char *name, enum way way)
{
    struct mx_actor *actor = SPAWN(n, stuck, name, .way = way);

    ASSERT_EQ((int)mx_receive(mx_peer_of(actor), "20s").heard, MX_HEARD);
    return actor;
}

/* One above the other; the lowest is stuck. */
ROLE(chain)
{
    int below;
    enum way way, middle;
};
ACTOR(chain)
{
    NURSERY(n)
    {
        struct mx_actor *next = args->below ? SPAWN(n, chain, "link", .below = args->below - 1,
                                                    .way = args->way, .middle = args->middle)
                                            : SPAWN(n, stuck, "end", .way = args->way);
        struct mx_message message = mx_receive(mx_peer_of(next), NULL);

        ASSERT_EQ((int)message.heard, MX_HEARD);
        mx_send(mx_parent(), message.bytes, message.len);
        if (args->middle == BLOCKED) {
            sigset_t all;

            sigfillset(&all);
            sigprocmask(SIG_SETMASK, &all, NULL);
            for (;;)
                pause();
        }
    }
}

/* ---- good ends ---- */

TEST(comes_to_its_end, USES(cell))
{
    NURSERY(n)
    {
        struct mx_actor *a = SPAWN(n, quiet, "a");
        struct mx_outcome o = mx_wait(a, NULL);

        EXPECT_EQ((int)o.came, MX_CAME_TO_END);
        EXPECT_EQ(o.status, 0);
        EXPECT_STR_EQ(o.name, "a");
        EXPECT_MATCH(o.id, "^a@[0-9a-f]{16}$");
        EXPECT_GT(o.pid, 0);
    }
}

TEST(many_side_by_side, USES(cell), .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1);
    struct mx_outcome o;
    char name[20];

    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "a%d", i);
        SPAWN_SOON(n, speaker, name, .lines = 3);
    }
    o = mx_close(n);
    ASSERT_EQ(o.count, 40u);
    ASSERT_EQ(mx_errors(&o), 0);
    for (size_t i = 0; i < o.count; i++)
        ASSERT_EQ((int)o.children[i].came, MX_CAME_TO_END);
}

TEST(two_nurseries_and_one_inside, USES(cell))
{
    NURSERY(outer)
    {
        SPAWN(outer, quiet, "a");
        NURSERY(inner)
        {
            SPAWN(inner, quiet, "a");
        }
    }
    NURSERY(again)
    {
        SPAWN(again, quiet, "a");
    }
}

TEST(same_descriptors_after_as_before, USES(cell), .leaks = "fds")
{
    NURSERY(n)
    {
        for (int i = 0; i < 5; i++)
            SPAWN(n, quiet, "a");
    }
}

/* ---- errors ---- */

TEST(one_fails_the_others_are_cancelled, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "20s");
    struct mx_outcome o;

    spawn_stuck(n, "waits", WAIT);
    SPAWN(n, failing, "fails", .words = "boom");
    o = mx_close(n);
    ASSERT_EQ(mx_errors(&o), 1);
    EXPECT_EQ((int)o.children[0].came, MX_CANCELLED);
    EXPECT(!o.children[0].hard);
    EXPECT_EQ((int)o.children[1].came, MX_HAS_FAILED);
    EXPECT_EQ(o.children[1].order, 1);
    EXPECT_MATCH(o.children[1].words, "actors.c:[0-9]+: boom$");
    EXPECT_MATCH(o.children[1].last_words, "about to fail");
    EXPECT_MATCH(mx_outcome_words(&o), "^1 of 2 actors failed");
}

TEST(others_go_on_where_that_is_wanted, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1);
    struct mx_outcome o;

    SPAWN(n, failing, "fails", .words = "boom");
    SPAWN(n, quiet, "ends");
    o = mx_close(n);
    ASSERT_EQ(mx_errors(&o), 1);
    EXPECT_EQ((int)o.children[1].came, MX_CAME_TO_END);
}

ROLE(dying)
{
    int signal, status;
};
ACTOR(dying)
{
    if (args->signal)
        raise(args->signal);
    exit(args->status);
}

TEST(ends_of_processes_are_told_apart, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1);
    struct mx_outcome o;

    SPAWN(n, dying, "killed", .signal = SIGKILL);
    SPAWN(n, dying, "exits3", .status = 3);
    SPAWN(n, dying, "exits0", .status = 0);
    o = mx_close(n);
    ASSERT_EQ(mx_errors(&o), 3);
    EXPECT_EQ((int)o.children[0].came, MX_DIED);
    EXPECT_EQ(o.children[0].signal, SIGKILL);
    EXPECT_EQ((int)o.children[1].came, MX_EXITED);
    EXPECT_EQ(o.children[1].status, 3);
    EXPECT_EQ((int)o.children[2].came, MX_EXITED);
    EXPECT_EQ(o.children[2].status, 0);
}

/* What a failing actor says nobody but its owner hears: the test decides. */
TEST(collected_errors_do_not_fail_the_test, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1);

    SPAWN(n, failing, "fails", .words = "boom");
    mx_close(n);
}

TEST(fails_with_its_nursery, USES(cell), .xfail = "an actor of it fails", .xfail_strict = 1)
{
    NURSERY(n)
    {
        SPAWN(n, failing, "fails", .words = "boom");
    }
}

/* ---- booting ---- */

ROWS(
    fault, struct {
        const char *what;
        enum mx_came came;
        const char *words;
    });
ROW(fault, killed_at_start) = {"die@start", MX_NOT_BORN, "died \\(SIGKILL\\) before it had connected"};
ROW(fault, exits_at_start) = {"exit2@start", MX_NOT_BORN, "ended with status 2 before it had connected"};
ROW(fault, killed_at_connect) = {"die@connect", MX_NOT_BORN, "SIGKILL"};
ROW(fault, killed_at_hello) = {"die@hello", MX_NOT_BORN, "before it had connected"};
ROW(fault, killed_half_way) = {"die@half-hello", MX_NOT_BORN, "before it had connected"};
ROW(fault, exits_half_way) = {"exit2@half-hello", MX_NOT_BORN, "before it had connected"};
ROW(fault, killed_when_told) = {"die@spec", MX_NOT_BORN, "before it was ready"};
ROW(fault, ends_when_told) = {"exit0@spec", MX_NOT_BORN, "ended with status 0 before it was ready"};
ROW(fault, killed_when_ready) = {"die@ready", MX_DIED, "SIGKILL"};
ROW(fault, hangs_at_connect) = {"hang@connect", MX_NOT_BORN, "not heard of in time; it died \\(SIGKILL\\)"};
ROW(fault, hangs_half_way) = {"hang@half-hello", MX_NOT_BORN, "not heard of in time"};
ROW(fault, hangs_when_told) = {"hang@spec", MX_NOT_BORN, "told what to be, and was not ready in time"};
ROW(fault, stopped) = {"stop@hello", MX_NOT_BORN, "not heard of in time"};

TEST(boot_death_is_an_outcome, USES(cell), WITH(fault))
{
    struct mx_nursery *n =
        mx_nursery(.collect = 1, .go_on = 1,
                   .boot = strstr(fault.what, "hang") || strstr(fault.what, "stop") ? "200ms" : "30s");
    struct mx_outcome o;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", fault.what);
    o = mx_wait(SPAWN(n, quiet, "a"), NULL);
    EXPECT_EQ((int)o.came, fault.came);
    EXPECT_MATCH(o.words, fault.words);
    mx_unsetenv("RUN_MATRIX_ACTOR_FAULT");
    o = mx_wait(SPAWN(n, quiet, "after"), NULL);
    EXPECT_EQ((int)o.came, MX_CAME_TO_END);
}

/* Depth asymmetry: one is held at its boot while another fails. */
TEST(one_that_has_not_connected_is_cancelled, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .boot = "1h", .budget = "2s");
    struct mx_actor *held;
    struct mx_outcome o;

    mx_setenv("RUN_MATRIX_ACTOR_FAULT", "hang@connect");
    held = SPAWN_SOON(n, quiet, "held");
    mx_unsetenv("RUN_MATRIX_ACTOR_FAULT");
    SPAWN(n, failing, "fails", .words = "boom");
    o = mx_close(n);
    EXPECT_EQ((int)mx_wait(held, NULL).came, MX_CANCELLED);
    EXPECT_EQ(mx_errors(&o), 1);
}

/* ---- cancelling ---- */

ROWS(
    stuck_how, struct {
        enum way way;
        int signal;
        bool hard;
    });
ROW(stuck_how, waits) = {WAIT, 0, false};
ROW(stuck_how, sleeps) = {SLEEP, 0, true};
ROW(stuck_how, computes) = {COUNT, 0, true};
ROW(stuck_how, blocks_signals) = {BLOCKED, SIGKILL, true};
ROW(stuck_how, stopped) = {STOPPED, 0, true};

TEST(is_cancelled_however_stuck, USES(cell), WITH(stuck_how))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = stuck_how.signal == SIGKILL ? "300ms" : "5s");
    struct mx_outcome o = mx_cancel(spawn_stuck(n, "a", stuck_how.way));

    EXPECT_EQ((int)o.came, MX_CANCELLED);
    EXPECT_EQ(o.signal, stuck_how.signal);
    EXPECT_EQ(o.hard, stuck_how.hard);
}

/* Depth adds nothing: the budget of the root is that of all. */
TEST(chain_is_gone_within_one_budget, USES(cell), .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "1s");
    struct mx_actor *top = SPAWN(n, chain, "top", .below = 3, .way = BLOCKED);
    struct mx_outcome o;
    int64_t began;

    ASSERT_EQ((int)mx_receive(mx_peer_of(top), "30s").heard, MX_HEARD);
    began = mx_now();
    o = mx_cancel(top);
    EXPECT_EQ((int)o.came, MX_CANCELLED);
    EXPECT_EQ(o.signal, 0);
    NOTE("it took %d ms of 1000", (int)((mx_now() - began) / 1000000));
}

/* Nobody in the middle passes anything on; those below are found all the same. */
TEST(chain_whose_middle_is_stuck_leaves_nobody, USES(cell), .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "600ms");
    struct mx_actor *top = SPAWN(n, chain, "top", .below = 2, .way = BLOCKED, .middle = BLOCKED);
    struct mx_message lowest = mx_receive(mx_peer_of(top), "30s");
    int pid;

    ASSERT_EQ(lowest.len, sizeof pid);
    memcpy(&pid, lowest.bytes, sizeof pid);
    EXPECT_EQ(mx_cancel(top).signal, SIGKILL);
    EXPECT(kill(pid, 0) < 0, "%d lives", pid); /* those below are gone as well when it returns */
    mx_close(n);
}

/* An actor that dies leaves those below it to the next one who lives. */
TEST(orphans_are_ended_by_who_is_left, USES(cell), .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "600ms");
    struct mx_actor *top = SPAWN(n, chain, "top", .below = 1, .way = BLOCKED);

    ASSERT_EQ((int)mx_receive(mx_peer_of(top), "30s").heard, MX_HEARD);
    kill(mx_wait(top, "0s").pid, SIGKILL);
    EXPECT_EQ((int)mx_wait(top, NULL).came, MX_DIED);
    mx_close(n);
}

/* ---- what is refused ---- */

static void *talk(void *user)
{
    mx_receive(user, "0s");
    return NULL;
}

/* There is one who attends to actors, and what another thread would wait for is his. */
TEST(another_thread_does_not_talk_to_actors, USES(cell), .xfail = "it is refused", .xfail_strict = 1)
{
    pthread_t thread;

    NURSERY(n)
    {
        ASSERT_EQ(pthread_create(&thread, NULL, talk, mx_peer_of(SPAWN(n, quiet, "a"))), 0);
        pthread_join(thread, NULL);
    }
}

static void *look_for_peer(void *user)
{
    mx_peer_of(user);
    return NULL;
}

TEST(another_thread_does_not_wait_for_actors, USES(cell), .xfail = "it is refused", .xfail_strict = 1)
{
    pthread_t thread;

    NURSERY(n)
    {
        ASSERT_EQ(pthread_create(&thread, NULL, look_for_peer, SPAWN(n, quiet, "a")), 0);
        pthread_join(thread, NULL);
    }
}

/* A copy that runs on to the end of the block neither hears nor ends those who are its parent's. */
TEST(forked_copy_does_not_end_the_nursery, USES(cell), .xfail = "it is refused", .xfail_strict = 1)
{
    NURSERY(n)
    {
        pid_t copy;

        mx_wait(SPAWN(n, quiet, "a"), NULL);
        copy = fork();
        if (!copy)
            continue;
        waitpid(copy, NULL, 0);
    }
}

TEST(nobody_comes_after_the_end, USES(cell), .xfail = "it is refused", .xfail_strict = 1)
{
    struct mx_nursery *n = mx_nursery(.collect = 1);

    SPAWN(n, quiet, "a");
    mx_close(n);
    SPAWN_SOON(n, quiet, "late");
}

/* ---- descriptors ---- */

static void allow_descriptors(rlim_t most)
{
    const struct rlimit limit = {most, most};

    ASSERT_OK(setrlimit(RLIMIT_NOFILE, &limit));
}

/* Who is over takes no place among those that are waited for. */
TEST(one_after_the_other_without_end, USES(cell), .timeout = "60s")
{
    allow_descriptors(80);
    NURSERY(n)
    {
        for (int i = 0; i < 12; i++)
            ASSERT_EQ((int)mx_wait(SPAWN(n, quiet, "a"), "20s").came, MX_CAME_TO_END);
    }
}

/* What cannot be heard is not waited for, and that is said. */
TEST(more_descriptors_than_allowed, USES(cell), .xfail = "it cannot wait", .xfail_strict = 1)
{
    NURSERY(n, .budget = "20s")
    {
        spawn_stuck(n, "a", WAIT);
        allow_descriptors(1);
        mx_sleep("1ms");
    }
}

static void use_up_descriptors(int *last)
{
    int fd;

    while ((fd = dup(0)) >= 0)
        *last = fd;
}

/* Where no descriptor is left to tell of a signal it is heard all the same. */
TEST(interrupted_without_descriptors, USES(cell), .xfail = "it is interrupted", .xfail_strict = 1)
{
    struct sigevent interrupt = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGINT};
    const struct itimerspec soon = {.it_value = {.tv_nsec = 100000000}};
    timer_t timer;
    int last = -1;

    allow_descriptors(80);
    NURSERY(n)
    {
        use_up_descriptors(&last);
        ASSERT_OK(timer_create(CLOCK_MONOTONIC, &interrupt, &timer));
        ASSERT_OK(timer_settime(timer, 0, &soon, NULL));
        mx_sleep("1h");
    }
}

/* Who cannot be let in is not waited for without a pause, and is told of. */
TEST(no_descriptor_for_who_comes, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1, .boot = "1s");
    struct mx_actor *late;
    struct mx_outcome o;
    int last = -1;

    mx_wait(SPAWN(n, quiet, "a"), NULL);
    allow_descriptors(80);
    late = SPAWN_SOON(n, quiet, "late");
    use_up_descriptors(&last);
    o = mx_wait(late, "20s");
    close(last);
    EXPECT_EQ((int)o.came, MX_NOT_BORN);
    EXPECT_MATCH(o.words, "no descriptor for its connection");
}

ROLE(breaking)
{
    char path[100];
};
ACTOR(breaking)
{
    static char much[1 << 20];

    for (int i = 0; i < 4; i++)
        mx_send(mx_parent(), much, sizeof much); /* its owner has room for no more than that */
    mx_break(mx_parent(), MX_BREAK_CLOSE);
    unlink(args->path);
    for (;;)
        pause();
}

/* Nobody takes what it has said, so nothing is heard of its end; that is not looked at all the time either. */
TEST(hung_up_while_nobody_listens, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "400ms");
    struct breaking_role what = {""};
    int64_t began;
    clock_t busy;

    snprintf(what.path, sizeof what.path, "%s", mx_write_file("connected", ""));
    mx_spawn_at(__FILE__, __LINE__, n, &mx_role_breaking, "a", &what, true);
    while (access(what.path, F_OK) == 0)
        mx_sleep("1ms");
    began = mx_now();
    busy = clock();
    mx_sleep("300ms");
    EXPECT_LT((double)(clock() - busy) / CLOCKS_PER_SEC, (double)(mx_now() - began) / 1e9 / 4);
    mx_cancel_all(n);
}

/* A wait leaves nothing behind, be there a nursery or not. */
TEST(waits_do_not_add_up, USES(cell))
{
    size_t before;

    NURSERY(n)
    {
        SPAWN(n, quiet, "a");
    }
    mx_sleep("0s");
    before = mallinfo2().uordblks;
    for (int i = 0; i < 1000; i++)
        mx_sleep("0s");
    EXPECT_LT(mallinfo2().uordblks, before + 10000);
}

/* ---- results ---- */

#define WORDY 60

ROLE(wordy){};
ACTOR(wordy)
{
    char words[3900];

    (void)args;
    memset(words, 'w', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    fputs(words, stderr);
    FAIL("%s", words);
}

static void stop(void *user)
{
    (void)user;
    raise(SIGSTOP);
}

ROLE(busy){};
ACTOR(busy)
{
    int pid = getpid();

    (void)args;
    mx_at_end(stop, NULL);
    mx_send(mx_parent(), &pid, sizeof pid);
    NURSERY(n, .go_on = 1)
    for (int i = 0; i < WORDY; i++)
        SPAWN_SOON(n, wordy, "wordy");
}

/* What it has not read when it ends takes nothing back of what it has said, though its owner has no time to listen. */
TEST(long_result_arrives, USES(cell), .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1);
    struct mx_actor *actor = SPAWN(n, busy, "busy");
    struct mx_message message = mx_receive(mx_peer_of(actor), "20s");
    struct mx_outcome all;
    siginfo_t info;
    int pid;

    ASSERT_EQ(message.len, sizeof pid);
    memcpy(&pid, message.bytes, sizeof pid);
    ASSERT_EQ(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
    ASSERT(mx_send(mx_peer_of(actor), "never read", 10));
    ASSERT_EQ(kill(pid, SIGCONT), 0);
    usleep(200000); /* it could end by now */
    all = mx_close(n);
    ASSERT_EQ((int)all.children[0].came, MX_HAS_FAILED, "%s", all.children[0].words);
    EXPECT_EQ(mx_errors(&all), WORDY);
}

TEST(many_stuck_cost_one_budget, USES(cell), .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "1s");
    struct mx_outcome o;
    char name[20];

    for (int i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "a%d", i);
        spawn_stuck(n, name, BLOCKED);
    }
    mx_cancel_all(n);
    o = mx_close(n);
    for (size_t i = 0; i < o.count; i++)
        EXPECT_EQ(o.children[i].signal, SIGKILL);
}

/* What it has to give back is given back. */
ROLE(holder)
{
    char path[100];
};
static void give_back(void *user)
{
    const char *path = user;

    unlink(path);
}

ACTOR(holder)
{
    mx_at_end(give_back, (void *)(uintptr_t)args->path);
    mx_send(mx_parent(), "", 0);
    for (;;)
        pause();
}

TEST(handlers_run_after_an_interrupt, USES(cell))
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .budget = "20s");
    struct holder_role held = {""};
    struct mx_actor *actor;

    snprintf(held.path, sizeof held.path, "%s", mx_write_file("held", ""));
    signal(SIGINT, SIG_IGN); /* whatever is inherited */
    actor = mx_spawn_at(__FILE__, __LINE__, n, &mx_role_holder, "a", &held, true);
    ASSERT_EQ((int)mx_receive(mx_peer_of(actor), "20s").heard, MX_HEARD);
    kill(mx_wait(actor, "0s").pid, SIGINT);
    mx_wait(actor, NULL);
    EXPECT(access(held.path, F_OK) < 0);
    mx_close(n);
}

TEST(left_by_break_is_cancelled, USES(cell))
{
    NURSERY(n, .budget = "20s")
    {
        spawn_stuck(n, "a", WAIT);
        break;
    }
}

TEST(left_by_a_failure_is_cancelled, USES(cell), .xfail = "it fails", .xfail_strict = 1)
{
    NURSERY(n, .budget = "20s")
    {
        spawn_stuck(n, "a", WAIT);
        FAIL("boom");
    }
}

TEST(interrupted_test_leaves_nobody, USES(cell), .xfail = "it is interrupted", .xfail_strict = 1)
{
    NURSERY(n, .budget = "20s")
    {
        spawn_stuck(n, "a", WAIT);
        raise(SIGINT);
        mx_sleep("1h");
    }
}

/* ---- what is inherited ---- */

/* Whose mask and dispositions are bad has actors that have neither. */
ROLE(judge){};
ACTOR(judge)
{
    struct sigaction now;
    sigset_t mask;

    (void)args;
    ASSERT_OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    for (int number = 1; number < 32; number++) {
        EXPECT(!sigismember(&mask, number));
        sigaction(number, NULL, &now);
        EXPECT(now.sa_handler != SIG_IGN);
    }
}

TEST(signals_are_clean_whatever_was_inherited, USES(cell))
{
    sigset_t some;

    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_BLOCK, &some, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    NURSERY(n)
    {
        SPAWN(n, judge, "a");
    }
}

/* Nothing is inherited but what was promised, at any depth. */
ROLE(counter)
{
    int below;
};
ACTOR(counter)
{
    int open = 0;

    for (int fd = 3; fd < 200; fd++)
        open += fcntl(fd, F_GETFD) >= 0;
    EXPECT_LE(open, 2); /* to its owner, and what it reads signals from */
    if (args->below)
        NURSERY(n)
        {
            SPAWN(n, counter, "below", .below = args->below - 1);
        }
}

TEST(descriptors_do_not_grow_with_depth, USES(cell))
{
    for (int i = 0; i < 20; i++)
        dup(0); /* not CLOEXEC */
    NURSERY(n)
    {
        SPAWN(n, counter, "a", .below = 2);
    }
}

/* ---- threads ---- */

static void *sleep_a_little(void *user)
{
    for (int i = 0; i < 20; i++)
        mx_sleep("1ms");
    return user;
}

/* Another thread that waits has no part in what the first one attends to. */
TEST(other_threads_may_wait, USES(cell))
{
    pthread_t threads[4];

    NURSERY(n)
    {
        for (int i = 0; i < 4; i++)
            ASSERT_EQ(pthread_create(&threads[i], NULL, sleep_a_little, NULL), 0);
        for (int i = 0; i < 4; i++)
            SPAWN(n, quiet, "a");
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
    }
}

/* A child that the test forks has actors of its own, and nothing to do with those of the test. */
TEST(forked_children_have_their_own, USES(cell))
{
    NURSERY(n)
    {
        spawn_stuck(n, "a", WAIT);
        ASSERT_EXITS(
            {
                NURSERY(m)
                {
                    SPAWN(m, quiet, "b");
                }
                _exit(7);
            },
            7);
        mx_cancel_all(n);
    }
}

/* ---- what hangs on the way, and what is left in a copy ---- */

static void hang_where(const char *where)
{
    const char *hangs = getenv("HANGS");

    while (hangs && strcmp(hangs, where) == 0)
        pause();
}

static void hang_before(void)
{
    hang_where("before");
}

static void hang_in_child(void)
{
    hang_where("child");
}

/* In a process that is between us and the actor. */
TEST(one_that_hangs_in_fork_is_not_waited_for, .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .go_on = 1, .boot = "300ms");
    struct mx_outcome o;

    mx_setenv("RUN_MATRIX_BACKEND", "main_thread_forkserver");
    ASSERT_EQ(pthread_atfork(NULL, NULL, hang_in_child), 0);
    mx_setenv("HANGS", "child");
    o = mx_wait(SPAWN(n, quiet, "hangs"), NULL);
    EXPECT_EQ((int)o.came, MX_NOT_BORN);
    EXPECT_MATCH(o.words, "timed out");
    mx_unsetenv("HANGS");
    NURSERY(other)
    {
        SPAWN(other, quiet, "goes_on");
    }
    ASSERT_LT(waitpid(-1, NULL, WNOHANG), 0);
}

/* On the thread that serves: it stays where it is. */
TEST(server_that_hangs_is_not_waited_for, .timeout = "60s")
{
    struct mx_nursery *n = mx_nursery(.collect = 1, .boot = "300ms");

    mx_setenv("RUN_MATRIX_BACKEND", "main_thread_forkserver");
    ASSERT_EQ(pthread_atfork(hang_before, NULL, NULL), 0);
    mx_setenv("HANGS", "before");
    EXPECT_EQ((int)mx_wait(SPAWN(n, quiet, "hangs"), NULL).came, MX_NOT_BORN);
}

static void *read_line(void *user)
{
    char line[10];

    return fgets(line, sizeof line, user);
}

/* A stream that another thread has taken. */
TEST(other_threads_may_read, USES(cell))
{
    int ends[2];
    FILE *in;
    pthread_t thread;

    ASSERT_EQ(pipe(ends), 0);
    in = fdopen(ends[0], "r");
    ASSERT_EQ(pthread_create(&thread, NULL, read_line, in), 0);
    while (ftrylockfile(in) == 0) {
        funlockfile(in);
        usleep(1000);
    }
    NURSERY(n)
    {
        SPAWN(n, quiet, "a");
        SPAWN(n, quiet, "b");
    }
    ASSERT_EQ(write(ends[1], "\n", 1), 1);
    pthread_join(thread, NULL);
    fclose(in);
}

/* Its owner has something else to do, and the time that it has to be there is not over. */
TEST(boot_waits_for_its_owner, .timeout = "60s")
{
    NURSERY(n, .boot = "60s")
    {
        SPAWN_SOON(n, quiet, "a");
        for (int i = 0; i < 22; i++)
            usleep(500000);
    }
}

static int count_open(void)
{
    int open = 0;

    for (int fd = 3; fd < 200; fd++)
        open += fcntl(fd, F_GETFD) >= 0;
    return open;
}

/* A forked child that has a nursery keeps nothing of its parent's. */
TEST(forked_children_have_no_descriptors_of_actors, USES(cell))
{
    int before = count_open();

    NURSERY(n)
    {
        int pipes = 0;

        spawn_stuck(n, "a", WAIT);
        pipes = count_open();
        ASSERT_GT(pipes, before);
        ASSERT_EXITS(
            {
                int inherited = count_open() - pipes;

                NURSERY(m)
                {
                }
                _exit(count_open() - inherited <= before ? 7 : 1 + count_open() - inherited - before);
            },
            7);
        mx_cancel_all(n);
    }
}
