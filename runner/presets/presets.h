/*
 * Suites of tests as other people's runners have them: how such a runner is asked for the names of its tests, how it
 * runs some of them by name, where it leaves its results, and how its names become ours. One row of a table for each.
 * Nothing is started here: commands are made of commands, and what they print is read into names.
 */
#ifndef RM_RUNNER_PRESETS_PRESETS_H
#define RM_RUNNER_PRESETS_PRESETS_H

#include "runner/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

struct preset; /* a row */

const struct preset *preset_find(struct str name); /* NULL: there is none */
const char *preset_name(const struct preset *preset);
/* Why it cannot say the names of its tests, or run some of them by name; NULL: it can. */
const char *preset_cannot_list(const struct preset *preset);
const char *preset_cannot_choose(const struct preset *preset);

/* ---- what it reports ---- */

enum preset_format {
    PRESET_NO_REPORT,
    PRESET_JUNIT, /* `file`, in the folder for results */
    PRESET_GTEST,
    PRESET_LINES, /* lines of its output that match `lines` */
};

struct preset_report {
    enum preset_format format;
    const char *file;
    const char *lines; /* as results_lines takes it */
};

#define PRESET_REPORTS_MOST 2

/* The first tells most. What it does not tell, since a process that crashes writes no report, the second does. */
const struct preset_report *preset_reports(const struct preset *preset); /* PRESET_REPORTS_MOST of them */
/*
 * The id of a result as the listing has it. `file`: what the report says of where it is, empty when it says nothing.
 */
struct str preset_result_id(const struct preset *preset, struct arena *arena, struct str id, struct str file);
/* What the suite is told for a test of this id, without a listing; false: that cannot be known. */
bool preset_name_of(const struct preset *preset, struct arena *arena, struct str id, struct str *name);
/* A result of this id is of the test that is listed so, though they are not called quite the same. */
bool preset_is_of(const struct preset *preset, struct str result, struct str listed);
/* It writes into the folder that it runs in: two of it there side by side would be in each other's way. */
bool preset_fills_folder(const struct preset *preset);
/* It finds its tests in sources: a list may be had before anything is built. */
bool preset_reads_sources(const struct preset *preset);
/* Its report has results of tests that nobody asked for, as skipped. */
bool preset_reports_others(const struct preset *preset);

/* ---- its command ---- */

enum preset_action {
    PRESET_RUN,    /* all of it */
    PRESET_CHOOSE, /* these tests alone */
    PRESET_LIST,   /* say their names, start none */
};

struct preset_variable {
    const char *name;
    struct str value;
};

#define PRESET_VARIABLES_MOST 3

struct preset_ask {
    enum preset_action action;
    const struct str *words; /* of the user's command; with `script` the text for a shell, alone */
    uint32_t count;
    bool script;
    const struct str *tests; /* PRESET_CHOOSE: their names, as struct preset_test has them */
    uint32_t test_count;
    struct str results; /* the folder for results, absolute; not asked for with PRESET_LIST */
    /* What the variable is for the command otherwise; empty: not set. */
    struct str (*variable)(const void *user, const char *name);
    /* There is such a file or folder, seen from where the command runs. */
    bool (*exists)(const void *user, struct str path);
    const void *user;
};

/* All texts end in NUL. */
struct preset_command {
    struct str *words; /* of the whole command; with `script` those that follow it, for "$@" */
    uint32_t count;
    struct preset_variable variables[PRESET_VARIABLES_MOST];
    uint32_t variable_count;
};

/* NULL: `command` is filled in; else why it cannot be done. */
const char *preset_command(const struct preset *preset, struct arena *arena, const struct preset_ask *ask,
                           struct preset_command *command);

/*
 * The same for a suite that we do not know, by words of the user's: one that holds `{test}` is given a name in its
 * place, and one that is `{tests}` is given all of them, each as a word.
 */
bool preset_takes_one(const struct str *words, uint32_t count);
bool preset_takes_several(const struct str *words, uint32_t count);
const char *preset_fill(struct arena *arena, const struct str *words, uint32_t count, const struct str *tests,
                        uint32_t test_count, struct preset_command *command);

/* ---- names of tests ---- */

#define PRESET_TESTS_MOST ((uint32_t)1 << 19)
#define PRESET_ID_MOST    ((size_t)1 << 10) /* what is longer is cut, as the ids of results are */

struct preset_test {
    struct str id;   /* what our ids say, and the ids of results */
    struct str name; /* what the suite is told to run; ends in NUL */
    struct str line; /* of C tests: all that the list says of it, a JSON object; else empty */
};

/* In the order listed; no id is there twice: the second of two is id#2. All texts are the arena's. */
struct preset_listing {
    struct preset_test *list;
    uint32_t count;
    uint64_t left_out;   /* past PRESET_TESTS_MOST */
    struct str heading;  /* of C tests: what the list says of all of them, a JSON object; else empty */
    const char *problem; /* why what was printed is no list, in words; NULL: it is one */
};

void preset_read(const struct preset *preset, struct arena *arena, struct str output,
                 struct preset_listing *listing);
/* Of a suite that we do not know: every line that is not blank is a name. */
void preset_read_lines(struct arena *arena, struct str output, struct preset_listing *listing);
/* Of a file with C tests, made with librunmatrix. */
void preset_read_module(struct arena *arena, struct str output, struct preset_listing *listing);
/* Of names that somebody else has read, without the blanks around them. */
void preset_take_names(struct arena *arena, const struct str *names, uint32_t count,
                       struct preset_listing *listing);

#endif
