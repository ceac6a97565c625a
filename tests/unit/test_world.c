#include "runner/leaks/leaks.h"

#include "runner/base/dir.h"
#include "runner/base/mem.h"
#include "tests/unit/forks.h"
#include "tests/unit/somebody.h"

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
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Others use /tmp, /dev/shm and System V while we are tested: no test counts what is there, each looks for
 * its own. The folder of a test is one that the world was told of.
 */
struct scene {
    char folder[64];
    struct arena arena;
    struct leak_list leaks;
    struct world *world;
};

static int set_up(void **state)
{
    struct scene *scene = mem_zero(1, sizeof *scene);
    const char *more[] = {scene->folder, "/nowhere", "relative"};

    strcpy(scene->folder, "/tmp/test_world-XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    scene->leaks.arena = &scene->arena;
    scene->world = world_new(more, ARRAY_LEN(more));
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    world_free(scene->world);
    dir_remove(AT_FDCWD, scene->folder);
    shm_unlink(strrchr(scene->folder, '/')); /* where a test failed half way */
    leak_list_release(&scene->leaks);
    arena_release(&scene->arena);
    free(scene);
    return 0;
}

/* Our names in a text that lasts as long as the scene. */
static const char *in_folder(struct scene *scene, const char *name)
{
    return arena_printf(&scene->arena, "%s/%s", scene->folder, name);
}

static void look(struct scene *scene, const struct proc_id *own)
{
    leak_list_release(&scene->leaks);
    world_look(scene->world, own, own ? 1 : 0, &scene->leaks);
}

static const struct leak *find(const struct scene *scene, enum leak_kind kind, const char *what)
{
    for (size_t i = 0; i < scene->leaks.count; i++)
        if (scene->leaks.list[i].kind == kind && str_is(scene->leaks.list[i].what, what))
            return &scene->leaks.list[i];
    return NULL;
}

/* How many are in the folder of the test. */
static size_t count_ours(const struct scene *scene)
{
    size_t count = 0;

    for (size_t i = 0; i < scene->leaks.count; i++)
        count += str_starts(scene->leaks.list[i].what, scene->folder);
    return count;
}

static void make_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static int make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

struct waiter {
    struct proc_id id;
    int input;
};

/* A process that has what we have now, and waits until it is told to end. */
static struct waiter start_waiter(void (*prepare)(const char *what), const char *what)
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
        if (prepare)
            prepare(what);
        if (write(out[1], &byte, 1) == 1 && read(in[0], &byte, 1) == 0)
            _exit(0);
        _exit(1);
    }
    close(in[0]);
    close(out[1]);
    assert_int_equal(read(out[0], &byte, 1), 1);
    close(out[0]);
    assert_int_equal(proc_stat_read(waiter.id.pid, &stat), 0);
    waiter.id.start_ticks = stat.start_ticks;
    waiter.input = in[1];
    return waiter;
}

static void end_waiter(struct waiter waiter)
{
    close(waiter.input);
    assert_true(waiter.id.pid > 0); /* -1 would be everybody */
    kill(waiter.id.pid, SIGKILL);   /* a later one holds the other end of its input too */
    assert_int_equal(waitpid(waiter.id.pid, NULL, 0), waiter.id.pid);
}

/* ---- files ---- */

static void test_new_files(void **state)
{
    struct scene *scene = *state;
    const char *file = in_folder(scene, "file"), *folder = in_folder(scene, "folder");
    const char *link = in_folder(scene, "link"), *fifo = in_folder(scene, "fifo");

    look(scene, NULL);
    assert_int_equal(count_ours(scene), 0);
    make_file(file);
    assert_int_equal(mkdir(folder, 0700), 0);
    make_file(in_folder(scene, "folder/below"));
    assert_int_equal(symlink("/", link), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_true(world_changed(scene->world));
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 4);
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, file));
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, folder));
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, link));
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, fifo));
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 0); /* once */
}

static void test_hostile_name(void **state)
{
    struct scene *scene = *state;
    const char *file = in_folder(scene, "a\x1b[2J\n\xFF");
    const struct leak *leak;

    make_file(file);
    look(scene, NULL);
    leak = find(scene, LEAK_OUTSIDE_FILE, file);
    assert_non_null(leak);
    assert_true(str_ends(leak->words, "/a\\x1b[2J\\n\\xff"));
}

static void test_of_others(void **state)
{
    struct scene *scene = *state;
    const char *file = in_folder(scene, "file"), *path = in_folder(scene, "socket");

    if (!can_be(NOBODY))
        skip();
    make_file(file);
    close(make_socket(path));
    assert_int_equal(chown(file, NOBODY, NOBODY), 0);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 0);
}

static void test_left_out(void **state)
{
    struct scene *scene = *state;

    world_leave_out(scene->world, in_folder(scene, "ours/"));
    world_leave_out(scene->world, in_folder(scene, "rm-??"));
    world_leave_out(scene->world, in_folder(scene, "folder/./ours"));
    world_leave_out(scene->world, "/nowhere/at/all");
    assert_int_equal(mkdir(in_folder(scene, "ours"), 0700), 0);
    assert_int_equal(mkdir(in_folder(scene, "rm-ab"), 0700), 0);
    assert_int_equal(mkdir(in_folder(scene, "rm-abc"), 0700), 0);
    assert_int_equal(mkdir(in_folder(scene, "ours2"), 0700), 0);
    close(make_socket(in_folder(scene, "ours/s")));
    close(make_socket(in_folder(scene, "rm-ab/s")));
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 2);
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, in_folder(scene, "rm-abc")));
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, in_folder(scene, "ours2")));
}

/* A change within one tick of the file system's clock leaves its time as it was. */
static void test_quick_changes(void **state)
{
    struct scene *scene = *state;

    for (int i = 0; i < 500; i++) {
        const char *file = arena_printf(&scene->arena, "%s/%d", scene->folder, i);

        make_file(file);
        if (!world_changed(scene->world))
            fail_msg("file %d is not seen", i);
        look(scene, NULL);
        if (!find(scene, LEAK_OUTSIDE_FILE, file))
            fail_msg("file %d is not found", i);
    }
}

/* It comes to rest: somewhen nobody else does anything for longer than a tick. */
static void test_rest(void **state)
{
    struct scene *scene = *state;
    nanos end = clock_now() + 60 * NS_PER_S;
    bool changed = true;

    while (changed && clock_now() < end) {
        look(scene, NULL);
        changed = world_changed(scene->world);
    }
    assert_false(changed);
}

static void test_too_many_names(void **state)
{
    struct scene *scene = *state;
    const char *many = in_folder(scene, "many");
    struct world *world;
    int at;

    assert_int_equal(mkdir(many, 0700), 0);
    at = open(many, O_PATH | O_CLOEXEC);
    world = world_new(&many, 1);
    for (int i = 0; i <= 20000; i++) {
        char name[16];

        snprintf(name, sizeof name, "%d", i);
        assert_int_equal(mknodat(at, name, S_IFREG | 0600, 0), 0);
    }
    leak_list_release(&scene->leaks);
    world_look(world, NULL, 0, &scene->leaks);
    assert_int_equal(count_ours(scene), 0);
    assert_int_equal(unlinkat(at, "0", 0), 0);
    world_look(world, NULL, 0, &scene->leaks);
    assert_int_equal(count_ours(scene), 0); /* not new, only known at last */
    assert_int_equal(mknodat(at, "0", S_IFREG | 0600, 0), 0);
    assert_int_equal(unlinkat(at, "1", 0), 0);
    world_look(world, NULL, 0, &scene->leaks);
    assert_int_equal(count_ours(scene), 1);
    world_free(world);
    close(at);
}

/* ---- sockets ---- */

static void test_dead_socket(void **state)
{
    struct scene *scene = *state;
    const char *path = in_folder(scene, "socket");
    const struct leak *leak;

    close(make_socket(path));
    look(scene, NULL);
    leak = find(scene, LEAK_SOCKET, path);
    assert_non_null(leak);
    assert_int_equal(leak->pid, 0);
    assert_int_equal(count_ours(scene), 1);
    assert_true(leak_remove(leak));
    assert_int_equal(access(path, F_OK), -1);
}

/* Of somebody outside: left out while it lives, told of when it left the file. */
static void test_outsiders_socket(void **state)
{
    struct scene *scene = *state;
    const char *path = in_folder(scene, "socket");
    int fd = make_socket(path);
    struct waiter outsider = start_waiter(NULL, NULL);

    close(fd);
    for (int i = 0; i < 3; i++) {
        look(scene, NULL);
        assert_int_equal(count_ours(scene), 0);
    }
    assert_int_equal(access(path, F_OK), 0);
    end_waiter(outsider);
    assert_true(world_changed(scene->world));
    look(scene, NULL);
    assert_non_null(find(scene, LEAK_SOCKET, path));
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 0);
}

static void test_outsider_cleans_up(void **state)
{
    struct scene *scene = *state;
    const char *path = in_folder(scene, "socket");
    int fd = make_socket(path);

    look(scene, NULL);
    close(fd);
    assert_int_equal(unlink(path), 0);
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 0);
}

static void test_own_socket(void **state)
{
    struct scene *scene = *state;
    const char *path = in_folder(scene, "socket");
    int fd = make_socket(path);
    struct waiter own = start_waiter(NULL, NULL);
    const struct leak *leak;
    size_t before;

    close(fd);
    look(scene, &own.id);
    leak = find(scene, LEAK_SOCKET, path);
    assert_non_null(leak);
    assert_int_equal(leak->pid, own.id.pid);
    before = scene->leaks.count;
    world_look(scene->world, &own.id, 1,
               &scene->leaks); /* what is in the list already comes no second time */
    assert_int_equal(count_ours(scene), 1);
    assert_true(scene->leaks.count >= before);
    end_waiter(own);
}

/* In folders that are new, to a depth; not where a link leads, nor in another file system. */
static void test_nested_sockets(void **state)
{
    struct scene *scene = *state;
    static const char *const folders[] = {"1", "1/2", "1/2/3", "1/2/3/4"};
    static const char *const sockets[] = {"1/s", "1/2/s", "1/2/3/s", "1/2/3/4/s"};

    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        assert_int_equal(mkdir(in_folder(scene, folders[i]), 0700), 0);
        close(make_socket(in_folder(scene, sockets[i])));
    }
    assert_int_equal(symlink("1", in_folder(scene, "link")), 0);
    assert_int_equal(symlink("..", in_folder(scene, "1/loop")), 0);
    look(scene, NULL);
    for (size_t i = 0; i < 3; i++)
        if (!find(scene, LEAK_SOCKET, in_folder(scene, sockets[i])))
            fail_msg("'%s' is not found", sockets[i]);
    assert_null(find(scene, LEAK_SOCKET, in_folder(scene, sockets[3])));
    assert_int_equal(count_ours(scene), 5); /* three sockets, a folder and a link */
}

static void test_mounts(void **state)
{
    struct scene *scene = *state;
    const char *mounted = in_folder(scene, "mounted"), *nested = in_folder(scene, "new/mounted");

    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    world_free(scene->world); /* its folders are open in the namespace that we have left */
    scene->world = world_new((const char *[]){scene->folder}, 1);
    assert_int_equal(mkdir(mounted, 0700), 0);
    assert_int_equal(mkdir(in_folder(scene, "new"), 0700), 0);
    assert_int_equal(mkdir(nested, 0700), 0);
    if (mount("none", mounted, "tmpfs", 0, NULL) < 0)
        skip();
    assert_int_equal(mount("none", nested, "tmpfs", 0, NULL), 0);
    close(make_socket(in_folder(scene, "mounted/s")));
    close(make_socket(in_folder(scene, "new/mounted/s")));
    look(scene, NULL);
    assert_int_equal(umount(mounted), 0);
    assert_int_equal(umount(nested), 0);
    assert_int_equal(count_ours(scene), 1);
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, in_folder(scene, "new")));
}

/* ---- shared memory ---- */

static void map_segment(const char *name)
{
    int fd = shm_open(name, O_RDWR, 0);

    if (fd < 0 || mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED)
        _exit(2);
    close(fd);
}

static void make_segment(const char *name)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    close(fd);
}

static void test_segment(void **state)
{
    struct scene *scene = *state;
    const char *name = strrchr(scene->folder, '/');
    const struct leak *leak;

    make_segment(name);
    look(scene, NULL);
    leak = find(scene, LEAK_SHM, name);
    assert_non_null(leak);
    assert_int_equal(leak->pid, 0);
    assert_int_equal(leak->number, -1);
    assert_true(leak_remove(leak));
}

static void test_held_segment(void **state)
{
    struct scene *scene = *state;
    const char *name = strrchr(scene->folder, '/');
    struct waiter outsider, own;

    make_segment(name);
    outsider = start_waiter(map_segment, name);
    own = start_waiter(map_segment, name);
    look(scene, &own.id);
    assert_null(find(scene, LEAK_SHM, name)); /* two have it, and one is not ours */
    end_waiter(outsider);
    assert_true(world_changed(scene->world));
    look(scene, &own.id);
    assert_non_null(find(scene, LEAK_SHM, name));
    assert_int_equal(find(scene, LEAK_SHM, name)->pid, own.id.pid);
    assert_false(leak_remove(find(scene, LEAK_SHM, name)));
    assert_int_equal(errno, EBUSY);
    end_waiter(own);
    assert_true(leak_remove(find(scene, LEAK_SHM, name)));
}

static void attach(const char *id)
{
    if (shmat(atoi(id), NULL, 0) == (void *)-1)
        _exit(2);
}

static void test_sysv(void **state)
{
    struct scene *scene = *state;
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    const char *number = arena_printf(&scene->arena, "%d", id);
    const char *what = arena_printf(&scene->arena, "shm:%d", id);
    struct proc_id us = {.pid = getpid()};
    struct proc_stat stat;
    struct waiter outsider;

    if (access("/proc/sysvipc/shm", R_OK) < 0)
        skip();
    assert_int_equal(proc_stat_read(getpid(), &stat), 0);
    us.start_ticks = stat.start_ticks;
    assert_true(world_changed(scene->world));
    look(scene, NULL);
    assert_null(find(scene, LEAK_SHM, what)); /* its maker, we, is alive */
    outsider = start_waiter(attach, number);
    look(scene, &us);
    assert_null(find(scene, LEAK_SHM, what));
    end_waiter(outsider);
    assert_true(world_changed(scene->world));
    look(scene, &us);
    assert_non_null(find(scene, LEAK_SHM, what));
    assert_int_equal(find(scene, LEAK_SHM, what)->number, id);
    look(scene, &us);
    assert_null(find(scene, LEAK_SHM, what));
    assert_int_equal(shmctl(id, IPC_RMID, NULL), 0);
}

/* ---- on record ---- */

static struct world *write_and_read(struct scene *scene)
{
    struct buf text = {0};
    struct json_writer json = {.out = &text};
    struct world *world;

    world_write(scene->world, &json);
    world = world_read(buf_str(&text), &scene->arena);
    buf_release(&text);
    return world;
}

static void test_record(void **state)
{
    struct scene *scene = *state;
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    struct world *first = scene->world;

    make_file(in_folder(scene, "old"));
    look(scene, NULL);
    world_leave_out(scene->world, in_folder(scene, "ours"));
    scene->world = write_and_read(scene);
    world_free(first);
    assert_non_null(scene->world);
    make_file(in_folder(scene, "new"));
    make_file(in_folder(scene, "ours"));
    assert_true(world_changed(scene->world));
    look(scene, NULL);
    assert_int_equal(count_ours(scene), 1);
    assert_non_null(find(scene, LEAK_OUTSIDE_FILE, in_folder(scene, "new")));
    assert_null(find(scene, LEAK_SHM, arena_printf(&scene->arena, "shm:%d", id)));
    shmctl(id, IPC_RMID, NULL);
}

static void test_folder_gone(void **state)
{
    struct scene *scene = *state;
    struct world *world;

    assert_int_equal(rmdir(scene->folder), 0);
    world = write_and_read(scene);
    assert_non_null(world);
    world_free(world);
}

static void test_bad_record(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "{\"objects\":\"\"",
        "{\"objects\":\"0\"}",
        "{\"objects\":\"000000000000000g\"}",
        "{\"objects\":\"-000000000000001\"}",
        "{\"objects\":\"\",\"folders\":[{\"known\":\"\"}]}",
        "{\"objects\":\"\",\"folders\":[{\"path\":\"/tmp\",\"known\":\"1\"}]}",
    };
    static const char good[] =
        "{\"objects\":\"\",\"folders\":[{\"path\":\"/tmp\",\"known\":\"0123456789abcdef\"},"
        "{\"path\":\"/tmp\",\"known\":\"\"},{\"path\":\"x\",\"known\":\"\"}],\"later\":{\"x\":[1,\"y\"]}}";
    struct scene *scene = *state;
    struct world *world;

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (world_read(str_of(texts[i]), &scene->arena))
            fail_msg("'%s' is read", texts[i]);
    world = world_read(str_of(good), &scene->arena);
    assert_non_null(world);
    world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define X(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
        X(test_new_files),
        X(test_hostile_name),
        X(test_of_others),
        X(test_left_out),
        X(test_quick_changes),
        X(test_rest),
        X(test_too_many_names),
        X(test_dead_socket),
        X(test_outsiders_socket),
        X(test_outsider_cleans_up),
        X(test_own_socket),
        X(test_nested_sockets),
        X(test_segment),
        X(test_held_segment),
        X(test_sysv),
        X(test_record),
        X(test_folder_gone),
        X(test_bad_record),
        X(test_mounts), /* last: it leaves our mount namespace */
#undef X
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
