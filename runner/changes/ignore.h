/* .gitignore: what is in a folder and is none of its sources. */
#ifndef RM_CHANGES_IGNORE_H
#define RM_CHANGES_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

struct ignore_rule;

/* All zero is one without rules. Paths are absolute, without a slash at the end. */
struct ignore {
    struct ignore_rule *rules;
    size_t count, cap;
};

/* Adds what the .gitignore of a folder says. Folders above others come first: the last rule that matches counts. */
void ignore_read(struct ignore *ignore, const char *folder);
/* Of a folder that is ignored nobody asks what is in it. */
bool ignore_has(const struct ignore *ignore, const char *path, bool is_folder);
void ignore_release(struct ignore *ignore);

#endif
