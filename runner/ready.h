/*
 * Is a daemon up? Asked again and again until it is; each asking takes no time. What needs a process to find out (a
 * command), and what the daemon's own process tells (that it has executed), is not known here.
 */
#ifndef RM_RUNNER_READY_H
#define RM_RUNNER_READY_H

#include "matrix/matrix.h"
#include "runner/harness/harness.h"
#include "runner/recipe/recipe.h"

#include <sys/stat.h>

struct ready {
    enum ready_kind kind;
    struct str text;
    uint32_t tries;
    int error; /* of the last try */
    struct endpoint endpoint;
    struct stat before; /* the file, if it was there; all zero: it was not */
    struct pattern *pattern;
    const struct capture *capture;
    struct ready_stream {
        uint64_t at;
        struct buf line;
    } streams[2];
    int socket; /* that it is notified through, read for as long as it is there; -1: none */
    bool notified;
    char status[200];
};

/*
 * `capture` is what the daemon writes to; `notify` the path of the socket that it is told of. False, and why in a
 * sentence: it cannot be asked.
 */
bool ready_begin(struct ready *ready, const struct fixture_recipe *recipe, const struct capture *capture,
                 const char *notify, struct buf *why);
bool ready_is(struct ready *ready);
/* What was tried, how often, and what came of it: "tried to connect to ... 12 times: Connection refused". */
void ready_words(const struct ready *ready, struct buf *out);
void ready_end(struct ready *ready);

#endif
