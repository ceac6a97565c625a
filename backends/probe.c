/* What can be had here, found out by doing. */
#include "backends/internal.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

static struct spawn_error try_out(struct spawn *spawn, const struct spawn_spec *spec)
{
    struct process process;
    struct spawn_error error;
    siginfo_t info;
    nanos exec_at;

    if (!backend_exec.start(spawn, spec, &process, &error))
        return error;
    while (waitid(P_PIDFD, (id_t)process.pidfd, &info, WEXITED) < 0 && errno == EINTR)
        ;
    fd_close(&process.pidfd);
    spawn_phase(spawn, &error, &exec_at);
    return error;
}

/* There is no program without a name: it must come as far as to look for it. */
bool room_probe(const struct spawn_room *room, struct buf *why)
{
    char *const nothing[] = {NULL};
    struct spawn_spec spec = {.path = "", .argv = nothing, .envp = nothing, .terminal = -1, .room = room};
    struct spawn_error error = {SPAWN_STAGE_CLONE, 0};
    struct spawn *spawn = spawn_new();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = 0; i < 3; i++)
        spec.stdio[i] = null;
    if (spawn && null >= 0)
        error = try_out(spawn, &spec);
    else
        error.error = errno;
    if (error.stage != SPAWN_STAGE_EXEC)
        spawn_error_words(why, error, &spec);
    fd_close(&null);
    spawn_free(spawn);
    return error.stage == SPAWN_STAGE_EXEC;
}

bool isolate_probe(unsigned isolate, struct buf *why)
{
    struct spawn_room room = {.isolate = isolate, .tmp = "/tmp", .shm = "/dev/shm"};

    return room_probe(&room, why);
}
