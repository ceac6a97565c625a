/* What follows from the facts: two processes at a time, of which the first is what is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/dump_pair.h"

static void test_a_reader(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_READ);
    add_fd(&s, 0, pipe_end(&s, 3, true, 2));
    s.ends[0] = (struct dump_end){.process = 0, .pid = 100, .name = "asker", .fd = 3, .reads = true};
    s.ends[1] = (struct dump_end){.process = 1, .pid = 101, .name = "other", .fd = 4, .writes = true};
    wants(&s.dump, "\n- 100 asker: in asks at ask.c:5: reads from fd 3, a pipe\n"
                   "    101 other can write to it (fd 4): in dawdles at serve.c:8: sleeps\n");
    /* The end that it has forgotten to close. */
    s.ends[1] = (struct dump_end){.process = 0, .pid = 100, .name = "asker", .fd = 9, .writes = true};
    wants(&s.dump, "\n- 100 asker: nobody but itself can write to it (fd 9): in asks at ask.c:5: reads from "
                   "fd 3, a pipe\n");
    s.ends[0] = (struct dump_end){.process = 1, .pid = 101, .name = "other", .fd = 4, .writes = true};
    wants(&s.dump,
          "\n- 100 asker: it can write to it itself (fd 9): in asks at ask.c:5: reads from fd 3, a pipe\n"
          "    101 other can write to it (fd 4): in dawdles at serve.c:8: sleeps\n");
    s.ends[0] = (struct dump_end){.process = 0, .pid = 100, .name = "asker", .fd = 3, .reads = true};
    /* Somebody outside. */
    s.ends[1] =
        (struct dump_end){.process = DUMP_NOBODY, .pid = 90, .name = "run-matrix", .fd = 9, .writes = true};
    wants(&s.dump, "reads from fd 3, a pipe\n    90 run-matrix can write to it (fd 9)\n");
    s.fds[0][0].end_count = 1;
    s.fds[0][0].ends_known = false;
    wants(&s.dump, "reads from fd 3, a pipe; who can write to it is not known\n");
}

static void test_a_request(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_POLL);
    add_fd(&s, 0,
           (struct dump_fd){FD(3, DUMP_FD_UNIX, "socket:[6]"), .state = "ESTABLISHED", .peer = "/run/kv",
                            .ends = s.ends, .end_count = 1, .ends_known = true});
    add_fd(&s, 1, (struct dump_fd){FD(8, DUMP_FD_UNIX, "socket:[7]"), .state = "ESTABLISHED"});
    s.fds[1][0].receive_queue = 12;
    s.ends[0] =
        (struct dump_end){.process = 1, .pid = 101, .name = "other", .fd = 8, .reads = true, .writes = true};
    wants(&s.dump,
          "\n- 100 asker: in asks at ask.c:5: polls fd 3, a unix socket to /run/kv\n"
          "    101 other has its other end, and has not read 12 bytes that wait there (fd 8): in dawdles at "
          "serve.c:8: sleeps\n");
    s.fds[1][0].state = "LISTEN";
    s.fds[1][0].local = "/run/kv";
    s.fds[1][0].receive_queue = 1;
    wants(&s.dump,
          "    101 other listens there, and has not accepted it (fd 8): in dawdles at serve.c:8: sleeps\n");
    wants(&s.dump,
          "\n- 101 other: listens at /run/kv (fd 8), where 1 connection waits to be accepted: in dawdles at "
          "serve.c:8: sleeps\n");
    s.ends[0] =
        (struct dump_end){.process = 0, .pid = 100, .name = "asker", .fd = 4, .reads = true, .writes = true};
    wants(&s.dump,
          "\n- 100 asker: nobody but itself has its other end (fd 4): in asks at ask.c:5: polls fd 3, a unix "
          "socket to /run/kv\n- 101");
    s.fds[0][0].end_count = 0;
    wants(&s.dump, "polls fd 3, a unix socket to /run/kv; nobody of this machine has its other end\n");
}

static void test_nobody_connects(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_ACCEPT);
    add_fd(&s, 0,
           (struct dump_fd){FD(3, DUMP_FD_TCP, "socket:[6]"), .state = "LISTEN", .local = "127.0.0.1:80"});
    wants(&s.dump, "\n- 100 asker: in asks at ask.c:5: accepts at fd 3, a tcp socket at 127.0.0.1:80, where "
                   "nobody connects\n");
}

static void test_a_fifo(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_OTHER);
    s.threads[0].call = (struct dump_call){.number = 257,
                                           .name = "openat",
                                           .wait = DUMP_WAITS_OTHER,
                                           .path = "/x/f f",
                                           .is_open = true,
                                           .wants_writers = true};
    wants(&s.dump, "  asker: in asks at ask.c:5: is in openat() of \"/x/f f\"\n");
    s.threads[0].wchan = "wait_for_partner";
    wants(&s.dump,
          "\n- 100 asker: in asks at ask.c:5: opens \"/x/f f\", a fifo, which nobody has open for writing\n");
    s.threads[0].call.wants_writers = false;
    s.threads[0].call.wants_readers = true;
    wants(&s.dump, "opens \"/x/f f\", a fifo, which nobody has open for reading\n");
}

static void test_a_lock(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_LOCK);
    add_fd(&s, 0, (struct dump_fd){FD(3, DUMP_FD_FILE, "/x/left.lock"), .reads = true});
    s.lock = (struct dump_lock){
        .kind = "FLOCK", .writes = true, .waits = true, .path = "/x/left.lock", .holder = 101, .process = 1};
    s.processes[0].locks = &s.lock;
    s.processes[0].lock_count = 1;
    wants(&s.dump, "\n- 100 asker: in asks at ask.c:5: waits for an exclusive lock (FLOCK) of /x/left.lock\n"
                   "    101 other holds it: in dawdles at serve.c:8: sleeps\n");
}

static void test_states(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_SLEEP);
    s.processes[1].state = s.threads[1].state = 'Z';
    wants(&s.dump, "\n- 101 other: has ended, and its parent has not reaped it\n"
                   "    100 asker is its parent: in asks at ask.c:5: sleeps\n");
    make_pair(&s, DUMP_WAITS_SLEEP);
    s.processes[1].state = s.threads[1].state = 'T';
    wants(&s.dump, "\n- 101 other: is stopped (by SIGSTOP, or by its terminal), and goes on with SIGCONT; it "
                   "stands in dawdles at "
                   "serve.c:8\n");
    add_fd(&s, 1, (struct dump_fd){FD(0, DUMP_FD_TERMINAL, "/dev/pts/3")});
    s.threads[1].call = (struct dump_call)WAITS_AT(DUMP_WAITS_READ, "read", 0);
    wants(&s.dump, "\n- 101 other: is stopped: it reads from its terminal in the background (SIGTTIN); it "
                   "stands in dawdles");
    s.processes[1].state = s.threads[1].state = 't';
    s.processes[1].tracer = 100;
    wants(&s.dump,
          "\n- 101 other: is traced, and stopped by who traces it; it stands in dawdles at serve.c:8\n"
          "    100 asker traces it: in asks at ask.c:5: sleeps\n");
    make_pair(&s, DUMP_WAITS_SLEEP);
    s.processes[1].state = s.threads[1].state = 'R';
    s.processes[1].runaway = true;
    s.processes[1].share = 0.987;
    wants(&s.dump, "\n- 101 other: computes and never sleeps, 99% of a processor: in dawdles at serve.c:8\n");
    s.processes[1].share = 0.18;
    wants(&s.dump,
          "\n- 101 other: computes and never sleeps, was ready to run all the time, and got 18% of a "
          "processor: in dawdles at serve.c:8\n");
    make_pair(&s, DUMP_WAITS_READ);
    s.threads[0].state = s.processes[0].state = 'D';
    wants(&s.dump, "\n- 100 asker: in asks at ask.c:5: cannot be woken; reads from fd 3\n");
}

static void test_a_deadlock_of_java(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_SLEEP);
    s.processes[1].runtime = RUNTIME_JVM;
    s.processes[1].runtime_says =
        "\"main\" #1 prio=5\n\tat java.lang.Thread.join(java.base@17/Thread.java:1300)\n"
        "\tat Hang.main(Hang.java:40)\n\n\"red\" #12\n\tat Hang.hasRed(Hang.java:20)\n\n"
        "Found one Java-level deadlock:\n=====\n\"red\":\n\tat Hang.hasRed(Hang.java:20)\n";
    wants(&s.dump, "    other: in Hang.main at Hang.java:40: sleeps\n");
    wants(&s.dump, "      thread red: in Hang.hasRed at Hang.java:20\n\n");
    wants(&s.dump, "\n- 101 other: its threads wait for each other's locks, as its JVM says\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reader),
        cmocka_unit_test(test_a_request),
        cmocka_unit_test(test_nobody_connects),
        cmocka_unit_test(test_a_fifo),
        cmocka_unit_test(test_a_lock),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_a_deadlock_of_java),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
