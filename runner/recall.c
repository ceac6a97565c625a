#include "runner/recall.h"

#include "runner/base/id.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/header.h"
#include "runner/presets/presets.h"
#include "runner/remember.h"

#include <stdlib.h>
#include <string.h>

/* A case of the plan, and what is known of it. */
struct recalled {
    struct plan_case c;
    struct history_case known;
    uint32_t before; /* where several have the same number, all else counts */
};

struct recall {
    struct front *front;
    const struct options *options;
    struct arena *arena;
    struct recalled *list;
    uint32_t count, here; /* `here`: those that are not elsewhere */
    struct buf words;
};

static bool is_asked(const struct options *o)
{
    return o->last_failed || o->failed_first || o->new_first || o->stepwise || o->stepwise_skip;
}

/* ---- looking ---- */

static void look(struct recall *r, struct history *history)
{
    struct plan *plan = &r->front->plan;
    struct buf id = {0};

    r->list = mem_zero(plan->count + (size_t)1, sizeof *r->list);
    for (uint32_t i = 0; i < plan->count; i++) {
        struct recalled *at = &r->list[r->count++];

        *at = (struct recalled){.c = plan->cases[i], .known = {.outcome = VERDICT_NOT_RUN, .duration = -1}};
        r->here += !at->c.elsewhere;
        buf_clear(&id);
        case_id(&id, plan, &at->c);
        if (history && !at->c.elsewhere)
            history_look(history, buf_str(&id), r->arena, &at->known);
    }
    buf_release(&id);
}

/* One that is not there yet knows nothing, and is not made. */
static void look_in_store(struct recall *r, struct invocation *in)
{
    struct diags unsaid = {.arena = in->arena};
    struct store store = {.fd = -1};
    struct history *history = NULL;

    if (store_open_existing(&store, front_store_path(in, r->front), in->arena, &unsaid) == 0)
        history = remember_open(&store, NULL, in->diags);
    r->front->forgetful = store.fd >= 0 && !history;
    if (history && in->began)
        history_before(history, in->began);
    look(r, history);
    history_close(history);
    store_close(&store);
}

/* ---- tests inside a case ---- */

/* Of what the user has chosen, or of all there are. */
static bool is_chosen(const struct plan *plan, struct key_set choice, struct str escaped)
{
    for (uint32_t i = 0; i < choice.count; i++)
        if (str_eq(plan_sub(plan, choice.keys[i])->id, escaped))
            return true;
    return choice.count == 0;
}

/* What the suite calls it may not be known of the id alone: then all of the case is run. */
static bool make_sub(struct recall *r, const struct preset *preset, struct str id, struct sub_test *sub)
{
    struct buf escaped = {0};

    *sub = (struct sub_test){.name = id};
    id_escape(&escaped, id);
    sub->id = arena_str(r->arena, buf_str(&escaped));
    buf_release(&escaped);
    return !preset || preset_name_of(preset, r->arena, id, &sub->name);
}

static bool can_choose(const struct recall *r, const struct plan_case *c, const struct preset **preset)
{
    const struct test *test = case_test(&r->front->suites, c);
    const struct node *named = node_get(test->node, "preset");

    *preset = named ? preset_find(node_text(named, r->arena)) : NULL;
    return test->inside == INSIDE_CHOSEN && (*preset || node_get(test->node, "discover"));
}

static void choose_inside(struct recall *r, struct recalled *at)
{
    struct plan *plan = &r->front->plan;
    struct key_set choice = case_choice(plan, &at->c);
    const struct preset *preset;
    struct sub_test *subs;
    uint32_t count = 0;

    if (!at->known.inside_count || !can_choose(r, &at->c, &preset))
        return;
    subs = ARENA_ARRAY(r->arena, struct sub_test, at->known.inside_count);
    for (uint32_t i = 0; i < at->known.inside_count; i++) {
        if (!make_sub(r, preset, at->known.inside[i], &subs[count]))
            return;
        count += is_chosen(plan, choice, subs[count].id);
    }
    if (count)
        plan_choose(plan, &at->c, subs, count);
}

/* ---- what is left ---- */

static void add_words(struct recall *r, const char *what, uint32_t count)
{
    buf_addf(&r->words, "%s: %u of %u case%s", what, count, r->here, plural(r->here));
}

static void end_words(struct recall *r, const char *more)
{
    buf_adds(&r->words, more);
    buf_addc(&r->words, '\n');
}

/* As pytest: when none of these is known to have failed, all are run, or none. */
static void take_failed(struct recall *r)
{
    bool none = r->options->no_failures && strcmp(r->options->no_failures, "none") == 0;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < r->count; i++)
        if (r->list[i].known.failed) {
            r->list[kept] = r->list[i];
            choose_inside(r, &r->list[kept++]);
        }
    add_words(r, "last failed", kept);
    if (kept || none)
        r->count = kept;
    end_words(r, kept ? "" : none ? ", and none is run" : ", so all are run");
}

static int by_order(const void *left, const void *right)
{
    const struct recalled *a = left, *b = right;

    return (a->before > b->before) - (a->before < b->before);
}

static int newest_first(const void *left, const void *right, void *user)
{
    const struct recall *r = user;
    const struct recalled *a = left, *b = right;

    if (r->options->failed_first && a->known.failed != b->known.failed)
        return a->known.failed ? -1 : 1;
    if (!r->options->new_first)
        return 0;
    if (a->known.seen != b->known.seen)
        return a->known.seen ? 1 : -1;
    return (a->known.first < b->known.first) - (a->known.first > b->known.first);
}

/* In the order of the plan where nothing else is said: qsort alone would not keep that. */
static int by_history(const void *left, const void *right, void *user)
{
    int order = newest_first(left, right, user);

    return order ? order : by_order(left, right);
}

static void put_in_order(struct recall *r)
{
    struct recalled before = {0};
    uint32_t class = 0, failed = 0, unseen = 0;

    for (uint32_t i = 0; i < r->count; i++) {
        r->list[i].before = i;
        failed += r->list[i].known.failed;
        unseen += !r->list[i].known.seen && !r->list[i].c.elsewhere;
    }
    if (r->count)
        qsort_r(r->list, r->count, sizeof *r->list, by_history, r);
    for (uint32_t i = 0; i < r->count; i++) {
        class += i && newest_first(&before, &r->list[i], r) != 0;
        before = r->list[i];
        r->list[i].before = class;
    }
    if (r->options->failed_first) {
        add_words(r, "failed first", failed);
        end_words(r, "");
    }
    if (r->options->new_first) {
        add_words(r, "new first", unseen);
        end_words(r, "");
    }
}

/* One after another in the order that is shown: what comes before the first that has something to show is done. */
static void go_on(struct recall *r)
{
    struct buf id = {0};
    uint32_t first = 0;

    while (first < r->count && !r->list[first].known.failed && !r->list[first].known.pending)
        first++;
    if (first == r->count) {
        buf_adds(&r->words, "stepwise: from the first case, for none is known to have failed\n");
        first = 0;
    } else {
        case_id(&id, &r->front->plan, &r->list[first].c);
        buf_adds(&r->words, "stepwise: from ");
        utf8_show(&r->words, buf_str(&id));
        buf_addf(&r->words, ", without %u case%s before it\n", first, plural(first));
    }
    r->count -= first;
    memmove(r->list, r->list + first, r->count * sizeof *r->list);
    for (uint32_t i = 0; i < r->count; i++)
        r->list[i].before = i;
    buf_release(&id);
}

static void hand_over(struct recall *r)
{
    struct front *front = r->front;

    front->before = ARENA_ARRAY(r->arena, uint32_t, r->count);
    for (uint32_t i = 0; i < r->count; i++) {
        front->plan.cases[i] = r->list[i].c;
        front->before[i] = r->list[i].before;
    }
    front->plan.count = r->count;
    front->recalled = arena_cstr(r->arena, buf_str(&r->words));
}

void recall_choose(struct front *front, struct invocation *in)
{
    struct recall r = {.front = front, .options = in->options, .arena = in->arena};

    front->before = NULL;
    front->recalled = NULL;
    front->forgetful = false;
    if (!is_asked(r.options))
        return;
    look_in_store(&r, in);
    if (r.options->last_failed)
        take_failed(&r);
    if (r.options->failed_first || r.options->new_first)
        put_in_order(&r);
    if (r.options->stepwise || r.options->stepwise_skip)
        go_on(&r);
    hand_over(&r);
    free(r.list);
    buf_release(&r.words);
}
