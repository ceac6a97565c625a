#include "runner/again.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/proc.h"
#include "runner/changes/changes.h"
#include "runner/front.h"
#include "runner/header.h"
#include "runner/narrow.h"
#include "runner/screen/tty.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUIET      (100 * NS_PER_MS) /* who saves many files is let finish, */
#define QUIET_MOST (2 * NS_PER_S)    /* ... but not for ever */
#define SELF_MOST  3                 /* runs in a row that nothing but the one before it has called for */
#define LOOK_MS    250

static const struct place nowhere = {0};

struct again {
    struct invocation *in;
    again_round *round;
    struct faults faults;
    struct changes *changes;
    struct tty tty;
    bool deaf; /* somebody else is typing: keys are looked for a little later */
    int signals;
    sigset_t before;
    enum exit_code code; /* of the last run */
    bool ended;          /* somebody wants to end */
    bool all;            /* whatever has changed, everything is run */
    uint32_t self;       /* how many runs in a row there were changes in */
};

/* ---- opening and closing ---- */

/* Who ignores HUP is to go on without his terminal. */
static int open_signals(struct again *a)
{
    struct sigaction hup;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGQUIT);
    sigaddset(&set, SIGCONT);
    if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
        sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, &a->before);
    sigaddset(&set, SIGTTOU); /* as tty.h has it */
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigdelset(&set, SIGTTOU);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool open_all(struct again *a)
{
    const struct options *o = a->in->options;

    a->tty.fd = a->signals = -1;
    if (o->resume || o->collect_only) {
        diag_error(a->in->diags, nowhere, "'--watch' runs again and again, which '--%s' does not",
                   o->resume ? "resume" : "collect-only");
        return false;
    }
    if (!faults_parse(&a->faults, getenv(FAULTS_VARIABLE), a->in->diags))
        return false;
    a->signals = open_signals(a);
    a->changes = changes_new(&a->faults);
    if (!a->changes || a->signals < 0) {
        diag_error(a->in->diags, nowhere, "cannot watch for changes: %s%s", strerror(errno),
                   errno == EMFILE && !a->changes
                       ? "; 'sysctl fs.inotify.max_user_instances' tells how many programs of a user may"
                       : "");
        return false;
    }
    tty_open(&a->tty, STDIN_FILENO);
    return true;
}

static void close_all(struct again *a)
{
    changes_free(a->changes);
    tty_close(&a->tty);
    fd_close(&a->signals);
}

/* ---- what is watched ---- */

struct paths {
    const char **list;
    size_t count, cap;
};

/* Absolute and without links; what does not exist by the folder that it will be in. */
static const char *resolved(struct arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *answer = NULL;

    if (!real && *name) {
        real = realpath(slash ? arena_printf(arena, "%.*s/", (int)(slash - path), path) : ".", NULL);
        answer = real ? arena_printf(arena, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name) : NULL;
    } else if (real) {
        answer = arena_cstr(arena, str_of(real));
    }
    free(real);
    return answer;
}

static void add_path(struct paths *paths, struct arena *arena, const char *path)
{
    const char *real = resolved(arena, path);

    if (!real)
        return;
    GROW(paths->list, paths->count, paths->cap);
    paths->list[paths->count++] = real;
}

/* What runs themselves write. */
static void add_written(struct paths *paths, struct front *front, struct invocation *in)
{
    const struct options *o = in->options;
    const struct node *asked = front->suites.count ? front_profile_key(front, "reports") : NULL;

    add_path(paths, in->arena, front_store_path(in, front));
    if (o->junit)
        add_path(paths, in->arena, o->junit);
    for (size_t i = 0; i < o->reports.count; i++)
        add_path(paths, in->arena,
                 strchr(o->reports.values[i], '=') ? strchr(o->reports.values[i], '=') + 1 : "");
    for (uint32_t i = 0; asked && asked->kind == NODE_MAP && i < asked->map.count; i++) {
        struct str path = node_text(asked->map.pairs[i].value, in->arena);
        const char *folder = str_starts(path, "/") ? "" : front->suites.list[0]->dir;

        add_path(paths, in->arena, arena_printf(in->arena, "%s%.*s", folder, STR_ARG(path)));
    }
}

static void watch_suites(struct again *a, struct front *front, struct invocation *in)
{
    struct paths roots = {0}, written = {0};
    const char *trouble;

    for (uint32_t i = 0; i < front->suites.count; i++)
        if (!front->suites.list[i]->left_out)
            add_path(&roots, in->arena, *front->suites.list[i]->dir ? front->suites.list[i]->dir : ".");
    add_written(&written, front, in);
    changes_watch(a->changes, roots.list, roots.count, written.list, written.count);
    trouble = changes_trouble(a->changes);
    if (trouble)
        diag_warning(in->diags, nowhere, "%s", trouble);
    free(roots.list);
    free(written.list);
}

/* Before each run, since the file says which folders there are. False: there is none, or it is wrong. */
static bool look(struct again *a)
{
    struct arena arena = {0};
    struct diags diags = {.arena = &arena};
    struct invocation in = *a->in;
    struct front front;
    bool good;

    in.arena = &arena;
    in.diags = &diags;
    good = front_open(&front, &in) == EXIT_PASSED;
    if (good)
        diags = (struct diags){.arena = &arena}; /* the run itself will say it */
    if (front.suites.count)
        watch_suites(a, &front, &in);
    a->ended = a->ended || !front.file;
    diags_print(&diags, stderr);
    front_release(&front);
    arena_release(&arena);
    return good;
}

/* ---- a run ---- */

/* One that came from the terminal has come to the run too. */
static void take_signal(struct again *a, pid_t pid)
{
    struct signalfd_siginfo info;

    while (read(a->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCONT) {
            if (!pid)
                tty_keys(&a->tty);
            continue;
        }
        a->ended = true;
        if (pid && info.ssi_code == SI_USER)
            kill(pid, (int)info.ssi_signo); /* our child, not reaped: it is nobody else's number */
    }
}

/* Towards its end a run lets itself be ended by what interrupts it (signals_let_go). */
static enum exit_code code_of(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return (enum exit_code)info->si_status;
    switch (info->si_status) {
    case SIGHUP:
    case SIGINT:
    case SIGQUIT:
    case SIGTERM: return EXIT_INTERRUPTED;
    default: return EXIT_BROKEN;
    }
}

/* Changes are taken as they come: the kernel's queue is not endless, and new folders are to be watched. */
static void attend(struct again *a, pid_t pid)
{
    struct pollfd fds[] = {{.fd = pidfd_of(pid), .events = POLLIN},
                           {.fd = changes_fd(a->changes), .events = POLLIN},
                           {.fd = a->signals, .events = POLLIN}};
    siginfo_t info = {0};

    while (!info.si_pid) {
        poll(fds, ARRAY_LEN(fds), fds[0].fd < 0 ? LOOK_MS : -1);
        changes_read(a->changes);
        take_signal(a, pid);
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0)
            break;
    }
    fd_close(&fds[0].fd);
    a->code = code_of(&info);
}

/* In the process of the run: all that it is to have of ours is what to run. Should we die, it is to end. */
static enum exit_code be_run(struct again *a, pid_t watcher)
{
    struct invocation *in = a->in;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!a->all)
        narrow(in, a->changes);
    a->tty.changed = false; /* it is the watcher's */
    close_all(a);
    sigprocmask(SIG_SETMASK, &a->before, NULL);
    return getppid() == watcher ? a->round(in) : EXIT_INTERRUPTED;
}

/* ---- between two runs ---- */

static void take_keys(struct again *a, bool *run)
{
    bool gone = false;
    char key;

    a->deaf = true;
    while ((key = tty_key(&a->tty, &gone))) {
        a->deaf = false;
        a->ended = a->ended || key == 'q';
        *run = *run || key == '\n' || key == '\r';
    }
    a->all = a->all || *run;
    if (gone)
        tty_close(&a->tty);
}

static int until(nanos when, nanos now)
{
    return when <= now ? 0 : (int)((when - now) / NS_PER_MS) + 1;
}

static nanos monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Until something happens, at most until `limit` (0: for ever). */
static void wait_once(struct again *a, nanos limit, bool *run)
{
    struct pollfd fds[] = {{.fd = a->deaf ? -1 : a->tty.fd, .events = POLLIN},
                           {.fd = changes_fd(a->changes), .events = POLLIN},
                           {.fd = a->signals, .events = POLLIN}};
    int timeout = limit ? until(limit, monotonic()) : -1;

    if (a->deaf && (timeout < 0 || timeout > LOOK_MS))
        timeout = LOOK_MS;
    a->deaf = false;
    poll(fds, ARRAY_LEN(fds), timeout);
    changes_read(a->changes);
    take_signal(a, 0);
    if (fds[0].revents)
        take_keys(a, run);
}

/* From the first change on until there was none for a moment. */
static void let_finish(struct again *a, bool *run)
{
    nanos last = monotonic() + QUIET_MOST, quiet = monotonic() + QUIET;
    size_t before = changes_count(a->changes);

    while (!a->ended && !*run && monotonic() < quiet && monotonic() < last) {
        wait_once(a, quiet, run);
        if (changes_count(a->changes) != before)
            quiet = monotonic() + QUIET;
        before = changes_count(a->changes);
    }
}

static void say_waiting(struct again *a)
{
    size_t count = changes_folders(a->changes);

    printf("waiting for changes in %zu folder%s%s\n", count, count == 1 ? "" : "s",
           a->tty.fd >= 0 ? "; Enter runs everything, q ends" : "");
    fflush(stdout);
}

/* Whoever writes below his own folder would call for a run for ever. */
static bool goes_round(struct again *a)
{
    bool changed = changes_any(a->changes);

    a->self = changed ? a->self + 1 : 0;
    if (a->self < SELF_MOST)
        return false;
    a->self = 0;
    printf(
        "'%s' has changed in each of %d runs, and is not waited for any longer: if they write it, name it in "
        ".gitignore\n",
        changes_count(a->changes) ? changes_path(a->changes, 0) : "something", SELF_MOST);
    return true;
}

/* Changes that came while a run went on are of the next one. */
static void wait_for_reason(struct again *a)
{
    bool run = false, round = goes_round(a);
    size_t known = changes_count(a->changes);

    a->all = false;
    if (!changes_any(a->changes) || round)
        say_waiting(a);
    tty_keys(&a->tty);
    while (!a->ended && !run && (round ? changes_count(a->changes) == known : !changes_any(a->changes)))
        wait_once(a, 0, &run);
    let_finish(a, &run);
    tty_restore(&a->tty);
}

/* ---- all of it ---- */

/* True: we are the process of a run, and `code` is what it came to. */
static bool one_round(struct again *a)
{
    pid_t watcher = getpid(), pid;

    if (!look(a)) {
        a->code = EXIT_USAGE;
        changes_forget(a->changes);
        return false;
    }
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        a->code = be_run(a, watcher);
        return true;
    }
    changes_forget(a->changes); /* it has its own copy of them */
    if (pid > 0) {
        attend(a, pid);
        return false;
    }
    diag_error(a->in->diags, nowhere, "cannot start a run: %s", strerror(errno));
    a->code = EXIT_BROKEN;
    a->ended = true;
    return false;
}

enum exit_code again_run(struct invocation *in, again_round *round)
{
    struct again a = {.in = in, .round = round, .all = true};
    bool good = open_all(&a);

    while (good && !a.ended) {
        bool bad = a.code == EXIT_USAGE;

        a.all = a.all || bad;
        if (one_round(&a))
            return a.code;
        if (!a.ended)
            wait_for_reason(&a);
    }
    close_all(&a);
    return good ? a.code : EXIT_USAGE;
}
