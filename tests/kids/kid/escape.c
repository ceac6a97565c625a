/* They leave processes behind that are hard to get hold of. */
#include "tests/kids/kid/kid.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STORM_REST 50 /* ms: two hundred are to leave some of the processor to those who end them */

/* The program itself, waiting, under the word that is given. */
static void execute(char *word, char *const envp[])
{
    char path[PATH_MAX] = "", name[] = "kid", linger[] = "linger";
    char *argv[] = {name, linger, word, NULL};

    if (readlink("/proc/self/exe", path, sizeof path - 1) > 0)
        execve(path, argv, envp);
    _exit(99);
}

/* The last descriptor is closed by the exec, and by that it is told. */
static void be_clean(int tell, char **args)
{
    if (chdir("/") < 0 || dup2(tell, 0) < 0 || fcntl(0, F_SETFD, FD_CLOEXEC) < 0)
        _exit(99);
    close_range(1, ~0U, 0);
    execute(args[0], (char *[]){NULL});
}

static int vfork_child(char **args)
{
    pid_t pid = vfork();

    if (pid == 0)
        execute(args[0], environ);
    if (pid < 0)
        return broken("vfork");
    printf("%ld\n", (long)pid);
    return 0;
}

static void *fork_in_thread(void *args)
{
    static const struct kid child = {0};

    return kid_leave(&child, args) == 0 ? args : NULL;
}

static int thread_fork(char **args)
{
    pthread_t thread;
    void *result;

    errno = pthread_create(&thread, NULL, fork_in_thread, args);
    if (errno)
        return broken("pthread_create");
    pthread_join(thread, &result);
    return result ? 0 : 99;
}

/* A child of our parent, who knows nothing of it. */
static int have_sibling(char **args)
{
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

    (void)args;
    if (pid == 0) {
        limit_life(KID_LIFE);
        linger();
    }
    if (pid < 0)
        return broken("clone");
    printf("%ld\n", (long)pid);
    return 0;
}

static time_t now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec;
}

/* It forks and exits for ever; the number it has is not the one it had. */
static _Noreturn void hop(int tell, bool sessions, long rest)
{
    time_t end = now() + KID_HOPPING;
    bool told = false;

    while (now() < end) {
        pid_t pid = fork();

        if (pid > 0)
            _exit(0);
        if (pid == 0 && sessions)
            setsid();
        if (pid == 0 && !told) {
            close(tell);
            told = true;
        }
        sleep_ms(rest);
    }
    _exit(0);
}

static void be_hopper(int tell, char **args)
{
    hop(tell, false, number(args[0]));
}

static void be_session_hopper(int tell, char **args)
{
    hop(tell, true, number(args[0]));
}

static void be_storm(int tell, char **args)
{
    for (long count = number(args[0]); count > 0; count--)
        if (fork() == 0)
            hop(tell, count % 2, STORM_REST);
    _exit(0);
}

#define LEAVES .leaves = true
const struct kid kids_escape[] = {
    {"clean-daemon", "TOKEN", "leaves a daemon without environment, descriptors or folder", 1, LEAVES,
     .places = KID_SESSION | KID_TWICE, .left = be_clean},
    {"vfork-child", "TOKEN", "leaves a child made by vfork and exec", 1, .act = vfork_child},
    {"thread-fork", "", "leaves a child that one of its threads made", 0, .act = thread_fork},
    {"sibling", "", "leaves a child of its own parent", 0, .act = have_sibling},
    {"hopper", "MS", "leaves a process that forks, exits, and rests so long before it does so again", 1,
     LEAVES, .left = be_hopper},
    {"hopper-setsid", "MS", "... and makes a session each time", 1, LEAVES, .left = be_session_hopper},
    {"storm", "N", "leaves N hoppers, half of them making sessions", 1, LEAVES, .left = be_storm},
    {0},
};
