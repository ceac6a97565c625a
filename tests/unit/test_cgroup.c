#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/harness/cgroup_room.h"
#include "tests/unit/forks.h"
#include "tests/unit/somebody.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG        (30 * NS_PER_S)
#define SLOTS       11 /* "1" and "10" begin alike */
#define MEBIBYTE    ((size_t)1 << 20)
#define KIDS_LIVE   60 /* seconds; a hopper cannot be ended as the others are */
#define HOPPER_LIVE (LONG / NS_PER_S)

/* ---- which folder ---- */

#define LINE(root, point, kind, options) \
    "41 31 0:38 " root " " point " rw,relatime shared:9 - " kind " x " options "\n"
#define V2(root, point)          LINE(root, point, "cgroup2", "rw,nsdelegate")
#define V1(root, point, options) LINE(root, point, "cgroup", options)

static const struct {
    const char *mounts, *groups, *controller, *folder, *name; /* folder NULL: name is a part of the reason */
} places[] = {
    {V2("/", "/sys/fs/cgroup"), "0::/", "", "/sys/fs/cgroup", "/"},
    {V2("/", "/sys/fs/cgroup"), "0::/a/b.scope\n", "", "/sys/fs/cgroup/a/b.scope", "/a/b.scope"},
    {V2("/", "/sys/fs/cgroup"), "0::/a:b\n", "", "/sys/fs/cgroup/a:b", "/a:b"},
    {"31 23 0:28 / /proc rw - proc proc rw\n" V2("/", "/x"), "0::/a\n", "", "/x/a", "/a"},
    {V1("/", "/m", "rw,memory") V2("/", "/u"), "4:memory:/m1\n0::/a\n", "", "/u/a", "/a"},
    {V1("/", "/m", "rw,memory") V2("/", "/u"), "4:memory:/m1\n0::/a\n", "memory", "/m/m1", "/m1"},
    {V1("/", "/p", "rw,cpu,pids"), "4:cpu,pids:/a\n", "pids", "/p/a", "/a"},
    {V1("/", "/p", "rw,pidsx"), "4:pidsx:/a\n", "pids", NULL, "no pids is mounted"},
    {V1("/", "/s", "rw,name=systemd"), "1:name=systemd:/a\n0::/a\n", "", NULL, "no cgroup2 is mounted"},
    /* a mount that begins below the root, and groups that are or are not below it */
    {V2("/docker/7", "/c"), "0::/docker/7/a\n", "", "/c/a", "/docker/7/a"},
    {V2("/docker/7", "/c"), "0::/docker/7\n", "", "/c", "/docker/7"},
    {V2("/docker/7", "/c"), "0::/docker/77\n", "", NULL, "'/docker/77' is not below a mount of cgroup2"},
    {V2("/docker/7", "/c"), "0::/\n", "", NULL, "'/' is not below"},
    {V2("/docker/7", "/c") V2("/", "/d"), "0::/a\n", "", "/d/a", "/a"},
    /* one that begins above our namespace, and groups out of it */
    {V2("/..", "/c"), "0::/\n", "", NULL, "'/' is not below"},
    {V2("/..", "/c"), "0::/../b\n", "", "/c/b", "/../b"},
    {V2("/", "/c"), "0::/../b\n", "", NULL, "'/../b' is not below"},
    {V2("/", "/c\\040d\\134"), "0::/a\n", "", "/c d\\/a", "/a"},
    {V2("/r\\040s", "/c"), "0::/r s/a\n", "", "/c/a", "/r s/a"},
    {V2("/", "/c\\04"), "0::/a\n", "", "/c\\04/a", "/a"},
    {"", "0::/a\n", "", NULL, "no cgroup2 is mounted"},
    {V2("/", "/c"), "", "", NULL, "no cgroup2 is mounted"},
    {V2("/", "/c"), "0:\n\n:\n1::/b\n", "", NULL, "no cgroup2 is mounted"},
    {"cgroup2\n - cgroup2\n1 2 3 4\n", "0::/a\n", "", NULL, "no cgroup2"},
};

static void test_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct cgroup_place place = {0};
        struct buf why = {0};
        bool found = cgroup_locate(str_of(places[i].mounts), str_of(places[i].groups), places[i].controller,
                                   &place, &why);

        if (found != (places[i].folder != NULL))
            fail_msg("row %zu: %s", i, found ? place.folder : buf_text(&why));
        if (found && (strcmp(place.folder, places[i].folder) != 0 || strcmp(place.name, places[i].name) != 0))
            fail_msg("row %zu: '%s', '%s'", i, place.folder, place.name);
        if (!found && !strstr(buf_text(&why), places[i].name))
            fail_msg("row %zu: %s", i, buf_text(&why));
        cgroup_place_release(&place);
        buf_release(&why);
    }
}

/* ---- a machine that lets us ---- */

struct fixture {
    char *home;      /* where we were before; NULL: there is no version 2 */
    char *delegated; /* a group for us alone, as an ordinary user; NULL: we are at home */
    struct cgroups groups;
    bool open;
};

static char *here(void)
{
    struct cgroup_place place;
    struct buf why = {0};

    if (!cgroup_find("", &place, &why))
        print_message("%s\n", buf_text(&why));
    buf_release(&why);
    free(place.name);
    return place.folder;
}

static void enter(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || cgroup_put(fd, "cgroup.procs", "0") < 0)
        print_message("cannot enter '%s': %s\n", folder, strerror(errno));
    fd_close(&fd);
}

static void remove_now(const char *folder)
{
    while (rmdir(folder) < 0 && errno == EBUSY)
        continue;
}

/* Like fork. */
static pid_t clone_into(int folder)
{
    struct clone_args args = {.flags = CLONE_INTO_CGROUP, .cgroup = (unsigned)folder, .exit_signal = SIGCHLD};

    return (pid_t)syscall(SYS_clone3, &args, sizeof args);
}

static void reap(pid_t pid)
{
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int exit_code(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* By other means than those to be tested: where this works, they have to. */
static bool works_by_hand(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int killer = openat(fd, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    pid_t pid = killer < 0 ? -1 : clone_into(fd);

    if (pid == 0)
        _exit(0);
    if (pid > 0)
        reap(pid);
    fd_close(&killer);
    fd_close(&fd);
    return pid > 0;
}

static bool can_be_had(void)
{
    char *home = here();
    struct buf path = {0};
    bool can;

    if (!home)
        return false;
    buf_addf(&path, "%s/by-hand-%ld", home, (long)getpid());
    can = mkdir(buf_text(&path), 0777) == 0 && works_by_hand(buf_text(&path));
    remove_now(buf_text(&path));
    buf_release(&path);
    free(home);
    return can;
}

static void open_groups(struct fixture *f)
{
    char name[64];
    struct buf why = {0};

    if (!can_be_had()) {
        print_message("no control groups can be made here\n");
        skip();
    }
    snprintf(name, sizeof name, "run-matrix-test-%ld", (long)getpid());
    f->open = cgroups_open(&f->groups, name, SLOTS, &why);
    if (!f->open)
        fail_msg("%s", buf_text(&why));
    assert_int_equal(why.len, 0);
}

static void end_groups(struct fixture *f)
{
    assert_true(cgroups_end_all(&f->groups, LONG));
    assert_int_equal(access(f->groups.path, F_OK), -1);
    for (int i = 0; i < CGROUP_LIMIT_COUNT; i++)
        assert_true(!f->groups.legacy[i] || access(f->groups.legacy[i], F_OK) == -1);
    cgroups_close(&f->groups);
    f->open = false;
}

static int set_up(void **state)
{
    struct fixture *f = mem_zero(1, sizeof *f);

    f->home = here();
    *state = f;
    return 0;
}

static int give(const char *folder, const char *file)
{
    struct buf path = {0};
    int result;

    buf_addf(&path, "%s%s", folder, file);
    result = chown(buf_text(&path), NOBODY, NOBODY);
    buf_release(&path);
    return result;
}

/* A group of which we are the only process. It is as set_up where we are no root: then it may be given to us from outside. */
static int set_up_user(void **state)
{
    struct buf path = {0};
    struct fixture *f;

    set_up(state);
    f = *state;
    if (!can_be(NOBODY) || !f->home)
        return 0;
    buf_addf(&path, "%s/delegated-%ld", f->home, (long)getpid());
    if (mkdir(buf_text(&path), 0755) < 0) {
        buf_release(&path);
        return 0;
    }
    f->delegated = path.ptr;
    if (give(f->delegated, "") < 0 || give(f->delegated, "/cgroup.procs") < 0 ||
        give(f->delegated, "/cgroup.subtree_control") < 0)
        return -1;
    enter(f->delegated);
    return seteuid(NOBODY);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char *now;
    bool back;

    if (f->open)
        end_groups(f);
    now = here();
    back = !f->home || strcmp(now, f->delegated ? f->delegated : f->home) == 0;
    if (f->delegated) {
        back = seteuid(0) == 0 && back;
        enter(f->home);
        remove_now(f->delegated);
    }
    free(now);
    free(f->delegated);
    free(f->home);
    free(f);
    return back ? 0 : -1;
}

/* ---- making and ending ---- */

static void test_open_and_end(void **state)
{
    struct fixture *f = *state;
    int files = proc_count_fds(getpid());

    for (int i = 0; i < 3; i++) {
        char *in;

        open_groups(f);
        in = here();
        assert_true(str_starts(str_of(in), f->groups.path));
        assert_true(str_ends(str_of(in), "/harness"));
        free(in);
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            assert_true(cgroup_is_empty(&f->groups.slots[slot]));
        end_groups(f);
    }
    assert_int_equal(proc_count_fds(getpid()), files);
}

/* In a case of another run. */
static void test_nested(void **state)
{
    struct fixture *f = *state;
    struct cgroups inner;
    struct buf why = {0};

    open_groups(f);
    assert_true(cgroups_open(&inner, "run-matrix-inner", 1, &why));
    assert_true(str_starts(str_of(inner.path), f->groups.path));
    assert_true(cgroups_end_all(&inner, LONG));
    cgroups_close(&inner);
    end_groups(f);
}

/* Groups of ours, so that nobody else's are hit if one of them is taken for the group of a run after all. */
static void test_end_of_other_groups(void **state)
{
    static const struct {
        const char *name, *end;
    } rows[] = {{"strangers", ""}, {"run-matrix-strangers", "/"}};
    char *home;

    (void)state;
    if (!can_be_had())
        skip();
    home = here();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf path = {0};
        bool ended;

        buf_addf(&path, "%s/%s-%ld%s", home, rows[i].name, (long)getpid(), rows[i].end);
        assert_int_equal(mkdir(buf_text(&path), 0777), 0);
        ended = cgroups_end(buf_text(&path), 0);
        if (rmdir(buf_text(&path)) < 0 || ended)
            fail_msg("'%s' is taken for the group of a run", buf_text(&path));
        buf_release(&path);
    }
    free(home);
}

/* Not even when nobody can be in it. */
static void test_end_of_strangers(void **state)
{
    static const char *const paths[] = {"", "run-matrix-1"};
    char folder[] = "/tmp/run-matrix-XXXXXX";

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (cgroups_end(paths[i], 0))
            fail_msg("'%s' is taken for the group of a run", paths[i]);
    assert_non_null(mkdtemp(folder));
    assert_false(cgroups_end(folder, 0));
    assert_int_equal(rmdir(folder), 0);
    assert_true(cgroups_end(folder, 0));
}

/* One that is there until it is let go; a stranger is nobody's child by then. */
struct company {
    int go[2], gone[2];
    pid_t pid; /* of the child, or of who has made the stranger */
};

static void sit(const struct company *company)
{
    char c;

    _exit(read(company->go[0], &c, 1) == 0 ? 0 : 1);
}

static void have_company(struct company *company, bool stranger)
{
    assert_int_equal(pipe2(company->go, O_CLOEXEC), 0);
    assert_int_equal(pipe2(company->gone, O_CLOEXEC), 0);
    company->pid = must_fork();
    if (company->pid == 0) {
        close(company->go[1]);
        if (!stranger || must_fork() == 0)
            sit(company);
        _exit(0);
    }
    fd_close(&company->go[0]);
    fd_close(&company->gone[1]);
    if (stranger)
        reap(company->pid);
}

static void end_company(struct company *company, bool stranger)
{
    char c;

    fd_close(&company->go[1]);
    assert_int_equal(read(company->gone[0], &c, 1), 0); /* until nobody has the other end */
    fd_close(&company->gone[0]);
    if (!stranger)
        reap(company->pid);
}

static void test_end_with_company(void **state)
{
    struct fixture *f = *state;
    struct company company;

    open_groups(f);
    have_company(&company, true);
    assert_false(cgroups_end(f->groups.path, 0));
    assert_false(cgroups_end(f->groups.path, 20 * NS_PER_MS));
    end_company(&company, true);
    end_groups(f);
}

/* A keeper has to outlive the groups: were it ended before, nobody would remove them if we were killed just then. */
static void test_end_with_a_child(void **state)
{
    struct fixture *f = *state;
    struct company company;

    open_groups(f);
    have_company(&company, false);
    assert_true(cgroups_end(f->groups.path, 20 * NS_PER_MS));
    assert_int_equal(waitpid(company.pid, NULL, WNOHANG), 0);
    end_company(&company, false);
    end_groups(f);
}

static void test_refused(void **state)
{
    struct fixture *f = *state;
    struct cgroups groups;
    struct buf why = {0}, path = {0};

    if (!can_be(NOBODY) || !f->home)
        skip();
    buf_addf(&path, "%s/run-matrix-refused", f->home);
    assert_int_equal(seteuid(NOBODY), 0);
    assert_false(cgroups_open(&groups, "run-matrix-refused", 1, &why));
    assert_int_equal(seteuid(0), 0);
    assert_true(str_starts(buf_str(&why), "cannot make '/"));
    assert_true(str_find(buf_str(&why), "/run-matrix-refused': ", &(size_t){0}));
    assert_int_equal(access(buf_text(&path), F_OK), -1);
    buf_release(&why);
    buf_release(&path);
}

/* Groups can be made, but nobody may be moved: nothing is left of them. */
static void test_refused_half_way(void **state)
{
    struct fixture *f = *state;
    struct cgroups groups;
    struct buf why = {0}, path = {0};

    if (!f->delegated)
        skip();
    buf_addf(&path, "%s/cgroup.procs", f->delegated);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(chown(buf_text(&path), 0, 0), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    assert_false(cgroups_open(&groups, "run-matrix-half", 1, &why));
    assert_true(str_starts(buf_str(&why), "cannot enter '/"));
    assert_true(str_ends(buf_str(&why), "Permission denied"));
    buf_clear(&path);
    buf_addf(&path, "%s/run-matrix-half", f->delegated);
    assert_int_equal(access(buf_text(&path), F_OK), -1);
    buf_release(&why);
    buf_release(&path);
}

/* ---- who is in it ---- */

/* A group is left by the dying a moment after their descriptors are closed. */
static bool becomes_empty(const struct cgroup *group)
{
    for (nanos until = clock_now() + LONG; !cgroup_is_empty(group) && clock_now() < until;)
        nanosleep(&(struct timespec){.tv_nsec = NS_PER_MS}, NULL);
    return cgroup_is_empty(group);
}

static pid_t start_waiting(const struct cgroup *group)
{
    pid_t pid = clone_into(group->fd);

    if (pid == 0) {
        limit_life(KIDS_LIVE);
        for (;;)
            pause();
    }
    assert_true(pid > 0);
    return pid;
}

static void test_members(void **state)
{
    struct fixture *f = *state;
    struct cgroup *first, *second;
    struct proc_ids ids = {0};
    pid_t pid;

    open_groups(f);
    first = &f->groups.slots[1];
    second = &f->groups.slots[10];
    pid = start_waiting(second);
    assert_false(cgroup_is_empty(second));
    assert_true(cgroup_is_empty(first));
    assert_true(cgroup_holds(second, pid));
    assert_false(cgroup_holds(first, pid));
    assert_false(cgroup_holds(second, getpid()));
    assert_false(cgroup_holds(second, INT32_MAX));
    cgroup_procs(second, &ids);
    assert_int_equal(ids.count, 1);
    assert_int_equal(ids.list[0].pid, pid);
    assert_true(ids.list[0].start_ticks > 0);
    assert_true(cgroups_procs(f->groups.path, &ids));
    assert_int_equal(ids.count, 2);
    assert_false(cgroups_procs("/sys/fs/cgroup/run-matrix-test-none", &ids));
    proc_ids_release(&ids);
    cgroup_kill_all(second);
    reap(pid);
    end_groups(f);
}

/* Killed, and not reaped. */
static void test_zombie(void **state)
{
    struct fixture *f = *state;
    struct cgroup *group;
    struct proc_ids ids = {0};
    siginfo_t info;
    pid_t pid;

    open_groups(f);
    group = &f->groups.slots[0];
    pid = start_waiting(group);
    assert_int_equal(cgroup_kill_all(group), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_code, CLD_KILLED);
    assert_true(becomes_empty(group));
    cgroup_procs(group, &ids);
    assert_int_equal(ids.count, 0);
    assert_true(cgroup_holds(group, pid));
    end_groups(f);
    reap(pid);
}

/* ---- killing ---- */

static void stay(void)
{
    limit_life(KIDS_LIVE);
    signal(SIGTERM, SIG_IGN);
    for (;;)
        pause();
}

static void stop(void)
{
    limit_life(KIDS_LIVE);
    raise(SIGSTOP);
    stay();
}

static void daemonize(void)
{
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
}

static void storm(void)
{
    for (int i = 0; i < 100; i++)
        if (fork() == 0)
            stay();
}

/* Should the test go wrong it ends by itself: an alarm is not handed on to a child. */
static void hop(void)
{
    time_t end = time(NULL) + HOPPER_LIVE;

    setsid();
    while (time(NULL) < end)
        if (fork() > 0)
            _exit(0);
    _exit(0);
}

static const struct {
    const char *name;
    void (*before)(void), (*after)(void); /* it says that it is ready */
} kids[] = {
    {"plain", NULL, stay},  {"daemon", daemonize, stay}, {"stopped daemon", daemonize, stop},
    {"storm", storm, stay}, {"hopper", NULL, hop},
};

static void be_kid(size_t i, int ready)
{
    if (kids[i].before)
        kids[i].before();
    if (write(ready, "", 1) == 1)
        kids[i].after();
    _exit(1);
}

static void await(int fd, const char *kid, ssize_t expected)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char c;

    if (poll(&readable, 1, (int)(LONG / NS_PER_MS)) != 1 || read(fd, &c, 1) != expected)
        fail_msg("'%s' is not %s", kid, expected ? "ready" : "dead");
}

/* They hold the pipe, and nobody holds it when all of them are dead. */
static void run_kid(struct fixture *f, size_t i, void (*end)(struct fixture *f))
{
    int alive[2];
    pid_t pid;

    assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
    pid = clone_into(f->groups.slots[0].fd);
    if (pid == 0)
        be_kid(i, alive[1]);
    assert_true(pid > 0);
    fd_close(&alive[1]);
    await(alive[0], kids[i].name, 1);
    end(f);
    await(alive[0], kids[i].name, 0);
    fd_close(&alive[0]);
    reap(pid);
}

static void kill_slot(struct fixture *f)
{
    assert_int_equal(cgroup_kill_all(&f->groups.slots[0]), 0);
}

static void kill_by_path(struct fixture *f)
{
    cgroups_kill(f->groups.path);
    end_groups(f);
}

static void test_kill(void **state)
{
    struct fixture *f = *state;

    open_groups(f);
    for (size_t i = 0; i < ARRAY_LEN(kids); i++) {
        run_kid(f, i, kill_slot);
        if (!becomes_empty(&f->groups.slots[0]))
            fail_msg("'%s' is dead, and somebody is there", kids[i].name);
        assert_int_equal(cgroup_renew(&f->groups.slots[0]), 0);
    }
    end_groups(f);
}

static void test_end_kills(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(kids); i++) {
        open_groups(f);
        run_kid(f, i, end_groups);
        open_groups(f);
        run_kid(f, i, kill_by_path);
    }
}

/* A group that was killed is good for nobody any more; what is still in it when it is made anew is not forgotten. */
static void test_renew(void **state)
{
    struct fixture *f = *state;
    struct cgroup *group;
    pid_t old, new;

    open_groups(f);
    group = &f->groups.slots[3];
    assert_int_equal(cgroup_renew(group), 0);
    old = start_waiting(group);
    group->killed = true;
    assert_int_equal(cgroup_renew(group), 0);
    assert_false(group->killed);
    assert_true(cgroup_is_empty(group));
    assert_false(cgroup_holds(group, old));
    for (int i = 0; i < 3; i++) {
        new = clone_into(group->fd);
        if (new == 0)
            _exit(42);
        assert_int_equal(exit_code(new), 42);
        assert_int_equal(cgroup_kill_all(group), 0);
        assert_int_equal(cgroup_renew(group), 0);
    }
    assert_int_equal(waitpid(old, NULL, WNOHANG), 0);
    end_groups(f);
    reap(old);
}

/* ---- groups that a case makes ---- */

static void move_deeper(const struct cgroup *group)
{
    int inner;

    if (mkdirat(group->fd, "inner", 0777) < 0 || mkdirat(group->fd, "inner/most", 0777) < 0)
        _exit(1);
    inner = openat(group->fd, "inner/most", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (cgroup_put(inner, "cgroup.procs", "0") < 0)
        _exit(1);
}

static void test_groups_of_a_case(void **state)
{
    struct fixture *f = *state;
    const struct cgroup *group;
    struct proc_ids ids = {0};
    int ready[2];
    pid_t pid;

    open_groups(f);
    group = &f->groups.slots[0];
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid = clone_into(group->fd);
    if (pid == 0) {
        move_deeper(group);
        be_kid(0, ready[1]);
    }
    fd_close(&ready[1]);
    await(ready[0], "inner", 1);
    fd_close(&ready[0]);
    cgroup_procs(group, &ids);
    assert_int_equal(ids.count, 1);
    assert_int_equal(ids.list[0].pid, pid);
    assert_true(cgroup_holds(group, pid));
    assert_false(cgroup_is_empty(group));
    proc_ids_release(&ids);
    end_groups(f);
    reap(pid);
}

/* Nested deeper than a path can be long. */
static void test_deep(void **state)
{
    static const char name[] = "0123456789abcdef0123456789abcdef";
    struct fixture *f = *state;
    int at, next;

    open_groups(f);
    at = fcntl(f->groups.slots[0].fd, F_DUPFD_CLOEXEC, 0);
    for (size_t len = 0; len < 5000; len += sizeof name) {
        assert_int_equal(mkdirat(at, name, 0777), 0);
        next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        fd_close(&at);
        at = next;
    }
    fd_close(&at);
    end_groups(f);
}

/* ---- limits ---- */

/* In the group of a slot, and in those of version 1 where limits are there. */
static pid_t start_limited(const struct cgroup *group)
{
    pid_t pid = clone_into(group->fd);

    for (int i = 0; i < CGROUP_LIMIT_COUNT && pid == 0; i++)
        if (group->knobs[i].join >= 0 && write(group->knobs[i].join, "0", 1) < 0)
            _exit(99);
    return pid;
}

static void open_limited(struct fixture *f, enum cgroup_limit limit)
{
    open_groups(f);
    assert_true(cgroup_can_limit(&f->groups.slots[0], limit) == !f->groups.unlimited[limit]);
    if (!f->groups.unlimited[limit])
        return;
    print_message("no limit here: %s\n", f->groups.unlimited[limit]);
    end_groups(f);
    skip();
}

static int fork_up_to(int most)
{
    for (int count = 0; count < most; count++) {
        pid_t pid = fork();

        if (pid == 0)
            stay();
        if (pid < 0)
            return count;
    }
    return most;
}

/* Who has ended is counted until he is reaped, so orphans have to fall to us. */
static int forks_possible(struct cgroup *group)
{
    pid_t pid;
    int count;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = start_limited(group);
    if (pid == 0)
        _exit(fork_up_to(10));
    count = exit_code(pid);
    cgroup_kill_all(group);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    assert_int_equal(cgroup_renew(group), 0);
    return count;
}

static void test_limit_processes(void **state)
{
    struct fixture *f = *state;
    struct cgroup *group;

    open_limited(f, CGROUP_PROCESSES);
    group = &f->groups.slots[0];
    assert_int_equal(forks_possible(group), 10);
    assert_int_equal(cgroup_hits(group, CGROUP_PROCESSES), 0);
    assert_int_equal(cgroup_limit(group, CGROUP_PROCESSES, 4), 0);
    assert_true(group->limited[CGROUP_PROCESSES]);
    assert_int_equal(forks_possible(group), 3);
    assert_int_equal(cgroup_hits(group, CGROUP_PROCESSES), 1);
    assert_int_equal(cgroup_hits(&f->groups.slots[1], CGROUP_PROCESSES), 0);
    assert_int_equal(cgroup_limit(group, CGROUP_PROCESSES, UINT64_MAX), 0);
    assert_false(group->limited[CGROUP_PROCESSES]);
    assert_int_equal(forks_possible(group), 10);
    end_groups(f);
}

static void touch(size_t size)
{
    volatile char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED)
        _exit(98);
    for (size_t at = 0; at < size; at += 4096)
        memory[at] = 1;
}

static int use_memory(const struct cgroup *group, size_t size)
{
    pid_t pid = start_limited(group);

    if (pid == 0) {
        touch(size);
        _exit(0);
    }
    return exit_code(pid);
}

static void test_limit_memory(void **state)
{
    struct fixture *f = *state;
    struct cgroup *group;

    open_limited(f, CGROUP_MEMORY);
    group = &f->groups.slots[0];
    for (uint64_t round = 0; round < 3; round++) {
        assert_int_equal(use_memory(group, 96 * MEBIBYTE), 0);
        assert_int_equal(cgroup_limit(group, CGROUP_MEMORY, 64 * MEBIBYTE), 0);
        assert_int_equal(cgroup_limit(group, CGROUP_MEMORY, 48 * MEBIBYTE), 0);
        assert_int_equal(use_memory(group, 16 * MEBIBYTE), 0);
        assert_int_equal(cgroup_hits(group, CGROUP_MEMORY), round);
        assert_int_equal(use_memory(group, 96 * MEBIBYTE), 128 + SIGKILL);
        assert_int_equal(cgroup_hits(group, CGROUP_MEMORY), round + 1);
        assert_int_equal(cgroup_limit(group, CGROUP_MEMORY, UINT64_MAX), 0);
    }
    end_groups(f);
}

#define EITHER(name, test)                                    \
    {name, test, set_up, tear_down, NULL},                    \
    {                                                         \
        name " as a user", test, set_up_user, tear_down, NULL \
    }

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_end_of_strangers),
        cmocka_unit_test_setup_teardown(test_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refused_half_way, set_up_user, tear_down),
        EITHER("open and end", test_open_and_end),
        EITHER("nested", test_nested),
        EITHER("end of other groups", test_end_of_other_groups),
        EITHER("end with company", test_end_with_company),
        EITHER("end with a child", test_end_with_a_child),
        EITHER("members", test_members),
        EITHER("zombie", test_zombie),
        EITHER("kill", test_kill),
        EITHER("end kills", test_end_kills),
        EITHER("renew", test_renew),
        EITHER("groups of a case", test_groups_of_a_case),
        EITHER("deep", test_deep),
        EITHER("limit processes", test_limit_processes),
        EITHER("limit memory", test_limit_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
