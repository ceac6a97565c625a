/* Whom somebody depends on, of several threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dump_made.h"
#include "tests/unit/expect.h"

static const struct stack_frame asker_frames[] = {LIBCS("__read", 0x10), THEIRS("asks", "ask.c", 5)};
static const struct stack_frame idle_frames[] = {LIBCS("accept", 0x20), THEIRS("listens", "serve.c", 8)};
static const struct stack_frame lock_frames[] = {LIBCS("pthread_mutex_lock", 0x30),
                                                 THEIRS("locks", "serve.c", 9)};
static const struct stack_frame work_frames[] = {LIBCS("clock_nanosleep", 0x40),
                                                 THEIRS("works", "serve.c", 10)};
static const struct stack_thread asker_stack = STACK(asker_frames), idle_stack = STACK(idle_frames),
                                 lock_stack = STACK(lock_frames), work_stack = STACK(work_frames);

struct service {
    struct dump dump;
    struct dump_process processes[2];
    struct dump_thread asker, threads[3];
    struct dump_fd asks, serves[2];
    struct dump_end ends[2];
};

/* 100 waits at fd 3 for 101, which has that at fd 8, listens at fd 7 in its first thread, and has two more. */
static void make_service(struct service *s)
{
    *s = (struct service){
        .asker = {.tid = 100,
                  .state = 'S',
                  .stack = &asker_stack,
                  .call = WAITS_AT(DUMP_WAITS_READ, "read", 3)},
        .threads = {{.tid = 101,
                     .state = 'S',
                     .stack = &idle_stack,
                     .call = WAITS_AT(DUMP_WAITS_ACCEPT, "accept", 7)},
                    {.tid = 102, .state = 'S', .stack = &work_stack, .call = {.wait = DUMP_WAITS_SLEEP}},
                    {.tid = 103, .state = 'S', .stack = &lock_stack, .call = IN_FUTEX}},
        .ends = {{.process = 1, .pid = 101, .name = "service", .fd = 8, .reads = true, .writes = true},
                 {.process = 0, .pid = 100, .name = "asker", .fd = 3, .reads = true, .writes = true}},
    };
    s->asks = (struct dump_fd){FD(3, DUMP_FD_UNIX, "socket:[6]"), .state = "ESTABLISHED", .ends = s->ends,
                               .end_count = 1, .ends_known = true};
    s->serves[0] = (struct dump_fd){FD(7, DUMP_FD_UNIX, "socket:[7]"), .state = "LISTEN"};
    s->serves[1] = (struct dump_fd){FD(8, DUMP_FD_UNIX, "socket:[8]"), .state = "ESTABLISHED",
                                    .ends = s->ends + 1, .end_count = 1, .ends_known = true};
    s->processes[0] = (struct dump_process){.id = {100, 7},
                                            .parent = DUMP_NOBODY,
                                            .state = 'S',
                                            .name = "asker",
                                            .threads = &s->asker,
                                            .thread_count = 1,
                                            .fds = &s->asks,
                                            .fd_count = 1};
    s->processes[1] = (struct dump_process){.id = {101, 7},
                                            .ppid = 100,
                                            .depth = 1,
                                            .state = 'S',
                                            .name = "service",
                                            .threads = s->threads,
                                            .thread_count = 3,
                                            .fds = s->serves,
                                            .fd_count = 2};
    make_dump(&s->dump, s->processes, 2);
}

static void check(const struct dump *dump, const char *there, const char *not_there)
{
    struct buf out = {0};

    dump_write_summary(dump, NULL, &out);
    expect(&out, there);
    if (not_there)
        expect_none(&out, not_there);
    buf_release(&out);
}

static void test_of_several_threads(void **state)
{
    struct service s;

    (void)state;
    make_service(&s);
    check(&s.dump, "    101 service has its other end (fd 8): in locks at serve.c:9: waits for a mutex\n",
          NULL);
    s.threads[1].call = (struct dump_call)WAITS_AT(DUMP_WAITS_WRITE, "write", 8);
    check(&s.dump,
          "    101 service has its other end (fd 8): in works at serve.c:10: writes to fd 8, a unix socket\n",
          NULL);
    make_service(&s);
    s.processes[1].thread_count = 2;
    check(&s.dump,
          "    101 service has its other end (fd 8): one of its 2 threads, e.g. in works at serve.c:10: "
          "sleeps\n",
          NULL);
    s.processes[1].thread_count = 1;
    check(&s.dump, "(fd 8): in listens at serve.c:8: accepts at fd 7, a unix socket\n", "one of");
}

static void test_of_a_runtime(void **state)
{
    struct service s;

    (void)state;
    make_service(&s);
    s.processes[1].runtime = RUNTIME_PYTHON;
    s.processes[1].runtime_says =
        "Thread 0x2 (most recent call first):\n  File \"srv.py\", line 7 in h\n"
        "\nCurrent thread 0x1 (most recent call first):\n  File \"srv.py\", line 20 in main\n";
    check(&s.dump, "(fd 8): one of its 2 threads, e.g. in h at srv.py:7\n", NULL);
}

/* It is not for others to come that those wait whom it serves. */
static void test_accepts(void **state)
{
    struct service s;

    (void)state;
    make_service(&s);
    check(&s.dump, "- 100 asker: ", "nobody connects");
    s.asker.call.fds[0] = 9;
    check(&s.dump,
          "- 101 service: in listens at serve.c:8: accepts at fd 7, a unix socket, where nobody connects\n",
          NULL);
    s.processes[1].role = "fixture store";
    check(&s.dump, "service", "nobody connects");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_several_threads),
        cmocka_unit_test(test_of_a_runtime),
        cmocka_unit_test(test_accepts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
