#include "matrix/plan/settings.h"

#include "matrix/plan/internal.h"
#include "matrix/yaml/yaml.h"
#include "runner/base/mem.h"
#include "runner/base/nearest.h"

#include <stdlib.h>

#define RESULTS_TIMEOUT "15m" /* a command that reports many results is many tests */
#define LAYERS_ELSE     6     /* built-in, defaults, test, C test, profile, command line */

/* What is the same for every case of a test, made when first asked for. */
struct test_settings {
    bool made[SETTING_COUNT];
    struct setting_value of[SETTING_COUNT];
};

struct settings {
    struct arena *arena;
    const struct plan *plan;
    const struct node *builtin[SETTING_COUNT], *results_timeout;
    const struct node *command_line;
    const struct profile **profiles; /* one per suite, NULL where it has none of that name */
    struct test_settings **tests;    /* one array per suite */
    bool *overridden;                /* per suite and setting: some override sets it */
    struct case_lens lens;
    bool lens_ready;
    /* Overrides that match one case: its settings are asked for one after another. */
    struct plan_case matched;
    const struct override **matching;
    uint32_t matching_count, matching_cap;
    bool matching_known;
};

/* ---- making ---- */

static void load_builtins(struct settings *s, struct diags *diags)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *text = setting_builtin((enum setting)i);

        if (text)
            s->builtin[i] = yaml_load(s->arena, NULL, str_of(text), YAML_LIMITS, diags);
    }
    s->results_timeout = node_string(s->arena, (struct place){0}, str_of(RESULTS_TIMEOUT));
}

static const struct profile *find_profile(const struct suite *suite, const char *name)
{
    for (uint32_t i = 0; i < suite->profile_count; i++)
        if (str_is(suite->profiles[i].name, name))
            return &suite->profiles[i];
    return NULL;
}

static struct str profile_name(const void *user, size_t i)
{
    const struct suite *suite = user;

    return suite->profiles[i].name;
}

static bool choose_profiles(struct settings *s, const char *name, struct diags *diags)
{
    const struct suites *suites = s->plan->suites;
    bool found = false;

    s->profiles = ARENA_ARRAY(s->arena, const struct profile *, suites->count);
    if (!name)
        return true;
    for (uint32_t i = 0; i < suites->count; i++) {
        s->profiles[i] = find_profile(suites->list[i], name);
        found |= s->profiles[i] != NULL;
    }
    if (!found)
        diag_error(
            diags, (struct place){.file = suites->list[0]->file}, "there is no profile '%s'%s", name,
            did_you_mean(diags, str_of(name), suites->list[0]->profile_count, profile_name, suites->list[0]));
    return found;
}

static void note_overridden(struct settings *s, uint32_t suite_index)
{
    const struct suite *suite = s->plan->suites->list[suite_index];
    bool *overridden = s->overridden + (size_t)suite_index * SETTING_COUNT;
    enum setting setting;

    for (uint32_t o = 0; o < suite->override_count; o++)
        for (uint32_t i = 0; i < suite->overrides[o].node->map.count; i++)
            if (setting_find(suite->overrides[o].node->map.pairs[i].key->string, &setting))
                overridden[setting] = true;
}

struct settings *settings_new(struct arena *arena, const struct plan *plan, const struct settings_over *over,
                              struct diags *diags)
{
    struct settings *s = ARENA_NEW(arena, struct settings);
    const struct suites *suites = plan->suites;

    *s = (struct settings){.arena = arena, .plan = plan, .command_line = over->command_line};
    load_builtins(s, diags);
    if (!choose_profiles(s, over->profile, diags))
        return NULL;
    s->tests = ARENA_ARRAY(arena, struct test_settings *, suites->count);
    s->overridden = ARENA_ARRAY(arena, bool, (size_t)suites->count *SETTING_COUNT);
    for (uint32_t i = 0; i < suites->count; i++) {
        s->tests[i] = ARENA_ARRAY(arena, struct test_settings, suites->list[i]->test_count);
        note_overridden(s, i);
    }
    return s;
}

void settings_release(struct settings *s)
{
    case_lens_release(&s->lens);
    free(s->matching);
}

/* ---- layers ---- */

static void add_layer(struct layers *layers, const char *name, const struct node *node)
{
    if (node && node->kind != NODE_NULL)
        layers->list[layers->count++] = (struct setting_part){.node = node, .origin = {name, node->at}};
}

static const struct node *builtin_of(const struct settings *s, const struct test *test, enum setting setting)
{
    if (setting == SET_TIMEOUT && test->inside != INSIDE_APART &&
        (node_get(test->node, "results") || node_get(test->node, "preset")))
        return s->results_timeout;
    return s->builtin[setting];
}

/* What a C test says of itself is for its own case alone. */
static const struct node *own_of(const struct settings *s, const struct plan_case *c, const char *key)
{
    const struct sub_test *sub = case_sub(s->plan, c);

    return sub && sub->own ? node_get(sub->own, key) : NULL;
}

static bool same_case(const struct plan_case *a, const struct plan_case *b)
{
    return a->suite == b->suite && a->test == b->test && a->cell == b->cell && a->own == b->own &&
           a->sub == b->sub;
}

/* A pattern that gives up on one id would give up on the next: whoever asks for settings stops. */
static bool match_override(struct settings *s, const struct suite *suite, const struct override *override,
                           const struct case_view *view, struct diags *diags)
{
    enum select_answer answer = override_matches(override, suite, view);

    if (answer == SELECT_GAVE_UP) {
        diag_error(diags, node_get(override->node, "select")->at,
                   "a pattern takes too long to decide about '%.*s'; make it simpler", STR_ARG(view->id));
        return false;
    }
    if (answer == SELECT_YES) {
        GROW(s->matching, s->matching_count, s->matching_cap);
        s->matching[s->matching_count++] = override;
    }
    return true;
}

static bool match_overrides(struct settings *s, const struct plan_case *c, struct diags *diags)
{
    const struct suite *suite = case_suite(s->plan->suites, c);
    struct case_view view;

    if (s->matching_known && same_case(&s->matched, c))
        return true;
    if (!s->lens_ready)
        case_lens_init(&s->lens, s->arena, s->plan->suites);
    s->lens_ready = true;
    s->matching_known = false;
    s->matching_count = 0;
    view = case_view(&s->lens, s->plan, c);
    for (uint32_t o = 0; o < suite->override_count; o++)
        if (!match_override(s, suite, &suite->overrides[o], &view, diags))
            return false;
    s->matched = *c;
    s->matching_known = true;
    return true;
}

static bool is_overridden(const struct settings *s, const struct plan_case *c, enum setting setting)
{
    return s->overridden[(size_t)c->suite * SETTING_COUNT + setting];
}

static bool gather(struct settings *s, const struct plan_case *c, enum setting setting, struct arena *arena,
                   struct layers *layers, struct diags *diags)
{
    const struct suite *suite = case_suite(s->plan->suites, c);
    const struct test *test = case_test(s->plan->suites, c);
    const struct profile *profile = s->profiles[c->suite];
    const char *key = setting_key(setting);
    bool overridden = is_overridden(s, c, setting);

    if (overridden && !match_overrides(s, c, diags))
        return false;
    *layers = (struct layers){
        ARENA_ARRAY(arena, struct setting_part, (overridden ? s->matching_count : 0) + LAYERS_ELSE), 0};
    add_layer(layers, "built-in", builtin_of(s, test, setting));
    add_layer(layers, "defaults", node_get(suite->defaults, key));
    add_layer(layers, "test", node_get(test->node, key));
    add_layer(layers, "C test", own_of(s, c, key));
    for (uint32_t o = 0; overridden && o < s->matching_count; o++)
        add_layer(layers, "override", node_get(s->matching[o]->node, key));
    add_layer(layers, "profile", profile ? node_get(profile->node, key) : NULL);
    add_layer(layers, "command line", node_get(s->command_line, key));
    return true;
}

bool settings_get(struct settings *s, const struct plan_case *c, enum setting setting, struct arena *scratch,
                  struct setting_value *value, struct diags *diags)
{
    struct test_settings *test = &s->tests[c->suite][c->test];
    struct layers layers;
    struct case_env user = {s->plan->suites, c, scratch, NULL};
    const struct expr_env env = {case_env_context, &user};
    struct evaluation e = {&env, scratch, diags};
    bool own = own_of(s, c, setting_key(setting)) != NULL;

    if (test->made[setting] && !own) {
        *value = test->of[setting];
        return true;
    }
    if (!gather(s, c, setting, scratch, &layers, diags))
        return false;
    if (own || layers_have_expr(&layers) || is_overridden(s, c, setting))
        return layers_merge(&layers, setting, &e, value) &&
               (!value->node || schema_check_setting(setting, value->node, diags));
    e.arena = s->arena;
    test->made[setting] = gather(s, c, setting, s->arena, &layers, diags) &&
                          layers_merge(&layers, setting, &e, &test->of[setting]);
    *value = test->of[setting];
    return test->made[setting];
}
