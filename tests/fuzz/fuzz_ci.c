/*
 * Any text as a workflow that is compared with a run-matrix.yaml, and as a run-matrix.yaml whose cells become jobs: what is
 * written for it fits it.
 */
#include "ci/ci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MOST 300 /* more are written down by nobody */

static const char plain[] =
    "strategy: {max-parallel: 2, matrix: {os: [ubuntu-22.04, macos-14], cc: [gcc, clang]}}\n"
    "host: [os]\n"
    "tests: [{name: t, run: [ls]}]\n"
    "profiles: {ci: {retries: 1}, nightly: {soak: {select: t, within: 45m}}}\n";

static int read_text(void *user, const char *path, struct buf *out)
{
    if (strcmp(path, "run-matrix.yaml") != 0)
        return ENOENT;
    buf_addstr(out, *(const struct str *)user);
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

static const struct ci_soak soak = {STR("nightly"), 45 * 60 * NS_PER_S, {"run-matrix.yaml", 4, 1}};

/* False: it is no suite, or none that could become jobs. */
static bool make_facts(struct arena *arena, struct suite_world *world, struct suites *suites,
                       struct ci_jobs *jobs, struct ci_facts *facts)
{
    static const struct settings_over over = {0};
    struct diags diags = {.arena = arena};
    struct settings *settings;
    struct plan plan;
    bool ok;

    if (!suites_load(arena, "run-matrix.yaml", world, suites, &diags))
        return false;
    plan_init(&plan, arena, suites);
    settings = settings_new(arena, &plan, &over, &diags);
    ok = settings && plan_make(&plan, settings, NULL, &diags) && ci_jobs_make(arena, &plan, jobs, &diags);
    plan_release(&plan);
    if (settings)
        settings_release(settings);
    *facts = (struct ci_facts){.jobs = jobs,
                               .suites = suites,
                               .folder = "",
                               .selection = "",
                               .session = 20 * 60 * NS_PER_S,
                               .session_at = {"run-matrix.yaml", 1, 1}};
    return ok;
}

static void check_workflow(struct arena *arena, struct str text)
{
    struct str suite = str_of(plain);
    struct suite_world world = {.read = read_text, .glob = find_nothing, .user = &suite, .version = "0.1.0"};
    struct diags found = {.arena = arena}, diags = {.arena = arena};
    struct suites suites = {0};
    struct ci_facts facts;
    struct ci_jobs jobs;

    if (!make_facts(arena, &world, &suites, &jobs, &facts))
        abort();
    facts.soaks = &soak;
    facts.soak_count = 1;
    ci_workflow_check(arena, "ci.yml", text, (struct str){"", 0}, &facts, &found, &diags);
    suites_release(&suites);
}

static void write_and_check(struct arena *arena, const struct ci_facts *facts, bool written_out)
{
    const struct ci_shape shape = {written_out};
    struct diags found = {.arena = arena}, diags = {.arena = arena};
    struct buf text = {0};

    if (ci_workflow_write(&text, facts, &shape, &diags) &&
        (!ci_workflow_check(arena, "ci.yml", buf_str(&text), (struct str){"", 0}, facts, &found, &diags) ||
         found.errors)) {
        fwrite(text.ptr, 1, text.len, stderr);
        diags_print(&diags, stderr);
        diags_print(&found, stderr);
        abort();
    }
    buf_release(&text);
}

static void check_suite(struct arena *arena, struct str text)
{
    struct suite_world world = {.read = read_text, .glob = find_nothing, .user = &text, .version = "0.1.0"};
    struct suites suites = {0};
    struct ci_facts facts;
    struct ci_jobs jobs;
    struct buf json = {0};

    if (make_facts(arena, &world, &suites, &jobs, &facts) && jobs.count <= JOBS_MOST) {
        ci_jobs_json(&json, &jobs);
        write_and_check(arena, &facts, false);
        if (jobs.count && !ci_jobs_unsaid(&jobs))
            write_and_check(arena, &facts, true);
    }
    suites_release(&suites);
    buf_release(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct str text = {(const char *)data, size};

    check_workflow(&arena, text);
    check_suite(&arena, text);
    arena_release(&arena);
    return 0;
}
