#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/harness/contain_internal.h"
#include "runner/harness/harness.h"
#include "tests/unit/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MS      NS_PER_MS
#define AN_HOUR (3600 * NS_PER_S)
#define LONG_MS 60000 /* nothing here takes that long */
#define SLOTS   20

/* ---- children ---- */

/* What a child does; on a byte or the end of `life` it exits. */
struct habit {
    bool stubborn; /* INT and TERM are ignored */
    bool family;   /* has a child of its own that does as it does */
    bool stopped;  /* stops itself at once */
    bool catches;  /* exits with 3 on INT */
    int flood;     /* writes two blocks there, or without end when it is stubborn; 0: does not */
};

struct kid {
    struct process process;
    int life;
};

static void set_signals(const struct habit *habit, sigset_t *caught)
{
    sigemptyset(caught);
    sigaddset(caught, SIGINT);
    if (habit->catches)
        sigprocmask(SIG_BLOCK, caught, NULL);
    if (!habit->stubborn)
        return;
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
}

static void flood(const struct habit *habit)
{
    static const char block[65536];
    const struct rlimit most = {(rlim_t)1 << 30, (rlim_t)1 << 30};

    setrlimit(RLIMIT_FSIZE, &most);
    for (int i = 0; (habit->stubborn || i < 2) && write(2, block, sizeof block) > 0; i++)
        ;
}

/* Descriptors: 0 is `life`, 1 tells that it is ready, 2 is where it floods; the others' ends must not be held. */
static _Noreturn void live(const struct habit *habit)
{
    unsigned char status = 0;
    sigset_t caught;
    int number;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "kid");
    setsid();
    set_signals(habit, &caught);
    syscall(SYS_close_range, 3, ~0U, 0);
    if (habit->family && must_fork() == 0)
        prctl(PR_SET_NAME, "grand kid");
    if (write(1, "", 1) != 1)
        _exit(9);
    close(1);
    if (habit->stopped)
        raise(SIGSTOP);
    if (habit->flood)
        flood(habit);
    if (habit->catches && sigwait(&caught, &number) == 0)
        _exit(3);
    while (read(0, &status, 1) < 0)
        ;
    _exit(status);
}

static struct kid kid_start(struct habit habit)
{
    int life[2], ready[2];
    char bytes[2];
    struct kid kid;

    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    kid.process.pid = must_fork();
    if (kid.process.pid == 0) {
        dup2(life[0], 0);
        dup2(ready[1], 1);
        if (habit.flood)
            dup2(habit.flood, 2);
        live(&habit);
    }
    assert_true(kid.process.pid > 0);
    close(life[0]);
    close(ready[1]);
    for (int i = 0; i < 1 + habit.family; i++)
        assert_int_equal(read(ready[0], bytes, 1), 1);
    close(ready[0]);
    kid.life = life[1];
    kid.process.pidfd = pidfd_of(kid.process.pid);
    assert_true(kid.process.pidfd >= 0);
    return kid;
}

static void kid_exit(struct kid *kid, unsigned char status)
{
    assert_int_equal(write(kid->life, &status, 1), 1);
    fd_close(&kid->life);
}

/* ---- watches ---- */

static struct contain *powerless; /* KILL does nothing there */
static struct contain
    *contain; /* of all watches here; its last place is for those that are there beside another */

static const struct ladder quick = {
    .count = 3,
    .steps = {{SIGINT, LADDER_GROUP, 30 * MS}, {SIGTERM, LADDER_TREE, 20 * MS}, {SIGKILL, LADDER_TREE, -1}}};
static const struct ladder patient = {
    .count = 3,
    .steps = {{SIGINT, LADDER_GROUP, AN_HOUR}, {SIGTERM, LADDER_TREE, AN_HOUR}, {SIGKILL, LADDER_TREE, -1}}};

static struct watched watched_of(uint32_t slot, const struct kid *kid, const struct ladder *ladder,
                                 nanos limit)
{
    return (struct watched){.process = kid->process,
                            .limits = {[WATCH_CALL] = limit},
                            .ladder = ladder,
                            .place = contain_place(contain, slot),
                            .outputs = {-1, -1}};
}

static uint32_t begin(struct watch *watch, uint32_t slot, const struct kid *kid, const struct ladder *ladder,
                      nanos limit)
{
    struct watched watched = watched_of(slot, kid, ladder, limit);

    return watch_begin(watch, slot, &watched, watch_now(watch));
}

static void await_fd(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&poll_fd, 1, LONG_MS), 1);
}

/* What is left of it is ended by its ladder. */
static enum watch_news reap_all(struct watch *watch, uint32_t slot, struct watch_ending *ending)
{
    enum watch_news news = watch_reap(watch, slot, ending);
    struct watch_event event;

    while (news == WATCH_REMAIN) {
        while (!watch_next(watch, &event))
            await_fd(watch_fd(watch));
        if (event.kind == WATCH_TELLS_OVER && event.slot == slot)
            news = watch_reap(watch, slot, ending);
    }
    return news;
}

static struct watch_ending reap(struct watch *watch, uint32_t slot, struct kid *kid)
{
    struct watch_ending ending;

    await_fd(kid->process.pidfd);
    assert_int_equal(reap_all(watch, slot, &ending), WATCH_IS_OVER);
    fd_close(&kid->life);
    return ending;
}

static struct watch_event await_event(struct watch *watch, enum watch_event_kind kind)
{
    struct watch_event event;

    do {
        while (!watch_next(watch, &event))
            await_fd(watch_fd(watch));
    } while (event.kind != kind);
    return event;
}

static void pass(nanos span)
{
    const struct timespec rest = {span / NS_PER_S, span % NS_PER_S};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
}

/* "INT TERM KILL" */
static const char *rungs_text(const struct watch_ending *ending, char *out, size_t size)
{
    size_t len = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < ending->rung_count && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? " " : "",
                                sigabbrev_np(ending->rungs[i].signal));
    return out;
}

static void assert_rungs(const struct watch_ending *ending, const char *expected)
{
    char text[256];

    assert_string_equal(rungs_text(ending, text, sizeof text), expected);
}

static int make_watch(void **state)
{
    *state = watch_new(contain, SLOTS);
    return *state ? 0 : -1;
}

static int free_watch(void **state)
{
    watch_free(*state);
    return 0;
}

static void kill_nobody(struct contain_place *place)
{
    (void)place;
}

static struct contain *open_contain(void)
{
    struct buf why = {0};
    struct contain *opened = contain_open("group", "test", SLOTS, &why);

    buf_release(&why);
    assert_non_null(opened);
    assert_int_equal(contain_start(opened), 0);
    return opened;
}

static int make_contain(void **state)
{
    static struct means means;

    (void)state;
    contain = open_contain();
    powerless = open_contain();
    means = *contain->means;
    means.kill = kill_nobody;
    contain_place(powerless, 0)->means = &means;
    return 0;
}

static int free_contain(void **state)
{
    (void)state;
    contain_close(contain);
    contain_close(powerless);
    return 0;
}

/* ---- endings ---- */

static void test_ends_by_itself(void **state)
{
    static const unsigned char codes[] = {0, 1, 77, 255};
    struct watch *watch = *state;
    struct watch_event event;

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        struct kid kid = kid_start((struct habit){0});
        struct watch_ending ending;
        struct watch_view view;

        assert_int_equal(begin(watch, 3, &kid, &quick, AN_HOUR), i + 1);
        assert_int_equal(WATCH_GOES_ON, watch_reap(watch, 3, &ending));
        assert_true(watch_look(watch, 3, &view));
        assert_int_equal(view.generation, i + 1);
        assert_int_equal(view.phase, WATCH_CALL);
        assert_int_equal(view.rungs, 0);
        kid_exit(&kid, codes[i]);
        ending = reap(watch, 3, &kid);
        assert_int_equal(ending.status, codes[i]);
        assert_int_equal(ending.signal, 0);
        assert_int_equal(ending.cause, WATCH_NO_CAUSE);
        assert_int_equal(ending.rung_count, 0);
        assert_int_equal(ending.executed, ending.started);
        assert_true(ending.ended > ending.started);
        assert_true(ending.usage.ru_maxrss > 0);
        assert_false(ending.lost || ending.abandoned || ending.core);
        assert_false(watch_look(watch, 3, &view));
        assert_int_equal(WATCH_GOES_ON, watch_reap(watch, 3, &ending));
    }
    assert_false(watch_next(watch, &event));
}

static void test_ends_by_signal(void **state)
{
    static const int signals[] = {SIGTERM, SIGKILL, SIGUSR1};

    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        struct kid kid = kid_start((struct habit){0});
        struct watch_ending ending;

        begin(*state, 0, &kid, &quick, AN_HOUR);
        kill(kid.process.pid, signals[i]);
        ending = reap(*state, 0, &kid);
        assert_int_equal(ending.status, -1);
        assert_int_equal(ending.signal, signals[i]);
        assert_int_equal(ending.cause, WATCH_NO_CAUSE);
    }
}

static void test_lost_when_stolen(void **state)
{
    struct kid kid = kid_start((struct habit){0});
    struct watch_ending ending;

    begin(*state, 0, &kid, &quick, AN_HOUR);
    kid_exit(&kid, 0);
    assert_int_equal(waitpid(kid.process.pid, NULL, 0), kid.process.pid);
    ending = reap(*state, 0, &kid);
    assert_true(ending.lost);
    assert_int_equal(ending.status, -1);
    assert_int_equal(ending.signal, 0);
}

static void test_lost_when_ignored(void **state)
{
    struct kid kid;
    struct watch_ending ending;

    signal(SIGCHLD, SIG_IGN);
    kid = kid_start((struct habit){0});
    begin(*state, 0, &kid, &quick, AN_HOUR);
    kid_exit(&kid, 0);
    ending = reap(*state, 0, &kid);
    signal(SIGCHLD, SIG_DFL);
    assert_true(ending.lost);
    assert_int_equal(ending.status, -1);
}

/* What stays in the group of a case is gone with it. */
static void test_others_remain(void **state)
{
    static const nanos graces[] = {0, MS};

    for (size_t i = 0; i < ARRAY_LEN(graces); i++) {
        struct kid kid = kid_start((struct habit){.family = true, .stubborn = true});
        struct watched watched = watched_of(0, &kid, &quick, AN_HOUR);
        struct census members = {0};
        struct watch_ending ending;

        watched.leak_grace = graces[i];
        watch_begin(*state, 0, &watched, watch_now(*state));
        kill(kid.process.pid, SIGKILL);
        fcntl(kid.life, F_SETFD, FD_CLOEXEC);
        await_fd(kid.process.pidfd);
        assert_int_equal(watch_reap(*state, 0, &ending), WATCH_REMAIN);
        await_event(*state, WATCH_TELLS_REMAINS);
        watch_members(*state, 0, &members);
        assert_int_equal(members.count, 1);
        assert_string_equal(members.list[0].comm, "grand kid");
        census_release(&members);
        watch_end(*state, 0, WATCH_REMAINS);
        ending = reap(*state, 0, &kid);
        assert_int_equal(kill(-kid.process.pid, 0), -1);
        assert_true(ending.remained);
        assert_false(ending.undead || ending.abandoned || ending.lost);
        assert_int_equal(ending.cause, WATCH_NO_CAUSE);
        assert_int_equal(ending.signal, SIGKILL);
        assert_rungs(&ending, "INT TERM KILL");
    }
}

static void cancel_and_hurry(struct watch *watch)
{
    watch_cancel(watch, 1, 0);
    watch_cancel(watch, 3, 0);
}

static void strike_session(struct watch *watch)
{
    watch_session(watch, watch_now(watch));
    await_event(watch, WATCH_TELLS_SESSION);
}

/* The grace is cut short: who is left is looked at all the same, before anybody is ended. */
static void test_run_ends_while_others_remain(void **state)
{
    static const struct {
        void (*end)(struct watch *watch);
        bool seen; /* the loop knew already that others remain */
        const char *rungs;
    } rows[] = {
        {cancel_and_hurry, true, "KILL"},
        {cancel_and_hurry, false, "KILL"},
        {strike_session, true, "INT TERM KILL"},
        {strike_session, false, "INT TERM KILL"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct watch *watch = watch_new(contain, SLOTS);
        struct kid kid = kid_start((struct habit){.family = true, .stubborn = true});
        struct watched watched = watched_of(0, &kid, &quick, AN_HOUR);
        struct census members = {0};
        struct watch_ending ending;

        watched.leak_grace = AN_HOUR;
        watch_begin(watch, 0, &watched, watch_now(watch));
        kill(kid.process.pid, SIGKILL);
        fcntl(kid.life, F_SETFD, FD_CLOEXEC);
        await_fd(kid.process.pidfd);
        assert_true(!rows[i].seen || watch_reap(watch, 0, &ending) == WATCH_REMAIN);
        rows[i].end(watch);
        await_event(watch, WATCH_TELLS_REMAINS);
        watch_members(watch, 0, &members);
        assert_int_equal(members.count, 1);
        census_release(&members);
        watch_end(watch, 0, WATCH_REMAINS);
        ending = reap(watch, 0, &kid);
        assert_int_equal(ending.cause, WATCH_NO_CAUSE);
        assert_rungs(&ending, rows[i].rungs);
        watch_free(watch);
    }
    (void)state;
}

/* Who goes within the grace is no leak, and costs no more of it than he takes. */
static void test_others_go(void **state)
{
    struct kid kid = kid_start((struct habit){.family = true});
    struct watched watched = watched_of(0, &kid, &quick, AN_HOUR);
    struct watch_ending ending;

    watched.leak_grace = AN_HOUR;
    watch_begin(*state, 0, &watched, watch_now(*state));
    kill(kid.process.pid, SIGKILL);
    await_fd(kid.process.pidfd);
    assert_int_equal(watch_reap(*state, 0, &ending), WATCH_REMAIN);
    fd_close(&kid.life); /* the other ends */
    ending = reap(*state, 0, &kid);
    assert_false(ending.remained);
    assert_rungs(&ending, "");
}

/* ---- who is outside ---- */

static void await_state(pid_t pid, bool stopped)
{
    struct proc_stat stat;

    do
        assert_int_equal(proc_stat_read(pid, &stat), 0);
    while ((stat.state == 'T') != stopped);
}

/* What is told of him is true when it is heard. */
static void test_outer_is_stopped(void **state)
{
    struct kid kid = kid_start((struct habit){0}), outer = kid_start((struct habit){0});
    struct proc_id id = proc_identify(outer.process.pid), another = id;
    struct watch_event event;

    another.start_ticks++;
    begin(*state, 0, &kid, &quick, AN_HOUR);
    watch_outer(*state, id);
    for (int round = 0; round < 3; round++) {
        kill(outer.process.pid, SIGSTOP);
        await_fd(watch_fd(*state));
        if (round == 0)
            kill(outer.process.pid, SIGCONT);
        else
            watch_outer(*state, round == 1 ? another : (struct proc_id){0});
        await_state(outer.process.pid, round > 0);
        assert_false(watch_next(*state, &event));
        watch_outer(*state, id);
    }
    await_event(*state, WATCH_TELLS_STOPPED);
    watch_outer(*state, (struct proc_id){0});
    kill(outer.process.pid, SIGKILL);
    waitpid(outer.process.pid, NULL, 0);
    close(outer.process.pidfd);
    close(outer.life);
    kid_exit(&kid, 0);
    reap(*state, 0, &kid);
}

/* ---- deadlines ---- */

static void test_deadline(void **state)
{
    struct kid kid = kid_start((struct habit){0});
    uint32_t generation = begin(*state, 5, &kid, &patient, 50 * MS);
    struct watch_event event = await_event(*state, WATCH_TELLS_ENDING);
    struct watch_ending ending = reap(*state, 5, &kid);
    char alive[64];

    assert_int_equal(event.slot, 5);
    assert_int_equal(event.generation, generation);
    assert_int_equal(event.cause, WATCH_DEADLINE);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.phase, WATCH_CALL);
    assert_int_equal(ending.signal, SIGINT);
    assert_rungs(&ending, "INT");
    assert_true(ending.rungs[0].at >= 50 * MS);
    snprintf(alive, sizeof alive, "kid (%d)", kid.process.pid);
    assert_string_equal(ending.rungs[0].alive, alive);
}

#define SAYS(phase, rest) "{\"said\":\"phase\",\"phase\":\"" phase "\",\"of\":\"reg\"" rest "}\n"
#define TO_COME           ",\"at\":9000000000000000000"

/* What a test says it is at has a deadline of its own. Times are the least that it takes. */
static const struct part_row {
    const char *said; /* NULL: a FIFO stands there */
    nanos limit, least;
    struct watch_part part;
} part_rows[] = {
    {SAYS("call", ""), 50 * MS, 50 * MS, {.phase = SAID_CALL, .limit = 50 * MS}},
    {SAYS("setup", ""), 50 * MS, 50 * MS, {.phase = SAID_SETUP, .limit = 50 * MS}},
    {SAYS("teardown", ",\"timeout\":\"10ms\""),
     AN_HOUR,
     10 * MS,
     {.phase = SAID_TEARDOWN, .limit = 10 * MS, .own = true}},
    {SAYS("setup", ",\"timeout\":\"300ms\""),
     50 * MS,
     300 * MS,
     {.phase = SAID_SETUP, .limit = 300 * MS, .own = true}},
    {SAYS("call", TO_COME), 50 * MS, 50 * MS, {.phase = SAID_CALL, .limit = 50 * MS}},
    {SAYS("setup", TO_COME ",\"timeout\":\"10ms\"") SAYS("call", TO_COME),
     50 * MS,
     50 * MS,
     {.phase = SAID_CALL, .limit = 50 * MS}},
    {"rubbish\n", 50 * MS, 50 * MS, {.phase = SAID_NO_PHASE}},
    {NULL, 50 * MS, 50 * MS, {.phase = SAID_NO_PHASE}},
};

static void say(int folder, const char *said)
{
    int fd;

    if (!said) {
        assert_int_equal(mkfifoat(folder, SAID_NAME, 0600), 0);
        return;
    }
    fd = openat(folder, SAID_NAME, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, said, strlen(said)), (ssize_t)strlen(said));
    close(fd);
}

static void test_parts(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(part_rows); i++) {
        const struct part_row *row = &part_rows[i];
        char folder[] = "/tmp/rm-watch-XXXXXX";
        struct kid kid = kid_start((struct habit){0});
        struct watched watched = watched_of(5, &kid, &patient, row->limit);
        struct watch_ending ending;

        assert_non_null(mkdtemp(folder));
        watched.says = true;
        watched.folder = open(folder, O_DIRECTORY | O_CLOEXEC);
        say(watched.folder, row->said);
        watch_begin(*state, 5, &watched, watch_now(*state));
        assert_int_equal(await_event(*state, WATCH_TELLS_ENDING).cause, WATCH_DEADLINE);
        ending = reap(*state, 5, &kid);
        assert_int_equal(ending.phase, WATCH_CALL);
        if (ending.part.phase != row->part.phase || ending.part.limit != row->part.limit ||
            ending.part.own != row->part.own || ending.part.all || ending.rungs[0].at < row->least)
            fail_msg("%zu: phase %d, limit %lld, after %lld", i, ending.part.phase,
                     (long long)ending.part.limit, (long long)ending.rungs[0].at);
        assert_string_equal(ending.part.of, ending.part.phase ? "reg" : "");
        assert_true(!ending.part.phase ||
                    (ending.part.began >= ending.executed && ending.part.began <= ending.ended));
        said_forget(watched.folder);
        close(watched.folder);
        rmdir(folder);
    }
}

/* Who says again and again that something else begins has the limit of all together: it comes to an end. */
static void test_parts_together(void **state)
{
    char folder[] = "/tmp/rm-watch-XXXXXX";
    struct kid kid = kid_start((struct habit){0});
    struct watched watched = watched_of(5, &kid, &patient, 100 * MS);
    struct watch_ending ending;
    struct watch_view view = {0};
    struct buf line = {0};
    int fd;

    assert_non_null(mkdtemp(folder));
    watched.says = true;
    watched.folder = open(folder, O_DIRECTORY | O_CLOEXEC);
    fd = openat(watched.folder, SAID_NAME, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    watch_begin(*state, 5, &watched, watch_now(*state));
    while (watch_look(*state, 5, &view) && !view.cause) {
        buf_clear(&line);
        buf_addf(&line, SAYS("call", ",\"at\":%lld"), (long long)clock_now());
        assert_int_equal(write(fd, line.ptr, line.len), (ssize_t)line.len);
        pass(10 * MS);
    }
    await_event(*state, WATCH_TELLS_ENDING);
    ending = reap(*state, 5, &kid);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    /* Where this thread was kept from running, it was one of the parts that took too long. */
    assert_true(ending.rungs[0].at >= (ending.part.all ? WATCH_PARTS_LIMITS : 1) * 100 * MS);
    buf_release(&line);
    close(fd);
    said_forget(watched.folder);
    close(watched.folder);
    rmdir(folder);
}

static void test_ladder(void **state)
{
    struct kid kid = kid_start((struct habit){.stubborn = true, .family = true});
    struct watch_ending ending;

    begin(*state, 0, &kid, &quick, 10 * MS);
    ending = reap(*state, 0, &kid); /* as if the loop were parked: nothing was read of its events */
    assert_int_equal(ending.signal, SIGKILL);
    assert_rungs(&ending, "INT TERM KILL");
    assert_int_equal(ending.rungs[0].target, LADDER_GROUP);
    assert_int_equal(ending.rungs[1].target, LADDER_TREE);
    assert_true(ending.rungs[1].at - ending.rungs[0].at >= 30 * MS);
    assert_true(ending.rungs[2].at - ending.rungs[1].at >= 20 * MS);
    for (uint32_t i = 0; i < ending.rung_count; i++) {
        assert_non_null(strstr(ending.rungs[i].alive, "kid ("));
        assert_non_null(strstr(ending.rungs[i].alive, "grand kid ("));
    }
}

/* A ladder that ends before KILL, and one that is as long as can be. */
static void test_ladder_without_kill(void **state)
{
    struct ladder ladder = {.count = LADDER_STEPS_MOST};
    struct kid kid = kid_start((struct habit){.stubborn = true});
    struct watch_ending ending;

    for (uint32_t i = 0; i < ladder.count; i++)
        ladder.steps[i] = (struct ladder_step){SIGTERM, LADDER_LEADER, MS};
    begin(*state, 0, &kid, &ladder, 10 * MS);
    ending = reap(*state, 0, &kid);
    assert_int_equal(ending.rung_count, LADDER_STEPS_MOST + 1);
    assert_int_equal(ending.rungs[LADDER_STEPS_MOST].signal, SIGKILL);
    assert_int_equal(ending.signal, SIGKILL);
}

static void test_stopped_is_continued(void **state)
{
    struct kid kid = kid_start((struct habit){.stopped = true, .catches = true});
    struct watch_ending ending;

    begin(*state, 0, &kid, &patient, 10 * MS);
    ending = reap(*state, 0, &kid);
    assert_int_equal(ending.status, 3);
    assert_rungs(&ending, "INT");
}

/* The loop is late; the case was not. */
static void test_exited_in_time(void **state)
{
    struct kid prompt = kid_start((struct habit){0}), late = kid_start((struct habit){.stubborn = true});
    struct watch_ending ending;

    kid_exit(&prompt, 0);
    await_fd(prompt.process.pidfd);
    begin(*state, 0, &prompt, &quick, 10 * MS);
    begin(*state, 1, &late, &quick, 30 * MS);
    reap(*state, 1, &late);
    ending = reap(*state, 0, &prompt);
    assert_int_equal(ending.cause, WATCH_NO_CAUSE);
    assert_int_equal(ending.rung_count, 0);
    assert_int_equal(ending.status, 0);
}

/* It ends when its deadline strikes, a little before or after: either way all that is said of it fits together. */
static void test_deadline_at_its_end(void **state)
{
    for (int i = 0; i < 500; i++) {
        struct kid kid = {.life = -1};
        struct watch_ending ending;

        kid.process.pid = must_fork();
        if (kid.process.pid == 0) {
            usleep((useconds_t)(i % 50) * 20);
            _exit(5);
        }
        kid.process.pidfd = pidfd_of(kid.process.pid);
        begin(*state, 0, &kid, &patient, MS / 2);
        ending = reap(*state, 0, &kid);
        assert_false(ending.lost || ending.abandoned);
        assert_true(ending.status == 5 || (ending.signal == SIGINT && ending.rung_count));
        assert_int_equal(ending.cause, ending.rung_count ? WATCH_DEADLINE : WATCH_NO_CAUSE);
        assert_true(ending.rung_count <= 1);
    }
}

/* Dead after INT, and nobody comes for it: TERM and KILL were not needed. */
static void test_ladder_ends_with_the_process(void **state)
{
    static const struct ladder ladder = {
        .count = 2, .steps = {{SIGINT, LADDER_GROUP, 500 * MS}, {SIGTERM, LADDER_TREE, MS}}};
    struct kid kid = kid_start((struct habit){0});
    struct watch_ending ending;

    begin(*state, 0, &kid, &ladder, 10 * MS);
    pass(800 * MS);
    ending = reap(*state, 0, &kid);
    assert_rungs(&ending, "INT");
}

static void test_slow(void **state)
{
    struct kid kid = kid_start((struct habit){0});
    struct watched watched = watched_of(0, &kid, &quick, AN_HOUR);
    struct watch_event event;
    uint32_t generation;

    watched.slow = 20 * MS;
    generation = watch_begin(*state, 2, &watched, watch_now(*state));
    event = await_event(*state, WATCH_TELLS_SLOW);
    assert_int_equal(event.slot, 2);
    assert_int_equal(event.generation, generation);
    assert_int_equal(event.cause, WATCH_NO_CAUSE);
    pass(250 * MS);
    assert_false(watch_next(*state, &event));
    kid_exit(&kid, 0);
    assert_int_equal(reap(*state, 2, &kid).cause, WATCH_NO_CAUSE);
}

/* An event that nobody read before its attempt was over is of no use to the next one. */
static void test_old_generation(void **state)
{
    struct kid kid = kid_start((struct habit){0}), next = kid_start((struct habit){0});
    struct watched watched = watched_of(0, &kid, &quick, AN_HOUR);
    struct watch_event event;
    uint32_t generation;

    watched.slow = MS;
    generation = watch_begin(*state, 0, &watched, watch_now(*state));
    await_fd(watch_fd(*state));
    kid_exit(&kid, 0);
    reap(*state, 0, &kid);
    assert_int_equal(begin(*state, 0, &next, &quick, AN_HOUR), generation + 1);
    assert_false(watch_next(*state, &event));
    watch_end(*state, 0, WATCH_CANCEL);
    event = await_event(*state, WATCH_TELLS_ENDING);
    assert_int_equal(event.generation, generation + 1);
    reap(*state, 0, &next);
}

/* ---- set-up ---- */

/* A program whose exec waits until the lease is given back: a child that is stuck before it has executed. */
static int hold_program(char *path)
{
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, "#!/bin/sh\nexec sleep 1000\n", 26), 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    signal(SIGIO, SIG_IGN); /* tells us that somebody wants it */
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0)
        return fd;
    close(fd);
    unlink(path);
    skip();
    return -1;
}

struct held {
    char path[32];
    int lease;
    struct spawn *spawn;
    struct spawn_spec spec;
    char *argv[2], *envp[1];
    struct kid kid;
};

static void start_held(struct held *held)
{
    struct spawn_error error;

    strcpy(held->path, "/tmp/test-watch-XXXXXX");
    held->lease = hold_program(held->path);
    held->argv[0] = held->path;
    held->spec = (struct spawn_spec){.path = held->path,
                                     .argv = held->argv,
                                     .envp = held->envp,
                                     .stdio = {0, 1, 2},
                                     .terminal = -1,
                                     .session = true};
    held->spawn = spawn_new();
    assert_non_null(held->spawn);
    held->kid.life = -1;
    assert_true(backends[BACKEND_EXEC]->start(held->spawn, &held->spec, &held->kid.process, &error));
}

static uint32_t begin_held(struct watch *watch, uint32_t slot, struct held *held, nanos set_up, nanos call)
{
    struct watched watched = watched_of(slot, &held->kid, &patient, call);
    nanos started = watch_now(watch);

    start_held(held);
    watched.process = held->kid.process;
    watched.spawn = held->spawn;
    watched.limits[WATCH_SETUP] = set_up;
    return watch_begin(watch, slot, &watched, started);
}

static void end_held(struct held *held)
{
    spawn_free(held->spawn);
    fd_close(&held->lease);
    unlink(held->path);
}

static void test_set_up(void **state)
{
    struct held held = {0};
    struct watch_ending ending;
    struct watch_view view;

    begin_held(*state, 0, &held, 50 * MS, MS);
    assert_true(watch_look(*state, 0, &view));
    assert_int_equal(view.phase, WATCH_SETUP);
    ending = reap(*state, 0, &held.kid);
    assert_rungs(&ending, "KILL"); /* all else is blocked there */
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.phase, WATCH_SETUP);
    assert_int_equal(ending.spawned, SPAWN_UNDER_WAY);
    assert_int_equal(ending.executed, 0); /* though it was killed in the very call */
    assert_int_equal(ending.signal, SIGKILL);
    assert_true(ending.rungs[0].at >= 50 * MS);
    end_held(&held);
}

static void test_cancel_in_set_up(void **state)
{
    struct held held = {0};
    struct watch_ending ending;

    begin_held(*state, 0, &held, AN_HOUR, AN_HOUR);
    watch_cancel(*state, 1, 0);
    ending = reap(*state, 0, &held.kid);
    assert_rungs(&ending, "KILL");
    assert_int_equal(ending.cause, WATCH_CANCEL);
    assert_int_equal(ending.phase, WATCH_SETUP);
    end_held(&held);
}

/* The time of the call begins with the exec, however long it took to get there. */
static void test_late_exec(void **state)
{
    struct held held = {0};
    struct watch_ending ending;
    struct watch_view view;

    begin_held(*state, 0, &held, AN_HOUR, 100 * MS);
    do { /* a starved machine's clock goes slower than that of `pass` */
        pass(150 * MS);
        assert_true(watch_look(*state, 0, &view));
        assert_int_equal(view.phase, WATCH_SETUP);
    } while (view.running < 300 * MS);
    assert_int_equal(fcntl(held.lease, F_SETLEASE, F_UNLCK),
                     0); /* the child holds a copy of the descriptor */
    ending = reap(*state, 0, &held.kid);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.phase, WATCH_CALL);
    assert_rungs(&ending, "INT");
    assert_true(ending.executed - ending.started >= view.running);
    assert_true(ending.rungs[0].at >= ending.executed - ending.started + 100 * MS);
    end_held(&held);
}

/* ---- many ---- */

static nanos end_stubborn(struct watch *watch, uint32_t count)
{
    struct kid kids[SLOTS];
    nanos before;

    for (uint32_t i = 0; i < count; i++)
        kids[i] = kid_start((struct habit){.stubborn = true});
    before = watch_now(watch);
    for (uint32_t i = 0; i < count; i++)
        begin(watch, i, &kids[i], &quick, 400 * MS);
    for (uint32_t i = 0; i < count; i++) {
        struct watch_ending ending = reap(watch, i, &kids[i]);

        assert_rungs(&ending, "INT TERM KILL");
    }
    return watch_now(watch) - before;
}

static void test_side_by_side(void **state)
{
    nanos one = end_stubborn(*state, 1), twenty = end_stubborn(*state, SLOTS);

    if (twenty >= 3 * one)
        fail_msg("one took %lld us, twenty %lld", (long long)one / 1000, (long long)twenty / 1000);
}

static void test_many(void **state)
{
    struct watch *watch = *state;
    int fds = proc_count_fds(getpid());

    for (int i = 0; i < 5000; i++) {
        struct kid kid = {.life = -1};
        struct watch_ending ending;

        kid.process.pid = must_fork();
        if (kid.process.pid == 0)
            _exit(i & 0x7F);
        kid.process.pidfd = pidfd_of(kid.process.pid);
        begin(watch, (uint32_t)i % SLOTS, &kid, &quick, AN_HOUR);
        ending = reap(watch, (uint32_t)i % SLOTS, &kid);
        assert_int_equal(ending.status, i & 0x7F);
    }
    assert_int_equal(proc_count_fds(getpid()), fds);
}

/* ---- ended from outside ---- */

static void test_end(void **state)
{
    struct kid kid = kid_start((struct habit){0});
    struct watch_ending ending;

    begin(*state, 0, &kid, &patient, AN_HOUR);
    watch_end(*state, 0, WATCH_FLOOD);
    watch_end(*state, 0, WATCH_CANCEL);
    ending = reap(*state, 0, &kid);
    assert_int_equal(ending.cause, WATCH_FLOOD);
    assert_rungs(&ending, "INT");
}

#define STEP(name, wait)              \
    {                                 \
        SIG##name, LADDER_GROUP, wait \
    }

static void test_urgencies(void **state)
{
    static const struct {
        struct ladder ladder;
        int urgency;
        const char *expected;
    } rows[] = {
        {{.count = 3, .steps = {STEP(INT, MS), STEP(TERM, MS), STEP(KILL, -1)}}, 1, "INT TERM KILL"},
        {{.count = 3, .steps = {STEP(INT, MS), STEP(TERM, MS), STEP(KILL, -1)}}, 2, "TERM KILL"},
        {{.count = 3, .steps = {STEP(INT, MS), STEP(TERM, MS), STEP(KILL, -1)}}, 3, "KILL"},
        {{.count = 4, .steps = {STEP(INT, 0), STEP(CONT, 0), STEP(TERM, 0), STEP(KILL, -1)}}, 2, "TERM KILL"},
        {{.count = 2, .steps = {STEP(INT, MS), STEP(KILL, 0)}}, 2, "KILL"},
        {{.count = 2, .steps = {STEP(CONT, MS), STEP(KILL, -1)}}, 2, "CONT KILL"},
        {{.count = 1, .steps = {STEP(INT, MS)}}, 2, "KILL"},
        {{.count = 1, .steps = {STEP(INT, MS)}}, 3, "KILL"},
        {{.count = 0}, 1, "KILL"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kid kid = kid_start((struct habit){.stubborn = true});
        struct watch *watch = watch_new(contain, 1);
        struct watch_ending ending;
        char text[256];

        begin(watch, 0, &kid, &rows[i].ladder, AN_HOUR);
        watch_cancel(watch, rows[i].urgency, 0);
        ending = reap(watch, 0, &kid);
        if (strcmp(rungs_text(&ending, text, sizeof text), rows[i].expected) != 0)
            fail_msg("row %zu: %s, not %s", i, text, rows[i].expected);
        assert_int_equal(ending.cause, WATCH_CANCEL);
        watch_free(watch);
    }
}

static void await_rungs(struct watch *watch, uint32_t slot, uint32_t count)
{
    struct watch_view view;

    do {
        assert_true(watch_look(watch, slot, &view));
        sched_yield();
    } while (view.rungs < count);
}

/* Each press is one step further, without waiting for an hour; one that says nothing new changes nothing. */
static void test_escalation(void **state)
{
    struct kid kid = kid_start((struct habit){.stubborn = true});
    struct watch_ending ending;

    begin(*state, 0, &kid, &patient, AN_HOUR);
    watch_cancel(*state, 1, 0);
    await_event(*state, WATCH_TELLS_ENDING);
    watch_cancel(*state, 1, 0);
    watch_cancel(*state, 2, 0);
    await_rungs(*state, 0, 2);
    watch_cancel(*state, 1, 0);
    watch_cancel(*state, 2, 0);
    pass(20 * MS);
    assert_int_equal(WATCH_GOES_ON, watch_reap(*state, 0, &ending));
    watch_cancel(*state, 3, 0);
    ending = reap(*state, 0, &kid);
    assert_rungs(&ending, "INT TERM KILL");
}

static void test_cap(void **state)
{
    struct kid climbing = kid_start((struct habit){.stubborn = true}),
               fresh = kid_start((struct habit){.stubborn = true});
    struct watch_ending ending;

    begin(*state, 0, &climbing, &patient, AN_HOUR);
    begin(*state, 1, &fresh, &patient, AN_HOUR);
    watch_end(*state, 0, WATCH_DEADLINE);
    await_event(*state, WATCH_TELLS_ENDING);
    watch_cancel(*state, 1, 100 * MS);
    ending = reap(*state, 0, &climbing);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_rungs(&ending, "INT TERM KILL");
    ending = reap(*state, 1, &fresh);
    assert_int_equal(ending.cause, WATCH_CANCEL);
    assert_rungs(&ending, "INT TERM KILL");
    assert_true(ending.rungs[1].at - ending.rungs[0].at >= 100 * MS);
    assert_true(ending.rungs[2].at - ending.rungs[1].at >= 50 * MS);
}

static void test_bound(void **state)
{
    static const struct {
        struct ladder ladder;
        nanos cap, bound;
    } rows[] = {
        {{.count = 3, .steps = {STEP(INT, 3 * NS_PER_S), STEP(TERM, 2 * NS_PER_S), STEP(KILL, -1)}},
         0,
         5 * NS_PER_S + WATCH_SETTLE},
        {{.count = 3, .steps = {STEP(INT, 3 * NS_PER_S), STEP(TERM, MS), STEP(KILL, -1)}},
         2 * NS_PER_S,
         3 * NS_PER_S + MS},
        {{.count = 2, .steps = {STEP(INT, -1), STEP(TERM, 0)}}, 0, WATCH_GRACE + WATCH_SETTLE},
        {{.count = 2, .steps = {STEP(KILL, MS), STEP(TERM, AN_HOUR)}}, 0, MS},
        {{.count = 0}, 0, WATCH_SETTLE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (watch_bound(&rows[i].ladder, rows[i].cap) != rows[i].bound)
            fail_msg("row %zu: %lld ns", i, (long long)watch_bound(&rows[i].ladder, rows[i].cap));
}

static void test_begin_after_cancel(void **state)
{
    struct kid kid = kid_start((struct habit){.stubborn = true});
    struct watch_ending ending;

    watch_cancel(*state, 2, 0);
    begin(*state, 0, &kid, &quick, AN_HOUR);
    ending = reap(*state, 0, &kid);
    assert_int_equal(ending.cause, WATCH_CANCEL);
    assert_rungs(&ending, "TERM KILL");
}

/* Whom others use is not told to end before them; then it is, as fast as the cancel wants. */
static void test_aside(void **state)
{
    struct kid user = kid_start((struct habit){0}), used = kid_start((struct habit){.stubborn = true});
    struct watched watched = watched_of(1, &used, &patient, 10 * MS);
    struct watch_ending ending;
    struct watch_view view;

    watched.aside = true;
    watch_begin(*state, 1, &watched, watch_now(*state));
    watch_limit(*state, 1, 0);
    begin(*state, 0, &user, &patient, AN_HOUR);
    watch_cancel(*state, 1, 0);
    ending = reap(*state, 0, &user);
    assert_rungs(&ending, "INT");
    watch_cancel(*state, 3, 0);
    assert_true(watch_look(*state, 1, &view));
    assert_int_equal(view.cause, WATCH_NO_CAUSE);
    watch_end(*state, 1, WATCH_UNWANTED);
    ending = reap(*state, 1, &used);
    assert_rungs(&ending, "KILL");
    assert_int_equal(ending.cause, WATCH_UNWANTED);
}

/* Those it has left behind may stay; how it ended can be known all the same. */
static void test_peek(void **state)
{
    struct kid kid = kid_start((struct habit){.family = true});
    struct watched watched = watched_of(1, &kid, &quick, AN_HOUR);
    struct watch_ending ending;
    int status, signal;

    watched.leak_grace = WATCH_NEVER;
    watched.aside = true;
    watch_begin(*state, 1, &watched, watch_now(*state));
    assert_false(watch_peek(*state, 1, &status, &signal));
    kill(kid.process.pid, SIGUSR1);
    await_fd(kid.process.pidfd);
    assert_int_equal(watch_reap(*state, 1, &ending), WATCH_REMAIN);
    assert_true(watch_peek(*state, 1, &status, &signal));
    assert_int_equal(status, -1);
    assert_int_equal(signal, SIGUSR1);
    watch_cancel(*state, 1, 0);
    pass(3 * WATCH_TICK);
    assert_int_equal(watch_reap(*state, 1, &ending), WATCH_REMAIN);
    watch_end(*state, 1, WATCH_UNWANTED);
    await_event(*state, WATCH_TELLS_REMAINS);
    watch_end(*state, 1, WATCH_REMAINS);
    await_event(*state, WATCH_TELLS_OVER);
    assert_int_equal(watch_reap(*state, 1, &ending), WATCH_IS_OVER);
    assert_int_equal(ending.signal, SIGUSR1);
    assert_false(watch_peek(*state, 1, &status, &signal));
    fd_close(&kid.life);
}

static void test_session(void **state)
{
    struct kid kids[3] = {kid_start((struct habit){0}), kid_start((struct habit){0}),
                          kid_start((struct habit){0})};
    struct watch_event event;

    begin(*state, 0, &kids[0], &patient, AN_HOUR);
    begin(*state, 1, &kids[1], &patient, AN_HOUR);
    watch_session(*state, watch_now(*state) + 50 * MS);
    event = await_event(*state, WATCH_TELLS_SESSION);
    assert_int_equal(event.slot, WATCH_NO_SLOT);
    begin(*state, 2, &kids[2], &patient, AN_HOUR); /* too late */
    for (uint32_t i = 0; i < 3; i++) {
        struct watch_ending ending = reap(*state, i, &kids[i]);

        assert_int_equal(ending.cause, WATCH_SESSION);
        assert_rungs(&ending, "INT");
    }
    while (watch_next(*state, &event))
        assert_int_not_equal(event.kind, WATCH_TELLS_SESSION);
}

static void test_session_of_nothing(void **state)
{
    watch_session(*state, watch_now(*state) + 10 * MS);
    await_event(*state, WATCH_TELLS_SESSION);
}

/* ---- standing still ---- */

static void test_stop(void **state)
{
    struct kid kid = kid_start((struct habit){.catches = true});
    struct watch_ending ending;
    siginfo_t info;
    nanos now;

    begin(*state, 0, &kid, &patient, 50 * MS);
    watch_stop(*state);
    now = watch_now(*state);
    assert_int_equal(waitid(P_PID, (id_t)kid.process.pid, &info, WSTOPPED), 0);
    watch_stop(*state);
    pass(400 * MS);
    assert_int_equal(watch_now(*state), now);
    assert_int_equal(WATCH_GOES_ON, watch_reap(*state, 0, &ending));
    watch_continue(*state);
    watch_continue(*state);
    assert_int_equal(waitid(P_PID, (id_t)kid.process.pid, &info, WCONTINUED), 0);
    ending = reap(*state, 0, &kid);
    assert_rungs(&ending, "INT");
    assert_int_equal(ending.status, 3);
    assert_true(ending.rungs[0].at >= 50 * MS);
}

/* A cancel while stopped: what asks waits for the continue, KILL does not. */
static void test_cancel_while_stopped(void **state)
{
    struct kid kid = kid_start((struct habit){0});
    struct watch_ending ending;
    siginfo_t info;

    begin(*state, 0, &kid, &patient, AN_HOUR);
    watch_stop(*state);
    assert_int_equal(waitid(P_PID, (id_t)kid.process.pid, &info, WSTOPPED), 0);
    watch_cancel(*state, 1, 0);
    await_event(*state, WATCH_TELLS_ENDING);
    assert_int_equal(WATCH_GOES_ON, watch_reap(*state, 0, &ending));
    watch_cancel(*state, 3, 0);
    ending = reap(*state, 0, &kid);
    assert_rungs(&ending, "INT KILL");
    watch_continue(*state);
}

struct gap {
    nanos real, ours, at;
};

/* A run of its own; it says when it may be stopped, and what its clock made of it. */
static _Noreturn void run_with_gap(int told)
{
    struct kid kid = kid_start((struct habit){0});
    struct watch *watch;
    struct gap gap;

    contain = open_contain();
    watch = watch_new(contain, 1);
    gap = (struct gap){.real = clock_now(), .ours = watch_now(watch)};
    begin(watch, 0, &kid, &quick, 500 * MS);
    pass(120 * MS); /* the clock ticks */
    if (write(told, "", 1) != 1)
        _exit(1);
    gap.at = reap(watch, 0, &kid).rungs[0].at;
    gap.real = clock_now() - gap.real;
    gap.ours = watch_now(watch) - gap.ours;
    watch_free(watch);
    _exit(write(told, &gap, sizeof gap) != sizeof gap);
}

static void test_gap(void **state)
{
    int told[2];
    char byte;
    struct gap gap;
    pid_t run;

    (void)state;
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    run = must_fork();
    if (run == 0)
        run_with_gap(told[1]);
    close(told[1]);
    assert_int_equal(read(told[0], &byte, 1), 1);
    kill(run, SIGSTOP);
    pass(1000 * MS);
    kill(run, SIGCONT);
    assert_int_equal(read(told[0], &gap, sizeof gap), sizeof gap);
    close(told[0]);
    waitpid(run, NULL, 0);
    assert_true(gap.at >= 500 * MS);
    assert_true(gap.real - gap.ours >= 800 * MS); /* the stop began at most a tick before it was noticed */
}

/* ---- output ---- */

static struct watch_ending drown(struct watch *watch, struct habit habit, uint64_t limit)
{
    struct watched watched;
    struct kid kid;
    struct watch_ending ending;

    habit.flood = memfd_create("flood", MFD_CLOEXEC);
    assert_true(habit.flood >= 0);
    kid = kid_start(habit);
    watched = watched_of(0, &kid, &patient, AN_HOUR);
    watched.output_limit = limit;
    watched.outputs[1] = habit.flood;
    watch_begin(watch, 0, &watched, watch_now(watch));
    ending = reap(watch, 0, &kid);
    close(habit.flood);
    return ending;
}

static void test_flood(void **state)
{
    struct watch_ending ending = drown(*state, (struct habit){0}, 65536);

    assert_int_equal(ending.cause, WATCH_FLOOD);
    assert_int_equal(ending.signal, SIGINT);
    assert_rungs(&ending, "INT");
}

static void test_flood_goes_on(void **state)
{
    struct watch_ending ending = drown(*state, (struct habit){.stubborn = true}, 1);

    assert_int_equal(ending.cause, WATCH_FLOOD);
    assert_int_equal(ending.signal, SIGKILL);
    assert_rungs(&ending, "INT KILL");
}

/* ---- what cannot be ended ---- */

static const struct ladder hopeless = {.count = 1, .steps = {{SIGKILL, LADDER_TREE, 30 * MS}}};

static void abandon(struct watch *watch, const struct kid *kid)
{
    struct watched watched = watched_of(0, kid, &hopeless, MS);
    struct watch_event event;

    watched.place = contain_place(powerless, 0);
    watch_begin(watch, 0, &watched, watch_now(watch));
    event = await_event(watch, WATCH_TELLS_OVER);
    assert_int_equal(event.slot, 0);
    assert_int_equal(event.cause, WATCH_DEADLINE);
}

static void test_abandoned(void **state)
{
    struct watch *watch = watch_new(powerless, 1);
    struct kid kid = kid_start((struct habit){0});
    struct watch_ending ending;
    struct watch_view view;

    (void)state;
    abandon(watch, &kid);
    assert_int_equal(watch_reap(watch, 0, &ending), WATCH_IS_OVER);
    assert_true(ending.abandoned);
    assert_false(ending.lost);
    assert_int_equal(ending.status, -1);
    assert_rungs(&ending, "KILL");
    assert_false(watch_look(watch, 0, &view));
    watch_free(watch);
    fd_close(&kid.life);
    assert_int_equal(waitpid(kid.process.pid, NULL, 0), kid.process.pid);
}

static void test_abandoned_too_early(void **state)
{
    struct watch *watch = watch_new(powerless, 1);
    struct kid kid = kid_start((struct habit){0});
    struct watch_ending ending;

    (void)state;
    abandon(watch, &kid);
    kid_exit(&kid, 5);
    ending = reap(watch, 0, &kid);
    assert_false(ending.abandoned);
    assert_int_equal(ending.status, 5);
    watch_free(watch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_watch, free_watch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ends_by_itself),
        TEST(test_ends_by_signal),
        TEST(test_lost_when_stolen),
        TEST(test_lost_when_ignored),
        TEST(test_others_remain),
        cmocka_unit_test(test_run_ends_while_others_remain),
        TEST(test_others_go),
        TEST(test_outer_is_stopped),
        TEST(test_deadline),
        TEST(test_parts),
        TEST(test_parts_together),
        TEST(test_ladder),
        TEST(test_ladder_without_kill),
        TEST(test_stopped_is_continued),
        TEST(test_exited_in_time),
        TEST(test_deadline_at_its_end),
        TEST(test_ladder_ends_with_the_process),
        TEST(test_slow),
        TEST(test_old_generation),
        TEST(test_set_up),
        TEST(test_cancel_in_set_up),
        TEST(test_late_exec),
        TEST(test_side_by_side),
        TEST(test_many),
        TEST(test_end),
        cmocka_unit_test(test_urgencies),
        TEST(test_escalation),
        TEST(test_cap),
        cmocka_unit_test(test_bound),
        TEST(test_begin_after_cancel),
        TEST(test_aside),
        TEST(test_peek),
        TEST(test_session),
        TEST(test_session_of_nothing),
        TEST(test_stop),
        TEST(test_cancel_while_stopped),
        cmocka_unit_test(test_gap),
        TEST(test_flood),
        TEST(test_flood_goes_on),
        TEST(test_abandoned),
        TEST(test_abandoned_too_early),
    };

    return cmocka_run_group_tests(tests, make_contain, free_contain);
}
