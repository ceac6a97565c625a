/* A job of a matrix: which cell it is, and that over all jobs every case is planned once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ci/job.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct files {
    const char *root, *member; /* NULL: there is none */
};

static int read_text(void *user, const char *path, struct buf *out)
{
    const struct files *files = user;
    const char *text = strcmp(path, "run-matrix.yaml") == 0 ? files->root : files->member;

    if (!text)
        return ENOENT;
    buf_adds(out, text);
    return 0;
}

static int find_member(void *user, struct arena *arena, const char *pattern, struct str **paths,
                       size_t *count)
{
    const struct files *files = user;

    (void)pattern;
    *count = files->member != NULL;
    *paths = ARENA_ARRAY(arena, struct str, 1);
    (*paths)[0] = str_of("kv/run-matrix.yaml");
    return 0;
}

struct loaded {
    struct arena arena;
    struct diags diags;
    struct suite_world world;
    struct files files;
    struct suites suites;
    struct plan plan;
    struct settings *settings;
};

static void load(struct loaded *l, struct files files, const char *const *labels)
{
    memset(l, 0, sizeof *l);
    l->diags.arena = &l->arena;
    l->files = files;
    l->world = (struct suite_world){
        .read = read_text, .glob = find_member, .user = &l->files, .version = "0.1.0", .labels = labels};
    l->world.host_strict = labels != NULL;
    if (!suites_load(&l->arena, "run-matrix.yaml", &l->world, &l->suites, &l->diags)) {
        diags_print(&l->diags, stderr);
        fail();
    }
}

static void plan(struct loaded *l)
{
    static const struct settings_over over = {0};

    plan_init(&l->plan, &l->arena, &l->suites);
    l->settings = settings_new(&l->arena, &l->plan, &over, &l->diags);
    assert_non_null(l->settings);
    assert_true(plan_make(&l->plan, l->settings, NULL, &l->diags));
}

static void unload(struct loaded *l)
{
    if (l->settings)
        settings_release(l->settings);
    plan_release(&l->plan);
    suites_release(&l->suites);
    arena_release(&l->arena);
}

/* ---- every case once ---- */

/* How often each case is planned for a machine, all jobs together. */
struct tally {
    char **ids;
    uint32_t *times;
    uint32_t count;
};

static void tally_open(struct tally *tally, const struct loaded *l)
{
    tally->count = 0;
    tally->ids = mem_zero(l->plan.count + 1, sizeof *tally->ids);
    tally->times = mem_zero(l->plan.count + 1, sizeof *tally->times);
    for (uint32_t i = 0; i < l->plan.count; i++) {
        struct buf id = {0};

        case_id(&id, &l->plan, &l->plan.cases[i]);
        tally->ids[tally->count++] = strdup(buf_text(&id));
        buf_release(&id);
    }
}

static void tally_add(struct tally *tally, const struct loaded *l)
{
    struct buf id = {0};

    for (uint32_t i = 0; i < l->plan.count; i++) {
        uint32_t at = 0;

        if (l->plan.cases[i].elsewhere)
            continue;
        buf_clear(&id);
        case_id(&id, &l->plan, &l->plan.cases[i]);
        while (at < tally->count && strcmp(tally->ids[at], buf_text(&id)) != 0)
            at++;
        if (at == tally->count)
            fail_msg("'%s' is no case of the whole", buf_text(&id));
        tally->times[at]++;
    }
    buf_release(&id);
}

static void tally_close(struct tally *tally)
{
    for (uint32_t i = 0; i < tally->count; i++)
        free(tally->ids[i]);
    free(tally->ids);
    free(tally->times);
}

/* toJSON(matrix) of a cell, as GitHub prints it, with the `id` that a matrix of ours adds. */
static void matrix_text(struct buf *out, const struct suite *suite, uint32_t cell, struct arena *arena)
{
    struct node *values = cell_context(suite, cell, NULL, arena);
    uint32_t count = values->map.count;
    struct node *all = node_map(arena, (struct place){0}, count + 1);

    memcpy(all->map.pairs, values->map.pairs, count * sizeof *all->map.pairs);
    all->map.pairs[count].key = node_string(arena, (struct place){0}, str_of("id"));
    all->map.pairs[count].value = node_string(arena, (struct place){0}, str_of("a_b_2"));
    assert_true(value_print(out, all, 1 << 20));
}

/* On a machine that has the label of the cell, where they are told apart. */
static void run_job(struct tally *tally, struct files files, uint32_t suite, uint32_t cell, bool strict)
{
    struct loaded l;
    struct buf text = {0};
    const char *labels[] = {NULL, NULL};

    load(&l, files, NULL);
    matrix_text(&text, l.suites.list[suite], cell, &l.arena);
    if (strict) {
        const struct node *values = cell_context(l.suites.list[suite], cell, NULL, &l.arena);

        labels[0] = strdup(arena_cstr(&l.arena, node_get(values, "os")->string));
    }
    unload(&l);
    load(&l, files, strict ? labels : NULL);
    if (!job_choose_cell(&l.suites, buf_str(&text), &l.diags)) {
        diags_print(&l.diags, stderr);
        fail_msg("%s is not taken", buf_text(&text));
    }
    plan(&l);
    tally_add(tally, &l);
    unload(&l);
    free((char *)(uintptr_t)labels[0]);
    buf_release(&text);
}

static void check_once(struct files files, bool strict)
{
    struct tally tally;
    struct loaded whole;

    load(&whole, files, NULL);
    plan(&whole);
    tally_open(&tally, &whole);
    for (uint32_t s = 0; s < whole.suites.count; s++)
        for (uint32_t cell = 0; cell < whole.suites.list[s]->cells.count; cell++)
            if (whole.suites.list[s]->cells.key_count && !whole.suites.list[s]->elsewhere[cell])
                run_job(&tally, files, s, cell, strict);
    for (uint32_t i = 0; i < tally.count; i++)
        if (tally.times[i] != !whole.plan.cases[i].elsewhere)
            fail_msg("'%s' of '%s' is planned %u times", tally.ids[i], files.root, tally.times[i]);
    tally_close(&tally);
    unload(&whole);
}

static const char tests[] =
    "tests: [{name: t, run: [x, '${{ matrix.a }}']}, {name: once, run: [x], axes: []}, {name: a, run: [x], "
    "axes: [a]},\n"
    "        {name: b, run: [x], axes: [b]}, {name: only, run: [x], only: matrix.a != 2},\n"
    "        {name: own, run: [x], axes: [b], matrix: {mine: [1, 2]}}]\n";

static void test_every_case_is_one_job_s(void **state)
{
    static const char *const matrices[] = {
        "{a: [1, 2, 3], b: [x, y]}",
        "{a: [1, 2, 3], b: [x, y], exclude: [{a: 1, b: x}]}",
        "{a: [1.10, 1.1e15, .5, -0], b: [x, 'X', ' x', null, true, 'true', '']}",
        "{a: [1, '1', 1.5], b: [{n: x, m: [1, {k: null}]}, [1, 2], [], {}]}",
        "{a: [1], b: [y], include: [{a: 1, n: extra}, {a: 2, b: z, n: q}, {a: 2, b: z, n: r}, {b: w}]}",
        "{a: [1e15, 1e300], b: ['a=b', 'ä \"quoted\"\\n', 0x1F, 12345678901234567890]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(matrices); i++) {
        struct buf text = {0};

        buf_addf(&text, "strategy: {matrix: %s}\n%s", matrices[i], tests);
        check_once((struct files){buf_text(&text), NULL}, false);
        buf_release(&text);
    }
}

/* What is elsewhere is nobody's; the same answer has to come out on machines of different names. */
static void test_machines(void **state)
{
    static const char *const matrices[] = {
        "{os: [macos-14, ubuntu-22.04, debian-12, windows-2022], a: [1, 2], b: [x]}",
        "{os: [ubuntu-22.04, ubuntu-24.04], a: [1], b: [x, y]}",
        "{os: [macos-14, windows-2022], a: [1], b: [x]}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(matrices); i++)
        for (int strict = 0; strict < 2; strict++) {
            struct buf text = {0};

            buf_addf(&text, "strategy: {matrix: %s}\nhost: [os]\n%s", matrices[i], tests);
            check_once((struct files){buf_text(&text), NULL}, strict);
            buf_release(&text);
        }
}

static void test_several_suites(void **state)
{
    static const char root[] =
        "suites: ['*/run-matrix.yaml']\nstrategy: {matrix: {os: [macos-14, linux], a: [1, 2]}}\n"
        "host: [os]\ntests: [{name: t, run: [x], axes: [a]}]\n";

    (void)state;
    check_once((struct files){root, "tests: [{name: plain, run: [x]}]"}, false);
    check_once(
        (struct files){root,
                       "strategy: {matrix: {z: [7, 8]}}\ntests: [{name: u, run: [x, '${{ matrix.z }}']}]"},
        false);
    check_once((struct files){"suites: ['*/run-matrix.yaml']\ntests: [{name: t, run: [x]}]",
                              "strategy: {matrix: {z: [7, 8]}}\ntests: [{name: u, run: [x], axes: []}]"},
               false);
}

/* ---- what is no cell ---- */

static void test_refused(void **state)
{
    static const char plain[] = "{a: [1, 2], b: [x, y], include: [{a: 1, b: y, n: extra}]}";
    static const struct {
        const char *matrix, *text, *says;
    } rows[] = {
        {plain, "{\"a\": 1, \"b\": \"z\"}",
         "{\"a\":1,\"b\":\"z\"} is no cell of run-matrix.yaml; the nearest is {\"a\":1,\"b\":\"x\"}; 'b' is "
         "\"x\" "
         "there, and \"z\" here"},
        {plain, "{\"a\": \"1\", \"b\": \"x\"}",
         "{\"a\":\"1\",\"b\":\"x\"} is no cell of run-matrix.yaml; the nearest is {\"a\":1,\"b\":\"x\"}; 'a' "
         "is 1 "
         "there, and \"1\" here"},
        {plain, "{\"a\": 2}",
         "{\"a\":2} is no cell of run-matrix.yaml; the nearest is {\"a\":2,\"b\":\"x\"}; 'b' is \"x\" there, "
         "and "
         "missing here"},
        {plain, "{\"a\": 2, \"b\": \"x\", \"c\": 1}",
         "{\"a\":2,\"b\":\"x\",\"c\":1} is no cell of run-matrix.yaml; the nearest is {\"a\":2,\"b\":\"x\"}; "
         "it has no "
         "key 'c'"},
        {plain, "{\"a\": 1, \"b\": \"y\"}",
         "{\"a\":1,\"b\":\"y\"} is no cell of run-matrix.yaml; the nearest is "
         "{\"a\":1,\"b\":\"y\",\"n\":\"extra\"}; "
         "'n' is \"extra\" there, and missing here"},
        {plain, "null",
         "{} is no cell of run-matrix.yaml; the nearest is {\"a\":1,\"b\":\"x\"}; 'a' is 1 there, and "
         "missing here; 'b' is \"x\" there, and missing here"},
        {plain, "[1]", "a cell is an object as ${{ toJSON(matrix) }} makes it, and this is a list"},
        {plain, "{\"a\": 1", NULL},
        {plain, "x", NULL},
        {"{a: [1, 1]}", "{\"a\": 1}",
         "{\"a\":1} is each of 2 cells of run-matrix.yaml, which are the same in everything: whose job this "
         "is cannot "
         "be told"},
        {"{a: [1], exclude: [{a: 1}]}", "{\"a\": 1}",
         "{\"a\":1} is no cell of run-matrix.yaml, which has none"},
        {"{id: [mine, yours]}", "{\"id\": \"ours\"}",
         "{\"id\":\"ours\"} is no cell of run-matrix.yaml; the nearest is {\"id\":\"mine\"}; 'id' is "
         "\"mine\" there, "
         "and \"ours\" here"},
        {NULL, "{\"a\": 1}",
         "{\"a\":1} is no cell of run-matrix.yaml, which has no matrix: leave RUN_MATRIX_CELL away"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text = {0};
        struct loaded l;

        if (rows[i].matrix)
            buf_addf(&text, "strategy: {matrix: %s}\n", rows[i].matrix);
        buf_adds(&text, "tests: [{name: t, run: [x]}]");
        load(&l, (struct files){buf_text(&text), NULL}, NULL);
        assert_false(job_choose_cell(&l.suites, str_of(rows[i].text), &l.diags));
        assert_int_equal(l.diags.errors, 1);
        if (rows[i].says)
            assert_string_equal(l.diags.list[l.diags.count - 1].text, rows[i].says);
        unload(&l);
        buf_release(&text);
    }
}

/* ---- the workflow ---- */

static char folder[] = "/tmp/test_ci_cell.XXXXXX";

static int make_folder(void **state)
{
    struct buf path = {0};
    int answer;

    (void)state;
    if (!mkdtemp(folder))
        return -1;
    buf_addf(&path, "%s/.github", folder);
    mkdir(buf_text(&path), 0700);
    buf_adds(&path, "/workflows");
    mkdir(buf_text(&path), 0700);
    buf_adds(&path, "/ci@2.yml");
    answer = file_write(
        buf_text(&path),
        str_of("jobs:\n  plan: {runs-on: x, steps: []}\n  test:\n    strategy:\n      matrix: {a: [1]}\n"
               "  made: {strategy: {matrix: '${{ fromJSON(needs.plan.outputs.m) }}'}}\n"
               "  none: {strategy: {matrix: null}}\n"));
    buf_release(&path);
    return answer;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"/.github/workflows/ci@2.yml", "/.github/workflows", "/.github", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf path = {0};

        buf_addf(&path, "%s%s", folder, names[i]);
        remove(buf_text(&path));
        buf_release(&path);
    }
    return 0;
}

static void test_workflow(void **state)
{
#define REF "o/r/.github/workflows/ci@2.yml@refs/heads/a@b"
    static const struct {
        const char *workflow, *job;
        uint32_t line; /* 0: it has none */
    } rows[] = {
        {REF, "test", 5},
        {REF, "made", 6},
        {REF, "none", 0},
        {REF, "plan", 0},
        {REF, "tset", 0},
        {REF, "", 0},
        {REF, NULL, 0},
        {NULL, "test", 0},
        {"", "test", 0},
        {"o/r", "test", 0},
        {"o/r/", "test", 0},
        {"o/r//etc/passwd@refs/x", "test", 0},
        {"o/r/../x@refs/x", "test", 0},
        {"o/r/.github/workflows/gone.yml@refs/x", "test", 0},
        {"o/r/.github/workflows@refs/x", "test", 0},
    };
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct job_place place = {folder, rows[i].workflow, rows[i].job};
        struct place at = {0};

        assert_int_equal(job_has_matrix(&arena, &place, &at), rows[i].line > 0);
        assert_int_equal(at.line, rows[i].line);
        if (rows[i].line)
            assert_string_equal(at.file, ".github/workflows/ci@2.yml");
    }
    assert_false(
        job_has_matrix(&arena, &(struct job_place){.workflow = REF, .job = "test"}, &(struct place){0}));
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(test_every_case_is_one_job_s),
        cmocka_unit_test(test_machines),
        cmocka_unit_test(test_several_suites),
        cmocka_unit_test(test_refused),
        cmocka_unit_test_setup_teardown(test_workflow, make_folder, remove_folder),
    };

    return cmocka_run_group_tests(all, NULL, NULL);
}
