/* Where a case is started, and how its output is caught: what its cell says of both, and the command line. */
#include "runner/recipe/internal.h"

/* What the case's cell has on a built-in axis; NULL where it has none, or keeps none. */
static const struct node *value_on(const struct suites *suites, const struct plan_case *c,
                                   enum built_in_axis axis)
{
    const struct suite *suite = case_suite(suites, c);
    uint32_t key = suite->bound[axis], value;

    if (key == CELL_ABSENT || !case_test(suites, c)->axes[key])
        return NULL;
    value = cells_row(&suite->cells, c->cell)[key];
    return value == CELL_ABSENT ? NULL : suite->cells.keys[key].values[value].node;
}

enum transport recipe_transport(const struct kitchen *kitchen, const struct plan_case *c)
{
    const struct node *value = value_on(kitchen->plan->suites, c, AXIS_TRANSPORT);
    enum transport transport = TRANSPORT_TCP;

    if (value && value->kind == NODE_STRING)
        transport_find(value->string, &transport);
    return transport;
}

const char *transport_said(const struct cooking *k)
{
    const struct node *value = value_on(k->kitchen->plan->suites, k->c, AXIS_TRANSPORT);

    return value ? arena_cstr(k->arena, value_text(value, k->arena)) : NULL;
}

/* Where there is no axis that says it. A server's processes are not in the session that a terminal belongs to. */
static const char *default_backend(const struct kitchen *kitchen, const struct test *test)
{
    return test->is_module && !kitchen->interactive ? "forkserver" : "exec";
}

static const char *unsupported_by(const struct cooking *k, const struct backend *backend)
{
    return k->test->is_module ? backend->unsupported_module : backend->unsupported;
}

/* Whoever runs the command has to start it himself: so there is one way, whatever the cell says. */
static struct str backend_name(const struct kitchen *kitchen, const struct plan_case *c, struct arena *arena)
{
    const struct node *value = value_on(kitchen->plan->suites, c, AXIS_BACKEND);

    if (kitchen->before.option)
        return str_of("exec");
    if (value)
        return value_text(value, arena);
    return str_of(default_backend(kitchen, case_test(kitchen->plan->suites, c)));
}

const struct backend *recipe_backend(const struct kitchen *kitchen, const struct plan_case *c)
{
    struct arena arena = {0};
    const struct backend *backend = backend_find(backend_name(kitchen, c, &arena));

    arena_release(&arena);
    return backend ? backend : backends[BACKEND_EXEC];
}

/* Ours can do it too; but it has more to load, and a fresh one is made of it for each case of `spawn`. */
static const char *choose_host(struct kitchen *kitchen)
{
    const char *host = module_host(kitchen);

    return host ? host : kitchen->self;
}

void choose_backend(struct cooking *k)
{
    struct str name = backend_name(k->kitchen, k->c, k->arena);
    const struct backend *backend = backend_find(name);

    k->recipe->backend = backend ? backend : backends[BACKEND_EXEC];
    k->recipe->spec.host = k->recipe->backend == backends[BACKEND_EXEC] ? NULL : choose_host(k->kitchen);
    k->recipe->spec.apart = k->recipe->backend->apart;
    if (!backend)
        k->recipe->error = arena_printf(k->arena, "there is no backend '%.*s'", STR_ARG(name));
    else
        k->recipe->unsupported = unsupported_by(k, backend);
}

/* A cell that says it is in the id: a case named so is not run in another way. */
void choose_capture(struct cooking *k)
{
    const struct node *value = value_on(k->kitchen->plan->suites, k->c, AXIS_CAPTURE);
    struct str word = value ? value_text(value, k->arena) : str_of(k->kitchen->capture);

    if (k->kitchen->before.debugs)
        k->recipe->capture = CAPTURE_NO;
    else if (word.len && !capture_find(word, &k->recipe->capture))
        k->recipe->error = arena_printf(k->arena, "there is no capture '%.*s'", STR_ARG(word));
    else if (!k->recipe->unsupported)
        k->recipe->unsupported = capture_unsupported(k->recipe->capture, k->test->is_module);
}

/* Who wants to see what is printed would wait for it in vain. Once a run. */
void warn_of_cell(struct cooking *k)
{
    const struct node *value = value_on(k->kitchen->plan->suites, k->c, AXIS_CAPTURE);
    const char *wanted = k->kitchen->capture;

    if (!value || !wanted || k->kitchen->warned_of_capture || str_is(value_text(value, k->arena), wanted))
        return;
    k->kitchen->warned_of_capture = true;
    diag_warning(k->diags, value->at,
                 "%s: its cell says how its output is captured, so '--capture=%s' is not for it",
                 k->recipe->id.ptr, wanted);
}

/* Once a run. */
void warn_of_backend(struct cooking *k)
{
    const struct node *value = value_on(k->kitchen->plan->suites, k->c, AXIS_BACKEND);
    struct kitchen *kitchen = k->kitchen;
    const struct backend *backend = value ? backend_find(value_text(value, k->arena)) : NULL;

    if (!kitchen->before.option || !backend || backend == backends[BACKEND_EXEC] ||
        kitchen->warned_of_backend)
        return;
    kitchen->warned_of_backend = true;
    diag_warning(k->diags, value->at, "%s: with '%s' it is started as by backend 'exec', not by '%s'",
                 k->recipe->id.ptr, kitchen->before.option, backend->name);
}
