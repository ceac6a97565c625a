#include "runner/doctor.h"

#include "backends/backends.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SMALL 4096

const char *const finding_key[FINDING_COUNT] = {
#define X(id, key, words) [id] = key,
    FINDINGS(X)
#undef X
};

const char *const finding_name[FINDING_COUNT] = {
#define X(id, key, words) [id] = words,
    FINDINGS(X)
#undef X
};

static void found(struct doctor *doctor, enum finding_id id, bool can, const char *words)
{
    doctor->findings[id].can = can;
    buf_adds(&doctor->findings[id].words, words);
}

/* ---- control groups ---- */

static void look_at_limit(struct doctor *doctor, enum finding_id id, const struct cgroups *groups,
                          enum cgroup_limit limit)
{
    struct buf *words = &doctor->findings[id].words;

    doctor->findings[id].can = !groups->unlimited[limit];
    if (groups->unlimited[limit])
        buf_adds(words, groups->unlimited[limit]);
    else if (groups->legacy[limit])
        buf_addf(words, "by version 1, below '%.*s'",
                 (int)(strrchr(groups->legacy[limit], '/') - groups->legacy[limit]), groups->legacy[limit]);
    else
        buf_adds(words, "by version 2");
}

static void look_at_cgroups(struct doctor *doctor)
{
    struct finding *finding = &doctor->findings[FOUND_CGROUP];
    struct cgroups groups;
    char name[64];

    snprintf(name, sizeof name, "run-matrix-doctor-%ld", (long)getpid());
    finding->can = cgroups_open(&groups, name, 1, &finding->words);
    if (!finding->can) {
        found(doctor, FOUND_PROCESSES, false, "no control groups");
        found(doctor, FOUND_MEMORY, false, "no control groups");
        return;
    }
    buf_addf(&finding->words, "below '%.*s'", (int)(strrchr(groups.path, '/') - groups.path), groups.path);
    look_at_limit(doctor, FOUND_PROCESSES, &groups, CGROUP_PROCESSES);
    look_at_limit(doctor, FOUND_MEMORY, &groups, CGROUP_MEMORY);
    cgroups_end_all(&groups, NS_PER_S);
    cgroups_close(&groups);
}

/* ---- namespaces ---- */

static void look_at_pidns(struct doctor *doctor)
{
    struct finding *finding = &doctor->findings[FOUND_PIDNS];
    struct anchor anchor;

    finding->can = anchor_probe(&finding->words);
    if (finding->words.len || anchor_start(&anchor) < 0)
        return;
    buf_adds(&finding->words,
             anchor.namespaces & CLONE_NEWUSER ? "through user namespaces" : "with our privileges");
    anchor_kill(&anchor);
    anchor_end(&anchor, NS_PER_S);
}

static void look_at_isolation(struct doctor *doctor, enum finding_id id, unsigned isolate, const char *words)
{
    struct finding *finding = &doctor->findings[id];

    finding->can = isolate_probe(isolate, &finding->words);
    if (!finding->words.len)
        buf_adds(&finding->words, words);
}

static void look_at_namespaces(struct doctor *doctor)
{
    look_at_pidns(doctor);
    look_at_isolation(doctor, FOUND_NET, SPAWN_ISOLATE_NET, "isolate: [net]");
    look_at_isolation(doctor, FOUND_FILES, SPAWN_ISOLATE_FILES, "isolate: [files]");
}

/* ---- processes ---- */

static void look_at_children(struct doctor *doctor)
{
    struct proc_ids ids = {0};

    if (proc_children(getpid(), &ids) == 0)
        found(doctor, FOUND_CHILDREN, true, "/proc/PID/task/PID/children");
    else if (errno == ENOENT)
        found(doctor, FOUND_CHILDREN, false,
              "the kernel was built without CONFIG_PROC_CHILDREN: all of /proc is read instead");
    else
        found(doctor, FOUND_CHILDREN, false, strerror(errno));
    proc_ids_release(&ids);
}

static int yama_scope(void)
{
    struct buf text = {0};
    int scope = file_read("/proc/sys/kernel/yama/ptrace_scope", &text, SMALL) < 0 ? 0 : atoi(buf_text(&text));

    buf_release(&text);
    return scope;
}

static void look_at_ptrace(struct doctor *doctor)
{
    static const char *const words[] = {
        "any process of ours (no Yama, or ptrace_scope is 0)",
        "descendants only, which cases are (kernel.yama.ptrace_scope is 1)",
        "only root may (kernel.yama.ptrace_scope is 2)",
        "nobody may (kernel.yama.ptrace_scope is 3)",
    };
    int scope = yama_scope();

    if (scope < 0 || scope >= (int)ARRAY_LEN(words))
        scope = ARRAY_LEN(words) - 1;
    found(doctor, FOUND_PTRACE, scope < 2 || (scope == 2 && geteuid() == 0), words[scope]);
}

/* ---- files ---- */

/* The store need not be there yet: it will be made in the nearest folder that is. */
static char *nearest_folder(const char *path)
{
    char *folder = strdup(path);
    char *slash;

    while (access(folder, F_OK) < 0 && (slash = strrchr(folder, '/')) && slash > folder)
        *slash = '\0';
    if (access(folder, F_OK) == 0)
        return folder;
    free(folder);
    return strdup(*path == '/' ? "/" : ".");
}

static void look_at_lease(struct doctor *doctor, int fd)
{
    if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0 && fcntl(fd, F_SETLEASE, F_UNLCK) == 0)
        found(doctor, FOUND_LEASES, true, "a file that nobody else has open serves the next case");
    else
        found(doctor, FOUND_LEASES, false, "every case gets new files for its output");
}

static void look_at_files(struct doctor *doctor)
{
    char *folder = nearest_folder(doctor->store);
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    struct buf *words = &doctor->findings[FOUND_TMPFILE].words;

    doctor->findings[FOUND_TMPFILE].can = fd >= 0;
    if (fd >= 0) {
        buf_addf(words, "in '%s'", folder);
        look_at_lease(doctor, fd);
    } else {
        buf_addf(words, "not in '%s': %s", folder, strerror(errno));
        found(doctor, FOUND_LEASES, false, "every case gets new files for its output");
    }
    fd_close(&fd);
    free(folder);
}

static void look_at_terminals(struct doctor *doctor)
{
    struct relay relay;
    struct buf nothing = {0};

    if (relay_open(&relay, RELAY_TERMINAL, (int[]){-1, -1}) < 0) {
        found(doctor, FOUND_TERMINALS, false, strerror(errno));
        return;
    }
    found(doctor, FOUND_TERMINALS, true, "capture: pty");
    relay_finish(&relay, "", &nothing);
}

static void look_at_descriptors(struct doctor *doctor)
{
    struct finding *finding = &doctor->findings[FOUND_DESCRIPTORS];
    struct rlimit limit = {0};

    finding->can = getrlimit(RLIMIT_NOFILE, &limit) == 0;
    buf_addf(&finding->words, "%llu for the run (ulimit -Hn), %llu for a case (ulimit -Sn)",
             (unsigned long long)limit.rlim_max, (unsigned long long)limit.rlim_cur);
}

/* ---- all of it ---- */

void doctor_look(struct doctor *doctor, const char *store)
{
    *doctor = (struct doctor){.store = store};
    look_at_cgroups(doctor);
    look_at_namespaces(doctor);
    look_at_children(doctor);
    look_at_ptrace(doctor);
    look_at_files(doctor);
    look_at_terminals(doctor);
    look_at_descriptors(doctor);
}

void doctor_release(struct doctor *doctor)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        buf_release(&doctor->findings[i].words);
}

/* ---- what follows from it ---- */

enum containment doctor_choice(const struct doctor *doctor, struct buf *why)
{
    static const struct {
        enum finding_id needs;
        enum containment gives;
    } order[] = {{FOUND_CGROUP, CONTAIN_CGROUP}, {FOUND_PIDNS, CONTAIN_PIDNS}};

    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        const struct finding *finding = &doctor->findings[order[i].needs];

        if (finding->can)
            return order[i].gives;
        buf_addf(why, "%sno %s: ", why->len ? "; " : "", contain_words[order[i].gives]);
        buf_addstr(why, buf_str(&finding->words));
    }
    return CONTAIN_GROUP;
}

static bool has_manager(void)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct buf path = {0};
    bool has;

    buf_addf(&path, "%s/systemd/private", runtime ? runtime : "");
    has = runtime && *runtime && access(buf_text(&path), F_OK) == 0;
    buf_release(&path);
    return has;
}

/* Root can give a group away wherever groups may be written at all; who wants it has to be put in by root, too. */
static void give_away(struct buf *command)
{
    struct buf why = {0};
    char *home = cgroups_home(&why);
    struct statvfs fs;

    if (home && statvfs(home, &fs) == 0 && !(fs.f_flag & ST_RDONLY))
        buf_addf(command,
                 "sudo sh -c \"cd '%s' && mkdir -p mine && chown $(id -u) mine mine/cgroup.procs "
                 "mine/cgroup.subtree_control && echo $$ >mine/cgroup.procs\"",
                 home);
    buf_release(&why);
    free(home);
}

/* A scope of its own, by its own manager where there is one. A run is alone in it, so that it can be limited, too. */
static bool more_by_systemd(struct buf *command)
{
    bool root = geteuid() == 0;

    if (!root && has_manager())
        buf_adds(command, "systemd-run --user --scope -p Delegate=yes run-matrix ...");
    else if (access("/run/systemd/system", F_OK) == 0)
        buf_addf(command, "%s --scope -p Delegate=yes %srun-matrix ...",
                 root ? "systemd-run" : "sudo systemd-run", root ? "" : "--uid=$(id -u) ");
    return command->len > 0;
}

static bool more_groups(struct buf *command)
{
    if (!more_by_systemd(command) && geteuid() != 0)
        give_away(command);
    return command->len > 0;
}

/* The reason names it where a switch of the kernel is in the way. */
static bool more_namespaces(const struct finding *finding, struct buf *command)
{
    struct str words = buf_str(&finding->words);
    size_t at;

    if (!str_find(words, "sudo ", &at))
        return false;
    words = str_slice(words, at, words.len);
    if (str_ends(words, ")"))
        words.len--;
    buf_addstr(command, words);
    return true;
}

bool doctor_more(const struct doctor *doctor, enum finding_id wanting, struct buf *command)
{
    const struct finding *finding = &doctor->findings[wanting];

    if (finding->can)
        return false;
    switch (wanting) {
    case FOUND_CGROUP: return more_groups(command);
    case FOUND_PROCESSES:
    case FOUND_MEMORY: return more_by_systemd(command);
    case FOUND_PIDNS:
    case FOUND_NET:
    case FOUND_FILES: return more_namespaces(finding, command);
    default: return false;
    }
}
