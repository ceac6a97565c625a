#include "runner/base/fault.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct faults parse(const char *text)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct faults faults;

    if (!faults_parse(&faults, text, &diags) || diags.errors)
        fail_msg("'%s' is refused: %s", text, diags.count ? diags.list[0].text : "without a word");
    arena_release(&arena);
    return faults;
}

static void test_none(void **state)
{
    struct faults faults = parse(NULL);

    (void)state;
    assert_false(faults.any);
    assert_false(parse("").any);
    for (int i = 0; i < FAULT_COUNT; i++) {
        assert_null(fault_now(&faults, (enum fault)i));
        assert_int_equal(fault_errno(&faults, (enum fault)i), 0);
        fault_die(&faults, (enum fault)i);
    }
}

/* Which of the first questions are answered with yes: "..x" is the third alone. */
static void test_when(void **state)
{
    static const struct {
        const char *text, *answers;
    } rows[] = {
        {"disk-full", "xxxxxx"},     {"disk-full@1", "xxxxxx"},   {"disk-full@3", "..xxxx"},
        {"disk-full@3x1", "..x..."}, {"disk-full@1x2", "xx...."}, {"disk-full@9", "......"},
        {"disk-full@2x9", ".xxxxx"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct faults faults = parse(rows[i].text);

        assert_true(faults.any);
        for (size_t n = 0; rows[i].answers[n]; n++)
            if (!fault_now(&faults, FAULT_DISK_FULL) != (rows[i].answers[n] == '.'))
                fail_msg("%s: question %zu", rows[i].text, n + 1);
        assert_null(fault_now(&faults, FAULT_CLONE));
    }
}

static void test_values(void **state)
{
    struct faults faults =
        parse("journal=ENOSPC@2,clone=EAGAIN,loop-park=1.5s@1x1,wall-clock=-2h,capture=EMFILE");

    (void)state;
    assert_int_equal(fault_errno(&faults, FAULT_JOURNAL), 0);
    assert_int_equal(fault_errno(&faults, FAULT_JOURNAL), ENOSPC);
    assert_int_equal(fault_errno(&faults, FAULT_CLONE), EAGAIN);
    assert_int_equal(fault_errno(&faults, FAULT_CAPTURE), EMFILE);
    assert_int_equal(fault_now(&faults, FAULT_LOOP_PARK)->span, 1500 * NS_PER_MS);
    assert_null(fault_now(&faults, FAULT_LOOP_PARK));
    assert_int_equal(fault_now(&faults, FAULT_WALL_CLOCK)->span, -2 * 3600 * NS_PER_S);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"jurnal=EIO", "fault 'jurnal=EIO': there is none of this name; did you mean 'journal'?"},
        {"nothing-like-it", "fault 'nothing-like-it': there is none of this name"},
        {"disk-full,,clone=EIO", "fault '': there is none of this name"},
        {" disk-full", "fault ' disk-full': there is none of this name; did you mean 'disk-full'?"},
        {"journal", "fault 'journal': its value is an error such as ENOSPC"},
        {"journal=ENOSPACE",
         "fault 'journal=ENOSPACE': its value is an error such as ENOSPC; did you mean 'ENOSPC'?"},
        {"journal=28", "fault 'journal=28': its value is an error such as ENOSPC"},
        {"loop-park", "fault 'loop-park': its value is a span of time such as 2s"},
        {"loop-park=--1s", "fault 'loop-park=--1s': its value is a span of time such as 2s"},
        {"disk-full=1", "fault 'disk-full=1': it takes no value"},
        {"disk-full,disk-full@2", "fault 'disk-full@2': it was said before"},
        {"disk-full@", "fault 'disk-full@': what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1"},
        {"disk-full@0", "fault 'disk-full@0': what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1"},
        {"disk-full@1x", "fault 'disk-full@1x': what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1"},
        {"disk-full@1x0",
         "fault 'disk-full@1x0': what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1"},
        {"disk-full@-1", "fault 'disk-full@-1': what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1"},
        {"disk-full@9999999999",
         "fault 'disk-full@9999999999': what follows @ is FIRST or FIRSTxTIMES, such as @3 or @3x1"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct faults faults;

        if (faults_parse(&faults, rows[i].text, &diags) || diags.errors != 1)
            fail_msg("'%s' gives %zu errors", rows[i].text, diags.errors);
        assert_string_equal(diags.list[0].text, rows[i].says);
        assert_string_equal(diags.list[0].at.file, "RUN_MATRIX_FAULTS");
        arena_release(&arena);
    }
}

/* Exits 7 when it survives all the questions. */
static int die_at_question(struct faults faults, int questions)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        fault_die(&faults, FAULT_DIE_START);
        for (int i = 0; i < questions; i++)
            fault_die(&faults, FAULT_DIE_ENDED);
        _exit(7);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_die(void **state)
{
    struct faults faults = parse("die-ended@2");

    (void)state;
    assert_int_equal(WEXITSTATUS(die_at_question(faults, 1)), 7);
    assert_int_equal(WTERMSIG(die_at_question(faults, 2)), SIGKILL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none),    cmocka_unit_test(test_when), cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_die),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
