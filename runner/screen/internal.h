/* What the files of progress share: the screen that is written to, and the line that lives on it. */
#ifndef RM_RUNNER_PROGRESS_INTERNAL_H
#define RM_RUNNER_PROGRESS_INTERNAL_H

#include "runner/screen/progress.h"

/* ---- progress_screen.c ---- */

struct screen {
    int fd;
    bool own;           /* opened by us */
    bool hasty;         /* never waited for longer than a second: a terminal, or a run that is to end */
    int wake;           /* readable when somebody else has to be heard before we wait on; -1: nobody */
    bool broken;        /* it went away: nothing is written any more */
    bool still;         /* it has not taken anything for a second */
    bool inert;         /* what is in an update is no command to anybody */
    struct buf update;  /* being made */
    struct buf pending; /* not written yet */
    uint32_t left_out;  /* lines that found no room while it stood still */
};

void screen_open(struct screen *screen, int fd, int wake);
void screen_close(struct screen *screen);
void screen_hurry(struct screen *screen);
/* As they are, whatever waits before them. */
void screen_command(struct screen *screen, struct str lines);
/* Writes the update, and before it what still waits, in one write if it is taken at once. Decoration is given up
 * where it would have to wait. */
void screen_put(struct screen *screen, bool decoration);

/* ---- progress_live.c ---- */

struct running {
    bool busy;
    nanos since;
    struct buf id; /* raw */
};

struct live {
    struct mask *mask; /* of the style */
    struct running *slots;
    uint32_t slot_count, slot_cap;
    uint32_t cases, done, resting;
    uint32_t counts[COUNT_COUNT];
    nanos began; /* on the clock of progress_draw; -1: not yet */
};

void live_release(struct live *live);
void live_started(struct live *live, uint32_t slot, struct str id, nanos now);
void live_ended(struct live *live, uint32_t slot, struct str id);
/* "[12/340] 3 failed, 1 skipped" */
void live_counts(const struct live *live, struct buf *out);
/* "00:41", "1:02:03" */
void live_clock(struct buf *out, nanos span);
/* The line, in at most `width` columns. */
void live_line(const struct live *live, nanos now, nanos left, uint32_t width, struct buf *out);
/* Text made harmless, with "..." where it is longer than so many columns. */
void live_fit(struct buf *out, struct str text, uint32_t columns);
/* The same of what may hold something that nobody may read. */
void live_masked(struct buf *out, struct mask *mask, struct str text, uint32_t columns);

/* ---- progress.c ---- */

#define RED     "31"
#define GREEN   "32"
#define YELLOW  "33"
#define MAGENTA "35"
#define PLAIN   ""

struct progress {
    struct progress_style style;
    struct screen screen;
    struct live live;
    struct buf line; /* the live one as it stands on the screen */
    bool shown;
    nanos drawn;      /* when, on the clock of progress_draw */
    nanos said;       /* time of the run when a case last had a line; -1: not yet */
    uint32_t percent; /* as the terminal was told; NO_PERCENT: it was not */
};

/* Between these two whole lines are added to what the first one returns. */
struct buf *progress_begin(struct progress *progress);
void progress_end(struct progress *progress);
/* Text that is not ours: masked, and made harmless. */
void progress_show(const struct progress *progress, struct buf *out, struct str text);
void progress_coloured(const struct progress *progress, struct buf *out, const char *colour,
                       const char *text);

#endif
