/*
 * A fresh process that is told what to be by a descriptor alone: no word of it stands in its arguments or its
 * environment. All that a parent has to do for it is done when it is cloned; the rest it does itself.
 */
#include "backends/internal.h"

#include "backends/child.h"
#include "runner/base/io.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

bool spawn_is_for_loading(const char *entry)
{
    static const char *const prefixes[] = {
        "LD_",           "GLIBC_TUNABLES=", "MALLOC_",        "ASAN_OPTIONS=", "LSAN_OPTIONS=",
        "MSAN_OPTIONS=", "TSAN_OPTIONS=",   "UBSAN_OPTIONS=", "GCOV_",         "LLVM_PROFILE_FILE="};

    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (*entry == *prefixes[i] && strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

static void keep_for_loading(struct fresh *fresh, char *const *envp)
{
    int count = 0;

    for (; envp && *envp && count < FRESH_VARIABLES; envp++)
        if (spawn_is_for_loading(*envp))
            fresh->envp[count++] = *envp;
    fresh->envp[count] = NULL;
}

/* What must be there before it runs: where it lives and where its output goes, for a linker that complains. */
static void fill_fresh(struct fresh *fresh, const struct spawn_spec *spec, int socket,
                       const struct board *board)
{
    keep_for_loading(fresh, spec->envp);
    fresh->argv[0] = (char *)(uintptr_t)spec->host;
    fresh->argv[1] = (char *)(uintptr_t)SERVE_BECOME;
    fresh->argv[2] = NULL;
    fresh->spec = *spec;
    fresh->spec.path = spec->host;
    fresh->spec.argv = fresh->argv;
    fresh->spec.envp = fresh->envp;
    fresh->spec.cwd = NULL;
    fresh->spec.limit_count = 0;
    fresh->spec.own_pid = NULL;
    fresh->spec.pass[0] = socket;
    fresh->spec.pass[1] = board_fd(board);
    fresh->spec.pass_count = 2;
}

/* What is left to be done by itself. */
static struct spawn_spec rest_of(const struct spawn_spec *spec)
{
    struct spawn_spec rest = *spec;

    for (int i = 0; i < 3; i++)
        rest.stdio[i] = -1;
    rest.session = false;
    rest.terminal = -1;
    rest.cgroup = rest.joined[0] = rest.joined[1] = 0;
    rest.room = NULL;
    return rest;
}

static bool open_letter(struct spawn *spawn, const struct spawn_spec *spec, int ends[2],
                        struct spawn_error *error)
{
    struct spawn_spec rest = rest_of(spec);

    if (server_socket(ends) == 0)
        return server_ask(ends[0], spawn->place, &rest, error);
    *error = (struct spawn_error){SPAWN_STAGE_ASK, errno};
    return false;
}

/* The letter waits in the socket until it is read; nobody has to be there any more who has sent it. */
bool become_start(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                  struct spawn_error *error)
{
    int ends[2] = {-1, -1};
    bool started = false;

    if (open_letter(spawn, spec, ends, error)) {
        fill_fresh(&spawn->fresh, spec, ends[1], spawn->board);
        spawn->becomes = true;
        started = spawn_begin(spawn, &spawn->fresh.spec, process, error);
    }
    fd_close(&ends[0]);
    fd_close(&ends[1]);
    return started;
}

const struct backend backend_spawn = {.name = "spawn", .alias = "mp_spawn", .start = become_start};
