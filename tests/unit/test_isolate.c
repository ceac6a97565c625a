/* Processes with a network, a /tmp and an IPC namespace of their own. */
#include "runner/base/proc.h"
#include "tests/unit/spawn_bench.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SOON (20 * NS_PER_S)
#define KEY  0x726d7473 /* of a segment of ours */

/* Folders that a process gets as its /tmp and /dev/shm, and whether it is in an anchor's namespace too. */
struct isolated {
    struct bench *bench;
    struct anchor anchor;
    struct spawn_room room;
    char tmp[64], shm[64];
    int ipc;
};

/* ---- what is run inside, by this program itself ---- */

static int say_network(void)
{
    struct sockaddr_in nobody = {.sin_family = AF_INET, .sin_port = htons(1)};
    struct if_nameindex *interfaces = if_nameindex();
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    nobody.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; interfaces[i].if_name; i++)
        printf("%s ", interfaces[i].if_name);
    if_freenameindex(interfaces);
    printf("%s\n", connect(fd, (struct sockaddr *)&nobody, sizeof nobody) < 0 ? strerrorname_np(errno) : "?");
    return 0;
}

static int leave_segment(void)
{
    return shmget(KEY, 4096, IPC_CREAT | IPC_EXCL | 0600) < 0;
}

static int do_nothing(void)
{
    return 0;
}

static const struct {
    const char *name;
    int (*run)(void);
} inside[] = {{"network", say_network}, {"segment", leave_segment}, {"nothing", do_nothing}};

#define SELF(name) ARGV(word("/proc/self/exe"), word(name))

/* ---- fixture ---- */

static void make_folder(char path[64])
{
    snprintf(path, 64, "/tmp/isolate-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static bool isolated_open(struct isolated *i, struct bench *bench, unsigned what, bool anchored)
{
    *i = (struct isolated){.bench = bench, .ipc = -1, .room = {.isolate = what}};
    if (anchored && anchor_start(&i->anchor) < 0)
        return false;
    make_folder(i->tmp);
    make_folder(i->shm);
    i->room.anchor = anchored ? &i->anchor : NULL;
    i->room.tmp = i->tmp;
    i->room.shm = i->shm;
    i->room.ipc = &i->ipc;
    return true;
}

static void isolated_close(struct isolated *i)
{
    fd_close(&i->ipc);
    assert_int_equal(rmdir(i->tmp) | rmdir(i->shm), 0); /* and nothing was left in them */
    if (i->room.anchor)
        assert_true(anchor_end(&i->anchor, SOON));
}

static void check_mounts(const char *before)
{
    struct buf after = {0};

    assert_int_equal(file_read("/proc/self/mountinfo", &after, 1 << 20), 0);
    assert_string_equal(buf_text(&after), before);
    buf_release(&after);
}

/* With an anchor and without; nothing is to be left of it, and nothing to be seen outside. */
static void each_way(struct bench *bench, unsigned what, void (*test)(struct isolated *i))
{
    struct buf why = {0}, mounts = {0};

    if (!isolate_probe(what, &why)) {
        print_message("%s\n", buf_text(&why));
        buf_release(&why);
        skip();
    }
    assert_int_equal(file_read("/proc/self/mountinfo", &mounts, 1 << 20), 0);
    for (int anchored = 0; anchored < 2; anchored++) {
        int before = proc_count_fds(getpid());
        struct isolated i;

        if (!isolated_open(&i, bench, what, anchored))
            continue;
        test(&i);
        isolated_close(&i);
        assert_int_equal(proc_count_fds(getpid()), before);
        assert_true(waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD);
        assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
    }
    check_mounts(buf_text(&mounts));
    buf_release(&mounts);
}

#define ISOLATE_TEST(what, name)          \
    static void name(struct isolated *i); \
    static void test_##name(void **state) \
    {                                     \
        each_way(*state, what, name);     \
    }                                     \
    static void name(struct isolated *i)

static struct spawn_spec spec_in(const struct isolated *i, char *const argv[])
{
    struct spawn_spec spec = spec_of(i->bench, argv);

    spec.room = &i->room;
    return spec;
}

/* ---- tests ---- */

/* What it left of its IPC namespace is the caller's to close before the next. */
static bool runs(struct isolated *i, const struct spawn_spec *spec, int status)
{
    fd_close(&i->ipc);
    return start(i->bench, spec) && exits_with(&i->bench->process, status);
}

ISOLATE_TEST(SPAWN_ISOLATE_NET, network)
{
    struct spawn_spec spec = spec_in(i, SELF("network"));

    assert_true(prints(i->bench, &spec, "lo ECONNREFUSED\n"));
    assert_int_equal(i->ipc, -1);
}

ISOLATE_TEST(SPAWN_ISOLATE_FILES, files)
{
    struct spawn_spec spec = spec_in(i, SHELL("cd /tmp; echo *; echo >isolate-x; echo >/dev/shm/isolate-y"));
    char left[2][80];

    snprintf(left[0], sizeof left[0], "%s/isolate-x", i->tmp);
    snprintf(left[1], sizeof left[1], "%s/isolate-y", i->shm);
    assert_true(prints(i->bench, &spec, "*\n"));
    assert_int_equal(access("/tmp/isolate-x", F_OK) & access("/dev/shm/isolate-y", F_OK), -1);
    assert_int_equal(unlink(left[0]) | unlink(left[1]), 0);
}

/* A folder below /tmp that stays where it is, when there is a place for it. */
ISOLATE_TEST(SPAWN_ISOLATE_FILES, kept_folder)
{
    struct spawn_spec spec = spec_in(i, SHELL("pwd; cat file; echo more >>file; cd ..; echo *"));
    char kept[64], file[80], place[128], expected[160];
    struct buf text = {0};

    make_folder(kept);
    snprintf(file, sizeof file, "%s/file", kept);
    snprintf(place, sizeof place, "%s/%s", i->tmp, strrchr(kept, '/') + 1);
    snprintf(expected, sizeof expected, "%s\nkept\n%s\n", kept, strrchr(kept, '/') + 1);
    assert_int_equal(file_write(file, (struct str)STR("kept\n")), 0);
    i->room.kept = spec.cwd = kept;
    assert_false(start(i->bench, &spec));
    assert_int_equal(i->bench->error.stage, SPAWN_STAGE_ISOLATE);
    assert_int_equal(i->bench->error.error, ENOENT);

    assert_int_equal(mkdir(place, 0700), 0);
    assert_true(prints(i->bench, &spec, expected));
    assert_int_equal(rmdir(place), 0); /* what was written is not in here */
    assert_int_equal(file_read(file, &text, 64), 0);
    assert_string_equal(buf_text(&text), "kept\nmore\n");
    assert_int_equal(unlink(file) | rmdir(kept), 0);
    buf_release(&text);
}

static void check_words(const struct isolated *i, const struct spawn_spec *spec, const char *expected)
{
    struct buf words = {0};

    spawn_error_words(&words, i->bench->error, spec);
    if (!strstr(buf_text(&words), expected))
        fail_msg("'%s' does not say '%s'", buf_text(&words), expected);
    buf_release(&words);
}

ISOLATE_TEST(SPAWN_ISOLATE_FILES, covered_folder)
{
    struct spawn_spec spec = spec_in(i, SELF("nothing"));

    spec.cwd = i->tmp;
    assert_true(runs(i, &spec, 127));
    assert_int_equal(phase(i->bench), SPAWN_FAILED);
    assert_int_equal(i->bench->error.stage, SPAWN_STAGE_CWD);
    check_words(i, &spec, "No such file or directory (with files isolated it has a /tmp");
    spec.path = i->tmp;
    spec.cwd = NULL;
    assert_true(runs(i, &spec, 127));
    assert_int_equal(phase(i->bench), SPAWN_FAILED);
    check_words(i, &spec, "No such file or directory (with files isolated it has a /tmp");
}

ISOLATE_TEST(SPAWN_ISOLATE_FILES, missing_folder)
{
    struct spawn_spec spec = spec_in(i, SELF("nothing"));

    i->room.shm = "/nowhere";
    assert_false(start(i->bench, &spec));
    assert_int_equal(i->bench->error.stage, SPAWN_STAGE_ISOLATE);
    assert_int_equal(i->bench->error.error, ENOENT);
    assert_int_equal(i->ipc, -1);
    i->room.shm = NULL; /* ours */
    assert_true(runs(i, &spec, 0));
}

static bool has_segment(struct buf *tables)
{
    char key[16];

    snprintf(key, sizeof key, "%d", KEY);
    return strstr(buf_text(tables), key) != NULL;
}

/* It outlives the process, until nobody has its namespace open. */
ISOLATE_TEST(SPAWN_ISOLATE_FILES, segment)
{
    struct spawn_spec spec = spec_in(i, SELF("segment"));
    struct buf tables = {0}, ours = {0};

    for (int round = 0; round < 2; round++) {
        assert_true(runs(i, &spec, 0));
        assert_true(i->ipc >= 0 && fcntl(i->ipc, F_GETFD) & FD_CLOEXEC);
        buf_clear(&tables);
        assert_int_equal(isolate_ipc_look(i->ipc, &tables), 0);
        assert_true(has_segment(&tables));
        assert_non_null(strstr(buf_text(&tables), "semid"));
        assert_non_null(strstr(buf_text(&tables), "msqid"));
    }
    assert_int_equal(file_read("/proc/sysvipc/shm", &ours, 1 << 20), 0);
    assert_false(has_segment(&ours));
    buf_release(&tables);
    buf_release(&ours);
}

static void test_no_namespace(void **state)
{
    struct bench *bench = *state;
    struct buf tables = {0};

    assert_int_equal(isolate_ipc_look(bench->null, &tables), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(isolate_ipc_look(-1, &tables), -1);
    assert_int_equal(errno, EBADF);
    buf_release(&tables);
}

ISOLATE_TEST(SPAWN_ISOLATE_NET | SPAWN_ISOLATE_FILES, everything)
{
    struct spawn_spec spec = spec_in(i, SELF("network"));

    for (int round = 0; round < 20; round++) {
        fd_close(&i->ipc);
        assert_true(prints(i->bench, &spec, "lo ECONNREFUSED\n"));
    }
}

/* Whoever is left there keeps it, in the anchor's PID namespace too: it is ours to see, and to end. */
ISOLATE_TEST(SPAWN_ISOLATE_NET | SPAWN_ISOLATE_FILES, left_behind)
{
    struct spawn_spec spec = spec_in(i, SHELL("setsid sleep 1000 & echo $!"));
    struct buf out = {0};
    pid_t daemon;

    assert_true(runs(i, &spec, 0));
    if (i->room.anchor) {
        assert_false(anchor_is_empty(&i->anchor, 0));
        return;
    }
    take_output(i->bench->out, &out);
    daemon = (pid_t)strtol(buf_text(&out), NULL, 10);
    assert_true(daemon > 1 && kill(daemon, SIGKILL) == 0);
    buf_release(&out);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_network),        BENCH_TEST(test_files),          BENCH_TEST(test_kept_folder),
        BENCH_TEST(test_covered_folder), BENCH_TEST(test_missing_folder), BENCH_TEST(test_segment),
        BENCH_TEST(test_no_namespace),   BENCH_TEST(test_everything),     BENCH_TEST(test_left_behind),
    };

    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(inside); i++)
        if (strcmp(argv[1], inside[i].name) == 0)
            return inside[i].run();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
