/* Whoever is looked at does not notice: no call is broken off, no status of anybody is lost, nothing stays stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "tests/unit/stacks_stage.h"

#define LOOKS    5
#define STATUSES 60

static int setup(void **state)
{
    *state = test_calloc(1, sizeof(struct arena));
    return 0;
}

static int teardown(void **state)
{
    arena_release(*state);
    test_free(*state);
    return 0;
}

static const struct stack_thread *first_thread(const struct stacks *stacks)
{
    assert_null(stacks->why_not);
    assert_int_equal(stacks->process_count, 1);
    assert_null(stacks->processes[0].why_not);
    assert_true(stacks->processes[0].thread_count > 0);
    return &stacks->processes[0].threads[0];
}

/* ---- calls that a stop would break off ---- */

/* Each waits for what does not come, and answers what it was told: 0 when it was not told anything. */
static int wait_by_epoll(void)
{
    struct epoll_event event;

    return epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, -1);
}

static int wait_by_epoll_pwait(void)
{
    struct epoll_event event;
    sigset_t none;

    sigemptyset(&none);
    return epoll_pwait(epoll_create1(EPOLL_CLOEXEC), &event, 1, -1, &none);
}

/* It is removed before it is waited for again: a semaphore lives longer than its makers. */
static int wait_by_semaphore(void)
{
    struct sembuf down = {0, -1, 0};
    int id = semget(IPC_PRIVATE, 1, 0600), result;

    result = semop(id, &down, 1);
    semctl(id, 0, IPC_RMID);
    return result;
}

static int wait_by_signal(void)
{
    sigset_t usr1;

    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    return sigwaitinfo(&usr1, NULL);
}

static int wait_by_aio(void)
{
    aio_context_t context = 0;
    struct io_event event;

    if (syscall(SYS_io_setup, 1, &context) < 0)
        return 0;
    return (int)syscall(SYS_io_getevents, context, 1, 1, &event, NULL);
}

static int wait_by_socket(void)
{
    const struct timeval hours = {.tv_sec = 36000};
    int ends[2];
    char byte;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        return 0;
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &hours, sizeof hours);
    return (int)recv(ends[0], &byte, 1, 0);
}

static int wait_by_inotify(void)
{
    char event[512];

    return (int)read(inotify_init1(IN_CLOEXEC), event, sizeof event);
}

static int wait_by_poll(void)
{
    return poll(NULL, 0, -1);
}

static int wait_by_sleep(void)
{
    return usleep(999999999);
}

typedef int wait_fn(void);

/* Its status says what it was told. */
static pid_t start_waiting(wait_fn *wait)
{
    pid_t pid = must_fork();

    if (pid == 0) {
        limit_life(60);
        _exit(wait() < 0 && errno == EINTR ? 1 : 2);
    }
    await_sleep(pid);
    return pid;
}

/* It sleeps in its call again, or has never left it. */
static void assert_waits(pid_t pid)
{
    nanos until = clock_now() + PATIENCE;
    siginfo_t info = {0};

    do {
        info.si_pid = 0;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        if (info.si_pid)
            fail_msg("it has ended, %s", info.si_status == 1 ? "told EINTR" : "told something");
    } while (!sleeps(pid) && clock_now() < until);
    assert_true(sleeps(pid));
}

static void test_calls_go_on(void **state)
{
    static const struct {
        const char *name;
        wait_fn *wait;
    } rows[] = {
        {"epoll_wait", wait_by_epoll}, {"epoll_pwait", wait_by_epoll_pwait},
        {"semop", wait_by_semaphore},  {"sigwaitinfo", wait_by_signal},
        {"io_getevents", wait_by_aio}, {"recv with a limit", wait_by_socket},
        {"inotify", wait_by_inotify},  {"poll", wait_by_poll},
        {"nanosleep", wait_by_sleep},
    };
    pid_t pids[ARRAY_LEN(rows)];

#if !defined(__x86_64__)
    skip();
#endif
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        pids[i] = start_waiting(rows[i].wait);
    for (int i = 0; i < LOOKS; i++) {
        struct stacks stacks = take_of(*state, pids, ARRAY_LEN(rows));

        for (size_t j = 0; j < ARRAY_LEN(rows); j++) {
            if (!stacks.processes[j].thread_count || stacks.processes[j].threads[0].why_not)
                fail_msg("%s: it was not stopped", rows[j].name);
            assert_waits(pids[j]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        end_child(pids[i]);
}

static void on_signal(int signal)
{
    (void)signal;
}

/* Whom a handler interrupts is told so, looked at or not. */
static void test_handlers_interrupt(void **state)
{
    struct sigaction action = {.sa_handler = on_signal};
    pid_t pid;
    int status;

    sigaction(SIGUSR2, &action, NULL);
    pid = start_waiting(wait_by_epoll);
    for (int i = 0; i < LOOKS; i++)
        take_of(*state, &pid, 1);
    assert_waits(pid);
    kill(pid, SIGUSR2);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    action.sa_handler = SIG_DFL;
    sigaction(SIGUSR2, &action, NULL);
}

/* ---- the freezer, which breaks off calls as stops do ---- */

struct freezer {
    char group[PATH_MAX];
};

static bool write_of(const struct freezer *freezer, const char *name, const char *text)
{
    char path[PATH_MAX + 32];
    int fd;
    bool written;

    snprintf(path, sizeof path, "%s/%s", freezer->group, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    written = fd >= 0 && write(fd, text, strlen(text)) > 0;
    fd_close(&fd);
    return written;
}

static bool is_frozen(const struct freezer *freezer)
{
    char path[PATH_MAX + 32];
    struct buf events = {0};
    bool frozen;
    size_t at;

    snprintf(path, sizeof path, "%s/cgroup.events", freezer->group);
    frozen = file_read(path, &events, 4096) == 0 && str_find(buf_str(&events), "frozen 1", &at);
    buf_release(&events);
    return frozen;
}

static bool freeze(void *user, bool on)
{
    const struct freezer *freezer = user;
    nanos until = clock_now() + PATIENCE;

    if (!write_of(freezer, "cgroup.freeze", on ? "1" : "0"))
        return false;
    while (is_frozen(freezer) != on && clock_now() < until)
        sched_yield();
    return is_frozen(freezer) == on;
}

/* Where groups of the second version are, and we may make one. */
static bool make_group(struct freezer *freezer)
{
    char line[PATH_MAX / 2], *at;
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    bool made = false;

    while (mounts && !made && fgets(line, sizeof line, mounts))
        if (strstr(line, " - cgroup2 ")) {
            at = line;
            for (int i = 0; i < 4; i++)
                at = strchr(at, ' ') + 1;
            *strchr(at, ' ') = '\0';
            snprintf(freezer->group, sizeof freezer->group, "%s/stacks-%d", at, getpid());
            made = mkdir(freezer->group, 0700) == 0;
        }
    if (mounts)
        fclose(mounts);
    return made;
}

static void test_freezer(void **state)
{
    struct stacks_wants wants = wants_of(*state);
    struct freezer freezer;
    struct proc_id id;
    char number[16];
    pid_t pid;

    if (!make_group(&freezer))
        skip();
    pid = start_waiting(wait_by_epoll);
    id = proc_identify(pid);
    snprintf(number, sizeof number, "%d", pid);
    wants.freeze = freeze;
    wants.user = &freezer;
    if (write_of(&freezer, "cgroup.procs", number))
        for (int i = 0; i < LOOKS; i++) {
            struct stacks stacks;

            stacks_take(&stacks, *state, &id, 1, &wants);
            assert_non_null(frame_of(first_thread(&stacks), "wait_by_epoll"));
            assert_false(is_frozen(&freezer));
            assert_waits(pid);
        }
    end_child(pid);
    assert_int_equal(rmdir(freezer.group), 0);
}

/* ---- statuses ---- */

static void *look_for_ever(void *user)
{
    struct proc_id *ids = user;
    struct arena arena = {0};

    while (__atomic_load_n(&ids[0].pid, __ATOMIC_ACQUIRE)) {
        struct stacks_wants wants = {.copy_by = clock_now() + PATIENCE, .unwind_by = clock_now()};
        struct stacks stacks;

        stacks_take(&stacks, &arena, ids + 1, STATUSES, &wants);
        arena_clear(&arena);
    }
    arena_release(&arena);
    return NULL;
}

/* As the watchdog does it. Who waited in the call itself would not be woken by whom another thread traces. */
static int status_of(pid_t pid)
{
    struct pollfd end = {.fd = pidfd_of(pid), .events = POLLIN};
    siginfo_t info = {0};

    assert_true(end.fd >= 0);
    assert_int_equal(poll(&end, 1, (int)(PATIENCE / NS_PER_MS)), 1);
    close(end.fd);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | __WNOTHREAD), 0);
    assert_int_equal(info.si_pid, pid);
    assert_int_equal(info.si_code, CLD_EXITED);
    return info.si_status;
}

/* Children of this thread, traced by another one all the time: each ends with its own status, and is seen to. */
static void test_statuses(void **state)
{
    struct proc_id ids[STATUSES + 1] = {{1, 0}};
    pthread_t thread;
    int start[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(start), 0);
    for (int i = 1; i <= STATUSES; i++) {
        ids[i].pid = must_fork();
        if (ids[i].pid == 0) {
            limit_life(60);
            _exit(read(start[0], &byte, 1) == 1 ? i : 255);
        }
        ids[i].start_ticks = proc_identify(ids[i].pid).start_ticks;
    }
    assert_int_equal(pthread_create(&thread, NULL, look_for_ever, ids), 0);
    for (int i = 1; i <= STATUSES; i++)
        assert_int_equal(write(start[1], "", 1), 1);
    for (int i = 1; i <= STATUSES; i++)
        assert_int_equal(status_of(ids[i].pid), i);
    __atomic_store_n(&ids[0].pid, 0, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    close(start[0]);
    close(start[1]);
}

/* ---- whoever changes while he is looked at ---- */

/* It executes itself, again and again, with a thread beside it; a byte each time. */
static _Noreturn void execute_for_ever(int out)
{
    char number[16];

    snprintf(number, sizeof number, "%d", out);
    execl("/proc/self/exe", "test", "--again", number, (char *)NULL);
    _exit(1);
}

static void *sleep_on(void *user)
{
    poll(NULL, 0, -1);
    return user;
}

static int begin_again(int out)
{
    pthread_t thread;

    if (write(out, "", 1) != 1 || pthread_create(&thread, NULL, sleep_on, NULL) != 0)
        return 1;
    execute_for_ever(out);
}

static void read_bytes(int fd, int count)
{
    char byte;

    for (int i = 0; i < count; i++)
        assert_int_equal(read(fd, &byte, 1), 1);
}

static void test_who_executes(void **state)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        execute_for_ever(ends[1]);
    }
    for (int i = 0; i < LOOKS * 4; i++) {
        take_of(*state, &pid, 1);
        read_bytes(ends[0], 2);
    }
    end_child(pid);
    close(ends[0]);
    close(ends[1]);
}

/* Threads that come and go. */
static void *go_at_once(void *user)
{
    return user;
}

static _Noreturn void make_threads(int out)
{
    for (;;) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, go_at_once, NULL) != 0 || pthread_join(thread, NULL) != 0 ||
            write(out, "", 1) != 1)
            _exit(1);
    }
}

static void test_who_makes_threads(void **state)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = must_fork();
    if (pid == 0) {
        limit_life(60);
        make_threads(ends[1]);
    }
    for (int i = 0; i < LOOKS * 4; i++) {
        struct stacks stacks = take_of(*state, &pid, 1);

        assert_null(first_thread(&stacks)->why_not);
        read_bytes(ends[0], 100);
    }
    end_child(pid);
    close(ends[0]);
    close(ends[1]);
}

/* ---- whoever hangs us ---- */

/*
 * A thread that is traced by somebody who does not look keeps a process from executing a program: it waits for that thread
 * to be reaped, and whoever wants to trace it waits for it. Unless he breaks that off.
 */
static void *be_traced(void *user)
{
    int *ends = user;
    pid_t self = gettid();

    if (write(ends[1], &self, sizeof self) == sizeof self)
        poll(NULL, 0, -1);
    return NULL;
}

static _Noreturn void execute_when_told(int tell[2], int told)
{
    pthread_t thread;
    char byte;

    limit_life(60);
    if (pthread_create(&thread, NULL, be_traced, tell) == 0 && read(told, &byte, 1) == 1)
        execl("/bin/sleep", "sleep", "60", (char *)NULL);
    _exit(1);
}

static void test_who_hangs_in_an_exec(void **state)
{
    int tid_ends[2], go_ends[2], ready[2];
    pid_t hung, other = start_waiting(wait_by_poll), tracer, tid, pids[2];
    struct stacks stacks;

    assert_int_equal(pipe(tid_ends) | pipe(go_ends) | pipe(ready), 0);
    hung = must_fork();
    if (hung == 0)
        execute_when_told(tid_ends, go_ends[0]);
    assert_int_equal(read(tid_ends[0], &tid, sizeof tid), sizeof tid);
    tracer = must_fork();
    if (tracer == 0) {
        limit_life(60);
        if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == 0 && write(ready[1], "", 1) == 1)
            poll(NULL, 0, -1);
        _exit(1);
    }
    read_bytes(ready[0], 1);
    assert_int_equal(write(go_ends[1], "", 1), 1);
    await_state(tid, 'Z');
    pids[0] = hung;
    pids[1] = other;
    stacks = take_of(*state, pids, 2);
    assert_int_equal(stacks.process_count, 2);
    /* A kernel that lets us look is as good. */
    if (stacks.processes[0].why_not)
        assert_non_null(strstr(stacks.processes[0].why_not, "hangs in the kernel"));
    else
        assert_true(stacks.processes[0].thread_count > 0);
    assert_true(stacks.processes[1].thread_count > 0);
    assert_true(stacks.processes[1].threads[0].frame_count > 0);
    end_child(tracer);
    end_child(hung);
    end_child(other);
    for (int i = 0; i < 2; i++) {
        close(tid_ends[i]);
        close(go_ends[i]);
        close(ready[i]);
    }
}

#define PAGE ((size_t)4096)

static void wait_on_it(void)
{
    for (;;)
        poll(NULL, 0, -1);
}

/* The upper half of the stack that it has gone to is somebody's to bring, and nobody does. */
static _Noreturn void stand_below_what_is_not_there(char *memory, int faults)
{
    struct uffdio_api api = {.api = UFFD_API};
    struct uffdio_register both = {.range = {(uintptr_t)memory, 16 * PAGE},
                                   .mode = UFFDIO_REGISTER_MODE_MISSING};
    ucontext_t here, there;

    limit_life(60);
    memset(memory, 1, 8 * PAGE);
    if (ioctl(faults, UFFDIO_API, &api) < 0 || ioctl(faults, UFFDIO_REGISTER, &both) < 0 ||
        getcontext(&there) < 0)
        _exit(1);
    there.uc_stack.ss_sp = memory;
    there.uc_stack.ss_size = 8 * PAGE;
    there.uc_link = NULL;
    makecontext(&there, wait_on_it, 0);
    swapcontext(&here, &there);
    _exit(1);
}

static void test_memory_that_nobody_brings(void **state)
{
    char *memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
    struct stacks stacks;
    pid_t pid;

    assert_ptr_not_equal(memory, MAP_FAILED);
    if (faults < 0 || sysconf(_SC_PAGESIZE) != PAGE)
        skip();
    pid = must_fork();
    if (pid == 0)
        stand_below_what_is_not_there(memory, (int)syscall(SYS_userfaultfd, O_CLOEXEC));
    await_sleep(pid);
    stacks = take_of(*state, &pid, 1);
    assert_non_null(frame_of(first_thread(&stacks), "wait_on_it"));
    assert_waits(pid);
    end_child(pid);
    close(faults);
    munmap(memory, 16 * PAGE);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls_go_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handlers_interrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freezer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_executes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_makes_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_hangs_in_an_exec, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory_that_nobody_brings, setup, teardown),
    };

    if (argc == 3 && strcmp(argv[1], "--again") == 0)
        return begin_again(atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
