#include "runner/diagnose/telling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dump_made.h"
#include "tests/unit/expect.h"

/* One process with a bit of everything. */
static void make_everything(struct dump *dump)
{
    static const struct stack_frame main_frames[] = {
        LIBCS("__read", 0x10),
        {.pc = 0x401042, .module = PROGRAM, .offset = 0x1042, .build_id = "c0ffee"},
        {.pc = 0x401050,
         .function = "helper",
         .file = "tests/a.c",
         .line = 3,
         .module = PROGRAM,
         .offset = 0x1050,
         .inlined = true},
        {.pc = 0x401050, .function = "handler", .module = PROGRAM, .offset = 0x1050, .build_id = "c0ffee"},
        {.pc = 0x401060,
         .function = "main",
         .file = "tests/a.c",
         .line = 9,
         .module = PROGRAM,
         .offset = 0x1060,
         .interrupted = true},
        {.pc = 0x7777}};
    static const struct stack_thread stacks[] = {
        {.frames = main_frames, .frame_count = COUNT(main_frames), .cut = "its stack is longer"},
        {.why_not = "it is gone"}};
    static const struct dump_thread threads[] = {
        {.tid = 50,
         .name = "kvd",
         .state = 'S',
         .wchan = "pipe_read",
         .stack = &stacks[0],
         .share = 0.25,
         .blocked = 1u << 1,
         .call = {.number = 0,
                  .name = "read",
                  .wait = DUMP_WAITS_READ,
                  .fds = {3},
                  .fd_count = 1,
                  .words = "read(3 pipe:[5], 0x7f, 10)"}},
        {.tid = 51, .name = "a thread", .state = 'R', .stack = &stacks[1]}};
    static const struct dump_end ends[] = {
        {.process = 0, .pid = 50, .name = "kvd", .fd = 3, .reads = true},
        {.process = DUMP_NOBODY, .pid = 40, .name = "sh", .fd = 1, .writes = true}};
    static const struct dump_fd fds[] = {
        {FD_NAMED(0, DUMP_FD_FILE, "/tmp/in"), NO_QUEUES, .reads = true, .waits = true, .position = 12,
         .filled = -1, .room = -1},
        {FD_NAMED(3, DUMP_FD_PIPE, "pipe:[5]"), NO_QUEUES, .reads = true, .waits = true, .position = -1,
         .filled = 0, .room = 65536, .ends = ends, .end_count = 2, .ends_known = true},
        {FD_NAMED(4, DUMP_FD_TCP, "socket:[6]"), NO_PLACE, .reads = true, .writes = true, .state = "LISTEN",
         .local = "0.0.0.0:80", .receive_queue = 1, .send_queue = 128, .ends_known = true},
        {FD(5, DUMP_FD_EPOLL, "anon_inode:[eventpoll]"), .detail = "watches 4"}};
    static const struct dump_lock locks[] = {
        {.kind = "POSIX", .writes = true, .path = "/tmp/in", .from = 3, .to = 9},
        {.kind = "FLOCK",
         .waits = true,
         .inode = 77,
         .to = UINT64_MAX,
         .holder = 40,
         .process = DUMP_NOBODY}};
    static const struct dump_limit limits[] = {{"open files", "1024", "1020"}, {"processes", "50", NULL}};
    static const struct dump_tail tails[] = {
        {"stdout", "cases/x/1/stdout", STR("one\nprocess 1 forged\n\x1b[31mred"), 5000},
        {"stderr", NULL, STR(""), 0}};
    static const char *const notes[] = {"the sockets of another network namespace were not looked at"};
    static struct dump_process process;

    process = (struct dump_process){.id = {50, 9},
                                    .ppid = 40,
                                    .pgrp = 50,
                                    .session = 50,
                                    .tracer = 0,
                                    .uid = 1000,
                                    .parent = DUMP_NOBODY,
                                    .state = 'S',
                                    .terminal = true,
                                    .role = "fixture kvd",
                                    .name = "kvd",
                                    .command = "./kvd 'a b'",
                                    .program = "/x/kvd",
                                    .cwd = "/x",
                                    .cgroup = "/c",
                                    .age = 3 * NS_PER_S,
                                    .share = 0.25,
                                    .user_ms = 30,
                                    .system_ms = 12,
                                    .resident = 3 << 20,
                                    .ignored = 1u << 12,
                                    .caught = 1u << 14,
                                    .threads = threads,
                                    .thread_count = 2,
                                    .threads_more = 1,
                                    .fds = fds,
                                    .fd_count = 4,
                                    .fds_more = 7,
                                    .locks = locks,
                                    .lock_count = 2,
                                    .limits = limits,
                                    .limit_count = 2,
                                    .runtime = RUNTIME_GO,
                                    .runtime_why_not = "it would end by being asked",
                                    .unread = "environ: EACCES"};
    make_dump(dump, &process, 1);
    dump->tails = tails;
    dump->tail_count = 2;
    dump->notes = notes;
    dump->note_count = 1;
}

static void test_everything(void **state)
{
    static const char wanted[] =
        "\n---- in detail ----\n"
        "machine: Linux 6.1.0, 2 processors, load 0.50\n"
        "note: the sockets of another network namespace were not looked at\n"
        "\n"
        "output stdout, 4.9 KiB, cases/x/1/stdout; its end:\n"
        "  | one\n"
        "  | process 1 forged\n"
        "  | red\n"
        "\n"
        "output stderr, 0 B\n"
        "\n"
        "process 50 kvd, \"fixture kvd\", S: sleeps; 3s old\n"
        "  command: ./kvd 'a b'\n"
        "  program: /x/kvd\n"
        "  folder: /x\n"
        "  control group: /c\n"
        "  parent 40, group 50, session 50, user 1000, with a terminal\n"
        "  used 42 ms, 12 ms of that in the kernel; 3.0 MiB resident; now 25% of a processor\n"
        "  signals: pending none; ignored PIPE; caught TERM\n"
        "  limit of open files: 1024, used 1020\n"
        "  limit of processes: 50\n"
        "  holds an exclusive lock (POSIX) of /tmp/in, bytes 3 to 9\n"
        "  waits for a shared lock (FLOCK) of inode 77, which 40 holds\n"
        "  go says nothing: it would end by being asked\n"
        "  thread 50 kvd, S: at stage+0x1042: reads from fd 3, a pipe\n"
        "      in the kernel: read(3 pipe:[5], 0x7f, 10), at pipe_read\n"
        "      computes: 25% of a processor\n"
        "      signals: blocked INT; pending none\n"
        "      #0  __read of /lib/x86_64-linux-gnu/libc.so.6+0x10\n"
        "      #1  /home/me/build/stage+0x1042, build-id c0ffee\n"
        "      #2  helper at tests/a.c:3, inlined\n"
        "      #3  handler of /home/me/build/stage+0x1050\n"
        "      #4  main at tests/a.c:9 (stage)\n"
        "          a signal came here\n"
        "      #5  0x7777\n"
        "      it ends here: its stack is longer\n"
        "  thread 51 \"a thread\", R: runs\n"
        "      no stack: it is gone\n"
        "  and 1 more, which did not find room\n"
        "  descriptors:\n"
        "       0 r- file, /tmp/in, at byte 12\n"
        "       3 r- pipe, pipe:[5], 0 of 65536 bytes; also of 40 sh fd 1 writes\n"
        "       4 rw tcp socket, socket:[6], 0.0.0.0:80, LISTEN, queues 1 and 128, does not wait; nobody "
        "else has it\n"
        "       5 -- epoll, anon_inode:[eventpoll], watches 4\n"
        "    and 7 more, which did not find room\n"
        "  could not be read: environ: EACCES\n";
    struct dump dump;
    struct buf out = {0};
    const char *detail;

    (void)state;
    make_everything(&dump);
    dump_write_text(&dump, NULL, &out);
    detail = strstr(buf_text(&out), "\n" DUMP_DETAIL_LINE "\n");
    assert_non_null(detail);
    assert_string_equal(detail, wanted);
    buf_release(&out);
}

/* Told once, and then by whom it was told. */
static void test_one_stack_of_many(void **state)
{
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    dump_write_text(&s.dump, NULL, &out);
    assert_int_equal(occurrences(&out, "produce at tests/stage.c:22 (stage)\n"), 1);
    expect(&out, "      x 14: also of 4804 4805 4806 4807 4808 4809 4810 4811 4812 4813 4814 4815 4816\n");
    assert_int_equal(occurrences(&out, "      the stack of 4803 leaf, thread 4803\n"), 13);
    assert_int_equal(occurrences(&out, "\n" DUMP_DETAIL_LINE "\n"), 1);
    buf_release(&out);
}

/* Of many who have a pipe those at its other end come first. */
static void test_the_other_end_first(void **state)
{
    struct stage s;
    struct buf out = {0};

    (void)state;
    make_stage(&s);
    s.ends[0] = s.ends[LEAVES];
    s.ends[LEAVES] =
        (struct dump_end){.process = DUMP_NOBODY, .pid = 9000, .name = "outside", .fd = 1, .reads = true};
    dump_write_text(&s.dump, NULL, &out);
    expect(&out, "       7 -w pipe, pipe:[900], 65536 of 65536 bytes; also of 9000 outside fd 1 reads, 48");
    expect(&out, " fd 7 writes and 6 more\n");
    buf_release(&out);
}

/* The summary is the beginning of the text. */
static void test_it_begins_with_the_summary(void **state)
{
    struct stage s;
    struct buf summary = {0}, text = {0};

    (void)state;
    make_stage(&s);
    dump_write_summary(&s.dump, NULL, &summary);
    dump_write_text(&s.dump, NULL, &text);
    assert_true(str_starts(buf_str(&text), buf_text(&summary)));
    assert_true(str_starts(str_slice(buf_str(&text), summary.len, text.len), "\n" DUMP_DETAIL_LINE "\n"));
    buf_release(&summary);
    buf_release(&text);
}

static void test_it_has_an_end(void **state)
{
    static struct stack_frame frames[800];
    static struct stack_thread stacks[600];
    static struct dump_thread threads[600];
    struct dump_process process = {.id = {5, 1},
                                   .parent = DUMP_NOBODY,
                                   .state = 'S',
                                   .name = "deep",
                                   .threads = threads,
                                   .thread_count = 600};
    struct dump dump;
    struct buf out = {0};

    (void)state;
    for (uint32_t i = 0; i < 800; i++)
        frames[i] = (struct stack_frame){
            .pc = i, .function = "recurses_deeper_and_deeper", .file = "source/of/it.c", .line = i + 1};
    for (uint32_t i = 0; i < 600; i++) { /* no two alike */
        stacks[i] = (struct stack_thread){.frames = frames + i, .frame_count = 200};
        threads[i] =
            (struct dump_thread){.tid = 5 + (pid_t)i, .name = "t", .state = 'S', .stack = &stacks[i]};
    }
    make_dump(&dump, &process, 1);
    buf_adds(&out, "before");
    dump_write_text(&dump, NULL, &out);
    assert_in_range(out.len, DUMP_TEXT_MOST - 1024, DUMP_TEXT_MOST + strlen("before"));
    assert_true(str_starts(buf_str(&out), "before"));
    assert_true(str_ends(buf_str(&out), "(there is more, which did not find room: it ends at 4 MiB)\n"));
    buf_release(&out);
}

/* What is hidden may begin before the end of an output does. */
static void test_the_end_of_a_secret(void **state)
{
    static struct dump_tail tails[] = {{"stdout", NULL, STR("secret-of-mine and more"), 4000},
                                       {"stderr", NULL, STR("whole\nvery-secret-of-mine\n"), 4000}};
    struct mask *mask = mask_new();
    struct stage s;
    struct buf out = {0};

    (void)state;
    mask_add(mask, (struct str)STR("very-secret-of-mine"));
    make_stage(&s);
    s.dump.tails = tails;
    s.dump.tail_count = 2;
    dump_write_text(&s.dump, mask, &out);
    expect_none(&out, "secret-of-mine");
    expect(&out, "  | whole\n  | ***\n");
    buf_clear(&out);
    dump_write_json(&s.dump, mask, &out);
    expect_none(&out, "secret-of-mine");
    buf_release(&out);
    mask_free(mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything),          cmocka_unit_test(test_one_stack_of_many),
        cmocka_unit_test(test_the_other_end_first), cmocka_unit_test(test_it_begins_with_the_summary),
        cmocka_unit_test(test_it_has_an_end),       cmocka_unit_test(test_the_end_of_a_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
