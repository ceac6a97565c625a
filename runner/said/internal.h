/* What the files of this room share. */
#ifndef RM_RUNNER_SAID_INTERNAL_H
#define RM_RUNNER_SAID_INTERNAL_H

#include "runner/base/buf.h"
#include "runner/said/said.h"

/* One line taken apart; one may be filled again and again. */
struct said_raw {
    bool known; /* `kind` is one */
    enum said_kind kind;
    enum said_phase phase;
    struct buf key, file, words, of, timeout;
    uint32_t line;
    int64_t pid;
    nanos at;
};

/* False: it is none of ours. */
bool said_line_read(struct said_raw *raw, struct str text);
void said_raw_release(struct said_raw *raw);
/* The next whole one, without its end; half a line at the end is being written, or was cut. */
bool said_next_line(struct str *text, struct str *line);

/* -1 and errno: there is none that could be read. `size`: how long it is. */
int said_open(int folder, int64_t *size);
/* From `at` on, at most `most` bytes. */
void said_load(int fd, int64_t at, size_t most, struct buf *out);

#endif
