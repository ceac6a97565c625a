#include "runner/base/proc.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROC_PATH_SIZE 64
#define STATUS_MOST    ((size_t)64 << 10)

/* A process that has gone shows as ENOENT before we have its file open, and as ESRCH after. */
static int gone(void)
{
    if (errno == ENOENT)
        errno = ESRCH;
    return -1;
}

static const char *proc_path(char out[PROC_PATH_SIZE], pid_t pid, const char *name)
{
    snprintf(out, PROC_PATH_SIZE, "/proc/%ld/%s", (long)pid, name);
    return out;
}

/* The beginning of a file of a process, at most `size` bytes; how many, or -1 and errno. */
static ssize_t read_file(pid_t pid, const char *name, char *out, size_t size)
{
    char path[PROC_PATH_SIZE];
    int fd = open(proc_path(path, pid, name), O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 0;

    if (fd < 0)
        return gone();
    while (len < size && ((got = read(fd, out + len, size - len)) > 0 || (got < 0 && errno == EINTR)))
        len += got > 0 ? (size_t)got : 0;
    fd_close(&fd);
    return got < 0 ? gone() : (ssize_t)len;
}

/* ---- stat ---- */

/* Numbers in /proc/PID/stat after the state, by their place there. */
enum stat_field {
    STAT_PPID,
    STAT_PGRP,
    STAT_SESSION,
    STAT_TTY,
    STAT_FLAGS = 5,
    STAT_UTIME = 10,
    STAT_STIME,
    STAT_THREADS = 16,
    STAT_START = 18,
    STAT_RSS = 20,
    STAT_CODE_END = 23,
    STAT_ENV_START = 46,
    STAT_ENV_END,
    STAT_FIELDS,
};

#define FLAG_EXITING 0x4 /* the kernel's PF_EXITING */

/* Up to 64 bits with or without a sign, between blanks. */
static bool take_number(const char **at, const char *end, int64_t *number)
{
    bool negative;
    uint64_t value = 0;
    const char *digits;

    while (*at < end && **at == ' ')
        ++*at;
    negative = *at < end && **at == '-';
    *at += negative;
    for (digits = *at; *at < end && isdigit((unsigned char)**at); ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    *number = (int64_t)(negative ? -value : value);
    return *at > digits;
}

static bool take_name(struct str line, struct proc_stat *stat, const char **after)
{
    const char *open = memchr(line.ptr, '(', line.len), *close = memrchr(line.ptr, ')', line.len);
    size_t len;

    if (!open || !close || close < open)
        return false;
    len = (size_t)(close - open - 1);
    if (len >= PROC_COMM_SIZE)
        len = PROC_COMM_SIZE - 1;
    memcpy(stat->comm, open + 1, len);
    stat->comm[len] = '\0';
    *after = close + 1;
    return true;
}

bool proc_stat_parse(struct str line, struct proc_stat *stat)
{
    const char *at = line.ptr, *end = line.ptr + line.len;
    int64_t pid, fields[STAT_FIELDS];

    if (!line.len || !take_number(&at, end, &pid) || !take_name(line, stat, &at))
        return false;
    if (end - at < 2 || at[0] != ' ')
        return false;
    stat->state = at[1];
    at += 2;
    for (int i = 0; i < STAT_FIELDS; i++)
        if (!take_number(&at, end, &fields[i]))
            return false;
    stat->pid = (pid_t)pid;
    stat->exiting = (fields[STAT_FLAGS] & FLAG_EXITING) != 0;
    stat->ppid = (pid_t)fields[STAT_PPID];
    stat->pgrp = (pid_t)fields[STAT_PGRP];
    stat->session = (pid_t)fields[STAT_SESSION];
    stat->tty = (int)fields[STAT_TTY];
    stat->user_ticks = (uint64_t)fields[STAT_UTIME];
    stat->system_ticks = (uint64_t)fields[STAT_STIME];
    stat->threads = (long)fields[STAT_THREADS];
    stat->start_ticks = (uint64_t)fields[STAT_START];
    stat->rss_pages = (uint64_t)fields[STAT_RSS];
    stat->code_end = (uint64_t)fields[STAT_CODE_END];
    stat->env_start = (uint64_t)fields[STAT_ENV_START];
    stat->env_end = (uint64_t)fields[STAT_ENV_END];
    return true;
}

int proc_stat_read(pid_t pid, struct proc_stat *stat)
{
    char line[2048]; /* a name and fifty numbers: half of it at the very most */
    ssize_t len = read_file(pid, "stat", line, sizeof line);

    if (len < 0)
        return -1;
    if (proc_stat_parse((struct str){line, (size_t)len}, stat))
        return 0;
    errno = ESRCH;
    return -1;
}

/* ---- command lines ---- */

static bool is_bare(struct str arg)
{
    for (size_t i = 0; i < arg.len; i++) {
        unsigned char c = (unsigned char)arg.ptr[i];

        if (c < 0x80 && !isalnum(c) && !strchr("_@%+=:,./-", c))
            return false;
    }
    return arg.len > 0;
}

static bool is_printable(struct str arg)
{
    for (size_t i = 0; i < arg.len; i++)
        if ((unsigned char)arg.ptr[i] < ' ' || arg.ptr[i] == 0x7F)
            return false;
    return utf8_valid_until(arg) == arg.len;
}

/* As a shell would take it; what no terminal should see in the bash spelling $'\x1b'. */
static void add_argument(struct buf *out, struct str arg)
{
    bool printable = is_printable(arg);

    if (printable && is_bare(arg)) {
        buf_addstr(out, arg);
        return;
    }
    buf_adds(out, printable ? "'" : "$'");
    for (size_t i = 0; i < arg.len; i++) {
        unsigned char c = (unsigned char)arg.ptr[i];

        if (printable && c == '\'')
            buf_adds(out, "'\\''");
        else if (!printable && (c == '\'' || c == '\\'))
            buf_addf(out, "\\%c", c);
        else if (!printable && (c < ' ' || c >= 0x7F))
            buf_addf(out, "\\x%02x", c);
        else
            buf_addc(out, (char)c);
    }
    buf_addc(out, '\'');
}

int proc_cmdline(pid_t pid, struct buf *out)
{
    char bytes[PROC_CMDLINE_MOST];
    ssize_t got = read_file(pid, "cmdline", bytes, sizeof bytes);
    struct str rest = {bytes, got > 0 ? (size_t)got : 0};

    if (got < 0)
        return -1;
    while (rest.len && !rest.ptr[rest.len - 1])
        rest.len--; /* a process that renames itself leaves NULs over */
    for (size_t i = 0; rest.len; i++) {
        size_t len = strnlen(rest.ptr, rest.len);

        if (i)
            buf_addc(out, ' ');
        add_argument(out, str_slice(rest, 0, len));
        rest = str_slice(rest, len < rest.len ? len + 1 : len, rest.len);
    }
    if (got == PROC_CMDLINE_MOST)
        buf_adds(out, " …");
    return 0;
}

bool proc_state_is_end(char state)
{
    return state == 'Z' || state == 'X';
}

pid_t proc_number_within(const char *status)
{
    static const char key[] = "\nNSpid:";
    struct buf text = {0};
    const char *line, *end;
    pid_t pid = 0;

    if (file_read(status, &text, STATUS_MOST) == 0 && (line = strstr(buf_text(&text), key))) {
        line += strlen(key);
        end = line + strcspn(line, "\n");
        while (end > line && end[-1] >= '0' && end[-1] <= '9')
            end--;
        pid = (pid_t)strtol(end, NULL, 10);
    }
    buf_release(&text);
    return pid;
}

/* ---- folders ---- */

/* 0 when the name is none of a process. */
static pid_t pid_of(const char *name)
{
    char *end;
    long pid;

    if (!isdigit((unsigned char)*name))
        return 0;
    pid = strtol(name, &end, 10);
    return *end || pid > INT32_MAX ? 0 : (pid_t)pid;
}

int proc_each(bool (*each)(void *user, pid_t pid), void *user)
{
    DIR *dir = opendir("/proc");
    const struct dirent *entry;
    bool more = true;

    if (!dir)
        return -1;
    while (more && (entry = readdir(dir))) {
        pid_t pid = pid_of(entry->d_name);

        if (pid)
            more = each(user, pid);
    }
    closedir(dir);
    return 0;
}

int proc_count_fds(pid_t pid)
{
    char path[PROC_PATH_SIZE];
    DIR *dir = opendir(proc_path(path, pid, "fd"));
    const struct dirent *entry;
    int count = 0;

    if (!dir)
        return gone();
    while ((entry = readdir(dir)))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return pid == getpid() ? count - 1 : count; /* not the one we looked through */
}
