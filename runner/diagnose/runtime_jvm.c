/*
 * A JVM answers to SIGQUIT on its standard output. If there is a file that says so, it opens a socket instead, at which what
 * jstack asks for can be had: then nothing is printed, and it may have its output wherever it likes. One that cannot be
 * attached to prints all the same.
 */
#include "runner/diagnose/runtime.h"

#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Version, command and three arguments, each with its NUL. "-l": locks of java.util.concurrent too. */
static const char thread_dump[] = "1\0threaddump\0-l\0\0";

/* Somebody said that it must not be asked so. */
static bool refuses(pid_t pid)
{
    struct buf words = {0};
    bool refuses = proc_cmdline(pid, &words) == 0 && strstr(buf_text(&words), "+DisableAttachMechanism");

    buf_release(&words);
    return refuses;
}

/*
 * Its /tmp as it sees it, opened once: the links in it lead where they lead it, and whatever it makes of them afterwards, what we do
 * is done there. -1: it is not to be had.
 */
static int open_tmp(struct proc_id id)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    char path[64];
    int root, tmp;

    snprintf(path, sizeof path, "/proc/%ld/root", (long)id.pid);
    root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    tmp = root < 0 ? -1 : (int)syscall(SYS_openat2, root, "tmp", &how, sizeof how);
    fd_close(&root);
    if (tmp >= 0 && !proc_is(id))
        fd_close(&tmp);
    return tmp;
}

/* A socket of the JVM's own user, and not what somebody else has put there; to be joined it is opened as it was found. -1. */
static int open_door(const struct asked *asked)
{
    int fd = openat(asked->jvm.tmp, asked->jvm.door, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    char path[64];
    struct stat door, process;

    snprintf(path, sizeof path, "/proc/%ld", (long)asked->process->id.pid);
    if (fd >= 0 && (fstat(fd, &door) < 0 || !S_ISSOCK(door.st_mode) || stat(path, &process) < 0 ||
                    door.st_uid != process.st_uid))
        fd_close(&fd);
    return fd;
}

static bool is_open(const struct asked *asked)
{
    int fd = open_door(asked);
    bool open = fd >= 0;

    fd_close(&fd);
    return open;
}

static bool go_in(struct asked *asked)
{
    int fd = open_door(asked);
    char path[64];
    bool in;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    in = fd >= 0 && talk_open_path(&asked->jvm.talk, path);
    fd_close(&fd);
    return in;
}

static bool wish(struct jvm_asked *jvm)
{
    int file = openat(jvm->tmp, jvm->wish, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

    jvm->wished = file >= 0;
    fd_close(&file);
    return jvm->wished;
}

static bool can_be_joined(struct asked *asked)
{
    struct jvm_asked *jvm = &asked->jvm;
    pid_t pid = asked->process->id.pid;
    char status[64];
    pid_t number;

    snprintf(status, sizeof status, "/proc/%ld/status", (long)pid);
    number = proc_number_within(status);
    if (!number || refuses(pid))
        return false;
    jvm->tmp = open_tmp(asked->process->id);
    if (jvm->tmp < 0)
        return false;
    snprintf(jvm->wish, sizeof jvm->wish, ".attach_pid%ld", (long)number);
    snprintf(jvm->door, sizeof jvm->door, ".java_pid%ld", (long)number);
    if (is_open(asked)) {
        asked->signal = 0;
        return true;
    }
    return wish(jvm);
}

static const char *jvm_prepare(struct asked *asked)
{
    bool joined = can_be_joined(asked), printed = marks_watch(asked, 1);

    asked->lane = printed ? LANE_OUTPUTS : 0;
    asked->jvm.opened = joined && asked->signal;
    return joined || printed
               ? NULL
               : "it would answer on its standard output, which goes elsewhere, and nobody may attach to it";
}

/* Its answer begins with a line that says whether it is one: "0". */
static bool take_told(struct asked *asked)
{
    struct str in = buf_str(&asked->jvm.talk.in);

    if (!str_starts(in, "0\n") || in.len <= 2)
        return false;
    asked->process->runtime_says = asked_text(asked, str_slice(in, 2, in.len));
    return true;
}

/* False: it will say no more. */
static bool hear(struct asked *asked)
{
    struct talk *talk = &asked->jvm.talk;
    size_t had = talk->in.len;
    bool good = talk_turn(talk);

    if (talk->in.len > had)
        asked_lives(asked);
    return good && !talk->ended;
}

static bool jvm_look(struct asked *asked)
{
    struct jvm_asked *jvm = &asked->jvm;

    if (marks_moved(asked) && answer_take(asked, printed_by_jvm, true))
        return true;
    if (jvm->talk.fd < 0 && (jvm->wished || !asked->signal) && go_in(asked)) {
        asked_lives(asked);
        buf_add(&jvm->talk.out, thread_dump, sizeof thread_dump);
    }
    if (jvm->talk.fd < 0 || hear(asked))
        return false;
    take_told(asked);
    return true;
}

static void jvm_give_up(struct asked *asked)
{
    if (!take_told(asked))
        answer_take_late(asked, printed_by_jvm);
}

/* Who is to be killed would leave its socket behind. Others may be asked again, by anybody. */
static void jvm_release(struct asked *asked)
{
    struct jvm_asked *jvm = &asked->jvm;

    talk_close(&jvm->talk);
    if (jvm->wished)
        unlinkat(jvm->tmp, jvm->wish, 0);
    if (jvm->opened && asked->asking->taking->wants->may_end && is_open(asked))
        unlinkat(jvm->tmp, jvm->door, 0);
    fd_close(&jvm->tmp);
}

const struct runtime_way runtime_jvm = {
    .signal = SIGQUIT,
    .prepare = jvm_prepare,
    .mark = marks_take,
    .look = jvm_look,
    .give_up = jvm_give_up,
    .release = jvm_release,
};
