/* The inside of the captures: what those of a run share. */
#ifndef RM_HARNESS_CAPTURE_ROOM_H
#define RM_HARNESS_CAPTURE_ROOM_H

#include "runner/harness/capture.h"

struct capture_room {
    int run;    /* not owned */
    int null;   /* stdin of all, and what is discarded */
    int spares; /* folder of files with names; -1: O_TMPFILE is to be had */
    uint64_t spare_count;
    int pack; /* -1: nothing was packed yet */
    uint64_t pack_end;
    char *pack_buffer; /* CAPTURE_PACK_MOST bytes */
    struct faults *faults;
};

#endif
