/* Tests inside the suites that tests of ours start: each a case of its own, or some of them chosen. */
#include "matrix/plan/internal.h"
#include "runner/base/mem.h"

static bool has_room(const struct plan *plan, uint32_t count)
{
    return count <= SUBS_MOST - plan->sub_count;
}

/* The number of the first. */
static uint32_t add_subs(struct plan *plan, const struct sub_test *subs, uint32_t count)
{
    uint32_t first = plan->sub_count + 1;

    for (uint32_t i = 0; i < count; i++) {
        GROW(plan->subs, plan->sub_count, plan->sub_cap);
        plan->subs[plan->sub_count++] = &subs[i];
    }
    return first;
}

/* Cells whose suite lists the same share one list: it is numbered once. */
static bool number(struct planning *p, struct sub_list *list)
{
    struct plan *plan = p->plan;

    if (list->first || !list->count)
        return true;
    if (!has_room(plan, list->count)) {
        diag_error(p->diags, (struct place){0}, "the suites have more than %u tests inside", SUBS_MOST);
        return false;
    }
    list->first = add_subs(plan, list->list, list->count);
    return true;
}

static bool consider_apart(struct planning *p, struct plan_case *c, const struct sub_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        bool unknown = list->list[i].problem != NULL;

        c->sub = list->first + i;
        if (unknown)
            p->idle_count = 0; /* an override may mean one of those that are not known */
        if (!(unknown ? plan_take(p, c) : plan_consider(p, c))) /* its problem is the case's error */
            return false;
    }
    return true;
}

static uint32_t add_choice(struct plan *plan, const uint32_t *chosen, uint32_t count)
{
    uint32_t *keys = ARENA_ARRAY(plan->arena, uint32_t, count);

    for (uint32_t i = 0; i < count; i++)
        keys[i] = chosen[i];
    if (!plan->choice_count) {
        GROW(plan->choices, plan->choice_count, plan->choice_cap);
        plan->choices[plan->choice_count++] = (struct key_set){0};
    }
    GROW(plan->choices, plan->choice_count, plan->choice_cap);
    plan->choices[plan->choice_count] = (struct key_set){keys, count};
    return plan->choice_count++;
}

static bool is_chosen(struct planning *p, const struct plan_case *c, const struct sub_test *sub,
                      const struct case_view *whole, bool *chosen)
{
    struct case_view view = case_view_inside(&p->lens, p->plan, c, sub);

    *chosen = true;
    view.marks = whole->marks;
    view.mark_count = whole->mark_count;
    return !sub->id.len || plan_ask(p, &view, chosen);
}

static bool consider_chosen(struct planning *p, struct plan_case *c, const struct sub_list *list,
                            const struct case_view *whole)
{
    uint32_t *numbers = ARENA_ARRAY(&p->scratch, uint32_t, list->count), count = 0;
    bool chosen;

    for (uint32_t i = 0; i < list->count; i++) {
        if (!is_chosen(p, c, &list->list[i], whole, &chosen))
            return false;
        if (chosen)
            numbers[count++] = list->first + i;
    }
    if (!count) {
        p->plan->collected++;
        return true;
    }
    if (count < list->count || !list->list[0].id.len)
        c->sub = add_choice(p->plan, numbers, count);
    return plan_take(p, c);
}

/* Whoever asks for one of them gets all. */
static void warn_of_whole(struct planning *p, const struct plan_case *c, const struct case_view *view)
{
    if (selection_matches(p->selection, view) != SELECT_YES)
        diag_warning(
            p->diags, case_test(p->plan->suites, c)->node->at,
            "%.*s: all its tests are run: by what names it could be told to run some of them is not known",
            STR_ARG(view->id));
}

static bool consider_unlisted(struct planning *p, const struct plan_case *c, const struct case_view *view)
{
    p->idle_count = 0; /* an override may mean one of those that are not known */
    if (!p->selection)
        return plan_take(p, c);
    if (selection_takes_whole(p->selection, view)) {
        warn_of_whole(p, c, view);
        return plan_take(p, c);
    }
    p->plan->collected++;
    return true;
}

bool plan_consider_inside(struct planning *p, struct plan_case c)
{
    const struct plan_lister *lister = &p->plan->lister;
    bool apart = case_test(p->plan->suites, &c)->inside == INSIDE_APART;
    struct case_view view = case_view(&p->lens, p->plan, &c);
    enum select_reach reach = REACH_ALL;
    struct sub_list *list = NULL;

    if (p->selection) {
        if (!plan_read_marks(p, &c, &view))
            return false;
        view.more_inside = case_test(p->plan->suites, &c)->is_module;
        reach = selection_reach(p->selection, &view);
    }
    if (reach == REACH_NONE || (reach == REACH_ALL && !apart))
        return plan_consider(p, &c);
    if (lister->list)
        list = lister->list(lister->user, &c);
    if (!list) {
        view = case_view(&p->lens, p->plan, &c);
        return plan_read_marks(p, &c, &view) && consider_unlisted(p, &c, &view);
    }
    if (!number(p, list) || !plan_read_marks(p, &c, &view))
        return false;
    return apart ? consider_apart(p, &c, list) : consider_chosen(p, &c, list, &view);
}

bool plan_choose(struct plan *plan, struct plan_case *c, const struct sub_test *subs, uint32_t count)
{
    uint32_t *numbers, first;

    if (!has_room(plan, count))
        return false;
    first = add_subs(plan, subs, count);
    numbers = ARENA_ARRAY(plan->arena, uint32_t, count);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = first + i;
    c->sub = add_choice(plan, numbers, count);
    return true;
}
