#include "backends/internal.h"

#include "runner/base/mem.h"

#define BACKEND(NAME, ALIAS, WHY, WHY_MODULE)                                   \
    &(const struct backend)                                                     \
    {                                                                           \
        .name = NAME, .alias = ALIAS, .unsupported = "backend '" NAME "' " WHY, \
        .unsupported_module = "backend '" NAME "' " WHY_MODULE                  \
    }

#define INSIDE                                                                                             \
    "runs a test inside a process that is there already, and a program cannot be run inside another one: " \
    "use exec"
#define UNSOUND                                                                                            \
    "would fork from a namespace that is not the main one: the locks of the main one stay taken for ever " \
    "in the child, and nobody there knows of them"

const struct backend *const backends[BACKEND_COUNT] = {
    [BACKEND_EXEC] = &backend_exec,
    [BACKEND_SPAWN] = &backend_spawn,
    [BACKEND_FORKSERVER] =
        &(const struct backend){.name = "forkserver", .alias = "mp_forkserver", .serving = SERVING_ALONE},
    [BACKEND_MAIN_THREAD_FORKSERVER] = &(const struct backend){.name = "main_thread_forkserver",
                                                               .alias = "main_thread_forkserver",
                                                               .serving = SERVING_THREADED},
    [BACKEND_SUBINT] = &(const struct backend){.name = "subint",
                                               .alias = "subint",
                                               .unsupported = "backend 'subint' " INSIDE,
                                               .start = become_start,
                                               .apart = true},
    [BACKEND_SUBINT_FORKSERVER] =
        &(const struct backend){.name = "subint_forkserver",
                                .alias = "subint_forkserver",
                                .unsupported = "backend 'subint_forkserver' " INSIDE,
                                .serving = SERVING_ALONE,
                                .apart = true},
    [BACKEND_SUBINT_FORK] = BACKEND("subint_fork", "subint_fork", UNSOUND, UNSOUND),
};

const struct backend *backend_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(backends); i++)
        if (str_is(name, backends[i]->name) || str_is(name, backends[i]->alias))
            return backends[i];
    return NULL;
}

enum backend_id backend_id(const struct backend *backend)
{
    enum backend_id id = 0;

    while (backends[id] != backend)
        id++;
    return id;
}
