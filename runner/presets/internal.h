/* What a row of the table holds, and what the files that read it share. */
#ifndef RM_RUNNER_PRESETS_INTERNAL_H
#define RM_RUNNER_PRESETS_INTERNAL_H

#include "runner/base/buf.h"
#include "runner/presets/presets.h"

/*
 * What is done to a command. In words and values `{results}` is the folder for results, `{filter}` the names as the
 * row writes them into one word; a word that is `{tests}` becomes one word for each name.
 */
#define EDIT_WORDS_MOST 6

struct edit_variable {
    const char *name, *value;
    bool is_words; /* the caller's own words stay, before ours; ours are quoted as its runner reads them */
};

struct edit {
    const char *words[EDIT_WORDS_MOST];
    struct edit_variable variables[PRESET_VARIABLES_MOST];
    /* Does the same where the command takes no more words (a script, a program that is not the row's). */
    struct edit_variable instead;
};

struct listing_reader; /* listing.c */

struct preset {
    const char *name;
    const char *cannot_list, *cannot_choose;
    struct preset_report reports[PRESET_REPORTS_MOST];
    bool reports_others, reads_sources, fills_folder;
    struct edit run, choose, list;
    /* The program that takes the words; NULL: the command itself, whatever it is called. */
    const char *program, *program_too;
    const char *separator; /* between the words of the program and those of what it starts; NULL: none */
    const char *before;    /* words of ours stand before this one, or one with '-' more */
    /* True for a word of the user's, behind the program, that says which tests: in its place come those that are chosen. */
    bool (*is_choice)(const struct preset_ask *ask, uint32_t word);
    const char *goal; /* a word that is left out when tests are listed */
    /* Makes a command of its own that lists them; `program`: which word is the row's. False: the user's command does not say where they are. */
    bool (*list_instead)(struct arena *arena, const struct preset_ask *ask, uint32_t program,
                         struct preset_command *command);
    /* Writes a name into a filter; NULL: names are words. False: it cannot be written. */
    bool (*quote)(struct buf *out, struct str name);
    const char *filter_begin, *filter_between, *filter_end;
    /* A name as it is seen from where the command runs; NULL: as it is. False: nothing there is called so. */
    bool (*from_here)(const struct preset_ask *ask, struct arena *arena, uint32_t program, struct str *name);
    /* More words that choosing takes, such as the files that the tests are in. */
    void (*more)(struct arena *arena, const struct preset_ask *ask, struct preset_command *command);
    void (*read)(struct listing_reader *reader, struct str output);
    struct str (*result_id)(struct arena *arena, struct str id, struct str file);
    /* NULL: it is told the id itself. False: that cannot be known. */
    bool (*name_of)(struct arena *arena, struct str id, struct str *name);
    bool (*is_of)(struct str result, struct str listed); /* NULL: they are called the same */
};

extern const struct preset presets[];
extern const uint32_t preset_count;

/* ---- quote.c: a name in somebody's language ---- */

bool quote_gtest(struct buf *out, struct str name);
bool quote_cmake(struct buf *out, struct str name); /* CMake's regular expressions */
bool quote_go(struct buf *out, struct str name);    /* RE2, of what stands after the package */
bool quote_bats(struct buf *out, struct str name);  /* POSIX, of what stands after the file */
bool quote_criterion(struct buf *out, struct str name);
bool quote_make(struct buf *out, struct str name); /* a word of a variable that make and its shell read */
/* As a POSIX shell reads one word; also what Python's shlex takes. */
void quote_shell(struct buf *out, struct str word);

/* ---- choice.c: the user's words that say which tests ---- */

bool is_pytest_choice(const struct preset_ask *ask, uint32_t word);
bool pytest_from_here(const struct preset_ask *ask, struct arena *arena, uint32_t program, struct str *name);
bool is_go_choice(const struct preset_ask *ask, uint32_t word);
bool is_bats_choice(const struct preset_ask *ask, uint32_t word);
void add_go_packages(struct arena *arena, const struct preset_ask *ask, struct preset_command *command);
void add_bats_files(struct arena *arena, const struct preset_ask *ask, struct preset_command *command);
bool list_bats(struct arena *arena, const struct preset_ask *ask, uint32_t program,
               struct preset_command *command);
/* The last part of a path. */
struct str base_name(struct str path);
/* What stands before the first "::", and after it. */
bool split_name(struct str name, struct str *before, struct str *after);

/* ---- command.c ---- */

void command_add(struct arena *arena, struct preset_command *command, struct str word);

/* ---- listing.c ---- */

struct listing_reader {
    struct arena *arena;
    struct preset_listing *listing;
    uint32_t *seen; /* places in the list and 1, by id, open addressing; 0: free */
    size_t size;
    uint32_t cap;
    struct str suite; /* the heading that tests stand below */
};

/* False when there are too many. */
bool listing_add(struct listing_reader *reader, struct str text, struct str name);
void listing_problem(struct listing_reader *reader, const char *problem);
/* The whole of what was printed, with the reader of a row. */
void listing_read(void (*read)(struct listing_reader *reader, struct str output), struct arena *arena,
                  struct str output, struct preset_listing *listing);
bool listing_line(struct str *text, struct str *line); /* the next one, without its end */

void read_pytest(struct listing_reader *reader, struct str output);
void read_gtest(struct listing_reader *reader, struct str output);
void read_ctest(struct listing_reader *reader, struct str output);
void read_meson(struct listing_reader *reader, struct str output);
void read_libtest(struct listing_reader *reader, struct str output);
void read_go(struct listing_reader *reader, struct str output);
void read_criterion(struct listing_reader *reader, struct str output);
void read_bats(struct listing_reader *reader, struct str output);
void read_words(struct listing_reader *reader, struct str output);
bool libtest_name(struct arena *arena, struct str id, struct str *name);
bool meson_name(struct arena *arena, struct str id, struct str *name);
bool criterion_name_of(struct arena *arena, struct str id, struct str *name);

/* ---- result_id.c ---- */

struct str pytest_result_id(struct arena *arena, struct str id, struct str file);
struct str go_result_id(struct arena *arena, struct str id, struct str file);
struct str bats_result_id(struct arena *arena, struct str id, struct str file);
bool pytest_name(struct arena *arena, struct str id, struct str *name);
bool no_name(struct arena *arena, struct str id, struct str *name);
bool is_of_pytest(struct str result, struct str listed);
bool is_of_bats(struct str result, struct str listed);

#endif
