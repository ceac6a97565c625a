#include "matrix/suite/internal.h"
#include "matrix/suite/workflow.h"
#include "matrix/yaml/yaml.h"

#include <ctype.h>
#include <string.h>

static const char *const built_in_axes[] = {
#define X(id, word) [id] = word,
    BUILT_IN_AXES(X)
#undef X
};

/* ---- expressions inside a matrix: functions, literals and what --context gives ---- */

struct context_check {
    struct loading *l;
    const struct node *context;
};

static bool check_context_path(void *user, struct expr_path path)
{
    struct context_check *check = user;

    if (!node_get_nocase(check->context, path.name))
        diag_error(check->l->diags, path.at,
                   "'%.*s' is known to GitHub only; give it with --context FILE.json", STR_ARG(path.name));
    return true;
}

static const struct node *from_context(void *user, struct str name)
{
    return node_get_nocase(user, name);
}

/* The yaml reader has bounded the depth. */
static void check_context_tree(struct context_check *check, const struct node *node)
{
    if (node->kind == NODE_STRING)
        each_scalar_path(check->l, template_parse, node, NULL, check_context_path, check);
    for (uint32_t i = 0; node->kind == NODE_SEQ && i < node->seq.count; i++)
        check_context_tree(check, node->seq.items[i]);
    for (uint32_t i = 0; node->kind == NODE_MAP && i < node->map.count; i++) {
        each_scalar_path(check->l, template_parse_key, node->map.pairs[i].key, NULL, check_context_path,
                         check);
        check_context_tree(check, node->map.pairs[i].value);
    }
}

const struct node *eval_context_tree(struct loading *l, const struct node *tree)
{
    size_t errors = l->diags->errors;
    struct context_check check = {l, l->suite->world->context};
    const struct expr_env env = {from_context, (void *)(uintptr_t)check.context};

    check_context_tree(&check, tree);
    if (l->diags->errors != errors)
        return NULL;
    return template_eval_tree(l->arena, tree, NULL, &env, l->diags);
}

/* ---- strategy, here or in a workflow ---- */

struct strategy {
    const struct node *node; /* NULL: none */
    struct str host_axis;    /* that a workflow's runs-on names */
    const struct node *runs_on;
    bool foreign; /* read by `from`: binds nothing unless told */
};

static bool read_workflow(struct loading *l, const struct node *from, struct workflow_job *job)
{
    struct suite *suite = l->suite;
    struct str text = text_of(l->arena, from), path = text, id = {"", 0};
    struct buf content = {0};
    const char *file;
    size_t hash;
    bool ok = false;
    int error;

    if (str_find(text, "#", &hash)) {
        path = str_slice(text, 0, hash);
        id = str_slice(text, hash + 1, text.len);
    }
    file = arena_printf(l->arena, "%s%.*s", path.len && path.ptr[0] == '/' ? "" : suite->dir, STR_ARG(path));
    error = suite->world->read(suite->world->user, file, &content);
    if (error)
        diag_error(l->diags, from->at, "cannot read the workflow '%s': %s", file, strerror(error));
    else
        ok = workflow_read(l->arena, file, buf_str(&content), id, job, l->diags);
    buf_release(&content);
    return ok;
}

static void take_workflow(struct loading *l, const struct node *from, struct strategy *strategy)
{
    struct workflow_job job = {0};

    strategy->foreign = true;
    if (!read_workflow(l, from, &job))
        return;
    if (!job.strategy)
        diag_error(l->diags, from->at, "job '%.*s' has no strategy", STR_ARG(job.id));
    strategy->node = job.strategy;
    strategy->host_axis = job.host_axis;
    strategy->runs_on = node_get(job.node, "runs-on");
    /* Our deadline comes a minute before GitHub's, so that there is time left to say where it hung. */
    if (job.timeout > 60 * NS_PER_S)
        l->suite->session_timeout = job.timeout - 60 * NS_PER_S;
}

static const struct node *eval_part(struct loading *l, const struct node *strategy, const char *key)
{
    const struct node *part = node_get(strategy, key);

    return part ? eval_context_tree(l, part) : NULL;
}

static void take_numbers(struct loading *l, const struct node *strategy)
{
    const struct node *fail_fast = eval_part(l, strategy, "fail-fast");
    const struct node *most = eval_part(l, strategy, "max-parallel");

    if (fail_fast && fail_fast->kind == NODE_BOOL)
        l->suite->fail_fast = fail_fast->boolean;
    else if (fail_fast && fail_fast->kind != NODE_NULL)
        diag_error(l->diags, fail_fast->at, "'fail-fast' is %s; true or false is allowed",
                   node_kind_words(fail_fast->kind));
    if (most && most->kind == NODE_NUMBER && most->number >= 1 && most->number <= UINT32_MAX)
        l->suite->max_parallel = (uint32_t)most->number;
    else if (most && most->kind != NODE_NULL)
        diag_error(l->diags, most->at, "'max-parallel' must be a number of at least 1");
}

static void expand(struct loading *l, const struct node *strategy)
{
    const struct node *matrix = node_get(strategy, "matrix");
    struct cells *cells = &l->suite->cells;

    if (matrix) {
        schema_warn_numbers(matrix, l->diags);
        matrix = eval_context_tree(l, matrix);
        if (matrix && cells_expand(l->arena, matrix, cells, l->diags))
            return;
        *cells = (struct cells){0};
        l->matrix_broken = true;
        return;
    }
    cells_expand(l->arena, NULL, cells, l->diags);
}

static void index_keys(struct loading *l)
{
    const struct cells *cells = &l->suite->cells;

    for (uint32_t k = 0; k < cells->key_count; k++)
        names_add(&l->keys, cells->keys[k].name);
}

uint32_t find_key(const struct loading *l, struct str name)
{
    uint32_t key = names_find(&l->keys, name);

    return key == LOOKUP_NONE ? CELL_ABSENT : key;
}

/* ---- bind ---- */

static void bind_axis(struct loading *l, enum built_in_axis axis, const struct node *to)
{
    struct str name = text_of(l->arena, to);
    uint32_t key = find_key(l, name);

    if (key != CELL_ABSENT)
        l->suite->bound[axis] = key;
    else if (!str_is(name, "no") && !l->matrix_broken)
        diag_error(l->diags, to->at, "'%s' is bound to '%.*s', which is no axis%s", built_in_axes[axis],
                   STR_ARG(name), suite_guess_key(l->suite, name, l->diags));
}

static void load_bind(struct loading *l, bool foreign)
{
    const struct node *bind = node_as_map(node_get(l->suite->root, "bind"));

    for (int axis = 0; axis < BUILT_IN_AXIS_COUNT; axis++) {
        const struct node *to = node_get(bind, built_in_axes[axis]);

        if (to)
            bind_axis(l, (enum built_in_axis)axis, to);
        else if (!foreign)
            l->suite->bound[axis] = find_key(l, str_of(built_in_axes[axis]));
    }
}

/* ---- host: which cells are for another kind of machine ---- */

enum machine { MACHINE_LINUX, MACHINE_OTHER, MACHINE_UNKNOWN };

static bool word_of(struct str label, const char *word)
{
    size_t len = strlen(word);

    return label.len >= len && str_eq_nocase(str_slice(label, 0, len), str_of(word)) &&
           (label.len == len || !isalpha((unsigned char)label.ptr[len]));
}

static enum machine machine_of(struct str label)
{
    static const char *const linuxes[] = {
        "linux",  "ubuntu", "debian",    "fedora",   "centos", "rhel", "rocky",       "alma", "almalinux",
        "alpine", "arch",   "archlinux", "opensuse", "suse",   "sles", "amazonlinux", "amzn"};
    static const char *const others[] = {"macos",   "osx",     "mac",    "darwin",    "windows", "win",
                                         "freebsd", "openbsd", "netbsd", "dragonfly", "solaris", "illumos",
                                         "aix",     "android", "ios",    "haiku"};

    for (size_t i = 0; i < sizeof linuxes / sizeof linuxes[0]; i++)
        if (word_of(label, linuxes[i]))
            return MACHINE_LINUX;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (word_of(label, others[i]))
            return MACHINE_OTHER;
    return MACHINE_UNKNOWN;
}

static bool label_is_here(const struct suite_world *world, struct str label)
{
    for (size_t i = 0; world->labels && world->labels[i]; i++)
        if (str_eq_nocase(label, str_of(world->labels[i])))
            return true;
    return false;
}

/* A value that is a list of labels (as runs-on takes it) is elsewhere when one of them is. */
bool value_is_elsewhere(struct loading *l, const struct node *value, bool strict)
{
    for (uint32_t i = 0; i < node_list_count(value); i++) {
        struct str label = text_of(l->arena, node_list_item(value, i));

        if (strict ? !label_is_here(l->suite->world, label) : machine_of(label) == MACHINE_OTHER)
            return true;
    }
    return false;
}

static void warn_unknown_machine(struct loading *l, const struct node *value)
{
    for (uint32_t i = 0; !l->suite->world->host_strict && i < node_list_count(value); i++) {
        const struct node *item = node_list_item(value, i);
        struct str label = text_of(l->arena, item);

        if (label.len && machine_of(label) == MACHINE_UNKNOWN && !label_is_here(l->suite->world, label))
            diag_warning(l->diags, item->at,
                         "'%.*s' names no machine known here; its cells are taken to be for Linux",
                         STR_ARG(label));
    }
}

static void mark_elsewhere(struct loading *l, uint32_t k)
{
    struct suite *suite = l->suite;
    const struct cell_key *key = &suite->cells.keys[k];
    bool *elsewhere = ARENA_ARRAY(l->arena, bool, key->count);
    bool *foreign = ARENA_ARRAY(l->arena, bool, key->count);

    suite->host[k] = true;
    for (uint32_t v = 0; v < key->count; v++) {
        foreign[v] = value_is_elsewhere(l, key->values[v].node, false);
        elsewhere[v] = value_is_elsewhere(l, key->values[v].node, suite->world->host_strict);
        if (key->values[v].alike == v)
            warn_unknown_machine(l, key->values[v].node);
    }
    for (uint32_t cell = 0; cell < suite->cells.count; cell++) {
        uint32_t v = cells_row(&suite->cells, cell)[k];

        suite->elsewhere[cell] |= v != CELL_ABSENT && elsewhere[v];
        suite->foreign[cell] |= v != CELL_ABSENT && foreign[v];
    }
}

static void load_host(struct loading *l, const struct strategy *strategy)
{
    struct suite *suite = l->suite;
    const struct node *host = node_get(suite->root, "host");
    uint32_t k = find_key(l, strategy->host_axis);

    suite->host = ARENA_ARRAY(l->arena, bool, suite->cells.key_count);
    suite->elsewhere = ARENA_ARRAY(l->arena, bool, suite->cells.count);
    suite->foreign = ARENA_ARRAY(l->arena, bool, suite->cells.count);
    if (!host && strategy->host_axis.len && k != CELL_ABSENT)
        mark_elsewhere(l, k);
    else if (!host)
        load_runs_on(l, strategy->runs_on);
    for (uint32_t i = 0; i < node_list_count(host); i++) {
        const struct node *item = node_list_item(host, i);
        struct str name = text_of(l->arena, item);

        k = find_key(l, name);
        if (k != CELL_ABSENT)
            mark_elsewhere(l, k);
        else if (name.len && !l->matrix_broken)
            diag_error(l->diags, item->at, "'%.*s' is no axis%s", STR_ARG(name),
                       suite_guess_key(suite, name, l->diags));
    }
}

void load_strategy(struct loading *l)
{
    const struct node *node = node_as_map(node_get(l->suite->root, "strategy"));
    const struct node *from = node_get(node, "from");
    struct strategy strategy = {.node = node};

    if (from) {
        strategy.node = NULL;
        take_workflow(l, from, &strategy);
        if (!strategy.node) {
            l->matrix_broken = true;
            return;
        }
    }
    take_numbers(l, strategy.node);
    expand(l, strategy.node);
    index_keys(l);
    l->suite->key_names = escaped_key_names(l->arena, &l->suite->cells);
    load_bind(l, strategy.foreign);
    load_host(l, &strategy);
    load_variables(l);
}
