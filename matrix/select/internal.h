/* What the files of selection share: a text of the user's is parsed into the arena once, then only compared. */
#ifndef RM_MATRIX_SELECT_INTERNAL_H
#define RM_MATRIX_SELECT_INTERNAL_H

#include "matrix/select/pattern.h"
#include "matrix/select/select.h"

/* ---- one text of a specification while it is read ---- */

struct owned_pattern {
    struct owned_pattern *next;
    struct pattern *pattern;
};

struct select_text {
    const char *option; /* "-k", "--cell"; NULL for ids */
    struct str text;
    struct place at;
    struct arena *arena;
    struct diags *diags;
    struct owned_pattern **owned; /* what selection_release frees */
};

/* An error at byte `offset` of the text. */
void select_error(const struct select_text *in, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Compiles a part of the text that begins at `offset`; NULL after an error. */
struct pattern *select_pattern(const struct select_text *in, size_t offset, struct str pattern,
                               unsigned flags);

/* As much of a text as a message repeats. */
struct str select_shown(struct str text);

/* ---- answers: yes, no, or a regular expression that gave up ---- */

enum select_answer select_search(struct pattern *pattern, struct str text);
enum select_answer select_and(enum select_answer a, enum select_answer b);
enum select_answer select_or(enum select_answer a, enum select_answer b);
enum select_answer select_not(enum select_answer a);

/* ---- pieces of names and values ---- */

/* One of the texts that a name or value may be. */
struct choice {
    struct choice *next;
    bool glob; /* over plain text; else the very text, escaped as in ids */
    struct str text;
};

/* What a piece of the user's text stands for: at least one choice. */
struct choice *choices_parse(struct arena *arena, struct str raw);
struct choice *choice_verbatim(struct arena *arena, struct str raw); /* nothing in it is a wildcard */
bool choice_matches(const struct choice *choice, struct str escaped);

/* The text as ids have it: escapes in it undone, then made anew the one right way. */
struct str select_canonical(struct arena *arena, struct str raw);

/* End of the element of a glob at `at`: a class, an escaped character, or one byte. */
size_t glob_element(struct str pattern, size_t at);
/* True when a class begins at `at`; it ends at `*end`. */
bool glob_class(struct str pattern, size_t at, size_t *end);

/* ---- axis=value,... ---- */

/* One name with the choices for its value. */
struct term {
    struct term *next;
    struct str name, plain_name; /* escaped as in ids, and not */
    struct choice *choices, **end;
};

bool terms_parse(const struct select_text *in, size_t from, size_t to, struct term **terms);
bool terms_match_cell(const struct term *terms, const struct case_view *view);
bool terms_match_params(const struct term *terms, struct str params);

/* ---- ids ---- */

struct id_pattern {
    struct pattern *regex; /* NULL: the rest counts */
    struct choice *test;   /* NULL: any */
    struct term *params, *cell;
};

bool id_pattern_parse(const struct select_text *in, struct id_pattern *id);
enum select_answer id_pattern_matches(const struct id_pattern *id, const struct case_view *view);
/* It may match a test inside the case, whatever that is called. */
bool id_pattern_reaches(const struct id_pattern *id, const struct case_view *view);

/* ---- keywords ---- */

enum keyword_use {
    KEYWORD_ANYWHERE, /* -k: a part of the id or of a mark, without regard to case */
    KEYWORD_MARK,     /* -m: a mark, exactly */
};

struct keyword;

struct keyword *keyword_parse(const struct select_text *in, enum keyword_use use); /* NULL after an error */
enum select_answer keyword_matches(const struct keyword *keyword, const struct case_view *view);

/* ---- partitions ---- */

struct partition {
    bool hash;
    uint32_t index, count; /* index from 0; count 0: everything */
};

bool partition_parse(const struct select_text *in, struct partition *partition);
bool partition_holds(const struct partition *partition, struct str id, uint64_t ordinal);

#endif
