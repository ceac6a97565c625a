#include "runner/leaks/leaks.h"

#include "runner/base/dir.h"
#include "runner/base/mem.h"
#include "tests/unit/forks.h"
#include "tests/unit/somebody.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BUDGET (20 * NS_PER_S)

/* ---- a folder, a list, and processes to look at ---- */

struct scene {
    char folder[64];
    struct arena arena;
    struct leak_list leaks;
};

static int set_up(void **state)
{
    struct scene *scene = mem_zero(1, sizeof *scene);

    strcpy(scene->folder, "/tmp/test_leaks-XXXXXX");
    scene->leaks.arena = &scene->arena;
    *state = scene;
    return mkdtemp(scene->folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    dir_remove(AT_FDCWD, scene->folder);
    leak_list_release(&scene->leaks);
    arena_release(&scene->arena);
    free(scene);
    return 0;
}

struct waiter {
    struct proc_id id;
    int input; /* closing it ends the process */
};

/* A process that has done `prepare` and waits; its exit status is 0, or 2 when `prepare` answered false. */
static struct waiter start_waiter(bool (*prepare)(void *user), void *user)
{
    int in[2], out[2];
    char byte = 0;
    struct proc_stat stat;
    struct waiter waiter;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    waiter.id.pid = must_fork();
    assert_true(waiter.id.pid >= 0);
    if (waiter.id.pid == 0) {
        close(in[1]);
        if (prepare && !prepare(user))
            _exit(2);
        if (write(out[1], &byte, 1) == 1 && read(in[0], &byte, 1) == 0)
            _exit(0);
        _exit(1);
    }
    close(in[0]);
    close(out[1]);
    if (read(out[0], &byte, 1) != 1)
        fail_msg("the process could not be prepared: %s", strerror(errno));
    close(out[0]);
    assert_int_equal(proc_stat_read(waiter.id.pid, &stat), 0);
    waiter.id.start_ticks = stat.start_ticks;
    waiter.input = in[1];
    return waiter;
}

static void end_waiter(struct waiter waiter)
{
    int status;

    close(waiter.input);
    assert_int_equal(waitpid(waiter.id.pid, &status, 0), waiter.id.pid);
    assert_int_equal(status, 0);
}

static void look(struct scene *scene, struct proc_id id)
{
    leak_list_release(&scene->leaks);
    leaks_of_processes(&scene->leaks, &id, 1, false, BUDGET);
}

static const struct leak *find(const struct scene *scene, enum leak_kind kind, const char *what)
{
    for (size_t i = 0; i < scene->leaks.count; i++)
        if (scene->leaks.list[i].kind == kind && str_is(scene->leaks.list[i].what, what))
            return &scene->leaks.list[i];
    return NULL;
}

static const struct leak *must_find(const struct scene *scene, enum leak_kind kind, const char *what)
{
    const struct leak *leak = find(scene, kind, what);

    for (size_t i = 0; !leak && i < scene->leaks.count; i++)
        print_message("there is: %s '%s' (%s)\n", leak_words[scene->leaks.list[i].kind],
                      scene->leaks.list[i].what.ptr, scene->leaks.list[i].words.ptr);
    if (!leak)
        fail_msg("no %s '%s'", leak_words[kind], what);
    return leak;
}

static void assert_says(const struct leak *leak, const char *piece)
{
    size_t at;

    if (!str_find(leak->words, piece, &at))
        fail_msg("'%s' is not in '%s'", piece, leak->words.ptr);
}

/* ---- what may stay ---- */

static void test_policy(void **state)
{
    static const struct leak_allowed allowed[] = {
        {LEAK_PROCESS, "ssh-agent"}, {LEAK_PROCESS, "gpg*"},      {LEAK_LISTENER, "[::1]:80"},
        {LEAK_LISTENER, "*:9000"},   {LEAK_SOCKET, "/tmp/x/*"},   {LEAK_SOCKET, "*.ctl"},
        {LEAK_SHM, "psm_*"},         {LEAK_SHM, "/sem.mine"},     {LEAK_SHM, "shm:*"},
        {LEAK_FILE, "core.*"},       {LEAK_FILE, "/tmp/cache/*"},
    };
    static const struct {
        enum leak_kind kind;
        struct str what;
        enum leak_action action;
    } rows[] = {
        {LEAK_PROCESS, STR("ssh-agent"), LEAK_IGNORED},
        {LEAK_PROCESS, STR("ssh-agent2"), LEAK_FAILS},
        {LEAK_PROCESS, STR("gpg-agent"), LEAK_IGNORED},
        {LEAK_LISTENER, STR("ssh-agent"), LEAK_FAILS},
        {LEAK_LISTENER, STR("[::1]:80"), LEAK_IGNORED},
        {LEAK_LISTENER, STR("1:80"), LEAK_IGNORED}, /* it is a glob too */
        {LEAK_LISTENER, STR("127.0.0.1:9000"), LEAK_IGNORED},
        {LEAK_LISTENER, STR("127.0.0.1:80"), LEAK_FAILS},
        {LEAK_SOCKET, STR("/tmp/x/y/z"), LEAK_IGNORED},
        {LEAK_SOCKET, STR("/tmp/xx"), LEAK_FAILS},
        {LEAK_SOCKET, STR("/home/a/b.ctl"), LEAK_IGNORED},
        {LEAK_SHM, STR("/psm_1"), LEAK_IGNORED},
        {LEAK_SHM, STR("/sem.mine"), LEAK_IGNORED},
        {LEAK_SHM, STR("/x/sem.mine"), LEAK_FAILS},
        {LEAK_SHM, STR("shm:65538"), LEAK_IGNORED},
        {LEAK_SHM, STR("sem:1"), LEAK_FAILS},
        {LEAK_FILE, STR("out"), LEAK_IGNORED},
        {LEAK_OUTSIDE_FILE, STR("/tmp/core.1"), LEAK_IGNORED},
        {LEAK_OUTSIDE_FILE, STR("/tmp/cache/a/b"), LEAK_IGNORED},
        {LEAK_OUTSIDE_FILE, STR("/tmp/other"), LEAK_WARNS},
        {LEAK_TERMIOS, STR("tty"), LEAK_WARNS},
        {LEAK_TERMIOS, {NULL, 0}, LEAK_WARNS},
    };
    struct leak_policy policy = leak_policy_default;

    (void)state;
    assert_int_equal(policy.grace, NS_PER_S);
    policy.allowed = allowed;
    policy.allowed_count = ARRAY_LEN(allowed);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct leak leak = {.kind = rows[i].kind, .what = rows[i].what};
        enum leak_action action = leak_policy_says(&policy, &leak);

        if (action != rows[i].action)
            fail_msg("row %zu, '%s': %d", i, rows[i].what.ptr, action);
    }
    policy.actions[LEAK_PROCESS] = LEAK_WARNS;
    assert_int_equal(leak_policy_says(&policy, &(struct leak){.what = STR("sh")}), LEAK_WARNS);
}

/* Who allows a daemon allows what it holds; what nobody holds is judged by itself. */
static void test_policy_of_what_is_held(void **state)
{
    static const struct leak_allowed allowed[] = {{LEAK_PROCESS, "ssh-agent"}};
    struct leak leaks[] = {
        {.kind = LEAK_SOCKET, .what = STR("/tmp/agent.1"), .pid = 11},
        {.kind = LEAK_PROCESS, .what = STR("ssh-agent"), .pid = 11},
        {.kind = LEAK_PROCESS, .what = STR("sh"), .pid = 12},
        {.kind = LEAK_LISTENER, .what = STR("[::1]:80"), .pid = 12},
        {.kind = LEAK_SOCKET, .what = STR("/tmp/agent.2")},
    };
    static const enum leak_action wanted[] = {LEAK_IGNORED, LEAK_IGNORED, LEAK_FAILS, LEAK_FAILS, LEAK_FAILS};
    const struct leak_list list = {.list = leaks, .count = ARRAY_LEN(leaks)};
    struct leak_policy policy = leak_policy_default;

    (void)state;
    policy.allowed = allowed;
    policy.allowed_count = ARRAY_LEN(allowed);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(leak_policy_says_in(&policy, &list, i), wanted[i]);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(leak_keys[LEAK_OUTSIDE_FILE], "outside-files");
    assert_string_equal(leak_words[LEAK_SHM], "shared memory");
    for (int i = 0; i < LEAK_KIND_COUNT; i++)
        assert_true(leak_keys[i] && leak_words[i]);
}

/* ---- processes ---- */

static void test_process(void **state)
{
    struct scene *scene = *state;
    struct waiter waiter = start_waiter(NULL, NULL);
    struct proc_id ids[] = {waiter.id, waiter.id, {0, 0}};
    const struct leak *leak;
    char pid[32];

    ids[1].start_ticks++;
    leaks_of_processes(&scene->leaks, ids, ARRAY_LEN(ids), false, BUDGET);
    assert_int_equal(scene->leaks.count, 1);
    leak = must_find(scene, LEAK_PROCESS, "test_leaks");
    assert_int_equal(leak->pid, waiter.id.pid);
    assert_int_equal(leak->number, -1);
    assert_false(leak->runaway);
    assert_true(leak->born > 0 && leak->born <= clock_wall());
    snprintf(pid, sizeof pid, "(pid %ld), ", (long)waiter.id.pid);
    assert_says(leak, pid);
    assert_says(leak, "s old");
    end_waiter(waiter);
    look(scene, waiter.id);
    assert_int_equal(scene->leaks.count, 0);
}

static void test_zombie(void **state)
{
    struct scene *scene = *state;
    struct waiter waiter = start_waiter(NULL, NULL);
    siginfo_t info;

    close(waiter.input);
    waiter.input = -1;
    assert_int_equal(waitid(P_PID, (id_t)waiter.id.pid, &info, WEXITED | WNOWAIT), 0);
    look(scene, waiter.id);
    assert_int_equal(scene->leaks.count, 0);
    assert_int_equal(waitpid(waiter.id.pid, NULL, 0), waiter.id.pid);
}

static void test_no_budget(void **state)
{
    struct scene *scene = *state;
    struct waiter waiter = start_waiter(NULL, NULL);

    leaks_of_processes(&scene->leaks, &waiter.id, 1, true, 0);
    assert_int_equal(scene->leaks.count, 0);
    leaks_of_processes(&scene->leaks, NULL, 0, true, BUDGET);
    assert_int_equal(scene->leaks.count, 0);
    end_waiter(waiter);
}

static void copy_file(const char *from, const char *to)
{
    struct buf bytes = {0};
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    ssize_t got;

    buf_reserve(&bytes, 65536);
    assert_true(in >= 0 && out >= 0);
    while ((got = read(in, bytes.ptr, 65536)) > 0)
        assert_int_equal(write(out, bytes.ptr, (size_t)got), got);
    close(in);
    close(out);
    buf_release(&bytes);
}

/* A program waits on its stdin; the pipe that tells of its exec is closed by it. */
static struct waiter execute(const char *path, char *const argv[])
{
    int in[2], ready[2];
    char byte;
    struct proc_stat stat;
    struct waiter waiter;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    waiter.id.pid = must_fork();
    assert_true(waiter.id.pid >= 0);
    if (waiter.id.pid == 0) {
        dup2(in[0], 0);
        execv(path, argv);
        _exit(127);
    }
    close(in[0]);
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 0);
    close(ready[0]);
    assert_int_equal(proc_stat_read(waiter.id.pid, &stat), 0);
    waiter.id.start_ticks = stat.start_ticks;
    waiter.input = in[1];
    return waiter;
}

/* While it executes there is no command line to be seen. */
static void look_when_executed(struct scene *scene, struct proc_id id)
{
    struct buf command = {0};

    while (proc_cmdline(id.pid, &command) == 0 && !command.len)
        sched_yield();
    buf_release(&command);
    look(scene, id);
}

static void test_long_name(void **state)
{
    static char name[] = "cat";
    struct scene *scene = *state;
    char path[128];
    struct waiter waiter;

    snprintf(path, sizeof path, "%s/a-name-longer-than-fifteen", scene->folder);
    copy_file("/bin/cat", path);
    waiter = execute(path, (char *const[]){name, NULL});
    look_when_executed(scene, waiter.id);
    assert_says(must_find(scene, LEAK_PROCESS, "a-name-longer-than-fifteen"), "cat (pid ");
    end_waiter(waiter);
}

/* The command line of a stranger ends up on a terminal. */
static void test_hostile_command(void **state)
{
    static char name[] = "sh\x1b[2J\n", option[] = "-c", script[] = "read x", turn[] = "\xE2\x80\xAE",
                bad[] = "\xFF", many[3000];
    struct scene *scene = *state;
    struct waiter waiter;
    const struct leak *leak;

    memset(many, 'x', sizeof many - 1);
    waiter = execute("/bin/sh", (char *const[]){name, option, script, turn, bad, many, NULL});
    look_when_executed(scene, waiter.id);
    leak = must_find(scene, LEAK_PROCESS, "sh");
    for (size_t i = 0; i < leak->words.len; i++)
        assert_true((unsigned char)leak->words.ptr[i] >= ' ');
    assert_null(strstr(leak->words.ptr, turn));
    assert_says(leak, "\\u202e");
    assert_says(leak, "…");
    assert_true(leak->words.len < 400);
    close(waiter.input);
    assert_int_equal(waitpid(waiter.id.pid, NULL, 0), waiter.id.pid);
}

/* It has its name when the process that started it is ready. */
static bool spin(void *user)
{
    int named[2];
    char byte = 0;

    (void)user;
    if (pipe2(named, O_CLOEXEC) < 0)
        return false;
    if (must_fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, "spinner");
        if (write(named[1], &byte, 1) == 1)
            for (;;)
                ;
        _exit(1);
    }
    close(named[1]);
    return read(named[0], &byte, 1) == 1;
}

static void await_sleep(pid_t pid)
{
    struct proc_stat stat;

    do {
        sched_yield();
        assert_int_equal(proc_stat_read(pid, &stat), 0);
    } while (stat.state != 'S');
}

/* Others may want the processor too: somewhen it has one for the whole window. */
static void test_runaway(void **state)
{
    struct scene *scene = *state;
    struct waiter waiter = start_waiter(spin, NULL);
    struct proc_ids ids = {0};
    nanos end = clock_now() + 60 * NS_PER_S;
    const struct leak *leak = NULL;

    if (proc_children(waiter.id.pid, &ids) < 0 && errno == ENOENT)
        skip();
    assert_int_equal(ids.count, 1);
    proc_ids_add(&ids, waiter.id);
    await_sleep(waiter.id.pid);
    while ((!leak || !leak->runaway) && clock_now() < end) {
        leak_list_release(&scene->leaks);
        leaks_of_processes(&scene->leaks, ids.list, ids.count, true, BUDGET);
        leak = find(scene, LEAK_PROCESS, "spinner");
        assert_false(must_find(scene, LEAK_PROCESS, "test_leaks")->runaway);
    }
    assert_true(leak && leak->runaway);
    assert_says(leak, " % of a processor");
    look(scene, ids.list[0]);
    assert_false(must_find(scene, LEAK_PROCESS, "spinner")->runaway); /* not measured */
    end_waiter(waiter);
    proc_ids_release(&ids);
}

/* ---- listeners ---- */

/* Bound, and listening where it can; a child that is forked now has it too. */
static int bind_inet(int family, int type, const char *address, char *what, size_t size)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr *any = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof v4 : sizeof v6;
    int fd = socket(family, type | SOCK_CLOEXEC, 0);

    inet_pton(family, address, family == AF_INET ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr);
    if (fd < 0 || bind(fd, any, len) < 0 || (type == SOCK_STREAM && listen(fd, 5) < 0) ||
        getsockname(fd, any, &len) < 0) {
        close(fd);
        return -1;
    }
    if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
        snprintf(what, size, "*:%u", ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port));
    else if (family == AF_INET)
        snprintf(what, size, "%s:%u", address, ntohs(v4.sin_port));
    else
        snprintf(what, size, "[%s]:%u", address, ntohs(v6.sin6_port));
    return fd;
}

static void test_ports(void **state)
{
    static const struct {
        int family, type;
        const char *address, *says;
    } rows[] = {
        {AF_INET, SOCK_STREAM, "127.0.0.1", " of test_leaks (pid "},
        {AF_INET, SOCK_STREAM, "0.0.0.0", " of test_leaks (pid "},
        {AF_INET6, SOCK_STREAM, "::1", " of test_leaks (pid "},
        {AF_INET6, SOCK_STREAM, "::", " of test_leaks (pid "},
        {AF_INET, SOCK_DGRAM, "127.0.0.1", " (UDP) of test_leaks (pid "},
        {AF_INET6, SOCK_DGRAM, "::1", " (UDP) of test_leaks (pid "},
    };
    struct scene *scene = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char what[80];
        int fd = bind_inet(rows[i].family, rows[i].type, rows[i].address, what, sizeof what);
        struct waiter waiter;

        if (fd < 0 && rows[i].family == AF_INET6)
            continue; /* a machine without it */
        assert_true(fd >= 0);
        waiter = start_waiter(NULL, NULL);
        close(fd);
        look(scene, waiter.id);
        assert_int_equal(must_find(scene, LEAK_LISTENER, what)->pid, waiter.id.pid);
        assert_says(must_find(scene, LEAK_LISTENER, what), rows[i].says);
        assert_int_equal(scene->leaks.count, 2);
        end_waiter(waiter);
    }
}

/* Neither a connection, nor what was not bound, nor a socket that nobody can reach. */
static void test_not_listening(void **state)
{
    struct scene *scene = *state;
    char what[80], other[80];
    int listener = bind_inet(AF_INET, SOCK_STREAM, "127.0.0.1", what, sizeof what);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    int bound = bind_inet(AF_INET, SOCK_DGRAM, "127.0.0.1", other, sizeof other);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int pair[2], accepted;
    struct waiter waiter;

    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
    accepted = accept(listener, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(getsockname(bound, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(udp, (struct sockaddr *)&address, len), 0);
    close(bound);
    close(listener);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    waiter = start_waiter(NULL, NULL);
    look(scene, waiter.id);
    end_waiter(waiter);
    assert_int_equal(scene->leaks.count, 1);
    close(client);
    close(accepted);
    close(udp);
    close(pair[0]);
    close(pair[1]);
}

/* One socket that two have is one thing. */
static void test_inherited_listener(void **state)
{
    struct scene *scene = *state;
    char what[80];
    int fd = bind_inet(AF_INET, SOCK_STREAM, "127.0.0.1", what, sizeof what);
    struct waiter first = start_waiter(NULL, NULL), second = start_waiter(NULL, NULL);
    struct proc_id ids[] = {first.id, second.id};

    close(fd);
    leaks_of_processes(&scene->leaks, ids, 2, false, BUDGET);
    assert_int_equal(scene->leaks.count, 3);
    assert_int_equal(must_find(scene, LEAK_LISTENER, what)->pid, first.id.pid);
    end_waiter(second);
    end_waiter(first);
}

static bool listen_in_own_network(void *user)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(4711)};
    int fd;

    (void)user;
    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return true;
    fd = socket(AF_INET, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0;
}

static bool is_in_our_network(pid_t pid)
{
    char path[64];
    struct stat ours, theirs;

    snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
    return stat(path, &theirs) < 0 || stat("/proc/self/ns/net", &ours) < 0 || ours.st_ino == theirs.st_ino;
}

static void test_other_network(void **state)
{
    struct scene *scene = *state;
    struct waiter waiter = start_waiter(listen_in_own_network, NULL);
    bool same = is_in_our_network(waiter.id.pid);

    look(scene, waiter.id);
    end_waiter(waiter);
    if (same)
        skip();
    must_find(scene, LEAK_LISTENER, "*:4711");
}

/* ---- unix sockets ---- */

static int bind_unix(int type, const char *path, size_t len)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, len);
    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
    return fd;
}

static void test_unix_sockets(void **state)
{
    static const struct {
        int type;
        bool listens;
    } rows[] = {{SOCK_STREAM, true}, {SOCK_STREAM, false}, {SOCK_DGRAM, false}, {SOCK_SEQPACKET, true}};
    struct scene *scene = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[100];
        struct waiter waiter;
        int fd;

        snprintf(path, sizeof path, "%s/socket %zu", scene->folder, i);
        fd = bind_unix(rows[i].type, path, strlen(path));
        if (rows[i].listens)
            assert_int_equal(listen(fd, 1), 0);
        waiter = start_waiter(NULL, NULL);
        close(fd);
        look(scene, waiter.id);
        assert_int_equal(must_find(scene, LEAK_SOCKET, path)->pid, waiter.id.pid);
        assert_says(must_find(scene, LEAK_SOCKET, path), " of test_leaks (pid ");
        assert_int_equal(unlink(path), 0);
        look(scene, waiter.id);
        must_find(scene, LEAK_LISTENER, path);
        end_waiter(waiter);
    }
}

/* The same file, however it was called when it was bound. */
static void test_spellings(void **state)
{
    struct scene *scene = *state;
    char path[100], link[100], spelled[120];
    int before = open(".", O_PATH | O_CLOEXEC), relative, dotted;
    struct waiter waiter;

    snprintf(link, sizeof link, "%s/link", scene->folder);
    assert_int_equal(symlink(".", link), 0);
    assert_int_equal(chdir(scene->folder), 0);
    relative = bind_unix(SOCK_DGRAM, "relative", 8);
    snprintf(spelled, sizeof spelled, "%s/./dotted", link);
    dotted = bind_unix(SOCK_DGRAM, spelled, strlen(spelled));
    waiter = start_waiter(NULL, NULL);
    assert_int_equal(fchdir(before), 0);
    close(before);
    close(relative);
    close(dotted);
    look(scene, waiter.id);
    end_waiter(waiter);
    snprintf(path, sizeof path, "%s/relative", scene->folder);
    must_find(scene, LEAK_SOCKET, path);
    snprintf(path, sizeof path, "%s/dotted", scene->folder);
    must_find(scene, LEAK_SOCKET, path);
}

static void test_abstract_socket(void **state)
{
    struct scene *scene = *state;
    char name[100], what[101];
    struct waiter waiter;
    int fd;

    snprintf(what, sizeof what, "@%s", scene->folder);
    memcpy(name, what, sizeof name);
    name[0] = '\0';
    fd = bind_unix(SOCK_STREAM, name, strlen(what));
    waiter = start_waiter(NULL, NULL);
    close(fd);
    look(scene, waiter.id);
    end_waiter(waiter);
    must_find(scene, LEAK_LISTENER, what);
}

/* ---- shared memory ---- */

struct segment {
    char name[64];
    bool keep_open, map;
};

static bool make_segment(void *user)
{
    const struct segment *segment = user;
    int fd = shm_open(segment->name, O_RDWR | O_CREAT, 0600);

    if (fd < 0 || ftruncate(fd, 4096) < 0)
        return false;
    if (segment->map && mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        return false;
    if (!segment->keep_open)
        close(fd);
    return true;
}

static struct leak segment_leak(const struct segment *segment)
{
    return (struct leak){.kind = LEAK_SHM, .what = str_of(segment->name), .number = -1};
}

static void test_segments(void **state)
{
    static const struct {
        bool keep_open, map;
    } rows[] = {{true, false}, {false, true}, {true, true}};
    struct scene *scene = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct segment segment = {.keep_open = rows[i].keep_open, .map = rows[i].map};
        struct waiter waiter;
        struct leak leak;

        snprintf(segment.name, sizeof segment.name, "/test_leaks-%ld-%zu", (long)getpid(), i);
        waiter = start_waiter(make_segment, &segment);
        look(scene, waiter.id);
        leak = *must_find(scene, LEAK_SHM, segment.name);
        assert_int_equal(leak.pid, waiter.id.pid);
        assert_int_equal(scene->leaks.count, 2);
        assert_false(leak_remove(&leak));
        assert_int_equal(errno, EBUSY);
        end_waiter(waiter);
        assert_true(leak_remove(&leak));
        assert_false(leak_remove(&leak));
        assert_int_equal(errno, ENOENT);
    }
}

/* Somebody made it before: to have it open is not to have left it. */
static void test_old_segment(void **state)
{
    struct scene *scene = *state;
    struct segment segment = {.keep_open = true};
    struct timespec older = {.tv_nsec = 200 * NS_PER_MS};
    struct leak leak = segment_leak(&segment);
    struct waiter waiter;

    snprintf(segment.name, sizeof segment.name, "/test_leaks-%ld-old", (long)getpid());
    assert_true(make_segment(&segment));
    nanosleep(&older, NULL); /* than the process to come, by more than clocks are coarse */
    waiter = start_waiter(make_segment, &segment);
    look(scene, waiter.id);
    assert_int_equal(scene->leaks.count, 1);
    assert_says(&scene->leaks.list[0], ", with shared memory '/test_leaks-");
    end_waiter(waiter);
    leak.what = str_of(segment.name);
    assert_false(leak_remove(&leak)); /* we have it open */
    assert_int_equal(errno, EBUSY);
    assert_int_equal(shm_unlink(segment.name), 0);
}

static bool make_memfd(void *user)
{
    (void)user;
    return memfd_create("buffers", 0) >= 0;
}

static void test_memfd(void **state)
{
    struct scene *scene = *state;
    struct waiter waiter = start_waiter(make_memfd, NULL);

    look(scene, waiter.id);
    end_waiter(waiter);
    assert_int_equal(scene->leaks.count, 1);
    assert_says(&scene->leaks.list[0], ", with memory file 'buffers'");
}

static bool attach(void *user)
{
    int *id = user;

    *id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    return *id >= 0 && shmat(*id, NULL, 0) != (void *)-1;
}

static void test_sysv_segment(void **state)
{
    struct scene *scene = *state;
    int *id = mmap(NULL, sizeof *id, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct waiter waiter;
    struct leak leak;
    char what[32];

    if (access("/proc/sysvipc/shm", R_OK) < 0)
        skip();
    waiter = start_waiter(attach, id);
    look(scene, waiter.id);
    snprintf(what, sizeof what, "shm:%d", *id);
    leak = *must_find(scene, LEAK_SHM, what);
    assert_int_equal(leak.number, *id);
    assert_int_equal(leak.pid, waiter.id.pid);
    assert_false(leak_remove(&leak));
    assert_int_equal(errno, EBUSY);
    end_waiter(waiter);
    assert_true(leak_remove(&leak));
    assert_false(leak_remove(&leak));
    assert_int_equal(errno, ENOENT);
    munmap(id, sizeof *id);
}

/* ---- removing ---- */

static struct leak socket_leak(const char *path)
{
    return (struct leak){.kind = LEAK_SOCKET, .what = str_of(path), .number = -1};
}

static void test_remove_socket(void **state)
{
    static const struct {
        int type;
        bool listens, full;
    } rows[] = {{SOCK_STREAM, true, false},
                {SOCK_STREAM, true, true},
                {SOCK_STREAM, false, false},
                {SOCK_DGRAM, false, false},
                {SOCK_SEQPACKET, true, false}};
    struct scene *scene = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        struct leak leak = socket_leak(address.sun_path);
        int fd, client = socket(AF_UNIX, rows[i].type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", scene->folder);
        leak.what = str_of(address.sun_path);
        fd = bind_unix(rows[i].type, address.sun_path, strlen(address.sun_path));
        assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        if (rows[i].listens)
            assert_int_equal(listen(fd, 0), 0);
        if (rows[i].full)
            assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
        if (leak_remove(&leak) || errno != EBUSY)
            fail_msg("row %zu: a socket that is somebody's was removed, or: %s", i, strerror(errno));
        if (rows[i].listens && !rows[i].full)
            assert_int_equal(accept(fd, NULL, NULL), -1); /* nobody had to know */
        close(client);
        close(fd);
        if (!leak_remove(&leak))
            fail_msg("row %zu: %s", i, strerror(errno));
        assert_int_equal(access(address.sun_path, F_OK), -1);
    }
}

/* A path may be longer than an address. */
static void test_remove_long_path(void **state)
{
    struct scene *scene = *state;
    char name[201], path[300];
    int before = open(".", O_PATH | O_CLOEXEC), fd;
    struct leak leak;

    memset(name, 'n', 200);
    name[200] = '\0';
    snprintf(path, sizeof path, "%s/%s", scene->folder, name);
    assert_int_equal(chdir(scene->folder), 0);
    fd = bind_unix(SOCK_STREAM, "short", 5);
    assert_int_equal(rename("short", name), 0);
    assert_int_equal(fchdir(before), 0);
    close(before);
    leak = socket_leak(path);
    assert_false(leak_remove(&leak));
    assert_int_equal(errno, EBUSY);
    close(fd);
    assert_true(leak_remove(&leak));
}

static void test_remove_refuses(void **state)
{
    struct scene *scene = *state;
    char file[100], link[100], fifo[100], socket_path[100];
    struct leak leaks[6];
    static const int errors[] = {ENOTSUP, ENOTSUP, ENOTSUP, ENOTSUP, ENOENT, EINVAL};

    snprintf(file, sizeof file, "%s/file", scene->folder);
    snprintf(link, sizeof link, "%s/link", scene->folder);
    snprintf(fifo, sizeof fifo, "%s/fifo", scene->folder);
    snprintf(socket_path, sizeof socket_path, "%s/socket", scene->folder);
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    close(bind_unix(SOCK_STREAM, socket_path, strlen(socket_path)));
    assert_int_equal(symlink("socket", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    leaks[0] = socket_leak(file);
    leaks[1] = socket_leak(link);
    leaks[2] = socket_leak(fifo);
    leaks[3] = (struct leak){.kind = LEAK_OUTSIDE_FILE, .what = str_of(file)};
    leaks[4] = socket_leak("/nowhere/at/all");
    leaks[5] = socket_leak("relative");
    for (size_t i = 0; i < ARRAY_LEN(leaks); i++)
        if (leak_remove(&leaks[i]) || errno != errors[i])
            fail_msg("row %zu: %s", i, strerror(errno));
    assert_int_equal(access(file, F_OK), 0);
    assert_int_equal(access(link, F_OK), 0);
    assert_int_equal(access(fifo, F_OK), 0);
}

/* To be root is no reason to remove what is others'. */
static void test_remove_of_others(void **state)
{
    struct scene *scene = *state;
    char path[100];
    struct leak leak;

    if (!can_be(NOBODY))
        skip();
    snprintf(path, sizeof path, "%s/socket", scene->folder);
    close(bind_unix(SOCK_STREAM, path, strlen(path)));
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    leak = socket_leak(path);
    assert_false(leak_remove(&leak));
    assert_int_equal(errno, EPERM);
    assert_int_equal(access(path, F_OK), 0);
}

/* ---- semaphores and queues ---- */

struct objects {
    int sem, msg;
    bool used;
};

static bool make_objects(void *user)
{
    struct objects *objects = user;
    struct {
        long type;
        char text[1];
    } message = {.type = 1};

    objects->sem = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600);
    objects->msg = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    if (objects->sem < 0 || objects->msg < 0)
        return false;
    return !objects->used ||
           (semctl(objects->sem, 1, SETVAL, 1) == 0 && msgsnd(objects->msg, &message, 1, IPC_NOWAIT) == 0);
}

/* Removed when all who are on record are dead; where nobody is on record, nobody knows. */
static void test_remove_objects(void **state)
{
    struct objects *objects =
        mmap(NULL, sizeof *objects, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (access("/proc/sysvipc/sem", R_OK) < 0)
        skip();
    for (int used = 0; used <= 1; used++) {
        char sem[32], msg[32];
        struct waiter waiter;
        struct leak leaks[2];

        objects->used = used;
        waiter = start_waiter(make_objects, objects);
        snprintf(sem, sizeof sem, "sem:%d", objects->sem);
        snprintf(msg, sizeof msg, "msg:%d", objects->msg);
        leaks[0] = (struct leak){.kind = LEAK_SHM, .what = str_of(sem), .number = objects->sem};
        leaks[1] = (struct leak){.kind = LEAK_SHM, .what = str_of(msg), .number = objects->msg};
        for (int i = 0; i < 2; i++) {
            assert_false(leak_remove(&leaks[i]));
            assert_int_equal(errno, EBUSY);
        }
        end_waiter(waiter);
        for (int i = 0; i < 2; i++)
            assert_int_equal(leak_remove(&leaks[i]), used);
        if (!used) {
            semctl(objects->sem, 0, IPC_RMID);
            msgctl(objects->msg, IPC_RMID, NULL);
        }
    }
    munmap(objects, sizeof *objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_policy_of_what_is_held),
        cmocka_unit_test(test_names),
#define X(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        X(test_process),
        X(test_zombie),
        X(test_no_budget),
        X(test_long_name),
        X(test_hostile_command),
        X(test_runaway),
        X(test_ports),
        X(test_not_listening),
        X(test_inherited_listener),
        X(test_other_network),
        X(test_unix_sockets),
        X(test_spellings),
        X(test_abstract_socket),
        X(test_segments),
        X(test_old_segment),
        X(test_memfd),
        X(test_sysv_segment),
        X(test_remove_socket),
        X(test_remove_long_path),
        X(test_remove_refuses),
        X(test_remove_of_others),
        X(test_remove_objects),
#undef X
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
