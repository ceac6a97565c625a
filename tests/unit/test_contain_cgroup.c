/* Containment by control group, where there is one. */
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/contain_internal.h"
#include "tests/unit/forks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "tests/unit/contain_stage.h"

#define MEBIBYTE ((size_t)1 << 20)
#define SOON_MS  20000 /* for what is bound to happen */

static int open_stage(void **state)
{
    *state = stage_open("cgroup");
    return 0;
}

static struct stage *stage_of(void **state)
{
    struct stage *stage = *state;

    if (!stage->contain)
        skip();
    return stage;
}

/* ---- a limit of memory that comes late ---- */

#define LIMIT (16 * MEBIBYTE)
#define TAKEN (64 * MEBIBYTE)

struct eater {
    struct process process;
    int word, answer; /* what is written to it, and read from it */
};

/* It is where a case would be, takes more than it may, says so, and gives it back when it is told to. */
static _Noreturn void eat(const struct contain_place *place, int word, int answer)
{
    char byte;
    char *memory = mmap(NULL, TAKEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (write(place->cgroup->knobs[CGROUP_MEMORY].join, "0", 1) < 0 || memory == MAP_FAILED)
        _exit(98);
    memset(memory, 1, TAKEN);
    while (write(answer, "", 1) == 1 && read(word, &byte, 1) == 1)
        munmap(memory, TAKEN);
    _exit(0);
}

static void await_answer(const struct eater *eater)
{
    char byte;

    assert_int_equal(read(eater->answer, &byte, 1), 1);
}

static void start_eater(struct contain_place *place, struct eater *eater)
{
    struct contain_wants wants = {.limits = {[CGROUP_MEMORY] = LIMIT}};
    struct spawn_spec spec = {0};
    int word[2], answer[2];

    assert_int_equal(contain_prepare(place, &wants, &spec), 0);
    assert_int_equal(pipe2(word, O_CLOEXEC) | pipe2(answer, O_CLOEXEC), 0);
    eater->process.pid = must_fork();
    if (eater->process.pid == 0) {
        int procs = openat(place->cgroup->fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);

        if (write(procs, "0", 1) < 0)
            _exit(98);
        close(word[1]);
        close(answer[0]);
        eat(place, word[0], answer[1]);
    }
    close(word[0]);
    close(answer[1]);
    eater->word = word[1];
    eater->answer = answer[0];
    eater->process.pidfd = pidfd_of(eater->process.pid);
    assert_true(eater->process.pidfd >= 0);
    contain_started(place, eater->process);
    await_answer(eater);
}

static int end_eater(struct contain_place *place, struct eater *eater)
{
    struct pollfd end = {.fd = eater->process.pidfd, .events = POLLIN};
    int status = 0;

    fd_close(&eater->word);
    assert_int_equal(poll(&end, 1, SOON_MS), 1);
    while (!contain_is_empty(place))
        ;
    assert_int_equal(waitpid(eater->process.pid, &status, 0), eater->process.pid);
    contain_reaped(place, false);
    fd_close(&eater->answer);
    fd_close(&eater->process.pidfd);
    return status;
}

/* Version 2 takes any limit at any time, and ends whoever has more. */
static struct contain_place *late_place(void **state)
{
    struct stage *stage = stage_of(state);
    const struct cgroup_knobs *knobs = &stage->places[0]->cgroup->knobs[CGROUP_MEMORY];

    if (knobs->limit < 0 || knobs->join < 0)
        skip();
    return stage->places[0];
}

static void test_too_much_before_the_limit(void **state)
{
    struct contain_place *place = late_place(state);

    for (int i = 0; i < 3; i++) {
        struct eater eater;
        int status;

        start_eater(place, &eater);
        contain_executed(place);
        assert_true(contain_waits(place)); /* it may be about to give it back */
        assert_int_equal(contain_hits(place, CGROUP_MEMORY), 0);
        contain_executed(place);
        assert_false(contain_waits(place));
        assert_int_equal(contain_hits(place, CGROUP_MEMORY), 1);
        status = end_eater(place, &eater);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static void test_too_much_for_a_moment(void **state)
{
    struct contain_place *place = late_place(state);

    for (int i = 0; i < 3; i++) {
        struct eater eater;

        start_eater(place, &eater);
        contain_executed(place);
        assert_true(contain_waits(place));
        assert_int_equal(write(eater.word, "", 1), 1);
        await_answer(&eater);
        contain_executed(place);
        assert_false(contain_waits(place));
        assert_true(place->cgroup->limited[CGROUP_MEMORY]);
        assert_int_equal(contain_hits(place, CGROUP_MEMORY), 0);
        assert_int_equal(end_eater(place, &eater), 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_too_much_before_the_limit),
        TEST(test_too_much_for_a_moment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
