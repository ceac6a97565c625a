#include "tests/unit/remains_scene.h"
#include "tests/unit/somebody.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include <cmocka.h>

#define MANY 50

static int set_up(void **state)
{
    struct scene *s = *state = mem_zero(1, sizeof *s);

    return scene_open(s) ? 0 : -1;
}

static int tear_down(void **state)
{
    signal(SIGCHLD, SIG_DFL);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    scene_close(*state);
    free(*state);
    return 0;
}

static void must_start(struct scene *s, const struct kid *kid)
{
    if (!start(s, kid))
        fail_msg("'%s' does not start", kid->name);
}

/* ---- the record ---- */

static void test_record(void **state)
{
    struct scene *s = *state;
    struct held held = {
        .run = STR("0042-20261121-061247-9f3c1b"),
        .containment = "cgroup",
        .cgroup = "/sys/fs/cgroup/a\"b/run-matrix-0042",
        .legacy = {NULL, "/sys/fs/cgroup/memory/run-matrix-0042"},
        .tmp = "/tmp/rm-Xb3kQ1",
        .guard = {11, 22},
        .runner = {INT32_MAX, 1ULL << 52},
    };
    struct held back;

    assert_int_equal(held_write(s->run.fd, &held), 0);
    assert_true(held_read(s->run.fd, &s->arena, &back));
    assert_true(str_eq(back.run, held.run));
    assert_string_equal(back.containment, "cgroup");
    assert_string_equal(back.cgroup, held.cgroup);
    assert_null(back.legacy[0]);
    assert_string_equal(back.legacy[1], held.legacy[1]);
    assert_string_equal(back.tmp, held.tmp);
    assert_int_equal(back.guard.pid, 11);
    assert_int_equal(back.guard.start_ticks, 22);
    assert_int_equal(back.runner.pid, INT32_MAX);
    assert_true(back.runner.start_ticks == 1ULL << 52);
    assert_int_equal(back.keeper.pid, 0);
    assert_null(back.world);
    assert_false(back.rebooted);
    held_release(&back);
    assert_int_equal(held_remove(s->run.fd), 0);
    assert_int_equal(held_remove(s->run.fd), 0);
    assert_false(held_read(s->run.fd, &s->arena, &back));
}

static void test_record_has_a_world(void **state)
{
    struct scene *s = *state;
    struct held back;

    s->held.world = world_new(NULL, 0);
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_true(held_read(s->run.fd, &s->arena, &back));
    assert_non_null(back.world);
    assert_string_equal(back.tmp, s->held.tmp);
    held_release(&back);
    world_free(s->held.world);
}

static void test_record_that_is_none(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{}x",
        "{\"run\":1}",
        "{\"tmp\":{}}",
        "{\"tmp\":\"a\\u0000b\"}",
        "{\"guard\":7}",
        "{\"guard\":{\"pid\":-1}}",
        "{\"guard\":{\"pid\":1e300}}",
        "{\"guard\":{\"pid\":\"1\"}}",
        "{\"world\":",
        "{\"world\":[[[}",
        "{\"boot\":\"0123456789012345678901234567890123456789012345678901234567890123\"}",
    };
    struct scene *s = *state;
    const char *path = arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder);
    struct reaping how = reaping(s);
    struct reaped result = {0};
    struct held held;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        assert_int_equal(file_write(path, str_of(texts[i])), 0);
        if (held_read(s->run.fd, &s->arena, &held))
            fail_msg("'%s' is read", texts[i]);
    }
    assert_false(reap_run(&s->run, &how, &result));
    assert_int_equal(result.left, 1);
    assert_true(exists(s->held.tmp));
}

/* A link or a pipe in its place does not lead us anywhere, or keep us waiting; nor is another's to be trusted. */
static void test_record_in_disguise(void **state)
{
    struct scene *s = *state;
    struct held held;

    if (can_be(NOBODY)) {
        assert_int_equal(fchownat(s->run.fd, REMAINS_NAME, NOBODY, NOBODY, 0), 0);
        assert_false(held_read(s->run.fd, &s->arena, &held));
    }
    assert_int_equal(renameat(s->run.fd, REMAINS_NAME, s->run.fd, "other"), 0);
    assert_int_equal(symlinkat("other", s->run.fd, REMAINS_NAME), 0);
    assert_false(held_read(s->run.fd, &s->arena, &held));
    assert_int_equal(unlinkat(s->run.fd, REMAINS_NAME, 0), 0);
    assert_int_equal(mkfifoat(s->run.fd, REMAINS_NAME, 0600), 0);
    assert_false(held_read(s->run.fd, &s->arena, &held));
}

static void test_record_of_a_later_version(void **state)
{
    struct scene *s = *state;
    const char *path = arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder);
    struct held held;

    assert_int_equal(
        file_write(path, str_of("{\"schema\":2,\"new\":{\"a\":[1,{}]},\"run\":\"x\",\"boot\":\"y\","
                                "\"guard\":{\"z\":[]}}")),
        0);
    assert_true(held_read(s->run.fd, &s->arena, &held));
    assert_string_equal(held.run.ptr, "x");
    assert_true(held.rebooted);
    held_release(&held);
}

/* ---- who is ended, and who is not ---- */

static void test_marks(void **state)
{
    struct scene *s = *state;
    const char *output = arena_printf(&s->arena, "%s/stdout", s->folder);
    const char *sibling = arena_printf(&s->arena, "%s-1", s->held.tmp);
    const struct kid kids[] = {
        {"hangs", NULL, s->mark, false},
        {"stubborn", NULL, s->mark, false},
        {"stopped", NULL, s->mark, false},
        {"stands", s->held.tmp, NULL, false},
        {"writes", arena_printf(&s->arena, "%s/x", s->held.tmp), NULL, false},
        {"writes", output, NULL, false},
        {"parent", NULL, s->mark, false}, /* two */
        {"sits", s->held.tmp, s->mark, false},
        {"hangs", NULL, s->stranger, true},
        {"hangs", s->mark, s->stranger, true},
        {"reads", output, s->stranger, true},
        {"reads", arena_printf(&s->arena, "%s/y", s->held.tmp), s->stranger, true}, /* as another run does */
        {"stands", s->folder, s->stranger, true},
        {"sits", s->held.tmp, s->stranger, true},
        {"stands", sibling, s->stranger, true},
    };
    struct reaping how = reaping(s);
    struct reaped result = {0};

    assert_int_equal(mkdir(sibling, 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(kids); i++)
        must_start(s, &kids[i]);
    how.look_only = true;
    assert_false(reap_run(&s->run, &how, &result));
    assert_int_equal(result.found, 9 + 1);
    assert_int_equal(result.left, 9 + 1);
    result = (struct reaped){0};
    how.look_only = false;
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_gone(s->ours));
    assert_true(are_there(s->others));
    assert_int_equal(result.ended, 9);
    assert_int_equal(result.killed, 1); /* the stubborn one */
    assert_int_equal(result.removed, 1);
    assert_int_equal(result.left, 0);
    assert_false(exists(s->held.tmp));
    assert_false(held_read(s->run.fd, &s->arena, &s->held));
    end_decoys(s);
}

static void test_at_once(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    must_start(s, &(struct kid){"hangs", NULL, s->mark, false});
    must_start(s, &(struct kid){"parent", NULL, s->mark, false});
    how.at_once = true;
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_gone(s->ours));
    assert_int_equal(result.ended, 3);
    assert_int_equal(result.killed, 3);
    assert_true(said(s, " (kid hangs), "));
    assert_true(said(s, ": killed\n"));
}

/* Over as soon as all are gone. */
static void test_grace_is_not_waited_for(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};
    nanos begin;

    must_start(s, &(struct kid){"hangs", NULL, s->mark, false});
    how.grace = 3600 * NS_PER_S;
    begin = clock_now();
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(clock_now() - begin < how.grace / 2);
    assert_int_equal(result.killed, 0);
    assert_true(said(s, ": ended\n"));
}

static void test_who_does_not_hear_int(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    must_start(s, &(struct kid){"background", NULL, s->mark, false});
    how.grace = 2 * NS_PER_S;
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_gone(s->ours));
    assert_int_equal(result.ended, 1);
    assert_int_equal(result.killed, 0);
}

/* Its first thread is a zombie, which has neither an environment nor descriptors. */
static void test_headless(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    const char *path = arena_printf(&s->arena, "%s/out", s->folder);

    for (int i = 0; i < 2; i++) {
        struct reaped result = {0};

        must_start(s, &(struct kid){"headless", i ? path : "/dev/null", i ? NULL : s->mark, false});
        assert_int_equal(held_write(s->run.fd, &s->held), 0);
        assert_true(reap_run(&s->run, &how, &result));
        assert_true(are_gone(s->ours));
        assert_int_equal(result.ended, 1);
        fd_close(&s->ours[0]);
        assert_int_equal(pipe2(s->ours, O_CLOEXEC), 0);
    }
}

/* Who cannot be looked at may be there: nothing is taken from him, and the record stays. */
static void test_without_descriptors(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};
    struct rlimit before, none;
    bool clean;

    must_start(s, &(struct kid){"hangs", NULL, s->mark, false});
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = (struct rlimit){(rlim_t)s->others[1] + 1, before.rlim_max}; /* what is open stays open */
    for (rlim_t free = 0; free < 3; free++) {
        none.rlim_cur++;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
        clean = reap_run(&s->run, &how, &result);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(clean ? are_gone(s->ours) : exists(s->held.tmp));
        assert_true(clean || exists(arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder)));
    }
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_gone(s->ours));
}

static bool is_in_a_hurry(void *user)
{
    (void)user;
    return true;
}

static void test_nobody_is_waited_for_in_a_hurry(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};
    nanos begin;

    must_start(s, &(struct kid){"stubborn", NULL, s->mark, false});
    how.grace = 3600 * NS_PER_S;
    how.hurry = is_in_a_hurry;
    begin = clock_now();
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(clock_now() - begin < how.grace / 2);
    assert_int_equal(result.killed, 1);
}

/* Nobody who is older than the run; and of an earlier boot there is nobody. */
static void test_since(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    must_start(s, &(struct kid){"hangs", NULL, s->mark, false});
    s->held.guard.start_ticks = proc_identify(getpid()).start_ticks + 3600 * 100;
    s->held.guard.pid = 1;
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_there(s->ours));
    assert_int_equal(result.ended, 0);
    assert_int_equal(result.removed, 1);
    s->stranger = s->mark;
    end_decoys(s);
}

static void test_is_going_on(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    must_start(s, &(struct kid){"hangs", NULL, s->stranger, true});
    s->held.runner = proc_identify(getppid());
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_false(reap_run(&s->run, &how, &result));
    assert_true(exists(s->held.tmp));
    s->held.runner = dead_process();
    s->held.keeper = proc_identify(getppid());
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_false(reap_run(&s->run, &how, &result));
    s->held.guard = proc_identify(getpid()); /* the guard cleans up; the keeper is still there */
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_there(s->others));
    end_decoys(s);
}

static void test_descendants(void **state)
{
    struct scene *s = *state;
    struct search search = {.marks = {.variable = s->mark}};
    struct reaping how = reaping(s);
    struct reaped result = {0};

    must_start(s, &(struct kid){"hangs", NULL, s->stranger, true});
    must_start(s, &(struct kid){"parent", NULL, s->mark, false});
    assert_int_equal(search_look(&search), 2);
    assert_int_equal(search.list[0].parent.pid, 0);
    assert_true(reap_descendants(search.list[0].id, &how, &result));
    assert_int_equal(result.ended, 1);
    assert_true(is_alive(search.list[0].id));
    assert_false(is_alive(search.list[1].id));
    search.list[0].id.start_ticks--; /* another process of that number */
    assert_true(reap_descendants(search.list[0].id, &how, &result));
    assert_int_equal(result.ended, 1);
    search_release(&search);
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(are_gone(s->ours));
    assert_true(are_there(s->others));
    end_decoys(s);
}

/* They are ours when they are orphans, and reaped at once: the machine's init may be slow. */
static void test_hoppers(void **state)
{
    struct scene *s = *state;
    struct reaping how = {.at_once = true, .say = hear, .user = s};

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 3 * 10; i++) {
        struct reaped result = {0};

        assert_int_equal(held_write(s->run.fd, &s->held), 0);
        for (int kid = 0; kid < 1 + i / 10; kid++)
            must_start(s, &(struct kid){"hops", NULL, s->mark, false});
        if (!reap_run(&s->run, &how, &result))
            fail_msg("try %d: left are %u of %u: %s", i, result.left, result.found, buf_text(&s->said));
        fd_close(&s->ours[1]);
        if (are_there(s->ours))
            fail_msg("try %d: somebody is left that was not said", i);
        fd_close(&s->ours[0]);
        assert_int_equal(pipe2(s->ours, O_CLOEXEC), 0);
    }
}

static void test_many_times(void **state)
{
    struct scene *s = *state;
    struct reaping how = {.at_once = true};

    must_start(s, &(struct kid){"hangs", s->mark, s->stranger, true});
    for (int i = 0; i < MANY; i++) {
        struct reaped result = {0};

        assert_int_equal(held_write(s->run.fd, &s->held), 0);
        must_start(s, &(struct kid){i % 2 ? "parent" : "hangs", NULL, s->mark, false});
        how.at_once = i % 4 < 2;
        assert_true(reap_run(&s->run, &how, &result));
        assert_true(are_gone(s->ours));
        fd_close(&s->ours[0]);
        assert_int_equal(pipe2(s->ours, O_CLOEXEC), 0);
        assert_int_equal(result.ended, i % 2 ? 2 : 1);
    }
    assert_true(are_there(s->others));
    end_decoys(s);
}

/* ---- numbers that mean another process by then ---- */

static bool write_number(const char *path, long number)
{
    FILE *file = fopen(path, "we");
    bool ok = file && fprintf(file, "%ld", number) > 0;

    return file && fclose(file) == 0 && ok;
}

/* A process with that number; 0: it could not be had. */
static pid_t fork_as(pid_t wanted)
{
    pid_t pid;

    if (!write_number("/proc/sys/kernel/ns_last_pid", wanted - 1))
        return 0;
    pid = must_fork();
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

enum { REUSE_OK, REUSE_CANNOT, REUSE_KILLED };

/* In a PID namespace of our own: a marked process is found, dies, and its number goes to one that has nothing to do with it. */
static int reuse_once(const char *mark)
{
    const char *environment[] = {mark, NULL};
    struct search search = {.marks = {.variable = mark}};
    pid_t pid = must_fork(), other;
    struct proc_id id;
    int result = REUSE_CANNOT;

    if (pid == 0) {
        execle("/bin/sleep", "sleep", "60", NULL, environment);
        _exit(1);
    }
    while (!search_look(&search) && waitpid(pid, NULL, WNOHANG) == 0)
        sched_yield();
    end_child(pid);
    other = fork_as(pid);
    if (search.count && other == pid) {
        id = proc_identify(other);
        search.list[0].id = id; /* the same tick, for certain */
        search_end(&search, &(struct reaping){.at_once = true}, NULL);
        result = is_alive(id) ? REUSE_OK : REUSE_KILLED;
    }
    search_release(&search);
    if (other > 0)
        end_child(other);
    return result;
}

static int reuse_in_namespace(const char *mark)
{
    int result = REUSE_OK;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("proc", "/proc", "proc", 0, NULL) < 0)
        return REUSE_CANNOT;
    for (int i = 0; i < 3 && result == REUSE_OK; i++)
        result = reuse_once(mark);
    return result;
}

static void test_reuse(void **state)
{
    struct scene *s = *state;
    int status;
    pid_t pid = must_fork(), init;

    if (pid == 0) {
        if (unshare(CLONE_NEWNS | CLONE_NEWPID) < 0 &&
            unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0)
            _exit(REUSE_CANNOT);
        init = must_fork();
        if (init == 0)
            _exit(reuse_in_namespace(s->mark));
        _exit(waitpid(init, &status, 0) == init && WIFEXITED(status) ? WEXITSTATUS(status) : REUSE_CANNOT);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == REUSE_CANNOT) {
        print_message("no PID namespace whose numbers we may choose\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), REUSE_OK);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_record),
        TEST(test_record_has_a_world),
        TEST(test_record_that_is_none),
        TEST(test_record_in_disguise),
        TEST(test_record_of_a_later_version),
        TEST(test_marks),
        TEST(test_at_once),
        TEST(test_grace_is_not_waited_for),
        TEST(test_nobody_is_waited_for_in_a_hurry),
        TEST(test_who_does_not_hear_int),
        TEST(test_headless),
        TEST(test_without_descriptors),
        TEST(test_since),
        TEST(test_is_going_on),
        TEST(test_descendants),
        TEST(test_hoppers),
        TEST(test_many_times),
        TEST(test_reuse),
#undef TEST
    };

    be_kid(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
