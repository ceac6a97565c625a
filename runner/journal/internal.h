/* What the files of this room share. docs/journal.md has the format. */
#ifndef RM_JOURNAL_INTERNAL_H
#define RM_JOURNAL_INTERNAL_H

#include "runner/base/json.h"
#include "runner/journal/journal.h"

#define JOURNAL_SCHEMA 1
#define NS_PER_US      1000

/* ---- out ---- */

struct journal {
    int fd;
    struct faults *faults;
    struct mask *mask;
    uint64_t size;         /* the file ends here, with a whole line */
    uint64_t reserved;     /* blocks are ours up to here */
    bool reserves;         /* as far as we know the file system can reserve */
    bool torn;             /* half a line stands behind `size` that could not be taken back yet */
    uint32_t tests, cases; /* told so far */
    struct buf line;       /* the record that is being made */
};

/* `journal->line` without its newline: 0, or -1 and errno with the file as it was. */
int journal_append(struct journal *journal);

/* hide.c: a record, without its newline. */
void line_take_out(struct mask *mask, struct buf *line, bool result);

#define LINE_ADD(line, literal) buf_add((line), (literal), sizeof(literal) - 1)

/* ,"key":value; a text that is empty is left out */
void line_int(struct buf *line, const char *key, int64_t value);
void line_time(struct buf *line, const char *key, nanos value);
void line_text(struct buf *line, const char *key, struct str text, size_t most);
void line_flag(struct buf *line, const char *key, bool value);
void line_number(struct buf *line, int64_t value);
/* Between quotes; what takes more than `most` bytes there is cut and ends in an ellipsis. */
void line_quote(struct buf *line, struct str text, size_t most);

/* ---- in ---- */

/* The whole lines of a file, in a buffer of fixed size. */
struct lines {
    int fd;
    char *bytes;
    size_t at, end;  /* of what is in the buffer */
    uint64_t passed; /* bytes of the file that are behind us */
    bool skipping;   /* within a line that is longer than a record may be */
    uint32_t torn;   /* such lines, and one at the end without a newline */
    int error;       /* of the read that failed; 0: none */
};

bool lines_open(struct lines *lines, int folder); /* false and errno */
bool lines_next(struct lines *lines, struct str *line);
void lines_close(struct lines *lines);

/* What is known of a case while the journal is being read. */
struct entry {
    struct journal_case what;
    struct journal_history history;
    /* Of an attempt whose end is yet to be read. */
    uint32_t said_attempt, said_count;
    uint64_t said_more;
    const struct journal_said *said;
    uint32_t files_attempt;
    const struct journal_files *files;
};

struct reading {
    struct arena *arena;
    struct journal_record *record;
    struct json_reader json;
    struct journal_test *tests;
    struct entry *cases;
    struct str *notes, *args;
    uint32_t test_count, test_cap, case_count, case_cap, note_count, note_cap, arg_count, arg_cap;
    uint32_t arg_first; /* of the last `run` */
    uint32_t runs;      /* `run` records so far */
    nanos base;         /* where the clock of the last of them began */
    uint64_t passed;    /* bytes of the file read so far: nothing in it can count more than these */
    uint32_t schema;    /* the largest seen */
};

/* ---- records as tables ---- */

typedef bool field_reader(struct reading *reading, void *into);

#define FIELD(type, key, kind, member)            \
    {                                             \
        key, field_##kind, offsetof(type, member) \
    }

struct field {
    const char *key;
    field_reader *read; /* the value, before which the JSON reader stands */
    size_t offset;      /* in the struct */
};

field_reader field_u32, field_i64, field_u64, field_int, field_time, field_str, field_json, field_flag,
    field_verdict, field_hex;

/* What is left of an object up to its "}". Keys that no field has are passed over. */
bool read_fields(struct reading *reading, const struct field *fields, size_t count, void *into);
/* A value that is an array: each item by `item`, which gets its first token. */
typedef bool item_reader(struct reading *reading, enum json_token first, void *into);
bool read_items(struct reading *reading, item_reader *item, void *into);
bool skip_value(struct reading *reading);
bool copy_text(struct reading *reading, enum json_token token, struct str *text);

/* From the clock of the last `run` to that of the first; the record lasts at least until then. */
void time_passed(struct reading *reading, nanos *at);

/* Records, each from behind its "ev" to the end of its object; false when it is not what it should be. */
bool read_run(struct reading *reading);
bool read_argv(struct reading *reading);
bool read_tests(struct reading *reading);
bool read_cases(struct reading *reading);
bool read_start(struct reading *reading);
bool read_said(struct reading *reading);
bool read_files(struct reading *reading);
struct entry *find_entry(struct reading *reading, uint32_t number); /* NULL: there is no such case */
/* In memory of the record; NULL where there are none. */
const void *copy_items(struct reading *reading, const void *items, uint32_t count, size_t size);
bool read_end(struct reading *reading);
/* The value of "results" in it, into a const struct journal_results *. */
field_reader field_results;
bool read_slower(struct reading *reading);
bool read_note(struct reading *reading);
bool read_cancel(struct reading *reading);
bool read_finish(struct reading *reading);

#endif
