/* The parent's side of a spawn. */
#include "backends/inside.h"
#include "backends/internal.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

/* Of any page size there is. The child needs less than a page of it; what is not touched costs nothing. */
#define GUARD_SIZE ((size_t)64 << 10)
#define STACK_SIZE ((size_t)64 << 10)
#define PLACE_SIZE (GUARD_SIZE + STACK_SIZE)

#define STACK_ALIGNMENT 64
#define WORDS_SIZE      ((sizeof(struct spawn) + STACK_ALIGNMENT - 1) / STACK_ALIGNMENT * STACK_ALIGNMENT)

static char *place_of(struct spawn *spawn)
{
    return (char *)spawn + WORDS_SIZE - PLACE_SIZE;
}

static char *stack_of(struct spawn *spawn)
{
    return place_of(spawn) + GUARD_SIZE;
}

struct spawn *spawn_new(void)
{
    char *place =
        mmap(NULL, PLACE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (place == MAP_FAILED)
        return NULL;
    if (mprotect(place, GUARD_SIZE, PROT_NONE) < 0) {
        munmap(place, PLACE_SIZE);
        return NULL;
    }
    return (void *)(place + PLACE_SIZE - WORDS_SIZE);
}

void spawn_free(struct spawn *spawn)
{
    if (spawn && !atomic_load(&spawn->alive))
        munmap(place_of(spawn), PLACE_SIZE);
}

/* `alive` first: when it is 0 the other words are the child's last. */
enum spawn_phase spawn_phase(const struct spawn *spawn, struct spawn_error *error, nanos *exec_at)
{
    bool alive = atomic_load_explicit(&spawn->alive, memory_order_acquire);
    unsigned failed = atomic_load_explicit(&spawn->failed, memory_order_acquire);

    *error = (struct spawn_error){FAILURE_STAGE(failed), FAILURE_ERROR(failed)};
    *exec_at = 0;
    if (failed)
        return SPAWN_FAILED;
    if (alive)
        return SPAWN_UNDER_WAY;
    *exec_at = atomic_load_explicit(&spawn->exec_at, memory_order_relaxed);
    return SPAWN_EXECUTED;
}

/* ---- start ---- */

/* The kernel writes pid and pidfd before the child runs. */
static struct clone_args args_of(struct spawn *spawn, const struct spawn_spec *spec, struct process *process)
{
    return (struct clone_args){
        .flags = CLONE_VM | CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CLEAR_SIGHAND |
                 (spec->cgroup > 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uintptr_t)&process->pidfd,
        .parent_tid = (uintptr_t)&process->pid,
        .child_tid = (uintptr_t)&spawn->alive,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack_of(spawn),
        .stack_size = STACK_SIZE - WORDS_SIZE,
        .cgroup = spec->cgroup > 0 ? (uint64_t)spec->cgroup : 0,
    };
}

/* Errors of clone itself that only a control group can be the cause of. */
static bool is_of_group(int number)
{
    static const int numbers[] = {EACCES, EBADF, EBUSY, ENODEV, ENOENT, ENOSYS, EOPNOTSUPP};

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static bool fail(struct spawn_error *error, unsigned failure, const struct spawn_spec *spec)
{
    *error = (struct spawn_error){FAILURE_STAGE(failure), FAILURE_ERROR(failure)};
    if (error->stage == SPAWN_STAGE_CLONE && spec->cgroup > 0 && is_of_group(error->error))
        error->stage = SPAWN_STAGE_JOIN;
    return false;
}

/* FAILURE, or 0. */
static unsigned clone_case(struct spawn *spawn, const struct spawn_spec *spec, struct process *process)
{
    struct clone_args args = args_of(spawn, spec, process);
    long pid;

    if (spec->room)
        return room_start(spawn, &args, process);
    pid = clone_blocked(&args, child_main, spawn);
    return pid < 0 ? FAILURE(SPAWN_STAGE_CLONE, -pid) : 0;
}

static bool start(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                  struct spawn_error *error)
{
    struct process made = {.pidfd = -1};
    unsigned failure;

    if (atomic_load_explicit(&spawn->alive, memory_order_acquire))
        return fail(error, FAILURE(SPAWN_STAGE_CLONE, EBUSY), spec);
    spawn->spec = spec;
    atomic_store_explicit(&spawn->failed, 0, memory_order_relaxed);
    atomic_store_explicit(&spawn->exec_at, 0, memory_order_relaxed);
    atomic_store_explicit(&spawn->alive, 1, memory_order_relaxed);

    failure = clone_case(spawn, spec, &made);
    if (failure) {
        atomic_store_explicit(&spawn->alive, 0, memory_order_relaxed);
        return fail(error, failure, spec);
    }
    *process = made;
    return true;
}

const struct backend backend_exec = {.name = "exec", .alias = "trio", .start = start};
