#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a case and what came of it ---- */

#define MEMBERS(X)                                          \
    X(LEADER, 'L')    /* starts the session, or does not */ \
    X(BROTHER, 'B')   /* is in its group */                 \
    X(STRAGGLER, 'S') /* has left the group */              \
    X(RUNAWAY, 'R')   /* has left the session */

enum member {
#define X(id, letter) id,
    MEMBERS(X)
#undef X
        MEMBER_COUNT
};

static const char letters[] = {
#define X(id, letter) letter,
    MEMBERS(X)
#undef X
};

struct family {
    struct process leader;
    pid_t pids[MEMBER_COUNT];
    int said; /* letters of those whom USR1 reached */
};

struct hello {
    enum member who;
    pid_t pid;
};

/* USR1 is said, anything else ends it. Of several that are pending USR1 is the first: it is the lowest. */
static _Noreturn void live(enum member who, const sigset_t *waited, int hello, int said)
{
    const struct hello here = {who, getpid()};
    const char name[] = {'m', ' ', letters[who], '\0'};
    int number;

    prctl(PR_SET_NAME, name);
    if (write(hello, &here, sizeof here) != sizeof here)
        _exit(1);
    sigwait(waited, &number);
    _exit(number == SIGUSR1 && write(said, &letters[who], 1) != 1);
}

static _Noreturn void be_leader(bool session, int hello, int said)
{
    sigset_t waited;

    sigemptyset(&waited);
    sigaddset(&waited, SIGUSR1);
    sigaddset(&waited, SIGUSR2);
    sigprocmask(SIG_BLOCK, &waited, NULL);
    if (session)
        setsid();
    for (enum member who = BROTHER; session && who < MEMBER_COUNT; who++) {
        if (fork() != 0)
            continue;
        if (who == STRAGGLER)
            setpgid(0, 0);
        if (who == RUNAWAY)
            setsid();
        live(who, &waited, hello, said);
    }
    live(LEADER, &waited, hello, said);
}

static struct family family_start(bool session)
{
    struct family family = {0};
    struct hello hello;
    int hellos[2], said[2];

    assert_int_equal(pipe2(hellos, O_CLOEXEC), 0);
    assert_int_equal(pipe2(said, O_CLOEXEC), 0);
    family.leader.pid = fork();
    if (family.leader.pid == 0)
        be_leader(session, hellos[1], said[1]);
    close(hellos[1]);
    close(said[1]);
    for (int i = 0; i < (session ? MEMBER_COUNT : 1); i++) {
        assert_int_equal(read(hellos[0], &hello, sizeof hello), sizeof hello);
        family.pids[hello.who] = hello.pid;
    }
    close(hellos[0]);
    family.said = said[0];
    family.leader.pidfd = (int)syscall(SYS_pidfd_open, family.leader.pid, 0);
    assert_true(family.leader.pidfd >= 0);
    return family;
}

static int compare_letters(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* Ends those that are left, and says who had been reached before, in the order of letters. */
static void family_end(struct family *family, char reached[MEMBER_COUNT + 1])
{
    size_t count = 0;

    for (int i = 0; i < MEMBER_COUNT; i++)
        if (family->pids[i])
            kill(family->pids[i], SIGUSR2);
    while (count < MEMBER_COUNT && read(family->said, &reached[count], 1) == 1)
        count++;
    reached[count] = '\0';
    qsort(reached, count, 1, compare_letters);
    for (int i = 0; i < MEMBER_COUNT; i++)
        if (family->pids[i])
            assert_int_equal(waitpid(family->pids[i], NULL, 0), family->pids[i]);
    fd_close(&family->said);
    fd_close(&family->leader.pidfd);
}

/* ---- signals ---- */

static void test_signal(void **state)
{
    static const struct {
        bool session;
        enum ladder_target target;
        const char *reached;
    } rows[] = {
        {true, LADDER_LEADER, "L"},  {true, LADDER_GROUP, "BL"}, {true, LADDER_TREE, "BLS"},
        {false, LADDER_LEADER, "L"}, {false, LADDER_GROUP, "L"}, {false, LADDER_TREE, "L"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct family family = family_start(rows[i].session);
        struct census census = {0};
        char reached[MEMBER_COUNT + 1];

        census_take(&census, &family.leader, 1);
        assert_int_equal(contain_group.signal(&family.leader, rows[i].target, SIGUSR1, &census), 0);
        family_end(&family, reached);
        if (strcmp(reached, rows[i].reached) != 0)
            fail_msg("row %zu: it reached '%s', not '%s'", i, reached, rows[i].reached);
        census_release(&census);
    }
}

/* A number that was of the session when it was noted, and is somebody else's now. */
static void test_recycled_number(void **state)
{
    struct family family = family_start(true);
    struct census census = {0};
    char reached[MEMBER_COUNT + 1];

    (void)state;
    census_take(&census, &family.leader, 1);
    for (size_t i = 0; i < census.count; i++)
        if (census.list[i].pid == family.pids[STRAGGLER])
            census.list[i].pid = family.pids[RUNAWAY];
    contain_group.signal(&family.leader, LADDER_TREE, SIGUSR1, &census);
    family_end(&family, reached);
    assert_string_equal(reached, "BL");
    census_release(&census);
}

/* Where there is nobody: it must not fall on our own group, nor on everybody. */
static void test_signal_nobody(void **state)
{
    static const struct process nobodies[] = {{0, -1}, {1, -1}, {-1, -1}};
    const struct census census = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nobodies); i++) {
        errno = 0;
        assert_int_equal(contain_group.signal(&nobodies[i], LADDER_GROUP, SIGUSR1, &census), -1);
        assert_int_equal(errno, ESRCH);
        assert_int_equal(contain_group.signal(&nobodies[i], LADDER_TREE, SIGUSR1, &census), -1);
        assert_int_equal(errno, ESRCH);
        contain_group.sweep(&nobodies[i]);
    }
}

static void test_signal_gone(void **state)
{
    struct process gone = {.pid = fork()};
    const struct census census = {0};

    (void)state;
    if (gone.pid == 0)
        _exit(0);
    gone.pidfd = (int)syscall(SYS_pidfd_open, gone.pid, 0);
    assert_int_equal(waitpid(gone.pid, NULL, 0), gone.pid);
    for (enum ladder_target target = 0; target < LADDER_TARGET_COUNT; target++) {
        errno = 0;
        assert_int_equal(contain_group.signal(&gone, target, SIGTERM, &census), -1);
        assert_int_equal(errno, ESRCH);
    }
    fd_close(&gone.pidfd);
}

static void test_sweep(void **state)
{
    struct family family = family_start(true);
    char reached[MEMBER_COUNT + 1];
    siginfo_t info;
    int status;

    (void)state;
    kill(family.leader.pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)family.leader.pid, &info, WEXITED | WNOWAIT), 0);
    contain_group.sweep(&family.leader);
    assert_int_equal(waitpid(family.pids[BROTHER], &status, 0), family.pids[BROTHER]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    family.pids[BROTHER] = 0;
    family_end(&family, reached);
    assert_string_equal(reached, "");
}

/* ---- who is there ---- */

static void assert_alive(const struct census *census, const struct family *family, const enum member *members,
                         size_t count)
{
    char alive[256], item[64];
    size_t expected = 0;

    census_alive(census, &family->leader, alive, sizeof alive);
    for (size_t i = 0; i < count; i++) {
        expected +=
            (size_t)snprintf(item, sizeof item, "m %c (%d)", letters[members[i]], family->pids[members[i]]);
        if (!strstr(alive, item))
            fail_msg("'%s' is not in '%s'", item, alive);
    }
    assert_int_equal(strlen(alive), expected + (count ? 2 * (count - 1) : 0));
}

static void test_census(void **state)
{
    static const enum member session[] = {LEADER, BROTHER, STRAGGLER}, rest[] = {LEADER, STRAGGLER},
                             alone[] = {LEADER};
    struct family families[] = {family_start(true), family_start(true), family_start(false)};
    const struct process leaders[] = {families[0].leader, families[1].leader, families[2].leader};
    struct census census = {0};
    char reached[MEMBER_COUNT + 1];
    struct proc_stat stat;

    (void)state;
    census_take(&census, leaders, 3);
    assert_alive(&census, &families[0], session, 3);
    assert_alive(&census, &families[1], session, 3);
    assert_alive(&census, &families[2], alone, 1);

    kill(families[0].pids[BROTHER], SIGKILL); /* nobody waits for it */
    do
        assert_int_equal(proc_stat_read(families[0].pids[BROTHER], &stat), 0);
    while (stat.state != 'Z');
    census_take(&census, leaders, 1);
    assert_alive(&census, &families[0], rest, 2);
    assert_alive(&census, &families[1], NULL, 0);
    census_release(&census);
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        family_end(&families[i], reached);
}

static void test_alive_is_cut(void **state)
{
    static struct proc_stat list[] = {
        {.pid = 10, .session = 10, .state = 'S', .comm = "sh"},
        {.pid = 11, .session = 10, .state = 'Z', .comm = "dead"},
        {.pid = 12, .session = 10, .state = 'T', .comm = "sleep"},
        {.pid = 13, .session = 13, .state = 'S', .comm = "other"},
        {.pid = 14, .session = 10, .state = 'Z', .threads = 2, .comm = "cat"},
    };
    static const struct {
        size_t size;
        const char *text;
    } rows[] = {
        {64, "sh (10), sleep (12), cat (14)"},
        {35, "sh (10), sleep (12), cat (14)"},
        {34, "sh (10), sleep (12), ..."},
        {25, "sh (10), sleep (12), ..."},
        {24, "sh (10), ..."},
        {13, "sh (10), ..."},
        {12, ", ..."},
        {6, ", ..."},
    };
    const struct census census = {list, ARRAY_LEN(list), ARRAY_LEN(list)}, empty = {0};
    const struct process leader = {.pid = 10};
    char alive[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memset(alive, '#', sizeof alive);
        census_alive(&census, &leader, alive, rows[i].size);
        if (strcmp(alive, rows[i].text) != 0)
            fail_msg("%zu bytes: '%s', not '%s'", rows[i].size, alive, rows[i].text);
        assert_true(rows[i].size == sizeof alive || alive[rows[i].size] == '#');
    }
    census_alive(&empty, &leader, alive, sizeof alive);
    assert_string_equal(alive, "");
}

/* ---- a process without its first thread ---- */

static void *outlive(void *user)
{
    const int *hello = user;
    struct proc_stat stat;

    do /* the first thread is a zombie when it has gone */
        proc_stat_read(getpid(), &stat);
    while (stat.state != 'Z');
    if (write(*hello, "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static void test_first_thread_gone(void **state)
{
    struct process leader;
    struct census census = {0};
    pthread_t thread;
    int hello[2];
    char alive[64], byte;

    (void)state;
    assert_int_equal(pipe2(hello, O_CLOEXEC), 0);
    leader.pid = fork();
    if (leader.pid == 0) {
        prctl(PR_SET_NAME, "headless");
        setsid();
        pthread_create(&thread, NULL, outlive, &hello[1]);
        pthread_exit(NULL);
    }
    close(hello[1]);
    assert_int_equal(read(hello[0], &byte, 1), 1);
    close(hello[0]);
    census_take(&census, &leader, 1);
    census_alive(&census, &leader, alive, sizeof alive);
    assert_true(str_starts(str_of(alive), "headless ("));
    census_release(&census);
    kill(leader.pid, SIGKILL);
    assert_int_equal(waitpid(leader.pid, NULL, 0), leader.pid);
}

/* Grandchildren become ours, so that a test can see them go. */
static int adopt(void **state)
{
    (void)state;
    return prctl(PR_SET_CHILD_SUBREAPER, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signal),        cmocka_unit_test(test_recycled_number),
        cmocka_unit_test(test_signal_nobody), cmocka_unit_test(test_signal_gone),
        cmocka_unit_test(test_sweep),         cmocka_unit_test(test_census),
        cmocka_unit_test(test_alive_is_cut),  cmocka_unit_test(test_first_thread_gone),
    };

    return cmocka_run_group_tests(tests, adopt, NULL);
}
