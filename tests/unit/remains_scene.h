/*
 * A run that has died, made by hand, and kids that are left of it: this program again, orphans in sessions of their own. For the
 * tests of remains.
 */
#ifndef TESTS_REMAINS_SCENE_H
#define TESTS_REMAINS_SCENE_H

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/mem.h"
#include "runner/remains/internal.h"
#include "tests/unit/forks.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define WALL        1795241567123 /* 2026-11-21 06:12:47 */
#define READY       3             /* descriptors of a kid: it writes a byte when it is as it should be, */
#define LIFELINE    4             /* and as long as somebody has this one, somebody of its kind is alive */
#define KID_LIVES   60            /* seconds, should a test fail */
#define HOPPER_LIVE (3 * NS_PER_S)

/* ---- kids ---- */

static inline void be_ready(void)
{
    if (write(READY, "", 1) != 1)
        _exit(1);
    close(READY);
}

static inline void kid_hangs(const char *path)
{
    (void)path;
    be_ready();
    for (;;)
        pause();
}

static inline void kid_is_stubborn(const char *path)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    kid_hangs(path);
}

/* As what a shell has started in the background. */
static inline void kid_hears_term(const char *path)
{
    signal(SIGINT, SIG_IGN);
    kid_hangs(path);
}

static inline void *hang(void *nothing)
{
    be_ready();
    for (;;)
        pause();
    return nothing;
}

static inline void kid_has_no_first_thread(const char *path)
{
    pthread_t thread;

    if (open(path, O_WRONLY | O_CREAT, 0600) < 0 || pthread_create(&thread, NULL, hang, NULL) != 0)
        _exit(1);
    pthread_exit(NULL);
}

static inline void kid_is_stopped(const char *path)
{
    be_ready();
    raise(SIGSTOP);
    for (;;)
        pause();
    (void)path;
}

static inline void kid_stands_in(const char *path)
{
    if (chdir(path) < 0)
        _exit(1);
    kid_hangs(path);
}

static inline void kid_reads(const char *path)
{
    if (open(path, O_RDONLY | O_CREAT, 0600) < 0)
        _exit(1);
    kid_hangs(path);
}

static inline void kid_writes(const char *path)
{
    if (open(path, O_WRONLY | O_CREAT, 0600) < 0)
        _exit(1);
    kid_hangs(path);
}

static inline void kid_has_terminal(const char *path)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);

    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 || open(ptsname(master), O_RDWR) < 0)
        _exit(1);
    kid_stands_in(path);
}

static inline void kid_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
        _exit(1);
    kid_hangs(path);
}

static inline void kid_shares(const char *name)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

    if (fd < 0 || ftruncate(fd, 4096) < 0 ||
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED)
        _exit(1);
    kid_hangs(name);
}

/* A child that has cleaned its environment. */
static inline void kid_has_child(const char *path)
{
    if (must_fork() == 0) {
        clearenv();
        execl("/proc/self/exe", "kid", "hangs", path, NULL);
        _exit(1);
    }
    close(READY);
    for (;;)
        pause();
}

/* A new process for ever, each of which lives no longer than it takes to start the next. */
static inline void kid_hops(const char *path)
{
    nanos end = clock_now() + HOPPER_LIVE;
    bool told = false;

    (void)path;
    while (clock_now() < end) {
        pid_t pid = fork();

        if (pid > 0)
            break;
        if (pid == 0 && !told) {
            be_ready();
            told = true;
        }
    }
    _exit(0);
}

/* For main, before anything else. */
static inline void be_kid(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*be)(const char *path);
    } kids[] = {
        {"hangs", kid_hangs},
        {"stubborn", kid_is_stubborn},
        {"stopped", kid_is_stopped},
        {"stands", kid_stands_in},
        {"reads", kid_reads},
        {"writes", kid_writes},
        {"sits", kid_has_terminal},
        {"listens", kid_listens},
        {"shares", kid_shares},
        {"parent", kid_has_child},
        {"hops", kid_hops},
        {"background", kid_hears_term},
        {"headless", kid_has_no_first_thread},
    };

    if (argc != 3 || strcmp(argv[0], "kid") != 0)
        return;
    alarm(KID_LIVES);
    for (size_t i = 0; i < ARRAY_LEN(kids); i++)
        if (strcmp(kids[i].name, argv[1]) == 0)
            kids[i].be(argv[2]);
    _exit(1);
}

/* ---- a run that died ---- */

struct scene {
    char path[64]; /* a folder of its own; store and TMPDIRs are in it */
    struct store store;
    struct run_folder run;
    struct held held;
    struct arena arena;
    struct diags diags;
    const char *folder; /* of the run, as TMPDIRs name it */
    const char *mark,
        *stranger; /* what its processes have in their environment, and what those of another run have */
    int ours[2], others[2]; /* lifelines */
    struct buf said;
};

static inline struct proc_id dead_process(void)
{
    pid_t pid = must_fork();
    struct proc_id id;

    if (pid == 0)
        for (;;)
            pause();
    id = proc_identify(pid);
    end_child(pid);
    return id;
}

/* A folder of TMPDIRs that says it is of `run`; NULL: does not say. */
static inline const char *make_root(struct scene *s, const char *name, const char *run)
{
    const char *root = arena_printf(&s->arena, "%s/%s", s->path, name);

    if (mkdir(root, 0700) < 0 ||
        (run && file_write(arena_printf(&s->arena, "%s/" LAYOUT_WHOSE, root), str_of(run)) < 0))
        return NULL;
    return root;
}

/* Its runner is dead; its lock is held until store_close_run. */
static inline bool start_run(struct scene *s)
{
    char *real;

    if (store_new_run(&s->store, WALL, &s->arena, &s->run, &s->diags) < 0)
        return false;
    real = realpath(s->run.path, NULL);
    s->folder = arena_cstr(&s->arena, str_of(real));
    free(real);
    s->mark = arena_printf(&s->arena, "RUN_MATRIX_RUN_ID=%.*s", STR_ARG(s->run.id));
    s->stranger = arena_printf(&s->arena, "%s0", s->mark);
    s->held = (struct held){
        .run = s->run.id,
        .containment = "group",
        .tmp = make_root(s, "rm-aB3d5f", s->folder),
        .guard = dead_process(),
        .runner = dead_process(),
    };
    return s->held.tmp && held_write(s->run.fd, &s->held) == 0;
}

static inline bool scene_open(struct scene *s)
{
    const char *store;

    *s = (struct scene){.path = "/tmp/test_remains-XXXXXX", .store.fd = -1, .run = {.fd = -1, .lock = -1}};
    s->diags.arena = &s->arena;
    if (!mkdtemp(s->path) || pipe2(s->ours, O_CLOEXEC) < 0 || pipe2(s->others, O_CLOEXEC) < 0 ||
        setenv("TMPDIR", s->path, 1) < 0)
        return false;
    store = arena_printf(&s->arena, "%s/.run-matrix", s->path);
    return store_open(&s->store, store, &s->arena, &s->diags) == 0 && start_run(s);
}

static inline void scene_close(struct scene *s)
{
    store_close_run(&s->run);
    store_close(&s->store);
    for (int i = 0; i < 2; i++) {
        fd_close(&s->ours[i]);
        fd_close(&s->others[i]);
    }
    dir_remove(AT_FDCWD, s->path);
    buf_release(&s->said);
    arena_release(&s->arena);
}

static inline void hear(void *user, const char *line)
{
    struct scene *s = user;

    buf_adds(&s->said, line);
    buf_addc(&s->said, '\n');
}

static inline bool said(const struct scene *s, const char *text)
{
    return strstr(buf_text(&s->said), text);
}

static inline struct reaping reaping(struct scene *s)
{
    return (struct reaping){.grace = 100 * NS_PER_MS, .say = hear, .user = s};
}

static inline bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

/* ---- kids started ---- */

struct kid {
    const char *name, *path;
    const char *variable; /* its environment; NULL: it has none */
    bool decoy;
};

_Noreturn static inline void become(const struct scene *s, const struct kid *kid, int ready)
{
    int lifeline = kid->decoy ? s->others[1] : s->ours[1];

    if (setsid() < 0 || must_fork() > 0)
        _exit(0); /* nobody's child */
    if (strcmp(kid->name, "sits") == 0)
        setsid(); /* it has to lead a session to have a terminal */
    ready = fcntl(ready, F_DUPFD, 10);
    lifeline = fcntl(lifeline, F_DUPFD, 10);
    if (dup2(ready, READY) < 0 || dup2(lifeline, LIFELINE) < 0 || close_range(LIFELINE + 1, ~0U, 0) < 0)
        _exit(1);
    execle("/proc/self/exe", "kid", kid->name, kid->path ? kid->path : "", NULL,
           (const char *const[]){kid->variable, NULL});
    _exit(1);
}

/* Returns when it is as it should be; false: it did not come to that. */
static inline bool start(struct scene *s, const struct kid *kid)
{
    int ready[2];
    pid_t pid;
    char byte;
    bool started;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return false;
    pid = must_fork();
    if (pid == 0)
        become(s, kid, ready[1]);
    fd_close(&ready[1]);
    waitpid(pid, NULL, 0); /* nobody to wait for where SIGCHLD is ignored */
    started = read(ready[0], &byte, 1) == 1;
    fd_close(&ready[0]);
    return started;
}

/* There is the end of the file when nobody has a lifeline any more. */
static inline bool are_gone(int lifeline[2])
{
    struct pollfd fd = {.fd = lifeline[0], .events = POLLIN};

    fd_close(&lifeline[1]);
    return poll(&fd, 1, KID_LIVES * 1000 / 2) == 1;
}

static inline bool are_there(int lifeline[2])
{
    struct pollfd fd = {.fd = lifeline[0], .events = POLLIN};

    fd_close(&lifeline[1]);
    return poll(&fd, 1, 0) == 0;
}

/* Decoys go with their test. */
static inline void end_decoys(const struct scene *s)
{
    struct search search = {.marks = {.variable = s->stranger, .since = proc_identify(getpid()).start_ticks}};

    search_look(&search);
    search_end(&search, &(struct reaping){.at_once = true}, NULL);
    search_release(&search);
}

#endif
