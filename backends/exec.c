/* The parent's side of a spawn. */
#include "backends/internal.h"

#include "backends/child.h"
#include "backends/raw.h"

#include <errno.h>
#include <linux/sched.h>
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

#define FLAGS (CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID)

/* The pid, or -errno. The kernel writes the pidfd before the child runs. */
static long clone_child(struct spawn *spawn, int *pidfd)
{
    struct clone_args args = {
        .flags = FLAGS | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)pidfd,
        .child_tid = (uintptr_t)&spawn->alive,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack_of(spawn),
        .stack_size = STACK_SIZE - WORDS_SIZE,
    };
    long pid = raw_clone(SYS_clone3, (const long[5]){(long)&args, sizeof args}, child_main, spawn);

    /*
     * Containers refuse clone3, as their filters cannot look into its arguments. The old call leaves handlers as they
     * are, for the child to meet between its last step and exec; we have none for signals that somebody sends.
     */
    if (pid == -ENOSYS || pid == -EINVAL)
        pid = raw_clone(
            SYS_clone,
            (const long[5])RAW_CLONE_ARGS(FLAGS | SIGCHLD, (long)spawn, (long)pidfd, (long)&spawn->alive),
            child_main, spawn);
    return pid;
}

static bool fail(struct spawn_error *error, int number)
{
    *error = (struct spawn_error){SPAWN_STAGE_CLONE, number};
    return false;
}

/* libc's own way of blocking leaves out two signals it uses between threads, which are none of the child's business. */
static bool start(struct spawn *spawn, const struct spawn_spec *spec, struct process *process,
                  struct spawn_error *error)
{
    static const uint64_t all = ~UINT64_C(0);
    uint64_t before;
    long pid;
    int pidfd = -1;

    if (atomic_load_explicit(&spawn->alive, memory_order_acquire))
        return fail(error, EBUSY);
    spawn->spec = spec;
    atomic_store_explicit(&spawn->failed, 0, memory_order_relaxed);
    atomic_store_explicit(&spawn->exec_at, 0, memory_order_relaxed);
    atomic_store_explicit(&spawn->alive, 1, memory_order_relaxed);

    RAW(rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    pid = clone_child(spawn, &pidfd);
    RAW(rt_sigprocmask, SIG_SETMASK, &before, 0, sizeof before);
    if (pid < 0) {
        atomic_store_explicit(&spawn->alive, 0, memory_order_relaxed);
        return fail(error, (int)-pid);
    }
    *process = (struct process){.pid = (pid_t)pid, .pidfd = pidfd};
    return true;
}

const struct backend backend_exec = {.name = "exec", .alias = "trio", .start = start};
