#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dump_pair.h"

/* Processes below one another, and those that do the same in one row, with the children of all of them below it. */
static void test_a_stage(void **state)
{
    static const char wanted[] =
        "proto::drain@backend=exec, attempt 1\n"
        "its deadline of 60 s has passed, in its call\n"
        "2026-11-22T05:00:00Z, in 43ms; who was stopped for it stood still for 12ms at most\n"
        "\n"
        "    4711 S     1m  stage (case): in collect at stage.c:31: waits for a mutex\n"
        "    4712 S     1m    branch x 2: in branch at stage.c:40: waits for a child\n"
        "    4803 S     1m      leaf x 14: in produce at stage.c:22: writes to fd 7, a pipe\n"
        "\n"
        "what stands out:\n"
        "- 4803 leaf; 4804 leaf; 4805 leaf; and 11 more (x 14): in produce at stage.c:22: writes to fd 7, a "
        "pipe, "
        "which is full (65536 of 65536 bytes)\n"
        "    4711 stage can read it (fd 6): in collect at stage.c:31: waits for a mutex\n"
        "- 4711 stage: in collect at stage.c:31: waits for a mutex\n";
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    dump_write_summary(&s.dump, NULL, &out);
    assert_string_equal(buf_text(&out), wanted);
    buf_release(&out);
}

static const struct stack_frame server_frames[] = {LIBCS("recvmsg", 0x30),
                                                   THEIRS("serve_all", "/src/backends/serve.c", 4)};
static const struct stack_thread server_stack = STACK(server_frames);

/* Actors have an id behind their names, and numbers in them; what they are forked from is at rest. */
static void test_actors_are_alike(void **state)
{
    static const char *const names[] = {"leaf-0", "leaf-1"};
    static const char *const roles[] = {"leaf-0@438c0a10c45139a4", "leaf-1@6b7e249a29b8644f"};
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    for (uint32_t i = 3; i < 3 + LEAVES; i++) {
        s.processes[i].name = names[i % 2];
        s.processes[i].role = roles[i % 2];
    }
    s.threads[1].name = s.threads[2].name = "rm-forkserver";
    s.threads[1].stack = s.threads[2].stack = &server_stack;
    s.threads[1].call = s.threads[2].call = (struct dump_call)WAITS_AT(DUMP_WAITS_READ, "read", 6);
    s.processes[1].fds = s.processes[2].fds = s.root_fds;
    s.processes[1].fd_count = s.processes[2].fd_count = 1;
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "    4803 S     1m      leaf-1 x 14: in produce");
    expect(&out, "    4712 S     1m    branch x 2: reads from fd 6, a pipe\n");
    expect_none(&out, "- 4712");
    s.threads[1].name = "other";
    buf_clear(&out);
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "- 4712");
    buf_release(&out);
}

/* Who tells in its arguments what it does is called by that; others may not call themselves what they like. */
static void test_titles(void **state)
{
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    s.processes[1].command = "'branch: UPDATE waiting'";
    s.processes[2].command = "'root: of all'";
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "    \"branch: UPDATE waiting\": in branch");
    expect(&out, "    branch: in branch");
    buf_release(&out);
}

static const struct stack_frame bare_frames[] = {LIBCS("wait4", 0x70),
                                                 {.pc = 0x401234, .module = "/bin/dash", .offset = 0x1234}};
static const struct stack_thread bare_stack = STACK(bare_frames);

/* Of programs without symbols only their command lines tell one from the other. */
static void test_commands(void **state)
{
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    for (uint32_t i = 1; i < 3 + LEAVES; i++) {
        s.threads[i].stack = &bare_stack;
        s.processes[i].command = i % 2 ? "./leaf 'a\n' 17" : "./leaf 'a\n' 4";
    }
    s.processes[1].command = s.processes[2].command =
        "sh -c 'one, which is so long that it has no room in its row'";
    s.processes[3].command = "./leaf other";
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out,
           "branch: \"sh -c 'one, which is so long that it has no room in its row'\": waits for a child");
    expect(&out, "leaf: \"./leaf other\": writes to fd 7, a pipe\n");
    expect(&out, "leaf x 6: \"./leaf 'a\\n' 17\": writes");
    expect(&out, "leaf x 7: \"./leaf 'a\\n' 4\": writes");
    s.processes[1].command = "sh -c 'two, which is even longer, so that it has no room at all'";
    buf_clear(&out);
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "branch: \"sh -c 'two, which is even longer, so that it has no room \xE2\x80\xA6\": waits");
    buf_release(&out);
}

/* A hundred threads, of which some do the same. */
static void test_threads_are_counted(void **state)
{
    static const struct stack_frame frames[5][1] = {{THEIRS("main", "t.c", 1)},
                                                    {THEIRS("a", "t.c", 2)},
                                                    {THEIRS("b", "t.c", 3)},
                                                    {THEIRS("c", "t.c", 4)},
                                                    {THEIRS("d", "t.c", 5)}};
    static const uint32_t does[9] = {0, 1, 2, 1, 2, 3, 4, 4, 0};
    struct stack_thread stacks[5];
    struct dump_thread threads[9];
    struct pair s;
    struct buf out = {0};

    (void)state;
    make_pair(&s, DUMP_WAITS_SLEEP);
    for (uint32_t i = 0; i < 5; i++)
        stacks[i] =
            (struct stack_thread){.frames = (struct stack_frame *)(uintptr_t)frames[i], .frame_count = 1};
    for (uint32_t i = 0; i < 9; i++)
        threads[i] = (struct dump_thread){.tid = 101 + (pid_t)i,
                                          .name = "t",
                                          .state = 'S',
                                          .stack = &stacks[does[i]],
                                          .call = {.wait = DUMP_WAITS_SLEEP}};
    s.processes[1].threads = threads;
    s.processes[1].thread_count = 9;
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "  2 threads: in a at t.c:2: sleeps\n");
    expect(&out, "  2 threads: in b at t.c:3: sleeps\n");
    expect(&out, "  thread 106 t: in c at t.c:4: sleeps\n");
    expect(&out, "  and 2 threads more that do something else\n");
    expect_none(&out, "t.c:5");
    buf_clear(&out);
    s.processes[1].runtime = RUNTIME_PYTHON;
    s.processes[1].runtime_says =
        "Thread 0x1 (most recent call first):\n  File \"t.py\", line 1 in a\n\n"
        "Thread 0x2 (most recent call first):\n  File \"t.py\", line 2 in b\n\n"
        "Thread 0x3 (most recent call first):\n  File \"t.py\", line 1 in a\n\n"
        "Thread 0x4 (most recent call first):\n  File \"t.py\", line 3 in c\n\n"
        "Thread 0x5 (most recent call first):\n  File \"t.py\", line 4 in d\n\n"
        "Current thread 0x6 (most recent call first):\n  File \"t.py\", line 9 in main\n";
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "  2 threads: in a at t.py:1\n");
    expect(&out, "  thread 0x2: in b at t.py:2\n");
    expect(&out, "  and 1 thread more that does something else\n");
    expect_none(&out, "t.py:4");
    buf_release(&out);
}

/* What it has said is told, and never a line of its interpreter. */
static void test_runtimes(void **state)
{
    struct pair s;
    struct buf out = {0};

    (void)state;
    make_pair(&s, DUMP_WAITS_SLEEP);
    s.processes[1].runtime = RUNTIME_NODE;
    s.processes[1].runtime_says = "no JavaScript runs: it is in its event loop\nwaits for: Timeout\n";
    wants(&s.dump, "    other: in its event loop, waits for: Timeout\n");
    s.processes[1].runtime = RUNTIME_PYTHON;
    s.processes[1].runtime_says = "Python has no threads\n";
    s.processes[1].command = "python3 -c x";
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "    other: \"python3 -c x\": sleeps\n");
    expect_none(&out, "serve.c");
    buf_release(&out);
}

static void test_nothing_stands_out(void **state)
{
    struct pair s;
    struct buf out = {0};

    (void)state;
    make_pair(&s, DUMP_WAITS_SLEEP);
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "     101 S     5s    other: in dawdles at serve.c:8: sleeps\n");
    expect_none(&out, "what stands out");
    expect(&out,
           "\n\nnobody stands out; at the end of all waits:\n- 101 other: in dawdles at serve.c:8: sleeps\n");
    expect_none(&out, "- 100");
    s.threads[1].call.seconds = 0.001;
    buf_clear(&out);
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "    other: in dawdles at serve.c:8: sleeps for 0.001 s\n");
    s.threads[1].call.wait = DUMP_WAITS_OTHER;
    buf_clear(&out);
    dump_write_summary(&s.dump, NULL, &out);
    expect_none(&out, "stands out");
    buf_release(&out);
}

/* Without stacks it is what the kernel says. */
static void test_nothing_is_known(void **state)
{
    struct pair s;

    (void)state;
    make_pair(&s, DUMP_WAITS_SLEEP);
    s.threads[0].stack = NULL;
    s.threads[0].call = (struct dump_call){.number = -1};
    s.threads[0].wchan = "do_sys_poll";
    s.processes[0].why_no_stacks = "of another user";
    wants(&s.dump, "     100 S     5s  asker: sleeps (do_sys_poll)\n");
    wants(&s.dump, "\nno stacks of 1 of them: why is told in detail\n");
    s.threads[0].wchan = NULL;
    s.processes[0].thread_count = 0;
    wants(&s.dump, "     100 S     5s  asker: sleeps\n");
    s.dump.why_no_stacks = "run-matrix-stacks is not there";
    wants(&s.dump, "\nno stacks: run-matrix-stacks is not there\n");
}

/* ---- one screen ---- */

static size_t count_lines(const struct buf *out)
{
    return occurrences(out, "\n");
}

/* Many of whom no two are alike. */
static void test_one_screen(void **state)
{
    static struct dump_process processes[300];
    static struct dump_thread threads[300];
    static char names[300][8];
    struct dump dump;
    struct buf out = {0};

    (void)state;
    for (uint32_t i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "%c%c", 'a' + (int)i / 20, 'a' + (int)i % 20);
        threads[i] = (struct dump_thread){
            .tid = 1000 + (pid_t)i, .name = names[i], .state = 'S', .stack = &root_stack, .call = IN_FUTEX};
        processes[i] = (struct dump_process){.id = {1000 + (pid_t)i, 1},
                                             .parent = i ? 0 : DUMP_NOBODY,
                                             .state = 'S',
                                             .name = names[i],
                                             .threads = &threads[i],
                                             .thread_count = 1,
                                             .depth = i > 0};
        if (i % 2) {
            processes[i].state = threads[i].state = 'T';
            threads[i].call.wait = DUMP_WAITS_OTHER;
            threads[i].call.name = names[i]; /* each stopped elsewhere */
        }
    }
    make_dump(&dump, processes, 300);
    dump_write_summary(&dump, NULL, &out);
    assert_in_range(count_lines(&out), 30, 40);
    expect(&out, "\nwhat stands out:\n");
    expect(&out, "lines more: all of it is told in detail\n");
    buf_release(&out);
}

/* ---- who would like to write it ---- */

static void test_names_forge_nothing(void **state)
{
    struct pair s;
    struct buf out = {0};

    (void)state;
    make_pair(&s, DUMP_WAITS_READ);
    s.processes[0].name = "a: in b\nwhat stands out:\n- 1 \x1b[31mx\"";
    s.processes[0].role = "r\xE2\x80\xAEs\r";
    s.dump.title = "one\ntwo";
    add_fd(&s, 0, (struct dump_fd){FD(3, DUMP_FD_FIFO, "/tmp/a b\n- 2 y: z")});
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "\"a: in b\\nwhat stands out:\\n- 1 \\x1b[31mx\\\"\" (\"r\\u202es\\r\"): in asks");
    expect(&out, "a fifo, \"/tmp/a b\\n- 2 y: z\"\n");
    expect(&out, "one\\ntwo\n");
    assert_int_equal(occurrences(&out, "\nwhat stands out:\n"), 1);
    assert_null(strchr(buf_text(&out), '\x1b'));
    buf_release(&out);
}

static void test_secrets(void **state)
{
    struct mask *mask = mask_new();
    struct pair s;
    struct buf out = {0};

    (void)state;
    mask_add(mask, (struct str)STR("hunter2secret"));
    make_pair(&s, DUMP_WAITS_READ);
    s.processes[0].name = "hunter2secret";
    s.processes[0].command = "psql --password hunter2secret";
    s.dump.reason = "because of hunter2secret";
    add_fd(&s, 0, (struct dump_fd){FD(3, DUMP_FD_FIFO, "/tmp/hunter2secret.fifo")});
    s.processes[1].runtime = RUNTIME_PYTHON;
    s.processes[1].runtime_says =
        "Current thread 0x1 (most recent call first):\n  File \"hunter2secret.py\", line 3 in f\n";
    dump_write_text(&s.dump, mask, &out);
    expect(&out, "because of ***\n");
    expect(&out, "in f at ***.py:3");
    expect(&out, "command: psql --password ***\n");
    expect_none(&out, "hunter2secret");
    buf_clear(&out);
    dump_write_json(&s.dump, mask, &out);
    expect(&out, "psql --password ***");
    expect_none(&out, "hunter2secret");
    buf_release(&out);
    mask_free(mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stage),
        cmocka_unit_test(test_actors_are_alike),
        cmocka_unit_test(test_titles),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_threads_are_counted),
        cmocka_unit_test(test_runtimes),
        cmocka_unit_test(test_nothing_stands_out),
        cmocka_unit_test(test_nothing_is_known),
        cmocka_unit_test(test_one_screen),
        cmocka_unit_test(test_names_forge_nothing),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
