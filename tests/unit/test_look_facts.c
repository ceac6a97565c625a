/* What a look tells besides: locks, limits, who computes, and what was printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/look_stage.h"

#include <pthread.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static void must(bool done)
{
    if (!done)
        _exit(2);
}

static void in_hang(void *user)
{
    (void)user;
    hang();
}

/* ---- locks of one another ---- */

static void takes_a_lock(void *user)
{
    int fd = open(user, O_RDWR);

    must(flock(fd, LOCK_EX) == 0);
    in_hang(NULL);
}

static void wants_a_lock(void *user)
{
    must(flock(open(user, O_RDWR), LOCK_EX) == 0);
}

static void takes_a_range(void *user)
{
    struct flock lock = {.l_type = F_WRLCK, .l_start = 10, .l_len = 5};

    must(fcntl(open(user, O_RDWR), F_SETLK, &lock) == 0);
    in_hang(NULL);
}

static void wants_a_range(void *user)
{
    struct flock lock = {.l_type = F_RDLCK, .l_start = 12, .l_len = 100};

    must(fcntl(open(user, O_RDWR), F_SETLKW, &lock) == 0);
}

static void test_locks(void **state)
{
    static const struct {
        kid_fn *holds, *wants;
        int number;
        const char *kind;
        uint64_t from, to, wanted_from, wanted_to;
    } rows[] = {
        {takes_a_lock, wants_a_lock, SYS_flock, "FLOCK", 0, UINT64_MAX, 0, UINT64_MAX},
        {takes_a_range, wants_a_range, SYS_fcntl, "POSIX", 10, 14, 12, 111},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct look_stage *stage = *state;
        char path[] = "/tmp/test-look-XXXXXX";
        int fd = mkstemp(path);
        pid_t holder, waiter;
        const struct dump_process *process;

        assert_true(fd >= 0);
        close(fd);
        holder = start_kid(stage, rows[i].holds, path);
        until_in(holder, HANGS);
        waiter = start_kid(stage, rows[i].wants, path);
        until_in(waiter, rows[i].number);
        process = process_of(look_now(stage), waiter);
        assert_int_equal(process->lock_count, 1);
        assert_true(process->locks[0].waits);
        assert_string_equal(process->locks[0].kind, rows[i].kind);
        assert_string_equal(process->locks[0].path, path);
        assert_int_equal(process->locks[0].holder, holder);
        assert_int_equal(stage->dump.processes[process->locks[0].process].id.pid, holder);
        assert_true(process->locks[0].from == rows[i].wanted_from &&
                    process->locks[0].to == rows[i].wanted_to);
        process = process_of(&stage->dump, holder);
        assert_int_equal(process->lock_count, 1);
        assert_true(!process->locks[0].waits && process->locks[0].writes);
        assert_string_equal(process->locks[0].path, path);
        assert_true(process->locks[0].from == rows[i].from && process->locks[0].to == rows[i].to);
        unlink(path);
        close_look_stage(state);
        open_look_stage(state);
    }
}

#define MANY_LOCKS 10000
#define FEW_MS     (200 * NS_PER_MS)

static void takes_many_ranges(void *user)
{
    int fd = open(user, O_RDWR);

    for (int i = 0; i < MANY_LOCKS; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_start = 10 + i * 2, .l_len = 1};

        must(fcntl(fd, F_SETLK, &lock) == 0);
    }
    in_hang(NULL);
}

static bool locks_were_too_many(const struct dump *dump)
{
    for (uint32_t i = 0; i < dump->note_count; i++)
        if (strstr(dump->notes[i], "locks of the machine were not all looked at"))
            return true;
    return false;
}

/* The kernel takes the longer for each page the more there are: nobody waits for all of them. */
static void test_many_locks(void **state)
{
    struct look_stage *stage = *state;
    char path[] = "/tmp/test-look-XXXXXX";
    int fd = mkstemp(path);
    pid_t holder, waiter;

    assert_true(fd >= 0);
    close(fd);
    holder = start_kid(stage, takes_many_ranges, path);
    until_in(holder, HANGS);
    assert_false(locks_were_too_many(look_within(stage, FEW_MS))); /* nobody waits: nobody asks for them */
    waiter = start_kid(stage, wants_a_range, path);
    until_in(waiter, SYS_fcntl);
    assert_true(locks_were_too_many(look_within(stage, FEW_MS)));
    unlink(path);
}

/* ---- limits ---- */

#define FEW 64

static void with_few_descriptors(void *user)
{
    struct rlimit files = {FEW, FEW}, memory = {(rlim_t)8 << 30, (rlim_t)8 << 30};

    must(syscall(SYS_close_range, 3, UINT32_MAX, 0) == 0 && setrlimit(RLIMIT_NOFILE, &files) == 0);
    if (user)
        must(setrlimit(RLIMIT_AS, &memory) == 0);
    while (user && open("/dev/null", O_RDONLY) >= 0)
        ;
    in_hang(NULL);
}

static const struct dump_limit *limit_of(const struct dump_process *process, const char *name)
{
    for (uint32_t i = 0; i < process->limit_count; i++)
        if (strcmp(process->limits[i].name, name) == 0)
            return &process->limits[i];
    return NULL;
}

/* Those that are near are told, and those that somebody has set; not what everybody has. */
static void test_limits(void **state)
{
    struct look_stage *stage = *state;
    pid_t near = start_kid(stage, with_few_descriptors, stage),
          far = start_kid(stage, with_few_descriptors, NULL);
    const struct dump_limit *limit;
    struct rlimit ours;

    until_in(near, HANGS);
    until_in(far, HANGS);
    limit = limit_of(process_of(look_now(stage), near), "open files");
    assert_non_null(limit);
    assert_string_equal(limit->soft, "64");
    assert_string_equal(limit->used, "64");
    assert_null(limit_of(process_of(&stage->dump, far), "open files"));
    assert_null(limit_of(process_of(&stage->dump, far), "address space, bytes"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (getrlimit(RLIMIT_AS, &ours) == 0 && ours.rlim_cur == RLIM_INFINITY) {
        limit = limit_of(process_of(&stage->dump, near), "address space, bytes");
        assert_non_null(limit);
        assert_string_equal(limit->soft, "8589934592");
        assert_true(atol(limit->used) > 0);
    }
#else
    (void)ours;
#endif
}

/* ---- who computes ---- */

static void in_a_loop(void *user)
{
    (void)user;
    for (volatile unsigned long i = 0;; i++)
        ;
}

static void *loop_body(void *user)
{
    in_a_loop(user);
    return NULL;
}

static void with_a_loop_beside(void *user)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, loop_body, NULL) == 0);
    in_hang(user);
}

/* Until it was seen to compute so much: a machine may have no time for it. */
static void until_it_has_run(pid_t pid, uint64_t ticks)
{
    struct proc_stat stat;

    do
        assert_int_equal(proc_stat_read(pid, &stat), 0);
    while (stat.user_ticks < ticks);
}

static void test_runaways(void **state)
{
    struct look_stage *stage = *state;
    pid_t sleeper = start_kid(stage, in_hang, NULL), loop = start_kid(stage, in_a_loop, NULL),
          beside = start_kid(stage, with_a_loop_beside, NULL);
    const struct dump *dump;

    until_in(sleeper, HANGS);
    until_in(beside, HANGS);
    until_it_has_run(loop, 1);
    until_it_has_run(beside, 1);
    dump = look_now(stage);
    /* The second look may be had again, and on a machine with much to do has to be later. */
    do
        look_at_shares(&stage->taking, 100 * NS_PER_MS);
    while ((!process_of(dump, loop)->runaway || !process_of(dump, beside)->runaway) &&
           clock_now() < stage->taking.until);
    assert_true(process_of(dump, loop)->runaway);
    assert_true(process_of(dump, loop)->share > 0);
    assert_true(process_of(dump, loop)->threads[0].share > 0);
    assert_true(process_of(dump, beside)->runaway);
    assert_true(process_of(dump, beside)->threads[0].share == 0);
    assert_true(process_of(dump, beside)->threads[1].share > 0);
    assert_false(process_of(dump, sleeper)->runaway);
    assert_true(process_of(dump, sleeper)->share < 0.1);
}

/* ---- outputs ---- */

static void test_tails(void **state)
{
    struct look_stage *stage = *state;
    struct dump_output outputs[3];
    char line[100];
    int ends[2], short_one = open("/tmp", O_TMPFILE | O_RDWR, 0600),
                 long_one = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    const struct dump *dump;

    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "mine", 4), 4);
    assert_int_equal(write(short_one, "one\ntwo", 7), 7);
    for (int i = 1000; i < 2000; i++) {
        snprintf(line, sizeof line, "line %d\n", i);
        assert_int_equal(write(long_one, line, strlen(line)), strlen(line));
    }
    outputs[0] = (struct dump_output){"stdout", "/somewhere", short_one};
    outputs[1] = (struct dump_output){"stderr", NULL, long_one};
    outputs[2] = (struct dump_output){"pipe", NULL, ends[0]};
    stage->wants.outputs = outputs;
    stage->wants.output_count = 3;
    dump = look_now(stage);
    assert_int_equal(dump->tail_count, 3);
    assert_string_equal(dump->tails[0].name, "stdout");
    assert_string_equal(dump->tails[0].path, "/somewhere");
    assert_true(str_is(dump->tails[0].text, "one\ntwo"));
    assert_int_equal(dump->tails[0].size, 7);
    assert_true(str_starts(dump->tails[1].text, "line 1"));
    assert_true(str_ends(dump->tails[1].text, "line 1999\n"));
    assert_true(dump->tails[1].text.len > DUMP_TAIL_MOST - 20);
    assert_int_equal(dump->tails[1].size, 10000);
    assert_int_equal(dump->tails[2].text.len, 0); /* what is in a pipe is not ours to take */
    assert_int_equal(read(ends[0], line, sizeof line), 4);
    close(ends[0]);
    close(ends[1]);
    close(short_one);
    close(long_one);
}

static void writes_to(void *user)
{
    must(dup2(*(int *)user, 1) == 1);
    in_hang(NULL);
}

static void test_outputs_are_known(void **state)
{
    struct look_stage *stage = *state;
    int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    struct dump_output output = {"stdout", NULL, fd};
    pid_t pid = start_kid(stage, writes_to, &fd);

    until_in(pid, HANGS);
    stage->wants.outputs = &output;
    stage->wants.output_count = 1;
    assert_true(fd_of(process_of(look_now(stage), pid), 1)->is_output);
    assert_false(fd_of(&stage->dump.processes[0], 2)->is_output);
    close(fd);
}

/* ---- who keeps whoever asks ---- */

struct kept_waiting {
    int asks[2], has[2];
};

static void waits(void *user)
{
    const struct kept_waiting *kept = user;
    char byte;

    if (read(kept->asks[0], &byte, 1) != 1 || write(kept->has[1], &byte, 1) != 1)
        abort();
}

/* He is left behind, and lives on for himself. */
static void test_who_asks_is_kept(void **state)
{
    struct kept_waiting kept;
    char byte = 'x';

    (void)state;
    assert_int_equal(pipe(kept.asks), 0);
    assert_int_equal(pipe(kept.has), 0);
    assert_false(answers_in_time(waits, &kept));
    assert_int_equal(write(kept.asks[1], &byte, 1), 1);
    assert_int_equal(read(kept.has[0], &byte, 1), 1);
    assert_int_equal(write(kept.asks[1], &byte, 1), 1);
    assert_true(answers_in_time(waits, &kept));
    assert_true(dump_memory_answers(getpid()));
    assert_true(dump_memory_answers(INT32_MAX)); /* nobody is there to keep us */
    for (int i = 0; i < 2; i++) {
        close(kept.asks[i]);
        close(kept.has[i]);
    }
}

#define IT(name) cmocka_unit_test_setup_teardown(name, open_look_stage, close_look_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IT(test_locks), IT(test_many_locks),        IT(test_limits),           IT(test_runaways),
        IT(test_tails), IT(test_outputs_are_known), IT(test_who_asks_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
