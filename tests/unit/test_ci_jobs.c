/* The matrix of a workflow: what `ci matrix` prints is what GitHub makes our cells of, and each job finds its own again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ci/ci.h"
#include "ci/job.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MATRICES       "tests/unit/data/matrices.txt"
#define MATRICES_LEAST 120 /* the file is there, and most of it is no error */

static int read_text(void *user, const char *path, struct buf *out)
{
    if (strcmp(path, "run-matrix.yaml") != 0)
        return ENOENT;
    buf_adds(out, user);
    return 0;
}

static int find_nothing(void *user, struct arena *arena, const char *pattern, struct str **paths,
                        size_t *count)
{
    (void)user, (void)arena, (void)pattern;
    *paths = NULL;
    *count = 0;
    return 0;
}

struct loaded {
    struct arena arena;
    struct diags diags;
    struct suite_world world;
    struct suites suites;
    struct plan plan;
    struct settings *settings;
    struct ci_jobs jobs;
    bool made;
};

static bool load(struct loaded *l, const char *text)
{
    memset(l, 0, sizeof *l);
    l->diags.arena = &l->arena;
    l->world = (struct suite_world){
        .read = read_text, .glob = find_nothing, .user = (void *)(uintptr_t)text, .version = "0.1.0"};
    return suites_load(&l->arena, "run-matrix.yaml", &l->world, &l->suites, &l->diags);
}

static void make_jobs(struct loaded *l)
{
    static const struct settings_over over = {0};

    plan_init(&l->plan, &l->arena, &l->suites);
    l->settings = settings_new(&l->arena, &l->plan, &over, &l->diags);
    assert_non_null(l->settings);
    assert_true(plan_make(&l->plan, l->settings, NULL, &l->diags));
    l->made = ci_jobs_make(&l->arena, &l->plan, &l->jobs, &l->diags);
}

static void unload(struct loaded *l)
{
    plan_release(&l->plan);
    if (l->settings)
        settings_release(l->settings);
    suites_release(&l->suites);
    arena_release(&l->arena);
}

static void load_jobs(struct loaded *l, const char *text)
{
    if (!load(l, text)) {
        diags_print(&l->diags, stderr);
        fail();
    }
    make_jobs(l);
}

/* ---- the way to GitHub and back ---- */

static const struct node *parse(struct arena *arena, const struct buf *json)
{
    struct diags diags = {.arena = arena};
    const struct node *node =
        json_to_node(arena, arena_str(arena, buf_str(json)), (struct place){"json", 1, 1}, &diags);

    if (!node)
        fail_msg("%s: %s", buf_text(json), diags.list[0].text);
    return node;
}

/* By the job's own text a file that is read anew has exactly that cell. */
static void find_again(const char *name, const char *text, const struct ci_job *job, const struct node *item)
{
    struct loaded l;
    struct buf json = {0};

    assert_true(load(&l, text));
    node_json(&json, item, 2);
    if (!job_choose_cell(&l.suites, buf_str(&json), &l.diags))
        fail_msg("%s: %s", name, l.diags.list[0].text);
    assert_true(l.suites.list[0]->one_cell);
    assert_int_equal(l.suites.list[0]->only_cell, job->cell);
    buf_release(&json);
    unload(&l);
}

static void check_ids(const char *name, const struct ci_jobs *jobs)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        struct str id = jobs->list[i].id;

        if (!id.len || id.len > 120)
            fail_msg("%s: an id of %zu bytes", name, id.len);
        for (size_t c = 0; c < id.len; c++)
            if (!memchr("_.+=,-~", id.ptr[c], 7) && !(id.ptr[c] >= '0' && id.ptr[c] <= '9') &&
                !((id.ptr[c] | 32) >= 'a' && (id.ptr[c] | 32) <= 'z'))
                fail_msg("%s: '%.*s' is no name of an artifact", name, STR_ARG(id));
        for (uint32_t j = 0; j < i; j++)
            if (str_eq(id, jobs->list[j].id))
                fail_msg("%s: two jobs have the id %.*s", name, STR_ARG(id));
    }
}

/* What GitHub makes of the answer: as many jobs, in that order, each with its cell and an id. */
static void check_cells(const char *name, const char *text, const struct loaded *l)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct cells cells = {0};
    struct buf json = {0}, ours = {0}, theirs = {0};
    const struct node *matrix;

    ci_jobs_json(&json, &l->jobs);
    matrix = parse(&arena, &json);
    if (!cells_expand(&arena, matrix, &cells, &diags))
        fail_msg("%s: %s", name, diags.list[0].text);
    assert_int_equal(cells.count, l->jobs.count);
    for (uint32_t j = 0; j < cells.count; j++) {
        const struct ci_job *job = &l->jobs.list[j];

        buf_clear(&ours);
        buf_clear(&theirs);
        cells_json(&ours, &job->suite->cells, job->cell);
        cells_json(&theirs, &cells, j);
        if (!ci_job_has_own_id(job)) {
            ours.len--;
            buf_addf(&ours, "%s\"id\":\"%.*s\"}", ours.len > 1 ? "," : "", STR_ARG(job->id));
        }
        assert_string_equal(buf_text(&theirs), buf_text(&ours));
        find_again(name, text, job, matrix->map.pairs[0].value->seq.items[j]);
    }
    check_ids(name, &l->jobs);
    buf_release(&json);
    buf_release(&ours);
    buf_release(&theirs);
    arena_release(&arena);
}

static bool cells_differ(const struct loaded *l)
{
    return l->made && !ci_jobs_unsaid(&l->jobs) && l->jobs.count;
}

/* One matrix of the file: its lines, moved in below `strategy: matrix:`. */
static bool check_matrix(const char *name, struct str matrix)
{
    struct buf text = {0};
    struct loaded l;
    bool good;

    buf_adds(&text, "strategy:\n  matrix:\n");
    while (matrix.len) {
        const char *end = memchr(matrix.ptr, '\n', matrix.len);
        size_t len = end ? (size_t)(end - matrix.ptr) + 1 : matrix.len;

        buf_addf(&text, "    %.*s", (int)len, matrix.ptr);
        matrix = str_slice(matrix, len, matrix.len);
    }
    good = load(&l, buf_text(&text));
    if (good) {
        make_jobs(&l);
        good = cells_differ(&l);
    }
    if (good)
        check_cells(name, buf_text(&text), &l);
    unload(&l);
    buf_release(&text);
    return good;
}

static void test_every_matrix_comes_back(void **state)
{
    struct buf file = {0};
    unsigned count = 0;
    char *entry, *rest = NULL;

    (void)state;
    assert_int_equal(file_read(MATRICES, &file, SIZE_MAX), 0);
    entry = strstr(file.ptr, "=== ");
    for (; entry; entry = rest) {
        char *name = entry + 4, *body = strchr(name, '\n') + 1, *end = strstr(body, "\n=>\n");

        rest = strstr(end, "\n=== ");
        rest = rest ? rest + 1 : NULL;
        body[-1] = '\0';
        count += check_matrix(name, (struct str){body, (size_t)(end + 1 - body)});
    }
    if (count < MATRICES_LEAST)
        fail_msg("only %u matrices have been looked at", count);
    buf_release(&file);
}

/* ---- ids ---- */

static void id_is(const struct loaded *l, uint32_t job, const char *id)
{
    assert_true(job < l->jobs.count);
    if (!str_is(l->jobs.list[job].id, id))
        fail_msg("the id is %.*s, not %s", STR_ARG(l->jobs.list[job].id), id);
}

static void test_ids(void **state)
{
    struct loaded l;

    (void)state;
    load_jobs(&l, "strategy: {matrix: {cc: [gcc, clang], v: [3.12]}}");
    id_is(&l, 0, "cc=gcc,v=3.12");
    id_is(&l, 1, "cc=clang,v=3.12");
    unload(&l);
    load_jobs(&l, "tests: [{name: t, run: [ls]}]");
    id_is(&l, 0, "all");
    assert_int_equal(l.jobs.count, 1);
    unload(&l);
    /* Types alone tell them apart. */
    load_jobs(&l, "strategy: {matrix: {v: [1.1, '1.1', 2]}}");
    assert_int_equal(l.jobs.count, 3);
    assert_true(str_starts(l.jobs.list[0].id, "v=1.1~"));
    assert_true(str_starts(l.jobs.list[1].id, "v=1.1~"));
    id_is(&l, 2, "v=2");
    check_ids("types", &l.jobs);
    unload(&l);
    /* What cannot stand in an artifact's name. */
    load_jobs(&l, "strategy: {matrix: {image: ['debian:12', 'debian/12']}}");
    assert_true(str_starts(l.jobs.list[0].id, "image=debian-12~"));
    check_ids("image", &l.jobs);
    unload(&l);
}

/* A cell that comes or goes, and a key that `include` adds, leave the ids of the others alone. */
static void test_ids_stay(void **state)
{
    static const char *const texts[] = {
        "strategy: {matrix: {cc: [gcc, clang], os: [a]}}",
        "strategy: {matrix: {cc: [tcc, gcc, clang], os: [b, a]}}",
        "strategy: {matrix: {cc: [gcc, clang], os: [a], include: [{cc: gcc, x: 1}, {cc: icc, os: a}]}}",
        "strategy: {matrix: {os: [a], cc: [clang, gcc], exclude: [{cc: clang}]}}",
    };
    static const char *const wanted[] = {"cc=gcc,os=a", "cc=gcc,os=a", "cc=gcc,os=a", "os=a,cc=gcc"};

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        struct loaded l;
        bool there = false;

        load_jobs(&l, texts[t]);
        for (uint32_t j = 0; j < l.jobs.count; j++)
            there |= str_is(l.jobs.list[j].id, wanted[t]);
        if (!there)
            fail_msg("%s: no %s", texts[t], wanted[t]);
        unload(&l);
    }
}

static void test_an_id_of_the_users_own(void **state)
{
    struct loaded l;
    struct buf json = {0};

    (void)state;
    load_jobs(&l, "strategy: {matrix: {ID: [7]}}");
    assert_true(ci_job_has_own_id(&l.jobs.list[0]));
    ci_jobs_json(&json, &l.jobs);
    assert_string_equal(buf_text(&json), "{\"include\":[{\"ID\":7}]}");
    buf_release(&json);
    unload(&l);
}

/* ---- which cells are jobs ---- */

static void counts_are(const char *text, uint32_t jobs, uint32_t foreign, uint32_t idle)
{
    struct loaded l;

    load_jobs(&l, text);
    if (!l.made || l.jobs.count != jobs || l.jobs.without.foreign != foreign || l.jobs.without.idle != idle)
        fail_msg("%s: %u jobs, %u for others, %u idle", text, l.jobs.count, l.jobs.without.foreign,
                 l.jobs.without.idle);
    unload(&l);
}

static void test_which_cells(void **state)
{
    (void)state;
    counts_are("strategy: {matrix: {os: [ubuntu-22.04, windows-2022, macos-14, ubuntu-24.04]}}\nhost: [os]",
               2, 2, 0);
    counts_are("strategy: {matrix: {a: [1, 2], b: [1, 2]}}\ntests: [{name: t, run: [ls], axes: [a]}]", 2, 0,
               2);
    counts_are("strategy: {matrix: {a: [1, 2], b: [1, 2]}}\ntests: [{name: t, run: [ls], axes: []}]", 1, 0,
               3);
    counts_are("strategy: {matrix: {a: [1, 2]}}\ntests: [{name: t, run: [ls], only: matrix.a == 2}]", 1, 0,
               1);
    counts_are("strategy: {matrix: {a: [1], exclude: [{a: 1}]}}", 0, 0, 0);
    /* The first of them that is for Linux. */
    counts_are("strategy: {matrix: {os: [macos-14, ubuntu-24.04]}}\nhost: [os]\n"
               "tests: [{name: t, run: [ls], axes: []}]",
               1, 1, 0);
}

static void test_no_job_is_none(void **state)
{
    struct loaded l;
    struct buf json = {0};
    struct cells cells = {0};

    (void)state;
    load_jobs(&l, "strategy: {matrix: {a: [1], exclude: [{a: 1}]}}");
    ci_jobs_json(&json, &l.jobs);
    assert_true(cells_expand(&l.arena, parse(&l.arena, &json), &cells, &l.diags));
    assert_int_equal(cells.count, 1);
    /* Where somebody has forgotten the condition, that job is an error and not a success. */
    assert_false(job_choose_cell(&l.suites, (struct str)STR("{\"id\":\"none\"}"), &l.diags));
    buf_release(&json);
    unload(&l);
}

static void test_a_cell_that_is_there_twice(void **state)
{
    static const char *const texts[] = {
        "strategy: {matrix: {a: [1, 1]}}",
        "strategy: {matrix: {a: [1, 2, 1]}}\ntests: [{name: t, run: [ls]}]",
        "strategy: {matrix: {a: [1], include: [{a: 2, b: 3}, {a: 2, b: 3}]}}",
    };

    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(texts); t++) {
        struct loaded l;

        load_jobs(&l, texts[t]);
        assert_false(l.made);
        assert_non_null(strstr(l.diags.list[l.diags.count - 1].text, "is there twice"));
        unload(&l);
    }
}

static void test_what_json_cannot_say(void **state)
{
    struct loaded l;

    (void)state;
    load_jobs(&l, "strategy: {matrix: {a: [1, {b: [.inf]}]}}");
    assert_non_null(ci_jobs_unsaid(&l.jobs));
    unload(&l);
    load_jobs(&l, "strategy: {matrix: {a: [1, {b: ['.inf']}]}}");
    assert_null(ci_jobs_unsaid(&l.jobs));
    unload(&l);
}

/* ---- files of a step ---- */

static void test_values_end_where_they_end(void **state)
{
    struct buf first = {0}, second = {0};

    (void)state;
    assert_true(github_file_add(&first, "matrix", str_of("{}\nmatrix=x")));
    assert_true(github_file_add(&second, "matrix", str_of("{}\nmatrix=x")));
    assert_int_equal(strncmp(first.ptr, "matrix<<ghadelimiter_", 21), 0);
    assert_int_equal(first.len, second.len);
    assert_string_not_equal(first.ptr, second.ptr);
    assert_non_null(strstr(first.ptr, "\n{}\nmatrix=x\nghadelimiter_"));
    buf_release(&first);
    buf_release(&second);
}

static void test_sizes_as_github_counts_them(void **state)
{
    (void)state;
    assert_int_equal(utf16_size(str_of("abc")), 6);
    assert_int_equal(utf16_size(str_of("\xC3\xA9")), 2);
    assert_int_equal(utf16_size(str_of("\xF0\x9F\x98\x80")), 4);
    assert_int_equal(utf16_size(str_of("\xFF")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_matrix_comes_back),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_ids_stay),
        cmocka_unit_test(test_an_id_of_the_users_own),
        cmocka_unit_test(test_which_cells),
        cmocka_unit_test(test_no_job_is_none),
        cmocka_unit_test(test_a_cell_that_is_there_twice),
        cmocka_unit_test(test_what_json_cannot_say),
        cmocka_unit_test(test_values_end_where_they_end),
        cmocka_unit_test(test_sizes_as_github_counts_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
