/* From the text of a suite to what a child gets: command, folder, environment, deadlines, expectations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/sig.h"
#include "runner/recipe/environment.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 128

/* ---- a machine: folders of programs ---- */

static const char *make_program(const char *root, const char *name, mode_t mode)
{
    static char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(file_write(path, str_of("")), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static void make_folder(const char *root, const char *name)
{
    char path[PATH_SIZE];

    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static const char *const folders[] = {"bin", "bin/folder", "old", "suite", "suite/tools"};
static const struct {
    const char *name;
    mode_t mode;
} programs[] = {
    {"bin/bash", 0755}, {"bin/sh", 0755},   {"bin/tool", 0755},         {"bin/blocked", 0644},
    {"old/sh", 0755},   {"old/tool", 0755}, {"suite/tools/here", 0755}, {"suite/tools/tool", 0755},
};

static int make_machine(void **state)
{
    char *root = strdup("/tmp/rm-recipe-XXXXXX");

    if (!root || !mkdtemp(root))
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        make_folder(root, folders[i]);
    for (size_t i = 0; i < ARRAY_LEN(programs); i++)
        make_program(root, programs[i].name, programs[i].mode);
    *state = root;
    return 0;
}

static int remove_machine(void **state)
{
    char path[PATH_SIZE];

    for (size_t i = ARRAY_LEN(programs); i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", (char *)*state, programs[i].name);
        unlink(path);
    }
    for (size_t i = ARRAY_LEN(folders); i-- > 0;) {
        snprintf(path, sizeof path, "%s/%s", (char *)*state, folders[i]);
        rmdir(path);
    }
    rmdir(*state);
    free(*state);
    return 0;
}

/* ---- a suite and its kitchen ---- */

static int read_text(void *user, const char *path, struct buf *out)
{
    (void)path;
    buf_adds(out, user);
    return 0;
}

static int no_files(void *user, struct arena *arena, const char *pattern, struct str **paths, size_t *count)
{
    (void)user, (void)arena, (void)pattern, (void)paths;
    *count = 0;
    return 0;
}

struct kept {
    const char *root;
    struct arena arena, slot;
    struct diags diags;
    struct suite_world world;
    struct suites suites;
    struct plan plan;
    struct kitchen kitchen;
    struct node *env;
    const char *environ[24];
    uint32_t environ_count;
    struct recipe recipe;
};

static void put_environ(struct kept *k, const char *entry)
{
    const char *equals = strchr(entry, '=');
    struct pair *pair = &k->env->map.pairs[k->env->map.count];

    k->environ[k->environ_count++] = entry;
    if (!equals)
        return;
    pair->key = node_string(&k->arena, (struct place){0}, (struct str){entry, (size_t)(equals - entry)});
    pair->value = node_string(&k->arena, (struct place){0}, str_of(equals + 1));
    k->env->map.count++;
}

static void set_environ(struct kept *k)
{
    static const char *const entries[] = {"HOME=/home/me",         "EMPTY=",
                                          "TMPDIR=/outer",         "GITHUB_OUTPUT=/x",
                                          "GITHUB_ENV=/x",         "GITHUB_PATH=/x",
                                          "GITHUB_STATE=/x",       "GITHUB_STEP_SUMMARY=/x",
                                          "GITHUB_ACTIONS=true",   "RUN_MATRIX=1",
                                          "RUN_MATRIX_FAULTS=all", "RUN_MATRIX_AXIS_OUTER=1",
                                          "RUN_MATRIXES=mine",     "REMOVED=by a fixture",
                                          "HOME=/home/second",     "no equals sign"};

    k->env = node_map(&k->arena, (struct place){0}, ARRAY_LEN(k->environ));
    k->env->map.count = 0;
    put_environ(k, arena_printf(&k->arena, "PATH=%s/bin", k->root));
    for (size_t i = 0; i < ARRAY_LEN(entries); i++)
        put_environ(k, entries[i]);
}

/* 2026-06-15 */
#define TODAY 20619

static void open_suite(struct kept *k, const char *root, const char *text, const char *profile)
{
    struct settings_over over = {.profile = profile};

    memset(k, 0, sizeof *k);
    k->root = root;
    k->diags.arena = &k->arena;
    set_environ(k);
    k->world = (struct suite_world){.read = read_text,
                                    .glob = no_files,
                                    .user = (void *)(uintptr_t)text,
                                    .env = k->env,
                                    .version = "0.1.0"};
    if (!suites_load(&k->arena, arena_printf(&k->arena, "%s/suite/run-matrix.yaml", root), &k->world,
                     &k->suites, &k->diags)) {
        diags_print(&k->diags, stderr);
        fail_msg("%s", text);
    }
    plan_init(&k->plan, &k->arena, &k->suites);
    k->kitchen = (struct kitchen){.plan = &k->plan,
                                  .settings = settings_new(&k->arena, &k->plan, &over, &k->diags),
                                  .profile = profile,
                                  .run_id = "0042",
                                  .today = TODAY,
                                  .environ = k->environ};
    assert_non_null(k->kitchen.settings);
    assert_true(plan_make(&k->plan, k->kitchen.settings, NULL, &k->diags));
    kitchen_open(&k->kitchen, &k->arena);
}

static void close_suite(struct kept *k)
{
    settings_release(k->kitchen.settings);
    plan_release(&k->plan);
    suites_release(&k->suites);
    arena_release(&k->slot);
    arena_release(&k->arena);
}

static bool make(struct kept *k, uint32_t number)
{
    static const struct variable given[] = {{STR("GIVEN"), STR("by a fixture"), false},
                                            {STR("REMOVED"), STR(""), true}};
    struct place_of_case where = {.attempt = 2,
                                  .slot = 0,
                                  .tmpdir = "/tmp/rm-1/0",
                                  .artifacts = "/run/artifacts/0",
                                  .results = "/run/reports[0]",
                                  .given = {.variables = given, .variable_count = 2}};

    arena_clear(&k->slot);
    where.given.context =
        json_to_node(&k->slot,
                     str_of("{\"reg_addr\": {\"url\": \"tcp://127.0.0.1:4711\", \"port\": 4711, "
                            "\"path\": null, \"host\": \"${{ not this }}\", \"time\": \"5s\"}}"),
                     (struct place){0}, &k->diags);
    return recipe_make(&k->kitchen, &k->plan.cases[number], &where, &k->slot, &k->recipe, &k->diags);
}

static bool check(struct kept *k, uint32_t number, struct terms *terms)
{
    arena_clear(&k->slot);
    return recipe_check(&k->kitchen, &k->plan.cases[number], terms, &k->slot, &k->diags);
}

/* ---- what is asked of a recipe ---- */

static const char *text_or_none(const char *text)
{
    return text ? text : "(none)";
}

static void tell_argv(const struct kept *k, struct buf *out)
{
    char *const *argv = k->recipe.spec.argv;

    for (uint32_t i = 0; argv && argv[i]; i++)
        buf_addf(out, "%s%s", i ? "|" : "", argv[i]);
}

static void tell_path(const struct kept *k, struct buf *out)
{
    buf_adds(out, text_or_none(k->recipe.spec.path));
}

static void tell_cwd(const struct kept *k, struct buf *out)
{
    buf_adds(out, text_or_none(k->recipe.spec.cwd));
}

static void tell_error(const struct kept *k, struct buf *out)
{
    buf_adds(out, text_or_none(k->recipe.error));
}

static void tell_skip(const struct kept *k, struct buf *out)
{
    buf_adds(out, text_or_none(k->recipe.skip));
}

static void tell_unsupported(const struct kept *k, struct buf *out)
{
    buf_adds(out, text_or_none(k->recipe.unsupported));
}

static void tell_xfail(const struct kept *k, struct buf *out)
{
    buf_addf(out, "%s%s", text_or_none(k->recipe.xfail), k->recipe.xfail_strict ? " (strict)" : "");
}

static void tell_ladder(const struct kept *k, struct buf *out)
{
    static const char *const targets[] = {
#define X(id, word) [id] = word,
        LADDER_TARGETS(X)
#undef X
    };

    for (uint32_t i = 0; i < k->recipe.ladder.count; i++) {
        const struct ladder_step *step = &k->recipe.ladder.steps[i];

        buf_addf(out, "%s%s %s", i ? ", " : "", signal_name(step->signal), targets[step->target]);
        if (step->wait < 0)
            continue;
        buf_addc(out, ' ');
        span_format(out, step->wait);
    }
}

static const char *resource_name(int resource)
{
    switch (resource) {
    case RLIMIT_NOFILE: return "files";
    case RLIMIT_CORE: return "core";
    case RLIMIT_CPU: return "cpu";
    default: return "other";
    }
}

static void tell_limits(const struct kept *k, struct buf *out)
{
    for (uint32_t i = 0; i < k->recipe.spec.limit_count; i++) {
        const struct spawn_limit *limit = &k->recipe.spec.limits[i];

        buf_addf(out, "%s%s %llu/%llu", i ? ", " : "", resource_name(limit->resource),
                 (unsigned long long)limit->limit.rlim_cur, (unsigned long long)limit->limit.rlim_max);
    }
}

static void tell_tree_limit(struct buf *out, const char *what, uint64_t most, struct setting_origin from)
{
    if (most)
        buf_addf(out, " %s %llu by %s:%u:%u", what, (unsigned long long)most, from.layer, from.at.line,
                 from.at.col);
}

static void tell_tree_limits(const struct kept *k, struct buf *out)
{
    tell_tree_limit(out, "processes", k->recipe.processes, k->recipe.processes_from);
    tell_tree_limit(out, "memory", k->recipe.memory, k->recipe.memory_from);
}

/* One letter for each kind: what comes of it. */
static void tell_leaks(const struct kept *k, struct buf *out)
{
    const struct leak_policy *policy = &k->recipe.leaks;

    for (int kind = 0; kind < LEAK_KIND_COUNT; kind++)
        buf_addc(out, "fwi"[policy->actions[kind]]);
    buf_addc(out, ' ');
    span_format(out, policy->grace);
    for (size_t i = 0; i < policy->allowed_count; i++)
        buf_addf(out, ", %s %s", leak_keys[policy->allowed[i].kind], policy->allowed[i].glob);
}

static void tell_isolate(const struct kept *k, struct buf *out)
{
    buf_addf(out, "%s%s", k->recipe.isolate & SPAWN_ISOLATE_NET ? "net " : "",
             k->recipe.isolate & SPAWN_ISOLATE_FILES ? "files" : "");
}

static void tell_dumps(const struct kept *k, struct buf *out)
{
    static const char *const words[] = {
#define X(id, word) [id] = word,
        RECIPE_DUMPS(X)
#undef X
    };
    const struct recipe *r = &k->recipe;

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (r->dumps & 1u << i)
            buf_addf(out, "%s ", words[i]);
    buf_addf(out, "%s", r->dumps_inside ? "by a thread" : "from outside");
    if (!r->asks_runtimes)
        buf_adds(out, ", asking none");
    for (uint32_t i = 0; i < r->runtime_count; i++)
        buf_addf(out, ", %s is %s", r->runtimes[i].image, dump_runtime_words[r->runtimes[i].runtime]);
}

static void tell_numbers(const struct kept *k, struct buf *out)
{
    const struct recipe *r = &k->recipe;

    buf_adds(out, "timeout ");
    span_format(out, r->timeout);
    buf_addf(out, " by %s, slow ", r->timeout_from.layer);
    span_format(out, r->slow);
    buf_addf(out, ", output %llu, retries %u%s%s", (unsigned long long)r->output_limit, r->retry.most,
             r->flaky_fails ? ", flaky fails" : "", r->quarantined ? ", quarantined" : "");
}

/* "2 on failed timeout, at the end, after 1s x2 up to 1m less 50%" */
static void tell_retries(const struct kept *k, struct buf *out)
{
    static const char *const words[] = {
#define X(id, word, builtin) [id] = word,
        RETRY_CLASSES(X)
#undef X
    };
    const struct retry_policy *p = &k->recipe.retry;

    buf_addf(out, "%u on", p->most);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (p->on & 1u << i)
            buf_addf(out, " %s", words[i]);
    buf_addf(out, "%s, after ", p->at_end ? ", at the end" : "");
    span_format(out, p->first);
    buf_addf(out, " x%u up to ", p->factor);
    span_format(out, p->longest);
    if (p->jitter > 0)
        buf_addf(out, " less %g%%", p->jitter * 100);
}

static void tell_place(const struct kept *k, struct buf *out)
{
    buf_addf(out, "%s %s", k->recipe.backend->name, capture_word(k->recipe.capture));
}

static void tell_results(const struct kept *k, struct buf *out)
{
    static const char *const kinds[] = {"none", "junit", "gtest", "tap", "lines"};
    const struct results_wish *wish = &k->recipe.results;

    buf_adds(out, kinds[wish->kind]);
    if (wish->text.len)
        buf_addf(out, " '%.*s'", STR_ARG(wish->text));
    if (wish->paths)
        buf_addf(out, " in %s", wish->paths);
}

static const struct {
    const char *question;
    void (*tell)(const struct kept *k, struct buf *out);
} questions[] = {
    {"argv", tell_argv},       {"path", tell_path},       {"cwd", tell_cwd},
    {"error", tell_error},     {"skip", tell_skip},       {"unsupported", tell_unsupported},
    {"xfail", tell_xfail},     {"ladder", tell_ladder},   {"limits", tell_limits},
    {"numbers", tell_numbers}, {"place", tell_place},     {"tree limits", tell_tree_limits},
    {"leaks", tell_leaks},     {"isolate", tell_isolate}, {"results", tell_results},
    {"dumps", tell_dumps},     {"retries", tell_retries},
};

/* "$NAME" asks for a variable. The folder of the machine is told as "@". */
static void ask(const struct kept *k, const char *question, struct buf *out)
{
    struct buf raw = {0};
    const char *entry, *at, *text;

    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        if (strcmp(question, questions[i].question) == 0)
            questions[i].tell(k, &raw);
    if (*question == '$') {
        entry = k->recipe.spec.envp ? environment_find(k->recipe.spec.envp, question + 1) : NULL;
        buf_adds(&raw, entry ? entry + strlen(question) : "(none)");
    }
    for (text = buf_text(&raw); (at = strstr(text, k->root)); text = at + strlen(k->root)) {
        buf_add(out, text, (size_t)(at - text));
        buf_addc(out, '@');
    }
    buf_adds(out, text);
    buf_release(&raw);
}

struct row {
    const char *text;
    uint32_t number; /* of the case */
    const char *question, *answer;
};

static void check_row(const char *root, const struct row *row, size_t number, const char *profile)
{
    struct kept k;
    struct buf answer = {0};

    open_suite(&k, root, row->text, profile);
    if (!make(&k, row->number))
        buf_addf(&answer, "refused: %s", k.diags.list[0].text);
    else
        ask(&k, row->question, &answer);
    if (strcmp(buf_text(&answer), row->answer) != 0)
        fail_msg("row %zu: %s\n  %s is: %s\n  wanted: %s", number, row->text, row->question,
                 buf_text(&answer), row->answer);
    buf_release(&answer);
    close_suite(&k);
}

static void check_rows(void **state, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_row(*state, &rows[i], i, NULL);
}

/* ---- commands ---- */

#define TEST(rest) "tests: [{name: t, " rest "}]"
#define NO_JSON                                                                                       \
    "'fromJSON' cannot read '{', line 1, column 2 of it: not JSON: a key in double quotes or '}' is " \
    "expected here, "                                                                                 \
    "not the end of the text"
#define CELLS(cells) "strategy: {matrix: {" cells "}}\n"

static void test_commands(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool, a b, '', 3.10, 0x1F, true]"), 0, "argv", "tool|a b||3.10|0x1F|true"},
        {TEST("run: [tool]"), 0, "path", "@/bin/tool"},
        {TEST("run: [./tool]"), 0, "path", "./tool"},
        {TEST("run: [bin/tool]"), 0, "path", "bin/tool"},
        {TEST("run: [nothing]"), 0, "error", "no program 'nothing' on the PATH (1 folder)"},
        {TEST("run: [folder]"), 0, "error", "no program 'folder' on the PATH (1 folder)"},
        {TEST("run: [blocked]"), 0, "error", "'@/bin/blocked' may not be executed"},
        {TEST("run: tool a"), 0, "argv", "bash|-e|-c|tool a"},
        {TEST("run: tool a"), 0, "path", "@/bin/bash"},
        {TEST("run: x, shell: bash"), 0, "argv", "bash|--noprofile|--norc|-eo|pipefail|-c|x"},
        {TEST("run: x, shell: sh"), 0, "argv", "sh|-e|-c|x"},
        {TEST("run: -x"), 0, "argv", "bash|-e|-c|--|-x"},
        {"tests:\n  - name: t\n    run: |\n      a\n      b\n", 0, "argv", "bash|-e|-c|a\nb\n"},
        /* the PATH is that of the case */
        {TEST("run: [tool], env: {PATH: nowhere}"), 0, "error", "no program 'tool' on the PATH (1 folder)"},
        {TEST("run: [tool], env: {PATH: 'a::/b'}"), 0, "error", "no program 'tool' on the PATH (3 folders)"},
        {TEST("run: [tool], env: {PATH: tools}"), 0, "path", "tools/tool"},
        {TEST("run: [here], env: {PATH: '${{ env.PATH }}:tools'}"), 0, "path", "tools/here"},
        {TEST("run: [here], env: {PATH: ''}, cwd: tools"), 0, "path", "./here"},
        {TEST("run: [nothing], env: {PATH: null}"), 0, "error",
         "no program 'nothing' on the PATH (which is not set; 2 folders)"},
        {TEST("run: x, env: {PATH: '${{ env.PATH }}/../old'}"), 0, "argv", "sh|-e|-c|x"},
        {TEST("run: x, shell: bash, env: {PATH: '${{ env.PATH }}/../old'}"), 0, "error",
         "no program 'bash' on the PATH (1 folder)"},
        {TEST("run: x, env: {PATH: nowhere}"), 0, "error", "no program 'bash' on the PATH (1 folder)"},
        /* expressions */
        {CELLS("a: [1, 2]") TEST("run: [tool, 'x${{ matrix.a }}y', '${{ strategy.job-index }}']"), 1, "argv",
         "tool|x2y|1"},
        {CELLS("a: [1.10]") TEST("run: [tool, '${{ matrix.a }}']"), 0, "argv", "tool|1.1"},
        {CELLS("a: [1, 2]") TEST("run: 'echo ${{ matrix.a }} ${{ env.HOME }}'"), 1, "argv",
         "bash|-e|-c|echo 2 /home/me"},
        {CELLS("sh: [sh, bash]") TEST("run: x, shell: '${{ matrix.sh }}'"), 0, "argv", "sh|-e|-c|x"},
        {CELLS("sh: [zsh]") TEST("run: x, shell: '${{ matrix.sh }}'"), 0, "argv",
         "refused: t@sh=zsh: 'shell' is bash or sh here, not 'zsh'"},
        {CELLS("a: [[1, 2]]") TEST("run: [tool, '${{ matrix.a }}']"), 0, "argv",
         "refused: t@a=%5B1%2C2%5D: this is a list or a mapping; join() and toJSON() make text of one"},
        {CELLS("a: [[1, 2]]") TEST("run: [tool, \"${{ join(matrix.a, ' ') }}\"]"), 0, "argv", "tool|1 2"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: ['${{ matrix.n }}']"), 0, "argv",
         "refused: t@a=1: the first word of 'run' is empty"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: '${{ matrix.n }}'"), 0, "argv",
         "refused: t@a=1: 'run' is empty"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: [tool, '${{ matrix.n }}']"), 0, "argv", "tool|"},
        {TEST("run: [tool, '${{ fromJSON(''\"\\u0000\"'') }}']"), 0, "argv",
         "refused: t: this holds a NUL byte, which no program can be given"},
        {CELLS("a: [1]") TEST("run: [tool, \"${{ fromJSON('{') }}\"]"), 0, "argv", "refused: " NO_JSON},
        /* C tests: here nobody has asked for them, and there is no such file */
        {TEST("module: x.so"), 0, "error", "its tests cannot be run: 'x.so': there is no such file"},
        {TEST("module: ['x*.so', y]"), 0, "error",
         "its tests cannot be run: 'x*.so': it matches no file; 'y': there is no such file"},
        {CELLS("backend: [exec]") TEST("module: x.so"), 0, "unsupported", "(none)"},
        {CELLS("backend: [subint_fork]") TEST("module: x.so"), 0, "unsupported",
         "backend 'subint_fork' would fork from a namespace that is not the main one: the locks of the main "
         "one stay "
         "taken for ever in the child, and nobody there knows of them"},
        {TEST("run: [tool], preset: pytest"), 0, "argv", "tool"},
        /* what fixtures are */
        {"fixtures: {f: {run: [x]}}\n" TEST("run: [tool], fixtures: [f]"), 0, "argv", "tool"},
        {TEST("run: [tool, '${{ fixtures.reg_addr.url }}', '${{ fixtures.reg_addr.port }}']"), 0, "argv",
         "tool|tcp://127.0.0.1:4711|4711"},
        {TEST("run: [tool, '${{ fixtures.reg_addr.host }}']"), 0, "argv", "tool|${{ not this }}"},
        {TEST("run: [tool], cwd: '${{ fixtures.reg_addr.time }}'"), 0, "cwd", "@/suite/5s"},
        {TEST("run: [tool], env: {A: '${{ fixtures.reg_addr.url }}', B: '${{ fixtures.reg_addr.host }}'}"), 0,
         "$A", "tcp://127.0.0.1:4711"},
        {TEST("run: [tool], env: {A: '${{ fixtures.reg_addr.url }}', B: '${{ fixtures.reg_addr.host }}'}"), 0,
         "$B", "${{ not this }}"},
        {TEST("run: [tool]"), 0, "$GIVEN", "by a fixture"},
        {TEST("run: [tool]"), 0, "$REMOVED", "(none)"},
        {TEST("run: [tool], env: {GIVEN: mine}"), 0, "$GIVEN", "mine"},
        {TEST("run: [tool], timeout: '${{ fixtures.reg_addr.time }}'"), 0, "numbers",
         "timeout 5s by test, slow 10s, output 0, retries 0"},
        {TEST("run: [tool], timeout: '${{ fixtures.reg_addr.url }}'"), 0, "error",
         "refused: 'timeout' must be a duration such as 30s, 1m30s or 250ms, not "
         "'tcp://127.0.0.1:4711'"},
        {TEST("run: [tool], stop: ['TERM ${{ fixtures.reg_addr.time }}']"), 0, "ladder", "SIGTERM group 5s"},
        {TEST("run: [tool], skip: {if: fixtures.reg_addr.port == 4711, reason: taken}"), 0, "skip", "taken"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

static void test_folders(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "cwd", "@/suite/"},
        {TEST("run: [tool], cwd: tools"), 0, "cwd", "@/suite/tools"},
        {TEST("run: [tool], cwd: /opt"), 0, "cwd", "/opt"},
        {CELLS("a: [x, /y]") TEST("run: [tool], cwd: '${{ matrix.a }}'"), 0, "cwd", "@/suite/x"},
        {CELLS("a: [x, /y]") TEST("run: [tool], cwd: '${{ matrix.a }}'"), 1, "cwd", "/y"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: [tool], cwd: '${{ matrix.n }}'"), 0, "cwd",
         "@/suite/"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

/* MAX_ARG_STRLEN counts the NUL. */
static void test_lengths(void **state)
{
    static const struct {
        size_t length;
        const char *before, *after, *error;
    } rows[] = {
        {131071, "tests:\n- {name: t, run: '", "'}", NULL},
        {131072, "tests:\n- {name: t, run: '", "'}",
         "the script of 'run' has 131072 bytes, and Linux hands a program at most 131071 in one piece; put "
         "it into "
         "a file"},
        {131071, "tests:\n- {name: t, run: [tool, '", "']}", NULL},
        {131072, "tests:\n- {name: t, run: [tool, '", "']}",
         "a word of 'run' has 131072 bytes, and Linux hands a program at most 131071 in one piece"},
        {131067, "tests:\n- {name: t, run: [tool], env: {VAR: '", "'}}", NULL},
        {131068, "tests:\n- {name: t, run: [tool], env: {VAR: '", "'}}",
         "the variable 'VAR' has 131068 bytes, and Linux hands a program at most 131067 in one piece"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text = {0};
        struct kept k;

        buf_adds(&text, rows[i].before);
        for (size_t n = 0; n < rows[i].length; n++)
            buf_addc(&text, 'x');
        buf_adds(&text, rows[i].after);
        open_suite(&k, *state, buf_text(&text), NULL);
        assert_true(make(&k, 0));
        if (strcmp(text_or_none(k.recipe.error), text_or_none(rows[i].error)) != 0)
            fail_msg("row %zu: %s", i, text_or_none(k.recipe.error));
        close_suite(&k);
        buf_release(&text);
    }
}

/* ---- environment ---- */

static void test_variables(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "$HOME", "/home/me"},
        {TEST("run: [tool]"), 0, "$EMPTY", ""},
        {TEST("run: [tool]"), 0, "$RUN_MATRIXES", "mine"},
        {TEST("run: [tool]"), 0, "$GITHUB_ACTIONS", "true"},
        {TEST("run: [tool]"), 0, "$GITHUB_OUTPUT", "(none)"},
        {TEST("run: [tool]"), 0, "$GITHUB_ENV", "(none)"},
        {TEST("run: [tool]"), 0, "$GITHUB_PATH", "(none)"},
        {TEST("run: [tool]"), 0, "$GITHUB_STATE", "(none)"},
        {TEST("run: [tool]"), 0, "$GITHUB_STEP_SUMMARY", "(none)"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX_FAULTS", "(none)"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS_OUTER", "(none)"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX", "1"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX_RUN_ID", "0042"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX_ATTEMPT", "2"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX_ARTIFACTS", "/run/artifacts/0"},
        {TEST("run: [tool]"), 0, "$TMPDIR", "/tmp/rm-1/0"},
        {TEST("run: [tool]"), 0, "$RUN_MATRIX_CELL", "{}"},
        {CELLS("a: [1], b: [x]") TEST("run: [tool]"), 0, "$RUN_MATRIX_CELL", "{\"a\":1,\"b\":\"x\"}"},
        {CELLS("a: [1], b: [x]") TEST("run: [tool]"), 0, "$RUN_MATRIX_CASE_ID", "t@a=1,b=x"},
        /* of the axes that the test keeps */
        {CELLS("a: [1], b: [x]") TEST("run: [tool], axes: [b]"), 0, "$RUN_MATRIX_AXIS_A", "(none)"},
        {CELLS("a: [1], b: [x]") TEST("run: [tool], axes: [b]"), 0, "$RUN_MATRIX_AXIS_B", "x"},
        {CELLS("python-version: [3.10]") TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS_PYTHON_VERSION", "3.1"},
        {CELLS("'ä b1': ['a=b c']") TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS____B1", "a=b c"},
        {CELLS("a: [true]") TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS_A", "true"},
        {CELLS("a: [null]") TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS_A", ""},
        {CELLS("a: [{x: [1, y]}]") TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS_A", "{\"x\":[1,\"y\"]}"},
        {CELLS("a: [1], include: [{a: 1, n: x}]") TEST("run: [tool]"), 0, "$RUN_MATRIX_AXIS_N", "x"},
        {TEST("run: [tool], matrix: {own: [5]}"), 0, "$RUN_MATRIX_AXIS_OWN", "5"},
        {CELLS("a: [\"x\\0y\"]") TEST("run: [tool]"), 0, "error",
         "the value of axis 'a' holds a NUL byte, which no program can be given"},
        /* `env` */
        {TEST("run: [tool], env: {NEW: x, HOME: /h}"), 0, "$NEW", "x"},
        {TEST("run: [tool], env: {NEW: x, HOME: /h}"), 0, "$HOME", "/h"},
        {TEST("run: [tool], env: {HOME: null}"), 0, "$HOME", "(none)"},
        {TEST("run: [tool], env: {HOME: null}"), 0, "$PATH", "@/bin"},
        {TEST("run: [tool], env: {HOME: null}"), 0, "$RUN_MATRIX_CASE_ID", "t"},
        {TEST("run: [tool], env: {EMPTY: null, HOME: null, NEW: x}"), 0, "$NEW", "x"},
        {TEST("run: [tool], env: {HOME: /h, TMPDIR: /t, NEW: x}"), 0, "$NEW", "x"},
        {TEST("run: [tool], env: {HOME: ''}"), 0, "$HOME", ""},
        {TEST("run: [tool], env: {UNKNOWN: null}"), 0, "$HOME", "/home/me"},
        {TEST("run: [tool], env: {TMPDIR: /mine}"), 0, "$TMPDIR", "/mine"},
        {TEST("run: [tool], env: {TMPDIR: null}"), 0, "$TMPDIR", "(none)"},
        {TEST("run: [tool], env: {V: 3.10, W: yes}"), 0, "$V", "3.10"},
        {CELLS("a: [1, 2]") TEST("run: [tool], env: {V: 'a${{ matrix.a }}'}"), 1, "$V", "a2"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: [tool], env: {HOME: '${{ matrix.n }}'}"), 0,
         "$HOME", "(none)"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: [tool], env: {HOME: '${{ matrix.n }}'}"), 1,
         "$HOME", "x"},
        {TEST("run: [tool], env: {V: \"${{ format('{0}{{', '$') }}{ x }}\"}"), 0, "$V", "${{ x }}"},
        {"defaults: {env: {A: d, B: d}}\n" TEST("run: [tool], env: {B: null}"), 0, "$A", "d"},
        {"defaults: {env: {A: d, B: d}}\n" TEST("run: [tool], env: {B: null}"), 0, "$B", "(none)"},
        {TEST("run: [tool], env: {RUN_MATRIX_DIR: x}"), 0, "$RUN_MATRIX_DIR", "x"},
        {TEST("run: [tool], env: {RUN_MATRIX_ATTEMPT: x}"), 0, "",
         "refused: 'RUN_MATRIX_ATTEMPT' is set by run-matrix itself"},
        {TEST("run: [tool], env: {RUN_MATRIX_AXIS_A: null}"), 0, "",
         "refused: 'RUN_MATRIX_AXIS_A' is set by run-matrix itself"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

/* Each name once, and none without a value: what a child does with two of a name nobody knows. */
static void test_each_name_once(void **state)
{
    struct kept k;
    char *const *envp;

    open_suite(&k, *state,
               CELLS("a: [1], b: [2]") TEST(
                   "run: [tool], env: {HOME: x, EMPTY: null, TMPDIR: y, N: '1', PATH: '${{ env.PATH }}'}"),
               NULL);
    assert_true(make(&k, 0));
    envp = k.recipe.spec.envp;
    for (size_t i = 0; envp[i]; i++) {
        size_t length = strcspn(envp[i], "=");

        assert_true(envp[i][length] == '=');
        for (size_t j = i + 1; envp[j]; j++)
            if (strncmp(envp[i], envp[j], length + 1) == 0)
                fail_msg("'%s' and '%s'", envp[i], envp[j]);
    }
    close_suite(&k);
}

/* What one case changes, the next one does not see. */
static void test_cases_share_nothing(void **state)
{
    struct kept k;
    struct buf answer = {0};

    open_suite(&k, *state,
               CELLS("a: [1, 2]") TEST("run: [tool], env: {HOME: \"${{ matrix.a == 1 && 'x' || null }}\"}"
                                       "}, {name: u, run: [tool], axes: []"),
               NULL);
    for (int round = 0; round < 2; round++) {
        static const char *const homes[] = {"x", "(none)", "/home/me"};

        for (uint32_t i = 0; i < 3; i++) {
            assert_true(make(&k, i));
            buf_clear(&answer);
            ask(&k, "$HOME", &answer);
            assert_string_equal(buf_text(&answer), homes[i]);
        }
    }
    buf_release(&answer);
    close_suite(&k);
}

/* ---- retries ---- */

#define ALL_CLASSES "failed timeout crashed leaked oom output-limit"

static void test_retries(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "retries", "0 on " ALL_CLASSES ", after 0s x1 up to 0s"},
        {TEST("run: [tool], retries: 3"), 0, "retries", "3 on " ALL_CLASSES ", after 0s x1 up to 0s"},
        {TEST("run: [tool], retries: {count: 2, on: [timeout, error], when: end, backoff: 1.5}"), 0,
         "retries", "2 on timeout error, at the end, after 1.5s x1 up to 1.5s"},
        {TEST("run: [tool], retries: {count: 2, backoff: {first: 250ms}}"), 0, "retries",
         "2 on " ALL_CLASSES ", after 250ms x2 up to 1m"},
        {TEST("run: [tool], retries: {backoff: {first: 1s, factor: 3, most: 2m, jitter: 25%}}"), 0, "retries",
         "0 on " ALL_CLASSES ", after 1s x3 up to 2m less 25%"},
        /* A number says how often, and nothing of the rest: whoever raises it keeps the waits. */
        {"defaults: {retries: {count: 1, when: end, backoff: 1s}}\n" TEST("run: [tool], retries: 4"), 0,
         "retries", "4 on " ALL_CLASSES ", at the end, after 1s x1 up to 1s"},
        {"defaults: {retries: {when: end, on: [crashed]}}\n" TEST(
             "run: [tool], retries: {count: 4, on: [oom]}"),
         0, "retries", "4 on oom, at the end, after 0s x1 up to 0s"},
        {"defaults: {retries: 2}\n" TEST("run: [tool], retries: {when: end}"), 0, "retries",
         "2 on " ALL_CLASSES ", at the end, after 0s x1 up to 0s"},
        /* What is null in a cell leaves it to the layers below. */
        {CELLS("a: [1, null]") "defaults: {retries: 2}\n" TEST("run: [tool], retries: '${{ matrix.a }}'"), 0,
         "retries", "1 on " ALL_CLASSES ", after 0s x1 up to 0s"},
        {CELLS("a: [1, null]") "defaults: {retries: 2}\n" TEST("run: [tool], retries: '${{ matrix.a }}'"), 1,
         "retries", "2 on " ALL_CLASSES ", after 0s x1 up to 0s"},
        {CELLS("a: [7]") TEST("run: [tool], retries: {count: '${{ matrix.a }}', when: \"${{ 'end' }}\"}"), 0,
         "retries", "7 on " ALL_CLASSES ", at the end, after 0s x1 up to 0s"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

static void test_retries_of_a_profile(void **state)
{
    static const struct row row = {
        "defaults: {retries: {backoff: {first: 1s}, count: 1}}\nprofiles: {ci: {retries: 5}}\n" TEST(
            "run: [tool]"),
        0, "retries", "5 on " ALL_CLASSES ", after 1s x2 up to 1m"};

    check_row(*state, &row, 0, "ci");
}

static void test_waits(void **state)
{
    static const struct {
        struct retry_policy policy;
        uint32_t retry;
        nanos wait;
    } rows[] = {
        {{.factor = 1}, 1, 0},
        {{.factor = 1, .first = 5, .longest = 5}, 1, 5},
        {{.factor = 1, .first = 5, .longest = 5}, 1000, 5},
        {{.factor = 2, .first = 5, .longest = 1000}, 1, 5},
        {{.factor = 2, .first = 5, .longest = 1000}, 4, 40},
        {{.factor = 2, .first = 5, .longest = 1000}, 9, 1000},
        {{.factor = 2, .first = 5, .longest = 3}, 1, 3},
        {{.factor = 100, .first = INT64_MAX / 3, .longest = INT64_MAX}, 1000, INT64_MAX},
        {{.factor = 100, .first = 1, .longest = INT64_MAX}, 1000, INT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (uint64_t seed = 0; seed < 3; seed++)
            assert_int_equal(retry_wait(&rows[i].policy, rows[i].retry, seed), rows[i].wait);
}

/* The same seed, the same wait; all of them are within what may be left out, and on average half of that is. */
static void test_jitter(void **state)
{
    const struct retry_policy policy = {.factor = 1, .first = 1000000, .longest = 1000000, .jitter = 0.5};
    uint32_t low = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 10000; seed++) {
        nanos wait = retry_wait(&policy, 1, seed);

        assert_int_equal(wait, retry_wait(&policy, 1, seed));
        assert_in_range(wait, 500000, 1000000);
        low += wait < 750000;
    }
    assert_in_range(low, 4800, 5200);
}

/* ---- settings ---- */

static void test_settings(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "numbers", "timeout 1m by built-in, slow 10s, output 0, retries 0"},
        {"defaults: {slow: 1s}\n" TEST("run: [tool], timeout: 1m30s, output-limit: 64k, retries: 3, "
                                       "flaky-result: fail"),
         0, "numbers", "timeout 1m30s by test, slow 1s, output 65536, retries 3, flaky fails"},
        {TEST("run: [tool], preset: pytest"), 0, "numbers",
         "timeout 15m by built-in, slow 10s, output 0, retries 0"},
        {TEST("run: [tool], timeout: 0"), 0, "numbers", "timeout 0s by test, slow 10s, output 0, retries 0"},
        {CELLS("a: [5]") TEST("run: [tool], timeout: '${{ matrix.a }}s', retries: '${{ matrix.a }}'"), 0,
         "numbers", "timeout 5s by test, slow 10s, output 0, retries 5"},
        {TEST("run: [tool], quarantine: {owner: a, reason: b, until: 2026-06-15}"), 0, "numbers",
         "timeout 1m by built-in, slow 10s, output 0, retries 0, quarantined"},
        {TEST("run: [tool], quarantine: {owner: a, reason: b, until: 2026-06-14}"), 0, "numbers",
         "timeout 1m by built-in, slow 10s, output 0, retries 0"},
        {TEST("run: [tool], quarantine: {owner: a, reason: b, until: 2028-02-29}"), 0, "numbers",
         "timeout 1m by built-in, slow 10s, output 0, retries 0, quarantined"},
        {TEST("run: [tool]"), 0, "ladder", "SIGINT group 3s, SIGTERM tree 2s, SIGKILL tree"},
        {TEST("run: [tool], stop: [TERM leader 1s]"), 0, "ladder", "SIGTERM leader 1s"},
        {TEST("run: [tool], stop: [HUP, KILL leader 5s]"), 0, "ladder", "SIGHUP group, SIGKILL leader 5s"},
        {TEST("run: [tool], stop: [KILL, TERM 0]"), 0, "ladder", "SIGKILL tree, SIGTERM group 0s"},
        {CELLS("a: [QUIT]") TEST("run: [tool], stop: ['${{ matrix.a }} 1s']"), 0, "ladder",
         "SIGQUIT group 1s"},
        {TEST(
             "run: [tool], stop: [INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, INT, "
             "INT, INT]"),
         0, "ladder", "refused: 'stop' has more than 16 steps"},
        {TEST("run: [tool]"), 0, "limits", ""},
        {TEST("run: [tool], limits: {files: 10}"), 0, "limits", "files 10/10"},
        {TEST("run: [tool], limits: {cpu: 1500ms, core: 0}"), 0, "limits", "core 0/0, cpu 2/3"},
        {TEST("run: [tool], limits: {cpu: 0}"), 0, "limits", ""},
        {TEST("run: [tool], limits: {memory: 1G, processes: 3}"), 0, "limits", ""},
        {TEST("run: [tool], limits: {files: 10}"), 0, "tree limits", ""},
        {TEST("run: [tool], limits: {memory: 0}"), 0, "tree limits", ""},
        {"defaults: {limits: {memory: 64k, processes: 9}}\n" TEST("run: [tool], limits: {processes: 3}"), 0,
         "tree limits", " processes 3 by test:2:41 memory 65536 by defaults:1:21"},
        {CELLS("a: [7]") TEST("run: [tool], limits: {processes: '${{ matrix.a }}', memory: 1G}"), 0,
         "tree limits", " processes 7 by test:2:41 memory 1073741824 by test:2:71"},
        {CELLS("a: [1], include: [{a: 2, n: 3}]") TEST("run: [tool], limits: {processes: '${{ matrix.n }}'}"),
         0, "tree limits", ""},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

static void test_dumps(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "dumps", "timeout kill crash from outside"},
        {TEST("run: [tool], dump: [], timeout-method: outside"), 0, "dumps", "from outside"},
        {"defaults: {dump: [slow, kill]}\n" TEST("run: [tool], dump: [timeout]"), 0, "dumps",
         "timeout from outside"},
        {CELLS("a: [slow]") TEST("run: [tool], dump: ['${{ matrix.a }}', kill]"), 0, "dumps",
         "kill slow from outside"},
        {TEST("run: [tool], timeout-method: thread"), 0, "dumps",
         "refused: 'timeout-method: thread' is for C tests, and 't' is a program; leave it out there"},
        {"defaults: {timeout-method: thread}\n" TEST("run: [tool], dump: []"), 0, "dumps", "from outside"},
        {"defaults: {timeout-method: thread}\n" TEST("module: t.so, dump: []"), 0, "dumps", "by a thread"},
        {TEST("run: [tool], runtimes: none, dump: []"), 0, "dumps", "from outside, asking none"},
        {TEST("run: [tool], runtimes: {'my-*': python, wrapper: none}, dump: []"), 0, "dumps",
         "from outside, my-* is python, wrapper is none"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

/* What a dump takes is part of what an ending takes. */
static void test_dumps_take_time(void **state)
{
    const nanos ladder = 3 * NS_PER_S + 2 * NS_PER_S + WATCH_SETTLE;
    static const struct {
        const char *text;
        nanos dump;
    } rows[] = {
        {TEST("run: [tool]"), WATCH_DUMP_BUDGET},
        {TEST("run: [tool], dump: [kill, slow]"), WATCH_DUMP_LAST_BUDGET},
        {TEST("run: [tool], dump: [slow, crash]"), 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct terms terms;
        struct kept k;

        open_suite(&k, *state, rows[i].text, NULL);
        assert_true(check(&k, 0, &terms));
        assert_int_equal(terms.ending, ladder + rows[i].dump);
        close_suite(&k);
    }
}

static void test_leaks(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "leaks", "ffffiww 1s"},
        {TEST("run: [tool], leaks: warn"), 0, "leaks", "wwwwiww 1s"},
        {TEST("run: [tool], leaks: ignore, leak-grace: 250ms"), 0, "leaks", "iiiiiww 250ms"},
        {TEST("run: [tool], leak-grace: 0"), 0, "leaks", "ffffiww 0s"},
        {TEST("run: [tool], leaks: {shm: warn, files: fail, outside-files: ignore, termios: ignore}"), 0,
         "leaks", "fffwfii 1s"},
        /* key by key, whoever says it */
        {"defaults: {leaks: {shm: warn, processes: warn}}\n"
         "overrides: [{select: t, leaks: {listeners: ignore}}]\n" TEST(
             "run: [tool], leaks: {processes: ignore, sockets: warn}"),
         0, "leaks", "iiwwiww 1s"},
        {CELLS("a: [warn]") TEST("run: [tool], leaks: '${{ matrix.a }}'"), 0, "leaks", "wwwwiww 1s"},
        {CELLS("a: [warn]") TEST("run: [tool], leaks: {shm: '${{ matrix.a }}'}"), 0, "leaks", "fffwiww 1s"},
        {CELLS("a: [1], include: [{a: 2, n: warn}]") TEST("run: [tool], leaks: {shm: '${{ matrix.n }}'}"), 0,
         "leaks", "ffffiww 1s"},
        /* what may stay */
        {TEST("run: [tool], leaks: {allow: []}"), 0, "leaks", "ffffiww 1s"},
        {TEST("run: [tool], leaks: {shm: ignore, allow: [{process: ssh-agent}, {shm: '/psm_*'}]}"), 0,
         "leaks", "fffiiww 1s, processes ssh-agent, shm /psm_*"},
        {TEST("run: [tool], leaks: {allow: [{listener: 8080}, {listener: '127.0.0.1:*'}, {listener: a/b}]}"),
         0, "leaks", "ffffiww 1s, listeners *:8080, listeners 127.0.0.1:*, listeners */a/b"},
        {TEST("run: [tool], leaks: {allow: [{socket: run/kv.sock}, {file: /var/x}, {file: '*/y'}, {file: "
              "z}]}"),
         0, "leaks", "ffffiww 1s, sockets */run/kv.sock, files /var/x, files */y, files z"},
        {CELLS("a: [cat]") TEST("run: [tool], leaks: {allow: [{process: '${{ matrix.a }}'}]}"), 0, "leaks",
         "ffffiww 1s, processes cat"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

/* ---- isolation ---- */

#define HIDES "'isolate: [files]' hides /tmp, and "

/* The machine of these tests is in /tmp. */
static void test_isolation(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "isolate", ""},
        {TEST("run: [tool], isolate: []"), 0, "isolate", ""},
        {TEST("run: [tool], isolate: [net]"), 0, "isolate", "net "},
        {TEST("run: [tool], isolate: [net]"), 0, "unsupported", "(none)"},
        {TEST("run: [tool], isolate: [files]"), 0, "unsupported", HIDES "its working directory is in it"},
        {TEST("run: [tool], isolate: [files, net], cwd: tools"), 0, "unsupported",
         HIDES "its working directory is in it"},
        {TEST("run: [tool], isolate: [files], cwd: /dev/shm"), 0, "unsupported",
         "'isolate: [files]' hides /dev/shm, and its working directory is in it"},
        {TEST("run: [tool], isolate: [files], cwd: /"), 0, "unsupported", HIDES "its program is in it"},
        {TEST("run: [tool], isolate: [files], cwd: /"), 0, "argv", ""},
        {TEST("run: [/bin/sh], isolate: [files, net], cwd: /"), 0, "unsupported", "(none)"},
        {TEST("run: [/bin/sh], isolate: [files, net], cwd: /"), 0, "isolate", "net files"},
        {TEST("run: [/bin/sh], isolate: [files], cwd: /usr/../tmp/."), 0, "unsupported",
         HIDES "its working directory is in it"},
        /* it is not there: who starts it says so */
        {TEST("run: [/bin/sh], isolate: [files], cwd: /tmp/rm-nowhere"), 0, "unsupported", "(none)"},
        {TEST("run: [tool], isolate: [files], skip: {}"), 0, "unsupported", "(none)"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

static void test_isolated_run_folder(void **state)
{
    struct place_of_case where = {.attempt = 1, .tmpdir = "/tmp", .artifacts = *state};
    struct kept k;

    open_suite(&k, *state, TEST("run: [/bin/sh], isolate: [files], cwd: /"), NULL);
    assert_true(recipe_make(&k.kitchen, &k.plan.cases[0], &where, &k.slot, &k.recipe, &k.diags));
    assert_string_equal(k.recipe.unsupported, HIDES "the run's folder is in it");
    where.artifacts = "/usr";
    assert_true(recipe_make(&k.kitchen, &k.plan.cases[0], &where, &k.slot, &k.recipe, &k.diags));
    assert_null(k.recipe.unsupported);
    close_suite(&k);
}

/* A quarantine holds on its last day, and not on the next. */
static void test_dates(void **state)
{
    static const struct {
        const char *date;
        int64_t days;
    } rows[] = {{"1970-01-01", 0},     {"1970-03-01", 59},     {"1999-12-31", 10956}, {"2000-02-28", 11015},
                {"2000-02-29", 11016}, {"2000-03-01", 11017},  {"2026-01-31", 20484}, {"2026-04-30", 20573},
                {"2026-05-31", 20604}, {"2026-07-31", 20665},  {"2026-09-30", 20726}, {"2026-10-31", 20757},
                {"2026-11-30", 20787}, {"2028-02-29", 21243},  {"2028-12-31", 21549}, {"2100-02-28", 47540},
                {"2100-03-01", 47541}, {"2399-12-31", 157053}, {"2400-02-29", 157113}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf text = {0};
        struct kept k;

        buf_addf(&text, TEST("run: [tool], quarantine: {owner: a, reason: b, until: %s}"), rows[i].date);
        open_suite(&k, *state, buf_text(&text), NULL);
        for (int late = 0; late < 2; late++) {
            k.kitchen.today = rows[i].days + late;
            assert_true(make(&k, 0));
            if (k.recipe.quarantined != !late)
                fail_msg("%s, %d days late", rows[i].date, late);
        }
        close_suite(&k);
        buf_release(&text);
    }
}

/* A bound above what we have ourselves is no reason to fail. */
static void test_high_limit(void **state)
{
    struct rlimit files;
    struct kept k;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    open_suite(&k, *state, TEST("run: [tool], limits: {files: 1000000000}"), NULL);
    assert_true(make(&k, 0));
    assert_int_equal(k.recipe.spec.limit_count, 1);
    assert_true(k.recipe.spec.limits[0].limit.rlim_max <= files.rlim_max);
    assert_true(k.recipe.spec.limits[0].limit.rlim_cur == k.recipe.spec.limits[0].limit.rlim_max);
    close_suite(&k);
}

/* ---- expectations ---- */

static void test_expectations(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool], skip: {reason: why}"), 0, "skip", "why"},
        {TEST("run: [tool], skip: {}"), 0, "skip", ""},
        {TEST("run: [tool], skip: {if: false, reason: why}"), 0, "skip", "(none)"},
        {TEST("run: [tool], skip: {if: true, reason: why}"), 0, "skip", "why"},
        {CELLS("a: [1, 2]") TEST("run: [tool], skip: {if: matrix.a == 2, reason: 'not ${{ matrix.a }}'}"), 0,
         "skip", "(none)"},
        {CELLS("a: [1, 2]") TEST("run: [tool], skip: {if: matrix.a == 2, reason: 'not ${{ matrix.a }}'}"), 1,
         "skip", "not 2"},
        {CELLS("a: [1, 2]") TEST("run: [tool], skip: {if: '${{ matrix.a == 2 }}'}"), 1, "skip", ""},
        /* text that an expression gives is no expression again */
        {CELLS("a: ['false']") TEST("run: [tool], skip: {if: '${{ matrix.a }}', reason: why}"), 0, "skip",
         "why"},
        {TEST("run: [tool], skip: [{if: false, reason: a}, {reason: b}, {reason: c}]"), 0, "skip", "b"},
        {"defaults: {skip: {if: env.HOME == '/home/me', reason: d}}\n" TEST("run: [tool], skip: {reason: t}"),
         0, "skip", "d"},
        {TEST("run: [tool], skip: {if: \"fromJSON('{')\"}"), 0, "skip", "refused: " NO_JSON},
        /* a skipped case needs no program */
        {TEST("run: [nothing], skip: {}"), 0, "error", "(none)"},
        {TEST("run: [nothing], skip: {}"), 0, "$HOME", "(none)"},
        {TEST("run: [tool], xfail: {reason: bug}"), 0, "xfail", "bug"},
        {TEST("run: [tool], xfail: {strict: true}"), 0, "xfail", " (strict)"},
        {CELLS("a: [1]") TEST("run: [tool], xfail: {if: matrix.a == 1, strict: '${{ matrix.a == 1 }}'}"), 0,
         "xfail", " (strict)"},
        {TEST("run: [tool], xfail: [{if: false, strict: true}, {reason: b}]"), 0, "xfail", "b"},
        /* what the machine must have */
        {TEST("run: [tool], requires: {env: [HOME], programs: [tool, sh]}"), 0, "argv", "tool"},
        {TEST("run: [tool], requires: {env: [HOME, TOKEN]}"), 0, "skip", "needs the variable TOKEN"},
        {TEST("run: [tool], requires: {env: [EMPTY]}"), 0, "skip",
         "needs the variable EMPTY, and it is empty"},
        {TEST("run: [tool], requires: {env: [TOKEN]}, env: {TOKEN: x}"), 0, "skip", "(none)"},
        {TEST("run: [tool], requires: {env: [HOME]}, env: {HOME: null}"), 0, "skip",
         "needs the variable HOME"},
        {TEST("run: [tool], requires: {programs: [uv]}"), 0, "skip", "needs the program uv"},
        {TEST("run: [tool], requires: {programs: [tools/here]}"), 0, "skip", "(none)"},
        {TEST("run: [tool], requires: {programs: [tools/there]}"), 0, "skip",
         "needs the program tools/there"},
        {CELLS("a: [uv]") TEST("run: [tool], requires: {programs: ['${{ matrix.a }}']}"), 0, "skip",
         "needs the program uv"},
        {CELLS("a: [1], include: [{a: 2, n: uv}]")
             TEST("run: [tool], requires: {programs: ['${{ matrix.n }}']}"),
         0, "skip", "(none)"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

#define STRICTLY "profiles: {ci: {requires: fail}, local: {requires: skip}}\n"

static void test_requires_fail(void **state)
{
    static const struct row fails[] = {
        {STRICTLY TEST("run: [tool], requires: {programs: [uv]}"), 0, "error", "needs the program uv"},
        {STRICTLY TEST("run: [tool], requires: {env: [TOKEN]}"), 0, "error", "needs the variable TOKEN"},
        {STRICTLY TEST("run: [tool], requires: {env: [TOKEN]}"), 0, "skip", "(none)"},
    };
    static const struct row skips = {STRICTLY TEST("run: [tool], requires: {programs: [uv]}"), 0, "skip",
                                     "needs the program uv"};

    for (size_t i = 0; i < ARRAY_LEN(fails); i++)
        check_row(*state, &fails[i], i, "ci");
    check_row(*state, &skips, 0, "local");
}

/* ---- backend and capture ---- */

static void test_places(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "place", "exec fd"},
        {CELLS("backend: [mp_spawn]") TEST("run: [tool]"), 0, "place", "spawn fd"},
        {CELLS("backend: [spawn]") TEST("run: [tool], axes: []"), 0, "place", "exec fd"},
        {"bind: {backend: how, capture: what}\n" CELLS("how: [spawn], what: [merged]") TEST("run: [tool]"), 0,
         "place", "spawn merged"},
        {"bind: {backend: no}\n" CELLS("backend: [spawn]") TEST("run: [tool]"), 0, "place", "exec fd"},
        {CELLS("backend: [exec], include: [{backend: exec, capture: discard}]") TEST("run: [tool]"), 0,
         "place", "exec discard"},
        {CELLS("backend: [exec], include: [{backend: spawn, capture: discard}]") TEST("run: [tool]"), 0,
         "place", "exec fd"},
        {CELLS("capture: ['no']") TEST("run: [tool]"), 0, "place", "exec no"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

static void test_unsupported(void **state)
{
    struct kept k;

    open_suite(&k, *state, CELLS("capture: [sys], backend: [subint]") TEST("run: [tool]"), NULL);
    assert_true(make(&k, 0));
    assert_string_equal(k.recipe.unsupported, k.recipe.backend->unsupported);
    assert_null(k.recipe.spec.argv);
    close_suite(&k);
    open_suite(&k, *state, CELLS("capture: [sys, fd]") TEST("run: [tool]"), NULL);
    assert_true(make(&k, 0));
    assert_string_equal(k.recipe.unsupported, capture_unsupported(CAPTURE_SYS, false));
    assert_true(make(&k, 1));
    assert_null(k.recipe.unsupported);
    close_suite(&k);
}

/* --capture is for cases whose cell does not say. */
static void test_capture_option(void **state)
{
    struct kept k;

    open_suite(&k, *state, CELLS("capture: [merged]") TEST("run: [tool]}, {name: u, run: [tool], axes: []"),
               NULL);
    k.kitchen.capture = "no";
    assert_true(make(&k, 0));
    assert_int_equal(k.recipe.capture, CAPTURE_MERGED);
    assert_true(make(&k, 1));
    assert_int_equal(k.recipe.capture, CAPTURE_NO);
    close_suite(&k);
}

/* What somebody would miss, or mistake, is said before the first case starts; once, however many cases there are. */
static void test_captures_that_are_warned_of(void **state)
{
#define TAP "run: [tool], results: {tap: stdout}"
    static const struct {
        const char *text, *option, *warning; /* NULL: nothing is said */
        uint32_t cases;
    } rows[] = {
        {CELLS("capture: [fd, pipe, pty]") TEST("run: [tool]"), NULL, NULL, 3},
        {CELLS("capture: ['no', pipe, pty]") TEST("run: [tool]"), "no",
         "t@capture=pipe: its cell says how its output is captured, so '--capture=no' is not for it", 3},
        {CELLS("capture: [pty]") TEST("run: [tool]"), "pty", NULL, 1},
        {CELLS("capture: [pty]") TEST("run: [tool], axes: []"), "no", NULL, 1},
        {CELLS("capture: [fd, pipe, 'no', discard]") TEST(TAP), NULL, NULL, 4},
        {CELLS("capture: [pty, merged]") TEST(TAP), NULL,
         "t@capture=pty: its results are on standard output, and with capture 'pty' standard error is in the "
         "same file: what is written there may damage them",
         2},
        {CELLS("capture: [pty]") TEST("run: [tool], results: {lines: '^(?<name>.*) (?<verdict>.*)'}"), NULL,
         NULL, 1},
        {CELLS("capture: [pty]") TEST("run: [tool], results: {junit: x.xml}"), NULL, NULL, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct terms terms;
        struct kept k;

        open_suite(&k, *state, rows[i].text, NULL);
        k.kitchen.capture = rows[i].option;
        assert_int_equal(k.plan.count, rows[i].cases);
        for (uint32_t number = 0; number < rows[i].cases; number++)
            assert_true(check(&k, number, &terms));
        if (k.diags.count != (rows[i].warning != NULL) ||
            (rows[i].warning && strcmp(k.diags.list[0].text, rows[i].warning) != 0))
            fail_msg("row %zu: %zu warnings: %s", i, k.diags.count,
                     k.diags.count ? k.diags.list[0].text : "");
        close_suite(&k);
    }
}

/* ---- before the first is started ---- */

static void test_checks(void **state)
{
    static const struct {
        const char *text, *error; /* NULL: nothing is wrong */
    } rows[] = {
        {TEST("run: [nothing]"), NULL}, /* it may be built by then */
        {TEST("run: [tool], timeout: 5s, weight: 2"), NULL},
        {TEST("module: x.so"), NULL}, /* it may be built by then */
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("module: ['x.so', '${{ matrix.n }}']"),
         "t@a=1: 'module' is empty"},
        {TEST("module: \"${{ fromJSON('{') }}\""), NO_JSON},
        {CELLS("a: [zsh]") TEST("run: x, shell: '${{ matrix.a }}'"),
         "t@a=zsh: 'shell' is bash or sh here, not 'zsh'"},
        {CELLS("a: [x]") TEST("run: [tool], timeout: '${{ matrix.a }}'"),
         "'timeout' must be a duration such as 30s, 1m30s or 250ms, not 'x'"},
        {CELLS("a: [x]") TEST("run: [tool], weight: '${{ matrix.a }}'"),
         "'weight' must be a whole number of at least 1, not 'x'"},
        {CELLS("a: [x]") TEST("run: [tool], leak-grace: '${{ matrix.a }}'"),
         "'leak-grace' must be a duration such as 30s, 1m30s or 250ms, not 'x'"},
        {TEST("run: [tool], env: {RUN_MATRIX: x}"), "'RUN_MATRIX' is set by run-matrix itself"},
        {TEST("run: [\"${{ fromJSON('{') }}\"]"), NO_JSON},
        {TEST("run: [tool], cwd: \"${{ fromJSON('{') }}\""), NO_JSON},
        {TEST("run: [tool], xfail: {if: \"fromJSON('{')\"}"), NO_JSON},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: ['${{ matrix.n }}']"),
         "t@a=1: the first word of 'run' is empty"},
        {CELLS("a: [1], include: [{a: 2, n: x}]") TEST("run: ['${{ matrix.n }}'], skip: {if: '!matrix.n'}"),
         NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct terms terms;
        struct kept k;
        bool fine;

        open_suite(&k, *state, rows[i].text, NULL);
        fine = check(&k, 0, &terms);
        if (fine != !rows[i].error || (k.diags.errors > 0) != (rows[i].error != NULL) ||
            (!fine && strcmp(k.diags.list[0].text, rows[i].error) != 0))
            fail_msg("row %zu: %s", i, k.diags.count ? k.diags.list[0].text : "nothing is wrong");
        close_suite(&k);
    }
}

static void test_terms(void **state)
{
    struct terms terms;
    struct kept k;

    open_suite(&k, *state,
               CELLS("a: [3]") TEST(
                   "run: [x]}, {name: u, run: [x], weight: '${{ matrix.a }}', serial: True, lock: [p, q]}, "
                   "{name: v, run: [x], lock: 'l${{ matrix.a }}', serial: false"),
               NULL);
    assert_true(check(&k, 0, &terms));
    assert_int_equal(terms.weight, 1);
    assert_false(terms.serial);
    assert_int_equal(node_list_count(terms.locks), 0);
    assert_int_equal(terms.ending, WATCH_DUMP_BUDGET + 3 * NS_PER_S + 2 * NS_PER_S + WATCH_SETTLE);
    assert_true(check(&k, 1, &terms));
    assert_int_equal(terms.weight, 3);
    assert_true(terms.serial);
    assert_int_equal(node_list_count(terms.locks), 2);
    assert_true(str_is(node_list_item(terms.locks, 1)->string, "q"));
    assert_true(check(&k, 2, &terms));
    assert_false(terms.serial);
    assert_true(str_is(node_list_item(terms.locks, 0)->string, "l3"));
    close_suite(&k);
}

/* ---- results ---- */

static void test_results(void **state)
{
    static const struct row rows[] = {
        {TEST("run: [tool]"), 0, "results", "none"},
        {TEST("run: [tool], results: {tap: stdout}"), 0, "results", "tap"},
        {TEST("run: [tool], results: {lines: '(?<name>x)'}"), 0, "results", "lines '(?<name>x)'"},
        {TEST("run: [tool], results: {junit: x.xml}"), 0, "results", "junit 'x.xml' in @/suite/x.xml"},
        {TEST("run: [tool], results: {gtest: /a/x.xml}"), 0, "results", "gtest '/a/x.xml' in /a/x.xml"},
        {TEST("run: [tool], results: {junit: 'out/*.xml'}"), 0, "results",
         "junit 'out/*.xml' in @/suite/out/*.xml"},
        {CELLS("a: [1, 2]") TEST("run: [tool], results: {junit: 'x-${{ matrix.a }}.xml'}"), 1, "results",
         "junit 'x-2.xml' in @/suite/x-2.xml"},
        /* what a variable holds is no pattern */
        {TEST("run: [tool], results: {junit: '$RUN_MATRIX_RESULTS/*.xml'}"), 0, "results",
         "junit '$RUN_MATRIX_RESULTS/*.xml' in /run/reports\\[0]/*.xml"},
        {TEST("run: [tool], env: {OUT: 'a*b'}, results: {junit: '${OUT}x/$OUT.xml'}"), 0, "results",
         "junit '${OUT}x/$OUT.xml' in @/suite/a\\*bx/a\\*b.xml"},
        {TEST("run: [tool], results: {junit: 'a$/${b/c$'}"), 0, "results",
         "junit 'a$/${b/c$' in @/suite/a$/${b/c$"},
        {TEST("run: [tool], results: {junit: '$NOPE/x'}"), 0, "error",
         "the path of its results speaks of the variable 'NOPE', which it does not have"},
        {TEST("run: [/bin/true], cwd: /, results: {junit: '$TMPDIR/x'}, isolate: [files]"), 0, "results",
         "junit '$TMPDIR/x' in /tmp/rm-1/0/x"},
        {TEST("run: [/bin/true], cwd: /, results: {junit: '/tmp/x'}, isolate: [files]"), 0, "results",
         "junit '/tmp/x' in /tmp/rm-1/0/x"},
        {TEST("run: [tool], results: {junit: '/tmp/x'}"), 0, "results", "junit '/tmp/x' in /tmp/x"},
        {TEST("run: [tool], results: {junit: \"${{ '' }}\"}"), 0, "results",
         "refused: t: the path of its results is empty"},
        {TEST("run: [tool], results: {junit: x.xml}"), 0, "$RUN_MATRIX_RESULTS", "/run/reports[0]"},
        {TEST("run: [tool], results: {junit: x.xml}"), 0, "numbers",
         "timeout 15m by built-in, slow 10s, output 0, retries 0"},
        {TEST("run: [tool], results: {junit: x.xml}, timeout: 2s"), 0, "numbers",
         "timeout 2s by test, slow 10s, output 0, retries 0"},
        /* nobody could read there */
        {CELLS("capture: [discard]") TEST("run: [tool], results: {tap: stdout}"), 0, "unsupported",
         "its results are in its output, and capture 'discard' throws that away"},
        {CELLS("capture: [discard]") TEST("run: [tool], results: {junit: x.xml}"), 0, "unsupported",
         "(none)"},
        {CELLS("capture: [merged]") TEST("run: [tool], results: {tap: stdout}"), 0, "unsupported", "(none)"},
    };

    check_rows(state, rows, ARRAY_LEN(rows));
}

/* Cases that write to one place hold a lock in common; with a variable in it nobody knows before they start. */
static void test_one_report_one_lock(void **state)
{
    static const char *const locks[] = {"report @/suite/r.xml", "db, report @/suite/r-1.xml", "", ""};
    struct kept k;

    open_suite(
        &k, *state,
        "tests: [{name: a, run: [x], results: {junit: r.xml}}, {name: b, run: [x], lock: [db], results: "
        "{gtest: 'r-${{ 1 }}.xml'}}, {name: c, run: [x], results: {junit: $HOME/r.xml}}, {name: d, run: "
        "[x], results: {tap: stdout}}]",
        NULL);
    for (uint32_t i = 0; i < k.plan.count; i++) {
        struct terms terms;
        struct buf told = {0};

        assert_true(check(&k, i, &terms));
        for (uint32_t l = 0; l < node_list_count(terms.locks); l++) {
            const char *lock = arena_cstr(&k.slot, node_list_item(terms.locks, l)->string);
            const char *at = strstr(lock, k.root);

            buf_addf(&told, "%s%.*s%s%s", l ? ", " : "", (int)(at ? at - lock : (long)strlen(lock)), lock,
                     at ? "@" : "", at ? at + strlen(k.root) : "");
        }
        assert_string_equal(buf_text(&told), locks[i]);
        buf_release(&told);
    }
    close_suite(&k);
}

/* Found before anything runs, with its place. */
static void test_bad_expressions(void **state)
{
    static const struct {
        const char *text, *error;
        uint32_t col;
    } rows[] = {
        {TEST("run: [tool], results: {lines: '(?<name>x'}"),
         "t: the expression of 'lines' cannot be used: missing closing parenthesis, at its character 10", 49},
        {TEST("run: [tool], results: {lines: x}"),
         "t: the expression of 'lines' cannot be used: a group '(?<name>...)' is missing: it names the test, "
         "at "
         "its character 1",
         49},
        {TEST("run: [tool], results: {lines: '(?<name>x)(?<nam>y)'}"),
         "t: the expression of 'lines' cannot be used: 'nam' is no group that is known: name, verdict, "
         "message, "
         "duration, file, line and announced are; did you mean 'name'?, at its character 4",
         49},
        {CELLS("a: ['(']") TEST("run: [tool], results: {lines: '(?<name>x)${{ matrix.a }}'}"),
         "t@a=%28: the expression of 'lines' cannot be used: missing closing parenthesis, at its character "
         "12",
         49},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct terms terms;
        struct kept k;

        open_suite(&k, *state, rows[i].text, NULL);
        assert_false(check(&k, 0, &terms));
        assert_int_equal(k.diags.errors, 1);
        assert_string_equal(k.diags.list[0].text, rows[i].error);
        assert_int_equal(k.diags.list[0].at.col, rows[i].col);
        close_suite(&k);
    }
}

/* Said once, whatever the number of cases. */
/* What a preset makes of a command, its environment, and where it says that results are. */
static void test_presets(void **state)
{
    static const struct {
        const char *test, *argv, *variable, *value; /* variable NULL: none is looked at */
        enum results_kind kind;
        const char *text, *paths;
    } rows[] = {
        {"preset: gtest, run: [./t, -x], env: {GTEST_OUTPUT: mine}", "./t|-x", "GTEST_OUTPUT",
         "xml:/run/reports[0]/report.xml", RESULTS_GTEST, "$RUN_MATRIX_RESULTS/report.xml",
         "/run/reports\\[0]/report.xml"},
        {"preset: pytest, run: [./pytest, a], env: {PYTEST_ADDOPTS: -x}", "./pytest|a", "PYTEST_ADDOPTS",
         "-x '--junit-xml=/run/reports[0]/report.xml' -o junit_family=xunit1", RESULTS_JUNIT,
         "$RUN_MATRIX_RESULTS/report.xml", "/run/reports\\[0]/report.xml"},
        {"preset: libtest, run: [./t]", "./t", NULL, NULL, RESULTS_LINES, NULL, NULL},
        {"preset: automake, run: [./make, check]", "./make|check", NULL, NULL, RESULTS_LINES, NULL, NULL},
        {"discover: {list: [l], run: ['{test}']}, run: [./t]", "./t", NULL, NULL, RESULTS_NONE, NULL, NULL},
    };
    struct buf argv = {0};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct terms terms;
        struct kept k;
        char text[300];

        snprintf(text, sizeof text, "tests: [{name: t, %s}]", rows[i].test);
        open_suite(&k, *state, text, NULL);
        assert_true(check(&k, 0, &terms));
        assert_int_equal(k.diags.count, 0);
        assert_true(make(&k, 0));
        assert_string_equal(text_or_none(k.recipe.error), "(none)");
        buf_clear(&argv);
        tell_argv(&k, &argv);
        assert_string_equal(buf_text(&argv), rows[i].argv);
        if (rows[i].variable)
            assert_string_equal(environment_find(k.recipe.spec.envp, rows[i].variable) +
                                    strlen(rows[i].variable) + 1,
                                rows[i].value);
        assert_int_equal(k.recipe.results.kind, rows[i].kind);
        if (rows[i].text)
            assert_true(str_is(k.recipe.results.text, rows[i].text));
        assert_string_equal(text_or_none(k.recipe.results.paths), text_or_none(rows[i].paths));
        close_suite(&k);
    }
    buf_release(&argv);
}

/* Who writes into his folder is alone there. */
static void test_a_folder_that_is_filled(void **state)
{
    struct terms terms;
    struct kept k;

    open_suite(&k, *state,
               "tests:\n- {name: a, preset: automake, run: [make, -C, x, check], lock: [l]}\n"
               "- {name: b, preset: automake, run: [make, -C, x, check]}\n"
               "- {name: c, preset: automake, run: [make, -C, y, check]}\n"
               "- {name: d, preset: gtest, run: [./t]}\n",
               NULL);
    assert_true(check(&k, 0, &terms));
    assert_int_equal(node_list_count(terms.locks), 2);
    assert_true(str_is(node_list_item(terms.locks, 0)->string, "l"));
    assert_true(str_ends(node_list_item(terms.locks, 1)->string, " make -C x check"));
    assert_true(check(&k, 1, &terms));
    assert_true(str_ends(node_list_item(terms.locks, 0)->string, " make -C x check"));
    assert_true(check(&k, 2, &terms));
    assert_true(str_ends(node_list_item(terms.locks, 0)->string, " make -C y check"));
    assert_true(check(&k, 3, &terms));
    assert_int_equal(node_list_count(terms.locks), 0);
    close_suite(&k);
}

/* A program is looked for once; and each of more than are remembered is found. */
static void test_many_programs(void **state)
{
    struct buf text = {0};
    struct kept k;

    buf_adds(&text, "tests:\n");
    for (uint32_t i = 0; i < 2 * FOUND_PROGRAMS_MOST; i++)
        buf_addf(&text, "- {name: t%u, run: [p%u]}\n", i, i);
    open_suite(&k, *state, buf_text(&text), NULL);
    for (uint32_t i = 0; i < k.plan.count; i++)
        make_program(*state, arena_printf(&k.arena, "bin/p%u", i), 0755);
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < k.plan.count; i++) {
            const char *path = arena_printf(&k.arena, "%s/bin/p%u", (char *)*state, i);

            assert_true(make(&k, i));
            assert_null(k.recipe.error);
            assert_string_equal(k.recipe.spec.path, path);
        }
    assert_int_equal(k.kitchen.found_count, FOUND_PROGRAMS_MOST);
    for (uint32_t i = 0; i < k.plan.count; i++)
        unlink(arena_printf(&k.arena, "%s/bin/p%u", (char *)*state, i));
    close_suite(&k);
    buf_release(&text);
}

static void check_path(struct kept *k, uint32_t number, const char *path)
{
    struct buf answer = {0};

    assert_true(make(k, number));
    ask(k, "path", &answer);
    if (strcmp(buf_text(&answer), path) != 0)
        fail_msg("case %u: %s, wanted %s", number, buf_text(&answer), path);
    buf_release(&answer);
}

/* What was found on the caller's PATH is not what another PATH has, and the other way round. */
static void test_found_programs(void **state)
{
    static const uint32_t orders[][4] = {{0, 1, 2, 0}, {1, 0, 1, 2}, {2, 0, 2, 1}};
    static const char *const paths[] = {"@/bin/tool", "tools/tool", "@/bin/../old/tool"};

    for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
        struct kept k;

        open_suite(&k, *state,
                   TEST("run: [tool]}, {name: u, run: [tool], env: {PATH: tools}}, {name: v, run: [tool], "
                        "env: {PATH: '${{ env.PATH }}/../old'}"),
                   NULL);
        for (size_t i = 0; i < ARRAY_LEN(orders[o]); i++)
            check_path(&k, orders[o][i], paths[orders[o][i]]);
        close_suite(&k);
    }
}

/* The same folder of the caller's PATH is another one elsewhere. */
static void test_relative_path(void **state)
{
    struct kept k;

    open_suite(&k, *state, TEST("run: [here]}, {name: u, run: [here], cwd: tools"), NULL);
    k.environ[0] = "PATH=tools:/nowhere";
    k.kitchen = (struct kitchen){.plan = &k.plan, .settings = k.kitchen.settings, .environ = k.environ};
    kitchen_open(&k.kitchen, &k.arena);
    check_path(&k, 0, "tools/here");
    assert_true(make(&k, 1));
    assert_string_equal(text_or_none(k.recipe.error), "no program 'here' on the PATH (2 folders)");
    close_suite(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_each_name_once),
        cmocka_unit_test(test_cases_share_nothing),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_retries_of_a_profile),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_dates),
        cmocka_unit_test(test_high_limit),
        cmocka_unit_test(test_leaks),
        cmocka_unit_test(test_dumps),
        cmocka_unit_test(test_dumps_take_time),
        cmocka_unit_test(test_isolation),
        cmocka_unit_test(test_isolated_run_folder),
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_requires_fail),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_unsupported),
        cmocka_unit_test(test_capture_option),
        cmocka_unit_test(test_captures_that_are_warned_of),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_one_report_one_lock),
        cmocka_unit_test(test_bad_expressions),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_a_folder_that_is_filled),
        cmocka_unit_test(test_many_programs),
        cmocka_unit_test(test_found_programs),
        cmocka_unit_test(test_relative_path),
    };

    return cmocka_run_group_tests(tests, make_machine, remove_machine);
}
