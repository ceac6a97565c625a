#include "runner/leaks/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <stdlib.h>

static void add_holding(void *user, const struct holding *holding)
{
    struct holders *holders = user;

    if (holding->kind != HOLDS_FILE && holding->kind != HOLDS_OBJECT)
        return;
    GROW(holders->list, holders->count, holders->cap);
    holders->list[holders->count++] = (struct holder){
        .kind = holding->kind,
        .device = holding->kind == HOLDS_FILE ? holding->device : 0,
        .number = holding->number,
        .id = holders->current,
    };
}

static bool look_at(void *user, pid_t pid)
{
    struct holders *holders = user;
    struct proc_stat stat;
    int process;

    if (proc_stat_read(pid, &stat) < 0)
        return true;
    holders->current = (struct proc_id){pid, stat.start_ticks};
    process = holdings_open(holders->current);
    if (process >= 0)
        holdings_of(process, holders->deadline, add_holding, holders);
    fd_close(&process);
    return clock_now() < holders->deadline;
}

void holders_find(struct holders *holders, nanos budget)
{
    if (holders->looked)
        return;
    holders->looked = true;
    holders->deadline = clock_now() + budget;
    proc_each(look_at, holders);
    holders->whole = clock_now() < holders->deadline;
}

void holders_release(struct holders *holders)
{
    free(holders->list);
    *holders = (struct holders){.list = NULL};
}
