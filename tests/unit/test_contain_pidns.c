/* Containment by PID namespace, where there is one. */
#include "runner/harness/contain_internal.h"
#include "tests/unit/forks.h"
#include "tests/unit/spawn_bench.h"

#include <poll.h>

#define SOON_MS 20000 /* for what is bound to happen */
#define TIMES   30

struct stage {
    struct bench *bench;
    struct contain *contain;
    struct contain_place *place;
    struct spawn_spec spec;
};

static int open_stage(void **state)
{
    struct stage *stage = mem_zero(1, sizeof *stage);
    struct buf why = {0};
    void *bench = NULL;

    assert_int_equal(bench_open(&bench), 0);
    stage->bench = bench;
    stage->contain = contain_open("pidns", "test", 2, &why);
    if (stage->contain) {
        assert_int_equal(contain_start(stage->contain), 0);
        stage->place = contain_place(stage->contain, 0);
    } else {
        print_message("%s\n", buf_text(&why));
    }
    buf_release(&why);
    *state = stage;
    return 0;
}

static int close_stage(void **state)
{
    struct stage *stage = *state;
    void *bench = stage->bench;

    contain_close(stage->contain);
    bench_close(&bench);
    free(stage);
    return 0;
}

static struct stage *stage_of(void **state)
{
    struct stage *stage = *state;

    if (!stage->contain)
        skip();
    return stage;
}

/* As a run does it: prepared, started, told. */
static bool begin(struct stage *stage, char *const argv[])
{
    struct bench *bench = stage->bench;

    stage->spec = spec_of(bench, argv);
    assert_int_equal(contain_prepare(stage->place, &(struct contain_wants){0}, &stage->spec), 0);
    if (!start(bench, &stage->spec)) {
        contain_not_started(stage->place);
        return false;
    }
    contain_started(stage->place, bench->process);
    while (phase(bench) == SPAWN_UNDER_WAY)
        ;
    return true;
}

static void await_exit(const struct stage *stage)
{
    siginfo_t info;

    assert_int_equal(waitid(P_PIDFD, (id_t)stage->bench->process.pidfd, &info, WEXITED | WNOWAIT), 0);
}

/* Nobody of it is alive; it is reaped, and the place is free. */
static void finish(struct stage *stage)
{
    await_exit(stage);
    reap(&stage->bench->process);
    contain_reaped(stage->place, false);
}

static void await_end_of_anchor(const struct stage *stage)
{
    struct pollfd end = {.fd = stage->place->anchor.pidfd, .events = POLLIN};

    assert_int_equal(poll(&end, 1, SOON_MS), 1);
}

static void works(struct stage *stage)
{
    struct bench *bench = stage->bench;

    if (!begin(stage, KID(word("exit"), word("3"))))
        fail_msg("it cannot be started: stage %d, %s", (int)bench->error.stage, strerror(bench->error.error));
    await_exit(stage);
    assert_true(contain_is_empty(stage->place));
    assert_int_equal(reap(&bench->process).si_status, 3);
    contain_reaped(stage->place, false);
}

/* ---- an anchor that somebody else has killed ---- */

static void test_anchor_killed_between_cases(void **state)
{
    struct stage *stage = stage_of(state);

    for (int i = 0; i < TIMES; i++) {
        works(stage);
        anchor_kill(&stage->place->anchor);
        await_end_of_anchor(stage);
        works(stage);
    }
}

/* The case dies of it, and when it is reaped the init may still be on its way out. */
static void test_anchor_killed_below_a_case(void **state)
{
    struct stage *stage = stage_of(state);

    for (int i = 0; i < TIMES; i++) {
        struct bench *bench = stage->bench;

        assert_true(begin(stage, KID(word("hang"))));
        anchor_kill(&stage->place->anchor);
        finish(stage);
        works(stage);
    }
}

/* The start fails when it was killed after it had been looked at: that one alone. */
static void test_anchor_killed_during_a_start(void **state)
{
    struct stage *stage = stage_of(state);
    struct bench *bench = stage->bench;
    struct spawn_spec spec = spec_of(bench, KID(word("exit"), word("0")));

    for (int i = 0; i < TIMES; i++) {
        assert_int_equal(contain_prepare(stage->place, &(struct contain_wants){0}, &spec), 0);
        anchor_kill(&stage->place->anchor);
        if (start(bench, &spec)) {
            contain_started(stage->place, bench->process);
            finish(stage);
            await_end_of_anchor(stage);
        } else {
            contain_not_started(stage->place);
        }
        works(stage);
    }
}

/* ---- who is there ---- */

static size_t count_members(const struct stage *stage)
{
    struct census machine = {0}, members = {0};
    size_t count;

    contain_take_census(stage->contain, &machine);
    contain_members(stage->place, &machine, &members);
    count = members.count;
    for (size_t i = 0; i < members.count; i++)
        assert_true(stage->place->contain->means->holds(stage->place, &members.list[i]));
    census_release(&machine);
    census_release(&members);
    return count;
}

/*
 * It is a child of ours, not of the anchor; and it is ended before the next case comes, though another place waits for
 * a child that somebody else is to start.
 */
static void test_sibling(void **state)
{
    struct stage *stage = stage_of(state);
    struct contain_place *other = contain_place(stage->contain, 1);
    struct spawn *spawn = spawn_new();

    assert_non_null(spawn);
    for (int i = 0; i < TIMES; i++) {
        struct bench *bench = stage->bench;

        if (i % 2)
            contain_expect(other, spawn);
        assert_true(begin(stage, KID(word("sibling"))));
        await_exit(stage);
        assert_false(contain_is_empty(stage->place));
        assert_int_equal(count_members(stage), 1);
        while (!contain_is_empty(stage->place))
            contain_kill(stage->place);
        assert_int_equal(count_members(stage), 0);
        finish(stage);
        assert_true(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
        contain_not_started(other);
    }
    spawn_free(spawn);
    works(stage);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_anchor_killed_between_cases),
        TEST(test_anchor_killed_below_a_case),
        TEST(test_anchor_killed_during_a_start),
        TEST(test_sibling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
