#include "runner/diagnose/diagnose.h"

const char *const dump_fd_words[DUMP_FD_KIND_COUNT] = {
#define X(id, word) [id] = (word),
    DUMP_FD_KINDS(X)
#undef X
};

const char *const dump_wait_words[DUMP_WAIT_COUNT] = {
#define X(id, word) [id] = (word),
    DUMP_WAITS(X)
#undef X
};

const char *const dump_runtime_words[RUNTIME_COUNT] = {
#define X(id, word) [id] = (word),
    DUMP_RUNTIMES(X)
#undef X
};
