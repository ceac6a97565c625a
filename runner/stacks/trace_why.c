#include "runner/stacks/tracing.h"

#include "runner/base/io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATUS_MOST ((size_t)64 << 10)
#define SCOPE       "/proc/sys/kernel/yama/ptrace_scope"

/* The first number of a line of status, -1: there is none. */
static long number_in(struct str status, const char *name)
{
    size_t at;

    if (!str_find(status, name, &at))
        return -1;
    return strtol(status.ptr + at + strlen(name), NULL, 10);
}

static bool read_of_thread(const struct traced *traced, pid_t tid, const char *name, struct buf *out)
{
    char path[64];

    snprintf(path, sizeof path, "task/%ld/%s", (long)tid, name);
    return file_read_at(traced->folder, path, out, STATUS_MOST) == 0;
}

char state_of_thread(const struct traced *traced, pid_t tid)
{
    struct buf line = {0};
    struct proc_stat stat;
    char state = 'X';

    if (read_of_thread(traced, tid, "stat", &line) && proc_stat_parse(buf_str(&line), &stat))
        state = stat.state;
    buf_release(&line);
    return state;
}

static pid_t tracer_of(const struct traced *traced, pid_t tid)
{
    struct buf status = {0};
    long tracer = -1;

    if (read_of_thread(traced, tid, "status", &status))
        tracer = number_in(buf_str(&status), "\nTracerPid:");
    buf_release(&status);
    return tracer > 0 ? (pid_t)tracer : 0;
}

bool is_traced_by_us(const struct traced *traced, pid_t tid)
{
    pid_t tracer = tracer_of(traced, tid);
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%ld", (long)tracer);
    return tracer && access(path, F_OK) == 0;
}

/* The kernel answers EPERM to all of this. */
static bool say_of_tracer(struct traced *traced, pid_t tid)
{
    pid_t tracer = tracer_of(traced, tid);
    struct proc_stat stat;

    if (!tracer)
        return false;
    if (proc_stat_read(tracer, &stat) < 0)
        snprintf(stat.comm, sizeof stat.comm, "process");
    snprintf(traced->why_not, sizeof traced->why_not, "it is traced by %s (%ld)", stat.comm, (long)tracer);
    return true;
}

static bool say_of_kernel(struct traced *traced)
{
    struct proc_stat stat;

    if (proc_stat_read(traced->id.pid, &stat) < 0 || (stat.pid != 2 && stat.ppid != 2) || stat.rss_pages)
        return false;
    snprintf(traced->why_not, sizeof traced->why_not, "it is a thread of the kernel");
    return true;
}

/* What belongs to it in /proc is root's where it may not be looked at, by its own wish or as its program was another's. */
static bool say_of_user(struct traced *traced)
{
    struct buf status = {0};
    struct stat st;
    long uid = -1;

    if (file_read_at(traced->folder, "status", &status, STATUS_MOST) == 0)
        uid = number_in(buf_str(&status), "\nUid:");
    buf_release(&status);
    if (uid < 0 || geteuid() == 0)
        return false;
    if ((uid_t)uid != geteuid())
        snprintf(traced->why_not, sizeof traced->why_not, "it is of another user (%ld)", uid);
    else if (fstatat(traced->folder, "fd", &st, 0) == 0 && st.st_uid != (uid_t)uid)
        snprintf(traced->why_not, sizeof traced->why_not,
                 "it may not be looked into: PR_SET_DUMPABLE is 0, or its program is not readable");
    else
        return false;
    return true;
}

static bool say_of_scope(struct traced *traced)
{
    struct buf text = {0};
    int scope = file_read(SCOPE, &text, 64) == 0 ? atoi(buf_text(&text)) : 0;

    buf_release(&text);
    if (scope <= 0)
        return false;
    snprintf(traced->why_not, sizeof traced->why_not, "it may not be traced: " SCOPE " is %d, %s", scope,
             scope == 1   ? "and it is not below us"
             : scope == 2 ? "and we are not root"
                          : "so nobody may");
    return true;
}

void say_why_not(struct traced *traced, pid_t tid, int error)
{
    if (error != EPERM)
        snprintf(traced->why_not, sizeof traced->why_not, "it cannot be traced: %s", strerror(error));
    else if (!say_of_tracer(traced, tid) && !say_of_kernel(traced) && !say_of_user(traced) &&
             !say_of_scope(traced))
        snprintf(traced->why_not, sizeof traced->why_not, "it may not be traced");
}
