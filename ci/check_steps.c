#include "ci/check.h"

#include "ci/draft.h"
#include "runner/base/mem.h"

#include <string.h>

#define PROGRAM "run-matrix"

static const struct place none = {0};

/* The inputs of ci/action.yml; a test compares the two. */
static const char *const inputs[] = {
    "command",           "args",   "selection",     "profile",        "junit",
    "working-directory", "upload", "artifact-name", "retention-days", "cache"};

struct str check_text(const struct check *c, const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);

    return value && node_is_scalar(value) ? node_text(value, c->arena) : (struct str){"", 0};
}

static struct str string_at(const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);

    return value && value->kind == NODE_STRING ? value->string : (struct str){"", 0};
}

/* ---- steps ---- */

/* Without its version, and the slash at the end that a folder may have. */
static struct str action_path(struct str uses)
{
    const char *at = uses.len ? memchr(uses.ptr, '@', uses.len) : NULL;
    struct str path = at ? str_slice(uses, 0, (size_t)(at - uses.ptr)) : uses;

    while (str_ends(path, "/"))
        path = str_slice(path, 0, path.len - 1);
    return path;
}

bool action_is_known(struct str uses)
{
    struct str path = action_path(uses);
    size_t found;

    if (str_ends(path, "/ci"))
        return str_is(path, "./ci") || str_find(path, PROGRAM "/", &found);
    return str_starts(path, "./") && str_ends(path, "/" PROGRAM);
}

static bool is_input(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(inputs); i++)
        if (str_eq_nocase(name, str_of(inputs[i])))
            return true;
    return false;
}

static bool is_command(struct str text)
{
    return str_is(text, "run") || str_is(text, "soak") || str_is(text, "none");
}

/* Of a copy, whatever it is called: a command of ours, and no input that is not. */
static bool has_our_inputs(const struct node *with)
{
    bool ours = is_command(string_at(with, "command"));

    for (uint32_t i = 0; ours && i < with->map.count; i++)
        ours = is_input(with->map.pairs[i].key->string);
    return ours;
}

static bool is_action(const struct check *c, const struct node *step)
{
    struct str uses = string_at(step, "uses");
    const char *told = c->facts->uses;

    if (!uses.len)
        return false;
    return (told && str_eq(action_path(uses), action_path(str_of(told)))) || action_is_known(uses) ||
           has_our_inputs(node_get(step, "with"));
}

static enum step_does action_does(const struct node *with)
{
    struct str command = string_at(with, "command");

    if (str_is(command, "none"))
        return STEP_INSTALLS;
    return str_is(command, "soak") ? STEP_SOAKS : STEP_RUNS;
}

static void view_action(const struct node *step, struct step_view *view)
{
    const struct node *with = node_get(step, "with"), *profile = node_get(with, "profile"),
                      *args = node_get(with, "args");

    view->does = action_does(with);
    if (profile && profile->kind == NODE_STRING) {
        view->profile = profile->string;
        view->profile_at = profile->at;
    } else if (args) {
        view->profile = words_profile(string_at(with, "args"));
        view->profile_at = args->at;
    }
}

static void view_script(const struct node *step, struct step_view *view)
{
    const struct node *run = node_get(step, "run");
    struct script_view script;

    script_view(string_at(step, "run"), &script);
    view->does = script.does;
    view->by_name = script.by_name;
    view->profile = script.profile;
    view->profile_at = run ? run->at : step->at;
}

struct step_view step_view(const struct check *c, const struct node *step)
{
    struct step_view view = {.node = step, .action = is_action(c, step)};

    if (str_starts(string_at(step, "uses"), "actions/checkout@"))
        view.does = STEP_CHECKOUT;
    else if (view.action)
        view_action(step, &view);
    else
        view_script(step, &view);
    return view;
}

bool job_does(const struct check *c, const struct node *job, enum step_does what)
{
    const struct node *steps = node_get(job, "steps");

    for (uint32_t i = 0; steps && steps->kind == NODE_SEQ && i < steps->seq.count; i++)
        if (step_view(c, steps->seq.items[i]).does == what)
            return true;
    return false;
}

/* ---- what is wrong with them ---- */

static void check_inputs(const struct check *c, const struct node *with)
{
    for (uint32_t i = 0; with && with->kind == NODE_MAP && i < with->map.count; i++) {
        const struct node *key = with->map.pairs[i].key;
        const char *nearest = str_nearest(key->string, inputs, ARRAY_LEN(inputs));

        if (!is_input(key->string))
            check_tell(c, key->at, none, "the action has no input '%.*s'%s%s%s", STR_ARG(key->string),
                       nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    }
}

static void check_command(const struct check *c, const struct node *with)
{
    const struct node *command = node_get(with, "command");
    struct expression_span span;
    struct str text;

    if (!command)
        return;
    text = check_text(c, with, "command");
    if (!expression_next(text, 0, &span) && !is_command(text))
        check_tell(c, command->at, none, "'command' is run, soak or none, not '%.*s'", STR_ARG(text));
}

static const struct ci_soak *soak_of(const struct check *c, struct str profile)
{
    for (uint32_t i = 0; i < c->facts->soak_count; i++)
        if (str_eq(c->facts->soaks[i].profile, profile))
            return &c->facts->soaks[i];
    return NULL;
}

static struct place profiles_at(const struct suite *suite)
{
    const struct node *profiles = node_get(suite->root, "profiles");

    return profiles ? profiles->at : (struct place){.file = suite->file};
}

/* Where the first suite that has it says so, the file before others; NULL: none has. */
static const struct node *profile_of(const struct suites *suites, struct str name)
{
    for (uint32_t s = 0; s < suites->count; s++)
        for (uint32_t p = 0; p < suites->list[s]->profile_count; p++)
            if (str_eq(suites->list[s]->profiles[p].name, name))
                return suites->list[s]->profiles[p].node;
    return NULL;
}

static void check_profile(const struct check *c, const struct step_view *view)
{
    const struct node *profile;
    struct expression_span span;

    if (!view->profile.len || expression_next(view->profile, 0, &span))
        return;
    profile = profile_of(c->facts->suites, view->profile);
    if (!profile)
        check_tell(c, view->profile_at, profiles_at(c->facts->suites->list[0]), "there is no profile '%.*s'",
                   STR_ARG(view->profile));
    else if (view->does == STEP_SOAKS && !soak_of(c, view->profile) && node_get(profile, "soak"))
        check_tell(c, view->profile_at, profile->at,
                   "the soak of profile '%.*s' is read in %s alone, and is not said there",
                   STR_ARG(view->profile), c->facts->suites->list[0]->file);
    else if (view->does == STEP_SOAKS && !soak_of(c, view->profile))
        check_tell(c, view->profile_at, profile->at, "profile '%.*s' does not say how to soak",
                   STR_ARG(view->profile));
}

/* Conditions of a step would hide what the others look at. */
static void check_step(const struct check *c, const struct step_view *view)
{
    const struct node *condition = node_get(view->node, "if"),
                      *goes_on = node_get(view->node, "continue-on-error");

    if (view->action) {
        check_inputs(c, node_get(view->node, "with"));
        check_command(c, node_get(view->node, "with"));
    }
    check_profile(c, view);
    if (condition && view->does == STEP_RUNS && !str_find(check_text(c, view->node, "if"), "(", &(size_t){0}))
        check_tell(c, condition->at, none, "the step that runs the cases does so only under a condition");
    if (goes_on && !(goes_on->kind == NODE_BOOL && !goes_on->boolean) && view->does == STEP_RUNS)
        check_tell(c, goes_on->at, none, "'continue-on-error' makes a job green whose cases failed");
}

void check_steps(const struct check *c, const struct node *job)
{
    const struct node *steps = node_get(job, "steps");
    bool there = false, installed = node_get(job, "container") != NULL;

    for (uint32_t i = 0; steps && steps->kind == NODE_SEQ && i < steps->seq.count; i++) {
        struct step_view view = step_view(c, steps->seq.items[i]);

        if (view.does != STEP_OTHER && view.by_name && !installed)
            check_tell(c, view.node->at, none,
                       "no step before installs run-matrix: the action does, by command: none");
        installed |= view.does != STEP_CHECKOUT;
        if (view.does == STEP_OTHER)
            continue;
        there |= view.does == STEP_CHECKOUT;
        if (!there && view.does != STEP_INSTALLS) {
            check_tell(c, view.node->at, none,
                       "nothing is checked out before run-matrix is called: actions/checkout comes first");
            there = true;
        }
        check_step(c, &view);
    }
}
