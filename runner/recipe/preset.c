/* `preset` and `discover`: the user's command as it lists the tests inside, runs some of them, or says what became of all. */
#include "runner/recipe/internal.h"

#include "runner/base/id.h"

#include <string.h>
#include <unistd.h>

/* ---- what is the same for all cases of a test ---- */

void preset_prepare(struct kitchen *kitchen, const struct node *test, struct test_recipe *shared,
                    struct diags *diags)
{
    const struct node *preset = node_get(test, "preset"), *discover = node_get(test, "discover");

    if (preset)
        shared->preset = preset_find(node_text(preset, kitchen->arena));
    shared->inside = discover ? discover : preset;
    if (!discover || discover->kind != NODE_MAP)
        return;
    shared->list = parse_words(kitchen->arena, node_get(discover, "list"), diags);
    shared->choose = parse_words(kitchen->arena, node_get(discover, "run"), diags);
}

/* ---- what the rows of presets ask of us ---- */

static bool exists(const void *user, struct str path)
{
    const struct cooking *k = user;
    const char *folder = k->recipe->spec.cwd;
    const char *whole = folder && path.ptr[0] != '/'
                            ? arena_printf(k->arena, "%s/%.*s", folder, STR_ARG(path))
                            : arena_cstr(k->arena, path);

    return access(whole, F_OK) == 0;
}

static struct str variable(const void *user, const char *name)
{
    const struct cooking *k = user;
    const char *entry = k->recipe->spec.envp ? environment_find(k->recipe->spec.envp, name) : NULL;

    return str_of(entry ? entry + strlen(name) + 1 : NULL);
}

/* In place of what is there, or after it. */
static void set_variables(struct cooking *k, const struct preset_command *command)
{
    struct spawn_spec *spec = &k->recipe->spec;
    const char **list;
    uint32_t count = 0;

    if (!spec->envp)
        return;
    while (spec->envp[count])
        count++;
    list = ARENA_ARRAY(k->arena, const char *, count + command->variable_count + 1);
    memcpy(list, spec->envp, count * sizeof *list);
    for (uint32_t i = 0; i < command->variable_count; i++) {
        const struct preset_variable *set = &command->variables[i];
        const char *entry = environment_find(spec->envp, set->name);
        uint32_t at = 0;

        while (at < count && list[at] != entry)
            at++;
        list[at] = arena_printf(k->arena, "%s=%.*s", set->name, STR_ARG(set->value));
        count += at == count;
    }
    /* execve's type says less than it does: it writes to none of them. */
    spec->envp = (char *const *)(uintptr_t)list;
}

/* ---- names ---- */

/* Some of the tests inside; none: all. */
struct names {
    struct preset_test *list;
    struct str *names; /* of each */
    uint32_t count;
};

static struct names new_names(struct cooking *k, uint32_t count)
{
    return (struct names){ARENA_ARRAY(k->arena, struct preset_test, count),
                          ARENA_ARRAY(k->arena, struct str, count), count};
}

static void set_name(struct cooking *k, struct names *names, uint32_t at, const struct sub_test *sub)
{
    struct buf id = {0};

    id_unescape(&id, sub->id);
    names->list[at] = (struct preset_test){.id = arena_str(k->arena, buf_str(&id)), .name = sub->name};
    names->names[at] = sub->name;
    buf_release(&id);
}

/* The very tests that this case is to run. */
static struct names names_of(struct cooking *k)
{
    const struct plan *plan = k->kitchen->plan;
    const struct sub_test *sub = case_sub(plan, k->c);
    struct key_set choice = case_choice(plan, k->c);
    struct names names = new_names(k, sub ? 1 : choice.count);

    for (uint32_t i = 0; i < names.count; i++)
        set_name(k, &names, i, choice.count ? plan_sub(plan, choice.keys[i]) : sub);
    return names;
}

static struct names names_again(struct cooking *k)
{
    const struct place_of_case *where = k->where;
    struct names names = new_names(k, where->again_count);

    for (uint32_t i = 0; i < names.count; i++) {
        names.list[i] = where->again[i];
        names.names[i] = where->again[i].name;
    }
    return names;
}

/* ---- by hand ---- */

static bool texts_of(struct cooking *k, const struct words *words, struct str *texts)
{
    for (uint32_t i = 0; i < words->count; i++)
        if (!word_text(k, &words->list[i], &texts[i]))
            return false;
    return true;
}

static bool by_hand(struct cooking *k, enum preset_action action, const struct names *names,
                    struct preset_command *command, const char **why)
{
    const struct words *words = action == PRESET_LIST ? &k->shared->list : &k->shared->choose;
    struct str *texts = ARENA_ARRAY(k->arena, struct str, words->count);

    if (!texts_of(k, words, texts))
        return false;
    if (action == PRESET_LIST)
        *command = (struct preset_command){.words = texts, .count = words->count};
    else
        *why = preset_fill(k->arena, texts, words->count, names->names, names->count, command);
    return true;
}

/* ---- the command ---- */

struct user_words {
    const char *const *list;
    uint32_t count;
};

static bool by_preset(struct cooking *k, enum preset_action action, const char *const *words, uint32_t count,
                      const struct names *names, struct preset_command *command, const char **why)
{
    struct str *texts = ARENA_ARRAY(k->arena, struct str, count);
    const struct preset_ask ask = {
        .action = action,
        .words = texts,
        .count = count,
        .script = k->shared->script,
        .tests = names->names,
        .test_count = names->count,
        .results = str_of(k->where && k->where->results ? k->where->results : "/"),
        .variable = variable,
        .exists = exists,
        .user = k,
    };

    for (uint32_t i = 0; i < count; i++)
        texts[i] = str_of(words[i]);
    *why = preset_command(k->shared->preset, k->arena, &ask, command);
    return true;
}

static bool ask_for(struct cooking *k, enum preset_action action, const struct user_words *words,
                    const struct names *names, struct preset_command *command, const char **why)
{
    *why = NULL;
    *command = (struct preset_command){0};
    if (k->shared->preset)
        return by_preset(k, action, words->list, words->count, names, command, why);
    return action == PRESET_RUN || by_hand(k, action, names, command, why);
}

/* Those that failed before, where the suite can run these alone. */
static bool ask_again(struct cooking *k, const struct user_words *words, struct preset_command *command)
{
    struct names names = names_again(k);
    const char *why;

    if (!ask_for(k, PRESET_CHOOSE, words, &names, command, &why) || why)
        return false;
    k->recipe->asked = names.list;
    k->recipe->asked_count = names.count;
    k->recipe->only_again = true;
    return true;
}

/* A suite that cannot run those that are asked for alone runs all it has: recipe_check has said so. */
static bool ask_as_planned(struct cooking *k, const struct user_words *words, struct preset_command *command,
                           const char **why)
{
    struct names names = names_of(k);
    bool listing = k->where && k->where->listing;
    enum preset_action action = listing ? PRESET_LIST : names.count ? PRESET_CHOOSE : PRESET_RUN;

    if (!ask_for(k, action, words, &names, command, why))
        return false;
    if (*why && action == PRESET_CHOOSE && k->test->inside == INSIDE_CHOSEN)
        return ask_for(k, PRESET_RUN, words, &names, command, why);
    k->recipe->unasked = *why && listing;
    if (action == PRESET_CHOOSE) {
        k->recipe->asked = names.list;
        k->recipe->asked_count = names.count;
        k->recipe->is_inside = k->test->inside == INSIDE_APART;
    }
    return true;
}

bool adapt_command(struct cooking *k, const char *const *words, uint32_t count,
                   struct preset_command *command)
{
    const struct user_words user = {words, count};
    const char *why;

    *command = (struct preset_command){0};
    if (!k->shared->inside) /* nor is there a case, when it is the command of a fixture */
        return true;
    why = case_problem(k->kitchen->plan, k->c);
    if (!why && !(k->where && k->where->again_count && ask_again(k, &user, command)) &&
        !ask_as_planned(k, &user, command, &why))
        return false;
    if (!k->recipe->error)
        k->recipe->error = why;
    if (!k->recipe->error)
        set_variables(k, command);
    return true;
}

/* Once a test. */
static bool check_lines(struct cooking *k)
{
    const struct node *lines = node_get(node_get(k->test->node, "discover"), "lines");

    if (!lines || k->shared->lines_checked)
        return true;
    k->shared->lines_checked = true;
    return check_expression(k, node_text(lines, k->arena), lines->at);
}

bool check_choice(struct cooking *k, const char *const *words, uint32_t count)
{
    const struct user_words user = {words, count};
    struct names names;
    struct preset_command command;
    const char *why = NULL;

    if (!k->shared->inside)
        return true;
    if (!check_lines(k))
        return false;
    names = names_of(k);
    if (k->test->inside == INSIDE_APART && k->shared->preset && preset_cannot_list(k->shared->preset)) {
        diag_error(k->diags, k->shared->inside->at, "%s: 'discover' cannot be had: %s", k->recipe->id.ptr,
                   preset_cannot_list(k->shared->preset));
        return false;
    }
    if (k->test->inside != INSIDE_CHOSEN || !names.count || case_problem(k->kitchen->plan, k->c) ||
        k->shared->warned)
        return true;
    if (!ask_for(k, PRESET_CHOOSE, &user, &names, &command, &why))
        return false;
    if (!why)
        return true;
    k->shared->warned = true;
    diag_warning(k->diags, k->shared->inside->at,
                 "%s: all its tests are run, not only those that are selected: %s", k->recipe->id.ptr, why);
    return true;
}

/* ---- when tests are listed ---- */

/* What they make may be what is asked; other fixtures matter to tests alone. */
static bool makes_files(const struct fixture *fixture)
{
    return fixture->scope == SCOPE_SESSION && node_get(fixture->node, "run");
}

/* Each once, those that it needs after it. */
static void note_fixtures(bool *noted, uint32_t *list, uint32_t *count, const uint32_t *more,
                          uint32_t more_count)
{
    for (uint32_t i = 0; i < more_count; i++) {
        if (!noted[more[i]])
            list[(*count)++] = more[i];
        noted[more[i]] = true;
    }
}

bool waits_for_files(struct arena *arena, const struct suite *suite, const struct test *test)
{
    bool *noted = ARENA_ARRAY(arena, bool, suite->fixture_count);
    uint32_t *list = ARENA_ARRAY(arena, uint32_t, suite->fixture_count), count = 0;

    note_fixtures(noted, list, &count, test->fixtures, test->fixture_count);
    for (uint32_t i = 0; i < count; i++) {
        const struct fixture *fixture = &suite->fixtures[list[i]];

        if (makes_files(fixture))
            return true;
        note_fixtures(noted, list, &count, fixture->needs, fixture->need_count);
    }
    return false;
}

enum recipe_listing recipe_lists(struct kitchen *kitchen, const struct plan_case *c,
                                 const struct preset **preset, const struct node **lines)
{
    const struct suite *suite = case_suite(kitchen->plan->suites, c);
    const struct test *test = case_test(kitchen->plan->suites, c);
    struct diags diags = {.arena = kitchen->arena}; /* recipe_check says all of them */
    const struct test_recipe *shared = test_prepare(kitchen, c, &diags);
    const struct words own = {shared->words, shared->word_count};

    *preset = shared->preset;
    *lines = node_get(node_get(test->node, "discover"), "lines");
    if (test->is_module)
        return shared->late ? LISTS_LATER : LISTS_NOW;
    if (shared->preset ? preset_cannot_list(shared->preset) != NULL : !shared->list.count)
        return LISTS_NEVER;
    if (shared->cwd.fixtures || words_speak_of_fixtures(shared->preset ? &own : &shared->list))
        return LISTS_LATER;
    if (!waits_for_files(kitchen->arena, suite, test))
        return LISTS_NOW;
    return shared->preset && preset_reads_sources(shared->preset) ? LISTS_PERHAPS : LISTS_LATER;
}
