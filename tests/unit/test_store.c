#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/harness/harness.h"
#include "runner/store/store.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define WALL 1795241567123 /* 2026-11-21 06:12:47 */

struct scene {
    char path[64]; /* a folder of its own; the store is in it */
    char *store_path;
    struct store store;
    struct faults faults;
    struct arena arena;
    struct diags diags;
};

static int set_up(void **state)
{
    struct scene *s = mem_zero(1, sizeof *s);

    strcpy(s->path, "/tmp/test_store-XXXXXX");
    s->diags.arena = &s->arena;
    s->store.fd = -1;
    *state = s;
    if (!mkdtemp(s->path) || asprintf(&s->store_path, "%s/deep/.run-matrix", s->path) < 0)
        return -1;
    return store_open(&s->store, s->store_path, &s->arena, &s->diags);
}

static int tear_down(void **state)
{
    struct scene *s = *state;

    store_close(&s->store);
    chmod(s->path, 0700);
    dir_remove(AT_FDCWD, s->path);
    arena_release(&s->arena);
    free(s->store_path);
    free(s);
    return 0;
}

static const char *last_word(struct scene *s)
{
    return s->diags.count ? s->diags.list[s->diags.count - 1].text : "";
}

static struct run_folder new_run(struct scene *s)
{
    struct run_folder run;

    if (store_new_run(&s->store, WALL, &s->arena, &run, &s->diags) < 0)
        fail_msg("no run: %s", last_word(s));
    return run;
}

/* One that is over: its id. */
static struct str old_run(struct scene *s)
{
    struct run_folder run = new_run(s);

    store_close_run(&run);
    return run.id;
}

static const char *in_run(struct scene *s, struct str id, const char *name)
{
    return arena_printf(&s->arena, "%s/runs/%.*s/%s", s->store_path, STR_ARG(id), name);
}

static bool is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static void write_file(const char *path, const char *text)
{
    assert_int_equal(file_write(path, str_of(text)), 0);
}

static void assert_str(struct str is, const char *should)
{
    if (!str_is(is, should))
        fail_msg("'%.*s' is not '%s'", STR_ARG(is), should);
}

/* ---- made ---- */

static void test_new(void **state)
{
    struct scene *s = *state;
    struct run_folder first = new_run(s), second;
    struct buf text = {0};
    char target[128] = "";

    assert_true(str_starts(first.id, "0001-20261121-061247-") && first.id.len == 27);
    assert_string_equal(first.path, arena_printf(&s->arena, "%s/runs/%s", s->store_path, first.id.ptr));
    assert_true(first.fd >= 0 && first.lock >= 0);
    second = new_run(s);
    assert_true(str_starts(second.id, "0002-"));
    assert_true(readlink(arena_printf(&s->arena, "%s/latest", s->store_path), target, sizeof target - 1) > 0);
    assert_string_equal(target, arena_printf(&s->arena, "runs/%s", second.id.ptr));
    assert_int_equal(file_read(arena_printf(&s->arena, "%s/.gitignore", s->store_path), &text, 100), 0);
    assert_string_equal(buf_text(&text), "*\n");
    assert_int_equal(s->diags.count, 0);
    buf_release(&text);
    store_close_run(&first);
    store_close_run(&second);
}

/* What another run has made of `latest` meanwhile stays. */
static void test_taken_back(void **state)
{
    struct scene *s = *state;
    struct run_folder runs[3];
    char target[128] = "";

    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        runs[i] = new_run(s);
    for (size_t i = 1; i < ARRAY_LEN(runs); i++) {
        struct run_folder found;

        assert_int_equal(store_take_back(&s->store, &runs[i], &s->arena), 0);
        assert_int_equal(access(runs[i].path, F_OK), -1);
        assert_int_equal(store_find_run(&s->store, "latest", &s->arena, &found, &s->diags), 0);
        assert_str(found.id, runs[i == 1 ? 2 : 0].id.ptr);
        store_close_run(&found);
    }
    assert_int_equal(store_take_back(&s->store, &runs[0], &s->arena), 0);
    assert_int_equal(readlink(arena_printf(&s->arena, "%s/latest", s->store_path), target, sizeof target),
                     -1);
    assert_true(s->diags.count == 0 && dir_is_empty(dir_open(s->store.fd, "runs")) == 1);
    for (size_t i = 0; i < ARRAY_LEN(runs); i++)
        store_close_run(&runs[i]);
}

static void test_numbers_grow(void **state)
{
    struct scene *s = *state;
    struct str *ids;

    mkdir(in_run(s, str_of("9998-20200101-000000-000000"), ""), 0777);
    mkdir(in_run(s, str_of("99999999999999999999-20200101-000000-000000"), ""), 0777); /* no number of ours */
    mkdir(in_run(s, str_of("12000-notes"), ""), 0777);
    assert_true(str_starts(old_run(s), "9999-"));
    assert_true(str_starts(old_run(s), "10000-"));
    assert_true(str_starts(old_run(s), "10001-"));
    assert_int_equal(store_runs(&s->store, 10, &s->arena, &ids), 4);
    assert_true(str_starts(ids[0], "10001-") && str_starts(ids[2], "9999-"));
    assert_int_equal(store_runs(&s->store, 3, &s->arena, &ids), 3);
}

static void test_cannot_make(void **state)
{
    struct scene *s = *state;
    struct store store;

    write_file(arena_printf(&s->arena, "%s/file", s->path), "");
    assert_int_equal(
        store_open(&store, arena_printf(&s->arena, "%s/file/store", s->path), &s->arena, &s->diags), -1);
    assert_int_equal(store.fd, -1);
    assert_non_null(strstr(last_word(s), "cannot make the folder for runs"));
    assert_non_null(strstr(last_word(s), "/file/store': Not a directory"));
    assert_int_equal(store_open_existing(&store, "no/where", &s->arena, &s->diags), -1);
    assert_string_equal(last_word(s), "there is no 'no/where': nothing was run here yet");
}

static void test_no_room_for_run(void **state)
{
    struct scene *s = *state;
    struct run_folder run;

    assert_int_equal(rmdir(arena_printf(&s->arena, "%s/runs", s->store_path)), 0);
    write_file(arena_printf(&s->arena, "%s/runs", s->store_path), "");
    assert_int_equal(store_new_run(&s->store, WALL, &s->arena, &run, &s->diags), -1);
    assert_true(run.fd == -1 && run.lock == -1);
    assert_non_null(strstr(last_word(s), "cannot make a folder for this run in"));
    assert_int_equal(s->diags.count, 1);
}

/* ---- found ---- */

static void test_find(void **state)
{
    struct scene *s = *state;
    struct str first, second;
    const char *const ids[] = {"0042-20260101-000000-aaaaaa", "0421-20260101-000000-bbbbbb",
                               "4200-20260101-000000-cccccc", "4201-20260101-000000-dddddd"};
    struct run_folder run;

    assert_int_equal(store_find_run(&s->store, "latest", &s->arena, &run, &s->diags), -1);
    assert_non_null(strstr(last_word(s), "there is no run in"));
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        mkdir(in_run(s, str_of(ids[i]), ""), 0777);
    first = old_run(s);
    second = old_run(s);
    const struct {
        const char *name, *id; /* or what the error says */
        bool found;
    } rows[] = {
        {"latest", second.ptr, true},
        {"42", ids[0], true},
        {"0042", ids[0], true},
        {"004", ids[0], true},
        {"0", "'0' may be any of 2 runs: 0421-20260101-000000-bbbbbb, 0042-", false},
        {"420", "'420' may be any of 4 runs: 4203-", false},
        {"421", ids[1], true},
        {"4201", ids[3], true},
        {ids[2], ids[2], true},
        {first.ptr, first.ptr, true},
        {"4200-2026", ids[2], true},
        {"0042-20260101-000000-aaaaab", "; did you mean '0042-20260101-000000-aaaaaa'?", false},
        {"43", "there is no run '43' in", false},
        {"x", "and 1 more", false},
        {"", "'' may be any of 6 runs", false},
        {"no/such", "there is no 'no/such/journal.ndjson'", false},
        {".", "there is no './journal.ndjson'", false},
        {"99999999999999999999999", "there is no run '99999999999999999999999'", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool found = store_find_run(&s->store, rows[i].name, &s->arena, &run, &s->diags) == 0;

        if (found != rows[i].found)
            fail_msg("'%s': %s", rows[i].name, found ? run.id.ptr : last_word(s));
        if (found ? !str_is(run.id, rows[i].id) : !strstr(last_word(s), rows[i].id))
            fail_msg("'%s': %s", rows[i].name, found ? run.id.ptr : last_word(s));
        assert_true(run.lock == -1 && (run.fd >= 0) == found);
        store_close_run(&run);
    }
}

static void test_find_path(void **state)
{
    struct scene *s = *state;
    const char *folder = arena_printf(&s->arena, "%s/artifact", s->path);
    struct run_folder run;

    mkdir(folder, 0777);
    assert_int_equal(store_find_run(&s->store, folder, &s->arena, &run, &s->diags), -1);
    write_file(arena_printf(&s->arena, "%s/" JOURNAL_NAME, folder), "");
    assert_int_equal(
        store_find_run(&s->store, arena_printf(&s->arena, "%s/", folder), &s->arena, &run, &s->diags), 0);
    assert_str(run.id, "artifact");
    store_close_run(&run);
}

/* ---- locked ---- */

static void test_lock(void **state)
{
    struct scene *s = *state;
    struct run_folder run = new_run(s), again;

    assert_int_equal(store_find_run(&s->store, "1", &s->arena, &again, &s->diags), 0);
    assert_int_equal(store_lock_run(&again, &s->diags), -1);
    assert_string_equal(last_word(s), arena_printf(&s->arena, "run '%s' is still going on (pid %d)",
                                                   run.id.ptr, (int)getpid()));
    store_close_run(&run);
    assert_int_equal(store_lock_run(&again, &s->diags), 0);
    store_close_run(&again);
}

/* The kernel gives the lock of a killed runner back. */
static void test_lock_of_the_dead(void **state)
{
    struct scene *s = *state;
    struct run_folder again;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        new_run(s);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(store_find_run(&s->store, "latest", &s->arena, &again, &s->diags), 0);
    assert_int_equal(store_lock_run(&again, &s->diags), 0);
    store_close_run(&again);
}

/* ---- tidied ---- */

static size_t count_runs(struct scene *s)
{
    struct str *ids;

    return store_runs(&s->store, 1000, &s->arena, &ids);
}

static void test_tidy_count(void **state)
{
    struct scene *s = *state;
    struct run_folder oldest = new_run(s), newest;
    struct str second = old_run(s), *left;
    size_t count;

    write_file(in_run(s, second, "some"), "text");
    for (int i = 0; i < STORE_RUNS_MOST + 3; i++)
        old_run(s);
    newest = new_run(s);
    mkdir(in_run(s, str_of(".gone-x"), ""), 0777); /* somebody was killed at it */
    mkdir(in_run(s, str_of(".new-0099"), ""), 0777);
    store_tidy(&s->store, false, &s->diags);
    assert_int_equal(s->diags.count, 0);
    assert_int_equal(count_runs(s), STORE_RUNS_MOST + 1); /* and the one that is locked */
    assert_true(is_there(in_run(s, oldest.id, "lock")) && is_there(in_run(s, newest.id, "lock")));
    assert_false(is_there(in_run(s, second, "")));
    assert_int_equal(dir_list(s->store.fd, "runs", &s->arena, &left, &count), 0);
    assert_int_equal(count, STORE_RUNS_MOST + 1);
    store_close_run(&oldest);
    store_tidy(&s->store, false, &s->diags);
    assert_int_equal(count_runs(s), STORE_RUNS_MOST);
    store_close_run(&newest);
}

static void test_tidy_size(void **state)
{
    struct scene *s = *state;
    struct str ids[5];

    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        ids[i] = old_run(s);
    store_tidy(&s->store, false, &s->diags);
    assert_int_equal(count_runs(s), 5);
    /* A run is measured once: what is believed afterwards is the file. */
    assert_true(is_there(in_run(s, ids[0], "size")));
    write_file(in_run(s, ids[4], "size"), "3000000000\n");
    write_file(in_run(s, ids[2], "size"), "1\n");
    store_tidy(&s->store, false, &s->diags);
    assert_int_equal(count_runs(s), 1); /* too large by itself, but the newest */
    assert_true(is_there(in_run(s, ids[4], "lock")));
}

static void test_tidy_packs(void **state)
{
    struct scene *s = *state;
    struct run_folder live = new_run(s);
    struct str old = old_run(s), newest = old_run(s);
    struct run_folder again;

    write_file(in_run(s, live.id, LAYOUT_PACK), "x");
    write_file(in_run(s, old, LAYOUT_PACK), "x");
    write_file(in_run(s, newest, LAYOUT_PACK), "x");
    store_tidy(&s->store, true, &s->diags);
    assert_true(is_there(in_run(s, old, LAYOUT_PACK)) && is_there(in_run(s, old, "size")));
    assert_false(is_there(in_run(s, live.id, "size")));
    store_tidy(&s->store, false, &s->diags);
    assert_false(is_there(in_run(s, old, LAYOUT_PACK)));
    assert_true(is_there(in_run(s, newest, LAYOUT_PACK)) && is_there(in_run(s, live.id, LAYOUT_PACK)));
    assert_int_equal(store_find_run(&s->store, old.ptr, &s->arena, &again, &s->diags), 0);
    assert_int_equal(store_lock_run(&again, &s->diags), 0);
    assert_false(is_there(in_run(s, old, "size"))); /* who goes on with a run changes it */
    store_close_run(&again);
    store_close_run(&live);
}

/* ---- many at once ---- */

enum { RUNNERS = 8, RUNS_EACH = 12 };

/* Makes runs and tidies up as fast as it can; its own must be there, and hold what it wrote, until it lets go. */
static int be_a_runner(struct scene *s)
{
    for (int i = 0; i < RUNS_EACH; i++) {
        struct run_folder run;
        int fd;

        if (store_new_run(&s->store, WALL, &s->arena, &run, &s->diags) < 0)
            return 1;
        fd = openat(run.fd, "mine", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return 2; /* somebody else's, or gone */
        store_tidy(&s->store, false, &s->diags);
        if (s->diags.count)
            return 3;
        if (!is_there(in_run(s, run.id, "mine")))
            return 4;
        fd_close(&fd);
        store_close_run(&run);
    }
    return 0;
}

static void test_many_runners(void **state)
{
    struct scene *s = *state;
    uint64_t seen[STORE_RUNS_MOST];
    pid_t pids[RUNNERS];
    struct str *ids;
    int failed = 0;

    for (int i = 0; i < RUNNERS; i++)
        if ((pids[i] = fork()) == 0) {
            int answer = be_a_runner(s);

            if (answer)
                fprintf(stderr, "runner %d: %d: %s\n", i, answer, last_word(s));
            _exit(answer);
        }
    for (int i = 0; i < RUNNERS; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        failed += !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    }
    assert_int_equal(failed, 0);
    store_tidy(&s->store, false, &s->diags);
    assert_int_equal(store_runs(&s->store, 100, &s->arena, &ids), STORE_RUNS_MOST);
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        seen[i] = strtoull(ids[i].ptr, NULL, 10);
        assert_true(i == 0 || seen[i] < seen[i - 1]); /* no number twice */
    }
    assert_in_range(seen[0], RUNNERS * RUNS_EACH, 2 * RUNNERS * RUNS_EACH);
}

/* ---- slugs ---- */

static void test_slugs(void **state)
{
    static const struct {
        const char *id, *slug; /* ends in "~": and a hash */
    } rows[] = {
        {"unit", "unit"},
        {"unit@backend=exec,transport=uds", "unit@backend=exec,transport=uds"},
        {"a%20b+c_d.e", "a%20b+c_d.e"},
        {"proto::nested/depth=3@backend=exec", "proto-nested-depth=3@backend=exec~"},
        {"Unit", "Unit~"},
        {"", "_~"},
        {".", "_.~"},
        {"..", "_..~"},
        {".hidden", "_.hidden~"},
        {"-x", "_-x~"},
        {"/", "_~"},
        {"a.", "a.~"},
        {"a~b", "a-b~"},
        {"nul", "_nul~"},
        {"com1.txt", "_com1.txt~"},
        {"com", "com"},
        {"a\"<>|*?\r\n\\b", "a-b~"},
        {"caf\xC3\xA9", "caf-~"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].slug);
        bool hashed = rows[i].slug[len - 1] == '~';
        struct buf slug = {0};

        store_slug(&slug, str_of(rows[i].id));
        if (strncmp(buf_text(&slug), rows[i].slug, len) != 0 || slug.len != len + (hashed ? 12 : 0))
            fail_msg("'%s' is '%s'", rows[i].id, buf_text(&slug));
        buf_release(&slug);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcasecmp(*(char *const *)a, *(char *const *)b);
}

static void check_legal(const char *slug)
{
    size_t len = strlen(slug);

    if (!len || len > 100 || slug[0] == '.' || strpbrk(slug, "\":<>|*?\r\n\\/"))
        fail_msg("'%s' is no name", slug);
}

/* Different ids, also where the case of letters is ignored, and past what is cut. */
static void test_slugs_differ(void **state)
{
    enum { MANY = 20000 };
    struct scene *s = *state;
    const char **slugs = ARENA_ARRAY(&s->arena, const char *, MANY);
    struct buf id = {0}, slug = {0};

    for (int i = 0; i < MANY; i++) {
        buf_clear(&id);
        buf_clear(&slug);
        switch (i % 4) {
        case 0: buf_addf(&id, "t%d", i); break;
        case 1: buf_addf(&id, "%0200d/x=%d", 0, i); break;
        case 2: buf_addf(&id, "a%c%cb%d", ":/~ "[i / 4 % 4], "AaBb"[i / 16 % 4], i / 64); break;
        default: buf_addf(&id, "%c%c%c%d", i & 4 ? 'x' : 'X', i & 8 ? 'y' : 'Y', i & 16 ? 'z' : 'Z', i / 32);
        }
        store_slug(&slug, buf_str(&id));
        check_legal(buf_text(&slug));
        slugs[i] = arena_cstr(&s->arena, buf_str(&slug));
    }
    qsort(slugs, MANY, sizeof *slugs, by_text);
    for (int i = 1; i < MANY; i++)
        if (strcasecmp(slugs[i], slugs[i - 1]) == 0)
            fail_msg("'%s' twice", slugs[i]);
    buf_release(&id);
    buf_release(&slug);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_new),
        TEST(test_taken_back),
        TEST(test_numbers_grow),
        TEST(test_cannot_make),
        TEST(test_no_room_for_run),
        TEST(test_find),
        TEST(test_find_path),
        TEST(test_lock),
        TEST(test_lock_of_the_dead),
        TEST(test_tidy_count),
        TEST(test_tidy_size),
        TEST(test_tidy_packs),
        TEST(test_many_runners),
        TEST(test_slugs),
        TEST(test_slugs_differ),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
