/* --debugger and --wrapper: a command that runs that of the case. */
#include "runner/base/split.h"
#include "runner/recipe/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the folder of a case it would be another one. */
static const char *seen_from_here(struct arena *arena, const char *path)
{
    char *whole = realpath(path, NULL);
    const char *kept = whole ? arena_cstr(arena, str_of(whole)) : path;

    free(whole);
    return kept;
}

const char *kitchen_run_by(struct kitchen *kitchen, const char *option, const char *command, bool debugs)
{
    const char **words, *why;
    uint32_t count;

    if (!split_command(command, kitchen->arena, &words, &count, &why))
        return arena_printf(kitchen->arena, "'%s' has %s: %s", option, why, command);
    if (!count || !*words[0])
        return arena_printf(kitchen->arena, "'%s' wants a command, such as '%s'", option,
                            debugs ? "gdb --args" : "valgrind -q --error-exitcode=9");
    if (strchr(words[0], '/'))
        words[0] = seen_from_here(kitchen->arena, words[0]);
    kitchen->before = (struct before){option, words, count, debugs};
    return NULL;
}

static uint32_t count_words(char *const *words)
{
    uint32_t count = 0;

    while (words[count])
        count++;
    return count;
}

/* Its own program with a path, since who runs it may look for it elsewhere. */
static void put_before(struct cooking *k, const struct before *before)
{
    struct spawn_spec *spec = &k->recipe->spec;
    uint32_t own = count_words(spec->argv);
    const char **words = ARENA_ARRAY(k->arena, const char *, before->count + own + 1);

    memcpy(words, before->words, before->count * sizeof *words);
    words[before->count] = spec->path;
    for (uint32_t i = 1; i < own; i++)
        words[before->count + i] = spec->argv[i];
    set_argv(k, words);
    spec->path = words[0];
    if (!strchr(words[0], '/'))
        spec->path = program_find(k, str_of(words[0]), &k->recipe->error);
}

/* Without one the command may be none at all: a server is told the name of its test. */
void cook_before(struct cooking *k)
{
    if (k->kitchen->before.option)
        put_before(k, &k->kitchen->before);
}

void cook_without_limits(struct cooking *k)
{
    struct recipe *recipe = k->recipe;

    if (!k->kitchen->before.debugs)
        return;
    recipe->debugged = true;
    recipe->timeout = recipe->slow = 0;
    recipe->output_limit = 0;
    if (results_in_output(recipe->results.kind))
        recipe->results.kind = RESULTS_NONE; /* that goes to the terminal alone */
}
