/* The ladder waits for dumps, and for none longer than it should. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/harness/harness.h"
#include "tests/unit/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MS      NS_PER_MS
#define AN_HOUR (3600 * NS_PER_S)
#define LONG_MS 60000
#define SLOTS   8
#define AT_ONCE 5

/* ---- who dies when ---- */

struct kid {
    struct process process;
    int life; /* a byte is its exit status */
};

/* Deaf: INT and TERM are ignored. */
static struct kid kid_start(bool deaf)
{
    int life[2], ready[2];
    char byte;
    struct kid kid;

    assert_int_equal(pipe2(life, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    kid.process.pid = must_fork();
    if (kid.process.pid == 0) {
        unsigned char status = 0;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setsid();
        signal(SIGINT, deaf ? SIG_IGN : SIG_DFL);
        signal(SIGTERM, deaf ? SIG_IGN : SIG_DFL);
        close(life[1]);
        if (write(ready[1], "", 1) != 1)
            _exit(9);
        while (read(life[0], &status, 1) < 0)
            ;
        _exit(status);
    }
    close(life[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    kid.life = life[1];
    kid.process.pidfd = pidfd_of(kid.process.pid);
    assert_true(kid.process.pidfd >= 0);
    return kid;
}

/* ---- who makes dumps: he is asked, and answers when the test says so ---- */

struct stage {
    struct contain *contain;
    struct watch *watch;
    int wishes[2]; /* a pipe of struct watch_dump_wish */
    bool refuses;
};

static bool note_wish(void *user, const struct watch_dump_wish *wish)
{
    struct stage *stage = user;

    assert_int_equal(write(stage->wishes[1], wish, sizeof *wish), sizeof *wish);
    return !stage->refuses;
}

static struct watch_dump_wish await_wish(struct stage *stage)
{
    struct pollfd poll_fd = {.fd = stage->wishes[0], .events = POLLIN};
    struct watch_dump_wish wish;

    assert_int_equal(poll(&poll_fd, 1, LONG_MS), 1);
    assert_int_equal(read(stage->wishes[0], &wish, sizeof wish), sizeof wish);
    return wish;
}

static bool is_asked(struct stage *stage)
{
    struct pollfd poll_fd = {.fd = stage->wishes[0], .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static void open_stage(struct stage *stage, const char *means)
{
    struct buf why = {0};
    char id[32];

    snprintf(id, sizeof id, "dump-%ld", (long)getpid());
    stage->contain = contain_open(means, id, SLOTS, &why);
    if (!stage->contain)
        print_message("%s\n", buf_text(&why));
    buf_release(&why);
    if (!stage->contain)
        return;
    assert_int_equal(contain_start(stage->contain), 0);
    assert_int_equal(pipe2(stage->wishes, O_CLOEXEC), 0);
    stage->watch = watch_new(stage->contain, SLOTS);
    assert_non_null(stage->watch);
    watch_dumps(stage->watch, &(struct watch_dumper){stage, note_wish});
}

static int open_group(void **state)
{
    *state = mem_zero(1, sizeof(struct stage));
    open_stage(*state, "group");
    return 0;
}

static int open_cgroup(void **state)
{
    *state = mem_zero(1, sizeof(struct stage));
    open_stage(*state, "cgroup");
    return 0;
}

static int close_stage(void **state)
{
    struct stage *stage = *state;

    watch_free(stage->watch);
    if (stage->contain) {
        const struct cgroups *groups = contain_cgroups(stage->contain);

        close(stage->wishes[0]);
        close(stage->wishes[1]);
        if (groups)
            cgroups_end_all(groups, NS_PER_S);
        contain_close(stage->contain);
    }
    free(stage);
    return 0;
}

/* ---- attempts ---- */

static const struct ladder quick = {
    .count = 3,
    .steps = {{SIGINT, LADDER_GROUP, 30 * MS}, {SIGTERM, LADDER_TREE, 20 * MS}, {SIGKILL, LADDER_TREE, -1}}};

static uint32_t begin(struct stage *stage, uint32_t slot, const struct kid *kid, unsigned dumps, nanos limit)
{
    const struct watched watched = {.process = kid->process,
                                    .limits = {[WATCH_CALL] = limit},
                                    .ladder = &quick,
                                    .place = contain_place(stage->contain, slot),
                                    .outputs = {-1, -1, -1},
                                    .dumps = dumps};

    return watch_begin(stage->watch, slot, &watched, watch_now(stage->watch));
}

static void await_fd(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&poll_fd, 1, LONG_MS), 1);
}

static struct watch_ending reap(struct stage *stage, uint32_t slot, struct kid *kid)
{
    struct watch_ending ending;
    enum watch_news news;

    await_fd(kid->process.pidfd);
    news = watch_reap(stage->watch, slot, &ending);
    while (news != WATCH_IS_OVER) {
        struct watch_event event;

        assert_int_equal(news, WATCH_REMAIN);
        while (!watch_next(stage->watch, &event))
            await_fd(watch_fd(stage->watch));
        if (event.kind == WATCH_TELLS_OVER && event.slot == slot)
            news = watch_reap(stage->watch, slot, &ending);
    }
    fd_close(&kid->life);
    return ending;
}

static uint32_t rungs_of(struct stage *stage, uint32_t slot)
{
    struct watch_view view;

    assert_true(watch_look(stage->watch, slot, &view));
    return view.rungs;
}

/* ---- when a deadline strikes ---- */

static void test_before_the_first_rung(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    uint32_t generation = begin(stage, 2, &kid, WATCH_DUMP_STRIKE | WATCH_DUMP_KILL, MS);
    struct watch_dump_wish wish = await_wish(stage);
    struct watch_ending ending;

    assert_int_equal(wish.slot, 2);
    assert_int_equal(wish.generation, generation);
    assert_int_equal(wish.cause, WATCH_DEADLINE);
    assert_int_equal(wish.phase, WATCH_CALL);
    assert_false(wish.last);
    assert_true(wish.budget == WATCH_DUMP_BUDGET);
    assert_int_equal(rungs_of(stage, 2), 0);
    watch_dumped(stage->watch, 2, generation);
    ending = reap(stage, 2, &kid);
    assert_int_equal(ending.dump, WATCH_DUMP_MADE);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.signal, SIGINT);
    assert_int_equal(ending.rung_count, 1);
    assert_false(is_asked(stage));
}

static void test_once_an_attempt(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(true);
    uint32_t generation = begin(stage, 0, &kid, WATCH_DUMP_STRIKE | WATCH_DUMP_KILL, MS);
    struct watch_ending ending;

    await_wish(stage);
    watch_dumped(stage->watch, 0, generation);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.rung_count, 3);
    assert_int_equal(ending.signal, SIGKILL);
    assert_false(is_asked(stage));
}

static void test_not_wanted(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(true);
    struct watch_ending ending;

    begin(stage, 0, &kid, 0, MS);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.dump, WATCH_NO_DUMP);
    assert_int_equal(ending.rung_count, 3);
    assert_false(is_asked(stage));
}

static void test_refused(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(true);
    struct watch_ending ending;

    stage->refuses = true;
    begin(stage, 0, &kid, WATCH_DUMP_STRIKE | WATCH_DUMP_KILL, MS);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.dump, WATCH_DUMP_REFUSED);
    assert_int_equal(ending.rung_count, 3);
    await_wish(stage);
    assert_false(is_asked(stage));
}

/* All are asked for before any is made. */
static void test_side_by_side(void **state)
{
    struct stage *stage = *state;
    struct kid kids[AT_ONCE];
    struct watch_dump_wish wishes[AT_ONCE];

    for (uint32_t i = 0; i < AT_ONCE; i++) {
        kids[i] = kid_start(false);
        begin(stage, i, &kids[i], WATCH_DUMP_STRIKE, MS);
    }
    for (int i = 0; i < AT_ONCE; i++)
        wishes[i] = await_wish(stage);
    for (int i = AT_ONCE; i-- > 0;)
        watch_dumped(stage->watch, wishes[i].slot, wishes[i].generation);
    for (uint32_t i = 0; i < AT_ONCE; i++)
        assert_int_equal(reap(stage, i, &kids[i]).dump, WATCH_DUMP_MADE);
}

/* ---- what happens meanwhile ---- */

/* Its deadline has struck: that it was given time does not mend it. */
static void test_exits_meanwhile(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    uint32_t generation = begin(stage, 1, &kid, WATCH_DUMP_STRIKE, MS);
    const unsigned char status = 0;
    struct watch_ending ending;

    await_wish(stage);
    assert_int_equal(write(kid.life, &status, 1), 1);
    await_fd(kid.process.pidfd);
    assert_int_equal(watch_reap(stage->watch, 1, &ending), WATCH_REMAIN);
    assert_int_equal(kill(kid.process.pid, 0), 0); /* who looks at it finds it */
    watch_dumped(stage->watch, 1, generation);
    ending = reap(stage, 1, &kid);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.status, 0);
    assert_int_equal(ending.rung_count, 0);
    assert_int_equal(ending.dump, WATCH_DUMP_MADE);
    assert_false(ending.lost);
}

static void test_stale_answer(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    uint32_t generation = begin(stage, 1, &kid, WATCH_DUMP_STRIKE, MS);
    struct census members = {0};

    await_wish(stage);
    watch_dumped(stage->watch, 1, generation - 1);
    assert_false(watch_members_of(stage->watch, 1, generation - 1, &members));
    assert_int_equal(members.count, 0);
    assert_int_equal(rungs_of(stage, 1), 0);
    assert_true(watch_members_of(stage->watch, 1, generation, &members));
    assert_int_equal(members.count, 1);
    assert_int_equal(members.list[0].pid, kid.process.pid);
    census_release(&members);
    watch_dumped(stage->watch, 1, generation);
    assert_int_equal(reap(stage, 1, &kid).dump, WATCH_DUMP_MADE);
    watch_dumped(stage->watch, 1, generation); /* it is over */
    assert_false(watch_freeze(stage->watch, 1, generation, true));
}

/* Who makes them never answers: neither before the first rung nor before the last is he waited for beyond his budget. */
static void test_never_answers(void **state)
{
    static const unsigned dumps[] = {WATCH_DUMP_STRIKE, WATCH_DUMP_KILL};
    static const nanos budgets[] = {WATCH_DUMP_BUDGET, WATCH_DUMP_LAST_BUDGET};
    struct stage *stage = *state;
    struct kid kids[ARRAY_LEN(dumps)];

    for (uint32_t i = 0; i < ARRAY_LEN(dumps); i++) {
        kids[i] = kid_start(true);
        begin(stage, i, &kids[i], dumps[i], MS);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(dumps); i++) {
        struct watch_ending ending = reap(stage, i, &kids[i]);

        assert_int_equal(ending.dump, WATCH_DUMP_LATE);
        assert_int_equal(ending.rung_count, 3);
        assert_true(ending.ended - ending.started >= budgets[i]);
    }
}

static void test_cancel_hurries(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(true);
    struct watch_ending ending;

    begin(stage, 0, &kid, WATCH_DUMP_STRIKE, MS);
    await_wish(stage);
    watch_cancel(stage->watch, 1, 0);
    assert_int_equal(rungs_of(stage, 0), 0);
    watch_cancel(stage->watch, 3, 0);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.dump, WATCH_DUMP_HURRIED);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.rung_count, 1);
    assert_int_equal(ending.rungs[0].signal, SIGKILL);
}

/* ---- who writes on ---- */

static uint32_t begin_writing(struct stage *stage, const struct kid *kid, const struct ladder *ladder,
                              unsigned dumps, nanos limit, int output)
{
    const struct watched watched = {.process = kid->process,
                                    .limits = {[WATCH_CALL] = limit},
                                    .ladder = ladder,
                                    .place = contain_place(stage->contain, 0),
                                    .outputs = {output, -1, -1},
                                    .output_limit = 1000,
                                    .dumps = dumps};

    return watch_begin(stage->watch, 0, &watched, watch_now(stage->watch));
}

/* Holes count like anything else. */
static void write_too_much(int output)
{
    assert_int_equal(ftruncate(output, 64 << 20), 0);
}

/* What has come meanwhile ends the waiting, and it is not asked to end first. */
static void test_floods_while_it_is_looked_at(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    int output = memfd_create("flood", MFD_CLOEXEC);
    struct watch_ending ending;

    begin_writing(stage, &kid, &quick, WATCH_DUMP_STRIKE | WATCH_DUMP_KILL, MS, output);
    await_wish(stage);
    assert_int_equal(rungs_of(stage, 0), 0);
    write_too_much(output);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.dump, WATCH_DUMP_FLOODED);
    assert_int_equal(ending.rung_count, 1);
    assert_int_equal(ending.signal, SIGKILL);
    assert_false(is_asked(stage));
    close(output);
}

/* Nor is there time for a dump before KILL, when that comes early since it wrote on. */
static void test_floods_while_it_is_ended(void **state)
{
    static const struct ladder patient = {
        .count = 2, .steps = {{SIGINT, LADDER_TREE, AN_HOUR}, {SIGKILL, LADDER_TREE, -1}}};
    struct stage *stage = *state;
    struct kid kid = kid_start(true);
    int output = memfd_create("flood", MFD_CLOEXEC);
    struct watch_ending ending;
    struct watch_event event = {0};

    begin_writing(stage, &kid, &patient, WATCH_DUMP_KILL, AN_HOUR, output);
    watch_end(stage->watch, 0, WATCH_UNWANTED);
    while (event.kind != WATCH_TELLS_ENDING)
        if (!watch_next(stage->watch, &event))
            await_fd(watch_fd(stage->watch));
    write_too_much(output);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.cause, WATCH_UNWANTED);
    assert_int_equal(ending.dump, WATCH_NO_DUMP);
    assert_int_equal(ending.rung_count, 2);
    assert_int_equal(ending.signal, SIGKILL);
    assert_false(is_asked(stage));
    close(output);
}

/* ---- who cancels ---- */

static void test_cancel_makes_none(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    struct watch_ending ending;

    begin(stage, 0, &kid, WATCH_DUMP_STRIKE | WATCH_DUMP_KILL, AN_HOUR);
    watch_cancel(stage->watch, 1, 0);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.cause, WATCH_CANCEL);
    assert_int_equal(ending.dump, WATCH_NO_DUMP);
    assert_false(is_asked(stage));
}

/* Who is aside has its turn when the others are gone. */
static void test_cancel_has_no_time_for_who_is_aside(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    const struct watched watched = {.process = kid.process,
                                    .limits = {[WATCH_CALL] = AN_HOUR},
                                    .ladder = &quick,
                                    .place = contain_place(stage->contain, 0),
                                    .outputs = {-1, -1, -1},
                                    .dumps = WATCH_DUMP_STRIKE | WATCH_DUMP_KILL,
                                    .aside = true};
    struct watch_ending ending;

    watch_begin(stage->watch, 0, &watched, watch_now(stage->watch));
    watch_cancel(stage->watch, 1, 0);
    watch_limit(stage->watch, 0, MS);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.cause, WATCH_DEADLINE);
    assert_int_equal(ending.dump, WATCH_NO_DUMP);
    assert_false(is_asked(stage));
}

static void test_before_kill(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(true);
    uint32_t generation = begin(stage, 0, &kid, WATCH_DUMP_KILL, AN_HOUR);
    struct watch_dump_wish wish;
    struct watch_ending ending;

    watch_cancel(stage->watch, 1, 0);
    wish = await_wish(stage);
    assert_true(wish.last);
    assert_int_equal(wish.cause, WATCH_CANCEL);
    assert_true(wish.budget == WATCH_DUMP_LAST_BUDGET);
    assert_int_equal(rungs_of(stage, 0), 2);
    watch_dumped(stage->watch, 0, generation);
    ending = reap(stage, 0, &kid);
    assert_int_equal(ending.rung_count, 3);
    assert_int_equal(ending.dump, WATCH_DUMP_MADE);
}

static void test_bound(void **state)
{
    (void)state;
    assert_true(watch_dump_bound(0, 0) == 0);
    assert_true(watch_dump_bound(WATCH_DUMP_KILL, 0) == WATCH_DUMP_LAST_BUDGET);
    assert_true(watch_dump_bound(WATCH_DUMP_STRIKE | WATCH_DUMP_KILL, 0) == WATCH_DUMP_BUDGET);
    assert_true(watch_dump_bound(WATCH_DUMP_STRIKE, NS_PER_S) == WATCH_DUMP_LAST_BUDGET);
}

/* ---- standing still ---- */

static void test_no_means_to_freeze(void **state)
{
    struct stage *stage = *state;
    struct kid kid = kid_start(false);
    uint32_t generation = begin(stage, 0, &kid, 0, AN_HOUR);

    assert_false(watch_freeze(stage->watch, 0, generation, true));
    watch_end(stage->watch, 0, WATCH_CANCEL);
    reap(stage, 0, &kid);
}

static pid_t start_in_group(struct stage *stage, uint32_t slot, struct kid *kid)
{
    struct spawn_spec spec = {0};
    const struct contain_wants wants = {0};
    char path[64];
    int fd;

    assert_int_equal(contain_prepare(contain_place(stage->contain, slot), &wants, &spec), 0);
    *kid = kid_start(true);
    snprintf(path, sizeof path, "%ld", (long)kid->process.pid);
    fd = openat(spec.cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, path, strlen(path)), strlen(path));
    close(fd);
    return kid->process.pid;
}

/*
 * What was not thawed is all the same by who goes on with the ladder, and what comes next into the group runs.
 */
static void test_freeze(void **state)
{
    struct stage *stage = *state;
    struct kid kid;

    if (!stage->contain)
        skip();
    for (int i = 0; i < 2; i++) {
        struct watch_ending ending;
        uint32_t generation;

        start_in_group(stage, 0, &kid);
        generation = begin(stage, 0, &kid, WATCH_DUMP_STRIKE, MS);
        await_wish(stage);
        assert_true(watch_freeze(stage->watch, 0, generation, true));
        assert_true(watch_freeze(stage->watch, 0, generation, false));
        assert_true(watch_freeze(stage->watch, 0, generation, true));
        if (i)
            watch_cancel(stage->watch, 3, 0);
        else
            watch_dumped(stage->watch, 0, generation);
        ending = reap(stage, 0, &kid);
        assert_int_equal(ending.signal, SIGKILL);
        assert_int_equal(ending.rung_count, i ? 1 : 3);
    }
}

int main(void)
{
#define WITH(name)        cmocka_unit_test_setup_teardown(name, open_group, close_stage)
#define WITH_CGROUP(name) cmocka_unit_test_setup_teardown(name, open_cgroup, close_stage)
    const struct CMUnitTest tests[] = {
        WITH(test_before_the_first_rung),
        WITH(test_once_an_attempt),
        WITH(test_not_wanted),
        WITH(test_refused),
        WITH(test_side_by_side),
        WITH(test_exits_meanwhile),
        WITH(test_stale_answer),
        WITH(test_never_answers),
        WITH(test_cancel_hurries),
        WITH(test_floods_while_it_is_looked_at),
        WITH(test_floods_while_it_is_ended),
        WITH(test_cancel_makes_none),
        WITH(test_cancel_has_no_time_for_who_is_aside),
        WITH(test_before_kill),
        cmocka_unit_test(test_bound),
        WITH(test_no_means_to_freeze),
        WITH_CGROUP(test_freeze),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
