/* Words of the user's command that say which tests to run. When some are chosen by name, the names stand in their place. */
#include "runner/presets/internal.h"

#include <string.h>

struct str base_name(struct str path)
{
    size_t at = path.len;

    while (at && path.ptr[at - 1] != '/')
        at--;
    return str_slice(path, at, path.len);
}

bool split_name(struct str name, struct str *before, struct str *after)
{
    size_t at;

    if (!str_find(name, "::", &at))
        return false;
    *before = str_slice(name, 0, at);
    *after = str_slice(name, at + 2, name.len);
    return true;
}

static bool is_option(struct str word)
{
    return word.len > 1 && word.ptr[0] == '-';
}

static bool is_one_of(struct str word, const char *const *words)
{
    for (; *words; words++)
        if (str_is(word, *words))
            return true;
    return false;
}

static bool exists(const struct preset_ask *ask, struct str path)
{
    return ask->exists && path.len && ask->exists(ask->user, path);
}

/* ---- pytest: files, folders and node ids ---- */

/* Options that take the next word, its own and those of plugins that many have. */
static const char *const pytest_takes[] = {
    "-k",
    "-m",
    "-c",
    "-o",
    "-p",
    "-n",
    "-W",
    "-r",
    "--rootdir",
    "--confcutdir",
    "--ignore",
    "--ignore-glob",
    "--deselect",
    "--basetemp",
    "--junitxml",
    "--junit-xml",
    "--import-mode",
    "--log-file",
    "--maxfail",
    "--tb",
    "--capture",
    "--cov",
    "--cov-config",
    "--cov-report",
    "--dist",
    "--tx",
    "--timeout",
    "--ds",
    "--durations",
    "--override-ini",
    "--config-file",
    "--html",
    "--reruns",
    NULL,
};

bool is_pytest_choice(const struct preset_ask *ask, uint32_t word)
{
    struct str path = ask->words[word], test;

    if (!word || is_option(path) || is_one_of(ask->words[word - 1], pytest_takes))
        return false;
    split_name(path, &path, &test);
    return exists(ask, path);
}

static bool is_there(const struct preset_ask *ask, struct str name)
{
    struct str path = {0}, test;

    return split_name(name, &path, &test) && exists(ask, path);
}

/* The settings are above: what stands before this folder is taken away. */
static bool pytest_above(const struct preset_ask *ask, struct str *name)
{
    struct str path, test, shorter = *name;
    size_t at;

    while (!is_there(ask, shorter) && split_name(shorter, &path, &test) && str_find(path, "/", &at))
        shorter = str_slice(shorter, at + 1, shorter.len);
    if (!is_there(ask, shorter))
        return false;
    *name = shorter;
    return true;
}

/* The settings are in this folder, or in one that it is in. */
static bool pytest_below(const struct preset_ask *ask, struct arena *arena, struct str folder,
                         struct str *name)
{
    struct str longer;

    while (folder.len) {
        while (folder.len && folder.ptr[folder.len - 1] == '/')
            folder.len--;
        longer = str_of(arena_printf(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(*name)));
        if (is_there(ask, longer)) {
            *name = longer;
            return true;
        }
        folder.len -= base_name(folder).len;
    }
    return false;
}

/* A folder that a word speaks of; empty: none. */
static struct str pytest_folder(const struct preset_ask *ask, uint32_t word)
{
    static const char rootdir[] = "--rootdir";
    struct str text = ask->words[word], test;

    if (str_starts(text, "--rootdir="))
        return str_slice(text, sizeof rootdir, text.len);
    if (word && str_is(ask->words[word - 1], rootdir))
        return text;
    if (!is_pytest_choice(ask, word))
        return (struct str){0};
    split_name(text, &text, &test);
    return text;
}

/* Its names are counted from the folder of its settings, which may be above the one that it is started in, or below. */
bool pytest_from_here(const struct preset_ask *ask, struct arena *arena, uint32_t program, struct str *name)
{
    struct str seen = *name;

    if (pytest_above(ask, name))
        return true;
    for (uint32_t i = 1; i < program && i < ask->count; i++)
        if (pytest_below(ask, arena, ask->words[i], &seen))
            return true; /* env -C folder pytest: it is started there */
    for (uint32_t i = program + 1; i < ask->count; i++)
        if (pytest_below(ask, arena, pytest_folder(ask, i), name))
            return true;
    return false;
}

/* ---- go: packages ---- */

bool is_go_choice(const struct preset_ask *ask, uint32_t word)
{
    struct str text = ask->words[word];

    return word &&
           (str_is(text, ".") || str_starts(text, "./") || str_starts(text, "../") || str_ends(text, "/..."));
}

/* Each once, in the order of the names: those of one package stand together. */
static void add_befores(struct arena *arena, const struct preset_ask *ask, struct preset_command *command)
{
    uint32_t first = command->count;
    struct str before, after;

    for (uint32_t i = 0; i < ask->test_count; i++) {
        bool there = !split_name(ask->tests[i], &before, &after);

        for (uint32_t w = command->count; !there && w > first; w--)
            there = str_eq(command->words[w - 1], before);
        if (!there)
            command_add(arena, command, before);
    }
}

void add_go_packages(struct arena *arena, const struct preset_ask *ask, struct preset_command *command)
{
    add_befores(arena, ask, command);
}

/* ---- bats: files and folders ---- */

static const char *const bats_takes[] = {
    "-f",
    "--filter",
    "--filter-status",
    "--filter-tags",
    "-F",
    "--formatter",
    "-j",
    "--jobs",
    "-o",
    "--output",
    "--report-formatter",
    "--code-quote-style",
    "--gather-test-outputs-in",
    NULL,
};

bool is_bats_choice(const struct preset_ask *ask, uint32_t word)
{
    return word && !is_option(ask->words[word]) && !is_one_of(ask->words[word - 1], bats_takes) &&
           !str_is(base_name(ask->words[word]), "bats") && exists(ask, ask->words[word]);
}

void add_bats_files(struct arena *arena, const struct preset_ask *ask, struct preset_command *command)
{
    add_befores(arena, ask, command);
}

bool list_bats(struct arena *arena, const struct preset_ask *ask, uint32_t program,
               struct preset_command *command)
{
    static const char *const end[] = {
        "-type", "f",    "-name", "*.bats",
        "-exec", "grep", "-HE",   "^[[:blank:]]*@test[[:blank:]]+.*[^[:blank:]][[:blank:]]+\\{",
        "{}",    "+",
    };
    bool deep = false, found = false;

    command_add(arena, command, str_of("find"));
    for (uint32_t i = program + 1; i < ask->count; i++) {
        deep |= str_is(ask->words[i], "-r") || str_is(ask->words[i], "--recursive");
        if (is_bats_choice(ask, i)) {
            found = true;
            command_add(arena, command, ask->words[i]);
        }
    }
    if (!deep) {
        command_add(arena, command, str_of("-maxdepth"));
        command_add(arena, command, str_of("1"));
    }
    for (size_t i = 0; i < sizeof end / sizeof end[0]; i++)
        command_add(arena, command, str_of(end[i]));
    return found;
}
