#include "runner/recipe/recipe.h"

#include "runner/recipe/internal.h"
#include "runner/stacks/stacks.h"

#include <stdio.h>
#include <string.h>

void kitchen_open(struct kitchen *kitchen, struct arena *arena)
{
    const struct suites *suites = kitchen->plan->suites;

    kitchen->arena = arena;
    kitchen->tests = ARENA_ARRAY(arena, struct test_recipe *, suites->count);
    kitchen->stacks = stacks_program(arena);
    environment_open(kitchen);
    mask_tokens(kitchen);
}

/* ---- what is the same for all cases of a test ---- */

static const struct profile *find_profile(const struct suite *suite, const char *name)
{
    for (uint32_t i = 0; name && i < suite->profile_count; i++)
        if (str_is(suite->profiles[i].name, name))
            return &suite->profiles[i];
    return NULL;
}

static bool must_have(const struct kitchen *kitchen, const struct suite *suite)
{
    const struct profile *profile = find_profile(suite, kitchen->profile);
    const struct node *requires = profile ? node_get(profile->node, "requires") : NULL;

    return requires && str_is(requires->string, "fail");
}

struct test_recipe *test_prepare(struct kitchen *kitchen, const struct plan_case *c, struct diags *diags)
{
    const struct suite *suite = case_suite(kitchen->plan->suites, c);
    const struct test *test = case_test(kitchen->plan->suites, c);
    struct test_recipe *shared;

    if (!kitchen->tests[c->suite])
        kitchen->tests[c->suite] = ARENA_ARRAY(kitchen->arena, struct test_recipe, suite->test_count);
    shared = &kitchen->tests[c->suite][c->test];
    if (shared->prepared)
        return shared;
    shared->prepared = true;
    command_prepare(kitchen->arena, suite, node_get(test->node, "run"), test->node, shared, diags);
    shared->needs = node_get(test->node, "requires");
    shared->must_have = must_have(kitchen, suite);
    preset_prepare(kitchen, test->node, shared, diags);
    results_prepare(kitchen, suite, test->node, shared, diags);
    if (test->is_module)
        module_prepare(kitchen, suite, test, shared, diags);
    return shared;
}

/* ---- contexts of its expressions ---- */

static struct node *strategy_context(const struct cooking *k)
{
    struct node *map = node_map(k->arena, (struct place){0}, 2);
    const uint32_t numbers[] = {k->cell, k->suite->cells.count};
    const char *const names[] = {"job-index", "job-total"};

    for (int i = 0; i < 2; i++)
        map->map.pairs[i] = (struct pair){node_string(k->arena, (struct place){0}, str_of(names[i])),
                                          node_number(k->arena, (struct place){0}, numbers[i])};
    return map;
}

const struct node *cook_context(void *user, struct str name)
{
    struct cooking *k = user;

    if (str_eq_nocase(name, str_of("matrix")))
        return k->matrix;
    if (str_eq_nocase(name, str_of("strategy")))
        return strategy_context(k);
    if (str_eq_nocase(name, str_of("fixtures")))
        return k->fixtures;
    return str_eq_nocase(name, str_of("env")) ? k->suite->world->env : NULL;
}

/* ---- one setting ---- */

bool cook_get(struct cooking *k, enum setting setting, struct setting_value *value)
{
    if (!settings_get(k->kitchen->settings, k->c, setting, k->arena, value, k->diags))
        return false;
    if (!value->node)
        return true;
    if (cook_is_open(value) && !k->rehearsal)
        return cook_close(k, setting, value);
    if (cook_is_open(value) || value->node->kind == NODE_NULL)
        *value = (struct setting_value){0};
    return true;
}

/* ---- environment ---- */

/* Said by the test, an override, a profile ... and not to be taken for what we say. */
static bool get_variables(struct cooking *k, struct setting_value *value)
{
    if (!cook_get(k, SET_ENV, value))
        return false;
    for (uint32_t i = 0; i < value->part_count; i++)
        if (environment_is_ours(value->parts[i].key)) {
            diag_error(k->diags, value->parts[i].origin.at, "'%.*s' is set by run-matrix itself",
                       STR_ARG(value->parts[i].key));
            return false;
        }
    return true;
}

/* As `${{ matrix.x }}` gives them; lists and mappings as in ids, which says more than "Array". */
static struct str axis_text(struct cooking *k, const struct node *value)
{
    struct buf json = {0};
    struct str text;

    if (node_is_scalar(value))
        return value_text(value, k->arena);
    node_json(&json, value, 0);
    text = arena_str(k->arena, buf_str(&json));
    buf_release(&json);
    return text;
}

void cook_axes(struct cooking *k, struct environment *env)
{
    for (uint32_t i = 0; i < k->matrix->map.count; i++) {
        struct str axis = k->matrix->map.pairs[i].key->string;
        struct str text = axis_text(k, k->matrix->map.pairs[i].value);

        if (text.len && memchr(text.ptr, 0, text.len))
            k->recipe->error = arena_printf(
                k->arena, "the value of axis '%.*s' holds a NUL byte, which no program can be given",
                STR_ARG(axis));
        environment_add_axis(env, axis, text);
    }
}

static void add_case(struct cooking *k, struct environment *env, const struct place_of_case *where)
{
    char attempt[16];

    snprintf(attempt, sizeof attempt, "%u", where->attempt);
    environment_add(env, str_of("RUN_MATRIX_RUN_ID"), str_of(k->kitchen->run_id));
    environment_add(env, str_of("RUN_MATRIX_CASE_ID"), k->recipe->id);
    environment_add(env, str_of("RUN_MATRIX_CELL"), k->recipe->cell);
    environment_add(env, str_of("RUN_MATRIX_ATTEMPT"), str_of(attempt));
    environment_add(env, str_of("RUN_MATRIX_ARTIFACTS"), str_of(where->artifacts));
    if (where->results)
        environment_add(env, str_of("RUN_MATRIX_RESULTS"), str_of(where->results));
    environment_add(env, str_of("TMPDIR"),
                    str_of(k->recipe->isolate & SPAWN_ISOLATE_FILES ? "/tmp" : where->tmpdir));
}

/* Of what it is to leave copies of stacks, for us to read; where we cannot it does what it can. */
static const char *copies_wanted(const struct cooking *k)
{
    unsigned dumps = k->recipe->dumps;
    bool crash = k->kitchen->stacks && dumps & 1u << DUMP_OF_CRASH;
    bool threads = k->kitchen->stacks && k->recipe->dumps_inside && dumps & ~(1u << DUMP_OF_CRASH);

    return crash ? (threads ? "crash,thread" : "crash") : threads ? "thread" : NULL;
}

/* What the library in it goes by when it starts others. */
static void add_c_test(struct cooking *k, struct environment *env, const struct place_of_case *where)
{
    const char *transport = transport_said(k), *copies = copies_wanted(k);

    environment_add(env, str_of("RUN_MATRIX_BACKEND"), str_of(k->recipe->backend->name));
    environment_add(env, str_of("RUN_MATRIX_CAPTURE"), str_of(capture_word(k->recipe->capture)));
    if (transport)
        environment_add(env, str_of("RUN_MATRIX_TRANSPORT"), str_of(transport));
    if (copies)
        environment_add(env, str_of("RUN_MATRIX_DUMP"), str_of(copies));
    if (where->output)
        environment_add(env, str_of("RUN_MATRIX_OUTPUT"), str_of(where->output));
    if (where->output && capture_way(k->recipe->capture)->inside)
        environment_add(env, str_of("RUN_MATRIX_STREAMS"), str_of("3,4"));
}

#define OF_CASE 14u /* variables that add_case, add_c_test and cook_python add */

void cook_variable(struct cooking *k, struct environment *env, struct str name, struct str value)
{
    if (name.len + 1 + value.len < ARGUMENT_MOST)
        environment_put(env, name, value);
    else
        k->recipe->error = arena_printf(
            k->arena, "the variable '%.*s' has %zu bytes, and Linux hands a program at most %zu in one piece",
            STR_ARG(name), value.len, ARGUMENT_MOST - 1 - name.len - 1);
}

void cook_given(struct cooking *k, struct environment *env, const struct from_fixtures *given)
{
    for (uint32_t i = 0; i < given->variable_count; i++) {
        const struct variable *variable = &given->variables[i];

        if (variable->removed)
            environment_remove(env, variable->name);
        else
            cook_variable(k, env, variable->name, variable->value);
    }
}

static void put_variable(struct cooking *k, struct environment *env, const struct pair *pair)
{
    if (pair->value->kind == NODE_NULL)
        environment_remove(env, pair->key->string);
    else
        cook_variable(k, env, pair->key->string, node_text(pair->value, k->arena));
}

static bool cook_environment(struct cooking *k, const struct place_of_case *where)
{
    struct environment env;
    struct setting_value value;

    if (!get_variables(k, &value))
        return false;
    environment_init(&env, k->kitchen, k->arena,
                     OF_CASE + k->matrix->map.count + where->given.variable_count + value.part_count);
    add_case(k, &env, where);
    if (k->test->is_module)
        add_c_test(k, &env, where);
    cook_axes(k, &env);
    cook_given(k, &env, &where->given);
    if (where->given.reg_socket && k->recipe->isolate & SPAWN_ISOLATE_FILES)
        environment_put(&env, str_of("RUN_MATRIX_REG_ADDR"), str_of("unix:///tmp/s"));
    for (uint32_t i = 0; i < value.part_count; i++)
        put_variable(k, &env, &value.node->map.pairs[i]);
    if (!k->test->is_module && k->recipe->asks_runtimes)
        cook_python(k, &env);
    k->recipe->spec.envp = environment_finish(&env);
    return true;
}

/* ---- the whole ---- */

static void name_case(struct cooking *k)
{
    struct buf text = {0};

    case_id(&text, k->kitchen->plan, k->c);
    k->recipe->id = arena_str(k->arena, buf_str(&text));
    buf_clear(&text);
    case_cell_json(&text, k->kitchen->plan->suites, k->c);
    k->recipe->cell = arena_str(k->arena, buf_str(&text));
    buf_release(&text);
}

void cook_begin(struct cooking *k, struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                struct recipe *recipe, struct diags *diags)
{
    const struct suites *suites = kitchen->plan->suites;

    *k = (struct cooking){.kitchen = kitchen,
                          .c = c,
                          .suite = case_suite(suites, c),
                          .test = case_test(suites, c),
                          .shared = test_prepare(kitchen, c, diags),
                          .arena = arena,
                          .diags = diags,
                          .recipe = recipe,
                          .matrix = case_context(suites, c, arena),
                          .cell = c->cell,
                          .contexts = {cook_context, k}};
    *recipe = (struct recipe){
        .mask = kitchen->mask,
        .capture = CAPTURE_FD,
        .spec = {.stdio = {-1, -1, -1}, .session = true, .terminal = -1},
        .leaks = leak_policy_default,
        .asks_runtimes = true,
    };
    name_case(k);
    choose_backend(k);
    choose_capture(k);
    choose_results(k);
    take_own(k);
}

void recipe_begin(struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                  struct recipe *recipe)
{
    struct diags diags = {.arena = arena}; /* recipe_check has said all of them */
    struct cooking k;

    cook_begin(&k, kitchen, c, arena, recipe, &diags);
    k.rehearsal = true;
    cook_again(&k);
}

static bool is_settled(const struct recipe *recipe)
{
    return recipe->skip || recipe->unsupported || recipe->error;
}

/* All that may be a reason not to start it. */
static bool cook_until_command(struct cooking *k, const struct place_of_case *where)
{
    if (!cook_again(k) || !cook_settings(k) || !cook_expectations(k))
        return false;
    cook_without_limits(k);
    if (is_settled(k->recipe))
        return true;
    if (!cook_environment(k, where) || !cook_masks(k) || !cook_cwd(k))
        return false;
    return !k->shared->needs || is_settled(k->recipe) || cook_requirements(k);
}

/* As far as it can be known before there is anything of its attempt. */
static bool foresee(struct kitchen *kitchen, const struct plan_case *c, struct arena *scratch,
                    struct recipe *recipe)
{
    const struct place_of_case nowhere = {.tmpdir = "", .artifacts = ""};
    struct diags diags = {.arena = scratch};
    struct cooking k;

    cook_begin(&k, kitchen, c, scratch, recipe, &diags);
    k.rehearsal = true;
    return cook_until_command(&k, &nowhere);
}

bool recipe_is_settled(struct kitchen *kitchen, const struct plan_case *c, struct arena *scratch)
{
    struct recipe recipe;

    return foresee(kitchen, c, scratch, &recipe) && is_settled(&recipe);
}

bool recipe_is_passed_over(struct kitchen *kitchen, const struct plan_case *c, struct arena *scratch)
{
    struct recipe recipe;

    return foresee(kitchen, c, scratch, &recipe) && !recipe.error && (recipe.skip || recipe.unsupported);
}

bool recipe_make(struct kitchen *kitchen, const struct plan_case *c, const struct place_of_case *where,
                 struct arena *arena, struct recipe *recipe, struct diags *diags)
{
    struct cooking k;

    cook_begin(&k, kitchen, c, arena, recipe, diags);
    k.where = where;
    k.rehearsal = where->listing; /* fixtures are not made for it */
    k.fixtures = where->given.context;
    if (where->module)
        recipe->unsupported = NULL; /* whatever cannot be done in this cell: what there is can be said */
    if (!cook_until_command(&k, where))
        return false;
    if (!is_settled(recipe) && !cook_command(&k))
        return false;
    if (!is_settled(recipe) && !where->listing)
        cook_before(&k);
    if (!is_settled(recipe))
        check_isolation(&k, where);
    return is_settled(recipe) || where->listing || cook_results(&k, where);
}

/* ---- before the first is started ---- */

/* What no report may show is known before anything is printed, or written, of any case. */
static bool find_masks(struct cooking *k)
{
    static const struct place_of_case nowhere = {.attempt = 1, .tmpdir = "", .artifacts = ""};
    struct setting_value value;

    if (!cook_get(k, SET_MASK, &value))
        return false;
    return !node_list_count(value.node) || (cook_environment(k, &nowhere) && cook_masks(k));
}

bool recipe_check(struct kitchen *kitchen, const struct plan_case *c, struct terms *terms,
                  struct arena *scratch, struct diags *diags)
{
    struct recipe recipe;
    struct setting_value value;
    struct cooking k;

    cook_begin(&k, kitchen, c, scratch, &recipe, diags);
    k.rehearsal = true;
    warn_of_cell(&k);
    warn_of_backend(&k);
    return cook_again(&k) && cook_settings(&k) && cook_terms(&k, terms) && cook_expectations(&k) &&
           get_variables(&k, &value) && find_masks(&k) && cook_cwd(&k) && check_results(&k) &&
           (is_settled(&recipe) || cook_words(&k));
}

const struct preset *recipe_preset(const struct kitchen *kitchen, const struct plan_case *c)
{
    return kitchen->tests[c->suite] ? kitchen->tests[c->suite][c->test].preset : NULL;
}
