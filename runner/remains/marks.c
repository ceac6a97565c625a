/* What shows that a process belongs to a run. */
#include "runner/remains/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLE   "RUN_MATRIX_RUN_ID="
#define GROUP      "run-matrix-"
#define GROUPS_MAX ((size_t)64 << 10)
#define PATH_ROOM  64

/* ---- made ---- */

bool is_group_of(const struct held *held, const char *path)
{
    struct str name = path ? str_of(strrchr(path, '/')) : str_of(NULL);

    return held->run.len && str_starts(name, "/" GROUP) &&
           str_eq(str_slice(name, sizeof "/" GROUP - 1, name.len), held->run);
}

void marks_of_run(struct marks *marks, const struct held *held, const char *folder, struct arena *arena)
{
    struct proc_id first = held->guard.pid ? held->guard : held->runner;

    *marks = (struct marks){
        .variable = held->run.len ? arena_printf(arena, VARIABLE "%.*s", STR_ARG(held->run)) : NULL,
        .group = is_group_of(held, held->cgroup) ? arena_printf(arena, "%s/cases", strrchr(held->cgroup, '/'))
                                                 : NULL,
        .folder = folder,
        .tmp = held->tmp && root_is_path(held->tmp) ? held->tmp : NULL,
        .since = held->rebooted ? 0 : first.start_ticks,
    };
    if (!held->rebooted)
        memcpy(marks->spared, (struct proc_id[SPARED_MOST]){held->guard, held->runner, held->keeper},
               sizeof marks->spared);
}

/* ---- looked for ---- */

/* "0::/user.slice/run-matrix-0042-.../cases/3", one line for each hierarchy. */
static bool is_in_group(pid_t pid, const char *group)
{
    char path[PATH_ROOM];
    struct buf text = {0};
    bool is;
    size_t at;

    snprintf(path, sizeof path, "/proc/%ld/cgroup", (long)pid);
    is = file_read(path, &text, GROUPS_MAX) == 0 && str_find(buf_str(&text), group, &at);
    buf_release(&text);
    return is;
}

/*
 * Whoever reads a run's output may be a person looking into it, or somebody who saves it; whoever reads in its
 * folder of TMPDIRs may be another run that looks whose it is. Only its own processes write there. In the run's
 * folder a person may stand; a shell that a person has in the folder of TMPDIRs has a terminal. Cases have none;
 * what they give a terminal to loses it, and gets HUP, when they end.
 */
static bool is_in_folders(const struct marks *marks, const struct proc_stat *stat)
{
    if (stat->tty)
        return false;
    return (marks->folder && proc_writes_in(stat->pid, marks->folder)) ||
           (marks->tmp && (proc_stands_in(stat->pid, marks->tmp) || proc_writes_in(stat->pid, marks->tmp)));
}

bool marks_on(const struct marks *marks, const struct proc_stat *stat)
{
    return stat->start_ticks >= marks->since &&
           ((marks->group && is_in_group(stat->pid, marks->group)) ||
            (marks->variable && proc_has_variable(stat->pid, marks->variable)) || is_in_folders(marks, stat));
}

bool marks_spare(const struct marks *marks, const struct proc_stat *stat)
{
    for (size_t i = 0; i < ARRAY_LEN(marks->spared); i++)
        if (proc_id_equals(proc_id_of(stat), marks->spared[i]))
            return true;
    return false;
}

bool is_alive(struct proc_id id)
{
    struct proc_stat stat;

    return id.pid > 0 && proc_stat_read(id.pid, &stat) == 0 && stat.start_ticks == id.start_ticks &&
           proc_stat_is_alive(&stat);
}
