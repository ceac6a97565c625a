/* Cases that wait until all others are over. */
#include "runner/queue/internal.h"

static void cell_list(struct queue *queue, struct cell *cell)
{
    struct shelf *shelf = &queue->shelves[cell->suite->limited];

    if (cell->on_list)
        return;
    cell->on_list = true;
    cell->next_shelf = NULL;
    if (shelf->last)
        shelf->last->next_shelf = cell;
    else
        shelf->first = cell;
    shelf->last = cell;
}

void queue_item_shelve(struct queue *queue, struct item *item, bool shelved)
{
    if (item->shelved == shelved)
        return;
    item->shelved = shelved;
    item->cell->shelved += shelved ? 1u : ~0u;
    queue->shelved += shelved ? 1u : ~0u;
    if (shelved)
        cell_list(queue, item->cell);
}

static void clear_cell(struct queue *queue, struct cell *cell, void (*each)(void *user, uint32_t number),
                       void *user)
{
    for (struct item *item = cell->first; item; item = item->next)
        if (item->shelved) {
            queue_item_shelve(queue, item, false);
            each(user, item->number);
        }
}

static bool cell_is_quiet(const struct cell *cell)
{
    return !cell->running && cell->waiting == cell->shelved;
}

/* Those cells that are quiet, or all of them; what has none left is taken off the list. */
static bool clear_shelf(struct queue *queue, struct shelf *shelf, bool all,
                        void (*each)(void *user, uint32_t number), void *user)
{
    struct cell *cell = shelf->first;
    bool some = false;

    *shelf = (struct shelf){0};
    for (struct cell *next; cell; cell = next) {
        next = cell->next_shelf;
        cell->on_list = false;
        if (cell->shelved && !all && !cell_is_quiet(cell)) {
            cell_list(queue, cell);
        } else if (cell->shelved) {
            some = true;
            clear_cell(queue, cell, each, user);
        }
    }
    return some;
}

/* Cells that max-parallel limits are few; of the others none is looked at before all are quiet. */
bool queue_unshelve(struct queue *queue, void (*each)(void *user, uint32_t number), void *user)
{
    bool quiet = !queue->running && queue->waiting == queue->shelved, some;

    if (!queue->shelved)
        return false;
    some = clear_shelf(queue, &queue->shelves[true], false, each, user);
    return (quiet && clear_shelf(queue, &queue->shelves[false], true, each, user)) || some;
}
