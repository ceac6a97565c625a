/* Commands that are asked before a run: what they wrote, how they ended, and that nothing of them stays. */
#include "runner/ask.h"

#include "runner/base/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct answer {
    struct asked asked;
    struct buf out, err;
};

static void ask_shell(struct answer *a, const char *script, const char *contain, nanos deadline)
{
    const char *argv[] = {"sh", "-c", script, NULL};
    struct spawn_spec spec = {
        .path = "/bin/sh",
        .argv = (char *const *)(uintptr_t)argv,
        .envp = environ,
        .session = true,
        .terminal = -1,
    };

    memset(a, 0, sizeof *a);
    ask(&spec, contain, deadline, &a->out, &a->err, &a->asked);
}

static void release(struct answer *a)
{
    buf_release(&a->out);
    buf_release(&a->err);
}

#define LONG (60 * NS_PER_S)

static void answers_are_heard(void **state)
{
    struct answer a;

    (void)state;
    ask_shell(&a, "echo names; echo words >&2; read x || echo $?; exit 3", NULL, LONG);
    assert_string_equal(buf_text(&a.out), "names\n1\n");
    assert_string_equal(buf_text(&a.err), "words\n");
    assert_int_equal(a.asked.status, 3);
    assert_int_equal(a.asked.signal, 0);
    assert_false(a.asked.timed_out || a.asked.flooded || *a.asked.error);
    release(&a);
    ask_shell(&a, "kill -SEGV $$", NULL, LONG);
    assert_int_equal(a.asked.status, -1);
    assert_int_equal(a.asked.signal, SIGSEGV);
    release(&a);
}

static void one_that_is_not_there(void **state)
{
    const char *argv[] = {"./none", NULL};
    struct spawn_spec spec = {.path = "./none",
                              .argv = (char *const *)(uintptr_t)argv,
                              .envp = environ,
                              .session = true,
                              .terminal = -1};
    struct buf out = {0}, err = {0};
    struct asked asked;

    (void)state;
    ask(&spec, NULL, LONG, &out, &err, &asked);
    assert_string_equal(asked.error, "cannot execute './none': No such file or directory");
    assert_int_equal(out.len + err.len, 0);
    buf_release(&out);
    buf_release(&err);
}

/* All of it hold a FIFO open for writing: for us it is at its end when nobody of them is alive. */
static void all_of_it_ends(const char *format, const char *contain, nanos deadline, bool timed_out)
{
    char folder[] = "/tmp/test-ask-XXXXXX", path[64], script[300], byte;
    struct answer a;
    int fifo;

    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/alive", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    fifo = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fifo >= 0);
    snprintf(script, sizeof script, "exec 9>%s; echo begun; %s", path, format);
    ask_shell(&a, script, contain, deadline);
    assert_string_equal(buf_text(&a.out), "begun\n");
    assert_int_equal(a.asked.timed_out, timed_out);
    assert_int_equal(read(fifo, &byte, 1), 0); /* EAGAIN where somebody holds it */
    close(fifo);
    unlink(path);
    rmdir(folder);
    release(&a);
}

static void nothing_of_it_stays(void **state)
{
    static const char *const means[] = {NULL, "group"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        all_of_it_ends("exec sleep 1000", means[i], NS_PER_S / 2, true);
        all_of_it_ends("setsid sleep 1000 & exec sleep 1000", means[i], NS_PER_S / 2, true);
        /* who is left when it has ended by itself is ended, too */
        all_of_it_ends("setsid sleep 1000 & sleep 1000 & exit 0", means[i], LONG, false);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* none fell to us */
}

static void floods_are_ended(void **state)
{
    struct answer a;

    (void)state;
    ask_shell(&a, "exec yes", NULL, LONG);
    assert_true(a.asked.flooded);
    assert_true(a.out.len >= ASK_OUTPUT_MOST && a.out.len < ASK_OUTPUT_MOST * 2);
    release(&a);
}

/* Nothing of the asking is ours afterwards. */
static void we_stay_as_we_were(void **state)
{
    struct answer a;
    sigset_t before, after;
    int reaper = -1;

    (void)state;
    sigprocmask(SIG_SETMASK, NULL, &before);
    ask_shell(&a, "true", NULL, LONG);
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number < NSIG; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
    prctl(PR_GET_CHILD_SUBREAPER, &reaper);
    assert_int_equal(reaper, 0);
    release(&a);
}

/* Two wait for each other: one after another neither would end. */
static void several_are_asked_at_a_time(void **state)
{
    char folder[] = "/tmp/test-ask-XXXXXX";
    const char *const scripts[] = {
        "touch a; until [ -e b ]; do sleep 0.01; done; echo first",
        "touch b; until [ -e a ]; do sleep 0.01; done; echo second >&2; exit 2",
        "rm a b && echo third",
    };
    const char *argv[3][4];
    struct spawn_spec specs[3];
    struct ask asks[3];

    (void)state;
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 3; i++) {
        memcpy(argv[i], (const char *[]){"sh", "-c", scripts[i], NULL}, sizeof argv[i]);
        specs[i] = (struct spawn_spec){.path = "/bin/sh",
                                       .argv = (char *const *)(uintptr_t)argv[i],
                                       .envp = environ,
                                       .cwd = folder,
                                       .session = true,
                                       .terminal = -1};
        asks[i] = (struct ask){.spec = &specs[i], .deadline = LONG};
    }
    ask_all(asks, 2, 2, NULL);
    ask_all(asks + 2, 1, 0, NULL);
    assert_string_equal(buf_text(&asks[0].out), "first\n");
    assert_string_equal(buf_text(&asks[1].err), "second\n");
    assert_int_equal(asks[1].asked.status, 2);
    assert_string_equal(buf_text(&asks[2].out), "third\n");
    for (int i = 0; i < 3; i++) {
        buf_release(&asks[i].out);
        buf_release(&asks[i].err);
    }
    assert_int_equal(rmdir(folder), 0);
    ask_all(NULL, 0, 4, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_heard),     cmocka_unit_test(several_are_asked_at_a_time),
        cmocka_unit_test(one_that_is_not_there), cmocka_unit_test(nothing_of_it_stays),
        cmocka_unit_test(floods_are_ended),      cmocka_unit_test(we_stay_as_we_were),
    };

    return cmocka_run_group_tests_name("asking", tests, NULL, NULL);
}
