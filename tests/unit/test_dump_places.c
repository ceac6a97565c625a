#include "runner/diagnose/telling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dump_made.h"
#include "tests/unit/expect.h"

/* ---- which frame is theirs ---- */

static void check(const struct stack_frame *frames, uint32_t count, const char *function,
                  const char *primitive, const char *callee)
{
    const struct stack_thread stack = {.frames = frames, .frame_count = count};
    const struct dump_thread thread = {.stack = &stack};
    const struct stack_frame *place = place_of(&thread);

    if (function) {
        assert_non_null(place);
        assert_string_equal(place->function, function);
    } else {
        assert_null(place);
    }
    if (primitive)
        assert_string_equal(place_primitive(&thread), primitive);
    else
        assert_null(place_primitive(&thread));
    if (callee)
        assert_string_equal(place_callee(&thread), callee);
    else
        assert_null(place_callee(&thread));
}
#define CHECK(frames, ...) check((frames), COUNT(frames), __VA_ARGS__)

static void test_below_libc(void **state)
{
    const struct stack_frame mutex[] = {LIBCS("__lll_lock_wait", 1), LIBCS("___pthread_mutex_lock", 2),
                                        THEIRS("lock_b", "victim.c", 7), THEIRS("main", "victim.c", 20)};
    const struct stack_frame cpp[] = {
        LIBCS("__futex_abstimed_wait_common64", 1),
        LIBCS("pthread_cond_wait@@GLIBC_2.3.2", 2),
        {.function = "std::condition_variable::wait", .module = "/usr/lib/libstdc++.so.6"},
        {.function = "std::condition_variable::wait<f>",
         .file = "/usr/include/c++/12/condition_variable",
         .module = PROGRAM},
        THEIRS("Queue::pop", "queue.cc", 3)};
    const struct stack_frame read_on[] = {LIBCS("__read", 1), THEIRS("mutex_lock_reader", "x.c", 2)};

    (void)state;
    CHECK(mutex, "lock_b", "waits for a mutex", "pthread_mutex_lock");
    CHECK(cpp, "Queue::pop", "waits for a condition", "std::condition_variable::wait<f>");
    /* A name of theirs is not what libc was asked for. */
    CHECK(read_on, "mutex_lock_reader", NULL, "read");
}

/* libc within the program: by its files, and where there are none by its names. */
static void test_static_programs(void **state)
{
    const struct stack_frame lines[] = {
        {.function = "read", .file = "./io/../sysdeps/unix/sysv/linux/read.c", .line = 26, .module = PROGRAM},
        {.function = "futex_wait", .file = "../sysdeps/nptl/futex-internal.h", .line = 1, .module = PROGRAM},
        THEIRS("asks", "a.c", 1)};
    const struct stack_frame names[] = {{.function = "__read_nocancel", .module = PROGRAM},
                                        {.function = "read", .module = PROGRAM},
                                        {.function = "asks", .module = PROGRAM}};
    const struct stack_frame own[] = {THEIRS("wait", "mine.c", 4), THEIRS("main", "mine.c", 9)};

    (void)state;
    CHECK(lines, "asks", NULL, "futex_wait");
    CHECK(names, "asks", NULL, "read");
    CHECK(own, "wait", NULL, NULL);
}

static void test_nothing_of_theirs(void **state)
{
    const struct stack_frame frames[] = {LIBCS("__poll", 1), LIBCS("pthread_join", 2)};
    const struct dump_thread none = {.tid = 1};

    (void)state;
    CHECK(frames, NULL, PRIMITIVE_JOIN, "pthread_join");
    assert_null(place_of(&none));
    assert_null(place_primitive(&none));
    assert_null(place_callee(&none));
}

/* Who calls librunmatrix, which waits, stands in his own function; folders of that kind he may have himself. */
static void test_above_the_library(void **state)
{
    const struct stack_frame waits[] = {LIBCS("__poll", 1),
                                        THEIRS("turn", "/src/fixtures/actors/round.c", 3),
                                        THEIRS("attend", "/src/fixtures/actors/attend.c", 9),
                                        THEIRS("mx_wait", "/src/fixtures/actors/nursery.c", 4),
                                        THEIRS("test_body", "tests/suites/test_x.c", 12),
                                        THEIRS("case_run", "/src/fixtures/run.c", 7)};
    const struct stack_frame theirs[] = {LIBCS("__poll", 1), THEIRS("kv_wait", "my/fixtures/kv.c", 3),
                                         THEIRS("main", "main.c", 9)};

    (void)state;
    CHECK(waits, "test_body", NULL, "mx_wait");
    CHECK(theirs, "kv_wait", NULL, "poll");
}

/* What macros make of a test and of an actor is theirs, by the name that they gave it. */
static void test_bodies(void **state)
{
    const struct stack_frame actor[] = {LIBCS("__poll", 1),
                                        THEIRS("attend", "/src/fixtures/actors/attend.c", 9),
                                        THEIRS("mx_nursery_end", "/src/fixtures/actors/nursery.c", 4),
                                        THEIRS("mx_act_spawner", "my/fixtures/tree.c", 12),
                                        THEIRS("mx_call_role_spawner", "my/fixtures/tree.c", 11),
                                        THEIRS("run_body", "/src/fixtures/actors/act.c", 7)};
    struct stack_frame serves[] = {LIBCS("__recvmsg", 1), THEIRS("wire_receive", "/src/backends/wire.c", 3),
                                   THEIRS("serve_all", "/src/backends/serve.c", 4),
                                   THEIRS("mx_spawn", "/src/fixtures/actors/spawn.c", 4),
                                   THEIRS("spawns", "my/tree.c", 9)};
    const struct stack_thread stack = {.frames = serves, .frame_count = COUNT(serves)};
    struct dump_thread server = {.name = "rm-forkserver", .stack = &stack};

    (void)state;
    CHECK(actor, "mx_act_spawner", NULL, "mx_nursery_end");
    assert_string_equal(place_function(&actor[3]), "spawner");
    /* Whoever forked it. But who sets up what tests are forked from stands in a function of theirs; and names are cheap. */
    assert_true(place_is_server(&server));
    assert_null(place_of(&server));
    serves[1] = (struct stack_frame)THEIRS("mx_body_db", "/src/my/db.c", 4);
    assert_false(place_is_server(&server));
    assert_ptr_equal(place_of(&server), &serves[1]);
    serves[1] = (struct stack_frame)THEIRS("mx_request", "/src/fixtures/tools/daemon.c", 4);
    assert_false(place_is_server(&server));
    serves[1] = (struct stack_frame)THEIRS("wire_receive", "/src/backends/wire.c", 3);
    server.name = "worker";
    assert_false(place_is_server(&server));
}

/* ---- what runtimes say ---- */

static void says(enum dump_runtime runtime, const char *text, const char *function, const char *file,
                 uint32_t line)
{
    const struct dump_process process = {.runtime = runtime, .runtime_says = text};
    struct runtime_place place;

    if (!function) {
        assert_false(runtime_place(&process, &place));
        return;
    }
    assert_true(runtime_place(&process, &place));
    if (!str_is(place.function, function) || !str_is(place.file, file) || place.line != line)
        fail_msg("it is in '%.*s' at '%.*s':%u", STR_ARG(place.function), STR_ARG(place.file), place.line);
}

static void test_python(void **state)
{
    (void)state;
    says(RUNTIME_PYTHON,
         "Thread 0x1 (most recent call first):\n"
         "  File \"w.py\", line 4 in works\n"
         "\n"
         "Current thread 0x2 (most recent call first):\n"
         "  File \"/usr/lib/python3.11/threading.py\", line 324 in wait\n"
         "  File \"a b, line 3.py\", line 12 in asks\n"
         "  File \"a.py\", line 20 in <module>\n",
         "asks", "a b, line 3.py", 12);
    says(RUNTIME_PYTHON,
         "Thread 0x1 (most recent call first):\n  File \"w.py\", line 4 in works\n\n"
         "Thread 0x2 (most recent call first):\n  File \"m.py\", line 9 in <module>\n",
         "<module>", "m.py", 9);
    says(RUNTIME_PYTHON,
         "Current thread 0x2 (most recent call first):\n"
         "  File \"/usr/lib/python3.11/asyncio/runners.py\", line 118 in run\n"
         "  File \"a.py\", line 20 in <module>\n\n"
         "Thread 0x1 (most recent call first):\n  File \"w.py\", line 4 in works\n\n"
         "Task Task-1 (most recent call first):\n"
         "  File \"/usr/lib/python3.11/asyncio/locks.py\", line 213 in wait\n"
         "  File \"a.py\", line 7 in asks\n\n"
         "Task Task-2 (most recent call first):\n  File \"a.py\", line 9 in serves\n",
         "asks", "a.py", 7);
    says(RUNTIME_PYTHON,
         "Current thread 0x2 (most recent call first):\n  File \"a.py\", line 20 in <module>\n\n"
         "Thread 0x1 (most recent call first):\n  File \"w.py\", line 4 in works\n\n",
         "<module>", "a.py", 20);
    /* In nothing but the library: as `python3 -m http.server` is. What another thread does is no answer. */
    says(RUNTIME_PYTHON,
         "Thread 0x1 (most recent call first):\n  File \"w.py\", line 4 in works\n\n"
         "Current thread 0x2 (most recent call first):\n"
         "  File \"/usr/lib/python3.11/selectors.py\", line 415 in select\n"
         "  File \"/usr/lib/python3.11/socketserver.py\", line 233 in serve_forever\n",
         "select", "/usr/lib/python3.11/selectors.py", 415);
    says(RUNTIME_PYTHON, "", NULL, NULL, 0);
    says(RUNTIME_PYTHON, "Current thread 0x2\n  File \"x", NULL, NULL, 0);
    says(RUNTIME_PYTHON, "Current thread 0x2\n  File \"x\", line 99999999999 in f\n  File \"x\", line in f",
         NULL, NULL, 0);
}

static void test_jvm(void **state)
{
    static const char text[] =
        "\"red \"x\"\" #12 prio=5\n\tat Hang.hasRed(Hang.java:20)\n"
        "\"main\" #1 prio=5 in Object.wait()\n   java.lang.Thread.State: WAITING\n"
        "\tat java.lang.Object.wait(java.base@17/Native Method)\n"
        "\tat java.lang.Thread.join(java.base@17/Thread.java:1300)\n\tat Hang.main(Hang.java:40)\n\n"
        "\"GC Thread#0\" os_prio=0\n\n"
        "Found one Java-level deadlock:\n\"red\":\n\tat Hang.hasRed(Hang.java:21)\n";
    const struct dump_process process = {.runtime = RUNTIME_JVM, .runtime_says = text};
    struct runtime_reader r;
    struct runtime_place place;

    (void)state;
    says(RUNTIME_JVM, text, "Hang.main", "Hang.java", 40);
    runtime_begin(&r, &process);
    assert_true(runtime_next(&r, &place));
    assert_true(str_is(place.thread, "red \"x\""));
    assert_int_equal(place.line, 20);
    assert_false(place.main);
    assert_true(runtime_next(&r, &place));
    assert_true(place.main);
    assert_false(runtime_next(&r, &place)); /* the rest says it once more */
}

static void test_node(void **state)
{
    static const struct dump_process idle = {
        .runtime = RUNTIME_NODE,
        .runtime_says =
            "no JavaScript runs: it is in its event loop\nwaits for: Timeout x 2\n    Socket: descriptor 3"};
    struct runtime_place place;

    (void)state;
    assert_true(runtime_place(&idle, &place));
    assert_true(str_is(place.waits, "Timeout x 2"));
    says(RUNTIME_NODE, "JavaScript, innermost first:\n    at wait (node:events:3:1)\n", "wait", "node:events",
         3);
    says(
        RUNTIME_NODE,
        "JavaScript, innermost first:\n    at wait (node:events:3:1)\n    at countsForEver (/x/hang.js:7:3)\n"
        "    at Object.<anonymous> (/x/hang.js:12:1)\n",
        "countsForEver", "/x/hang.js", 7);
    says(RUNTIME_NODE, "    at node:events:3:1\n    at file:///x/hang.mjs:7:3\n", "<anonymous>",
         "file:///x/hang.mjs", 7);
    says(RUNTIME_NODE, "    at (:)\n    at f (x)\n    at f ()\n    at )", NULL, NULL, 0);
}

static void test_go(void **state)
{
    (void)state;
    says(RUNTIME_GO,
         "goroutine 7 [running]:\nmain.other()\n\t/x/o.go:3 +0x1\n\n"
         "goroutine 1 [chan receive]:\nruntime.gopark(0x1)\n\t/usr/local/go/src/runtime/proc.go:1 +0x1\n"
         "main.(*T).waits(...)\n\t/x/main.go:12 +0x1d\n",
         "main.(*T).waits", "/x/main.go", 12);
    says(RUNTIME_GO, "goroutine 1 [select]:\n\t:\n\tx\n(\n\t:9", NULL, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_below_libc),
        cmocka_unit_test(test_static_programs),
        cmocka_unit_test(test_nothing_of_theirs),
        cmocka_unit_test(test_above_the_library),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_python),
        cmocka_unit_test(test_jvm),
        cmocka_unit_test(test_node),
        cmocka_unit_test(test_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
