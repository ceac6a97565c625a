/* Programs as they come: with and without symbols, lines, tables for unwinding, and files that are still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "tests/unit/stacks_stage.h"

#define SOURCE "tests/data/stacks/hangs.c"

struct stage {
    struct arena arena;
    char folder[32];
};

static int setup(void **state)
{
    struct stage *stage = test_calloc(1, sizeof *stage);

    strcpy(stage->folder, "/tmp/stacks-XXXXXX");
    *state = stage;
    return mkdtemp(stage->folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct stage *stage = *state;
    int status = system(arena_printf(&stage->arena, "rm -rf %s", stage->folder));

    arena_release(&stage->arena);
    test_free(stage);
    return status;
}

/* ---- programs ---- */

/* False: this machine cannot build that. */
static bool build(struct stage *stage, const char *command)
{
    const char *all = arena_printf(&stage->arena, "src=$PWD/" SOURCE " && cd %s && { %s; } >/dev/null 2>&1",
                                   stage->folder, command);

    return system(all) == 0;
}

static pid_t start(struct stage *stage, const char *way)
{
    const char *program = arena_printf(&stage->arena, "%s/hangs", stage->folder);
    struct pollfd ready = {.events = POLLIN};
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = must_fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, "hangs", way, (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    ready.fd = ends[0];
    assert_int_equal(poll(&ready, 1, (int)(PATIENCE / NS_PER_MS)), 1);
    close(ends[0]);
    await_sleep(pid);
    return pid;
}

/* As the source itself says; 0: nowhere. */
static uint32_t line_of(const char *function)
{
    struct buf text = {0};
    size_t at = 0, found;
    uint32_t line = 1;
    char mark[64];

    assert_int_equal(file_read(SOURCE, &text, 65536), 0);
    snprintf(mark, sizeof mark, "the line of %s */", function);
    if (!str_find(buf_str(&text), mark, &found))
        line = 0;
    for (; line && at < found; at++)
        line += text.ptr[at] == '\n';
    buf_release(&text);
    return line;
}

static const struct stack_thread *stack_of(const struct stacks *stacks)
{
    assert_null(stacks->why_not);
    assert_int_equal(stacks->process_count, 1);
    if (stacks->processes[0].why_not || !stacks->processes[0].thread_count)
        fail_msg("%s", stacks->processes[0].why_not);
    return &stacks->processes[0].threads[0];
}

/* The named one after the other, from the inside outwards, each with its line. */
static void assert_calls(const struct stacks *stacks, const char *const *functions, bool lines)
{
    const struct stack_thread *thread = stack_of(stacks);
    uint32_t at = 0;

    for (; *functions; functions++) {
        while (at < thread->frame_count &&
               (!thread->frames[at].function || strcmp(thread->frames[at].function, *functions) != 0))
            at++;
        if (at == thread->frame_count) {
            print_stacks(stacks);
            fail_msg("'%s' is not there, or not in this order", *functions);
        }
        if (lines && line_of(*functions))
            assert_int_equal(thread->frames[at].line, line_of(*functions));
        at++;
    }
}

static const char *const with_inlined[] = {"wait_here",     "inlined_twice", "inlined_once",
                                           "calls_inlined", "main",          NULL};
static const char *const of_another_language[] = {"wait_here(int)",     "inlined_twice", "inlined_once",
                                                  "calls_inlined(int)", "main",          NULL};
static const char *const without_inlined[] = {"wait_here", "calls_inlined", "main", NULL};

/* ---- tests ---- */

static void test_builds(void **state)
{
    static const struct {
        const char *command;
        const char *const *functions;
        bool lines;
    } rows[] = {
        {"gcc -g -O2 -o hangs $src", with_inlined, true},
        {"gcc -g -O2 -no-pie -o hangs $src", with_inlined, true},
        {"gcc -g -O2 -static -o hangs $src", with_inlined, true},
        {"gcc -g -O2 -static-pie -o hangs $src", with_inlined, true},
        {"gcc -gdwarf-4 -O2 -o hangs $src", with_inlined, true},
        {"gcc -g -gsplit-dwarf -O2 -o hangs $src", with_inlined, true},
        {"gcc -g -O2 -gz -o hangs $src", with_inlined, true},
        {"gcc -g -O2 -o hangs $src && objcopy --only-keep-debug hangs d && objcopy --strip-debug "
         "--add-gnu-debuglink=d hangs",
         with_inlined, true},
        {"clang -g -O2 -o hangs $src", with_inlined, true},
        {"gcc -O2 -o hangs $src", without_inlined, false},
        {"gcc -g -O2 -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -o hangs $src && strip "
         "--strip-debug hangs",
         without_inlined, false},
        {"gcc -O0 -g -o hangs $src", with_inlined, true},
        {"gcc -O2 -g -Wl,-z,noseparate-code -o hangs $src", with_inlined, true},
        {"g++ -x c++ -O2 -g -o hangs $src", of_another_language, true},
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct stacks stacks;
        pid_t pid;

        if (!build(stage, rows[i].command)) {
            print_message("not to be had here: %s\n", rows[i].command);
            continue;
        }
        pid = start(stage, NULL);
        print_message("%s\n", rows[i].command);
        stacks = take_of(&stage->arena, &pid, 1);
        assert_calls(&stacks, rows[i].functions, rows[i].lines);
        end_child(pid);
    }
}

/* What it shows without names is where to look: the file, the place in it, and which build of it. */
static void test_stripped(void **state)
{
    struct stage *stage = *state;
    const struct stack_thread *thread;
    struct stacks stacks;
    uint32_t own = 0;
    pid_t pid;

    if (!build(stage, "gcc -g -O2 -Wl,--build-id=sha1 -o full $src && strip -o hangs full"))
        fail();
    pid = start(stage, NULL);
    stacks = take_of(&stage->arena, &pid, 1);
    thread = stack_of(&stacks);
    for (uint32_t i = 0; i < thread->frame_count; i++) {
        const struct stack_frame *frame = &thread->frames[i];

        if (!frame->module || !strstr(frame->module, "/hangs"))
            continue;
        assert_null(frame->function);
        assert_non_null(frame->build_id);
        assert_int_equal(strlen(frame->build_id), 40);
        if (own++ == 0) {
            const char *command =
                arena_printf(&stage->arena, "addr2line -f -e %s/full %llx | grep -q '^wait_here$'",
                             stage->folder, (unsigned long long)frame->offset);

            assert_int_equal(system(command), 0);
        }
    }
    assert_true(own >= 3);
    end_child(pid);
}

static void test_removed(void **state)
{
    struct stage *stage = *state;
    struct stacks stacks;
    pid_t pid;

    assert_true(build(stage, "gcc -g -O2 -o hangs $src"));
    pid = start(stage, NULL);
    assert_true(build(stage, "rm hangs"));
    stacks = take_of(&stage->arena, &pid, 1);
    assert_calls(&stacks, with_inlined, true);
    end_child(pid);
}

/*
 * Where debugging information is, and what is mapped, is told by strangers: what is no plain file is not even opened, since that
 * may last for ever, or be a deed.
 */
static void test_no_files(void **state)
{
    static const struct {
        const char *command, *file;
        bool names;
    } rows[] = {
        {"gcc -g -gsplit-dwarf -O2 -c -o unit.o $src && gcc -o hangs unit.o", "unit.dwo", true},
        {"gcc -g -O2 -o hangs $src && objcopy --only-keep-debug hangs d && strip hangs && objcopy "
         "--add-gnu-debuglink=d hangs",
         "d", false},
        {"gcc -g -O2 -o hangs $src", "hangs (deleted)", true},
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *path = arena_printf(&stage->arena, "%s/%s", stage->folder, rows[i].file);
        struct pollfd opened = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};
        struct stacks stacks;
        pid_t pid;
        int end;

        assert_true(build(stage, rows[i].command));
        pid = start(stage, NULL);
        assert_true(build(stage, "rm -f hangs unit.dwo d"));
        assert_int_equal(mkfifo(path, 0600), 0);
        end = open(path, O_RDWR | O_CLOEXEC); /* so that nobody waits for one */
        assert_true(end >= 0);
        assert_true(inotify_add_watch(opened.fd, path, IN_OPEN) >= 0);
        stacks = take_of(&stage->arena, &pid, 1);
        if (poll(&opened, 1, 0) != 0)
            fail_msg("%s was opened", rows[i].file);
        if (rows[i].names)
            assert_calls(&stacks, without_inlined, false);
        end_child(pid);
        close(opened.fd);
        close(end);
        assert_true(build(stage, "rm *"));
    }
}

/* Names of another program than the one that runs would be lies. */
static void test_replaced(void **state)
{
    struct stage *stage = *state;
    struct stacks stacks;
    pid_t pid;

    assert_true(build(stage, "gcc -g -O2 -o hangs $src"));
    pid = start(stage, NULL);
    assert_true(build(stage, "rm hangs && printf 'int other(void) { return 1; }\\nint main(void) { return "
                             "other(); }' | gcc -g -x c -o hangs -"));
    stacks = take_of(&stage->arena, &pid, 1);
    assert_calls(&stacks, with_inlined, true);
    assert_null(frame_in(&stacks.processes[0], "other"));
    end_child(pid);
}

/* A file system that nobody else sees, and numbers that are other ones outside. */
static void test_namespaces(void **state)
{
    struct stage *stage = *state;
    const char *script, *command;
    struct proc_ids below = {0};
    nanos until = clock_now() + PATIENCE;
    struct stacks stacks;
    pid_t pid;

    assert_true(build(stage, "gcc -g -O2 -static -o hangs $src && mkdir apart"));
    script = arena_printf(&stage->arena,
                          "mount -t tmpfs none apart && mv hangs apart && exec ./apart/hangs >%s/ready",
                          stage->folder);
    command =
        arena_printf(&stage->arena, "cd %s && exec unshare --mount --pid --fork --kill-child sh -c '%s'",
                     stage->folder, script);
    if (system("unshare --mount --pid --fork true 2>/dev/null") != 0)
        skip();
    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(1);
    }
    while (!build(stage, "test -s ready") && clock_now() < until)
        sched_yield();
    assert_int_equal(proc_children(pid, &below), 0);
    assert_int_equal(below.count, 1);
    await_sleep(below.list[0].pid);
    stacks = take_of(&stage->arena, &below.list[0].pid, 1);
    assert_calls(&stacks, with_inlined, true);
    proc_ids_release(&below);
    end_child(pid);
}

static void test_namespaces_of_the_loader(void **state)
{
    struct stage *stage = *state;
    const char *const calls[] = {"wait_here", "calls_inlined", "through_namespace", "main", NULL};
    struct stacks stacks;
    pid_t pid;

    assert_true(build(stage, "gcc -D_GNU_SOURCE -g -O2 -DNAMESPACE -o hangs $src -ldl && "
                             "gcc -g -O2 -DLIBRARY -shared -fPIC -o apart.so $src"));
    pid = start(stage, arena_printf(&stage->arena, "%s/apart.so", stage->folder));
    stacks = take_of(&stage->arena, &pid, 1);
    assert_calls(&stacks, calls, true);
    assert_non_null(strstr(frame_in(&stacks.processes[0], "wait_here")->module, "apart.so"));
    end_child(pid);
}

/* From a handler on a stack of its own to whom it has interrupted, on another one. */
static void test_handlers(void **state)
{
    const char *const calls[] = {"wait_here", "on_another_stack", "raises", "main", NULL};
    const struct stack_thread *thread;
    struct stage *stage = *state;
    struct stacks stacks;
    uint32_t interrupted = 0;
    pid_t pid;

    assert_true(build(stage, "gcc -g -O2 -o hangs $src"));
    pid = start(stage, "raise");
    stacks = take_of(&stage->arena, &pid, 1);
    assert_calls(&stacks, calls, false);
    thread = stack_of(&stacks);
    for (uint32_t i = 0; i < thread->frame_count; i++)
        if (thread->frames[i].interrupted) {
            interrupted++;
            assert_string_equal(thread->frames[i - 1].function, "on_another_stack");
        }
    assert_int_equal(interrupted, 1);
    end_child(pid);
}

static void test_depth(void **state)
{
    struct stage *stage = *state;
    const struct stack_thread *thread;
    struct stacks stacks;
    pid_t pid;

    assert_true(build(stage, "gcc -g -O2 -fno-optimize-sibling-calls -o hangs $src"));
    pid = start(stage, "deep");
    stacks = take_of(&stage->arena, &pid, 1);
    thread = stack_of(&stacks);
    assert_int_equal(thread->frame_count, STACK_FRAMES_MOST);
    assert_non_null(thread->cut);
    assert_non_null(frame_of(thread, "goes_deep"));
    end_child(pid);
}

/* What has crashed left a core where the kernel puts them by name; elsewhere there is nothing to look at. */
static void test_core(void **state)
{
    static const char *const calls[] = {"calls_nowhere", "main", NULL};
    struct stage *stage = *state;
    struct stacks_wants wants = wants_of(&stage->arena);
    struct stacks stacks;
    const char *core = arena_printf(&stage->arena, "%s/core", stage->folder);

    assert_true(build(stage, "gcc -g -O2 -o hangs $src"));
    if (!build(
            stage,
            "ulimit -c unlimited; ./hangs nowhere; for f in core*; do mv $f core || :; done; test -s core"))
        skip();
    stacks_of_core(&stacks, &stage->arena, core, arena_printf(&stage->arena, "%s/hangs", stage->folder),
                   &wants);
    assert_calls(&stacks, calls, true);
    assert_int_equal(stack_of(&stacks)->frames[0].pc, 0);
    stacks_of_core(&stacks, &stage->arena, "/dev/null", NULL, &wants);
    assert_non_null(stacks.why_not);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_builds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stripped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(test_namespaces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_namespaces_of_the_loader, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handlers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_core, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
