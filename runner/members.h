/* Which suites of a monorepo the paths of a command line mean. */
#ifndef RM_RUNNER_MEMBERS_H
#define RM_RUNNER_MEMBERS_H

#include "runner/front.h"

/*
 * front->file is the one that is found from here, or NULL. It stays when it, or its `suites`, names what every path
 * stands for; else it becomes the one file that they stand for. Says so in diags when these are two.
 */
void members_choose_file(struct front *front, struct invocation *in);
/* When all files are read: suites that no path means are left out. Without paths none is. */
void members_leave_out(struct front *front);

bool members_same(const char *a, const char *b); /* one file or folder, by whatever names */

#endif
