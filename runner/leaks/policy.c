#include "runner/leaks/leaks.h"

#include <fnmatch.h>
#include <string.h>

const struct leak_policy leak_policy_default = {
    .actions =
        {
            [LEAK_PROCESS] = LEAK_FAILS,
            [LEAK_LISTENER] = LEAK_FAILS,
            [LEAK_SOCKET] = LEAK_FAILS,
            [LEAK_SHM] = LEAK_FAILS,
            [LEAK_FILE] = LEAK_IGNORED,
            [LEAK_OUTSIDE_FILE] = LEAK_WARNS,
            [LEAK_TERMIOS] = LEAK_WARNS,
        },
    .grace = NS_PER_S,
};

/* As it stands first: "[::1]:80" is an address before it is a glob. */
static bool matches(const char *glob, const char *text)
{
    return strcmp(glob, text) == 0 || fnmatch(glob, text, 0) == 0;
}

static bool is_allowed(const struct leak_allowed *allowed, const struct leak *leak)
{
    enum leak_kind kind = leak->kind == LEAK_OUTSIDE_FILE ? LEAK_FILE : leak->kind;
    const char *what = leak->what.ptr ? leak->what.ptr : "", *slash = strrchr(what, '/');

    if (allowed->kind != kind && allowed->kind != leak->kind)
        return false;
    return matches(allowed->glob, what) ||
           (slash && !strchr(allowed->glob, '/') && matches(allowed->glob, slash + 1));
}

static bool is_in_list(const struct leak_policy *policy, const struct leak *leak)
{
    for (size_t i = 0; i < policy->allowed_count; i++)
        if (is_allowed(&policy->allowed[i], leak))
            return true;
    return false;
}

enum leak_action leak_policy_says(const struct leak_policy *policy, const struct leak *leak)
{
    return is_in_list(policy, leak) ? LEAK_IGNORED : policy->actions[leak->kind];
}

enum leak_action leak_policy_says_in(const struct leak_policy *policy, const struct leak_list *leaks,
                                     size_t index)
{
    const struct leak *leak = &leaks->list[index];

    for (size_t i = 0; leak->pid && i < leaks->count; i++)
        if (leaks->list[i].kind == LEAK_PROCESS && leaks->list[i].pid == leak->pid &&
            is_in_list(policy, &leaks->list[i]))
            return LEAK_IGNORED;
    return leak_policy_says(policy, leak);
}
