/* C sources as tests: what is found, what their comments ask for, and what a cache knows again. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/sources/sources.h"

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- words ---- */

static const char *joined(struct arena *arena, const struct flags *flags)
{
    const char *text = "";

    for (uint32_t i = 0; i < flags->count; i++)
        text = arena_printf(arena, "%s%s<%s>", text, i ? " " : "", flags->list[i]);
    return text;
}

static const struct {
    const char *text, *words; /* NULL: a quote has no end */
} splits[] = {
    {"", ""},
    {"  \t\n ", ""},
    {"-O2  -DX", "<-O2> <-DX>"},
    {"'a b'c \"d e\"", "<a bc> <d e>"},
    {"''", "<>"},
    {"a\\ b \\'", "<a b> <'>"},
    {"\"a\\\"b\"", "<a\"b>"},
    {"'a\\b'", "<a\\b>"},
    {"a\\", "<a\\>"},
    {"-DX='1", NULL},
    {"\"", NULL},
};

static void words_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        struct arena arena = {0};
        struct flags flags = {0};
        bool whole = flags_split(&arena, str_of(splits[i].text), &flags);

        if (whole != (splits[i].words != NULL))
            fail_msg("%s: %d", splits[i].text, whole);
        if (whole && strcmp(joined(&arena, &flags), splits[i].words) != 0)
            fail_msg("%s: %s", splits[i].text, joined(&arena, &flags));
        arena_release(&arena);
    }
}

/* ---- comments ---- */

static const struct {
    const char *text, *cflags, *ldflags, *packages, *sources;
} wishes[] = {
    {"int x;\n", "", "", "", ""},
    {"// run-matrix: cflags: -O2", "<-O2>", "", "", ""},
    {"/* run-matrix: cflags: -O2; ldflags: -lm */\n", "<-O2>", "<-lm>", "", ""},
    {"/*\n * run-matrix: pkg-config: a b;\n */\n", "", "", "<a> <b>", ""},
    {"//run-matrix:cflags:-DA;cflags:-DB\n", "<-DA> <-DB>", "", "", ""},
    {"// run-matrix: cflags: '-DX=a;b'; sources: a.c ../b.c\n", "<-DX=a;b>", "", "", "<t/a.c> <t/../b.c>"},
    {"// run-matrix: cflags: -Ii -I i -iquoteq -DIi /x\n", "<-It/i> <-I> <t/i> <-iquotet/q> <-DIi> </x>", "",
     "", ""},
    {"// run-matrix: cflags: -I/i -include x.h; ldflags: -L l liba.a -la -L/l\n", "<-I/i> <-include> <t/x.h>",
     "<-L> <t/l> <t/liba.a> <-la> <-L/l>", "", ""},
    {"char *x = \"// run-matrix: cflags: -O2\";\n", "", "", "", ""},
    {"// of run-matrix: nothing\n", "", "", "", ""},
};

static void comments_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct source_wish wish;

        if (!source_wish_read(&arena, "here/t/x.c", "t/x.c", str_of(wishes[i].text), &wish, &diags))
            fail_msg("%s: %s", wishes[i].text, diags.list[0].text);
        assert_string_equal(joined(&arena, &wish.cflags), wishes[i].cflags);
        assert_string_equal(joined(&arena, &wish.ldflags), wishes[i].ldflags);
        assert_string_equal(joined(&arena, &wish.packages), wishes[i].packages);
        assert_string_equal(joined(&arena, &wish.sources), wishes[i].sources);
        arena_release(&arena);
    }
}

static const struct {
    const char *text, *error;
} mistakes[] = {
    {"\n\n// run-matrix: clfags: -O2\n",
     "t/x.c:3:16: 'clfags' is no key; allowed are cflags, ldflags, pkg-config and sources; did you mean "
     "'cflags'?"},
    {"/* \xc3\xa4 */\n/* run-matrix: cflags */",
     "t/x.c:2:16: 'cflags' is no 'KEY: WORDS'; keys are cflags, ldflags, "
     "pkg-config and sources"},
    {"// run-matrix: cflags: -O2; ldflags: 'x\n", "t/x.c:1:37: a quote has no end"},
    {"// run-matrix: sources: a.o\n",
     "t/x.c:1:16: 'a.o' is no C source: 'sources' takes files that end in .c"},
};

static void mistakes_have_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct source_wish wish;

        assert_false(source_wish_read(&arena, "t/x.c", "t/x.c", str_of(mistakes[i].text), &wish, &diags));
        assert_string_equal(
            arena_printf(&arena, "%s: %s", place_text(&arena, diags.list[0].at), diags.list[0].text),
            mistakes[i].error);
        arena_release(&arena);
    }
}

/* A word in the middle of a long file is no wish. */
static void only_the_head_is_read(void **state)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct source_wish wish;
    struct buf text = {0};

    (void)state;
    for (unsigned i = 0; i < SOURCE_HEAD_LINES; i++)
        buf_adds(&text, i + 1 < SOURCE_HEAD_LINES ? "\n" : "// run-matrix: cflags: -DLAST\n");
    buf_adds(&text, "// run-matrix: nonsense\n");
    assert_true(source_wish_read(&arena, "x.c", "x.c", buf_str(&text), &wish, &diags));
    assert_string_equal(joined(&arena, &wish.cflags), "<-DLAST>");
    buf_release(&text);
    arena_release(&arena);
}

/* ---- what compilers say ---- */

static void files_of_compilers_are_read(void **state)
{
    struct arena arena = {0};
    struct flags files = {0};

    (void)state;
    depfile_read(&arena, str_of("x: a.c /usr/a\\ b.h \\\n  c$$d.h e\\#f.h g\\h.h\n"), "/w/", &files);
    assert_string_equal(joined(&arena, &files), "</w/a.c> </usr/a b.h> </w/c$d.h> </w/e#f.h> </w/g\\h.h>");
    files = (struct flags){0};
    depfile_read(&arena, str_of("no rule"), "/w/", &files);
    depfile_read(&arena, str_of(""), "/w/", &files);
    assert_int_equal(files.count, 0);
    trace_read(&arena, str_of("/dev/null\n(/dev/null)x.o\n/dev/null(y.o)\n/no/such/file\n\nnull\n"), "/dev/",
               &files);
    assert_string_equal(joined(&arena, &files), "</dev/null>");
    arena_release(&arena);
}

/* ---- digests ---- */

static void digests_differ(void **state)
{
    char text[DIGEST_TEXT];

    (void)state;
    digest_format(text, digest_start());
    assert_string_equal(text, "6c62272e07bb014262b821756295c58d");
    digest_format(text, digest_bytes(digest_start(), "a", 1)); /* as its authors publish it */
    assert_string_equal(text, "d228cb696f1a8caf78912b704e4a8964");
    assert_true(digest_text(digest_text(digest_start(), "a"), "bc") !=
                digest_text(digest_text(digest_start(), "ab"), "c"));
}

/* ---- in a folder of its own ---- */

static int enter(void **state)
{
    char folder[] = "/tmp/test-sources-XXXXXX";

    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    *state = strdup(folder);
    return *state ? 0 : -1;
}

static int leave(void **state)
{
    int answer = chdir("/") < 0 || dir_remove(AT_FDCWD, *state) < 0 ? -1 : 0;

    free(*state);
    return answer;
}

static void put(const char *path, const char *text)
{
    assert_int_equal(dir_make_parents(AT_FDCWD, path, 0777), 0);
    assert_int_equal(file_write(path, str_of(text)), 0);
}

static void tests_are_found_by_their_names(void **state)
{
    static const char *const there[] = {"t/test_b.c",     "t/test_a.c",     "t/test_a.so",   "t/test_m.so",
                                        "t/.h/test_x.c",  "t/sub/test_c.c", "t/x.c",         "t/test_d.h",
                                        "t/fixtures_1.c", "t/fixtures_0.c", "t/.fixtures_.c"};
    struct arena arena = {0};
    struct str *paths;
    size_t count;

    (void)state;
    for (size_t i = 0; i < sizeof there / sizeof there[0]; i++)
        put(there[i], "");
    assert_int_equal(symlink(".", "t/again"), 0);
    assert_int_equal(mkdir("t/test_e.c", 0777), 0);
    assert_int_equal(sources_below(&arena, "t", &paths, &count), 0);
    assert_int_equal(count, 4);
    assert_string_equal(paths[0].ptr, "t/sub/test_c.c");
    assert_string_equal(paths[1].ptr, "t/test_a.c");
    assert_string_equal(paths[2].ptr, "t/test_b.c");
    assert_string_equal(paths[3].ptr, "t/test_m.so");
    assert_int_equal(sources_fixtures(&arena, "t/test_a.c", &paths, &count), 0);
    assert_int_equal(count, 2);
    assert_string_equal(paths[0].ptr, "t/fixtures_0.c");
    assert_int_equal(sources_below(&arena, "none", &paths, &count), ENOENT);
    arena_release(&arena);
}

/* ---- the cache ---- */

#define KEY digest_text(digest_start(), "key")

struct scene {
    struct arena arena;
    struct cache cache;
    struct stamps *stamps;
    struct entry entry;
};

static void look_again(struct scene *s)
{
    stamps_free(s->stamps);
    s->stamps = stamps_new();
}

/* An output that was made of two files. */
static void open_scene(struct scene *s)
{
    static const char *const files[] = {"a.h", "b.h"};
    const char *output;

    *s = (struct scene){.stamps = stamps_new()};
    assert_int_equal(cache_open(&s->cache, "cache", &s->arena), 0);
    output = cache_name(&s->arena, "x", KEY, ".o");
    put("a.h", "a");
    put("b.h", "b");
    assert_int_equal(file_write(cache_path(&s->cache, &s->arena, output), str_of("made")), 0);
    s->entry = (struct entry){.output = output, .text = str_of("a text\nof it")};
    assert_int_equal(stamps_get(s->stamps, cache_path(&s->cache, &s->arena, output), NULL, &s->entry.made),
                     0);
    for (size_t i = 0; i < 2; i++) {
        struct stamp stamp;

        assert_int_equal(stamps_get(s->stamps, files[i], NULL, &stamp), 0);
        entry_add(&s->arena, &s->entry, files[i], &stamp);
    }
    assert_int_equal(cache_save(&s->cache, KEY, &s->entry), 0);
    look_again(s);
}

static void close_scene(struct scene *s)
{
    stamps_free(s->stamps);
    cache_close(&s->cache);
    arena_release(&s->arena);
}

static bool is_fresh(struct scene *s)
{
    look_again(s);
    return cache_load(&s->cache, KEY, &s->arena, &s->entry) &&
           cache_is_fresh(&s->cache, KEY, &s->entry, s->stamps);
}

static void what_is_kept_is_found(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    assert_true(is_fresh(&s));
    assert_int_equal(s.entry.count, 2);
    assert_string_equal(s.entry.files[1].path, "b.h");
    assert_true(str_is(s.entry.text, "a text\nof it"));
    assert_false(cache_load(&s.cache, KEY + 1, &s.arena, &s.entry));
    put("a.h", "a"); /* another file with what the old one had */
    assert_true(is_fresh(&s));
    close_scene(&s);
}

static void what_has_changed_is_seen(void **state)
{
    struct timespec times[2] = {{0}};
    struct stat st;
    struct scene s;

    (void)state;
    open_scene(&s);
    assert_int_equal(stat("b.h", &st), 0);
    put("b.h", "c");
    times[0] = st.st_atim;
    times[1] = st.st_mtim;
    assert_int_equal(utimensat(AT_FDCWD, "b.h", times, 0), 0);
    assert_false(is_fresh(&s));
    put("b.h", "b");
    assert_true(is_fresh(&s));
    assert_int_equal(unlink("a.h"), 0);
    assert_false(is_fresh(&s));
    put("a.h", "a");
    assert_true(is_fresh(&s));
    assert_int_equal(file_write(cache_path(&s.cache, &s.arena, s.entry.output), str_of("mad")), 0);
    assert_false(is_fresh(&s));
    assert_int_equal(unlink(cache_path(&s.cache, &s.arena, s.entry.output)), 0);
    assert_false(is_fresh(&s));
    close_scene(&s);
}

/* Cut anywhere, or with any byte of it changed, it is none. */
static void a_damaged_entry_is_none(void **state)
{
    struct buf whole = {0};
    struct str *names;
    const char *path;
    struct scene s;
    size_t count;

    (void)state;
    open_scene(&s);
    assert_int_equal(dir_list(AT_FDCWD, "cache/keys", &s.arena, &names, &count), 0);
    assert_int_equal(count, 1);
    path = arena_printf(&s.arena, "cache/keys/%s", names[0].ptr);
    assert_int_equal(file_read(path, &whole, 1 << 20), 0);
    for (size_t i = 0; i < whole.len; i++) {
        assert_int_equal(file_write(path, str_slice(buf_str(&whole), 0, i)), 0);
        if (cache_load(&s.cache, KEY, &s.arena, &s.entry))
            fail_msg("cut at %zu", i);
        whole.ptr[i] ^= 1;
        assert_int_equal(file_write(path, buf_str(&whole)), 0);
        if (cache_load(&s.cache, KEY, &s.arena, &s.entry))
            fail_msg("changed at %zu", i);
        whole.ptr[i] ^= 1;
    }
    assert_int_equal(file_write(path, buf_str(&whole)), 0);
    assert_true(is_fresh(&s));
    buf_release(&whole);
    close_scene(&s);
}

static void age(const char *path, int days)
{
    struct timespec times[2];

    clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= days * 24 * 3600;
    times[1] = times[0];
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void what_is_old_goes(void **state)
{
    static const char *const old[] = {"cache/made/old", "cache/keys/old", "cache/tmp/old"};
    struct scene s;

    (void)state;
    open_scene(&s);
    for (size_t i = 0; i < 3; i++) {
        put(old[i], "old");
        age(old[i], 3);
    }
    put("cache/tmp/new", "new");
    cache_tidy(&s.cache, UINT64_MAX); /* there is room for all */
    assert_int_equal(access(old[0], F_OK), 0);
    assert_int_equal(access(old[2], F_OK), -1);
    assert_int_equal(access("cache/tmp/new", F_OK), 0);
    cache_tidy(&s.cache, 0);
    assert_int_equal(access(old[0], F_OK), -1);
    assert_int_equal(access(old[1], F_OK), -1);
    assert_true(is_fresh(&s));
    close_scene(&s);
}

/* Using it is noted, so that it does not go. */
static void what_is_used_stays(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    age(cache_path(&s.cache, &s.arena, s.entry.output), 3);
    assert_true(is_fresh(&s));
    cache_tidy(&s.cache, 0);
    assert_true(is_fresh(&s));
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_taken_apart),
        cmocka_unit_test(comments_are_read),
        cmocka_unit_test(mistakes_have_their_place),
        cmocka_unit_test(only_the_head_is_read),
        cmocka_unit_test(files_of_compilers_are_read),
        cmocka_unit_test(digests_differ),
        cmocka_unit_test_setup_teardown(tests_are_found_by_their_names, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_kept_is_found, enter, leave),
        cmocka_unit_test_setup_teardown(what_has_changed_is_seen, enter, leave),
        cmocka_unit_test_setup_teardown(a_damaged_entry_is_none, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_old_goes, enter, leave),
        cmocka_unit_test_setup_teardown(what_is_used_stays, enter, leave),
    };

    return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
