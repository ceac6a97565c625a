/* Who is on the machine, and who of them belongs together. */
#include "runner/base/census.h"

#include "runner/base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void census_add(struct census *census, const struct proc_stat *stat)
{
    GROW(census->list, census->count, census->cap);
    census->list[census->count++] = *stat;
}

struct walk {
    struct census *census;
    int error;
};

static bool note_process(void *user, pid_t pid)
{
    struct walk *walk = user;
    struct proc_stat stat;

    if (proc_stat_read(pid, &stat) == 0)
        census_add(walk->census, &stat);
    else if (errno != ESRCH)
        walk->error = errno;
    return true;
}

static int by_pid(const void *a, const void *b)
{
    const struct proc_stat *left = a, *right = b;

    return (left->pid > right->pid) - (left->pid < right->pid);
}

bool census_take(struct census *census)
{
    struct walk walk = {.census = census};

    census->count = 0;
    if (proc_each(note_process, &walk) < 0)
        walk.error = errno;
    if (census->count)
        qsort(census->list, census->count, sizeof *census->list, by_pid);
    errno = walk.error;
    return !walk.error;
}

void census_release(struct census *census)
{
    free(census->list);
    *census = (struct census){0};
}

const struct proc_stat *census_find(const struct census *census, pid_t pid)
{
    struct proc_stat key = {.pid = pid};

    return census->count ? bsearch(&key, census->list, census->count, sizeof key, by_pid) : NULL;
}

static void add_children(const struct census *machine, pid_t parent, struct census *out)
{
    for (size_t i = 0; i < machine->count; i++)
        if (machine->list[i].ppid == parent)
            census_add(out, &machine->list[i]);
}

/* Generation by generation: by number a child may come before its parent, once numbers have wrapped around. */
void census_add_tree(const struct census *machine, pid_t root, struct census *out)
{
    size_t next = out->count;

    add_children(machine, root, out);
    for (; next < out->count && out->count <= machine->count; next++)
        add_children(machine, out->list[next].pid, out);
}

void census_words(const struct census *members, char *out, size_t size)
{
    static const char cut[] = ", ...";
    size_t len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < members->count; i++) {
        const struct proc_stat *stat = &members->list[i];
        char item[PROC_COMM_SIZE + 32];
        int item_len =
            snprintf(item, sizeof item, "%s%s (%ld)", len ? ", " : "", stat->comm, (long)stat->pid);

        if (len + (size_t)item_len + sizeof cut > size) {
            memcpy(out + len, cut, sizeof cut);
            return;
        }
        memcpy(out + len, item, (size_t)item_len + 1);
        len += (size_t)item_len;
    }
}
