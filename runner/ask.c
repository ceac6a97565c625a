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
        .outputs = {a->spec->stdio[1], a->spec->stdio[2], -1},
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

static void fail(struct asked *asked, const char *what)
{
    snprintf(asked->error, sizeof asked->error, "cannot %s: %s", what, strerror(errno));
}

/* One that goes on. */
struct going {
    struct ask *ask; /* NULL: nobody is here */
    struct asking *asking;
    int stdio[3];
    pid_t pid;
    int pidfd;
};

static void take(int fd, struct buf *out)
{
    if (lseek(fd, 0, SEEK_SET) == 0)
        fd_read_all(fd, out, ASK_OUTPUT_MOST);
}

static void give_back(struct going *g)
{
    munmap(g->asking, sizeof *g->asking);
    for (int i = 0; i < 3; i++)
        fd_close(&g->stdio[i]);
    fd_close(&g->pidfd);
    g->ask = NULL;
}

static bool get_memory(struct going *g)
{
    g->asking = mmap(NULL, sizeof *g->asking, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g->stdio[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g->stdio[1] = memfd_create("stdout", MFD_CLOEXEC);
    g->stdio[2] = memfd_create("stderr", MFD_CLOEXEC);
    return g->asking != MAP_FAILED && g->stdio[0] >= 0 && g->stdio[1] >= 0 && g->stdio[2] >= 0;
}

/* False: it is over, and has its error. */
static bool begin_asking(struct going *g, struct ask *ask, const char *contain)
{
    pid_t parent = getpid();

    *g = (struct going){.ask = ask, .stdio = {-1, -1, -1}, .pidfd = -1};
    ask->asked = (struct asked){.status = -1};
    if (!get_memory(g)) {
        fail(&ask->asked, "get memory for its output");
        if (g->asking == MAP_FAILED)
            g->asking = NULL;
        give_back(g);
        return false;
    }
    g->asking->asked = ask->asked;
    for (int i = 0; i < 3; i++)
        ask->spec->stdio[i] = g->stdio[i];
    fflush(NULL);
    g->pid = fork();
    if (g->pid == 0)
        stand_between(
            (struct asker){
                .asking = g->asking, .spec = ask->spec, .wanted = contain, .deadline = ask->deadline},
            parent);
    if (g->pid < 0) {
        fail(&ask->asked, "start a process");
        give_back(g);
        return false;
    }
    g->pidfd = pidfd_of(g->pid);
    return true;
}

static void end_asking(struct going *g)
{
    struct asked *asked = &g->ask->asked;
    int status = 0;

    while (waitpid(g->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    *asked = g->asking->asked;
    if (!g->asking->answered)
        snprintf(asked->error, sizeof asked->error, "whoever watched over it was killed (%s %d)",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    take(g->stdio[1], &g->ask->out);
    take(g->stdio[2], &g->ask->err);
    give_back(g);
}

/* Which of them has come to its end; the first there is where that cannot be told. */
static uint32_t await_one(const struct going *list, uint32_t count)
{
    struct pollfd fds[ASK_MOST];
    uint32_t first = 0;

    for (uint32_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){list[i].ask ? list[i].pidfd : -1, POLLIN, 0};
    while (!list[first].ask)
        first++;
    while (poll(fds, count, list[first].pidfd < 0 ? 0 : -1) < 0 && errno == EINTR)
        continue;
    for (uint32_t i = 0; i < count; i++)
        if (fds[i].revents)
            return i;
    return first;
}

void ask_all(struct ask *asks, uint32_t count, uint32_t at_a_time, const char *contain)
{
    struct going going[ASK_MOST] = {0};
    uint32_t places = at_a_time < 1 ? 1 : at_a_time < ASK_MOST ? at_a_time : ASK_MOST;
    uint32_t next = 0, alive = 0;

    while (next < count || alive) {
        uint32_t place = 0;

        while (place < places && going[place].ask)
            place++;
        if (place < places && next < count) {
            alive += begin_asking(&going[place], &asks[next++], contain);
            continue;
        }
        end_asking(&going[await_one(going, places)]);
        alive--;
    }
}

void ask(struct spawn_spec *spec, const char *contain, nanos deadline, struct buf *out, struct buf *err,
         struct asked *asked)
{
    struct ask one = {.spec = spec, .deadline = deadline};

    ask_all(&one, 1, 1, contain);
    *asked = one.asked;
    *out = one.out;
    *err = one.err;
}
