/*
 * Inside a job of GitHub Actions: the second door of the room. Which cell the job is, what may be printed there, and what is
 * left behind for people and for the steps that follow.
 */
#ifndef RM_CI_JOB_H
#define RM_CI_JOB_H

#include "matrix/matrix.h"

#include <sys/types.h>

/* ---- cell.c, place.c: which of the cells it is ---- */

/*
 * `text` is what GitHub has made of `toJSON(matrix)`. From now on only those cases are planned that belong to that cell: one that
 * projects from several belongs to the first of them that is for Linux, and in a suite without cells to that of job_home. So over
 * all jobs of a matrix each case is planned once. False: it is no cell, or several, and diags say so.
 */
bool job_choose_cell(struct suites *suites, struct str text, struct diags *diags);
/*
 * Whose job has what belongs to no cell, the cases of suites without a matrix: the first suite that has a matrix and a cell for
 * Linux, and that cell of it; where there is none, the first without a matrix. Suites that are left out do not count. NULL: none is.
 */
const struct suite *job_home(const struct suites *suites, uint32_t *cell);

/* The same job, as the environment speaks of it; members may be NULL. */
struct job_place {
    const char *workspace; /* GITHUB_WORKSPACE */
    const char *workflow;  /* GITHUB_WORKFLOW_REF: "owner/repo/.github/workflows/ci.yml@refs/heads/main" */
    const char *job;       /* GITHUB_JOB */
};
/* Where its file says that it has a matrix; false: it does not, or cannot be read. */
bool job_has_matrix(struct arena *arena, const struct job_place *place, struct place *at);

/* ---- voice.c: what the log is told ---- */

/* GITHUB_ACTIONS is true, and this is no case of a run that is in the job: that one's output is read by nobody. */
bool job_inside(void);

#define JOB_TOKEN_BYTES 16

/*
 * Commands are stopped by a word that nobody can guess, and go on when it is said again. While a run holds others' text they are: even
 * who writes into our own output then says nothing. The word is in our memory alone, never in an argument, an environment or a file.
 */
struct job_voice {
    bool inside;
    bool stopped, grouped;
    char token[2 * JOB_TOKEN_BYTES + 1]; /* empty: there is none, and nothing is stopped */
};

void job_voice_open(struct job_voice *voice);
/* Each adds whole lines, or nothing where there is nothing to say. */
void job_stop(struct job_voice *voice, struct buf *out);
void job_resume(struct job_voice *voice, struct buf *out);
void job_group(struct job_voice *voice, const char *title, struct buf *out);
void job_group_end(struct job_voice *voice, struct buf *out);
/* Errors as annotations where they stand, as many as are shown; before they are printed. */
void job_tell_errors(const struct diags *diags, struct buf *out);
/* By who comes after a runner that has died anywhere, in the middle of a line too. */
void job_last_words(const struct job_voice *voice, struct buf *out);

/* ---- github_file.c: what a step tells GitHub by files ---- */

/* NAME<<DELIMITER, the value, DELIMITER; for GITHUB_OUTPUT and its like. False: no random numbers are to be had. */
bool github_file_add(struct buf *out, const char *name, struct str value);
/* For appending; how long it is already. -1 and errno: it is no file, or cannot be written. */
int github_file_open(const char *path, off_t *size);
/* What others of the step have written there stays, and a line that they have left open is ended. 0, or -1 and errno. */
int github_file_append(const char *path, struct str text);

#endif
