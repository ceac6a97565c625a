/* Anchors: PID namespaces with an init of ours. The parent's side. */
#include "backends/inside.h"
#include "backends/internal.h"

#include "runner/base/io.h"
#include "runner/base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define INIT_STACK 16384
#define PATIENCE   NS_PER_S /* for an init that nobody has joined yet */

static const struct anchor none = {.pidfd = -1, .pids = -1, .root = -1, .cwd = -1, .children = -1};

/* ---- start ---- */

/* It runs on a copy of this stack. */
static int clone_init(struct anchor *anchor, struct init *init)
{
    _Alignas(64) char stack[INIT_STACK];
    struct clone_args args = {
        .flags = (uint64_t)anchor->namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
        .pidfd = (uintptr_t)&anchor->pidfd,
        .exit_signal = SIGCHLD,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    long pid = clone_blocked(&args, init_main, init);

    if (pid < 0) {
        anchor->pidfd = -1;
        errno = (int)-pid;
        return -1;
    }
    anchor->pid = (pid_t)pid;
    return 0;
}

/* Nothing comes from one that was killed. */
static int hear(struct anchor *anchor, int pipe)
{
    struct init_report report = {.error = ESRCH};

    while (read(pipe, &report, sizeof report) < 0 && errno == EINTR)
        ;
    if (report.error) {
        errno = report.error;
        return -1;
    }
    anchor->proc_error = report.proc_error;
    if (report.proc_error)
        anchor->namespaces &= ~CLONE_NEWNS;
    return 0;
}

/* It is our child and not reaped, so the number is its own. */
static int open_files(struct anchor *anchor)
{
    char path[64];
    int folder, error;

    snprintf(path, sizeof path, "/proc/%d", anchor->pid);
    folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    snprintf(path, sizeof path, "task/%d/children", anchor->pid);
    anchor->children = openat(folder, path, O_RDONLY | O_CLOEXEC);
    if (anchor->children >= 0)
        anchor->pids = openat(folder, "ns/pid", O_RDONLY | O_CLOEXEC);
    if (anchor->pids >= 0)
        anchor->root = openat(folder, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (anchor->root >= 0)
        anchor->cwd = openat(folder, "cwd", O_PATH | O_DIRECTORY | O_CLOEXEC);
    error = errno;
    fd_close(&folder);
    errno = error;
    return anchor->cwd >= 0 ? 0 : -1;
}

static int start_in(struct anchor *anchor, int namespaces, struct init *init)
{
    int pipe[2], result;

    *anchor = none;
    anchor->namespaces = namespaces;
    if (pipe2(pipe, O_CLOEXEC) < 0)
        return -1;
    init->user = namespaces & CLONE_NEWUSER;
    init->report = pipe[1];
    result = clone_init(anchor, init);
    fd_close(&pipe[1]);
    if (result == 0)
        result = hear(anchor, pipe[0]);
    if (result == 0)
        result = open_files(anchor);
    fd_close(&pipe[0]);
    if (result < 0) {
        int error = errno;

        anchor_end(anchor, PATIENCE);
        errno = error;
    }
    return result;
}

int anchor_start(struct anchor *anchor)
{
    const int namespaces = CLONE_NEWPID | CLONE_NEWNS;
    struct init init = {.identity = identity_of_ours(), .maker = pidfd_of(getpid())};
    int result;

    *anchor = none;
    if (init.maker < 0)
        return -1;
    result = start_in(anchor, namespaces, &init);
    if (result < 0 && errno == EPERM)
        result = start_in(anchor, namespaces | CLONE_NEWUSER, &init);
    fd_close(&init.maker);
    return result;
}

/* ---- who is there ---- */

#define LOOKS_MOST 16

/* Leaders of threads stay as zombies for as long as one of these lives. */
static bool is_alive(pid_t pid)
{
    struct proc_stat stat;

    return proc_stat_read(pid, &stat) == 0 && ((stat.state != 'Z' && stat.state != 'X') || stat.threads > 1);
}

/*
 * A file "children" as it is now: -1 when it lists nobody, 1 when one of those it lists is alive. 0: all of them have
 * died by now, but who knows whom they have left. A number that is cut short at the end of `text` is not looked at.
 */
static int look_for_alive(int children)
{
    char text[4096], *at = text, *end;
    ssize_t got = pread(children, text, sizeof text - 1, 0);

    if (got <= 0)
        return -1;
    for (text[got] = '\0'; (end = strchr(at, ' ')); at = end + 1)
        if (is_alive((pid_t)strtol(at, NULL, 10)))
            return 1;
    return 0;
}

static bool has_children(int children)
{
    int found = 0;

    for (int i = 0; i < LOOKS_MOST && found == 0; i++)
        found = look_for_alive(children);
    return found >= 0;
}

static bool has_children_of_thread(int threads, const char *thread)
{
    char path[NAME_MAX + sizeof "/children"];
    int children;
    bool found;

    snprintf(path, sizeof path, "%s/children", thread);
    children = openat(threads, path, O_RDONLY | O_CLOEXEC);
    found = children >= 0 && look_for_alive(children) > 0;
    fd_close(&children);
    return found;
}

/* A dead one has none: they fell to the init in the same moment. */
static bool leads_others(pid_t leader)
{
    char path[64];
    struct dirent *entry;
    bool found = false;
    DIR *threads;

    snprintf(path, sizeof path, "/proc/%d/task", leader);
    threads = opendir(path);
    while (threads && !found && (entry = readdir(threads)))
        if (entry->d_name[0] != '.')
            found = has_children_of_thread(dirfd(threads), entry->d_name);
    if (threads)
        closedir(threads);
    return found;
}

/* In this order: who is missed below the leader, for his parent dies, is the init's by then. */
bool anchor_is_empty(const struct anchor *anchor, pid_t leader)
{
    return !(leader && leads_others(leader)) && !has_children(anchor->children);
}

/* ---- end ---- */

void anchor_kill(const struct anchor *anchor)
{
    pidfd_signal(anchor->pidfd, SIGKILL);
}

/* An init is dead when all in its namespace are, and those that are ours to reap have been. */
static bool reap(int pidfd, nanos patience)
{
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    nanos until = clock_now() + patience, left;
    siginfo_t info = {0};
    int ready;

    do {
        left = until - clock_now();
        ready = poll(&end, 1, left > 0 ? (int)((left + NS_PER_MS - 1) / NS_PER_MS) : 0);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return false;
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL) < 0)
        return errno == ECHILD;
    /* A stop is told as well, if another thread of ours traces it. */
    return info.si_pid != 0 &&
           (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED);
}

bool anchor_end(struct anchor *anchor, nanos patience)
{
    bool gone = true;

    if (anchor->pid) {
        anchor_kill(anchor);
        gone = reap(anchor->pidfd, patience);
    }
    fd_close(&anchor->pidfd);
    fd_close(&anchor->pids);
    fd_close(&anchor->root);
    fd_close(&anchor->cwd);
    fd_close(&anchor->children);
    *anchor = none;
    return gone;
}

/* ---- probe ---- */

static void refused(struct buf *why, int error)
{
    struct buf hint = {0};
    char scratch[128];

    buf_addf(why, "cannot make a PID namespace: %s", strerror_r(error, scratch, sizeof scratch));
    if (error == ENOENT)
        buf_adds(&hint, "the kernel was built without CONFIG_PROC_CHILDREN, or /proc is not mounted");
    else
        namespaces_refused(&hint, NULL);
    if (hint.len)
        buf_addf(why, " (%s)", buf_text(&hint));
    buf_release(&hint);
}

bool anchor_probe(struct buf *why)
{
    struct anchor anchor;
    struct spawn_room room = {.anchor = &anchor};
    bool good;

    if (anchor_start(&anchor) < 0) {
        refused(why, errno);
        return false;
    }
    good = room_probe(&room, why);
    if (good && anchor.proc_error)
        buf_addf(why, "/proc in it is the one outside, for it may not have its own: %s",
                 strerror(anchor.proc_error));
    anchor_end(&anchor, PATIENCE);
    return good;
}
