/* Dumps made by hand. After <cmocka.h>. */
#ifndef TESTS_DUMP_MADE_H
#define TESTS_DUMP_MADE_H

#include "runner/diagnose/diagnose.h"

#include <string.h>

#define PROGRAM "/home/me/build/stage"
#define LIBC    "/lib/x86_64-linux-gnu/libc.so.6"

#define THEIRS(name, where, at)                                                                      \
    {                                                                                                \
        .pc = 0x401000 + (at), .function = (name), .file = (where), .line = (at), .module = PROGRAM, \
        .offset = 0x1000 + (at), .build_id = "c0ffee"                                                \
    }
#define LIBCS(name, place)                                                                    \
    {                                                                                         \
        .pc = 0x7f0000000000 + (place), .function = (name), .module = LIBC, .offset = (place) \
    }

#define COUNT(list) (sizeof(list) / sizeof(list)[0])
#define STACK(list)                                  \
    {                                                \
        .frames = (list), .frame_count = COUNT(list) \
    }

#define FD_NAMED(n, what, name) .number = (n), .kind = (what), .target = (name)
#define NO_PLACE                .position = -1, .filled = -1, .room = -1
#define NO_QUEUES               .receive_queue = -1, .send_queue = -1
#define FD(n, what, name)       FD_NAMED(n, what, name), NO_PLACE, NO_QUEUES, .waits = true

#define WAITS_AT(how, call_name, fd)                                                \
    {                                                                               \
        .number = 1, .name = (call_name), .wait = (how), .fds = {fd}, .fd_count = 1 \
    }
#define IN_FUTEX                                                                         \
    {                                                                                    \
        .number = 202, .name = "futex", .wait = DUMP_WAITS_FUTEX, .address = 0x7ffc0000, \
        .words = "futex(0x7ffc0000, FUTEX_WAIT, 2)"                                      \
    }

static inline void make_dump(struct dump *dump, struct dump_process *processes, uint32_t count)
{
    *dump = (struct dump){
        .title = "proto::drain@backend=exec, attempt 1",
        .reason = "its deadline of 60 s has passed, in its call",
        .machine = "Linux 6.1.0, 2 processors, load 0.50",
        .at = 1795323600 * NS_PER_S,
        .took = 43 * NS_PER_MS,
        .stood_still = 12 * NS_PER_MS,
        .processes = processes,
        .process_count = count,
    };
}

/* ---- a root that does not drain a pipe, two below it, and seven below each of these, which write to it ---- */

#define LEAVES 14u

struct stage {
    struct dump dump;
    struct dump_process processes[3 + LEAVES];
    struct dump_thread threads[3 + LEAVES];
    struct dump_fd root_fds[2], leaf_fds[2];
    struct dump_end ends[1 + LEAVES];
};

static const struct stack_frame root_frames[] = {LIBCS("pthread_mutex_lock", 0x90),
                                                 THEIRS("collect", "tests/stage.c", 31),
                                                 THEIRS("main", "tests/stage.c", 60)};
static const struct stack_frame branch_frames[] = {
    LIBCS("wait4", 0x70), THEIRS("branch", "tests/stage.c", 40), THEIRS("main", "tests/stage.c", 62)};
static const struct stack_frame leaf_frames[] = {LIBCS("write", 0x50), THEIRS("produce", "tests/stage.c", 22),
                                                 THEIRS("leaf", "tests/stage.c", 26)};
static const struct stack_thread root_stack = STACK(root_frames), branch_stack = STACK(branch_frames),
                                 leaf_stack = STACK(leaf_frames);

static inline void add_member(struct stage *s, uint32_t i, pid_t pid, uint32_t parent, const char *name,
                              const char *role)
{
    s->threads[i].tid = pid;
    s->threads[i].name = name;
    s->threads[i].state = 'S';
    s->processes[i] = (struct dump_process){
        .id = {pid, 1000 + i},
        .ppid = parent == DUMP_NOBODY ? 1 : s->processes[parent].id.pid,
        .parent = parent,
        .depth = parent == DUMP_NOBODY ? 0 : s->processes[parent].depth + 1,
        .state = 'S',
        .name = name,
        .role = role,
        .command = "./stage --deep",
        .age = 60 * NS_PER_S,
        .threads = &s->threads[i],
        .thread_count = 1,
    };
}

static inline void make_leaf(struct stage *s, uint32_t i)
{
    add_member(s, i, 4800 + (pid_t)i, i % 2 ? 1 : 2, "leaf", NULL);
    s->threads[i].stack = &leaf_stack;
    s->threads[i].call = (struct dump_call)WAITS_AT(DUMP_WAITS_WRITE, "write", 7);
    s->processes[i].fds = s->leaf_fds;
    s->processes[i].fd_count = 1;
    s->ends[i - 2] =
        (struct dump_end){.process = i, .pid = 4800 + (pid_t)i, .name = "leaf", .fd = 7, .writes = true};
}

static inline void make_stage(struct stage *s)
{
    *s = (struct stage){0};
    add_member(s, 0, 4711, DUMP_NOBODY, "stage", "case");
    s->threads[0].stack = &root_stack;
    s->threads[0].call = (struct dump_call)IN_FUTEX;
    for (uint32_t i = 1; i < 3; i++) {
        add_member(s, i, 4711 + (pid_t)i, 0, "branch", NULL);
        s->threads[i].stack = &branch_stack;
        s->threads[i].call = (struct dump_call){.number = 61, .name = "wait4", .wait = DUMP_WAITS_CHILD};
    }
    s->ends[0] = (struct dump_end){.process = 0, .pid = 4711, .name = "stage", .fd = 6, .reads = true};
    s->leaf_fds[0] = (struct dump_fd){
        FD(7, DUMP_FD_PIPE, "pipe:[900]"), .inode = 900,      .writes = true, .ends = s->ends,
        .end_count = 1 + LEAVES,           .ends_known = true};
    s->leaf_fds[0].filled = s->leaf_fds[0].room = 65536;
    s->root_fds[0] = s->leaf_fds[0];
    s->root_fds[0].number = 6;
    s->root_fds[0].reads = true;
    s->root_fds[0].writes = false;
    s->processes[0].fds = s->root_fds;
    s->processes[0].fd_count = 1;
    for (uint32_t i = 3; i < 3 + LEAVES; i++)
        make_leaf(s, i);
    make_dump(&s->dump, s->processes, 3 + LEAVES);
}

#endif
