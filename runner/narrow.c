#include "runner/narrow.h"

#include "runner/base/mem.h"
#include "runner/front.h"
#include "runner/journal/journal.h"
#include "runner/store/store.h"

#include <stdlib.h>
#include <string.h>

#define IDS_MOST 500 /* of more nobody would be glad on a command line */

struct narrowing {
    struct arena *arena;
    struct front front;
    const char **folders, **files; /* of each suite, without links; NULL: not there */
    bool **concerned;              /* tests of each suite */
    struct str *failed;            /* ids, sorted */
    size_t failed_count;
};

/* ---- what a change concerns ---- */

static const char *real_path(struct arena *arena, const char *path)
{
    char *real = realpath(*path ? path : ".", NULL);
    const char *kept = real ? arena_cstr(arena, str_of(real)) : NULL;

    free(real);
    return kept;
}

static void find_folders(struct narrowing *n)
{
    const struct suites *suites = &n->front.suites;

    n->folders = ARENA_ARRAY(n->arena, const char *, suites->count);
    n->files = ARENA_ARRAY(n->arena, const char *, suites->count);
    n->concerned = ARENA_ARRAY(n->arena, bool *, suites->count);
    for (uint32_t i = 0; i < suites->count; i++) {
        n->folders[i] = real_path(n->arena, suites->list[i]->dir);
        n->files[i] = real_path(n->arena, suites->list[i]->file);
        n->concerned[i] = ARENA_ARRAY(n->arena, bool, suites->list[i]->test_count);
    }
}

/* What of a path is below a folder; NULL: it is not. */
static const char *below(const char *path, const char *folder)
{
    size_t len = folder ? strlen(folder) : 0;

    return len && strncmp(path, folder, len) == 0 && path[len] == '/' ? path + len + 1 : NULL;
}

/* The suite whose folder is nearest above; the count: there is none. */
static uint32_t owner_of(const struct narrowing *n, const char *path)
{
    uint32_t count = n->front.suites.count, owner = count;

    for (uint32_t i = 0; i < count; i++)
        if (below(path, n->folders[i]) &&
            (owner == count || strlen(n->folders[i]) > strlen(n->folders[owner])))
            owner = i;
    return owner;
}

static bool is_file_of_suite(const struct narrowing *n, const char *path)
{
    for (uint32_t i = 0; i < n->front.suites.count; i++)
        if (n->files[i] && strcmp(n->files[i], path) == 0)
            return true;
    return false;
}

static bool word_names(struct str word, const char *file)
{
    return str_is(word, file) || (str_starts(word, "./") && str_is(str_slice(word, 2, word.len), file));
}

/* A word of the list, or somewhere in the script. */
static bool run_names(const struct node *run, const char *file)
{
    size_t at;

    if (run && run->kind == NODE_STRING)
        return str_find(run->string, file, &at);
    for (uint32_t i = 0; i < node_list_count(run); i++)
        if (node_list_item(run, i)->kind == NODE_STRING && word_names(node_list_item(run, i)->string, file))
            return true;
    return false;
}

/* What it runs is known for each case alone, or by whoever knows modules. */
static bool is_open(const struct node *run)
{
    if (!run || run->kind == NODE_STRING)
        return !run || template_has_expr(run->string);
    for (uint32_t i = 0; i < node_list_count(run); i++)
        if (node_list_item(run, i)->kind == NODE_STRING && template_has_expr(node_list_item(run, i)->string))
            return true;
    return false;
}

/* As the file is called from the folder of the suite, or from the test's own. */
static bool test_names(const struct test *test, const char *file)
{
    const struct node *run = node_get(test->node, "run"), *cwd = node_get(test->node, "cwd");
    const char *inner = NULL;
    size_t len = cwd && cwd->kind == NODE_STRING ? cwd->string.len : 0;

    if (len && strncmp(file, cwd->string.ptr, len) == 0 && file[len] == '/')
        inner = file + len + 1;
    return run_names(run, file) || (inner && run_names(run, inner));
}

static bool mark_named(struct narrowing *n, uint32_t owner, const char *file)
{
    const struct suite *suite = n->front.suites.list[owner];
    bool any = false;

    for (uint32_t t = 0; t < suite->test_count; t++)
        if (test_names(&suite->tests[t], file))
            any = n->concerned[owner][t] = true;
    for (uint32_t t = 0; any && t < suite->test_count; t++)
        if (is_open(node_get(suite->tests[t].node, "run")))
            n->concerned[owner][t] = true;
    return any;
}

/* A test that names it; of a monorepo all of the suite that it is in. False: it cannot be told. */
static bool mark(struct narrowing *n, const char *path)
{
    uint32_t owner = owner_of(n, path);

    if (owner == n->front.suites.count || is_file_of_suite(n, path))
        return false;
    if (mark_named(n, owner, below(path, n->folders[owner])))
        return true;
    if (owner == 0)
        return false;
    memset(n->concerned[owner], true, n->front.suites.list[owner]->test_count * sizeof **n->concerned);
    return true;
}

static bool mark_all(struct narrowing *n, const struct changes *changes)
{
    bool told = !changes_lost(changes);

    find_folders(n);
    for (size_t i = 0; told && i < changes_count(changes); i++)
        told = mark(n, changes_path(changes, i));
    return told;
}

/* ---- what failed ---- */

static int by_text(const void *left, const void *right)
{
    return str_cmp(*(const struct str *)left, *(const struct str *)right);
}

/* Also what was not run: it has nothing to show. */
static void take_failed(struct narrowing *n, const struct journal_record *record)
{
    n->failed = ARENA_ARRAY(n->arena, struct str, record->case_count);
    for (uint32_t i = 0; i < record->case_count; i++) {
        enum count count = verdict_counts(journal_outcome(&record->cases[i]));

        if (count == COUNT_FAILED || count == COUNT_NOT_RUN)
            n->failed[n->failed_count++] = record->cases[i].what->id;
    }
    if (n->failed_count)
        qsort(n->failed, n->failed_count, sizeof *n->failed, by_text);
}

static bool read_failed(struct narrowing *n, struct invocation *in)
{
    struct run_folder run = {.fd = -1, .lock = -1};
    struct store store = {.fd = -1};
    struct journal_record record;
    bool read = store_open_existing(&store, front_store_path(in, &n->front), n->arena, in->diags) == 0 &&
                store_find_run(&store, "latest", n->arena, &run, in->diags) == 0 &&
                journal_read(n->arena, run.fd, run.path, &record, in->diags);

    if (read)
        take_failed(n, &record);
    store_close_run(&run);
    store_close(&store);
    return read;
}

static bool has_failed(const struct narrowing *n, struct str id)
{
    return n->failed_count && bsearch(&id, n->failed, n->failed_count, sizeof *n->failed, by_text);
}

/* ---- the command line ---- */

/* NULL: that is everything, or there is nothing, or what failed is not called so any more. */
static struct str *choose(struct narrowing *n, size_t *count)
{
    const struct plan *plan = &n->front.plan;
    struct str *ids = ARENA_ARRAY(n->arena, struct str, IDS_MOST);
    struct buf id = {0};
    size_t found = 0;

    *count = 0;
    for (uint32_t i = 0; i < plan->count && *count <= IDS_MOST; i++) {
        const struct plan_case *c = &plan->cases[i];
        bool failed;

        buf_clear(&id);
        case_id(&id, plan, c);
        failed = has_failed(n, buf_str(&id));
        found += failed;
        if (!failed && !n->concerned[c->suite][c->test])
            continue;
        if (*count < IDS_MOST)
            ids[*count] = arena_str(n->arena, buf_str(&id));
        ++*count;
    }
    buf_release(&id);
    return *count && *count <= IDS_MOST && *count < plan->count && found == n->failed_count ? ids : NULL;
}

static bool is_id(const struct narrowing *n, const char *word)
{
    for (size_t i = 0; i < n->front.ids.count; i++)
        if (n->front.ids.values[i] == word)
            return true;
    return false;
}

/* As it was called, with other ids. */
static char **call_of(const struct narrowing *n, const struct invocation *in, const struct str *ids,
                      size_t count, int *argc)
{
    char **argv = ARENA_ARRAY(n->arena, char *, (size_t)in->argc + count + 1);

    argv[(*argc)++] = in->argv[0];
    for (size_t i = 0; i < count; i++)
        argv[(*argc)++] = (char *)(uintptr_t)arena_printf(n->arena, "--id=%.*s", STR_ARG(ids[i]));
    for (int i = 1; i < in->argc; i++)
        if (strcmp(in->argv[i], "--id") != 0 && !str_starts(str_of(in->argv[i]), "--id=") &&
            !is_id(n, in->argv[i]))
            argv[(*argc)++] = in->argv[i];
    return argv;
}

static void call_again(struct narrowing *n, struct invocation *in, const struct str *ids, size_t count)
{
    struct options *options = ARENA_NEW(n->arena, struct options);
    struct opt_result parsed;
    int argc = 0;
    char **argv = call_of(n, in, ids, count, &argc);

    options_init(options);
    if (!opt_parse(&options_table, COMMAND_NONE, argc, argv, options, &parsed, in->diags))
        return;
    in->argc = argc;
    in->argv = argv;
    in->options = options;
    in->args = parsed.args;
}

/* A part of the cases would be cut out of those that are left; a part of a suite is no case. */
static bool can_be_narrowed(const struct narrowing *n, const struct invocation *in)
{
    if (in->options->partition)
        return false;
    for (size_t i = 0; i < n->front.ids.count; i++)
        if (strstr(n->front.ids.values[i], "::"))
            return false;
    return true;
}

void narrow(struct invocation *in, const struct changes *changes)
{
    struct diags *said = in->diags, unsaid = {.arena = in->arena};
    struct narrowing n = {.arena = in->arena};
    struct str *ids = NULL;
    size_t count;

    in->diags = &unsaid; /* the run itself will say it */
    if (front_open(&n.front, in) == EXIT_PASSED && can_be_narrowed(&n, in) && mark_all(&n, changes) &&
        read_failed(&n, in))
        ids = choose(&n, &count);
    if (ids)
        call_again(&n, in, ids, count);
    front_release(&n.front);
    in->diags = said;
}
