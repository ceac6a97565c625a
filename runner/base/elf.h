/* What an object in ELF says of itself, read without loading it: what it asks the loader for (DT_NEEDED), its notes. */
#ifndef RM_BASE_ELF_H
#define RM_BASE_ELF_H

#include "runner/base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define ELF_NEEDED_MOST 256 /* what is beyond is not looked at */

/*
 * Each library that it names, in its order, until `take` answers false. False: it is no object of this machine, or not
 * one that can be read. Whatever stands in the file is checked before it is believed.
 */
bool elf_needed(const char *path, bool (*take)(void *user, struct str name), void *user);

/* It has a note of this owner and type. */
bool elf_has_note(const char *path, const char *owner, uint32_t type);

#endif
