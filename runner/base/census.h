/* Who was on the machine at one moment: one walk of /proc for all that is to be done then. All zero knows of nobody. */
#ifndef RM_BASE_CENSUS_H
#define RM_BASE_CENSUS_H

#include "runner/base/proc.h"

struct census {
    struct proc_stat *list; /* by pid, ascending */
    size_t count, cap;
};

/*
 * Forgets what it knew. False, and errno: not all could be looked at (there are no descriptors left, or there
 * is no /proc).
 */
bool census_take(struct census *census);
void census_release(struct census *census);
const struct proc_stat *census_find(const struct census *census, pid_t pid); /* NULL: was not there */

/* Out of order: for lists of who is meant, which nothing is looked up in. */
void census_add(struct census *census, const struct proc_stat *stat);
/* Those to be added to `out` are the children of `root` among `machine` and all below them; `root` itself is not. */
void census_add_tree(const struct census *machine, pid_t root, struct census *out);
/* "sh (123), sleep (124)"; cut with ", ..." where `size` bytes do not do. */
void census_words(const struct census *members, char *out, size_t size);
/* What our library calls the threads that it has in a process of a test. */
#define CENSUS_ASKED "mx_asked"
#define CENSUS_WATCH "mx_dump_on_hang"
/*
 * The names of its threads but the first: "reader, worker x4"; cut in the same way. Empty: it has no others, or is gone.
 * Those of our library are left out: whoever looks for what hangs has not started them.
 */
void census_threads(pid_t pid, char *out, size_t size);

#endif
