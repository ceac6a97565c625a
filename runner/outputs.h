/* What becomes of the output of an attempt: shown as it comes, named so that somebody can follow it, kept, dropped. */
#ifndef RM_RUNNER_OUTPUTS_H
#define RM_RUNNER_OUTPUTS_H

#include "runner/journal/journal.h"
#include "runner/keep.h"

struct buf;
struct capture_file;
struct session;
struct slot;

/* --keep; `word` NULL: not given. */
enum keep outputs_wanted(const char *word);
/* Puts a relay between the case and its files, as its capture wants one. -1 and errno. */
int outputs_open_relays(struct session *s, struct slot *slot);
/* Carries an end of a relay, of both relays numbered through; false: it need not be waited for any more. */
bool outputs_carry(struct session *s, struct slot *slot, uint32_t end);
void outputs_finish_relays(struct session *s, struct slot *slot);

/* "cases/proto@backend=exec/1/stdout", in the slot's arena */
const char *outputs_path(struct slot *slot, const char *folder, uint32_t attempt, const char *name);

/* Relative to the run's: where what a C test keeps beside its own streams is, in the slot's arena. NULL: it is none. */
const char *outputs_folder(struct session *s, struct slot *slot);

/* Gives the output of a running attempt a name; its path for people, NULL: it cannot be followed. */
const char *outputs_follow(struct session *s, struct slot *slot);

/* "id | ", for lines that are shown as they come. */
const char *outputs_prefix(struct slot *slot);
/* Of a case, or whatever has an id and a number: the name of a folder, without what nobody may read. */
void outputs_slug(struct mask *mask, struct str id, uint32_t number, struct buf *slug);
/* Takes out what nobody may read. False: it could not, which has been said, and must not be kept. */
bool outputs_hide(struct session *s, struct capture_file *file, struct str whose);

/* By verdict and --keep; says in the record where it is. Artifacts are kept whatever the verdict. */
void outputs_keep(struct session *s, struct slot *slot, struct journal_attempt *attempt);

#endif
