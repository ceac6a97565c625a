/*
 * Files of C tests, and folders of them, that a command line names: cases of the tests that have them, and where no test
 * has, tests that nobody has written down.
 */
#ifndef RM_RUNNER_NAMED_H
#define RM_RUNNER_NAMED_H

#include "runner/front.h"

/* An argument that is no yaml file and no folder: a C source, a module, a program. False: diags say what is wrong with it. */
bool named_is_file(struct invocation *in, const char *path);
/* When all files are read and suites are left out: of those that own files that are named, only these are taken. */
void named_narrow(struct front *front, struct invocation *in);
/*
 * When the plan is made: what no test has becomes a test of the suite; a folder without any stands for its suite.
 * True: the plan has to be made again, unless diags got an error; of what it has said only `before` is left.
 */
bool named_more(struct front *front, struct invocation *in, const struct diags *before);
/* The same where there is no file at all. False: diags say why that is nothing. */
bool named_alone(struct front *front, struct invocation *in);

#endif
