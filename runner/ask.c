#include "runner/ask.h"

#include "runner/base/io.h"
#include "runner/base/proc.h"
#include "runner/harness/harness.h"
#include "runner/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ASK_SETUP (10 * NS_PER_S)

/* In memory that both of us see: what the process in between writes of the end. */
struct asking {
    struct asked asked;
    bool answered;
};

/* The process in between. */
struct asker {
    struct asking *asking;
    struct spawn_spec *spec;
    const char *wanted; /* containment; NULL: any */
    nanos deadline;
    struct signals signals;
    struct contain *contain;
    struct watch *watch;
    struct spawn *spawn;
    struct process process;
    struct ladder ladder; /* INT group 3s, TERM tree 2s, KILL, as for a case */
};

/* ---- the process in between ---- */

static bool could_not(struct asker *a, const char *what)
{
    snprintf(a->asking->asked.error, sizeof a->asking->asked.error, "cannot %s: %s", what, strerror(errno));
    return false;
}

/*
 * All in a PID namespace ends with whoever made it, whatever becomes of us. Where that cannot be had, TERM is what we
 * get when our parent dies, and there is time to end what we have started.
 */
static bool prepare(struct asker *a)
{
    struct buf why = {0};
    char name[32];

    snprintf(name, sizeof name, "ask-%ld", (long)getpid());
    if (signals_open(&a->signals) < 0)
        return could_not(a, "read signals");
    if (!a->wanted || strcmp(a->wanted, contain_word[CONTAIN_GROUP]) != 0)
        a->contain = contain_open(contain_word[CONTAIN_PIDNS], name, 1, &why);
    if (!a->contain)
        a->contain = contain_open(contain_word[CONTAIN_GROUP], name, 1, &why);
    buf_release(&why);
    if (!a->contain || contain_start(a->contain) < 0)
        return could_not(a, "contain it");
    a->watch = watch_new(a->contain, 1);
    a->spawn = a->watch ? spawn_new() : NULL;
    return a->spawn || could_not(a, "start the watchdog");
}

static bool start(struct asker *a)
{
    struct contain_place *place = contain_place(a->contain, 0);
    const struct contain_wants nothing = {0};
    struct spawn_error error = {0};
    struct buf words = {0};

    if (contain_prepare(place, &nothing, a->spec) < 0)
        return could_not(a, "make a place to contain it");
    if (backends[BACKEND_EXEC]->start(a->spawn, a->spec, &a->process, &error))
        return true;
    contain_not_started(place);
    spawn_error_words(&words, error, a->spec);
    snprintf(a->asking->asked.error, sizeof a->asking->asked.error, "%s", buf_text(&words));
    buf_release(&words);
    return false;
}

static void begin(struct asker *a)
{
    const struct watched watched = {
        .process = a->process,
        .spawn = a->spawn,
        .limits = {[WATCH_SETUP] = ASK_SETUP, [WATCH_CALL] = a->deadline},
        .ladder = &a->ladder,
        .place = contain_place(a->contain, 0),
        .output_limit = ASK_OUTPUT_MOST,
        .outputs = {a->spec->stdio[1], a->spec->stdio[2]},
    };

    watch_begin(a->watch, 0, &watched, watch_now(a->watch));
}

static void heed_signals(struct asker *a)
{
    int number;

    while ((number = signals_next(&a->signals)) != 0)
        if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT) {
            a->asking->asked.cancelled = true;
            watch_cancel(a->watch, 3, 0);
        }
}

/* True when something says that it may be over. */
static bool heed_watch(struct asker *a)
{
    struct watch_event event;
    bool over = false;

    while (watch_next(a->watch, &event)) {
        if (event.kind == WATCH_TELLS_REMAINS)
            watch_end(a->watch, 0, WATCH_REMAINS);
        over |= event.kind == WATCH_TELLS_OVER;
    }
    return over;
}

static void wait_for_end(struct asker *a, struct watch_ending *ending)
{
    enum watch_news news = WATCH_GOES_ON;
    struct pollfd fds[] = {
        {a->signals.fd, POLLIN, 0}, {watch_fd(a->watch), POLLIN, 0}, {a->process.pidfd, POLLIN, 0}};

    while (news != WATCH_IS_OVER) {
        bool look;

        fds[2].fd = news == WATCH_GOES_ON ? a->process.pidfd : -1;
        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            return;
        heed_signals(a);
        look = heed_watch(a);
        if (look || (fds[2].fd >= 0 && fds[2].revents))
            news = watch_reap(a->watch, 0, ending);
    }
}

/* ---- whoever is left ---- */

#define SWEEPS_MOST 5000 /* of a millisecond each: who does not die then is stuck in the kernel */

static bool kill_child(void *user, pid_t pid)
{
    struct proc_stat stat;

    (void)user;
    if (proc_stat_read(pid, &stat) == 0 && stat.ppid == getpid())
        kill(pid, SIGKILL); /* not reaped by us yet, so its number is its own */
    return true;
}

/* All that this process has started are of the one command, and those who lost their parents have fallen to it. */
static void sweep(void)
{
    const struct timespec pause = {0, NS_PER_MS};

    for (unsigned i = 0; i < SWEEPS_MOST; i++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG | __WALL);

        if (pid < 0 && errno == ECHILD)
            return;
        if (pid > 0)
            continue;
        proc_each(kill_child, NULL);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

/* ---- the whole of it ---- */

static void tell(struct asker *a, const struct watch_ending *ending)
{
    struct asked *asked = &a->asking->asked;
    struct buf words = {0};

    asked->status = ending->status;
    asked->signal = ending->signal;
    asked->timed_out = ending->cause == WATCH_DEADLINE;
    asked->flooded = ending->cause == WATCH_FLOOD;
    if (ending->spawned == SPAWN_FAILED) {
        spawn_error_words(&words, ending->error, a->spec);
        snprintf(asked->error, sizeof asked->error, "%s", buf_text(&words));
        buf_release(&words);
    }
}

static _Noreturn void stand_between(struct asker a, pid_t parent)
{
    struct watch_ending ending = {.status = -1};

    a.ladder = (struct ladder){{{SIGINT, LADDER_GROUP, 3 * NS_PER_S},
                                {SIGTERM, LADDER_TREE, 2 * NS_PER_S},
                                {SIGKILL, LADDER_TREE, -1}},
                               3};
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && prepare(&a) && start(&a)) {
        begin(&a);
        wait_for_end(&a, &ending);
        tell(&a, &ending);
        watch_free(a.watch);
        contain_close(a.contain);
    }
    sweep();
    a.asking->answered = true;
    _exit(0);
}

/* ---- we ---- */

static void wait_for(pid_t pid, struct asking *asking)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!asking->answered)
        snprintf(asking->asked.error, sizeof asking->asked.error,
                 "whoever watched over it was killed (%s %d)", WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void take(int fd, struct buf *out)
{
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) == 0)
        fd_read_all(fd, out, ASK_OUTPUT_MOST);
}

static void fail(struct asked *asked, const char *what)
{
    snprintf(asked->error, sizeof asked->error, "cannot %s: %s", what, strerror(errno));
}

static void ask_with(struct asker *a)
{
    pid_t parent = getpid(), pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        stand_between(*a, parent);
    if (pid < 0)
        fail(&a->asking->asked, "start a process");
    else
        wait_for(pid, a->asking);
}

void ask(struct spawn_spec *spec, const char *contain, nanos deadline, struct buf *out, struct buf *err,
         struct asked *asked)
{
    struct asking *asking =
        mmap(NULL, sizeof *asking, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int files[2] = {memfd_create("stdout", MFD_CLOEXEC), memfd_create("stderr", MFD_CLOEXEC)};

    *asked = (struct asked){.status = -1};
    if (asking == MAP_FAILED || null < 0 || files[0] < 0 || files[1] < 0) {
        fail(asked, "get memory for its output");
    } else {
        asking->asked = *asked;
        spec->stdio[0] = null;
        spec->stdio[1] = files[0];
        spec->stdio[2] = files[1];
        ask_with(&(struct asker){.asking = asking, .spec = spec, .wanted = contain, .deadline = deadline});
        *asked = asking->asked;
        take(files[0], out);
        take(files[1], err);
    }
    if (asking != MAP_FAILED)
        munmap(asking, sizeof *asking);
    fd_close(&null);
    fd_close(&files[0]);
    fd_close(&files[1]);
}
