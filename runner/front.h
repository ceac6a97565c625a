/* From the command line to a plan: the file is found, read and checked, and cases are selected. */
#ifndef RM_RUNNER_FRONT_H
#define RM_RUNNER_FRONT_H

#include "matrix/matrix.h"
#include "runner/command.h"

/* An argument that names something on disk, and the file that stands for. */
struct suite_path {
    const char *path, *file; /* NULL: there is no such file */
    bool tests;              /* it is C tests, or a folder that may hold some, and no suite */
};

struct front {
    struct suite_world world;
    const char *file;         /* as it is named in messages */
    const char *profile;      /* NULL: none */
    struct suite_path *paths; /* arguments that are paths */
    size_t path_count;
    struct wanted *wanted; /* of these, those that are tests; see listing.h */
    uint32_t wanted_count;
    const char *implied; /* which tests are run that no file names, in words; NULL: none */
    const char *called;  /* what a command line has to name for them; NULL: `file` */
    struct opt_list ids; /* arguments that are ids, and --id */
    const char *capture; /* where output goes when nothing is said; NULL: as the cell says */
    struct suites suites;
    struct plan plan;
    struct settings *settings;
    struct selection *selection; /* NULL: everything */
    bool forgetful;              /* a history was asked for and is not to be had, which was said */
    const char *recalled;        /* what history has to do with the plan, a line each; NULL: nothing */
    uint32_t *before;            /* with it: which cases come before which, one number for each of the plan */
};

/* On failure diags say why and the exit code is returned; `front` is to be released either way. */
enum exit_code front_open(struct front *front, struct invocation *in);
/* The same for one command in place of a file: one case, without a cell. */
enum exit_code front_open_command(struct front *front, struct invocation *in);
/* For both: settings, selection and plan, when suites are loaded. False: diags say why. */
bool front_plan(struct front *front, struct invocation *in);
/* "; did you mean 'list'?": an argument that is nothing else may have been meant for a command. */
const char *front_guess_command(const struct invocation *in);
void front_release(struct front *front);

/* --context FILE.json as a mapping; NULL when it was not given or diags got an error. */
const struct node *front_context(struct invocation *in);

/* Settings of the command line; NULL when diags got an error. */
const struct node *front_overrides(struct invocation *in);
/* What the profile says in the root's file; NULL: nothing. */
const struct node *front_profile_key(const struct front *front, const char *key);
/* A file that it names: from the folder of that file. */
const char *front_profile_path(const struct front *front, const struct node *value, struct arena *arena);
nanos front_session_timeout(const struct front *front); /* 0: none */
struct setting_origin front_session_origin(const struct front *front, const struct invocation *in);
/* Where runs are kept: --run-dir, RUN_MATRIX_DIR, or .run-matrix beside the file. */
const char *front_store_path(struct invocation *in, const struct front *front);
/* Just that, when no file has been read: one beside the file that would be. */
const char *front_find_store(struct invocation *in);

#define FILE_NAME "run-matrix.yaml"

#endif
