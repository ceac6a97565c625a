/* What the readers share: adding a result, texts within limits, lines out of pieces, words. */
#ifndef RM_RESULTS_INTERNAL_H
#define RM_RESULTS_INTERNAL_H

#include "runner/base/buf.h"
#include "runner/results/results.h"

/* ---- a reader: begins every reader's own struct ---- */

struct results_format {
    void (*feed)(struct results_reader *reader, struct str bytes);
    void (*end)(struct results_reader *reader); /* frees what it holds, and itself */
};

struct results_reader {
    const struct results_format *format;
    struct results *results;
};

/* ---- results ---- */

/* False, and counted, when there are too many already. The id is made unique, all other texts are the arena's. */
bool results_add(struct results *results, const struct result *result);
/* Changes the verdict of one that is in the list. */
void results_settle(struct results *results, struct result *result, enum result_verdict verdict);
struct place results_place(const struct results *results, uint64_t line, uint64_t col);

struct result_ids;
/* `id`, or id#2, id#3, ... */
struct str ids_unique(struct result_ids **ids, struct arena *arena, struct str id);
void ids_release(struct result_ids *ids);

/* ---- texts ---- */

/* A long text that comes in pieces: its beginning and its end. All zero is empty. */
struct excerpt {
    struct buf kept;
    uint64_t dropped; /* bytes between the first RESULT_TEXT_MOST / 2 that are kept and the others */
};

void excerpt_add(struct excerpt *excerpt, struct str text);
void excerpt_clear(struct excerpt *excerpt);
/* As a text of the arena, as long as there is room for texts. The excerpt is empty then. */
struct str excerpt_take(struct results *results, struct excerpt *excerpt, enum result_verdict verdict);

/* One harmless line of it, in the arena: white space of any kind is a blank, controls are escapes. */
struct str text_line(struct arena *arena, struct str text, size_t most);
/* The same for an id, in which every blank counts. */
struct str text_id(struct arena *arena, struct str text);
/* The next line of a text, without its end; false when there is none. */
bool text_next_line(struct str *text, struct str *line);

/*
 * The place that a text speaks of, when one of its lines begins with "file.c:12", or by the words of bats and
 * Test::More: where, and what follows in that line.
 */
struct text_place {
    struct str file;
    uint32_t line;
    struct str rest;
};
bool text_place(struct str text, struct text_place *place);
/*
 * What a text has to say, in one line of the arena: its first one. Where that is but a place, as GoogleTest has it, what
 * comes after it.
 */
struct str text_message(struct arena *arena, struct str text);
/* "path:12", "path:12:3", "path" (line 0), with file:// or without. */
void text_location(struct str text, struct str *file, uint32_t *line);
/* Sets both where both are known; leaves alone what is known already. */
void result_locate(struct results *results, struct result *result, struct str file, uint32_t line);

/* "0.012", "1,234.5", "1e-05", "12 ms", "0.03s", "1m30s"; a bare number is `unit`. -1: none of these. */
nanos text_duration(struct str text, nanos unit);
/* Digits and nothing else; `most` for what is more. */
bool text_number(struct str text, uint64_t most, uint64_t *number);

/* ---- lines out of pieces ---- */

#define LINE_MOST ((size_t)64 << 10) /* what a line has beyond that is dropped */

/* All zero is ready. */
struct line_feed {
    struct buf line;
    uint64_t number; /* of the last line, from 1 */
};

typedef void line_each(void *user, struct str line); /* without newline and CR */
void line_feed(struct line_feed *feed, struct str bytes, line_each *each, void *user);
void line_feed_end(struct line_feed *feed, line_each *each, void *user); /* and releases it */

/* ---- words ---- */

/* What a suite calls a verdict, without regard to case. */
enum word_means { WORD_UNKNOWN, WORD_STARTED, WORD_VERDICT };
enum word_means verdict_of_word(struct str word, enum result_verdict *verdict);

#endif
