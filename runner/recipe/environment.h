/* The environment of a case: the caller's, less what no case may see, and what the case is told of itself. */
#ifndef RM_RUNNER_ENVIRONMENT_H
#define RM_RUNNER_ENVIRONMENT_H

#include "runner/recipe/recipe.h"

/* Fills in kitchen->base. */
void environment_open(struct kitchen *kitchen);

/* "NAME=value" of the caller's that cases get, NULL when there is none. */
const char *environment_of_caller(const struct kitchen *kitchen, const char *name);

/* Variables that are ours alone: `env` may not set them. */
bool environment_is_ours(struct str name);

/* An environment in the making, with room for what was said at its opening. */
struct environment {
    const struct kitchen *kitchen;
    struct arena *arena;
    const char **list;
    uint32_t count;
    bool holes; /* some were removed */
};

void environment_init(struct environment *env, const struct kitchen *kitchen, struct arena *arena,
                      uint32_t more);
/* For a name that is not there yet. */
void environment_add(struct environment *env, struct str name, struct str value);
/* RUN_MATRIX_AXIS_<NAME> */
void environment_add_axis(struct environment *env, struct str axis, struct str value);
/* In place of the one there is. */
void environment_put(struct environment *env, struct str name, struct str value);
/* Its value; NULL: it has no such variable. */
const char *environment_get(const struct environment *env, struct str name);
void environment_remove(struct environment *env, struct str name);
/* No more changes: as execve takes it. */
char *const *environment_finish(struct environment *env);

/* A finished one, and these: in place of those of the same name, the last of each. */
char *const *environment_with(struct arena *arena, char *const *envp, const struct variable *more,
                              uint32_t count);

/* The same, to be written into by who will have it. */
char *environment_entry(char *const *envp, const char *name);

/* "NAME=value" out of a finished one, NULL when it is not there. */
const char *environment_find(char *const *envp, const char *name);

#endif
