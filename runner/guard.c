#include "runner/guard.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/exit.h"
#include "runner/orphans.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAPED_AT_ONCE 32 /* a storm of those that end must not keep us from hearing signals */
#define PATIENCE       (3 * NS_PER_S)
#define AWAKE_MS       1000
#define LAST_WORDS_S   5

/* What the guard knows; the keeper has a copy. */
struct post {
    const struct guard_plan *plan;
    struct guard_page *page;
    pid_t keeper;
    siginfo_t runner; /* si_pid, and how it ended */
    int guard_fd, runner_fd;
    sigset_t awaited;
    struct proc_ids before; /* children we had before: who executes us may leave us his own */
};

/* ---- descriptors ---- */

/* All from 3 on but these; one that is -1 is none. */
static void close_all_but(const int *kept, size_t count)
{
    for (unsigned from = 3, end; from; from = end + 1) {
        end = ~0U;
        for (size_t i = 0; i < count; i++)
            if (kept[i] >= (int)from && (unsigned)kept[i] < end)
                end = (unsigned)kept[i];
        if (end > from)
            syscall(SYS_close_range, from, end == ~0U ? end : end - 1, 0);
    }
}

/* ---- the keeper ---- */

/* Readers of our output must not wait for us, nor may we hold a terminal. */
static void leave_streams(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (null < 0 || dup2(null, fd) < 0)
            close(fd);
}

static void await_death(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    while (poll(&poll_fd, 1, -1) != 1)
        ;
}

/*
 * Where the guard has died the runner has all to do; stopped it does nothing, and nobody is left who would
 * continue it. The kernel does so for few: who has his parent in another session was an orphan before. Again
 * and again, since he may have been about to stop.
 */
static void await_death_awake(int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

    do
        pidfd_signal(pidfd, SIGCONT);
    while (poll(&poll_fd, 1, AWAKE_MS) != 1);
}

/*
 * Not by the end of a pipe that the two would hold: a case that is stuck before it executes has a copy of all
 * their descriptors, and would hold it too.
 */
static _Noreturn void keep(struct post *post)
{
    const int kept[] = {post->plan->lock, post->guard_fd, post->runner_fd};
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "rm-keeper"); /* who ends us by name, twice, must not end it with us */
    leave_streams();
    close_all_but(kept, ARRAY_LEN(kept));
    await_death(post->guard_fd);
    await_death_awake(post->runner_fd);
    if (!atomic_load(&post->page->released)) {
        post->plan->kill(post->plan->user);
        post->plan->clean(post->plan->user, "its keeper");
    }
    post->plan->leave(post->plan->user);
    post->plan->farewell(post->plan->user);
    _exit(0);
}

/* ---- the end of the guard ---- */

static bool is_spared(void *user, pid_t pid)
{
    const struct post *post = user;

    for (size_t i = 0; i < post->before.count; i++)
        if (post->before.list[i].pid == pid)
            return true;
    return pid == post->keeper;
}

/*
 * Pid 1 of a namespace is not ended by what it sends to itself; then by the status that a shell makes of it.
 */
static _Noreturn void end_as(const siginfo_t *runner, bool orderly)
{
    sigset_t set;

    if (runner->si_code == CLD_EXITED)
        _exit(orderly ? runner->si_status : EXIT_BROKEN);
    prctl(PR_SET_DUMPABLE, 0); /* the core of interest is the runner's */
    sigemptyset(&set);
    sigaddset(&set, runner->si_status);
    signal(runner->si_status, SIG_DFL); /* a sanitizer would report another crash */
    kill(getpid(), runner->si_status);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + runner->si_status);
}

static void end_keeper(struct post *post)
{
    if (!post->keeper)
        return;
    kill(post->keeper, SIGKILL);
    waitid(P_PID, (id_t)post->keeper, &(siginfo_t){0}, WEXITED);
}

/*
 * The keeper goes last: should somebody kill us before, it still has all to do. A runner that exits and has not let go
 * was made to by who knows nothing of runs, as sanitizers and libraries do: its status is no verdict of ours.
 */
static _Noreturn void end(struct post *post)
{
    bool orderly = atomic_load(&post->page->released);

    if (!orderly) {
        post->plan->kill(post->plan->user);
        orphans_end(PATIENCE, is_spared, post);
        post->plan->clean(post->plan->user, "its guard");
        atomic_store(&post->page->released, true);
        if (post->runner.si_code == CLD_EXITED)
            post->plan->exited(post->plan->user, post->runner.si_status);
    }
    post->plan->leave(post->plan->user);
    end_keeper(post);
    post->plan->farewell(post->plan->user);
    end_as(&post->runner, orderly);
}

/* ---- the guard ---- */

static void go_on(struct post *post)
{
    pidfd_signal(post->runner_fd, SIGCONT);
}

static bool runner_is_stopped(const struct post *post)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)post->runner.si_pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
}

/*
 * The runner has stopped, so the job has. When we go on, so does he: whoever continues a job may mean us alone.
 * And pid 1 of a namespace does not stop, so nothing below it must stay stopped.
 *
 * To stop takes away a SIGCONT that waits. One that waits already is heeded; of one to the group that comes
 * after that the runner hears, too, when we have said that we are stopping: he wakes us.
 */
static void stop_too(struct post *post)
{
    sigset_t waiting;

    atomic_store(&post->page->counts.stopping, true);
    if (runner_is_stopped(post) && sigpending(&waiting) == 0 && !sigismember(&waiting, SIGCONT))
        raise(SIGSTOP);
    atomic_store(&post->page->counts.stopping, false);
    go_on(post);
}

static void take(struct post *post, int number)
{
    if (number == SIGCONT)
        go_on(post);
    else if (number != SIGCHLD)
        signals_pass(&post->page->counts, number, post->runner_fd);
}

/* All that wait, since their order says nothing: a SIGCHLD from before a SIGCONT is read before it. */
static void take_signals(struct post *post, bool wait)
{
    const struct timespec now = {0};
    int number = wait ? sigwaitinfo(&post->awaited, NULL) : sigtimedwait(&post->awaited, NULL, &now);

    for (; number > 0; number = sigtimedwait(&post->awaited, NULL, &now))
        take(post, number);
}

/* Its number may be anybody's from here on. */
static void forget(struct post *post, pid_t pid)
{
    if (pid == post->keeper)
        post->keeper = 0;
    for (size_t i = 0; i < post->before.count; i++)
        if (post->before.list[i].pid == pid)
            post->before.list[i].pid = 0;
}

/* Some of those that have ended; true: there may be more. As pid 1 we have to reap strangers without end. */
static bool reap_some(struct post *post)
{
    for (int i = 0; i < REAPED_AT_ONCE; i++) {
        siginfo_t info = {0};

        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) < 0 || !info.si_pid)
            return false;
        if (info.si_pid != post->runner.si_pid) {
            forget(post, info.si_pid);
        } else {
            post->runner = info;
            end(post);
        }
    }
    return true;
}

static _Noreturn void stand_guard(struct post *post)
{
    const int kept[] = {post->plan->lock, post->runner_fd};

    close_all_but(kept, ARRAY_LEN(kept));
    for (bool more = false;;) {
        take_signals(post, !more);
        more = reap_some(post);
        if (runner_is_stopped(post))
            stop_too(post);
    }
}

/* ---- the start ---- */

static int prepare(struct post *post, const struct signals *signals, int go[2])
{
    void *page = mmap(NULL, sizeof *post->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return -1;
    post->page = page;
    post->guard_fd = pidfd_of(getpid());
    if (post->guard_fd < 0 || pipe2(go, O_CLOEXEC) < 0)
        return -1;
    signals_of_guard(signals, &post->awaited);
    sigaddset(&post->awaited, SIGCHLD);
    if (waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0)
        orphans_list(&post->before);
    return 0;
}

/* It waits until there is a keeper; should there be none, or no guard any more, nothing has begun yet. */
static int be_runner(struct guard *guard, struct signals *signals, struct post *post, int go[2])
{
    proc_ids_release(&post->before);
    guard->page = post->page;
    guard->pidfd = post->guard_fd;
    fd_close(&go[1]);
    if (read(go[0], &guard->keeper, sizeof guard->keeper) != (ssize_t)sizeof guard->keeper)
        _exit(EXIT_BROKEN);
    fd_close(&go[0]);
    signals_guarded(signals, guard->guard.pid, guard->pidfd, &guard->page->counts);
    return 0;
}

static int start_keeper(struct post *post)
{
    post->runner_fd = pidfd_of(post->runner.si_pid);
    if (post->runner_fd < 0)
        return -1;
    post->keeper = fork();
    if (post->keeper == 0)
        keep(post);
    return post->keeper < 0 ? -1 : 0;
}

static _Noreturn void be_guard(struct guard *guard, struct post *post, int go)
{
    guard->keeper = proc_identify(post->keeper);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (write(go, &guard->keeper, sizeof guard->keeper) != (ssize_t)sizeof guard->keeper)
        kill(post->runner.si_pid, SIGKILL); /* as somebody else must have done already */
    stand_guard(post);
}

static void undo(struct post *post, int go[2])
{
    int saved = errno;

    fd_close(&go[0]);
    fd_close(&go[1]);
    if (post->runner.si_pid > 0)
        waitid(P_PID, (id_t)post->runner.si_pid, &(siginfo_t){0}, WEXITED);
    fd_close(&post->runner_fd);
    fd_close(&post->guard_fd);
    if (post->page)
        munmap(post->page, sizeof *post->page);
    proc_ids_release(&post->before);
    errno = saved;
}

int guard_start(struct guard *guard, struct signals *signals, const struct guard_plan *plan)
{
    struct post post = {.plan = plan, .guard_fd = -1, .runner_fd = -1};
    int go[2] = {-1, -1};

    *guard = (struct guard){.guard = proc_identify(getpid()), .pidfd = -1};
    if (prepare(&post, signals, go) == 0) {
        post.runner.si_pid = fork();
        if (post.runner.si_pid == 0)
            return be_runner(guard, signals, &post, go);
        if (post.runner.si_pid > 0 && start_keeper(&post) == 0)
            be_guard(guard, &post, go[1]);
    }
    undo(&post, go);
    guard->guard = (struct proc_id){0};
    return -1;
}

void guard_die_with(const struct guard *guard)
{
    sigset_t set;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* of the thread that has forked us: the guard has no other */
    if (getppid() == guard->guard.pid)
        return;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    alarm(LAST_WORDS_S);
}

void guard_release(struct guard *guard)
{
    if (!guard->page)
        return;
    atomic_store(&guard->page->released, true);
    fd_close(&guard->pidfd);
}
