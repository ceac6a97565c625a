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
    struct spawn *spawn;

    if (place == MAP_FAILED)
        return NULL;
    if (mprotect(place, GUARD_SIZE, PROT_NONE) < 0) {
        munmap(place, PLACE_SIZE);
        return NULL;
    }
    spawn = (void *)(place + PLACE_SIZE - WORDS_SIZE);
    spawn->words = &spawn->own;
    return spawn;
}

/* By a child that has not let go of our memory. */
static bool is_in_use(const struct spawn *spawn)
{
    return atomic_load_explicit(&spawn->words->alive, memory_order_acquire);
}

void spawn_free(struct spawn *spawn)
{
    if (spawn && !is_in_use(spawn))
        munmap(place_of(spawn), PLACE_SIZE);
}

/* `alive` first: when it is 0 the other words are the child's last. */
enum spawn_phase spawn_phase(const struct spawn *spawn, struct spawn_error *error, nanos *exec_at)
{
    const struct spawn_words *words = spawn->words;
    bool alive = atomic_load_explicit(&words->alive, memory_order_acquire) ||
                 atomic_load_explicit(&words->becoming, memory_order_acquire);
    unsigned failed = atomic_load_explicit(&words->failed, memory_order_acquire);

    *error = (struct spawn_error){FAILURE_STAGE(failed), FAILURE_ERROR(failed)};
    *exec_at = 0;
    if (failed)
        return SPAWN_FAILED;
    if (alive)
        return SPAWN_UNDER_WAY;
    *exec_at = atomic_load_explicit(&words->exec_at, memory_order_relaxed);
    return SPAWN_EXECUTED;
}

enum spawn_stage spawn_reached(const struct spawn *spawn)
{
    return (enum spawn_stage)atomic_load_explicit(&spawn->words->stage, memory_order_relaxed);
}

pid_t spawn_pid(const struct spawn *spawn)
{
    return atomic_load_explicit(&spawn->words->pid, memory_order_acquire);
}

/* ---- start ---- */

/* The kernel writes pid and pidfd before the child runs. */
static struct clone_args args_of(struct spawn *spawn, int *pidfd)
{
    const struct spawn_spec *spec = spawn->spec;

    return (struct clone_args){
        .flags = CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CLEAR_SIGHAND |
                 (pidfd ? CLONE_PIDFD : 0) | (spec->cgroup > 0 ? CLONE_INTO_CGROUP : 0),
        .pidfd = (uintptr_t)pidfd,
        .parent_tid = (uintptr_t)&spawn->words->pid,
        .child_tid = (uintptr_t)&spawn->words->alive,
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

/* A failure as in child.h, made to say what it is of. */
struct spawn_error spawn_error_of(unsigned failure, const struct spawn_spec *spec)
{
    struct spawn_error error = {FAILURE_STAGE(failure), FAILURE_ERROR(failure)};

    if (error.stage == SPAWN_STAGE_CLONE && spec->cgroup > 0 && is_of_group(error.error))
        error.stage = SPAWN_STAGE_JOIN;
    return error;
}

void spawn_words_clear(struct spawn_words *words)
{
    atomic_store_explicit(&words->pid, 0, memory_order_relaxed);
    atomic_store_explicit(&words->stage, SPAWN_STAGE_NONE, memory_order_relaxed);
    atomic_store_explicit(&words->failed, 0, memory_order_relaxed);
    atomic_store_explicit(&words->exec_at, 0, memory_order_relaxed);
    atomic_store_explicit(&words->becoming, 0, memory_order_relaxed);
    atomic_store_explicit(&words->alive, 1, memory_order_release);
}

static unsigned clone_it(struct spawn *spawn, enum spawn_whose whose, int *pidfd)
{
    struct clone_args args = args_of(spawn, pidfd);
    long pid;

    if (spawn->spec->room)
        return room_start(spawn, &args, whose);
    if (whose == SPAWN_OF_PARENT) {
        args.flags |= CLONE_PARENT;
        args.exit_signal = 0; /* that of its maker, who has SIGCHLD */
    }
    pid = clone_blocked(&args, child_main, spawn);
    return pid < 0 ? FAILURE(SPAWN_STAGE_CLONE, -pid) : 0;
}

unsigned spawn_clone(struct spawn *spawn, const struct spawn_spec *spec, enum spawn_whose whose, int *pidfd)
{
    unsigned failure;

    if (is_in_use(spawn))
        return FAILURE(SPAWN_STAGE_CLONE, EBUSY);
    spawn->spec = spec;
    spawn_words_clear(spawn->words);
    atomic_store_explicit(&spawn->words->becoming, spawn->becomes, memory_order_release);
    failure = clone_it(spawn, whose, pidfd);
    if (failure)
        atomic_store_explicit(&spawn->words->alive, 0, memory_order_relaxed);
    return failure;
}

bool spawn_begin(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                 struct spawn_error *error)
{
    int pidfd = -1;
    unsigned failure = spawn_clone(spawn, spec, SPAWN_OF_OURS, &pidfd);

    *error = spawn_error_of(failure, spec);
    if (!failure)
        *process = (struct process){spawn_pid(spawn), pidfd};
    return !failure;
}

bool spawn_start(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                 struct spawn_error *error)
{
    spawn->becomes = false;
    return spawn_begin(spawn, spec, process, error);
}

const struct backend backend_exec = {.name = "exec", .alias = "trio", .start = spawn_start};
