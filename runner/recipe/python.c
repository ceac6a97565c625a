/*
 * A Python program that hangs says more of itself than its stacks of C do, if it was prepared before: our sitecustomize
 * (fixtures/python) comes first on its PYTHONPATH. Whoever else runs with that variable takes no notice.
 */
#include "runner/base/installed.h"
#include "runner/recipe/internal.h"

#include <string.h>
#include <unistd.h>

#define VARIABLE  "PYTHONPATH"
#define CUSTOMIZE "python/sitecustomize.py"

/* Once a run. */
static const char *folder_of(struct kitchen *kitchen)
{
    const char *found;

    if (kitchen->python_sought)
        return kitchen->python;
    kitchen->python_sought = true;
    found = installed_find(kitchen->arena, CUSTOMIZE, R_OK);
    /* A colon would part it. */
    if (found && !strchr(found, ':'))
        kitchen->python = arena_printf(kitchen->arena, "%.*s", (int)(strrchr(found, '/') - found), found);
    return kitchen->python;
}

/* As in what a fixture has made of the variable that it had itself. */
static bool has_entry(const char *list, const char *folder)
{
    size_t length = strlen(folder);

    for (;; list++) {
        size_t entry = strcspn(list, ":");

        if (entry == length && memcmp(list, folder, length) == 0)
            return true;
        list += entry;
        if (!*list)
            return false;
    }
}

void cook_python(struct cooking *k, struct environment *env)
{
    const struct str name = STR(VARIABLE);
    const char *folder = folder_of(k->kitchen), *theirs = environment_get(env, name);
    const char *value;

    if (!folder || (theirs && has_entry(theirs, folder)))
        return;
    /* An empty entry is the current folder: none is to come of putting them together. */
    value = theirs && *theirs ? arena_printf(k->arena, "%s:%s", folder, theirs) : folder;
    if (name.len + 1 + strlen(value) < ARGUMENT_MOST)
        environment_put(env, name, str_of(value));
}
