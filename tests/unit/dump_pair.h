/* Two processes of which the first waits, and what is told of them. After <cmocka.h>. */
#ifndef TESTS_DUMP_PAIR_H
#define TESTS_DUMP_PAIR_H

#include "tests/unit/dump_made.h"
#include "tests/unit/expect.h"

static const struct stack_frame asker_frames[] = {LIBCS("__read", 0x10), THEIRS("asks", "ask.c", 5)};
static const struct stack_frame other_frames[] = {LIBCS("clock_nanosleep", 0x20),
                                                  THEIRS("dawdles", "serve.c", 8)};
static const struct stack_thread asker_stack = STACK(asker_frames), other_stack = STACK(other_frames);

struct pair {
    struct dump dump;
    struct dump_process processes[2];
    struct dump_thread threads[2];
    struct dump_fd fds[2][2];
    struct dump_end ends[2];
    struct dump_lock lock;
};

/* 100 asks, and is at `fd` 3 of its own; 101 is its child, and sleeps. */
static inline void make_pair(struct pair *s, enum dump_wait wait)
{
    *s = (struct pair){0};
    for (uint32_t i = 0; i < 2; i++) {
        s->threads[i] =
            (struct dump_thread){.tid = 100 + (pid_t)i, .name = i ? "other" : "asker", .state = 'S'};
        s->threads[i].stack = i ? &other_stack : &asker_stack;
        s->processes[i] = (struct dump_process){
            .id = {100 + (pid_t)i, 7},
            .ppid = i ? 100 : 1,
            .parent = i ? 0 : DUMP_NOBODY,
            .depth = i,
            .state = 'S',
            .name = i ? "other" : "asker",
            .age = 5 * NS_PER_S,
            .threads = &s->threads[i],
            .thread_count = 1,
            .fds = s->fds[i],
        };
    }
    s->threads[0].call = (struct dump_call)WAITS_AT(wait, "read", 3);
    s->threads[1].call =
        (struct dump_call){.number = 230, .name = "clock_nanosleep", .wait = DUMP_WAITS_SLEEP};
    make_dump(&s->dump, s->processes, 2);
}

static inline void add_fd(struct pair *s, uint32_t process, struct dump_fd fd)
{
    s->fds[process][s->processes[process].fd_count++] = fd;
}

/* `ends` are all that have a pipe. */
static inline struct dump_fd pipe_end(struct pair *s, int number, bool reads, uint32_t ends)
{
    return (struct dump_fd){FD(number, DUMP_FD_PIPE, "pipe:[5]"),
                            .inode = 5,
                            .reads = reads,
                            .writes = !reads,
                            .ends = s->ends,
                            .end_count = ends,
                            .ends_known = true};
}

static inline void wants(const struct dump *dump, const char *lines)
{
    struct buf out = {0};

    dump_write_summary(dump, NULL, &out);
    expect(&out, lines);
    buf_release(&out);
}

#endif
