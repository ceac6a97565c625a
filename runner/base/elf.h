/* What an object in ELF asks the loader for, read without loading it: DT_NEEDED. */
#ifndef RM_BASE_ELF_H
#define RM_BASE_ELF_H

#include "runner/base/str.h"

#include <stdbool.h>

#define ELF_NEEDED_MOST 256 /* what is beyond is not looked at */

/*
 * Each library that it names, in its order, until `take` answers false. False: it is no object of this machine, or not
 * one that can be read. Whatever stands in the file is checked before it is believed.
 */
bool elf_needed(const char *path, bool (*take)(void *user, struct str name), void *user);

#endif
