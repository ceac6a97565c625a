/* Who belongs to a tree: all that came from its root, also where those in between have ended. */
#include "runner/diagnose/diagnose.h"

#include "runner/base/census.h"
#include "runner/base/mem.h"

#include <stdlib.h>
#include <unistd.h>

struct tree {
    const struct census *machine;
    const struct proc_stat *root;
    bool *belongs; /* beside machine->list */
};

static size_t place_of(const struct tree *tree, pid_t pid)
{
    const struct proc_stat *found = census_find(tree->machine, pid);

    return found ? (size_t)(found - tree->machine->list) : SIZE_MAX;
}

/*
 * Is this session, or group, the tree's own? Its leader is of it; or has ended, and one of the tree is in it that did not come
 * into it with the root.
 */
static bool is_ours(const struct tree *tree, pid_t number, pid_t of_root, bool sessions)
{
    size_t leader = place_of(tree, number);

    if (number <= 1)
        return false;
    if (leader != SIZE_MAX)
        return tree->belongs[leader];
    if (number == of_root)
        return false;
    for (size_t i = 0; i < tree->machine->count; i++)
        if (tree->belongs[i] &&
            (sessions ? tree->machine->list[i].session : tree->machine->list[i].pgrp) == number)
            return true;
    return false;
}

static bool belongs(const struct tree *tree, const struct proc_stat *stat)
{
    size_t parent = place_of(tree, stat->ppid);

    if (parent != SIZE_MAX && tree->belongs[parent])
        return true;
    /* Who came before the root came from somebody else. */
    return stat->start_ticks >= tree->root->start_ticks &&
           (is_ours(tree, stat->session, tree->root->session, true) ||
            is_ours(tree, stat->pgrp, tree->root->pgrp, false));
}

/* Until nothing is new: each round goes one deeper at least. */
static size_t find_all(struct tree *tree)
{
    size_t count = 1;

    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < tree->machine->count; i++) {
            if (tree->belongs[i] || !belongs(tree, &tree->machine->list[i]))
                continue;
            tree->belongs[i] = more = true;
            count++;
        }
    }
    return count;
}

size_t dump_members_below(struct arena *arena, struct proc_id root, struct dump_member **members)
{
    struct census machine = {.list = NULL};
    struct tree tree = {.machine = &machine};
    size_t count = 0, most;

    *members = NULL;
    census_take(&machine);
    tree.root = census_find(&machine, root.pid);
    if (tree.root && tree.root->start_ticks == root.start_ticks) {
        tree.belongs = mem_zero(machine.count, sizeof *tree.belongs);
        tree.belongs[tree.root - machine.list] = true;
        most = find_all(&tree);
        *members = ARENA_ARRAY(arena, struct dump_member, most);
        for (size_t i = 0; i < machine.count; i++)
            if (tree.belongs[i] && machine.list[i].pid != getpid())
                (*members)[count++].id = proc_id_of(&machine.list[i]);
        free(tree.belongs);
    }
    census_release(&machine);
    return count;
}
