#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define TIMEOUT_BUILTIN (60 * NS_PER_S)
#define WITHIN_BUILTIN  (30 * NS_PER_S)

/* [TERM 5s, KILL] */
static const struct ladder stop_builtin = {
    .count = 2, .steps = {{SIGTERM, LADDER_GROUP, 5 * NS_PER_S}, {SIGKILL, LADDER_TREE, -1}}};

/* One in the making: cooked as a case is, which it is not. */
struct fixture_cooking {
    struct cooking k;
    struct recipe plate; /* what the cooks of cases fill */
    struct test_recipe shared;
    const struct node *node, *ready;
    const struct fixture_place *place;
    struct fixture_recipe *recipe;
};

static const char *const ready_keys[READY_KIND_COUNT] = {
#define X(id, key) [id] = key,
    READY_KINDS(X)
#undef X
};

enum fixture_kind fixture_kind_of(const struct fixture *fixture)
{
    if (!fixture->node || node_get(fixture->node, "address"))
        return FIXTURE_ADDRESS;
    return node_get(fixture->node, "daemon") ? FIXTURE_DAEMON : FIXTURE_RUN;
}

enum ready_kind fixture_ready_of(const struct fixture *fixture)
{
    const struct node *ready = fixture->node ? node_get(fixture->node, "ready") : NULL;

    for (int i = READY_CONNECT; i < READY_KIND_COUNT; i++) {
        const struct node *value = node_get(ready, ready_keys[i]);

        if (value && !(value->kind == NODE_BOOL && !value->boolean)) /* notify: false */
            return (enum ready_kind)i;
    }
    return READY_AT_ONCE;
}

bool fixture_passes(const struct fixture *fixture)
{
    return fixture->node && node_get(fixture->node, "pass") != NULL;
}

const char *variable_refused(struct str name)
{
    if (!name.len || memchr(name.ptr, '=', name.len) || memchr(name.ptr, 0, name.len))
        return "is no name of a variable";
    return environment_is_ours(name) ? "is set by run-matrix itself" : NULL;
}

/* ---- scalars ---- */

/* False when the fixture does not say, when it is null in this cell, or not known in a rehearsal. */
static bool say(struct fixture_cooking *f, const struct node *map, const char *key, struct str *text,
                struct place *at)
{
    const struct node *scalar = node_get(map, key);
    struct word word = word_of(f->k.arena, scalar, f->k.diags);

    if (!scalar || (f->k.rehearsal && word.fixtures) || !word_text(&f->k, &word, text))
        return false;
    *at = scalar->at;
    return text->len > 0;
}

static void take_span(struct fixture_cooking *f, const struct node *map, const char *key, nanos *span,
                      struct place *at)
{
    struct str text;

    if (say(f, map, key, &text, at) && !span_parse(text, span))
        diag_error(f->k.diags, *at, "%s: '%s' wants a duration such as 30s, not '%.*s'", f->plate.id.ptr, key,
                   STR_ARG(text));
}

static void take_transport(struct fixture_cooking *f)
{
    struct place at;
    struct str text;

    if (say(f, f->node, "address", &text, &at) && !transport_find(text, &f->recipe->transport))
        diag_error(f->k.diags, at, "%s: 'address' is tcp or uds, not '%.*s'", f->plate.id.ptr, STR_ARG(text));
}

static void take_stop(struct fixture_cooking *f)
{
    const struct node *list = node_get(f->node, "stop");
    struct ladder *ladder = &f->recipe->stop;

    *ladder = stop_builtin;
    if (list)
        ladder->count = 0;
    for (uint32_t i = 0; i < node_list_count(list); i++) {
        const struct node *item = node_list_item(list, i);
        struct word word = word_of(f->k.arena, item, f->k.diags);
        struct str text;

        if ((f->k.rehearsal && word.fixtures) || !word_text(&f->k, &word, &text))
            continue;
        if (ladder->count == LADDER_STEPS_MOST || !schema_ladder_step(text, &ladder->steps[ladder->count++]))
            diag_error(f->k.diags, item->at, "%s: 'stop' wants at most %d steps such as TERM 5s, not '%.*s'",
                       f->plate.id.ptr, LADDER_STEPS_MOST, STR_ARG(text));
    }
}

/* ---- how to know that it is up ---- */

/* An address as a whole, `${{ fixtures.addr }}`, is meant by its url. */
static void take_connect(struct fixture_cooking *f)
{
    const struct node *scalar = node_get(f->ready, "connect"), *value = scalar;
    const struct template *parsed;
    struct endpoint endpoint;

    f->recipe->ready_at = scalar->at;
    if (scalar->kind == NODE_STRING && template_has_expr(scalar->string)) {
        parsed = template_parse(f->k.arena, scalar, expr_contexts, f->k.diags);
        if (!parsed || f->k.rehearsal)
            return;
        value = template_eval(parsed, &f->k.contexts, f->k.arena, f->k.diags);
    }
    if (node_as_map(value))
        value = node_get(value, "url");
    if (!value)
        return;
    f->recipe->ready_text = arena_str(f->k.arena, node_text(value, f->k.arena));
    if (!endpoint_parse(f->recipe->ready_text, &endpoint))
        diag_error(f->k.diags, scalar->at,
                   "%s: 'connect' wants an address such as ${{ fixtures.addr }}, 127.0.0.1:80 or unix:/path, "
                   "not '%.*s'",
                   f->plate.id.ptr, STR_ARG(f->recipe->ready_text));
}

static void check_line(struct fixture_cooking *f)
{
    struct pattern_error error;
    struct pattern *pattern = pattern_compile(f->recipe->ready_text, 0, &error);

    if (pattern)
        pattern_free(pattern);
    else
        diag_error(f->k.diags, f->recipe->ready_at, "%s: 'line' is no regular expression: %s",
                   f->plate.id.ptr, error.text);
}

static void take_ready(struct fixture_cooking *f, enum ready_kind kind)
{
    struct fixture_recipe *recipe = f->recipe;

    recipe->ready = kind;
    recipe->within = WITHIN_BUILTIN;
    recipe->ready_at = f->ready ? f->ready->at : f->node->at;
    if (kind == READY_CONNECT)
        take_connect(f);
    else if (kind == READY_LINE || kind == READY_FILE)
        say(f, f->ready, ready_keys[kind], &recipe->ready_text, &recipe->ready_at);
    if (kind == READY_LINE && recipe->ready_text.len)
        check_line(f);
    take_span(f, f->ready, "within", &recipe->within, &recipe->ready_at);
}

/* ---- environment ---- */

/* False: it is not known yet, or cannot be had. */
static bool take_variable(struct fixture_cooking *f, const struct pair *pair, struct variable *variable)
{
    struct str name = pair->key->string;
    struct word word = word_of(f->k.arena, pair->value, f->k.diags);

    *variable = (struct variable){arena_str(f->k.arena, name), STR(""), pair->value->kind == NODE_NULL};
    if (variable_refused(name))
        diag_error(f->k.diags, pair->key->at, "'%.*s' %s", STR_ARG(name), variable_refused(name));
    else
        return !(f->k.rehearsal && word.fixtures) && word_text(&f->k, &word, &variable->value);
    return false;
}

static void take_variables(struct fixture_cooking *f)
{
    const struct node *env = node_get(f->node, "env");
    struct variable *list = ARENA_ARRAY(f->k.arena, struct variable, env ? env->map.count : 0);

    f->recipe->variables = list;
    for (uint32_t i = 0; env && i < env->map.count; i++)
        f->recipe->variable_count += take_variable(f, &env->map.pairs[i], &list[f->recipe->variable_count]);
    for (uint32_t i = 0; i < f->recipe->variable_count; i++)
        kitchen_mask(f->k.kitchen, list[i].name, list[i].value);
}

#define OF_FIXTURE 10u /* variables that are added here */

static void add_own(struct fixture_cooking *f, struct environment *env)
{
    const struct fixture_place *place = f->place;
    struct buf cell = {0};
    char time[16];

    node_json(&cell, f->k.matrix, 0);
    snprintf(time, sizeof time, "%u", place->time);
    environment_add(env, str_of("RUN_MATRIX_RUN_ID"), str_of(f->k.kitchen->run_id));
    environment_add(env, str_of("RUN_MATRIX_CASE_ID"), f->plate.id);
    environment_add(env, str_of("RUN_MATRIX_CELL"), arena_str(f->k.arena, buf_str(&cell)));
    environment_add(env, str_of("RUN_MATRIX_ATTEMPT"), str_of(time));
    environment_add(env, str_of("TMPDIR"), str_of(place->tmpdir));
    if (place->env_file)
        environment_add(env, str_of("RUN_MATRIX_ENV"), str_of(place->env_file));
    buf_release(&cell);
}

/* Its pid is known to itself alone, before it executes: it is written there by then. */
static void add_listeners(struct fixture_cooking *f, struct environment *env)
{
    char count[16], pid[SPAWN_PID_SIZE];

    snprintf(count, sizeof count, "%u", f->place->listeners);
    memset(pid, '0', sizeof pid - 1);
    pid[sizeof pid - 1] = '\0';
    environment_put(env, str_of("LISTEN_FDS"), str_of(count));
    environment_put(env, str_of("LISTEN_PID"), str_of(pid));
}

static void cook_fixture_environment(struct fixture_cooking *f, bool listens)
{
    struct cooking *k = &f->k;
    const struct from_fixtures own = {.variables = f->recipe->variables,
                                      .variable_count = f->recipe->variable_count};
    struct environment env;
    char *entry;

    environment_init(&env, k->kitchen, k->arena,
                     OF_FIXTURE + k->matrix->map.count + f->place->given.variable_count + own.variable_count);
    add_own(f, &env);
    cook_axes(k, &env);
    cook_given(k, &env, &f->place->given);
    cook_given(k, &env, &own);
    if (f->place->notify)
        environment_put(&env, str_of("NOTIFY_SOCKET"), str_of(f->place->notify));
    if (listens)
        add_listeners(f, &env);
    cook_python(k, &env);
    f->plate.spec.envp = environment_finish(&env);
    entry = listens ? environment_entry(f->plate.spec.envp, "LISTEN_PID") : NULL;
    f->plate.spec.own_pid = entry ? entry + strlen("LISTEN_PID=") : NULL;
}

/* ---- commands ---- */

static bool cook_one(struct fixture_cooking *f, enum fixture_command which, const struct node *command)
{
    struct fixture_recipe *recipe = f->recipe;
    bool listens = which == COMMAND_MAIN && f->place->listeners;

    if (!command)
        return true;
    f->shared = (struct test_recipe){0};
    command_prepare(f->k.arena, f->k.suite, command, f->node, &f->shared, f->k.diags);
    f->plate.spec = (struct spawn_spec){.stdio = {-1, -1, -1}, .session = true, .terminal = -1};
    cook_fixture_environment(f, listens);
    if (!cook_cwd(&f->k) || !(f->k.rehearsal ? cook_words(&f->k) : cook_command(&f->k)))
        return false;
    recipe->has[which] = true;
    recipe->commands[which] = f->plate.spec;
    return true;
}

static bool cook_commands(struct fixture_cooking *f)
{
    const struct node *main = node_get(f->node, f->recipe->kind == FIXTURE_DAEMON ? "daemon" : "run");

    return cook_one(f, COMMAND_MAIN, main) && cook_one(f, COMMAND_READY, node_get(f->ready, "command")) &&
           cook_one(f, COMMAND_TEARDOWN, node_get(f->node, "teardown"));
}

/* A path that is looked at from where we stand. */
static void place_ready_file(struct fixture_cooking *f)
{
    const char *cwd = f->recipe->commands[COMMAND_MAIN].cwd;
    struct str text = f->recipe->ready_text;

    if (f->recipe->ready == READY_FILE && text.len && text.ptr[0] != '/' && cwd)
        f->recipe->ready_text = str_of(arena_printf(f->k.arena, "%s/%.*s", cwd, STR_ARG(text)));
}

/* ---- the whole ---- */

bool fixture_cook(struct kitchen *kitchen, const struct suite *suite, const struct fixture *fixture,
                  const struct fixture_place *place, bool rehearsal, struct arena *arena,
                  struct fixture_recipe *recipe, struct diags *diags)
{
    struct fixture_cooking f = {
        .plate.id = place->id,
        .node = fixture->node,
        .ready = node_get(fixture->node, "ready"),
        .place = place,
        .recipe = recipe,
    };
    size_t errors = diags->errors;

    f.k = (struct cooking){.kitchen = kitchen,
                           .suite = suite,
                           .shared = &f.shared,
                           .arena = arena,
                           .diags = diags,
                           .recipe = &f.plate,
                           .matrix = place->matrix,
                           .cell = place->cell,
                           .fixtures = place->given.context,
                           .rehearsal = rehearsal,
                           .contexts = {cook_context, &f.k}};
    *recipe = (struct fixture_recipe){.kind = fixture_kind_of(fixture), .timeout = TIMEOUT_BUILTIN};
    recipe->timeout_at = fixture->node->at;
    recipe->pass = fixture_passes(fixture);
    take_transport(&f);
    take_span(&f, f.node, "timeout", &recipe->timeout, &recipe->timeout_at);
    take_stop(&f);
    take_variables(&f);
    take_ready(&f, fixture_ready_of(fixture));
    if (!cook_commands(&f))
        return false;
    place_ready_file(&f);
    recipe->error = f.plate.error;
    if (place->listeners > SPAWN_PASS_MOST)
        recipe->error =
            arena_printf(arena, "'pass: fd' hands over %d listeners at most, and it needs %u addresses",
                         SPAWN_PASS_MOST, place->listeners);
    return diags->errors == errors;
}

void fixture_tell_teardown(struct fixture_recipe *recipe, struct arena *arena,
                           const struct variable *variables, uint32_t count)
{
    struct spawn_spec *spec = &recipe->commands[COMMAND_TEARDOWN];

    spec->envp = environment_with(arena, spec->envp, variables, count);
}
