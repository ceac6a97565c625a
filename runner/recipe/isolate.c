/* `isolate`: what a case has for itself, and what it can do without. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool take_isolate(struct cooking *k, const struct setting_value *value)
{
    static const struct {
        const char *word;
        unsigned isolate;
    } words[] = {{"net", SPAWN_ISOLATE_NET}, {"files", SPAWN_ISOLATE_FILES}};

    for (uint32_t i = 0; i < node_list_count(value->node); i++)
        for (size_t w = 0; w < ARRAY_LEN(words); w++)
            if (str_is(node_text(node_list_item(value->node, i), k->arena), words[w].word))
                k->recipe->isolate |= words[w].isolate;
    return true;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || !path[length]);
}

/* The folder that a private one stands in front of, when `path` is in it. What cannot be found is found out later. */
static const char *hidden_by(const char *path)
{
    static const char *const folders[] = {"/tmp", "/dev/shm"};
    char real[PATH_MAX], folder[PATH_MAX];

    if (!realpath(path, real))
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (realpath(folders[i], folder) && lies_in(real, folder))
            return folders[i];
    return NULL;
}

/* What is listened on outside cannot be reached from in there. */
static void check_addresses(struct cooking *k, const struct from_fixtures *given)
{
    const struct {
        unsigned isolate;
        const char *word, *fixture;
    } rows[] = {{SPAWN_ISOLATE_NET, "net", given->port_of}, {SPAWN_ISOLATE_FILES, "files", given->socket_of}};

    for (size_t i = 0; i < ARRAY_LEN(rows) && !k->recipe->unsupported; i++)
        if (k->recipe->isolate & rows[i].isolate && rows[i].fixture)
            k->recipe->unsupported =
                arena_printf(k->arena, "'isolate: [%s]' hides the address of its fixture '%s'", rows[i].word,
                             rows[i].fixture);
    if (k->recipe->unsupported)
        k->recipe->spec.argv = NULL;
}

void check_isolation(struct cooking *k, const struct place_of_case *where)
{
    struct spawn_spec *spec = &k->recipe->spec;
    const struct {
        const char *words, *path;
    } needed[] = {
        {"its working directory", spec->cwd ? spec->cwd : "."},
        {"the run's folder", where->artifacts},
        {"its program", spec->path[0] == '/' ? spec->path : "/"},
    };

    check_addresses(k, &where->given);
    if (!(k->recipe->isolate & SPAWN_ISOLATE_FILES))
        return;
    for (size_t i = 0; i < ARRAY_LEN(needed) && !k->recipe->unsupported; i++) {
        const char *folder = hidden_by(needed[i].path);

        if (!folder)
            continue;
        k->recipe->unsupported =
            arena_printf(k->arena, "'isolate: [files]' hides %s, and %s is in it", folder, needed[i].words);
        spec->argv = NULL;
    }
}
