#include "tests/unit/remains_scene.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <time.h>

#include <cmocka.h>

#define KEY 7 /* of a segment, in a namespace where nobody else is */

static int set_up(void **state)
{
    struct scene *s = *state = mem_zero(1, sizeof *s);

    return scene_open(s) ? 0 : -1;
}

static int tear_down(void **state)
{
    scene_close(*state);
    free(*state);
    return 0;
}

static void must_start(struct scene *s, const struct kid *kid)
{
    if (!start(s, kid))
        fail_msg("'%s' does not start", kid->name);
}

static const char *in_scene(struct scene *s, const char *name)
{
    return arena_printf(&s->arena, "%s/%s", s->path, name);
}

/* Its lock is let go of, as the kernel does it for a runner that dies. */
static void let_die(struct scene *s)
{
    fd_close(&s->run.lock);
}

static struct reaped reap_quietly(struct scene *s)
{
    struct reaping how = reaping(s);
    struct reaped result = {0};

    reap_store(&s->store, &how, &result, &s->diags);
    return result;
}

/* ---- which runs ---- */

static void test_live_runs_are_passed_over(void **state)
{
    struct scene *s = *state;
    struct reaped result;

    must_start(s, &(struct kid){"hangs", NULL, s->mark, false});
    result = reap_quietly(s);
    assert_int_equal(result.found, 0);
    assert_true(exists(s->held.tmp));
    let_die(s);
    result = reap_quietly(s);
    assert_true(are_gone(s->ours));
    assert_int_equal(result.ended, 1);
    assert_int_equal(result.removed, 1);
    assert_int_equal(result.left, 0);
    assert_false(exists(s->held.tmp));
    assert_int_equal(s->diags.errors + s->diags.warnings, 0);
    result = reap_quietly(s);
    assert_int_equal(result.found, 0);
}

/* Where locks mean nothing the record does. */
static void test_live_without_a_lock(void **state)
{
    struct scene *s = *state;

    s->held.runner = proc_identify(getpid());
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    let_die(s);
    assert_int_equal(reap_quietly(s).found, 0);
    assert_true(exists(s->held.tmp));
}

static void test_record_that_cannot_be_read(void **state)
{
    struct scene *s = *state;

    assert_int_equal(file_write(arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder), str_of("{")), 0);
    let_die(s);
    assert_int_equal(reap_quietly(s).found, 0);
    assert_int_equal(s->diags.warnings, 1);
    assert_true(exists(s->held.tmp));
}

/* ---- folders of TMPDIRs ---- */

static void test_folders_without_a_record(void **state)
{
    struct scene *s = *state;
    struct run_folder other;
    const char *live = s->held.tmp, *runs = arena_printf(&s->arena, "%s/.run-matrix/runs", s->path);
    const char *missing = make_root(s, "rm-000001", arena_printf(&s->arena, "%s/gone", runs));
    const char *dead, *foreign = make_root(s, "rm-000002", "/nowhere/.run-matrix/runs/gone");
    const char *deeper = make_root(s, "rm-000003", arena_printf(&s->arena, "%s/gone/x", runs));
    const char *silent = make_root(s, "rm-000004", NULL);
    const char *misnamed = make_root(s, "rm-0000005", arena_printf(&s->arena, "%s/gone", runs));
    const char *inhabited = make_root(s, "rm-000006", arena_printf(&s->arena, "%s/gone2", runs));
    struct reaped result;

    assert_int_equal(held_remove(s->run.fd), 0);
    assert_int_equal(store_new_run(&s->store, WALL, &s->arena, &other, &s->diags), 0);
    dead = make_root(s, "rm-000007", arena_printf(&s->arena, "%s/%.*s", runs, STR_ARG(other.id)));
    store_close_run(&other);
    must_start(s, &(struct kid){"stands", inhabited, s->stranger, true});
    result = reap_quietly(s);
    assert_false(exists(missing));
    assert_false(exists(dead));
    assert_true(exists(live));
    assert_true(exists(foreign));
    assert_true(exists(deeper));
    assert_true(exists(silent));
    assert_true(exists(misnamed));
    assert_true(exists(inhabited));
    assert_int_equal(result.removed, 2);
    assert_int_equal(result.left, 0);
    end_decoys(s);
}

/* Everybody has something to do with the root: what is called otherwise than our folders is no mark. */
static void test_folder_as_a_mark(void **state)
{
    static const char *const wrong[] = {"/",
                                        "",
                                        "rm-000001",
                                        "/tmp",
                                        "/tmp/",
                                        "/tmp/rm-",
                                        "/tmp/rm-00000",
                                        "/tmp/rm-00000?",
                                        "/tmp/rm-0000001",
                                        "/tmp/rm-000001/"};
    struct scene *s = *state;
    struct marks marks;

    marks_of_run(&marks, &s->held, s->folder, &s->arena);
    assert_string_equal(marks.tmp, s->held.tmp);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        s->held.tmp = wrong[i];
        marks_of_run(&marks, &s->held, s->folder, &s->arena);
        if (marks.tmp)
            fail_msg("'%s' is a mark", wrong[i]);
    }
}

/* So it is with groups. */
static void test_group_as_a_mark(void **state)
{
    struct scene *s = *state;
    const char *own = arena_printf(&s->arena, "/x/run-matrix-%.*s", STR_ARG(s->run.id));
    const char *const wrong[] = {"/",
                                 "",
                                 "run-matrix-",
                                 "/x/run-matrix-",
                                 "/x/run-matrix-0042",
                                 s->run.id.ptr,
                                 arena_printf(&s->arena, "%s/", own),
                                 arena_printf(&s->arena, "%s0", own)};
    struct marks marks;

    s->held.cgroup = own;
    marks_of_run(&marks, &s->held, s->folder, &s->arena);
    assert_string_equal(marks.group, arena_printf(&s->arena, "%s/cases", strrchr(own, '/')));
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        s->held.cgroup = wrong[i];
        marks_of_run(&marks, &s->held, s->folder, &s->arena);
        if (marks.group)
            fail_msg("'%s' is a mark", wrong[i]);
    }
    s->held.run = (struct str){0};
    s->held.cgroup = "/x/run-matrix-";
    marks_of_run(&marks, &s->held, s->folder, &s->arena);
    assert_null(marks.group);
    assert_null(marks.variable);
}

/* A record of another run, copied. */
static void test_record_of_another(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    s->stranger = arena_printf(&s->arena, "RUN_MATRIX_RUN_ID=another-%s", strrchr(s->held.tmp, '/') + 1);
    s->held.run = str_of(strchr(s->stranger, '=') + 1);
    must_start(s, &(struct kid){"hangs", NULL, s->stranger, true});
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_false(reap_run(&s->run, &how, &result));
    assert_true(are_there(s->others));
    assert_true(exists(s->held.tmp));
    end_decoys(s);
}

/* Killed before there was a record: the guard has the folder of TMPDIRs to go by. */
static void test_without_a_record(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    assert_int_equal(held_remove(s->run.fd), 0);
    assert_true(reap_run(&s->run, &how, &result));
    assert_int_equal(result.removed, 1);
    assert_false(exists(s->held.tmp));
}

/* The record names a folder: what must be there to believe it. */
static void test_folder_on_record(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};
    const char *link = in_scene(s, "rm-00000L"), *plain = in_scene(s, "precious");
    const char *anothers = make_root(s, "rm-000001", "/nowhere/else"),
               *silent = make_root(s, "rm-000002", NULL);
    const char *wrong[] = {link, plain, anothers};

    assert_int_equal(mkdir(plain, 0700), 0);
    assert_int_equal(symlink(plain, link), 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        s->held.tmp = wrong[i];
        assert_int_equal(held_write(s->run.fd, &s->held), 0);
        reap_run(&s->run, &how, &result);
        if (!exists(plain) || !exists(anothers) || !exists(link))
            fail_msg("'%s' was believed", wrong[i]);
    }
    s->held.tmp = silent; /* a case has removed what says whose it is */
    assert_int_equal(held_write(s->run.fd, &s->held), 0);
    assert_true(reap_run(&s->run, &how, &result));
    assert_false(exists(silent));
}

static void test_artifacts(void **state)
{
    struct scene *s = *state;
    struct reaping how = reaping(s);
    struct reaped result = {0};

    assert_int_equal(dir_make(s->run.fd, LAYOUT_SLOTS "/0-0", 0700), 0);
    assert_true(reap_run(&s->run, &how, &result));
    assert_int_equal(result.removed, 2);
    assert_false(exists(arena_printf(&s->arena, "%s/" LAYOUT_SLOTS, s->folder)));
}

/* ---- sockets and segments ---- */

static void test_things_of_processes(void **state)
{
    struct scene *s = *state;
    const char *ours = in_scene(s, "ours.sock"), *others = in_scene(s, "others.sock");
    const char *segment = arena_printf(&s->arena, "/%s-ours", strrchr(s->path, '/') + 1);
    const char *theirs = arena_printf(&s->arena, "/%s-theirs", strrchr(s->path, '/') + 1);
    struct reaping how = reaping(s);
    struct reaped result = {0};

    must_start(s, &(struct kid){"listens", ours, s->mark, false});
    must_start(s, &(struct kid){"shares", segment, s->mark, false});
    must_start(s, &(struct kid){"listens", others, s->stranger, true});
    must_start(s, &(struct kid){"shares", theirs, s->stranger, true});
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(said(s, arena_printf(&s->arena, "socket file %s", ours)));
    assert_false(exists(ours));
    assert_true(shm_open(segment, O_RDONLY, 0) < 0);
    assert_int_equal(result.removed, 3);
    assert_true(are_there(s->others));
    assert_true(exists(others));
    assert_int_equal(shm_unlink(theirs), 0);
    end_decoys(s);
}

/* What says what is wrong; NULL: nothing. In a /tmp, a /dev/shm and an IPC namespace of our own, so that we harm nobody. */
typedef const char *world_body(struct scene *s);

static bool put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;

    fd_close(&fd);
    return ok;
}

/* With the ids that we have. */
static bool have_users(struct arena *arena)
{
    const char *uids = arena_printf(arena, "%u %u 1", geteuid(), geteuid());
    const char *gids = arena_printf(arena, "%u %u 1", getegid(), getegid());

    return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC) == 0 && put("/proc/self/setgroups", "deny") &&
           put("/proc/self/uid_map", uids) && put("/proc/self/gid_map", gids);
}

static bool have_room(void)
{
    struct arena arena = {0};
    bool ok = unshare(CLONE_NEWNS | CLONE_NEWIPC) == 0 || have_users(&arena);

    arena_release(&arena);
    return ok && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("x", "/tmp", "tmpfs", 0, NULL) == 0 && mount("x", "/dev/shm", "tmpfs", 0, NULL) == 0;
}

static void in_world(world_body *body)
{
    const char *wrong = NULL;
    struct scene s;
    int status;
    pid_t pid = must_fork();

    if (pid == 0) {
        if (!have_room())
            _exit(77);
        if (!scene_open(&s))
            wrong = "no scene";
        else
            wrong = body(&s);
        if (wrong)
            fprintf(stderr, "%s; it said:\n%s", wrong, buf_text(&s.said));
        scene_close(&s);
        _exit(wrong != NULL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("no namespaces of our own\n");
        skip();
    }
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static bool leave_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    ok = bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    fd_close(&fd);
    return ok;
}

static bool leave_segment(const char *name)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    bool ok = fd >= 0 && ftruncate(fd, 4096) == 0;

    fd_close(&fd);
    return ok;
}

static bool look_before(struct scene *s)
{
    s->held.world = world_new(NULL, 0);
    return s->held.world && held_write(s->run.fd, &s->held) == 0;
}

/* By somebody who is dead then. */
static bool leave_all(void)
{
    int status;
    pid_t pid = must_fork();

    if (pid == 0)
        _exit(!leave_socket("/tmp/new.sock") || !leave_segment("/new") ||
              shmget(KEY, 4096, IPC_CREAT | 0600) < 0);
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static bool are_all_there(void)
{
    return exists("/tmp/new.sock") && exists("/dev/shm/new") && shmget(KEY, 4096, 0) >= 0;
}

static bool is_any_there(void)
{
    return exists("/tmp/new.sock") || exists("/dev/shm/new") || shmget(KEY, 4096, 0) >= 0;
}

static const char *body_of_the_dead(struct scene *s)
{
    struct reaping how = reaping(s);
    struct reaped result = {0};
    bool clean;

    if (!leave_socket("/tmp/old.sock") || !leave_segment("/old") || !look_before(s) || !leave_all())
        return "nothing to find";
    how.look_only = true;
    if (reap_run(&s->run, &how, &result) || result.found != 4)
        return "the look";
    how.look_only = false;
    result = (struct reaped){0};
    clean = reap_run(&s->run, &how, &result);
    if (is_any_there())
        return "something is left";
    if (!exists("/tmp/old.sock") || !exists("/dev/shm/old"))
        return "what was there before is gone";
    return clean && result.removed == 4 ? NULL : "the count";
}

static void test_what_the_dead_left(void **state)
{
    (void)state;
    in_world(body_of_the_dead);
}

/* A run beside ours, which began at `since`, or 0: now. */
static bool start_other(struct scene *s, struct run_folder *other, time_t since)
{
    const struct timespec times[2] = {{.tv_sec = since}, {.tv_sec = since}};
    const char *root = NULL;
    char *real;

    if (store_new_run(&s->store, WALL, &s->arena, other, &s->diags) == 0 &&
        (real = realpath(other->path, NULL))) {
        root = make_root(s, "rm-000001", real);
        free(real);
    }
    return root &&
           (!since || utimensat(AT_FDCWD, arena_printf(&s->arena, "%s/" LAYOUT_WHOSE, root), times, 0) == 0);
}

/* Whose it is nobody can tell as long as another run is going on that was there, too. */
static const char *body_of_two_runs(struct scene *s)
{
    struct reaping how = reaping(s);
    struct reaped result = {0};
    struct run_folder other;
    bool clean;

    if (!start_other(s, &other, 0) || !look_before(s) || !leave_all())
        return "nothing to find";
    clean = reap_run(&s->run, &how, &result);
    if (clean || result.left || result.unsure != 3 || result.removed != 1 || !are_all_there())
        return "it was not left";
    store_close_run(&other);
    result = (struct reaped){0};
    if (!reap_run(&s->run, &how, &result) || is_any_there())
        return "it stays when the other run is over";
    return NULL;
}

static void test_what_may_be_anothers(void **state)
{
    (void)state;
    in_world(body_of_two_runs);
}

/* A run that began later cannot have made it; and what appeared long after the run's last sign of life is nobody's business. */
static const char *body_of_times(struct scene *s)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const char *signs[] = {s->held.tmp, arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder)};
    struct reaping how = reaping(s);
    struct reaped result = {0};
    struct run_folder other;

    if (!look_before(s) || !leave_all() || !start_other(s, &other, time(NULL) + 3600))
        return "nothing to find";
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (utimensat(AT_FDCWD, signs[i], long_ago, 0) < 0)
            return "no old times";
    if (!reap_run(&s->run, &how, &result) || !are_all_there())
        return "it is another's";
    how.at_once = true;
    if (held_write(s->run.fd, &s->held) < 0 || !reap_run(&s->run, &how, &result) || is_any_there())
        return "it is still there";
    store_close_run(&other);
    return NULL;
}

static void test_when_it_appeared(void **state)
{
    (void)state;
    in_world(body_of_times);
}

/*
 * Neither a process that has outlived its run, nor a reap that had to leave something and has written so into the journal, makes
 * what others do meanwhile the run's.
 */
static const char *body_of_an_old_run(struct scene *s)
{
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    const char *signs[] = {s->held.tmp, arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder)};
    const char *mounted = arena_printf(&s->arena, "%s/mounted", s->held.tmp);
    struct faults none = {0};
    struct journal *journal = journal_open(s->run.fd, &none);
    struct reaping how = reaping(s);

    if (!journal || !look_before(s) || mkdir(mounted, 0700) < 0 ||
        mount("none", mounted, "tmpfs", 0, NULL) < 0 ||
        !start(s, &(struct kid){"hangs", NULL, s->mark, false}) || !leave_all())
        return "nothing to find";
    journal_close(journal);
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        if (utimensat(AT_FDCWD, signs[i], long_ago, 0) < 0)
            return "no old times";
    if (utimensat(s->run.fd, JOURNAL_NAME, long_ago, 0) < 0)
        return "no old journal";
    for (int i = 0; i < 3; i++) {
        struct reaped result = {0};

        if (reap_run(&s->run, &how, &result) || result.left != 1 || result.ended != (i == 0))
            return "what is mounted is gone, or the process not";
        if (!are_all_there())
            return "it was another's";
    }
    if (umount(mounted) < 0 || !reap_run(&s->run, &how, &(struct reaped){0}) || !are_all_there())
        return "the end";
    return said(s, "something is mounted in it") ? NULL : "the words";
}

static void test_an_old_run(void **state)
{
    (void)state;
    in_world(body_of_an_old_run);
}

/* ---- killed in the midst of it, and two at a time ---- */

static void die_at(void *user, const char *line)
{
    int *lines = user;

    (void)line;
    if (--*lines == 0)
        raise(SIGKILL);
}

static void prepare(struct scene *s, const char *path)
{
    must_start(s, &(struct kid){"listens", path, s->mark, false});
    must_start(s, &(struct kid){"parent", NULL, s->mark, false});
    assert_int_equal(dir_make(s->run.fd, LAYOUT_SLOTS "/0-0", 0700), 0);
    let_die(s);
}

static void check_clean(struct scene *s, const char *path)
{
    assert_true(are_gone(s->ours));
    assert_false(exists(s->held.tmp));
    assert_false(exists(path));
    assert_false(exists(arena_printf(&s->arena, "%s/" REMAINS_NAME, s->folder)));
    assert_false(exists(arena_printf(&s->arena, "%s/" LAYOUT_SLOTS, s->folder)));
}

static void test_killed_in_the_midst(void **state)
{
    int status;

    for (int line = 1; line <= 6; line++) {
        struct scene s;
        const char *path;
        pid_t pid;

        (void)state;
        assert_true(scene_open(&s));
        path = in_scene(&s, "x.sock");
        prepare(&s, path);
        pid = must_fork();
        if (pid == 0) {
            int lines = line;
            struct reaping how = {.at_once = true, .say = die_at, .user = &lines};
            struct reaped result = {0};

            reap_store(&s.store, &how, &result, &s.diags);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status))
            fail_msg("there is no line %d", line);
        reap_quietly(&s);
        unlink(
            path); /* a socket whose owner died before it was taken down is left to the world, which is not looked at here */
        check_clean(&s, path);
        scene_close(&s);
    }
}

static void test_two_at_a_time(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        struct scene s;
        const char *path;
        pid_t pids[2];
        int status, begin[2];

        assert_true(scene_open(&s));
        path = in_scene(&s, "x.sock");
        prepare(&s, path);
        assert_int_equal(pipe2(begin, O_CLOEXEC), 0);
        for (int p = 0; p < 2; p++) {
            pids[p] = must_fork();
            if (pids[p] == 0) {
                char byte;

                fd_close(&begin[1]);
                if (read(begin[0], &byte, 1) != 0)
                    _exit(1);
                _exit(reap_quietly(&s).left != 0);
            }
        }
        fd_close(&begin[0]);
        fd_close(&begin[1]); /* both go */
        for (int p = 0; p < 2; p++) {
            assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
            assert_int_equal(status, 0);
        }
        check_clean(&s, path);
        scene_close(&s);
    }
}

/* ---- the journal ---- */

static void test_journal(void **state)
{
    struct scene *s = *state;
    const struct journal_run run = {.id = s->run.id, .wall = WALL, .pid = 1};
    struct faults none = {0};
    struct journal *journal = journal_open(s->run.fd, &none);
    struct reaping how = reaping(s);
    struct reaped result = {0};
    struct journal_record record;
    int fd;

    assert_non_null(journal);
    assert_int_equal(journal_run(journal, &run), 0);
    assert_int_equal(journal_note(journal, str_of("a second"), NS_PER_S), 0);
    journal_close(journal);
    fd = openat(s->run.fd, JOURNAL_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(fd_write_all(fd, "{\"ev\":\"sta", 10), 0);
    fd_close(&fd);
    must_start(s, &(struct kid){"hangs", NULL, s->mark, false});
    how.who = "its guard";
    how.before = (struct reaped){.ended = 10, .removed = 20};
    assert_true(reap_run(&s->run, &how, &result));
    assert_true(journal_read(&s->arena, s->run.fd, s->run.path, &record, &s->diags));
    assert_int_equal(record.torn, 0);
    assert_int_equal(record.note_count, 2);
    assert_true(
        str_starts(record.notes[1], "the runner died; its guard ended 11 of its processes and removed 21 "));
    assert_true(record.duration == NS_PER_S);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(test_live_runs_are_passed_over),
        TEST(test_live_without_a_lock),
        TEST(test_record_that_cannot_be_read),
        TEST(test_folders_without_a_record),
        TEST(test_folder_as_a_mark),
        TEST(test_group_as_a_mark),
        TEST(test_record_of_another),
        TEST(test_without_a_record),
        TEST(test_folder_on_record),
        TEST(test_artifacts),
        TEST(test_things_of_processes),
        cmocka_unit_test(test_what_the_dead_left),
        cmocka_unit_test(test_what_may_be_anothers),
        cmocka_unit_test(test_when_it_appeared),
        cmocka_unit_test(test_an_old_run),
        cmocka_unit_test(test_killed_in_the_midst),
        cmocka_unit_test(test_two_at_a_time),
        TEST(test_journal),
#undef TEST
    };

    be_kid(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
