/* `run`, `cwd` and `shell`: what is executed, and where. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <string.h>

/* ---- shells, as a step of a workflow has them ---- */

#define SHELL_WORDS_MOST 6

static const struct shell {
    const char *name; /* what `shell` says; NULL: nothing */
    const char *program;
    const char *options[SHELL_WORDS_MOST];
} shells[] = {
    {NULL, "bash", {"-e", NULL}},
    {NULL, "sh", {"-e", NULL}}, /* a machine without bash */
    {"bash", "bash", {"--noprofile", "--norc", "-eo", "pipefail", NULL}},
    {"sh", "sh", {"-e", NULL}},
};

static bool is_said(const struct shell *shell, struct str said)
{
    return shell->name ? str_is(said, shell->name) : said.len == 0;
}

static const struct shell *find_shell(struct cooking *k, struct str said, const char **path)
{
    const char *why = NULL, *first_why = NULL;

    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        if (!is_said(&shells[i], said))
            continue;
        *path = program_find(k, str_of(shells[i].program), &why);
        if (*path)
            return &shells[i];
        if (!first_why)
            first_why = why;
    }
    k->recipe->error = first_why;
    return NULL;
}

static bool is_known_shell(struct str said)
{
    for (size_t i = 0; i < ARRAY_LEN(shells); i++)
        if (is_said(&shells[i], said))
            return true;
    return false;
}

static bool shell_text(struct cooking *k, struct str *said)
{
    if (!word_text(k, &k->shared->shell, said))
        return false;
    if (is_known_shell(*said))
        return true;
    diag_error(k->diags, k->shared->shell.scalar->at, "%s: 'shell' is bash or sh here, not '%.*s'",
               k->recipe->id.ptr, STR_ARG(*said));
    return false;
}

/* ---- what is the same for all cases of a test ---- */

/* Relative to the folder of the suite; NULL: where we are. */
static const char *folder_of(struct arena *arena, const struct suite *suite, struct str cwd)
{
    if (cwd.len && cwd.ptr[0] == '/')
        return arena_cstr(arena, cwd);
    if (!cwd.len && !*suite->dir)
        return NULL;
    return arena_printf(arena, "%s%.*s", suite->dir, STR_ARG(cwd));
}

void command_prepare(struct arena *arena, const struct suite *suite, const struct node *run,
                     const struct node *around, struct test_recipe *shared, struct diags *diags)
{
    shared->script = run && node_is_scalar(run);
    shared->word_count = node_list_count(run);
    shared->words = ARENA_ARRAY(arena, struct word, shared->word_count);
    for (uint32_t i = 0; i < shared->word_count; i++)
        shared->words[i] = word_of(arena, node_list_item(run, i), diags);
    shared->shell = word_of(arena, node_get(around, "shell"), diags);
    shared->cwd = word_of(arena, node_get(around, "cwd"), diags);
    if (!shared->cwd.parsed)
        shared->folder = folder_of(arena, suite, shared->cwd.text);
}

/* ---- for one case ---- */

bool cook_cwd(struct cooking *k)
{
    struct str cwd;

    k->recipe->spec.cwd = k->shared->folder;
    if (!k->shared->cwd.parsed)
        return true;
    if (!word_text(k, &k->shared->cwd, &cwd))
        return false;
    k->recipe->spec.cwd = folder_of(k->arena, k->suite, cwd);
    return true;
}

static void check_length(struct cooking *k, struct str text)
{
    if (text.len < ARGUMENT_MOST || k->recipe->error)
        return;
    k->recipe->error = arena_printf(
        k->arena, "%s of 'run' has %zu bytes, and Linux hands a program at most %zu in one piece%s",
        k->shared->script ? "the script" : "a word", text.len, ARGUMENT_MOST - 1,
        k->shared->script ? "; put it into a file" : "");
}

/* The words of a list, or the script alone. Nothing to run would pass. */
static bool make_words(struct cooking *k, const char **words)
{
    const struct test_recipe *shared = k->shared;

    for (uint32_t i = 0; i < shared->word_count; i++) {
        struct str text;

        if (!word_text(k, &shared->words[i], &text))
            return false;
        words[i] = text.ptr;
        check_length(k, text);
    }
    if (str_trim(str_of(words[0])).len || k->recipe->error)
        return true;
    diag_error(k->diags, shared->words[0].scalar->at, "%s: %s", k->recipe->id.ptr,
               shared->script ? "'run' is empty" : "the first word of 'run' is empty");
    return false;
}

void set_argv(struct cooking *k, const char **words)
{
    /* execve's type says less than it does: it writes to none of them. */
    k->recipe->spec.argv = (char *const *)(uintptr_t)words;
}

static const char **texts(struct cooking *k, const struct preset_command *command)
{
    const char **words = ARENA_ARRAY(k->arena, const char *, command->count + 1);

    for (uint32_t i = 0; i < command->count; i++)
        words[i] = command->words[i].ptr;
    return words;
}

/* A list of words, executed as it stands. */
static bool execute(struct cooking *k, const char **words)
{
    struct spawn_spec *spec = &k->recipe->spec;

    set_argv(k, words);
    spec->path = words[0];
    if (!strchr(words[0], '/'))
        spec->path = program_find(k, str_of(words[0]), &k->recipe->error);
    return true;
}

static bool cook_list(struct cooking *k)
{
    const char **words = ARENA_ARRAY(k->arena, const char *, k->shared->word_count + 1);
    struct preset_command command;

    if (!make_words(k, words) || !adapt_command(k, words, k->shared->word_count, &command))
        return false;
    if (k->recipe->error)
        return true;
    return execute(k, command.count ? texts(k, &command) : words);
}

/* A script that begins with a sign would be taken for options. */
static void fill_shell(struct cooking *k, const struct shell *shell, const char *script,
                       const struct preset_command *command)
{
    const char **words = ARENA_ARRAY(k->arena, const char *, SHELL_WORDS_MOST + 6 + command->count);
    uint32_t count = 0;

    words[count++] = shell->program;
    for (uint32_t i = 0; shell->options[i]; i++)
        words[count++] = shell->options[i];
    words[count++] = "-c";
    if (*script == '-' || *script == '+')
        words[count++] = "--";
    words[count++] = script;
    if (command->count)
        words[count++] = shell->program; /* its $0 */
    for (uint32_t i = 0; i < command->count; i++)
        words[count++] = command->words[i].ptr;
    set_argv(k, words);
}

static bool cook_script(struct cooking *k)
{
    const struct shell *shell;
    struct preset_command command;
    const char *script;
    struct str said;

    if (!make_words(k, &script) || !shell_text(k, &said) || !adapt_command(k, &script, 1, &command))
        return false;
    if (k->recipe->error)
        return true;
    if (command.count && !k->shared->preset)
        return execute(k, texts(k, &command)); /* one of `discover` */
    shell = find_shell(k, said, &k->recipe->spec.path);
    if (shell)
        fill_shell(k, shell, script, &command);
    return true;
}

bool cook_words(struct cooking *k)
{
    const char **words = ARENA_ARRAY(k->arena, const char *, k->shared->word_count + 1);
    struct str said;

    if (k->test && k->test->is_module)
        return cook_module_words(k);
    return make_words(k, words) && (!k->shared->script || shell_text(k, &said)) &&
           (k->recipe->error || check_choice(k, words, k->shared->word_count));
}

bool cook_command(struct cooking *k)
{
    if (k->test && k->test->is_module)
        return cook_module(k);
    return k->shared->script ? cook_script(k) : cook_list(k);
}
