/* What is expected of a case, and of the machine: skip, xfail, requires. */
#include "runner/recipe/internal.h"

#include "runner/base/sig.h"

/* ---- conditions ---- */

/* No condition holds always. */
static bool decide(struct cooking *k, const struct node *item, bool *holds)
{
    const struct node *condition = node_get(item, "if"), *value;
    const struct expr *expr;

    *holds = true;
    if (!condition)
        return true;
    expr = expr_parse_condition(k->arena, condition, expr_contexts, k->diags);
    if (!expr)
        return false;
    *holds = false;
    if (k->rehearsal && expr_speaks_of_fixtures(expr))
        return true;
    value = expr_eval(expr, &k->contexts, k->arena, k->diags);
    *holds = value && value_truthy(value);
    return value != NULL;
}

/* The first item of a list whose condition holds, evaluated; NULL: none. Conditions count as they were written. */
static bool find_holding(struct cooking *k, enum setting setting, const struct node **found)
{
    struct setting_value value;
    bool holds;

    *found = NULL;
    if (!cook_get(k, setting, &value))
        return false;
    for (uint32_t i = 0; i < value.part_count && !*found; i++) {
        if (!decide(k, value.parts[i].node, &holds))
            return false;
        if (holds)
            *found = value.node->seq.items[i];
    }
    return true;
}

static const char *text_under(struct cooking *k, const struct node *map, const char *key)
{
    const struct node *scalar = node_get(map, key);

    return scalar ? arena_cstr(k->arena, value_text(scalar, k->arena)) : "";
}

static void expect_failure(struct cooking *k, const struct node *item)
{
    const struct node *status = node_get(item, "exit");
    struct recipe *recipe = k->recipe;

    recipe->xfail = text_under(k, item, "reason");
    recipe->xfail_strict = str_is(str_of(text_under(k, item, "strict")), "true");
    recipe->xfail_signal = signal_find(str_of(text_under(k, item, "signal")));
    recipe->xfail_exit = status && status->kind != NODE_NULL ? (int)value_number(status) : 0;
}

bool cook_expectations(struct cooking *k)
{
    struct recipe *recipe = k->recipe;
    const struct node *item;

    if (recipe->error) /* nothing can be expected of it, and that is not to be hidden by a skip */
        return true;
    if (!find_holding(k, SET_SKIP, &item))
        return false;
    if (item)
        recipe->skip = text_under(k, item, "reason");
    if (!find_holding(k, SET_XFAIL, &item))
        return false;
    if (item)
        expect_failure(k, item);
    return true;
}

/* ---- what a C test says of itself ---- */

void take_own(struct cooking *k)
{
    const struct sub_test *sub = case_sub(k->kitchen->plan, k->c);
    const struct node *not_on = sub && sub->own ? node_get(sub->own, "skip_on_backend") : NULL;

    if (!sub || sub->problem)
        return;
    k->recipe->is_c_test = k->test->is_module;
    if (sub->wrong)
        k->recipe->error = sub->wrong;
    for (uint32_t i = 0; i < node_list_count(not_on); i++)
        if (backend_find(node_list_item(not_on, i)->string) == k->recipe->backend)
            k->recipe->skip = arena_printf(k->arena, "not under backend '%s' (skip_on_backend at %s)",
                                           k->recipe->backend->name, place_text(k->arena, not_on->at));
}

/* ---- requirements ---- */

static void lacks(struct cooking *k, const char *words)
{
    if (k->shared->must_have)
        k->recipe->error = words;
    else
        k->recipe->skip = words;
}

static void need_variable(struct cooking *k, struct str name)
{
    const char *entry = environment_find(k->recipe->spec.envp, name.ptr);

    if (!entry)
        lacks(k, arena_printf(k->arena, "needs the variable %s", name.ptr));
    else if (!entry[name.len + 1]) /* as CI hands out a secret that a fork may not see */
        lacks(k, arena_printf(k->arena, "needs the variable %s, and it is empty", name.ptr));
}

static void need_program(struct cooking *k, struct str name)
{
    const char *why;

    if (!program_find(k, name, &why))
        lacks(k, arena_printf(k->arena, "needs the program %s", name.ptr));
}

/* Null, what a cell lacks, needs nothing. */
static bool need_each(struct cooking *k, const char *key, void (*need)(struct cooking *, struct str))
{
    const struct node *list = node_get(k->shared->needs, key);

    for (uint32_t i = 0; i < node_list_count(list); i++) {
        struct word word = word_of(k->arena, node_list_item(list, i), k->diags);
        struct str name;

        if (!word_text(k, &word, &name))
            return false;
        if (name.len && !k->recipe->skip && !k->recipe->error)
            need(k, name);
    }
    return true;
}

bool cook_requirements(struct cooking *k)
{
    return need_each(k, "env", need_variable) && need_each(k, "programs", need_program);
}
