/* Of a case that has crashed: where its core is. */
#ifndef RM_RUNNER_CORE_WORDS_H
#define RM_RUNNER_CORE_WORDS_H

struct session;
struct slot;

/* "its core is '/home/me/core.12'; ..." in the arena of the slot; NULL: none was dumped. */
const char *core_words(struct session *s, struct slot *slot);
/* The path of it; NULL: none was dumped to a file, or it is not found there. */
const char *core_file(struct session *s, struct slot *slot);

#endif
