/* Children that hang in a way of their own, and a look at them. After <cmocka.h>. */
#ifndef TESTS_LOOK_STAGE_H
#define TESTS_LOOK_STAGE_H

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/diagnose/internal.h"
#include "tests/unit/forks.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KIDS_MOST   16
#define LIFE        120 /* seconds that a child has, whatever goes wrong */
#define LOOK_BUDGET (60 * NS_PER_S)

struct look_stage {
    struct arena arena;
    struct dump dump;
    struct taking taking;
    struct dump_wants wants;
    struct dump_member members[KIDS_MOST];
    size_t count;
};

static inline int open_look_stage(void **state)
{
    *state = mem_zero(1, sizeof(struct look_stage));
    return 0;
}

static inline int close_look_stage(void **state)
{
    struct look_stage *stage = *state;

    for (size_t i = 0; i < stage->count; i++)
        end_child(stage->members[i].id.pid);
    arena_release(&stage->arena);
    free(stage);
    return 0;
}

/* What it is to hang in, in the child's own thread. It never comes back. */
typedef void kid_fn(void *user);

/* A child of ours that is looked at; `body` is to hang. */
static inline pid_t start_kid(struct look_stage *stage, kid_fn *body, void *user)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        limit_life(LIFE);
        body(user);
        _exit(1);
    }
    assert_true(stage->count < KIDS_MOST);
    stage->members[stage->count++].id = proc_identify(pid);
    return pid;
}

/* Of all machines; pause is a call of its own on some only. */
#define HANGS SYS_ppoll

static inline void hang(void)
{
    for (;;)
        syscall(HANGS, NULL, 0, NULL, NULL, 0);
}

/* The number of the call that a thread is in; -1: in none. */
static inline int call_of(pid_t tid)
{
    char path[64];
    struct buf text = {0};
    int number = -1;

    snprintf(path, sizeof path, "/proc/%ld/syscall", (long)tid);
    if (file_read(path, &text, 4096) < 0 || sscanf(buf_text(&text), "%d", &number) != 1)
        number = -1;
    buf_release(&text);
    return number;
}

static inline char state_of(pid_t pid)
{
    struct proc_stat stat;

    return proc_stat_read(pid, &stat) < 0 ? 0 : stat.state;
}

static inline bool is_there(pid_t tid)
{
    return state_of(tid) != 0 && state_of(tid) != 'Z';
}

/* It hangs there: nothing else will happen in it. */
static inline void until_in(pid_t tid, int number)
{
    while (call_of(tid) != number || state_of(tid) == 'R')
        assert_true(is_there(tid) && sched_yield() == 0);
}

static inline void until_state(pid_t pid, char wanted)
{
    while (state_of(pid) != wanted)
        assert_true(state_of(pid) != 0 && sched_yield() == 0);
}

static inline const struct dump *look_within(struct look_stage *stage, nanos budget)
{
    stage->wants.members = stage->members;
    stage->wants.member_count = stage->count;
    stage->dump = (struct dump){.title = "a look"};
    stage->taking = (struct taking){
        .dump = &stage->dump, .arena = &stage->arena, .wants = &stage->wants, .began = clock_now()};
    stage->taking.until = stage->taking.began + budget;
    look_at_all(&stage->taking);
    return &stage->dump;
}

static inline const struct dump *look_now(struct look_stage *stage)
{
    return look_within(stage, LOOK_BUDGET);
}

static inline const struct dump_process *process_of(const struct dump *dump, pid_t pid)
{
    for (uint32_t i = 0; i < dump->process_count; i++)
        if (dump->processes[i].id.pid == pid)
            return &dump->processes[i];
    fail_msg("process %d is not there", (int)pid);
    return NULL;
}

static inline const struct dump_fd *fd_of(const struct dump_process *process, int number)
{
    for (uint32_t i = 0; i < process->fd_count; i++)
        if (process->fds[i].number == number)
            return &process->fds[i];
    fail_msg("descriptor %d is not there", number);
    return NULL;
}

static inline bool has_end(const struct dump_fd *fd, pid_t pid, int number)
{
    for (uint32_t i = 0; i < fd->end_count; i++)
        if (fd->ends[i].pid == pid && fd->ends[i].fd == number)
            return true;
    return false;
}

#endif
