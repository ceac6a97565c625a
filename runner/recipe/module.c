/* `module`: what lists the C tests of a file, and what runs one of them. */
#include "runner/base/installed.h"
#include "runner/base/mem.h"
#include "runner/recipe/environment.h"
#include "runner/recipe/internal.h"

#include "runner/sources/sources.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST     "run-matrix-host"
#define TUNABLES "GLIBC_TUNABLES"

static bool is_source(struct arena *arena, const struct suite *suite, const struct word *word)
{
    const char *dir = word->text.len && word->text.ptr[0] == '/' ? "" : suite->dir;
    struct stat st;

    if (word->parsed || source_is(word->text))
        return !word->parsed;
    return stat(arena_printf(arena, "%s%.*s", dir, STR_ARG(word->text)), &st) == 0 && S_ISDIR(st.st_mode);
}

/* These are there before any fixture is made, and are compiled then. */
static bool are_sources(struct arena *arena, const struct suite *suite, const struct words *modules)
{
    for (uint32_t i = 0; i < modules->count; i++)
        if (!is_source(arena, suite, &modules->list[i]))
            return false;
    return true;
}

void module_prepare(struct kitchen *kitchen, const struct suite *suite, const struct test *test,
                    struct test_recipe *shared, struct diags *diags)
{
    shared->modules = parse_words(kitchen->arena, node_get(test->node, "module"), diags);
    shared->late =
        words_speak_of_fixtures(&shared->modules) || (waits_for_files(kitchen->arena, suite, test) &&
                                                      !are_sources(kitchen->arena, suite, &shared->modules));
    if (shared->late) {
        shared->results = RESULTS_TAP;
        shared->results_checked = true;
    }
}

bool cook_module_words(struct cooking *k)
{
    struct str text;

    for (uint32_t i = 0; i < k->shared->modules.count; i++) {
        const struct word *word = &k->shared->modules.list[i];

        if (!word_text(k, word, &text))
            return false;
        if (!text.len) {
            diag_error(k->diags, word->scalar->at, "%s: 'module' is empty", k->recipe->id.ptr);
            return false;
        }
    }
    return true;
}

/* ---- the host ---- */

const char *module_host(struct kitchen *kitchen)
{
    if (!kitchen->host)
        kitchen->host = installed_find(kitchen->arena, HOST, X_OK);
    return kitchen->host;
}

/* ---- the command ---- */

bool module_is_shared(const char *path)
{
    return str_ends(str_of(path), ".so");
}

static const char *seen_from_anywhere(struct cooking *k, const char *path)
{
    char here[4096];

    if (*path == '/')
        return path;
    if (getcwd(here, sizeof here))
        return arena_printf(k->arena, "%s/%s", here, path);
    k->recipe->error = arena_printf(k->arena, "the current folder cannot be told: %s", strerror(errno));
    return path;
}

/* As the process sees it from the folder it runs in. */
static const char *seen_from_there(struct cooking *k, const char *path)
{
    if (*path == '/' || k->recipe->spec.cwd)
        return seen_from_anywhere(k, path);
    return strchr(path, '/') ? path : arena_printf(k->arena, "./%s", path);
}

static const char *need_host(struct cooking *k)
{
    const char *host = module_host(k->kitchen);

    if (!host)
        k->recipe->error =
            "there is no program '" HOST "' beside run-matrix, nor in ../libexec/run-matrix: it is what "
            "modules are loaded into";
    return host;
}

/* `option` and `name` NULL: none. */
static void ask_module(struct cooking *k, const char *path, const char *option, const char *name)
{
    const char **words = ARENA_ARRAY(k->arena, const char *, 5);
    uint32_t count = 0;

    if (module_is_shared(path))
        words[count++] = need_host(k);
    words[count++] = seen_from_there(k, path);
    words[count++] = option;
    words[count++] = name;
    cook_sanitizers(k, path);
    k->recipe->spec.path = words[0];
    set_argv(k, words);
}

static void ask_several(struct cooking *k, const struct module_file *files, uint32_t file_count)
{
    const char **words = ARENA_ARRAY(k->arena, const char *, 2 * file_count + 3);
    uint32_t count = 0;

    words[count++] = need_host(k);
    words[count++] = "--all";
    for (uint32_t i = 0; i < file_count; i++) {
        words[count++] = files[i].id.ptr;
        words[count++] = seen_from_there(k, files[i].path);
        cook_sanitizers(k, files[i].path);
    }
    k->recipe->spec.path = words[0];
    set_argv(k, words);
}

static const char *why_not_late(struct cooking *k, const struct module_file *file)
{
    if (file->problem || !source_is(str_of(file->path)))
        return file->problem;
    return arena_printf(
        k->arena,
        "'%s' is C source, which is compiled before fixtures are made: give sources a test of their own",
        file->path);
}

/* Its fixtures have just been made: whatever there is now is run, all in one. */
static void run_late(struct cooking *k)
{
    uint32_t count;
    const struct module_file *files = module_files(k, &count);

    for (uint32_t i = 0; i < count; i++) {
        const char *why = why_not_late(k, &files[i]);

        if (why) {
            k->recipe->error = arena_printf(k->arena, "its tests cannot be run: %s", why);
            return;
        }
    }
    if (count == 1 && !files[0].id.len)
        ask_module(k, files[0].path, NULL, NULL);
    else
        ask_several(k, files, count);
}

/*
 * As many namespaces as there can be, for actors: each libc needs a piece of what all threads have from their beginning, and
 * how much that is the loader decides before there is a program. The last word is the user's.
 */
static void add_namespaces(struct cooking *k)
{
    static const char ours[] = "glibc.rtld.nns=16:glibc.rtld.optional_static_tls=4096:"
                               "glibc.pthread.stack_cache_size=0";
    const char *entry = environment_find(k->recipe->spec.envp, TUNABLES);
    const char *theirs = entry ? entry + strlen(TUNABLES "=") : "";
    const struct variable variables[] = {
        {.name = str_of(TUNABLES),
         .value = str_of(*theirs ? arena_printf(k->arena, "%s:%s", ours, theirs) : ours)},
        {.name = str_of("RUN_MATRIX_TUNED"), .value = str_of(ours)},
    };

    k->recipe->spec.envp = environment_with(k->arena, k->recipe->spec.envp, variables, ARRAY_LEN(variables));
}

/* By its server, or by a process that becomes it: nothing is said by arguments. */
static void name_test(struct cooking *k, const struct sub_test *sub)
{
    struct spawn_spec *spec = &k->recipe->spec;
    bool shared = module_is_shared(sub->file);

    if (spec->apart && !shared) {
        k->recipe->unsupported =
            "backend 'subint' and 'subint_forkserver' load a module into a namespace of its "
            "own, and that can be done with a .so, not with a program";
        return;
    }
    spec->host = shared ? need_host(k) : seen_from_anywhere(k, sub->file);
    spec->module = shared ? seen_from_anywhere(k, sub->file) : NULL;
    spec->test = sub->name.ptr;
    spec->title = arena_printf(k->arena, "run-matrix: case %s", k->recipe->id.ptr);
    spec->path = spec->host;
    cook_sanitizers(k, sub->file);
    if (spec->apart)
        add_namespaces(k);
}

static void run_test(struct cooking *k, const struct sub_test *sub)
{
    k->recipe->words = sub->words;
    k->recipe->tells = true;
    if (sub->problem)
        k->recipe->error = sub->problem;
    else if (k->recipe->backend == backends[BACKEND_EXEC])
        ask_module(k, sub->file, TEST_WORD, sub->name.ptr);
    else
        name_test(k, sub);
}

bool cook_module(struct cooking *k)
{
    const struct sub_test *sub = case_sub(k->kitchen->plan, k->c);
    const char *module = k->where ? k->where->module : NULL;

    if (module)
        ask_module(k, module, "--list", NULL);
    else if (sub)
        run_test(k, sub);
    else if (k->recipe->spec.apart)
        k->recipe->unsupported =
            "which tests it has is known only when its fixtures are made, and then all are run "
            "by one process: not in a namespace";
    else if (capture_way(k->recipe->capture)->inside)
        k->recipe->unsupported =
            "which tests it has is known only when its fixtures are made, and then all are run "
            "by one process: its streams are not those of one test";
    else
        run_late(k);
    return true;
}

const char *recipe_folder(const struct kitchen *kitchen, const struct plan_case *c)
{
    return case_suite(kitchen->plan->suites, c)->dir;
}

const struct node *recipe_cflags(struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                                 struct diags *diags)
{
    struct setting_value value;
    struct recipe recipe;
    struct cooking k;

    cook_begin(&k, kitchen, c, arena, &recipe, diags);
    k.rehearsal = true;
    return cook_get(&k, SET_CFLAGS, &value) ? value.node : NULL;
}

struct module_file *recipe_modules(struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                                   uint32_t *count)
{
    struct diags diags = {.arena = arena}; /* recipe_check says all of them */
    struct recipe recipe;
    struct cooking k;

    cook_begin(&k, kitchen, c, arena, &recipe, &diags);
    return module_files(&k, count);
}
