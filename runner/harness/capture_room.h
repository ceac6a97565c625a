/* The inside of the captures: what those of a run share. */
#ifndef RM_HARNESS_CAPTURE_ROOM_H
#define RM_HARNESS_CAPTURE_ROOM_H

#include "runner/harness/capture.h"

#define CAPTURE_IDLE_MOST 64

struct capture_room {
    int run;    /* not owned */
    int null;   /* stdin of all, and what is discarded */
    int spares; /* folder of files with names; -1: O_TMPFILE is to be had */
    uint64_t spare_count;
    int pack; /* -1: nothing was packed yet */
    uint64_t pack_end;
    char *pack_buffer;           /* CAPTURE_PACK_MOST bytes */
    int idle[CAPTURE_IDLE_MOST]; /* files without a name, empty, that nobody else has open */
    uint32_t idle_count;
    struct faults *faults;
    struct mask *mask; /* what is kept is kept without it; NULL: as it is */
};

/* For our own use: -1 and errno. */
int capture_file_open(struct capture_room *room, struct capture_file *file, const char *word);
void capture_file_close(struct capture_room *room, struct capture_file *file);

#endif
