#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/contain_internal.h"
#include "runner/harness/harness.h"
#include "tests/unit/forks.h"
#include "tests/unit/name_space.h"

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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/contain_stage.h"

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
        if (must_fork() != 0)
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
    family.leader.pid = must_fork();
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
    family.leader.pidfd = pidfd_of(family.leader.pid);
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

/* ---- a containment by group, with us as the one to whom orphans fall ---- */

static int open_stage(void **state)
{
    struct stage *stage = *state = stage_open("group");

    assert_non_null(stage->contain);
    return 0;
}

static struct census members_of(struct stage *stage, uint32_t place)
{
    struct census members = {0};

    contain_take_census(stage->contain, &stage->machine);
    contain_members(stage->places[place], &stage->machine, &members);
    return members;
}

/* ---- signals ---- */

static void test_signal(void **state)
{
    static const struct {
        bool session;
        enum ladder_target target;
        const char *reached;
    } rows[] = {
        {true, LADDER_LEADER, "L"},  {true, LADDER_GROUP, "BL"}, {true, LADDER_TREE, "BLRS"},
        {false, LADDER_LEADER, "L"}, {false, LADDER_GROUP, "L"}, {false, LADDER_TREE, "L"},
    };
    struct stage *stage = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct family family = family_start(rows[i].session);
        char reached[MEMBER_COUNT + 1];
        struct census members;

        contain_started(stage->places[0], family.leader);
        members = members_of(stage, 0);
        assert_int_equal(contain_signal(stage->places[0], rows[i].target, SIGUSR1, &members), 0);
        family_end(&family, reached);
        contain_reaped(stage->places[0], false);
        if (strcmp(reached, rows[i].reached) != 0)
            fail_msg("row %zu: it reached '%s', not '%s'", i, reached, rows[i].reached);
        census_release(&members);
    }
}

/* A number that was the tree's when it was noted, and is somebody else's now. */
static void test_recycled_number(void **state)
{
    struct family family = family_start(true), other = family_start(false);
    char reached[MEMBER_COUNT + 1];
    struct stage *stage = *state;
    struct census members;

    contain_started(stage->places[0], family.leader);
    contain_started(stage->places[1], other.leader);
    members = members_of(stage, 0);
    for (size_t i = 0; i < members.count; i++)
        if (members.list[i].pid == family.pids[STRAGGLER])
            members.list[i].pid = other.leader.pid;
    contain_signal(stage->places[0], LADDER_TREE, SIGUSR1, &members);
    family_end(&other, reached);
    assert_string_equal(reached, "");
    family_end(&family, reached);
    assert_string_equal(reached, "BLR");
    contain_reaped(stage->places[0], false);
    contain_reaped(stage->places[1], false);
    census_release(&members);
}

static bool reaches_nobody(struct contain_place *place, enum ladder_target target)
{
    const struct census nobody = {0};

    errno = 0;
    return contain_signal(place, target, SIGUSR1, &nobody) == -1 && errno == ESRCH;
}

/* Would be hit by what falls on everybody. Exits with 7 when `go` is closed, if nothing was sent to it before. */
static pid_t start_bystander(int go[2])
{
    pid_t pid = must_fork();
    char c;

    if (pid == 0) {
        close(go[1]);
        _exit(read(go[0], &c, 1) == 0 ? 7 : 1);
    }
    return pid;
}

static int signal_nobody(void)
{
    static const struct process nobodies[] = {{0, -1}, {1, -1}, {-1, -1}};
    struct buf why = {0};
    struct contain *contain = contain_open("group", "nobody", 1, &why);

    buf_release(&why);
    if (!contain || contain_start(contain) < 0)
        return 2;
    for (size_t i = 0; i < ARRAY_LEN(nobodies); i++) {
        struct contain_place *place = contain_place(contain, 0);

        contain_started(place, nobodies[i]);
        if (!reaches_nobody(place, LADDER_GROUP) || !reaches_nobody(place, LADDER_TREE))
            return 3;
        contain_kill(place);
    }
    contain_close(contain);
    return 0;
}

/* The bystander is no child of who signals: such a one might be taken for somebody of a case. */
static int signal_nobody_beside_somebody(void)
{
    int go[2], bystanding, status = pipe2(go, O_CLOEXEC);
    pid_t bystander = start_bystander(go), pid = must_fork();

    if (pid == 0)
        _exit(status < 0 ? 1 : signal_nobody());
    waitpid(pid, &status, 0);
    close(go[0]);
    close(go[1]);
    waitpid(bystander, &bystanding, 0);
    if (bystanding != W_EXITCODE(7, 0))
        return 4;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 5;
}

/* Where there is nobody: it must not fall on our own group, nor on everybody. */
static void test_signal_nobody(void **state)
{
    int result = alone(signal_nobody_beside_somebody);

    (void)state;
    if (result == NO_NAMESPACE)
        skip();
    assert_int_equal(result, 0);
}

static void test_signal_gone(void **state)
{
    struct process gone = {.pid = must_fork()};
    const struct census nobody = {0};
    struct stage *stage = *state;

    if (gone.pid == 0)
        _exit(0);
    gone.pidfd = pidfd_of(gone.pid);
    assert_int_equal(waitpid(gone.pid, NULL, 0), gone.pid);
    contain_started(stage->places[0], gone);
    for (enum ladder_target target = 0; target < LADDER_TARGET_COUNT; target++) {
        errno = 0;
        assert_int_equal(contain_signal(stage->places[0], target, SIGTERM, &nobody), -1);
        assert_int_equal(errno, ESRCH);
    }
    fd_close(&gone.pidfd);
}

/* ---- orphans ---- */

/* The leader ends; all others fall to us. */
static void behead(struct family *family)
{
    siginfo_t info;

    kill(family->leader.pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)family->leader.pid, &info, WEXITED | WNOWAIT), 0);
}

static void release(struct family *family)
{
    assert_int_equal(waitpid(family->leader.pid, NULL, 0), family->leader.pid);
    fd_close(&family->said);
    fd_close(&family->leader.pidfd);
}

/* As the watch does it: again and again while somebody is there. */
static void kill_until_empty(struct contain_place *place)
{
    while (!contain_is_empty(place))
        contain_kill(place);
}

/* A case of a run, by its environment; long enough ago that all who are here may be its. */
static void begin_case(struct stage *stage, uint32_t place, struct process leader)
{
    static char run[] = "RUN_MATRIX_RUN_ID=t"; /* the place looks at it for as long as the case is there */
    char *const environment[] = {run, NULL};
    struct spawn_spec spec = {.envp = environment};

    assert_int_equal(contain_prepare(stage->places[place], &(struct contain_wants){0}, &spec), 0);
    contain_started(stage->places[place], leader);
    stage->places[place]->since = 0;
}

static void test_kill_reaches_orphans(void **state)
{
    struct family family = family_start(true);
    struct stage *stage = *state;
    struct census members;
    struct proc_stat stat;

    begin_case(stage, 0, family.leader);
    behead(&family);
    assert_false(contain_is_empty(stage->places[0]));
    members = members_of(stage, 0);
    assert_int_equal(members.count, 3); /* even the one that has a session of its own */
    kill_until_empty(stage->places[0]);
    for (enum member who = BROTHER; who < MEMBER_COUNT; who++)
        assert_true(proc_stat_read(family.pids[who], &stat) < 0 || stat.state == 'Z');
    release(&family);
    contain_reaped(stage->places[0], false);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* all that fell to us are reaped */
    census_release(&members);
}

/* Of two cases either may have made it: it is nobody's until one is over, and then it is known to be doubtful. */
static void test_shared_orphan(void **state)
{
    struct family family = family_start(true), other = family_start(false);
    struct stage *stage = *state;
    struct proc_stat stat;
    struct proc_id doubtful;

    begin_case(stage, 0, family.leader);
    begin_case(stage, 1, other.leader);
    kill(family.pids[BROTHER], SIGKILL);
    kill(family.pids[STRAGGLER], SIGKILL);
    behead(&family);
    assert_int_equal(proc_stat_read(family.pids[RUNAWAY], &stat), 0);
    doubtful = (struct proc_id){stat.pid, stat.start_ticks};
    while (!contain_is_empty(stage->places[0])) /* the two others are dying */
        ;
    assert_true(contain_is_shared(stage->contain, doubtful));
    release(&family);
    contain_reaped(stage->places[0], false);
    assert_int_equal(proc_stat_read(doubtful.pid, &stat), 0);
    assert_true(stat.state != 'Z');

    behead(&other);
    assert_false(contain_is_empty(stage->places[1]));
    kill_until_empty(stage->places[1]);
    release(&other);
    contain_reaped(stage->places[1], false);
}

/* ---- who is there ---- */

static void assert_members(struct stage *stage, uint32_t place, const struct family *family,
                           const enum member *wanted, size_t count)
{
    struct census members = members_of(stage, place);

    assert_int_equal(members.count, count);
    for (size_t i = 0; i < count; i++)
        if (!census_find(&members, family->pids[wanted[i]]))
            fail_msg("%c is not among them", letters[wanted[i]]);
    census_release(&members);
}

static void test_members(void **state)
{
    static const enum member all[] = {LEADER, BROTHER, STRAGGLER, RUNAWAY},
                             rest[] = {LEADER, STRAGGLER, RUNAWAY}, alone[] = {LEADER};
    struct family families[] = {family_start(true), family_start(true), family_start(false)};
    struct stage *stage = *state;
    char reached[MEMBER_COUNT + 1];
    struct proc_stat stat;

    for (uint32_t i = 0; i < ARRAY_LEN(families); i++)
        contain_started(stage->places[i], families[i].leader);
    assert_members(stage, 0, &families[0], all, 4);
    assert_members(stage, 1, &families[1], all, 4);
    assert_members(stage, 2, &families[2], alone, 1);

    kill(families[0].pids[BROTHER], SIGKILL); /* nobody waits for it */
    do
        assert_int_equal(proc_stat_read(families[0].pids[BROTHER], &stat), 0);
    while (stat.state != 'Z');
    assert_members(stage, 0, &families[0], rest, 3);
    for (uint32_t i = 0; i < ARRAY_LEN(families); i++) {
        family_end(&families[i], reached);
        contain_reaped(stage->places[i], false);
    }
}

static void test_words_are_cut(void **state)
{
    static struct proc_stat list[] = {
        {.pid = 10, .comm = "sh"},
        {.pid = 12, .comm = "sleep"},
        {.pid = 14, .comm = "cat"},
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
    char words[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        memset(words, '#', sizeof words);
        census_words(&census, words, rows[i].size);
        if (strcmp(words, rows[i].text) != 0)
            fail_msg("%zu bytes: '%s', not '%s'", rows[i].size, words, rows[i].text);
        assert_true(rows[i].size == sizeof words || words[rows[i].size] == '#');
    }
    census_words(&empty, words, sizeof words);
    assert_string_equal(words, "");
}

/* ---- threads ---- */

struct idler {
    const char *name;
    pthread_barrier_t *meet;
};

static void *idle(void *user)
{
    const struct idler *idler = user;

    prctl(PR_SET_NAME, idler->name);
    pthread_barrier_wait(idler->meet);
    pthread_barrier_wait(idler->meet);
    return NULL;
}

static void test_threads_have_names(void **state)
{
    static const char *const names[] = {"reader", "worker", CENSUS_ASKED, "worker", CENSUS_WATCH, "last"};
    struct idler idlers[ARRAY_LEN(names)];
    pthread_t threads[ARRAY_LEN(names)];
    pthread_barrier_t meet;
    char words[64];

    (void)state;
    pthread_barrier_init(&meet, NULL, ARRAY_LEN(names) + 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        idlers[i] = (struct idler){names[i], &meet};
        assert_int_equal(pthread_create(&threads[i], NULL, idle, &idlers[i]), 0);
    }
    pthread_barrier_wait(&meet);
    census_threads(getpid(), words, sizeof words);
    assert_non_null(strstr(words, "reader, worker x2, last"));
    census_threads(getpid(), words, 16);
    assert_true(strlen(words) < 16 && strstr(words, ", ..."));
    pthread_barrier_wait(&meet);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&meet);
    census_threads(0, words, sizeof words);
    assert_string_equal(words, "");
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
    struct process leader = {.pidfd = -1};
    struct stage *stage = *state;
    struct census members;
    pthread_t thread;
    int hello[2];
    char words[64], byte;

    assert_int_equal(pipe2(hello, O_CLOEXEC), 0);
    leader.pid = must_fork();
    if (leader.pid == 0) {
        prctl(PR_SET_NAME, "headless");
        setsid();
        pthread_create(&thread, NULL, outlive, &hello[1]);
        pthread_exit(NULL);
    }
    close(hello[1]);
    assert_int_equal(read(hello[0], &byte, 1), 1);
    close(hello[0]);
    contain_started(stage->places[0], leader);
    members = members_of(stage, 0);
    census_words(&members, words, sizeof words);
    assert_true(str_starts(str_of(words), "headless ("));
    census_release(&members);
    kill(leader.pid, SIGKILL);
    assert_int_equal(waitpid(leader.pid, NULL, 0), leader.pid);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_signal),
        TEST(test_recycled_number),
        TEST(test_signal_nobody),
        TEST(test_signal_gone),
        TEST(test_kill_reaches_orphans),
        TEST(test_shared_orphan),
        TEST(test_members),
        TEST(test_words_are_cut),
        TEST(test_first_thread_gone),
        TEST(test_threads_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
