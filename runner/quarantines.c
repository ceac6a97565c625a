#include "runner/quarantines.h"

#include "runner/base/date.h"
#include "runner/base/mem.h"
#include "runner/header.h"
#include "runner/recipe/recipe.h"
#include "runner/report/report.h"

#include <stdlib.h>

#define SOON 7 /* days */

int64_t quarantines_today(void)
{
    return clock_wall() / NS_PER_S / (24 * 60 * 60);
}

/* What is wrong with a setting is said by whoever makes the case. */
static bool find(const struct front *front, const struct plan_case *c, struct arena *arena,
                 struct setting_value *value)
{
    struct diags diags = {.arena = arena};

    return settings_get(front->settings, c, SET_QUARANTINE, arena, value, &diags) && value->node;
}

static struct journal_quarantine as_recorded(const struct setting_value *value, struct arena *arena)
{
    struct quarantine q = recipe_quarantine(value->node, arena);

    return (struct journal_quarantine){q.owner, q.reason, q.until};
}

bool quarantines_find(const struct front *front, const struct plan_case *c, struct arena *arena,
                      struct journal_quarantine *quarantine)
{
    struct setting_value value;

    if (!find(front, c, arena, &value))
        return false;
    *quarantine = as_recorded(&value, arena);
    return true;
}

/* ---- warnings ---- */

/* Said at one place, for so many cases. */
struct told {
    struct place at;
    struct str until;
    struct journal_quarantine what;
    uint32_t cases;
};

struct told_list {
    struct told *list;
    uint32_t count, cap;
    struct arena *arena;
};

static bool same_place(struct place a, struct place b)
{
    return a.line == b.line && a.col == b.col && str_eq(str_of(a.file), str_of(b.file));
}

/* The last one first: most cases have the same as the one before. */
static void add(struct told_list *told, const struct setting_value *value, struct journal_quarantine q)
{
    for (uint32_t i = told->count; i-- > 0;)
        if (same_place(told->list[i].at, value->origin.at) && str_eq(told->list[i].until, q.until)) {
            told->list[i].cases++;
            return;
        }
    q.owner = arena_str(told->arena, q.owner);
    q.reason = arena_str(told->arena, q.reason);
    q.until = arena_str(told->arena, q.until);
    GROW(told->list, told->count, told->cap);
    told->list[told->count++] = (struct told){value->origin.at, q.until, q, 1};
}

static void warn(const struct told *told, int64_t today, struct diags *diags)
{
    struct buf words = {0};
    int64_t last = 0;

    date_days(told->until, &last);
    report_quarantine(&words, &told->what, today);
    if (last < today)
        diag_warning(diags, told->at, "the quarantine of %u case%s is over, and failures count: %s",
                     told->cases, plural(told->cases), buf_text(&words));
    else
        diag_warning(diags, told->at, "the quarantine of %u case%s will be over soon: %s", told->cases,
                     plural(told->cases), buf_text(&words));
    buf_release(&words);
}

void quarantines_advise(const struct front *front, struct history *history, struct diags *diags)
{
    struct told_list told = {.arena = diags->arena};
    struct arena scratch = {0};
    struct buf id = {0}, words = {0};

    for (uint32_t i = 0; i < front->plan.count; i++) {
        struct setting_value value;

        arena_clear(&scratch);
        if (front->plan.cases[i].elsewhere || !find(front, &front->plan.cases[i], &scratch, &value))
            continue;
        buf_clear(&id);
        case_id(&id, &front->plan, &front->plan.cases[i]);
        if (history_streak(history, buf_str(&id)) == HISTORY_STREAK_MOST)
            add(&told, &value, as_recorded(&value, &scratch));
    }
    for (uint32_t i = 0; i < told.count; i++) {
        buf_clear(&words);
        report_quarantine(&words, &told.list[i].what, quarantines_today());
        diag_warning(diags, told.list[i].at,
                     "%u case%s in quarantine passed each of the last %d times: it may be lifted; %s",
                     told.list[i].cases, plural(told.list[i].cases), HISTORY_STREAK_MOST, buf_text(&words));
    }
    buf_release(&id);
    buf_release(&words);
    free(told.list);
    arena_release(&scratch);
}

void quarantines_warn(const struct front *front, int64_t today, struct diags *diags)
{
    struct told_list told = {.arena = diags->arena};
    struct arena scratch = {0};
    int64_t last;

    for (uint32_t i = 0; i < front->plan.count; i++) {
        struct setting_value value;
        struct journal_quarantine q;

        arena_clear(&scratch);
        if (front->plan.cases[i].elsewhere || !find(front, &front->plan.cases[i], &scratch, &value))
            continue;
        q = as_recorded(&value, &scratch);
        if (date_days(q.until, &last) && last - today <= SOON)
            add(&told, &value, q);
    }
    for (uint32_t i = 0; i < told.count; i++)
        warn(&told.list[i], today, diags);
    free(told.list);
    arena_release(&scratch);
}
