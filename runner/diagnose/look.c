#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the time that there is for all, so that stacks have theirs. */
#define TENTHS 4

bool look_is_late(const struct look *look)
{
    return clock_now() >= look->until;
}

void look_unread(struct look *look, struct dump_process *process, const char *what, int error)
{
    const char *why = arena_printf(look->arena, ": %s", error ? strerror(error) : "there was no time");
    struct str before = str_of(process->unread);

    if (str_ends(before, why)) /* the same as of the one before */
        process->unread =
            arena_printf(look->arena, "%.*s, %s%s", (int)(before.len - strlen(why)), before.ptr, what, why);
    else
        process->unread =
            arena_printf(look->arena, "%.*s%s%s%s", STR_ARG(before), before.len ? "; " : "", what, why);
}

int look_open(const struct dump_process *process)
{
    char path[32];
    int at;

    snprintf(path, sizeof path, "/proc/%ld", (long)process->id.pid);
    at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at >= 0 && !proc_is(process->id)) {
        fd_close(&at);
        errno = ESRCH;
    }
    return at;
}

/* ---- who they are, and in which order ---- */

struct node {
    struct proc_stat stat;
    const char *role;
    struct node *parent, *child, *sibling; /* the first child, and the next of the same parent */
};

static int by_start(const void *a, const void *b)
{
    const struct proc_stat *left = &((const struct node *)a)->stat, *right = &((const struct node *)b)->stat;

    if (left->start_ticks != right->start_ticks)
        return left->start_ticks < right->start_ticks ? -1 : 1;
    return (left->pid > right->pid) - (left->pid < right->pid);
}

/* Who is there of those we were told of, each once, as they were started: so parents are before their children. */
static size_t gather(const struct dump_wants *wants, struct node *nodes)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < wants->member_count; i++) {
        struct node *node = &nodes[count];

        if (proc_stat_read(wants->members[i].id.pid, &node->stat) == 0 &&
            proc_id_equals(proc_id_of(&node->stat), wants->members[i].id))
            nodes[count++].role = wants->members[i].role;
    }
    if (count)
        qsort(nodes, count, sizeof *nodes, by_start);
    for (size_t i = 0; i < count; i++)
        if (!i || nodes[i].stat.pid != nodes[kept - 1].stat.pid)
            nodes[kept++] = nodes[i];
    return kept;
}

static int by_pid(const void *a, const void *b)
{
    const struct node *left = *(struct node *const *)a, *right = *(struct node *const *)b;

    return (left->stat.pid > right->stat.pid) - (left->stat.pid < right->stat.pid);
}

static struct node *find(struct node **sorted, size_t count, pid_t pid)
{
    struct node wanted = {.stat = {.pid = pid}}, *key = &wanted, **found;

    found = bsearch(&key, sorted, count, sizeof *sorted, by_pid);
    return found ? *found : NULL;
}

/* From the last to the first, so that each list begins with the eldest. The first of those without a parent. */
static struct node *link_all(struct node *nodes, size_t count, struct node **sorted)
{
    struct node *first = NULL;

    for (size_t i = 0; i < count; i++)
        sorted[i] = &nodes[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, by_pid);
    for (size_t i = count; i-- > 0;) {
        struct node *node = &nodes[i], *parent = find(sorted, count, node->stat.ppid), **list;

        /* Not a parent that is younger: it is another process that has the number by now. */
        node->parent = parent && parent < node ? parent : NULL;
        list = node->parent ? &node->parent->child : &first;
        node->sibling = *list;
        *list = node;
    }
    return first;
}

static struct node *next_of(struct node *node)
{
    if (node->child)
        return node->child;
    while (node && !node->sibling)
        node = node->parent;
    return node ? node->sibling : NULL;
}

/* Each after its parent and all that the siblings before it have made. `places` is where in the dump each node is. */
static void line_up(struct look *look, struct node *nodes, struct node *first, uint32_t *places)
{
    struct dump *dump = look->dump;

    for (struct node *node = first; node; node = next_of(node)) {
        uint32_t index = dump->process_count++;
        struct dump_process *process = &dump->processes[index];

        places[node - nodes] = index;
        look->beside[index].stat = node->stat;
        process->id = proc_id_of(&node->stat);
        process->role = node->role ? arena_cstr(look->arena, str_of(node->role)) : NULL;
        process->parent = node->parent ? places[node->parent - nodes] : DUMP_NOBODY;
        process->depth = node->parent ? dump->processes[process->parent].depth + 1 : 0;
    }
}

static void find_processes(struct look *look)
{
    const struct dump_wants *wants = look->taking->wants;
    struct node *nodes = mem_zero(wants->member_count + 1, sizeof *nodes), **sorted;
    size_t there = gather(wants, nodes), count = there < DUMP_PROCESSES_MOST ? there : DUMP_PROCESSES_MOST;
    uint32_t *places = mem_zero(count + 1, sizeof *places);

    sorted = mem_zero(count + 1, sizeof *sorted);
    look->dump->processes_more = (uint32_t)(there - count);
    look->dump->processes = ARENA_ARRAY(look->arena, struct dump_process, count);
    look->beside = mem_zero(count + 1, sizeof *look->beside);
    line_up(look, nodes, link_all(nodes, count, sorted), places);
    free(sorted);
    free(places);
    free(nodes);
}

/* ---- all of it ---- */

/* Who is left out, as there is no time any more, says so. */
static void for_each(struct look *look, void (*look_at)(struct look *look, uint32_t index), const char *what)
{
    for (uint32_t i = 0; i < look->dump->process_count; i++) {
        if (look_is_late(look))
            look_unread(look, &look->dump->processes[i], what, 0);
        else
            look_at(look, i);
    }
}

void look_release(struct look *look)
{
    free(look->beside);
    free(look->ends.list);
    free(look->sockets.list);
    free(look->sockets.by_place);
    arena_release(&look->sockets.names);
    free(look->locks.held);
    buf_release(&look->text);
    buf_release(&look->ours);
}

/* What tells most for its time comes first. */
void look_at_all(struct taking *taking)
{
    struct look look = {
        .taking = taking,
        .arena = taking->arena,
        .dump = taking->dump,
        .until = taking->began + (taking->until - taking->began) / 10 * TENTHS,
        .fds_left = LOOK_FDS_ALL_MOST,
        .ends.whole = true,
    };

    find_processes(&look);
    for (uint32_t i = 0; i < look.dump->process_count; i++)
        look_name(&look, i);
    for_each(&look, look_process, "what it is");
    look_share_threads(&look);
    for_each(&look, look_threads, "its threads");
    look_begin_shares(&look);
    look_tails(&look);
    for_each(&look, look_fds, "its descriptors");
    look_sockets(&look);
    look_locks(&look);
    for_each(&look, look_limits, "its limits");
    look_ends(&look);
    look_release(&look);
}
