/* Servers: this program again, asked for processes by this one. */
#include "tests/unit/forks.h"
#include "tests/unit/serve_link.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- the other side ---- */

/* What tests are called, and do. The lock is one that a thread of the server holds for ever. */
static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static int run_one(void *user, const struct spawn_spec *spec)
{
    (void)user;
    if (strcmp(spec->test, "prints") == 0)
        printf("%s %s %d", getenv("A"), spec->title, isatty(1)); /* flushed by exit */
    else if (strcmp(spec->test, "dies") == 0)
        raise(SIGTERM);
    else if (strcmp(spec->test, "locks") == 0)
        pthread_mutex_lock(&held);
    else if (strcmp(spec->test, "hangs") == 0)
        pause();
    else if (strcmp(spec->test, "leaves") == 0 && must_fork() == 0)
        pause();
    return (int)strlen(spec->test);
}

/* ---- programs ---- */

static void test_programs(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;

    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        struct spawn_spec spec = spec_of(bench, SHELL("echo $A; pwd; exec false")), missing = spec;

        spec.envp = ARGV(word("A=case"));
        spec.cwd = "/usr";
        missing.path = "/nowhere";
        start_server(link, servings[i]);
        for (int k = 0; k < 3; k++) {
            assert_true(ask(link, &spec));
            assert_true(exits_with(&bench->process, 1));
            assert_int_equal(phase(bench), SPAWN_EXECUTED);
            assert_true(bench->exec_at > 0);
            expect_output(link, "case\n/usr\n");
            assert_true(ask(link, &missing));
            assert_true(exits_with(&bench->process, SPAWN_FAILED_STATUS));
            assert_int_equal(phase(bench), SPAWN_FAILED);
            assert_int_equal(bench->error.stage, SPAWN_STAGE_EXEC);
            assert_int_equal(bench->error.error, ENOENT);
        }
        end_server(link, 0);
    }
}

/* Nothing but what was promised, and that where it was promised. */
static void test_descriptors(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct buf want = {0}, got = {0};
    struct spawn_spec spec = spec_of(bench, KID(word("fds")));

    spec.pass[spec.pass_count++] = bench->null;
    assert_true(start(bench, &spec) && exits_with(&bench->process, 0));
    take_output(bench->out, &want);
    assert_true(want.len > 0);
    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        start_server(link, servings[i]);
        for (int k = 0; k < 3; k++) {
            assert_true(ask(link, &spec) && exits_with(&bench->process, 0));
            take_output(bench->out, &got);
            assert_string_equal(buf_text(&got), buf_text(&want));
        }
        end_server(link, 0);
    }
    spec.host = self;
    assert_true(backends[BACKEND_SPAWN]->start(bench->spawn, &spec, &bench->process, &bench->error));
    assert_true(exits_with(&bench->process, 0));
    take_output(bench->out, &got);
    assert_string_equal(buf_text(&got), buf_text(&want));
    buf_release(&want);
    buf_release(&got);
}

/* ---- tests, without exec ---- */

static void check_tests(struct link *link, bool (*go)(struct link *link, const struct spawn_spec *spec))
{
    struct bench *bench = &link->bench;
    struct spawn_spec prints = test_of(link, "prints"), dies = test_of(link, "dies"),
                      other = test_of(link, "other");

    assert_true(go(link, &prints));
    assert_true(exits_with(&bench->process, 6));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    expect_output(link, "case the title 0");
    assert_true(go(link, &dies));
    assert_true(dies_of(&bench->process, SIGTERM));
    assert_true(go(link, &other));
    assert_true(exits_with(&bench->process, 5));
}

static void test_tests(void **state)
{
    struct link *link = *state;

    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        start_server(link, servings[i]);
        check_tests(link, ask);
        end_server(link, 0);
    }
}

/* By what it was executed with people and we ourselves tell whose it is. */
static void test_name_and_cookie(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct spawn_spec spec = test_of(link, "hangs");
    struct buf line = {0};

    spec.envp = ARGV(word("B=c"), word("RUN_MATRIX_CASE_ID=x"));
    spec.title = "case of mine";
    start_server(link, SERVING_ALONE);
    assert_true(ask(link, &spec));
    while (phase(bench) != SPAWN_EXECUTED || !proc_has_variable(bench->process.pid, "RUN_MATRIX_CASE_ID=x"))
        sched_yield();
    assert_false(proc_has_variable(bench->process.pid, "RUN_MATRIX_CASE_ID=server"));
    assert_int_equal(proc_cmdline(bench->process.pid, &line), 0);
    assert_true(strstr(buf_text(&line), "case of"));
    buf_release(&line);
    assert_int_equal(pidfd_signal(bench->process.pidfd, SIGKILL), 0);
    assert_true(dies_of(&bench->process, SIGKILL));
    end_server(link, 0);
}

/* ---- who becomes ---- */

static bool become(struct link *link, const struct spawn_spec *spec)
{
    struct spawn_spec its = *spec;

    its.host = self;
    return backends[BACKEND_SPAWN]->start(link->bench.spawn, &its, &link->bench.process, &link->bench.error);
}

static void test_becoming(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct spawn_spec spec = spec_of(bench, SHELL("echo $A; pwd")), missing = spec;

    check_tests(link, become);
    spec.envp = ARGV(word("A=case"));
    spec.cwd = "/usr";
    assert_true(become(link, &spec));
    assert_true(exits_with(&bench->process, 0));
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    expect_output(link, "case\n/usr\n");
    missing.cwd = "/nowhere";
    assert_true(become(link, &missing));
    assert_true(exits_with(&bench->process, SPAWN_FAILED_STATUS));
    assert_int_equal(phase(bench), SPAWN_FAILED);
    assert_int_equal(bench->error.stage, SPAWN_STAGE_CWD);
}

/* ---- namespaces ---- */

static void expect_low_number(struct link *link)
{
    struct buf out = {0};
    long number;

    take_output(link->bench.out, &out);
    number = strtol(buf_text(&out), NULL, 10);
    buf_release(&out);
    assert_true(number > 1 && number < 16);
}

static void test_in_an_anchor(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct anchor anchor;
    struct spawn_room room = {.anchor = &anchor};

    if (anchor_start(&anchor) < 0)
        skip();
    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        struct spawn_spec program = spec_of(bench, SHELL("echo $$")), test = test_of(link, "other");

        program.room = test.room = &room;
        start_server(link, servings[i]);
        assert_true(ask(link, &program));
        assert_true(exits_with(&bench->process, 0));
        expect_low_number(link); /* as in a namespace where there is nobody else */
        assert_true(ask(link, &test));
        assert_true(exits_with(&bench->process, 5));
        assert_true(anchor_is_empty(&anchor, 0));
        end_server(link, 0);
    }
    assert_true(anchor_end(&anchor, 5 * NS_PER_S));
}

/* ---- what goes wrong ---- */

/* It is there although its server is not any more, and its end is known. */
static void test_a_server_that_is_killed(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;

    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        struct spawn_spec spec = test_of(link, "hangs");
        struct server_told told;

        start_server(link, servings[i]);
        assert_true(ask(link, &spec));
        assert_int_equal(pidfd_signal(link->server.pidfd, SIGKILL), 0);
        assert_int_equal(hear(link, &told), SERVER_GONE);
        fd_close(&link->socket);
        assert_true(dies_of(&link->server, SIGKILL));
        assert_int_equal(pidfd_signal(bench->process.pidfd, SIGTERM), 0);
        assert_true(dies_of(&bench->process, SIGTERM));
    }
}

/* Stopped before it reads: what it was asked for is not there, and that can be told. */
static void test_a_server_that_never_answers(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct spawn_spec spec = test_of(link, "other");

    start_server(link, SERVING_ALONE);
    assert_int_equal(pidfd_signal(link->server.pidfd, SIGSTOP), 0);
    spawn_expect(bench->spawn);
    assert_true(server_ask(link->socket, 1, &spec, &bench->error));
    assert_int_equal(pidfd_signal(link->server.pidfd, SIGKILL), 0);
    assert_true(dies_of(&link->server, SIGKILL));
    assert_int_equal(phase(bench), SPAWN_UNDER_WAY);
    assert_int_equal(spawn_pid(bench->spawn), 0);
    spawn_give_up(bench->spawn);
    assert_int_equal(phase(bench), SPAWN_EXECUTED);
    fd_close(&link->socket);
}

/* The control: what another thread has locked when we fork stays locked in the child, whatever libc does for its own. */
static void *hold_for_ever(void *ready)
{
    pthread_mutex_lock(&held);
    *(atomic_bool *)ready = true;
    pause();
    return NULL;
}

static void test_a_lock_that_another_thread_holds(void **state)
{
    struct link *link = *state;
    struct bench *bench = &link->bench;
    struct spawn_spec spec = test_of(link, "locks");

    start_server(link, SERVING_THREADED); /* whose first thread holds it, see main */
    assert_true(ask(link, &spec));
    while (phase(bench) == SPAWN_UNDER_WAY)
        sched_yield();
    assert_int_equal(waitpid(bench->process.pid, NULL, WNOHANG), 0);
    pidfd_signal(bench->process.pidfd, SIGKILL);
    assert_true(dies_of(&bench->process, SIGKILL));
    end_server(link, 0);
    start_server(link, SERVING_ALONE);
    assert_true(ask(link, &spec));
    assert_true(exits_with(&bench->process, 5));
    end_server(link, 0);
}

/* ---- many ---- */

/* Sanitizers have memory of their own, which grows. */
#if defined(__SANITIZE_THREAD__)
#define MANY       40 /* a fork of it takes a third of a second */
#define PAGES_MORE 100000
#elif defined(__SANITIZE_ADDRESS__)
#define MANY       300
#define PAGES_MORE 100000
#else
#define MANY       3000
#define PAGES_MORE 16
#endif

/* As they are mapped: /proc/PID/stat has a number that is off by some dozens for each processor. */
static uint64_t pages_of(pid_t pid)
{
    char path[64], *rss;
    struct buf text = {0};
    uint64_t pages;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    assert_int_equal(file_read(path, &text, 1 << 12), 0);
    rss = strstr(buf_text(&text), "\nRss:");
    assert_non_null(rss);
    pages = strtoull(rss + strlen("\nRss:"), NULL, 10) / 4;
    buf_release(&text);
    return pages;
}

/* `make soak-self` asks for a million. */
static long how_many(void)
{
    const char *words = getenv("SERVE_COUNT");

    return words ? strtol(words, NULL, 10) : MANY;
}

/* No status is lost, and nothing grows from the first tenth on. */
static void ask_many(struct link *link, long count)
{
    struct bench *bench = &link->bench;
    struct spawn_spec test = test_of(link, "other"), program = spec_of(bench, ARGV(word("/bin/true")));
    uint64_t pages = 0;
    int files = 0;

    for (long k = 0; k < count; k++) {
        assert_true(ask(link, k % 8 ? &test : &program));
        assert_true(exits_with(&bench->process, k % 8 ? 5 : 0));
        if (k == count / 10) {
            pages = pages_of(link->server.pid);
            files = proc_count_fds(link->server.pid);
        }
    }
    print_message("# %ld requests: %lu pages after a tenth, %lu in the end\n", count, pages,
                  pages_of(link->server.pid));
    assert_true(pages_of(link->server.pid) <= pages + PAGES_MORE);
    assert_int_equal(proc_count_fds(link->server.pid), files);
}

static void test_many(void **state)
{
    struct link *link = *state;

    for (size_t i = 0; i < ARRAY_LEN(servings); i++) {
        start_server(link, servings[i]);
        ask_many(link, how_many());
        end_server(link, 0);
    }
}

/* Its first thread is the program's own; it has something locked. */
static int be_server(int argc, char **argv, const struct service *service)
{
    atomic_bool ready = false;
    pthread_t thread;
    int status;

    if (argc > 1 && strcmp(argv[1], "--serve-threaded") == 0 &&
        pthread_create(&thread, NULL, hold_for_ever, &ready) == 0)
        while (!atomic_load(&ready))
            sched_yield();
    return serve(service, &status) ? status : -1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(test_programs),
        LINK_TEST(test_descriptors),
        LINK_TEST(test_tests),
        LINK_TEST(test_name_and_cookie),
        LINK_TEST(test_becoming),
        LINK_TEST(test_in_an_anchor),
        LINK_TEST(test_a_server_that_is_killed),
        LINK_TEST(test_a_server_that_never_answers),
        LINK_TEST(test_a_lock_that_another_thread_holds),
        LINK_TEST(test_many),
    };
    const struct service service = {.argc = argc, .argv = argv, .run = run_one};
    int status = be_server(argc, argv, &service);

    if (status >= 0)
        return status;
    if (!realpath("/proc/self/exe", self))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
