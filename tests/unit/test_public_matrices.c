/*
 * Matrices of well-known public workflows, read by `from`: the cells that GitHub makes of them, and which of them are for another
 * kind of machine. The answers are worked out by other means (tests/extra/matrices.mjs); what each job says in `runs-on` stands in
 * a first line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ci/ci.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MATRICES       "tests/unit/data/public-matrices.txt"
#define MATRICES_LEAST 20
#define RUNS_ON        "# runs-on: "

static const char suite_text[] = "strategy: {from: ci.yml#testing}\ntests: [{name: t, run: [ls]}]\n";

static int read_text(void *user, const char *path, struct buf *out)
{
    if (strcmp(path, "run-matrix.yaml") == 0)
        buf_adds(out, suite_text);
    else if (strcmp(path, "ci.yml") == 0)
        buf_adds(out, user);
    else
        return ENOENT;
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

static void add_text(struct buf *out, const char *key, const struct buf *text)
{
    buf_addf(out, "%s\"%s\":\"%s\"", out->ptr[out->len - 1] == '{' ? "" : ",", key, buf_text(text));
}

static void add_cell(struct buf *out, const struct suite *suite, uint32_t cell, struct str id)
{
    struct buf text = {0};

    buf_addc(out, '{');
    cells_name(&text, &suite->cells, cell);
    add_text(out, "name", &text);
    buf_clear(&text);
    cells_job_name(&text, &suite->cells, cell, str_of("test"));
    add_text(out, "job", &text);
    buf_addf(out, ",\"id\":\"%.*s\",\"values\":", STR_ARG(id));
    cells_json(out, &suite->cells, cell);
    buf_adds(out, suite->elsewhere[cell] ? ",\"elsewhere\":true}" : "}");
    buf_release(&text);
}

/* What is elsewhere is in the plan as that, and is no job. */
static void check_elsewhere(struct arena *arena, const char *name, struct suites *suites)
{
    static const struct settings_over over = {0};
    struct diags diags = {.arena = arena};
    const struct suite *suite = suites->list[0];
    struct settings *settings;
    struct ci_jobs jobs;
    struct plan plan;
    uint32_t here = 0;

    plan_init(&plan, arena, suites);
    settings = settings_new(arena, &plan, &over, &diags);
    assert_true(plan_make(&plan, settings, NULL, &diags));
    assert_int_equal(plan.count, suite->cells.count);
    for (uint32_t i = 0; i < plan.count; i++)
        if (plan.cases[i].elsewhere != suite->elsewhere[plan.cases[i].cell])
            fail_msg("%s: case %u", name, i);
    for (uint32_t cell = 0; cell < suite->cells.count; cell++)
        here += !suite->elsewhere[cell];
    assert_true(ci_jobs_make(arena, &plan, &jobs, &diags));
    assert_int_equal(jobs.count, here);
    plan_release(&plan);
    settings_release(settings);
}

/* Lines of a matrix, moved in below a job. */
static void add_workflow(struct buf *out, struct str matrix)
{
    const char *end = memchr(matrix.ptr, '\n', matrix.len);
    size_t len = (size_t)(end - matrix.ptr);

    assert_true(str_starts(matrix, RUNS_ON));
    buf_addf(out, "on: push\njobs:\n  testing:\n    runs-on: %.*s\n    strategy:\n      matrix:\n",
             (int)(len - strlen(RUNS_ON)), matrix.ptr + strlen(RUNS_ON));
    for (matrix = str_slice(matrix, len + 1, matrix.len); matrix.len;
         matrix = str_slice(matrix, len, matrix.len)) {
        end = memchr(matrix.ptr, '\n', matrix.len);
        len = end ? (size_t)(end - matrix.ptr) + 1 : matrix.len;
        buf_addf(out, "        %.*s", (int)len, matrix.ptr);
    }
}

static void check_matrix(const char *name, struct str matrix, const char *wanted)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct buf workflow = {0}, answer = {0};
    struct suites suites = {0};
    struct suite_world world = {.read = read_text, .glob = find_nothing, .version = "0.1.0"};
    const struct suite *suite;
    struct str *ids;

    add_workflow(&workflow, matrix);
    world.user = workflow.ptr;
    if (!suites_load(&arena, "run-matrix.yaml", &world, &suites, &diags))
        fail_msg("%s: %s", name, diags.list[0].text);
    suite = suites.list[0];
    ids = ARENA_ARRAY(&arena, struct str, suite->cells.count);
    assert_true(cells_job_ids(&arena, &suite->cells, ids));
    buf_adds(&answer, "{\"cells\":[\n");
    for (uint32_t cell = 0; cell < suite->cells.count; cell++) {
        buf_adds(&answer, cell ? ",\n" : "");
        add_cell(&answer, suite, cell, ids[cell]);
    }
    buf_adds(&answer, "\n]}");
    if (strncmp(buf_text(&answer), wanted, answer.len) != 0)
        fail_msg("%s: the cells are\n%s", name, buf_text(&answer));
    check_elsewhere(&arena, name, &suites);
    suites_release(&suites);
    buf_release(&workflow);
    buf_release(&answer);
    arena_release(&arena);
}

static void test_public_workflows(void **state)
{
    struct buf file = {0};
    unsigned count = 0, elsewhere = 0;
    char *next;

    (void)state;
    assert_int_equal(file_read(MATRICES, &file, SIZE_MAX), 0);
    for (char *entry = strstr(file.ptr, "=== "); entry; entry = next) {
        char *name = entry + 4, *body = strchr(name, '\n') + 1, *end = strstr(body, "\n=>\n");

        next = strstr(end, "\n=== ");
        if (next)
            *next++ = '\0';
        body[-1] = '\0';
        elsewhere += strstr(end, "\"elsewhere\":true") != NULL;
        check_matrix(name, (struct str){body, (size_t)(end + 1 - body)}, end + 4);
        count++;
    }
    assert_true(count >= MATRICES_LEAST);
    assert_true(elsewhere >= MATRICES_LEAST / 2);
    buf_release(&file);
}

/* ---- what else may stand in runs-on ---- */

static void test_runs_on(void **state)
{
    static const struct {
        const char *runs_on, *elsewhere; /* of the cells 1, 2, 3: x where it is so */
    } rows[] = {
        {"ubuntu-latest", "..."},
        {"windows-latest", "xxx"},
        {"[self-hosted, macOS]", "xxx"},
        {"{group: big, labels: windows-2022}", "xxx"},
        {"{group: big}", "..."},
        {"${{ matrix.v == 2 && 'windows-latest' || 'ubuntu-latest' }}", ".x."},
        {"${{ fromJSON('[0, \"ubuntu-22.04\", \"macos-14\", \"windows-2022\"]')[matrix.v] }}", ".xx"},
        {"\"${{ matrix.v > 1 && fromJSON('[\\\"self-hosted\\\", \\\"Windows\\\"]') || 'ubuntu-latest' }}\"",
         ".xx"},
        {"[self-hosted, \"${{ matrix.none || 'linux' }}\"]", "..."},
        {"${{ inputs.os || 'macos-14' }}", "xxx"},
        {"${{ github.event_name == 'push' && 'macos-14' || 'ubuntu-latest' }}", "..."},
        {"${{ matrix.v", "..."}, /* GitHub says what is wrong with it */
        {"${{ nothing(1) }}", "..."},
        {"5", "..."},
        {"", "..."},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena arena = {0};
        struct diags diags = {.arena = &arena};
        struct buf text = {0};
        struct suites suites = {0};
        struct suite_world world = {.read = read_text, .glob = find_nothing, .version = "0.1.0"};

        buf_addf(&text, "jobs:\n  testing:\n    runs-on: %s\n    strategy: {matrix: {v: [1, 2, 3]}}\n",
                 rows[i].runs_on);
        world.user = text.ptr;
        if (!suites_load(&arena, "run-matrix.yaml", &world, &suites, &diags))
            fail_msg("%s: %s", rows[i].runs_on, diags.list[0].text);
        for (uint32_t cell = 0; cell < 3; cell++)
            if (suites.list[0]->elsewhere[cell] != (rows[i].elsewhere[cell] == 'x') ||
                suites.list[0]->foreign[cell] != suites.list[0]->elsewhere[cell])
                fail_msg("%s: cell %u", rows[i].runs_on, cell);
        suites_release(&suites);
        buf_release(&text);
        arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public_workflows),
        cmocka_unit_test(test_runs_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
