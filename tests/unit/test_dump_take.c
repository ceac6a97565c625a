#include "runner/diagnose/diagnose.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/expect.h"
#include "tests/unit/stacks_stage.h"

/* A child that reads what nobody writes, and one of it that has ended; both are so when we go on. */
struct scene {
    struct arena arena;
    struct dump_member members[3];
    struct dump dump;
    int gate[2];
    pid_t child;
};

__attribute__((noinline)) static void waits_at_the_gate(int gate)
{
    char byte;

    while (read(gate, &byte, 1) > 0)
        ;
    _exit(0);
}

static void be_the_child(int gate, int ready)
{
    siginfo_t info;
    pid_t dead = fork();

    if (dead == 0)
        _exit(0);
    if (dead < 0 || waitid(P_PID, (id_t)dead, &info, WEXITED | WNOWAIT) < 0 ||
        write(ready, &dead, sizeof dead) < 0)
        _exit(1);
    waits_at_the_gate(gate);
}

static void open_scene(struct scene *s)
{
    int ready[2];
    pid_t dead;

    *s = (struct scene){.child = -1};
    assert_int_equal(pipe(s->gate), 0);
    assert_int_equal(pipe(ready), 0);
    s->child = fork();
    assert_true(s->child >= 0);
    if (s->child == 0) {
        close(s->gate[1]);
        be_the_child(s->gate[0], ready[1]);
    }
    assert_int_equal(read(ready[0], &dead, sizeof dead), sizeof dead);
    close(ready[0]);
    close(ready[1]);
    await_sleep(s->child); /* it has said so before it was */
    s->members[0] = (struct dump_member){proc_identify(s->child), "case"};
    s->members[1] = (struct dump_member){proc_identify(dead), NULL};
    s->members[2] = (struct dump_member){{s->child, 1}, NULL}; /* another one had the number then */
}

static void close_scene(struct scene *s)
{
    kill(s->child, SIGKILL);
    waitpid(s->child, NULL, 0);
    close(s->gate[0]);
    close(s->gate[1]);
    arena_release(&s->arena);
}

static void take(struct scene *s, struct dump_wants wants)
{
    wants.members = s->members;
    wants.member_count = 3;
    dump_take(&s->dump, &s->arena, &wants, NULL);
}

static void test_all_of_it(void **state)
{
    char title[] = "one title";
    struct scene s;
    struct buf out = {0};

    (void)state;
    open_scene(&s);
    take(&s, (struct dump_wants){.title = title,
                                 .reason = "we are curious",
                                 .stacks = unwinder_path(&s.arena),
                                 .budget = 60 * NS_PER_S});
    title[0] = 'X'; /* it has its own */
    assert_int_equal(s.dump.process_count, 2);
    assert_int_equal(s.dump.processes[0].id.pid, s.child);
    assert_int_equal(s.dump.processes[1].state, 'Z');
    assert_int_equal(s.dump.processes[1].parent, 0);
    assert_true(s.dump.took > 0 && s.dump.at > 0);
    dump_write_text(&s.dump, NULL, &out);
    expect(&out, "one title\nwe are curious\n");
    expect(&out, "has ended, and its parent has not reaped it\n");
    expect(&out, "case): in waits_at_the_gate at test_dump_take.c:");
    buf_release(&out);
    close_scene(&s);
}

static void test_without_who_unwinds(void **state)
{
    struct scene s;
    struct buf out = {0};

    (void)state;
    open_scene(&s);
    take(&s, (struct dump_wants){.budget = 60 * NS_PER_S});
    assert_non_null(s.dump.why_no_stacks);
    dump_write_summary(&s.dump, NULL, &out);
    expect(&out, "\nno stacks: ");
    expect(&out, "reads from fd ");
    buf_release(&out);
    close_scene(&s);
}

/* Why is the words of whoever wants none, and nobody is stopped for it. */
static void test_no_stacks_wanted(void **state)
{
    struct scene s;
    struct buf out = {0};

    (void)state;
    open_scene(&s);
    take(&s, (struct dump_wants){.stacks = unwinder_path(&s.arena),
                                 .why_no_stacks = "too many others were looked at",
                                 .budget = 60 * NS_PER_S});
    assert_true(s.dump.stood_still == 0);
    dump_write_text(&s.dump, NULL, &out);
    expect(&out, "\nno stacks: too many others were looked at\n");
    assert_null(strstr(buf_text(&out), "#0 "));
    buf_release(&out);
    close_scene(&s);
}

/* What is there when the time is over is told; nobody waits for more. */
static void test_without_time(void **state)
{
    struct scene s;
    struct buf out = {0};

    (void)state;
    open_scene(&s);
    take(&s, (struct dump_wants){.title = "short", .stacks = unwinder_path(&s.arena), .budget = 1});
    dump_write_text(&s.dump, NULL, &out);
    expect(&out, "short\n");
    assert_true(s.dump.note_count > 0 || s.dump.why_no_stacks);
    buf_release(&out);
    close_scene(&s);
}

struct frozen {
    int on, off;
    bool is_on;
};

static bool freeze(void *user, bool on)
{
    struct frozen *frozen = user;

    *(on ? &frozen->on : &frozen->off) += 1;
    frozen->is_on = on;
    return true;
}

static void test_who_was_frozen_is_thawed(void **state)
{
    struct frozen frozen = {0};
    struct scene s;

    (void)state;
    open_scene(&s);
    take(&s,
         (struct dump_wants){
             .stacks = unwinder_path(&s.arena), .budget = 60 * NS_PER_S, .freeze = freeze, .user = &frozen});
    assert_int_equal(frozen.on, 1);
    assert_true(frozen.off >= 1);
    assert_false(frozen.is_on);
    close_scene(&s);
}

static void test_nobody(void **state)
{
    struct arena arena = {0};
    struct dump dump;
    struct buf out = {0};

    (void)state;
    dump_take(&dump, &arena,
              &(struct dump_wants){.title = "nobody", .budget = NS_PER_S, .ask_runtimes = true}, NULL);
    assert_int_equal(dump.process_count, 0);
    dump_write_text(&dump, NULL, &out);
    expect(&out, "nobody\n");
    expect(&out, "\n" DUMP_DETAIL_LINE "\n");
    buf_clear(&out);
    dump_write_json(&dump, NULL, &out);
    expect(&out, "\"processes\":[]");
    buf_release(&out);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_of_it),
        cmocka_unit_test(test_without_who_unwinds),
        cmocka_unit_test(test_no_stacks_wanted),
        cmocka_unit_test(test_without_time),
        cmocka_unit_test(test_who_was_frozen_is_thawed),
        cmocka_unit_test(test_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
