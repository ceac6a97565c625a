/*
 * Python: faulthandler writes where all threads are into memory that our sitecustomize (fixtures/python) has opened in it. The
 * name of that memory says which descriptor it is, and which signal; who has closed it is not asked, since what has the number
 * now may be anything.
 */
#include "runner/diagnose/runtime.h"

#include "runner/base/installed.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define THREADS_MOST 256 /* that are looked at, whether they are writing the answer */

/* Where our sitecustomize tries, in its order. */
static const int numbers[] = {1000, 500, 250, 100};

/* Real-time signals: whatever is written there, no others are sent. */
static bool parse_name(const char *target, int number, struct asked *asked)
{
    int said, threads, tasks, consumed = 0;

    if (sscanf(target, "/memfd:" INSTALLED_PYTHON_MEMORY "%d:%d:%d (deleted)%n", &said, &threads, &tasks,
               &consumed) != 3 ||
        consumed == 0 || target[consumed] || said != number || threads < SIGRTMIN || threads > SIGRTMAX ||
        tasks < SIGRTMIN || tasks > SIGRTMAX)
        return false;
    asked->signal = threads;
    asked->python.tasks = tasks;
    return true;
}

static bool read_link(const char *path, char target[128])
{
    ssize_t len = readlink(path, target, 127);

    target[len < 0 ? 0 : len] = '\0';
    return len > 0;
}

/* What was opened is looked at again: it may have become another file meanwhile. */
static bool open_memory(struct asked *asked, int number)
{
    char path[64], target[128];
    struct stat st;

    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)asked->process->id.pid, number);
    if (!read_link(path, target) || !parse_name(target, number, asked))
        return false;
    asked->python.file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (asked->python.file < 0)
        return false;
    snprintf(path, sizeof path, "/proc/self/fd/%d", asked->python.file);
    if (read_link(path, target) && parse_name(target, number, asked) && fstat(asked->python.file, &st) == 0 &&
        S_ISREG(st.st_mode)) {
        asked->lane = st.st_ino; /* who was forked past Python shares it */
        return true;
    }
    fd_close(&asked->python.file);
    return false;
}

static const char *python_prepare(struct asked *asked)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        if (open_memory(asked, numbers[i]))
            return NULL;
    return "it was not started to be asked: not below run-matrix, with -I, -E or -S, by a Python before 3.8, "
           "or it "
           "has closed what was opened for that";
}

/* ---- whether all is written: the signal is blocked in the thread that writes, as long as it does ---- */

static unsigned blocked_in(const struct asked *asked)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    unsigned looked = 0, blocked = 0;
    DIR *tasks;

    snprintf(path, sizeof path, "/proc/%ld/task", (long)asked->process->id.pid);
    tasks = opendir(path);
    while (tasks && looked < THREADS_MOST && (entry = readdir(tasks))) {
        if (*entry->d_name == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%ld/task/%s/status", (long)asked->process->id.pid, entry->d_name);
        blocked += (asked_signals(path, "\nSigBlk:") >> (asked->signal - 1)) & 1;
        looked++;
    }
    if (tasks)
        closedir(tasks);
    return blocked;
}

static uint64_t size_of(const struct asked *asked)
{
    struct stat st;

    return fstat(asked->python.file, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
}

static void python_mark(struct asked *asked)
{
    asked->python.from = asked->python.seen = size_of(asked);
    asked->python.blocked = blocked_in(asked);
}

static void take_answer(struct asked *asked)
{
    uint64_t size = asked->python.seen - asked->python.from;
    size_t most = size < RUNTIME_ANSWER_MOST ? (size_t)size : RUNTIME_ANSWER_MOST;
    struct buf text = {0};
    ssize_t got;

    buf_reserve(&text, most);
    got = pread(asked->python.file, text.ptr, most, (off_t)asked->python.from);
    text.len = got > 0 ? (size_t)got : 0;
    if (text.len)
        asked->process->runtime_says = asked_text(asked, buf_str(&text));
    buf_release(&text);
}

/* What awaits something in asyncio is on no thread's stack: who is in it is asked for that too. False: there is no need. */
static bool ask_for_tasks(struct asked *asked)
{
    const char *says = asked->process->runtime_says;

    if (asked->python.asked_for_tasks || !says || !strstr(says, "/asyncio/") ||
        !asked_catches(asked, asked->python.tasks))
        return false;
    asked->python.asked_for_tasks = true;
    asked->python.told = asked->python.seen;
    asked_lives(asked);
    return pidfd_signal(asked->pidfd, asked->python.tasks) == 0;
}

/* These end with a NUL, at which the text ends too. */
static bool all_tasks_are_told(const struct asked *asked)
{
    char last = 1;

    return asked->python.seen > asked->python.told &&
           pread(asked->python.file, &last, 1, (off_t)asked->python.seen - 1) == 1 && !last;
}

static bool python_look(struct asked *asked)
{
    uint64_t size = size_of(asked);

    if (size > asked->python.seen) {
        asked->python.seen = size;
        asked_lives(asked);
    }
    if (asked->python.asked_for_tasks) {
        if (!all_tasks_are_told(asked))
            return false;
        take_answer(asked);
        return true;
    }
    if (size <= asked->python.from || blocked_in(asked) > asked->python.blocked)
        return false;
    asked->python.seen = size_of(asked);
    take_answer(asked);
    return !ask_for_tasks(asked);
}

static void python_give_up(struct asked *asked)
{
    if (asked->python.seen > asked->python.from)
        take_answer(asked);
}

static void python_release(struct asked *asked)
{
    fd_close(&asked->python.file);
}

const struct runtime_way runtime_python = {
    .prepare = python_prepare,
    .mark = python_mark,
    .look = python_look,
    .give_up = python_give_up,
    .release = python_release,
};
