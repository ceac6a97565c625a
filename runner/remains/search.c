/* Who of a run is alive: one walk over /proc at a time. */
#include "runner/remains/internal.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void search_release(struct search *search)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->list[i].pidfd >= 0)
            close(search->list[i].pidfd);
    free(search->list);
    census_release(&search->machine);
    *search = (struct search){0};
}

/* ---- the list ---- */

static struct found *find(const struct search *s, struct proc_id id)
{
    for (size_t i = s->count; i-- > 0;)
        if (proc_id_equals(s->list[i].id, id))
            return &s->list[i];
    return NULL;
}

struct found *search_add(struct search *s, const struct found *found)
{
    struct found *known = find(s, found->id);

    if (known)
        return known;
    GROW(s->list, s->count, s->cap);
    s->list[s->count] = *found;
    return &s->list[s->count++];
}

/* For the sake of its parent, or of a mark of its own. */
static void add(struct search *s, const struct proc_stat *stat, const struct proc_stat *parent)
{
    struct found *found = search_add(s, &(struct found){.id = proc_id_of(stat), .pidfd = -1});

    found->parent = parent ? proc_id_of(parent) : (struct proc_id){0};
}

/* ---- who belongs to the run ---- */

static bool is_candidate(const struct search *s, const struct proc_stat *stat)
{
    return proc_stat_is_alive(stat) && stat->start_ticks >= s->marks.since && !marks_spare(&s->marks, stat);
}

/* Its parent, where that belongs to the run at this look, or is the one whose descendants are meant; NULL. */
static const struct proc_stat *find_parent(const struct search *s, const struct proc_stat *stat,
                                           const bool *ours)
{
    const struct proc_stat *parent = census_find(&s->machine, stat->ppid);

    return parent && (ours[parent - s->machine.list] || proc_id_equals(s->marks.parent, proc_id_of(parent)))
               ? parent
               : NULL;
}

/* Generation after generation, until there is none that is new. Numbers go round, so order says nothing. */
static void find_descendants(struct search *s, bool *ours)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < s->machine.count; i++) {
            const struct proc_stat *stat = &s->machine.list[i], *parent;

            if (ours[i] || !is_candidate(s, stat) || !(parent = find_parent(s, stat, ours)) ||
                proc_is_ancestor(stat->pid))
                continue;
            ours[i] = again = true;
            add(s, stat, parent);
        }
    }
}

/* The highest numbers first: they are the youngest, and who hops is gone soon. */
static void find_marked(struct search *s, bool *ours)
{
    for (size_t i = s->machine.count; i-- > 0;) {
        const struct proc_stat *stat = &s->machine.list[i];

        ours[i] = is_candidate(s, stat) && marks_on(&s->marks, stat) && !proc_is_ancestor(stat->pid);
        if (ours[i])
            add(s, stat, NULL);
    }
}

/* ---- those who do not stay ---- */

/* The number that was given out last: the fifth word of /proc/loadavg; 0: not known. */
static pid_t newest(void)
{
    struct buf text = {0};
    const char *last;
    pid_t pid;

    file_read("/proc/loadavg", &text, 256);
    last = strrchr(buf_text(&text), ' ');
    pid = last ? (pid_t)atoi(last) : 0;
    buf_release(&text);
    return pid;
}

bool search_newest(struct search *s, struct found *found)
{
    const struct proc_stat *known;
    struct proc_stat stat;
    pid_t pid = newest();

    if (!pid || proc_stat_read(pid, &stat) < 0 || !is_candidate(s, &stat))
        return false;
    known = census_find(&s->machine, pid);
    *found = (struct found){.id = proc_id_of(&stat), .pidfd = -1};
    return !known || !proc_id_equals(found->id, proc_id_of(known));
}

/* ---- a look ---- */

size_t search_look(struct search *s)
{
    bool *ours;
    size_t alive = 0;

    s->newest = newest();
    s->blind = census_take(&s->machine) ? 0 : errno;
    if (!s->machine.count)
        return 0;
    ours = mem_zero(s->machine.count, sizeof *ours);
    find_marked(s, ours);
    find_descendants(s, ours);
    for (size_t i = 0; i < s->machine.count; i++)
        alive += ours[i];
    s->restless = newest() != s->newest;
    free(ours);
    return alive;
}

/* Somebody was born meanwhile: that may be one whom a process of the run has left in its place. */
static bool spot(struct search *s)
{
    struct found found;
    struct proc_stat stat;

    for (int i = 0; i < CHASES; i++)
        if (search_newest(s, &found) && proc_stat_read(found.id.pid, &stat) == 0 &&
            marks_on(&s->marks, &stat)) {
            search_add(s, &found);
            return true;
        }
    return false;
}

bool search_look_well(struct search *s)
{
    nanos begin = clock_now();

    for (int looks = 1;; looks++) {
        if (search_look(s) || (s->restless && spot(s)))
            return true;
        if (!s->restless || (looks >= CALM_LOOKS && clock_now() - begin > CALM_TIME))
            return false;
    }
}
