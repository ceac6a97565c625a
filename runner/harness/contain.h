/*
 * What belongs to a case, and how it is reached. Here by process group and session, which is best effort: what
 * leaves its session is out of reach. A stronger means (cgroup, namespace) is another object of this table.
 *
 * All of it is called under the lock of the slot and before the leader is reaped, so that the leader's number
 * cannot belong to somebody else.
 */
#ifndef RM_HARNESS_CONTAIN_H
#define RM_HARNESS_CONTAIN_H

#include "backends/backends.h"
#include "runner/base/ladder.h"
#include "runner/base/proc.h"

#include <stddef.h>

/*
 * Who was there at one moment, of the sessions of some leaders: one walk of /proc for all that is to be done then.
 * All zero is one that knows of nobody.
 */
struct census {
    struct proc_stat *list;
    size_t count, cap;
};

/* Forgets what it knew; nobody is in it when /proc cannot be read. */
void census_take(struct census *census, const struct process *leaders, size_t count);
void census_release(struct census *census);
/* Who of a leader's session was alive, "sh (123), sleep (124)"; cut with ", ..." where `size` bytes do not do. */
void census_alive(const struct census *census, const struct process *leader, char *out, size_t size);

struct containment {
    const char *name; /* as reports call it */
    /* The census says whom a signal to the tree has to reach. 0, or -1 and errno; ESRCH: nobody is left there. */
    int (*signal)(const struct process *leader, enum ladder_target target, int signal,
                  const struct census *census);
    /*
     * Ends at once whatever is left, when the leader has exited and is not reaped yet. It is called for every
     * case, so the group is all it looks for: what left the group costs a walk of /proc to find.
     */
    void (*sweep)(const struct process *leader);
};

extern const struct containment contain_group;

#endif
