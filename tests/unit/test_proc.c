#include "runner/base/mem.h"
#include "runner/base/proc.h"

#include <errno.h>
#include <fcntl.h>
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

#include "tests/unit/forks.h"

/* ---- parsing ---- */

#define NUMBERS                                                                                       \
    " 1 2 3 34816 -1 4194304 5 6 7 8 90 91 92 93 20 0 4 0 123456 9000000 777 18446744073709551615 0 " \
    "94000000001000 0 0 "                                                                             \
    "0 0 0 0 0 0 0 "                                                                                  \
    "0 17 1 0 0 0 0 0 0 0 0 0 0 140737488351000 140737488351020 0"

static void test_parse(void **state)
{
    static const struct {
        const char *line, *comm;
    } rows[] = {
        {"42 (sh) S" NUMBERS "\n", "sh"},
        {"42 (a b) S" NUMBERS, "a b"},
        {"42 (a) R 7 (b) S" NUMBERS, "a) R 7 (b"},
        {"42 ())) S" NUMBERS, "))"},
        {"42 () S" NUMBERS, ""},
        {"42 (0123456789012345678901234567890123456789012345678901234567890123456789) S" NUMBERS,
         "012345678901234567890123456789012345678901234567890123456789012"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct proc_stat stat;

        assert_true(proc_stat_parse(str_of(rows[i].line), &stat));
        assert_string_equal(stat.comm, rows[i].comm);
        assert_int_equal(stat.pid, 42);
        assert_int_equal(stat.state, 'S');
        assert_false(stat.exiting);
        assert_int_equal(stat.ppid, 1);
        assert_int_equal(stat.pgrp, 2);
        assert_int_equal(stat.session, 3);
        assert_int_equal(stat.tty, 34816);
        assert_int_equal(stat.user_ticks, 90);
        assert_int_equal(stat.system_ticks, 91);
        assert_int_equal(stat.threads, 4);
        assert_int_equal(stat.start_ticks, 123456);
        assert_int_equal(stat.rss_pages, 777);
        assert_int_equal(stat.code_end, 94000000001000);
        assert_int_equal(stat.env_start, 140737488351000);
        assert_int_equal(stat.env_end, 140737488351020);
    }
}

static void test_parse_refuses(void **state)
{
    static const char *const lines[] = {
        "",
        "42",
        "42 (sh",
        "42 sh) S" NUMBERS,
        "x (sh) S" NUMBERS,
        "42 (sh)",
        "42 (sh) ",
        "42 (sh) S",
        "42 (sh) S 1 2 3",
        "42 (sh) S 1 2 3 x 5",
        "42 )sh( S" NUMBERS,
        "42 (sh)S" NUMBERS,
    };
    struct proc_stat stat;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (proc_stat_parse(str_of(lines[i]), &stat))
            fail_msg("'%s' is read", lines[i]);
}

/* ---- real processes ---- */

static void test_self(void **state)
{
    struct proc_stat stat;

    (void)state;
    assert_int_equal(proc_stat_read(getpid(), &stat), 0);
    assert_int_equal(stat.pid, getpid());
    assert_int_equal(stat.ppid, getppid());
    assert_int_equal(stat.pgrp, getpgrp());
    assert_int_equal(stat.session, getsid(0));
    assert_int_equal(stat.state, 'R');
    assert_string_equal(stat.comm, "test_proc");
    assert_int_equal(stat.threads, 1);
    assert_true(stat.start_ticks > 0);
    assert_true(stat.rss_pages > 0);
}

/* A child that has ended and was not waited for, then one that is gone. */
static void test_ended_child(void **state)
{
    struct proc_stat stat;
    struct buf cmdline = {0};
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        prctl(PR_SET_NAME, "od) d\n");
        _exit(0);
    }
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_stat_read(pid, &stat), 0);
    assert_int_equal(stat.state, 'Z');
    assert_true(stat.exiting);
    assert_true(str_starts(str_of(stat.comm), "od) d"));
    assert_int_equal(proc_cmdline(pid, &cmdline), 0);
    assert_string_equal(buf_text(&cmdline), "");
    assert_int_equal(waitpid(pid, NULL, 0), pid);

    assert_int_equal(proc_stat_read(pid, &stat), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(proc_cmdline(pid, &cmdline), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(proc_count_fds(pid), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(proc_stat_read(0, &stat), -1);
    assert_int_equal(errno, ESRCH);
    buf_release(&cmdline);
}

/* A shell that waits on its stdin, with arguments it does not look at; closing *input ends it. */
static pid_t start_shell_with(char *const argv[], char *const envp[], int *input)
{
    int in[2], out[2];
    char ready;
    pid_t pid;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid = vfork();
    if (pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execve("/bin/sh", argv, envp);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    assert_int_equal(read(out[0], &ready, 1), 1); /* during the exec there is no command line to be seen */
    close(out[0]);
    *input = in[1];
    return pid;
}

static pid_t start_shell(char *const argv[], int *input)
{
    return start_shell_with(argv, environ, input);
}

static char name[] = "sh", option[] = "-c", script[] = "echo; read x";

#define ARGV(...) ((char *const[]){name, option, script, __VA_ARGS__, NULL})

static void assert_cmdline(char *const argv[], const char *expected)
{
    struct buf cmdline = {0};
    int input;
    pid_t pid = start_shell(argv, &input);

    assert_int_equal(proc_cmdline(pid, &cmdline), 0);
    close(input);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(str_is(buf_str(&cmdline), expected)); /* not assert_string_equal: some are very long */
    buf_release(&cmdline);
}

static void test_cmdline(void **state)
{
    static char plain[] = "--x=a/b:c,d", letter[] = "\xC3\xA9", space[] = "a b", quote[] = "it's",
                empty[] = "", wild[] = "*.c", control[] = "\x1b[2J'\n\\", bytes[] = "\xFF";

    (void)state;
    assert_cmdline(ARGV(plain, letter, name), "sh -c 'echo; read x' --x=a/b:c,d \xC3\xA9 sh");
    assert_cmdline(ARGV(space, quote, empty, wild), "sh -c 'echo; read x' 'a b' 'it'\\''s' '' '*.c'");
    assert_cmdline(ARGV(control, bytes), "sh -c 'echo; read x' $'\\x1b[2J\\'\\x0a\\\\' $'\\xff'");
}

static void test_long_cmdline(void **state)
{
    static char arg[PROC_CMDLINE_MOST * 2];
    struct buf expected = {0};

    (void)state;
    memset(arg, 'x', sizeof arg - 1);
    buf_adds(&expected, "sh -c 'echo; read x' ");
    buf_add(&expected, arg, PROC_CMDLINE_MOST - (expected.len - 2)); /* two quotes are ours */
    buf_adds(&expected, " …");
    assert_cmdline(ARGV(arg), buf_text(&expected));
    buf_release(&expected);
}

struct search {
    pid_t wanted;
    int calls, found;
    bool stop;
};

static bool look(void *user, pid_t pid)
{
    struct search *search = user;

    search->calls++;
    search->found += pid == search->wanted;
    return !(search->stop && pid == search->wanted);
}

static void test_each(void **state)
{
    struct search all = {.wanted = getpid()}, first = {.wanted = getpid(), .stop = true};

    (void)state;
    assert_int_equal(proc_each(look, &all), 0);
    assert_int_equal(all.found, 1);
    assert_int_equal(proc_each(look, &first), 0);
    assert_int_equal(first.found, 1);
    assert_true(first.calls <= all.calls);
}

static void test_count_fds(void **state)
{
    int before = proc_count_fds(getpid()), fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(before >= 3);
    assert_int_equal(proc_count_fds(getpid()), before + 1);
    close(fd);
    assert_int_equal(proc_count_fds(getpid()), before);
}

static void test_count_fds_of_child(void **state)
{
    int input;
    pid_t pid = start_shell(ARGV(name), &input);
    int count = proc_count_fds(pid);

    (void)state;
    close(input);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(count >= 3);
}

/* ---- identities and relations ---- */

/* A process that waits for its stdin to end, after it has done `prepare`. */
static struct proc_id start_waiter(void (*prepare)(void), int *input)
{
    int in[2], out[2];
    char byte = 0;
    struct proc_stat stat;
    pid_t pid;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        close(in[1]);
        if (prepare)
            prepare();
        if (write(out[1], &byte, 1) == 1 && read(in[0], &byte, 1) == 0)
            _exit(0);
        _exit(1);
    }
    close(in[0]);
    close(out[1]);
    assert_int_equal(read(out[0], &byte, 1), 1);
    close(out[0]);
    assert_int_equal(proc_stat_read(pid, &stat), 0);
    *input = in[1];
    return (struct proc_id){pid, stat.start_ticks};
}

static void end_waiter(struct proc_id id, int input)
{
    close(input);
    assert_int_equal(waitpid(id.pid, NULL, 0), id.pid);
}

static void test_identity(void **state)
{
    int input, fd;
    struct proc_id id = start_waiter(NULL, &input), other = id, none = {0};
    siginfo_t info;

    (void)state;
    other.start_ticks++;
    assert_true(proc_is(id));
    assert_false(proc_is(other));
    assert_int_equal(proc_open(other), -1);
    assert_int_equal(errno, ESRCH);
    assert_int_equal(proc_open(none), -1);
    assert_int_equal(errno, ESRCH);
    fd = proc_open(id);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);

    close(input);
    assert_int_equal(waitid(P_PID, (id_t)id.pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(proc_is(id)); /* until it is reaped its number is its own */
    assert_int_equal(waitpid(id.pid, NULL, 0), id.pid);
    assert_false(proc_is(id));
    assert_int_equal(proc_open(id), -1);
    assert_int_equal(errno, ESRCH);
}

static bool holds(const struct proc_ids *ids, struct proc_id id)
{
    for (size_t i = 0; i < ids->count; i++)
        if (ids->list[i].pid == id.pid && ids->list[i].start_ticks == id.start_ticks)
            return true;
    return false;
}

struct forked {
    struct proc_id id;
    int input;
    pthread_barrier_t barrier;
};

static void *fork_in_thread(void *user)
{
    struct forked *forked = user;

    forked->id = start_waiter(NULL, &forked->input);
    pthread_barrier_wait(&forked->barrier);
    pthread_barrier_wait(&forked->barrier); /* it is this thread's child while there is this thread */
    return NULL;
}

static void test_children(void **state)
{
    struct proc_ids ids = {0};
    struct forked forked;
    pthread_t thread;
    int input;
    struct proc_id first = start_waiter(NULL, &input);

    (void)state;
    pthread_barrier_init(&forked.barrier, NULL, 2);
    assert_int_equal(pthread_create(&thread, NULL, fork_in_thread, &forked), 0);
    pthread_barrier_wait(&forked.barrier);
    if (proc_children(getpid(), &ids) < 0) {
        assert_int_equal(errno, ENOENT);
    } else {
        assert_int_equal(ids.count, 2);
        assert_true(holds(&ids, first));
        assert_true(holds(&ids, forked.id));
        proc_ids_release(&ids);
        assert_int_equal(proc_children(first.pid, &ids), 0);
        assert_int_equal(ids.count, 0);
    }
    pthread_barrier_wait(&forked.barrier);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&forked.barrier);
    end_waiter(forked.id, forked.input);
    end_waiter(first, input);
    assert_int_equal(proc_children(first.pid, &ids), -1);
    assert_int_equal(errno, ESRCH);
    proc_ids_release(&ids);
}

static void test_ancestors(void **state)
{
    int input;
    struct proc_id child = start_waiter(NULL, &input);

    (void)state;
    assert_true(proc_is_ancestor(getpid()));
    if (getppid() > 0) /* a PID namespace hides who started it */
        assert_true(proc_is_ancestor(getppid()));
    assert_false(proc_is_ancestor(child.pid));
    assert_false(proc_is_ancestor(0));
    end_waiter(child, input);
}

static void test_variable(void **state)
{
    static const struct {
        const char *entry;
        bool has;
    } rows[] = {
        {"FIRST=1", true}, {"EMPTY=", true},  {"LAST=a b", true},  {"FIRST=", false}, {"FIRST", false},
        {"LAST=a", false}, {"IRST=1", false}, {"FIRST=11", false}, {"", false},       {"MISSING=", false},
    };
    static char first[] = "FIRST=1", empty[] = "EMPTY=", last[] = "LAST=a b";
    char *const argv[] = {name, option, script, NULL}, *const envp[] = {first, empty, last, NULL};
    int input;
    pid_t pid = start_shell_with(argv, envp, &input);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (proc_has_variable(pid, rows[i].entry) != rows[i].has)
            fail_msg("'%s': %d", rows[i].entry, !rows[i].has);
    close(input);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(proc_has_variable(pid, "FIRST=1"));
}

/* ---- environments ---- */

static void test_environ(void **state)
{
    static char first[] = "FIRST=1";
    char *const argv[] = {name, option, script, NULL}, *const one[] = {first, NULL}, *const none[] = {NULL};
    char *const *const rows[] = {one, none};
    struct buf environment = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int input;
        pid_t pid = start_shell_with(argv, rows[i], &input);

        environment.len = 0;
        assert_int_equal(proc_environ(pid, &environment), 0);
        assert_int_equal(environment.len, rows[i] == one ? sizeof first : 0);
        close(input);
        assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
        assert_int_equal(proc_environ(pid, &environment), -1);
        assert_int_equal(errno, ESRCH);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
    }
    buf_release(&environment);
}

#define LOOKS 20000

/* How it ends is told when it has been ended: one that executes for ever must not outlive a test that fails. */
static void look_at_execs(char *const envp[], const char *first, int looks)
{
    static char again[] = "exec sh -c \"$0\" \"$0\"";
    char *const argv[] = {name, option, again, again, NULL};
    pid_t pid = vfork();
    int yet = 0, wrong = 0, error = EAGAIN;

    if (pid == 0) {
        execve("/bin/sh", argv, envp);
        _exit(127);
    }
    for (int i = 0; i < looks && error == EAGAIN; i++) {
        struct buf environment = {0};

        if (proc_environ(pid, &environment) == 0)
            wrong += !strstr(buf_text(&environment), first);
        else if (errno == EAGAIN)
            yet++;
        else
            error = errno;
        buf_release(&environment);
    }
    end_child(pid);
    print_message("%d of %d looks found an exec under way\n", yet, looks);
    assert_int_equal(wrong, 0);
    assert_int_equal(error, EAGAIN);
}

/* One that executes for ever has its environment, or it is said that it has none yet. */
static void test_environ_in_an_exec(void **state)
{
    static char first[] = "FIRST=1";
    char *const envp[] = {first, NULL};

    (void)state;
    look_at_execs(envp, first, LOOKS);
}

#define ENTRIES 5000

/* It takes the kernel so long to fill a large one that most looks which find none fall into that time. */
static void test_a_large_environ_in_an_exec(void **state)
{
    static char entries[ENTRIES][16];
    char *envp[ENTRIES + 1] = {NULL};

    (void)state;
    for (int i = 0; i < ENTRIES; i++) {
        snprintf(entries[i], sizeof entries[i], "A%d=b", i);
        envp[i] = entries[i];
    }
    look_at_execs(envp, "A", LOOKS / 10);
}

/* ---- what a process has to do with a folder ---- */

struct touching {
    char folder[64], file[80], neighbour[80];
};

static const struct touching *touched; /* what the children below read */

static void read_in_it(void)
{
    if (open(touched->file, O_RDONLY) < 0 || open(touched->folder, O_RDONLY | O_DIRECTORY) < 0 ||
        open(touched->file, O_PATH) < 0)
        _exit(2);
}

static void write_in_it(void)
{
    if (open(touched->file, O_WRONLY) < 0)
        _exit(2);
}

static void stand_in_it(void)
{
    if (chdir(touched->folder) < 0)
        _exit(2);
}

static void write_to_removed(void)
{
    if (open(touched->file, O_RDWR) < 0 || unlink(touched->file) < 0)
        _exit(2);
}

static void stand_in_removed(void)
{
    if (chdir(touched->folder) < 0 || rmdir(touched->folder) < 0)
        _exit(2);
}

static void write_to_neighbour(void)
{
    if (open(touched->neighbour, O_WRONLY) < 0)
        _exit(2);
}

static void make_touching(struct touching *touching)
{
    int fd;

    strcpy(touching->folder, "/tmp/test_proc-XXXXXX");
    assert_non_null(mkdtemp(touching->folder));
    snprintf(touching->file, sizeof touching->file, "%s/file", touching->folder);
    snprintf(touching->neighbour, sizeof touching->neighbour, "%s-beside", touching->folder);
    fd = open(touching->file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    fd = open(touching->neighbour, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_in_a_folder(void **state)
{
    static const struct {
        const char *what;
        void (*prepare)(void);
        bool stands, writes;
    } rows[] = {
        {"nothing", NULL, false, false},
        {"a folder whose name begins the same", write_to_neighbour, false, false},
        {"what it only reads", read_in_it, false, false},
        {"a file", write_in_it, false, true},
        {"its working directory", stand_in_it, true, false},
        {"a removed file", write_to_removed, false, true},
        {"a removed folder", stand_in_removed, true, false},
    };
    struct touching touching;

    (void)state;
    make_touching(&touching);
    touched = &touching;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int input;
        struct proc_id id = start_waiter(rows[i].prepare, &input);
        bool stands = proc_stands_in(id.pid, touching.folder),
             writes = proc_writes_in(id.pid, touching.folder);

        end_waiter(id, input);
        if (stands != rows[i].stands || writes != rows[i].writes)
            fail_msg("%s: %d, %d", rows[i].what, stands, writes);
        assert_false(proc_stands_in(id.pid, touching.folder) || proc_writes_in(id.pid, touching.folder));
    }
    assert_false(proc_stands_in(getpid(), "/") || proc_writes_in(getpid(), "/"));
    assert_false(proc_stands_in(getpid(), "") || proc_writes_in(getpid(), "")); /* nothing is below nowhere */
    unlink(touching.neighbour);
}

static void test_age(void **state)
{
    struct proc_stat stat;
    nanos first, second;

    (void)state;
    assert_int_equal(proc_stat_read(getpid(), &stat), 0);
    first = proc_age(&stat);
    second = proc_age(&stat);
    assert_true(first >= 0);
    assert_true(second >= first);
    assert_true(second < 3600 * NS_PER_S);
    stat.start_ticks += 1000000000;
    assert_int_equal(proc_age(&stat), 0);
}

static void test_boot_id(void **state)
{
    char id[40];

    (void)state;
    if (access("/proc/sys/kernel/random/boot_id", R_OK) < 0)
        skip();
    assert_true(proc_boot_id(id));
    assert_int_equal(strlen(id), 36);
    assert_int_equal(strspn(id, "0123456789abcdef-"), 36);
}

static void test_number_within(void **state)
{
    (void)state;
    assert_int_equal(proc_number_within("/proc/self/status"), getpid());
    assert_int_equal(proc_number_within("/proc/self/stat"), 0);
    assert_int_equal(proc_number_within("/proc/self/nothing"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_within),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_ended_child),
        cmocka_unit_test(test_cmdline),
        cmocka_unit_test(test_long_cmdline),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_count_fds),
        cmocka_unit_test(test_count_fds_of_child),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_children),
        cmocka_unit_test(test_ancestors),
        cmocka_unit_test(test_variable),
        cmocka_unit_test(test_environ),
        cmocka_unit_test(test_environ_in_an_exec),
        cmocka_unit_test(test_a_large_environ_in_an_exec),
        cmocka_unit_test(test_in_a_folder),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_boot_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
