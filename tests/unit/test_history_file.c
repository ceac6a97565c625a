/* The file of history: broken, of somebody else, locked, killed while it is written, on a disk that is full. */
#include "tests/unit/history_scene.h"

#include "tests/unit/name_space.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

/* ---- helpers ---- */

static const char *file_path(struct scene *s)
{
    return arena_printf(&s->arena, "%s/" HISTORY_NAME, s->path);
}

/* As its owner might do it by hand. */
static void by_hand(struct scene *s, const char *text)
{
    char *error = NULL;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(file_path(s), &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", text, error);
    sqlite3_close(db);
}

/* With one run in it, in which `a` failed. */
static void make_file(struct scene *s)
{
    struct history *h = opened(s);

    one_run(s, h, 1, 0, PAST("a", VERDICT_FAILED));
    history_close(h);
    assert_true(look(s, (h = opened(s)), "a").failed);
    history_close(h);
}

static void assert_put_aside(struct scene *s, const char *why)
{
    struct history *h = opened(s);

    if (!strstr(last_word(s), why))
        fail_msg("'%s' has not '%s'", last_word(s), why);
    assert_int_equal(s->diags.count, 1);
    assert_true(is_there(s, HISTORY_NAME ".broken-1"));
    assert_false(look(s, h, "a").seen);
    one_run(s, h, 2, 0, PAST("a", VERDICT_FAILED));
    assert_true(look(s, h, "a").failed);
    history_close(h);
}

static void assert_left_alone(struct scene *s, const char *why)
{
    assert_null(history_open(s->fd, s->path, &s->faults, &s->diags));
    if (!strstr(last_word(s), why))
        fail_msg("'%s' has not '%s'", last_word(s), why);
    assert_int_equal(s->diags.count, 1);
    assert_false(is_there(s, HISTORY_NAME ".broken-1"));
}

/* ---- what is no history ---- */

static void test_no_database(void **state)
{
    struct scene *s = *state;

    assert_int_equal(file_write(file_path(s), str_of("this is no database, but a file of some length\n")), 0);
    assert_put_aside(s, "is broken: it is");
}

static void test_empty(void **state)
{
    struct scene *s = *state;

    assert_int_equal(file_write(file_path(s), str_of("")), 0);
    make_file(s);
    assert_int_equal(s->diags.count, 0);
}

static void test_foreign(void **state)
{
    struct scene *s = *state;

    by_hand(s, "CREATE TABLE cookies(host TEXT); PRAGMA application_id = 77");
    assert_put_aside(s, "is not a history of run-matrix: it is");
}

static void test_tables_of_others(void **state)
{
    struct scene *s = *state;

    make_file(s);
    by_hand(s, "DROP TABLE results; CREATE TABLE results(of, at)");
    assert_put_aside(s, "is not a history of run-matrix");
}

static void test_triggers_and_views(void **state)
{
    struct scene *s = *state;

    make_file(s);
    by_hand(s, "CREATE TRIGGER t AFTER INSERT ON runs BEGIN DELETE FROM cases; END");
    assert_put_aside(s, "is not a history of run-matrix");
}

static void test_newer(void **state)
{
    struct scene *s = *state;

    make_file(s);
    by_hand(s, "PRAGMA user_version = 2");
    assert_left_alone(s, "a newer run-matrix");
}

static void test_no_file(void **state)
{
    struct scene *s = *state;

    assert_int_equal(mkfifoat(s->fd, HISTORY_NAME, 0600), 0); /* nobody would ever write */
    assert_left_alone(s, "is no file");
    assert_true(is_there(s, HISTORY_NAME));
}

#define NOBODY 65534

/* Nothing is read-only for root. */
static void become_somebody(struct scene *s)
{
    assert_int_equal(fchown(s->fd, NOBODY, NOBODY), 0);
    for (const char *const *name = (const char *const[]){HISTORY_NAME, "history.lock", NULL}; *name; name++)
        assert_int_equal(fchownat(s->fd, *name, NOBODY, NOBODY, 0), 0);
    assert_int_equal(seteuid(NOBODY), 0);
}

static void test_read_only(void **state)
{
    struct scene *s = *state;
    struct past past = PAST("a", VERDICT_PASSED);
    struct made made = make_run(s, 2, 1000, &past, 1);
    struct history *h;
    uid_t before = geteuid();

    make_file(s);
    if (before == 0)
        become_somebody(s);
    chmod(file_path(s), 0400);
    chmod(s->path, 0500);
    h = history_open(s->fd, s->path, &s->faults, &s->diags);
    assert_int_equal(seteuid(before), 0);
    assert_non_null(h);
    assert_false(history_import(h, &made.record, s->fd, made.size, &history_bounds));
    assert_non_null(strstr(last_word(s), "cannot be written: what the last runs came to is not in it"));
    assert_true(look(s, h, "a").failed); /* it can be read */
    history_close(h);
    assert_int_equal(s->diags.count, 1);
}

static void test_many_are_broken(void **state)
{
    struct scene *s = *state;
    int count = 0;

    for (int i = 0; i < 9; i++) {
        struct history *h;

        assert_int_equal(
            file_write(file_path(s), str_of(arena_printf(&s->arena, "no database, number %d", i))), 0);
        assert_int_equal(file_write(arena_printf(&s->arena, "%s-journal", file_path(s)), str_of("x")), 0);
        h = opened(s);
        assert_false(is_there(s, HISTORY_NAME "-journal"));
        history_close(h);
    }
    for (int i = 1; i < 20; i++)
        count += is_there(s, arena_printf(&s->arena, HISTORY_NAME ".broken-%d", i));
    assert_int_equal(count, 5);
}

/* The machine went down while it was written: the last page is old. */
static void test_after_a_boot(void **state)
{
    struct scene *s = *state;
    struct stat st;
    int fd;

    make_file(s);
    by_hand(s, "UPDATE runs SET boot = 'another'");
    make_file(s); /* all is well with it */
    by_hand(s, "UPDATE runs SET boot = 'another'");
    fd = openat(s->fd, HISTORY_NAME, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, st.st_size - 4096), 4);
    fd_close(&fd);
    assert_put_aside(s, "is broken");
}

/* ---- any bytes ---- */

static uint32_t random_of(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void use(struct scene *s)
{
    struct history *h = history_open(s->fd, s->path, &s->faults, &s->diags);
    nanos passes[HISTORY_PASSES_MOST];
    struct past past[] = {PAST("a", VERDICT_FAILED, .inside = "x -y"), PAST("n", VERDICT_PASSED)};
    struct made made = make_run(s, 77, 1, past, 2);

    if (!h)
        return;
    look(s, h, "a");
    look(s, h, "case 3");
    assert_true(history_passes(h, str_of("case 3"), passes) <= HISTORY_PASSES_MOST);
    history_import(h, &made.record, s->fd, made.size, &history_bounds);
    history_close(h);
}

/* Whatever it is made of, it is read or put aside; and after a time or two there is one that can be used. */
static void test_mutated(void **state)
{
    struct scene *s = *state;
    struct past past[40];
    struct buf good = {0}, bad = {0};
    uint32_t seed = 20261122;
    struct history *h = opened(s);

    for (int run = 1; run <= 10; run++) {
        struct made made;

        for (size_t i = 0; i < ARRAY_LEN(past); i++)
            past[i] = PAST(arena_printf(&s->arena, "case %zu", i), i % 3 ? VERDICT_PASSED : VERDICT_FAILED);
        made = make_run(s, run, run, past, ARRAY_LEN(past));
        take_in(s, h, &made);
    }
    history_close(h);
    assert_int_equal(file_read(file_path(s), &good, 1 << 20), 0);
    for (int i = 0; i < 300; i++) {
        size_t from = i % 3 ? 0 : random_of(&seed) % good.len; /* a third of them past the header */

        buf_clear(&bad);
        buf_addstr(&bad, i % 5 ? buf_str(&good) : str_slice(buf_str(&good), 0, random_of(&seed) % good.len));
        for (uint32_t change = random_of(&seed) % 20; bad.len > from && change > 0; change--)
            bad.ptr[from + random_of(&seed) % (bad.len - from)] = (char)random_of(&seed);
        assert_int_equal(file_write(file_path(s), buf_str(&bad)), 0);
        use(s);
        use(s);
        if ((h = history_open(s->fd, s->path, &s->faults, &s->diags)))
            history_close(h);
        for (int n = 1; n <= 5; n++)
            unlinkat(s->fd, arena_printf(&s->arena, HISTORY_NAME ".broken-%d", n), 0);
    }
    buf_release(&good);
    buf_release(&bad);
}

/* ---- locked ---- */

/* Somebody has it, for longer than anybody waits; told by a pipe when he has. */
static pid_t hold(struct scene *s)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = must_fork();
    if (pid == 0) {
        sqlite3 *db;

        limit_life(60);
        if (sqlite3_open(file_path(s), &db) != SQLITE_OK ||
            sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL) != SQLITE_OK ||
            write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void test_locked(void **state)
{
    struct scene *s = *state;
    struct history *h;
    pid_t pid;

    make_file(s);
    pid = hold(s);
    assert_null(history_open(s->fd, s->path, &s->faults, &s->diags));
    assert_non_null(strstr(last_word(s), "somebody else has it locked: this run goes without history"));
    assert_int_equal(s->diags.count, 1);
    end_child(pid); /* killed: nothing of it stays */
    h = opened(s);
    assert_true(look(s, h, "a").failed);
    history_close(h);
}

/* ---- many at a time ---- */

#define MANY 8
#define RUNS 12

static const struct made *make_runs(struct scene *s)
{
    struct made *runs = ARENA_ARRAY(&s->arena, struct made, RUNS);

    for (int number = 1; number <= RUNS; number++) {
        const char *own = arena_printf(&s->arena, "of %d", number);
        struct past past[] = {PAST("a", number % 2 ? VERDICT_FAILED : VERDICT_PASSED),
                              PAST(own, VERDICT_FAILED, .inside = "p -q -r"),
                              PAST("b", number < RUNS ? VERDICT_PASSED : VERDICT_NOT_RUN)};

        runs[number - 1] = make_run(s, number, number * 10, past, 3);
    }
    return runs;
}

struct barrier {
    _Atomic uint32_t arrived;
};

/* In an order of its own; all begin when the last of them is there. */
static int take_in_all(struct scene *s, const struct made *runs, uint32_t who, struct barrier *barrier)
{
    const struct timespec pause = {.tv_nsec = 100000};
    struct history *h;
    bool good = true;

    limit_life(120);
    barrier->arrived++;
    while (barrier->arrived < MANY)
        nanosleep(&pause, NULL);
    h = history_open(s->fd, s->path, &s->faults, &s->diags);
    for (uint32_t i = 0; h && good && i < RUNS; i++) {
        const struct made *made = &runs[(who * 5 + i * 7) % RUNS];

        good = history_import(h, &made->record, s->fd, made->size, &history_bounds);
    }
    if (!h || !good)
        fprintf(stderr, "%s\n", last_word(s));
    history_close(h);
    return h && good ? 0 : 1;
}

static void take_in_side_by_side(struct scene *s, const struct made *runs)
{
    struct barrier *barrier =
        mmap(NULL, sizeof *barrier, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[MANY];

    assert_true(barrier != MAP_FAILED);
    for (uint32_t i = 0; i < MANY; i++) {
        pids[i] = must_fork();
        if (pids[i] == 0)
            _exit(take_in_all(s, runs, i, barrier));
    }
    for (uint32_t i = 0; i < MANY; i++) {
        int status = 1;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    munmap(barrier, sizeof *barrier);
}

static char *everything_of_one(struct scene *s, const struct made *runs)
{
    struct history *h;

    unlinkat(s->fd, HISTORY_NAME, 0);
    h = opened(s);
    for (uint32_t i = 0; i < RUNS; i++)
        take_in(s, h, &runs[i]);
    history_close(h);
    return everything(s);
}

static void test_many_at_a_time(void **state)
{
    struct scene *s = *state;
    const struct made *runs = make_runs(s);
    char *together, *one;

    take_in_side_by_side(s, runs);
    together = everything(s);
    one = everything_of_one(s, runs);
    assert_string_equal(together, one);
    assert_false(is_there(s, HISTORY_NAME ".broken-1"));
    free(together);
    free(one);
}

/* Several find the same broken file: one of them puts it aside, and nobody what another has begun. */
static void test_many_find_it_broken(void **state)
{
    struct scene *s = *state;
    const struct made *runs = make_runs(s);

    for (int round = 0; round < 10; round++) {
        assert_int_equal(file_write(file_path(s), str_of("this is no database at all")), 0);
        take_in_side_by_side(s, runs);
        assert_true(is_there(s, HISTORY_NAME ".broken-1"));
        assert_false(is_there(s, HISTORY_NAME ".broken-2"));
        unlinkat(s->fd, HISTORY_NAME ".broken-1", 0);
        unlinkat(s->fd, HISTORY_NAME, 0);
    }
}

/* ---- killed ---- */

static int die_at(struct scene *s, const struct made *made, int place)
{
    struct history *h;

    limit_life(60);
    if (!faults_parse(&s->faults, arena_printf(&s->arena, "die-history@%d", place), &s->diags))
        return 1;
    h = opened(s);
    history_import(h, &made->record, s->fd, made->size, &history_bounds);
    history_close(h);
    return 0;
}

/* Wherever it is killed, the next finds all of it or nothing, and makes the same of it. */
static void test_killed(void **state)
{
    enum { PLACES = 4, CASES = 3000 };
    struct scene *s = *state;
    struct past *past = ARENA_ARRAY(&s->arena, struct past, CASES);
    struct made made;
    char *clean, *again;
    struct history *h;

    for (int i = 0; i < CASES; i++)
        past[i] = PAST(arena_printf(&s->arena, "case %d", i), i % 2 ? VERDICT_FAILED : VERDICT_PASSED);
    made = make_run(s, 1, 0, past, CASES);
    take_in(s, (h = opened(s)), &made);
    history_close(h);
    clean = everything(s);
    for (int place = 1; place <= PLACES + 1; place++) {
        int status = 0;
        pid_t pid;

        unlinkat(s->fd, HISTORY_NAME, 0);
        pid = must_fork();
        if (pid == 0)
            _exit(die_at(s, &made, place));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, place <= PLACES ? SIGKILL : 0);
        h = opened(s);
        assert_int_equal(history_knows(h, made.record.run.id, made.size), place >= PLACES);
        take_in(s, h, &made);
        history_close(h);
        again = everything(s);
        assert_string_equal(again, clean);
        free(again);
    }
    free(clean);
    assert_int_equal(s->diags.count, 0);
}

/* ---- a full disk ---- */

#define CANNOT 77

static int fill_a_disk(struct scene *s)
{
    struct history *h = NULL;
    struct past past[200];
    int taken = 0;

    limit_life(60);
    if (!enter_namespace() || mount("x", s->path, "tmpfs", 0, "size=256k") < 0)
        return CANNOT;
    fd_close(&s->fd);
    s->fd = dir_open(AT_FDCWD, s->path);
    h = history_open(s->fd, s->path, &s->faults, &s->diags);
    for (bool room = h; room; taken += room) {
        struct made made;

        for (size_t i = 0; i < ARRAY_LEN(past); i++)
            past[i] = PAST(arena_printf(&s->arena, "case %zu of %d", i, taken / 3), VERDICT_FAILED);
        made = make_run(s, taken + 1, taken, past, ARRAY_LEN(past));
        room = history_import(h, &made.record, s->fd, made.size, &history_bounds);
    }
    if (taken < 3 || s->diags.count != 1 || !strstr(last_word(s), "the disk is full"))
        return 1;
    if (!look(s, h, "case 0 of 0").failed) /* it can still be read */
        return 2;
    history_close(h);
    if (is_there(s, HISTORY_NAME ".broken-1"))
        return 3;
    h = history_open(s->fd, s->path, &s->faults, &s->diags);
    if (!h || !history_knows(h, str_of("0001-x"), 1000))
        return 4;
    history_close(h);
    return 0;
}

static void test_full_disk(void **state)
{
    struct scene *s = *state;
    int status = 1;
    pid_t pid = must_fork();

    if (pid == 0)
        _exit(fill_a_disk(s));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == CANNOT)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_no_database),
        TEST(test_empty),
        TEST(test_foreign),
        TEST(test_tables_of_others),
        TEST(test_triggers_and_views),
        TEST(test_newer),
        TEST(test_no_file),
        TEST(test_read_only),
        TEST(test_many_are_broken),
        TEST(test_after_a_boot),
        TEST(test_mutated),
        TEST(test_locked),
        TEST(test_many_at_a_time),
        TEST(test_many_find_it_broken),
        TEST(test_killed),
        TEST(test_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
