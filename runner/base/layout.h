/* What stands where in the folder of a run, for those who put it there, read it, or clear it away. */
#ifndef RM_BASE_LAYOUT_H
#define RM_BASE_LAYOUT_H

#define LAYOUT_CASES    "cases"       /* output that is kept as long as the run, and artifacts */
#define LAYOUT_PASSED   "passed"      /* output of passed cases, until the next run */
#define LAYOUT_PACK     "passed.pack" /* the same in one file, when it is short */
#define LAYOUT_FIXTURES "fixtures"    /* what fixtures of cells and of the session wrote */
#define LAYOUT_SLOTS    "slots"       /* artifacts of cases that run; gone with the run */

/* In dump.txt: what stands above it is shown with a failure, what comes after it is for who wants to know all. */
#define LAYOUT_DUMP_CUT "---- in detail ----"

/* Folders of temporary files: where everybody looks for them, and how their names begin. */
#define LAYOUT_ROOTS "/tmp"
#define LAYOUT_ROOT  "rm-"
/* In one: that it is only there to say when its run had ended. */
#define LAYOUT_ENDED "ended"
#define LAYOUT_WHOSE "run" /* in a folder of temporary files: the path of the run it belongs to */

#endif
