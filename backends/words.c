/* Errors of a spawn as sentences: what failed, on what, why, and what may help. */
#include "backends/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void add_quoted(struct buf *out, struct str text)
{
    buf_addc(out, '\'');
    utf8_show(out, text);
    buf_addc(out, '\'');
}

/* ---- limits that are reached ---- */

static void of_processes(struct buf *out, const struct spawn_spec *spec)
{
    struct rlimit limit;

    (void)spec;
    buf_adds(out, "too many processes: the limit may be ");
    if (getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        buf_addf(out, "that of the user, %ju (ulimit -u), or ", (uintmax_t)limit.rlim_cur);
    buf_adds(out, "pids.max of a control group, or kernel.pid_max");
}

static void of_descriptors(struct buf *out, const struct spawn_spec *spec)
{
    struct rlimit limit;

    (void)spec;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        buf_addf(out,
                 "run-matrix has as many files open as it may, %ju: raise ulimit -n or start fewer at once",
                 (uintmax_t)limit.rlim_cur);
}

/* ---- limits that cannot be set ---- */

static const char *limit_name(int resource)
{
    static const char *const names[RLIM_NLIMITS] = {
        [RLIMIT_AS] = "memory",         [RLIMIT_CORE] = "core file",  [RLIMIT_CPU] = "cpu time",
        [RLIMIT_DATA] = "data",         [RLIMIT_FSIZE] = "file size", [RLIMIT_MEMLOCK] = "locked memory",
        [RLIMIT_NOFILE] = "open files", [RLIMIT_NPROC] = "processes", [RLIMIT_STACK] = "stack",
    };

    return resource >= 0 && resource < RLIM_NLIMITS && names[resource] ? names[resource] : "limit";
}

static void of_limits(struct buf *out, const struct spawn_spec *spec)
{
    for (uint32_t i = 0; i < spec->limit_count; i++) {
        const struct spawn_limit *wanted = &spec->limits[i];
        struct rlimit ours;

        if (getrlimit((__rlimit_resource_t)wanted->resource, &ours) < 0 ||
            wanted->limit.rlim_max <= ours.rlim_max)
            continue;
        buf_addf(out, "%s: above our own hard limit, %ju", limit_name(wanted->resource),
                 (uintmax_t)ours.rlim_max);
        return;
    }
}

/* ---- arguments and environment that are too large ---- */

#define STRING_MOST ((size_t)131072) /* MAX_ARG_STRLEN of the kernel, the NUL included */

struct strings {
    size_t bytes;   /* as the kernel counts them, pointers included */
    size_t longest; /* of one, its NUL included */
    size_t at;      /* its number */
};

static struct strings measure(char *const *list)
{
    struct strings strings = {0};

    for (size_t i = 0; list[i]; i++) {
        size_t size = strlen(list[i]) + 1;

        strings.bytes += size + sizeof *list;
        if (size > strings.longest) {
            strings.longest = size;
            strings.at = i;
        }
    }
    return strings;
}

static void of_arguments(struct buf *out, const struct spawn_spec *spec)
{
    struct strings argv = measure(spec->argv), envp = measure(spec->envp);

    if (argv.longest > STRING_MOST) {
        buf_addf(out, "argument %zu has %zu bytes", argv.at, argv.longest - 1);
    } else if (envp.longest > STRING_MOST) {
        const char *variable = spec->envp[envp.at];

        buf_adds(out, "the variable ");
        add_quoted(out, (struct str){variable, strcspn(variable, "=")});
        buf_addf(out, " has %zu bytes with its name", envp.longest - 1);
    } else {
        buf_addf(out,
                 "arguments and environment have %zu bytes, a quarter of the stack limit (ulimit -s) is %ld",
                 argv.bytes + envp.bytes, sysconf(_SC_ARG_MAX));
        return;
    }
    buf_addf(out, ", one may have %zu", STRING_MOST - 1);
}

/* ---- namespaces that cannot be had ---- */

#define SMALL 65536

static bool says(const char *path, const char *wanted)
{
    struct buf text = {0};
    bool same = file_read(path, &text, SMALL) == 0 && str_is(str_trim(buf_str(&text)), wanted);

    buf_release(&text);
    return same;
}

static bool is_filtered(void)
{
    struct buf text = {0};
    bool filtered =
        file_read("/proc/self/status", &text, SMALL) == 0 && strstr(buf_text(&text), "\nSeccomp:\t2");

    buf_release(&text);
    return filtered;
}

void namespaces_refused(struct buf *out, const struct spawn_spec *spec)
{
    static const struct {
        const char *path, *value, *words;
    } switches[] = {
        {"/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
         "AppArmor keeps ordinary users from it: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
        {"/proc/sys/kernel/unprivileged_userns_clone", "0",
         "ordinary users may not: sudo sysctl kernel.unprivileged_userns_clone=1"},
        {"/proc/sys/user/max_user_namespaces", "0",
         "the limit is 0: sudo sysctl user.max_user_namespaces=10000"},
        {"/proc/sys/user/max_pid_namespaces", "0",
         "the limit is 0: sudo sysctl user.max_pid_namespaces=10000"},
    };

    (void)spec;
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (says(switches[i].path, switches[i].value)) {
            buf_adds(out, switches[i].words);
            return;
        }
    if (is_filtered())
        buf_adds(out, "a filter of system calls (seccomp) may forbid it, as containers do");
}

/* ---- what is not there in a room of its own ---- */

static bool is_covered(const struct spawn_spec *spec, const char *path)
{
    const struct spawn_room *room = spec->room;
    struct str text = str_of(path);

    return room && room->isolate & SPAWN_ISOLATE_FILES &&
           ((room->tmp && str_starts(text, "/tmp/")) || (room->shm && str_starts(text, "/dev/shm/")));
}

static void of_covered(struct buf *out, const struct spawn_spec *spec, const char *path)
{
    if (is_covered(spec, path))
        buf_adds(out, "with files isolated it has a /tmp and a /dev/shm of its own");
}

static void of_folder(struct buf *out, const struct spawn_spec *spec)
{
    of_covered(out, spec, spec->cwd);
}

static void of_program(struct buf *out, const struct spawn_spec *spec)
{
    if (is_covered(spec, spec->path))
        of_covered(out, spec, spec->path);
    else
        program_missing(out, spec);
}

/* ---- sentences ---- */

static const char *const stage_words[] = {
#define X(id, words) [id] = words,
    SPAWN_STAGES(X)
#undef X
};

/* A text that is always the same, or a function that looks. */
static const struct hint {
    enum spawn_stage stage;
    int error;
    const char *text;
    void (*look)(struct buf *out, const struct spawn_spec *spec);
} hints[] = {
    {SPAWN_STAGE_CLONE, EAGAIN, NULL, of_processes},
    {SPAWN_STAGE_CLONE, EMFILE, NULL, of_descriptors},
    {SPAWN_STAGE_CLONE, ENOMEM, "or the first process of our PID namespace has ended", NULL},
    {SPAWN_STAGE_CLONE, EPERM, "a filter of system calls (seccomp) may forbid it", NULL},
    {SPAWN_STAGE_CLONE, EBUSY, "the one before has not executed yet", NULL},
    {SPAWN_STAGE_ENTER, ESRCH, "the first process there has ended", NULL},
    {SPAWN_STAGE_ENTER, EINVAL, "it takes Linux 5.8", NULL},
    {SPAWN_STAGE_ENTER, EPERM, NULL, namespaces_refused},
    {SPAWN_STAGE_ISOLATE, EPERM, NULL, namespaces_refused},
    {SPAWN_STAGE_ISOLATE, EACCES, NULL, namespaces_refused},
    {SPAWN_STAGE_ISOLATE, ENOSPC, NULL, namespaces_refused},
    {SPAWN_STAGE_ISOLATE, EINVAL, "our root may be no mount point, or the kernel lacks these namespaces",
     NULL},
    {SPAWN_STAGE_JOIN, ENOSYS, "clone3 is refused here, as containers do, or it takes Linux 5.7", NULL},
    {SPAWN_STAGE_JOIN, EACCES, "we are outside the part of the tree that is ours", NULL},
    {SPAWN_STAGE_JOIN, ENOENT, "it was removed", NULL},
    {SPAWN_STAGE_JOIN, EBUSY, "it has controllers for groups below it", NULL},
    {SPAWN_STAGE_TERMINAL, EPERM, "it is the terminal of another session", NULL},
    {SPAWN_STAGE_STDIO, EMFILE, NULL, of_descriptors},
    {SPAWN_STAGE_CWD, ENOENT, NULL, of_folder},
    {SPAWN_STAGE_LIMIT, EPERM, NULL, of_limits},
    {SPAWN_STAGE_LIMIT, EINVAL, "a soft limit above its hard one", NULL},
    {SPAWN_STAGE_EXEC, EAGAIN, NULL, of_processes},
    {SPAWN_STAGE_EXEC, E2BIG, NULL, of_arguments},
    {SPAWN_STAGE_EXEC, ETXTBSY, "somebody has it open for writing", NULL},
    {SPAWN_STAGE_EXEC, ENOENT, NULL, of_program},
    {SPAWN_STAGE_EXEC, EACCES, NULL, program_forbidden},
    {SPAWN_STAGE_EXEC, ENOEXEC, NULL, program_foreign},
    {SPAWN_STAGE_EXEC, ELOOP, NULL, program_circular},
};

static void add_hint(struct buf *out, struct spawn_error error, const struct spawn_spec *spec)
{
    struct buf words = {0};

    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (hints[i].stage != error.stage || hints[i].error != error.error)
            continue;
        if (hints[i].look)
            hints[i].look(&words, spec);
        else
            buf_adds(&words, hints[i].text);
    }
    if (words.len)
        buf_addf(out, " (%s)", buf_text(&words));
    buf_release(&words);
}

void spawn_stage_words(struct buf *out, enum spawn_stage stage, const struct spawn_spec *spec)
{
    const char *subject = stage == SPAWN_STAGE_EXEC  ? spec->path
                          : stage == SPAWN_STAGE_CWD ? spec->cwd
                                                     : NULL;

    buf_adds(out, stage_words[stage]);
    if (subject) {
        buf_addc(out, ' ');
        add_quoted(out, str_of(subject));
    }
}

void spawn_error_words(struct buf *out, struct spawn_error error, const struct spawn_spec *spec)
{
    char scratch[128];

    buf_adds(out, "cannot ");
    spawn_stage_words(out, error.stage, spec);
    buf_addf(out, ": %s", strerror_r(error.error, scratch, sizeof scratch));
    add_hint(out, error, spec);
}
