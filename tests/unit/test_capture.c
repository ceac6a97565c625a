#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/harness/harness.h"
#include "tests/unit/name_space.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* A run folder with its captures; every test leaves it as it found it but for what it says it keeps. */
struct scratch {
    char path[64];
    int run, fds_before;
    struct faults faults;
    struct capture_room *room;
};

static void set_fault(struct scratch *scratch, enum fault fault, int error, uint32_t first, uint32_t times)
{
    scratch->faults.any = true;
    scratch->faults.plans[fault] =
        (struct fault_plan){.set = true, .first = first, .times = times, .error = error};
}

static int setup(void **state)
{
    struct scratch *scratch = mem_zero(1, sizeof *scratch);

    scratch->fds_before = proc_count_fds(getpid());
    strcpy(scratch->path, "/tmp/test_capture-XXXXXX");
    if (!mkdtemp(scratch->path))
        return -1;
    scratch->run = dir_open(AT_FDCWD, scratch->path);
    scratch->room = capture_room_new(scratch->run, &scratch->faults);
    *state = scratch;
    return scratch->run < 0 || !scratch->room;
}

/* As on a file system that does not know O_TMPFILE. */
static int setup_spare(void **state)
{
    int result = setup(state);

    set_fault(*state, FAULT_CAPTURE, EOPNOTSUPP, 1, 1);
    return result;
}

static int teardown(void **state)
{
    struct scratch *scratch = *state;
    int left;

    capture_room_free(scratch->room);
    if (faccessat(scratch->run, "spare", F_OK, 0) == 0) {
        print_error("files are left in 'spare'\n");
        return -1;
    }
    close(scratch->run);
    left = proc_count_fds(getpid()) - scratch->fds_before;
    if (left != 0 || dir_remove(AT_FDCWD, scratch->path) < 0) {
        print_error("%d descriptors are open, or '%s' is not removed\n", left, scratch->path);
        return -1;
    }
    free(scratch);
    return 0;
}

static struct capture_room *room_of(void **state)
{
    return ((struct scratch *)*state)->room;
}

static int run_of(void **state)
{
    return ((struct scratch *)*state)->run;
}

static bool exists(int at, const char *path)
{
    return faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Names in the run folder that a person would find there. */
static size_t count_names(int run)
{
    struct arena arena = {0};
    struct str *names;
    size_t count, hidden = 0;

    assert_int_equal(dir_list(run, ".", &arena, &names, &count), 0);
    for (size_t i = 0; i < count; i++)
        hidden += str_is(names[i], "spare");
    arena_release(&arena);
    return count - hidden;
}

static void put(int fd, const char *text)
{
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
}

static void assert_content(int run, const char *path, const char *wanted)
{
    struct buf content = {0};
    int fd = openat(run, path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fd_read_all(fd, &content, 1 << 20) < 0 || !str_is(buf_str(&content), wanted))
        fail_msg("'%s' holds '%s', not '%s' (%s)", path, buf_text(&content), wanted, strerror(errno));
    close(fd);
    buf_release(&content);
}

/* ---- modes ---- */

static void test_words(void **state)
{
    enum capture_mode mode;

    (void)state;
    for (int i = 0; i < CAPTURE_MODE_COUNT; i++) {
        mode = CAPTURE_MODE_COUNT;
        assert_true(capture_find(str_of(capture_word((enum capture_mode)i)), &mode));
        assert_int_equal(mode, i);
    }
    assert_false(capture_find(str_of("f"), &mode));
    assert_false(capture_find(str_of(""), &mode));
    for (int module = 0; module < 2; module++) {
        assert_null(capture_unsupported(CAPTURE_FD, module));
        assert_null(capture_unsupported(CAPTURE_PIPE, module));
        assert_null(capture_unsupported(CAPTURE_PTY, module));
    }
    assert_null(capture_unsupported(CAPTURE_SYS, true));
    assert_null(capture_unsupported(CAPTURE_TEE_SYS, true));
    assert_non_null(capture_unsupported(CAPTURE_SYS, false));
    assert_non_null(capture_unsupported(CAPTURE_TEE_SYS, false));
}

static void test_modes(void **state)
{
    static const struct {
        enum capture_mode mode;
        const char *words[CAPTURE_FILES_MOST];
        bool same, given;
    } rows[] = {
        {CAPTURE_SYS, {"stdout", "stderr", "descriptors"}, true, false},
        {CAPTURE_TEE_SYS, {"stdout", "stderr", "descriptors"}, true, false},
        {CAPTURE_FD, {"stdout", "stderr", NULL}, false, true},
        {CAPTURE_NO, {"stdout", "stderr", NULL}, true, false},
        {CAPTURE_PIPE, {"stdout", "stderr", NULL}, true, false},
        {CAPTURE_PTY, {"output", NULL, NULL}, true, false},
        {CAPTURE_MERGED, {"output", NULL, NULL}, true, true},
        {CAPTURE_DISCARD, {NULL, NULL, NULL}, true, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *word = capture_word(rows[i].mode);
        struct capture capture;
        int stdio[3];

        assert_int_equal(capture_open(room_of(state), rows[i].mode, &capture, stdio), 0);
        for (int file = 0; file < CAPTURE_FILES_MOST; file++) {
            if ((capture.files[file].fd >= 0) != (rows[i].words[file] != NULL))
                fail_msg("%s: file %d is %d", word, file, capture.files[file].fd);
            if (!rows[i].words[file])
                continue;
            assert_string_equal(capture.files[file].word, rows[i].words[file]);
            assert_true(fcntl(capture.files[file].fd, F_GETFL) & O_APPEND);
            assert_true(fcntl(capture.files[file].fd, F_GETFD) & FD_CLOEXEC);
        }
        if (capture_way(rows[i].mode)->relayed == rows[i].given)
            fail_msg("%s: nobody gives it anything, or two do", word);
        if (stdio[0] < 0 || (stdio[1] == stdio[2]) != rows[i].same || (stdio[1] >= 0) != rows[i].given)
            fail_msg("%s: gives %d, %d, %d", word, stdio[0], stdio[1], stdio[2]);
        capture_close(room_of(state), &capture);
        assert_int_equal(capture.files[0].fd, -1);
        capture_close(room_of(state), &capture);
    }
}

/* Streams of C have files that nobody stands before; what they write is there at once, and serves no other case then. */
static void test_streams_within(void **state)
{
    struct capture capture;
    int stdio[3], streams[2];

    assert_int_equal(capture_open(room_of(state), CAPTURE_SYS, &capture, stdio), 0);
    for (int i = 0; i < 2; i++) {
        streams[i] = capture_stream(room_of(state), &capture, i);
        assert_true(streams[i] >= 0);
        assert_int_not_equal(streams[i], capture.files[i].fd);
        assert_true(fcntl(streams[i], F_GETFL) & O_APPEND);
        put(streams[i], i ? "to err" : "out");
    }
    assert_int_equal(capture_size(&capture.files[0]), 3);
    assert_int_equal(capture_size(&capture.files[1]), 6);
    assert_int_equal(capture_size(&capture.files[2]), 0);
    capture_started(&capture);
    capture_close(room_of(state), &capture);
}

static void test_null(void **state)
{
    struct capture capture;
    int stdio[3];
    char byte;

    assert_int_equal(capture_open(room_of(state), CAPTURE_DISCARD, &capture, stdio), 0);
    assert_int_equal(read(stdio[0], &byte, 1), 0);
    put(stdio[1], "gone");
    put(stdio[2], "gone");
    assert_int_equal(capture_size(&capture.files[0]), 0);
    capture_close(room_of(state), &capture);
}

/* ---- processes ---- */

/* A process with the streams of a capture; `body` is its whole life, `ends` are what it needs for that. */
static pid_t start(const int stdio[3], void (*body)(const int *ends), const int *ends)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(stdio[fd], fd) < 0)
            _exit(1);
    body(ends);
    _exit(0);
}

static void wait_for(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void flood(const int *ends)
{
    static const char bytes[1 << 20];

    (void)ends;
    for (int i = 0; i < 64; i++)
        if (fd_write_all(1, bytes, sizeof bytes) < 0)
            _exit(1);
}

static void test_flood(void **state)
{
    struct capture capture;
    uint64_t offset;
    int stdio[3];

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    wait_for(start(stdio, flood, NULL));
    assert_int_equal(capture_size(&capture.files[0]), 64 << 20);
    assert_int_equal(capture_size(&capture.files[1]), 0);
    assert_false(capture_pack(room_of(state), &capture.files[0], &offset));
    assert_int_equal(errno, EFBIG);
    capture_close(room_of(state), &capture);
}

enum { HOLD, HELD, DONE, SAYS }; /* two pipes: what keeps somebody there, and what he says then */

/* Ends at once; somebody stays behind with its streams until `HELD` is closed. */
static void leave_somebody(const int *ends)
{
    char byte;

    if (fd_write_all(1, "left ", 5) < 0)
        _exit(1);
    if (fork() == 0) {
        close(ends[HELD]);
        if (read(ends[HOLD], &byte, 1) == 0 && fd_write_all(1, "late", 4) == 0)
            _exit(write(ends[SAYS], "k", 1) != 1);
        _exit(1);
    }
}

static void test_grandchild(void **state)
{
    struct capture capture;
    int stdio[3], ends[4];
    char said;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ends + 2, O_CLOEXEC), 0);
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    wait_for(start(stdio, leave_somebody, ends));
    assert_int_equal(capture_size(&capture.files[0]), 5);
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], "stdout"), 0);
    capture_close(room_of(state), &capture);
    assert_content(run_of(state), "stdout", "left ");
    close(ends[HELD]);
    close(ends[SAYS]);
    assert_int_equal(read(ends[DONE], &said, 1), 1);
    assert_content(run_of(state), "stdout", "left late");
    close(ends[HOLD]);
    close(ends[DONE]);
}

#define TURNS 500

/* Writes in turns with somebody else: one has stdout, the other stderr. */
static void take_turns(const int *ends)
{
    bool first = fork() != 0;
    int mine = first ? ends[0] : ends[2], other = first ? ends[3] : ends[1];
    char line[32], token;

    for (int turn = 0; turn < TURNS; turn++) {
        if (!(first && turn == 0) && read(mine, &token, 1) != 1)
            _exit(1);
        snprintf(line, sizeof line, "%s %d\n", first ? "out" : "err", turn);
        if (fd_write_all(first ? 1 : 2, line, strlen(line)) < 0 || write(other, "t", 1) != 1)
            _exit(1);
    }
    if (!first)
        _exit(0);
    if (read(mine, &token, 1) != 1) /* the other one's last */
        _exit(1);
}

static void test_merged_order(void **state)
{
    struct capture capture;
    struct buf wanted = {0};
    int stdio[3], ends[4];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(pipe2(ends + 2, O_CLOEXEC), 0);
    assert_int_equal(capture_open(room_of(state), CAPTURE_MERGED, &capture, stdio), 0);
    wait_for(start(stdio, take_turns, ends));
    for (int turn = 0; turn < TURNS; turn++)
        buf_addf(&wanted, "out %d\nerr %d\n", turn, turn);
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], "output"), 0);
    assert_content(run_of(state), "output", buf_text(&wanted));
    capture_close(room_of(state), &capture);
    buf_release(&wanted);
    for (int i = 0; i < 4; i++)
        close(ends[i]);
}

/* ---- keeping ---- */

#define PATH "cases/a/1/stdout"

static void test_drop(void **state)
{
    struct capture capture;
    int stdio[3];

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], "out");
    put(stdio[2], "err");
    capture_close(room_of(state), &capture);
    assert_int_equal(count_names(run_of(state)), 0);
}

static void test_keep(void **state)
{
    struct capture capture;
    int stdio[3], run = run_of(state);

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], "out");
    put(stdio[2], "err");
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], PATH), 0);
    assert_content(run, PATH, "out");
    put(stdio[1], " and more");
    assert_content(run, PATH, "out and more");
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], PATH), 0);
    assert_int_equal(capture_keep(room_of(state), &capture.files[1], "cases/a/1/stderr"), 0);
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], "cases/other"), 0);
    put(stdio[1], " still");
    capture_close(room_of(state), &capture);
    assert_content(run, PATH, "out and more still");
    assert_content(run, "cases/other", "out and more still");
    assert_content(run, "cases/a/1/stderr", "err");
    assert_int_equal(count_names(run), 1);
}

static void test_keep_replaces(void **state)
{
    struct capture capture;
    int stdio[3], run = run_of(state), old;

    assert_int_equal(dir_make_parents(run, PATH, 0777), 0);
    old = openat(run, PATH, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    put(old, "from another attempt");
    close(old);
    assert_int_equal(capture_open(room_of(state), CAPTURE_MERGED, &capture, stdio), 0);
    put(stdio[1], "out");
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], PATH), 0);
    put(stdio[1], " and more");
    capture_close(room_of(state), &capture);
    assert_content(run, PATH, "out and more");
}

static void test_keep_refused(void **state)
{
    static const char *const paths[] = {"folder", "file/stdout", "", "cases/"};
    struct capture capture;
    int stdio[3], run = run_of(state);

    assert_int_equal(dir_make(run, "folder/in", 0777), 0);
    close(openat(run, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        if (capture_keep(room_of(state), &capture.files[0], paths[i]) == 0)
            fail_msg("kept as '%s'", paths[i]);
    assert_true(exists(run, "folder/in"));
    put(stdio[1], "out");
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], "stdout"), 0);
    capture_close(room_of(state), &capture);
    assert_content(run, "stdout", "out");
}

static void test_unkeep(void **state)
{
    struct capture capture;
    uint64_t offset;
    int stdio[3], run = run_of(state);

    assert_int_equal(dir_make(run, "cases/other", 0777), 0);
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], "out");
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], PATH), 0);
    capture_unkeep(room_of(state), PATH);
    assert_false(exists(run, "cases/a"));
    assert_true(exists(run, "cases/other"));
    capture_unkeep(room_of(state), PATH);
    assert_true(capture_pack(room_of(state), &capture.files[0], &offset));
    capture_close(room_of(state), &capture);
    assert_content(run, LAYOUT_PACK, "out");
}

/* What has lost its only name can have no other: there a copy must do. */
static void test_copy(void **state)
{
    struct capture capture;
    struct buf text = {0};
    int stdio[3], run = run_of(state);

    for (int i = 0; i < 100000; i++)
        buf_addf(&text, "%d\n", i);
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], buf_text(&text));
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], PATH), 0);
    capture_unkeep(room_of(state), PATH);
    for (int time = 0; time < 2; time++) {
        assert_int_equal(capture_keep(room_of(state), &capture.files[0], PATH), 0);
        assert_content(run, PATH, buf_text(&text));
        put(stdio[1], "more");
        buf_adds(&text, "more");
    }
    capture_close(room_of(state), &capture);
    buf_release(&text);
}

/* ---- the pack ---- */

static void test_pack(void **state)
{
    static const char *const texts[] = {"", "first", "", "second\n", "x", ""};
    struct scratch *scratch = *state;
    struct buf wanted = {0};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct capture capture;
        uint64_t offset = 77;
        int stdio[3];

        assert_int_equal(capture_open(scratch->room, CAPTURE_FD, &capture, stdio), 0);
        put(stdio[2], texts[i]);
        if (!capture_pack(scratch->room, &capture.files[1], &offset) ||
            offset != (texts[i][0] ? wanted.len : 0))
            fail_msg("row %zu is at %llu: %s", i, (unsigned long long)offset, strerror(errno));
        buf_adds(&wanted, texts[i]);
        capture_close(scratch->room, &capture);
        if (i == 3) { /* as a run that is resumed */
            capture_room_free(scratch->room);
            scratch->room = capture_room_new(scratch->run, &scratch->faults);
        }
    }
    assert_content(scratch->run, LAYOUT_PACK, buf_text(&wanted));
    assert_int_equal(count_names(scratch->run), 1);
    buf_release(&wanted);
}

static void test_pack_empty(void **state)
{
    struct capture capture;
    uint64_t offset;
    int stdio[3];

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    assert_true(capture_pack(room_of(state), &capture.files[0], &offset));
    capture_close(room_of(state), &capture);
    assert_int_equal(count_names(run_of(state)), 0);
}

static void test_pack_most(void **state)
{
    struct capture capture;
    uint64_t offset;
    int stdio[3];

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    assert_int_equal(ftruncate(stdio[1], (off_t)CAPTURE_PACK_MOST), 0);
    assert_true(capture_pack(room_of(state), &capture.files[0], &offset));
    put(stdio[1], "x");
    assert_false(capture_pack(room_of(state), &capture.files[0], &offset));
    assert_int_equal(errno, EFBIG);
    capture_close(room_of(state), &capture);
}

/* A write that comes half way leaves the pack as it was for the next one. */
static void test_pack_fails(void **state)
{
    struct rlimit before, small;
    struct capture capture;
    uint64_t offset;
    int stdio[3];

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], "first");
    put(stdio[2], "no room");
    assert_true(capture_pack(room_of(state), &capture.files[0], &offset));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 8;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_false(capture_pack(room_of(state), &capture.files[1], &offset));
    assert_int_equal(errno, EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_content(run_of(state), LAYOUT_PACK, "firstno ");
    assert_true(capture_pack(room_of(state), &capture.files[1], &offset));
    assert_int_equal(offset, 5);
    assert_content(run_of(state), LAYOUT_PACK, "firstno room");
    capture_close(room_of(state), &capture);
}

static void test_pack_refused(void **state)
{
    struct capture capture;
    uint64_t offset;
    int stdio[3];

    assert_int_equal(mkdirat(run_of(state), LAYOUT_PACK, 0777), 0);
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], "out");
    assert_false(capture_pack(room_of(state), &capture.files[0], &offset));
    assert_int_equal(errno, EISDIR);
    capture_close(room_of(state), &capture);
}

/* ---- one file for several cases ---- */

static ino_t inode_of(int fd)
{
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    return st.st_ino;
}

/* Whether the file of stdout serves the next case too. */
static bool serves_again(struct capture_room *room, ino_t inode)
{
    struct capture capture;
    int stdio[3];
    bool again;

    assert_int_equal(capture_open(room, CAPTURE_FD, &capture, stdio), 0);
    again = inode_of(capture.files[0].fd) == inode || inode_of(capture.files[1].fd) == inode;
    assert_int_equal(capture_size(&capture.files[0]) + capture_size(&capture.files[1]), 0);
    capture_close(room, &capture);
    return again;
}

static void test_serves_again(void **state)
{
    static const struct {
        const char *what;
        bool survivor, named, again;
    } rows[] = {
        {"nobody else has it", false, false, true},
        {"somebody has it still", true, false, false},
        {"it has a name", false, true, false},
    };
    struct capture capture;
    int stdio[3];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ino_t inode;
        int survivor;

        assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
        put(stdio[1], "of another case");
        survivor = dup(stdio[1]);
        capture_started(&capture);
        inode = inode_of(capture.files[0].fd);
        if (rows[i].named)
            assert_int_equal(capture_keep(room_of(state), &capture.files[0], "kept"), 0);
        if (!rows[i].survivor)
            close(survivor);
        capture_close(room_of(state), &capture);
        if (serves_again(room_of(state), inode) != rows[i].again)
            fail_msg("%s: %s", rows[i].what, rows[i].again ? "it does not serve again" : "it serves again");
        if (rows[i].survivor)
            close(survivor);
    }
    assert_content(run_of(state), "kept", "of another case");
}

/* A relay writes into it: no case has ever had it. */
static void test_serves_again_behind_a_relay(void **state)
{
    struct capture capture;
    int stdio[3];
    ino_t inode;

    assert_int_equal(capture_open(room_of(state), CAPTURE_PIPE, &capture, stdio), 0);
    inode = inode_of(capture.files[0].fd);
    put(capture.files[0].fd, "of another case");
    capture_close(room_of(state), &capture);
    assert_true(serves_again(room_of(state), inode));
}

/* ---- bad luck ---- */

static void test_no_descriptors(void **state)
{
    struct capture capture, held;
    struct rlimit before, few;
    int stdio[3];

    /* The spare folder is opened with the first file; and none that was set aside may serve. */
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &held, stdio), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (int room = 0; room < 2; room++) {
        int lowest = fcntl(0, F_DUPFD_CLOEXEC, 0), open = proc_count_fds(getpid()) - 1;

        close(lowest);
        few = before;
        few.rlim_cur = (rlim_t)(lowest + room);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), -1);
        assert_int_equal(errno, EMFILE);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_int_equal(proc_count_fds(getpid()), open);
        assert_int_equal(capture.files[0].fd, -1);
        assert_int_equal(capture.files[1].fd, -1);
    }
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    capture_close(room_of(state), &capture);
    capture_close(room_of(state), &held);
}

static void test_fault(void **state)
{
    static const int errors[] = {EMFILE, ENOSPC, EACCES};
    struct scratch *scratch = *state;

    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        for (uint32_t file = 1; file <= 2; file++) {
            struct capture capture;
            int stdio[3];

            set_fault(scratch, FAULT_CAPTURE, errors[i], file, 1);
            if (capture_open(scratch->room, CAPTURE_FD, &capture, stdio) == 0 || errno != errors[i])
                fail_msg("%s at file %u is not seen", strerror(errors[i]), file);
            assert_int_equal(capture.files[0].fd, -1);
            assert_int_equal(capture.files[1].fd, -1);
        }
    assert_int_equal(count_names(scratch->run), 0);
}

static void test_leftovers(void **state)
{
    struct capture capture;
    int stdio[3], run = run_of(state);

    assert_int_equal(dir_make(run, "spare/1", 0777), 0);
    close(openat(run, "spare/0", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    put(stdio[1], "out");
    assert_int_equal(capture_keep(room_of(state), &capture.files[0], "stdout"), 0);
    capture_close(room_of(state), &capture);
    assert_content(run, "stdout", "out");
}

static void test_folder_is_gone(void **state)
{
    struct scratch *scratch = *state;
    struct capture capture;
    int stdio[3];

    assert_int_equal(rmdir(scratch->path), 0);
    assert_int_equal(capture_open(scratch->room, CAPTURE_FD, &capture, stdio), -1);
    assert_int_equal(capture.files[0].fd, -1);
}

/* ---- looking ---- */

static void test_last_line(void **state)
{
    static const struct {
        const char *text;
        size_t most;
        const char *wanted;
    } rows[] = {
        {"", 80, ""},
        {"one", 80, "one"},
        {"one\n", 80, "one"},
        {"one\ntwo", 80, "two"},
        {"one\n  two  \n", 80, "  two"},
        {"one\ntwo\n\n \t\r\n\n", 80, "two"},
        {"\n\n \n", 80, ""},
        {"dos\r\n", 80, "dos"},
        {"one\n10%\r20%\r30%", 80, "30%"},
        {"one\n10%\r20%\r\n", 80, "20%"},
        {"0123456789", 4, "0123"},
        {"gr\xC3\xBC\xC3\x9F", 3, "gr"},
        {"gr\xC3\xBC\xC3\x9F", 4, "gr\xC3\xBC"},
        {"\x1b[31mred", 80, "\x1b[31mred"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct capture capture;
        struct buf line = {0};
        int stdio[3];

        assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
        put(stdio[1], rows[i].text);
        capture_last_line(&capture.files[0], rows[i].most, &line);
        if (!str_is(buf_str(&line), rows[i].wanted))
            fail_msg("row %zu: '%s', not '%s'", i, buf_text(&line), rows[i].wanted);
        buf_release(&line);
        capture_close(room_of(state), &capture);
    }
}

static void test_last_line_far(void **state)
{
    struct capture capture;
    struct buf line = {0};
    int stdio[3];

    assert_int_equal(capture_open(room_of(state), CAPTURE_FD, &capture, stdio), 0);
    for (int i = 0; i < 3000; i++)
        put(stdio[1], "many\n");
    put(stdio[1], "last one\n");
    capture_last_line(&capture.files[0], 100, &line);
    assert_string_equal(buf_text(&line), "last one");
    buf_clear(&line);
    for (int i = 0; i < 3000; i++)
        put(stdio[1], "long ");
    capture_last_line(&capture.files[0], SIZE_MAX, &line);
    assert_in_range(line.len, 4000, 4096);
    buf_clear(&line);
    capture_close(room_of(state), &capture);
    capture_last_line(&capture.files[0], 100, &line);
    assert_int_equal(line.len, 0);
    buf_release(&line);
}

/* ---- other file systems ---- */

/* In a mount namespace of its own, since there a small disk can be made; 77: this cannot be done here. */
static void in_namespace(void **state, int (*body)(const char *path))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(enter_namespace() ? body(((struct scratch *)*state)->path) : 77);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status == W_EXITCODE(77, 0))
        skip();
    assert_int_equal(status, 0);
}

static int fill_disk(const char *path)
{
    static const char bytes[64 << 10];
    struct faults faults = {0};
    struct capture capture;
    int stdio[3], run;
    bool before, full;

    if (mount("none", path, "tmpfs", 0, "size=1m") < 0)
        return 77;
    run = dir_open(AT_FDCWD, path);
    struct capture_room *room = capture_room_new(run, &faults);

    if (capture_open(room, CAPTURE_FD, &capture, stdio) < 0)
        return 1;
    before = capture_disk_full(room);
    while (write(stdio[1], bytes, sizeof bytes) > 0)
        ;
    full = errno == ENOSPC && capture_disk_full(room);
    capture_close(room, &capture);
    return before || !full || capture_disk_full(room);
}

static void test_disk_full(void **state)
{
    struct scratch *scratch = *state;

    assert_false(capture_disk_full(scratch->room));
    set_fault(scratch, FAULT_DISK_FULL, 0, 1, 1);
    assert_true(capture_disk_full(scratch->room));
    assert_false(capture_disk_full(scratch->room));
    in_namespace(state, fill_disk);
}

/* One that says it has no blocks at all. */
static int measure_endless(const char *path)
{
    struct faults faults = {0};

    if (mount("none", path, "tmpfs", 0, "size=0") < 0)
        return 77;
    return capture_disk_full(capture_room_new(dir_open(AT_FDCWD, path), &faults));
}

static void test_disk_endless(void **state)
{
    in_namespace(state, measure_endless);
}

static int keep_without_proc(const char *path)
{
    struct faults faults = {0};
    struct capture capture;
    struct stat st;
    int stdio[3], run = dir_open(AT_FDCWD, path);
    struct capture_room *room = capture_room_new(run, &faults);

    if (mount("none", "/proc", "tmpfs", 0, NULL) < 0)
        return 77;
    if (capture_open(room, CAPTURE_FD, &capture, stdio) < 0 || fd_write_all(stdio[1], "out", 3) < 0 ||
        capture_keep(room, &capture.files[0], PATH) < 0)
        return 1;
    return fstatat(run, PATH, &st, 0) < 0 || st.st_size != 3;
}

static void test_no_proc(void **state)
{
    in_namespace(state, keep_without_proc);
    assert_content(run_of(state), PATH, "out");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_SPARE(name)                                       \
    {                                                          \
#name " with names", name, setup_spare, teardown, NULL \
    }
#define TEST_BOTH(name) TEST(name), TEST_SPARE(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_words),
        TEST_BOTH(test_modes),
        TEST(test_streams_within),
        TEST(test_null),
        TEST_BOTH(test_flood),
        TEST_BOTH(test_grandchild),
        TEST_BOTH(test_merged_order),
        TEST_BOTH(test_drop),
        TEST_BOTH(test_keep),
        TEST_BOTH(test_keep_replaces),
        TEST_BOTH(test_keep_refused),
        TEST_BOTH(test_unkeep),
        TEST_BOTH(test_copy),
        TEST_BOTH(test_pack),
        TEST_BOTH(test_pack_empty),
        TEST_BOTH(test_pack_most),
        TEST_BOTH(test_pack_fails),
        TEST_BOTH(test_pack_refused),
        TEST(test_serves_again),
        TEST(test_serves_again_behind_a_relay),
        TEST_BOTH(test_no_descriptors),
        TEST(test_fault),
        TEST_SPARE(test_leftovers),
        TEST(test_folder_is_gone),
        TEST_BOTH(test_last_line),
        TEST(test_last_line_far),
        TEST(test_disk_full),
        TEST(test_disk_endless),
        TEST(test_no_proc),
    };

    return cmocka_run_group_tests_name("capture", tests, NULL, NULL);
}
