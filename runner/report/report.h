/*
 * Reports: each is a function of the journal and of the captured output it names, so any can be made again.
 * One file per format behind one table.
 */
#ifndef RM_REPORT_REPORT_H
#define RM_REPORT_REPORT_H

#include "runner/base/inert.h"
#include "runner/journal/journal.h"

#define REPORT_ALL UINT32_MAX /* however many there are */

struct report_options {
    bool strict; /* JUnit without what junit-10.xsd refuses */
    bool colour;
    int verbose;          /* -v counts up, -q down */
    bool results;         /* of a case told at length, those that did not fail too */
    uint32_t durations;   /* the slowest so many, or REPORT_ALL; 0: not asked for */
    uint32_t width;       /* of the terminal; 0: none */
    struct str program;   /* how the program is called, for the commands it suggests */
    struct str from;      /* what they have to say of the run; empty: nothing, it is the latest here */
    struct str workspace; /* the checkout of a job, absolute: files are named from there on; empty: none is */
    size_t bytes_most;    /* of Markdown; 0: what GitHub takes of a step */
    bool no_tally;        /* the summary without its last line */
    bool inert;           /* standard output is read for commands, and none is to be found there */
};

struct report_input {
    const struct journal_record *record;
    int folder;       /* of the run, open: captured output is read from there */
    const char *path; /* the same as people should see it */
    const struct report_options *options;
    bool going_on; /* somebody is still writing to it */
};

/* id, word, file name in the run folder, sentence, what its text is */
#define REPORTS(X)                                                                        \
    X(REPORT_SUMMARY, summary, "summary.txt", "what a run prints at its end", INERT_TEXT) \
    X(REPORT_JUNIT, junit, "junit.xml", "JUnit XML", INERT_XML)                           \
    X(REPORT_TAP, tap, "results.tap", "TAP 14", INERT_TEXT)                               \
    X(REPORT_JSON, json, "results.json", "JSON", INERT_JSON)                              \
    X(REPORT_MARKDOWN, markdown, "summary.md", "a page of Markdown, as GitHub shows it", INERT_TEXT)

enum report_id {
#define X(id, word, file, sentence, form) id,
    REPORTS(X)
#undef X
        REPORT_COUNT
};

/* A sink of text in pieces: reports of a large run are longer than memory should hold. */
struct report_sink {
    struct buf buf;
    int fd;
    int error; /* the first errno; nothing is written after it */
    bool
        harmless; /* the text goes where commands are read out of it, and is to be none: set when it is opened */
    struct inert inert; /* ... so far */
};
void report_sink_open(struct report_sink *sink, int fd);
void report_sink_flush(struct report_sink *sink); /* all of it */
void report_sink_relax(struct report_sink *sink); /* when there is much */
int report_sink_close(struct report_sink *sink);  /* the error, 0: none; does not close the fd */

struct report {
    const char *word, *file, *sentence;
    void (*write)(const struct report_input *input, struct report_sink *sink);
    enum inert_form form;
};

extern const struct report *const reports[REPORT_COUNT];
const struct report *report_find(struct str word);

/* Writes one to a path: whole or not at all. "-" is standard output. -1 and errno. */
int report_write(const struct report *report, const struct report_input *input, const char *path);

/* ---- pieces that several of them, and `show`, are made of ---- */

/* One case at length: verdict, facts, ladder, output, where it lies, and the command that runs just it. */
void report_case(const struct report_input *input, const struct journal_history *history,
                 struct report_sink *sink);
/* The results of a case whose whole ids are wanted, at length; how many there were. */
typedef bool report_result_wanted(void *user, struct str id);
uint32_t report_results(const struct report_input *input, const struct journal_history *history,
                        report_result_wanted *wanted, void *user, struct report_sink *sink);
/* "run-matrix run --id 'proto@backend=exec'" */
void report_rerun(const struct report_input *input, const struct journal_case *c, struct buf *out);
/* For one of its results: it alone, where the suite can be told so, else all of the case. */
void report_rerun_result(const struct report_input *input, const struct journal_case *c, struct str result,
                         struct buf *out);
/* "net-team, #451, until 2026-12-01 (9 days left)", harmless; `today` in days since 1970. */
void report_quarantine(struct buf *out, const struct journal_quarantine *quarantine, int64_t today);
/* "3 passed, 1 failed, 2 skipped": the last line. */
void report_tally(const struct journal_counts *counts, struct buf *out);
/* Of a page of Markdown: lines as they are, in a fence that none of them ends. They are harmless already. */
void markdown_block(struct buf *out, struct str lines);

/* ---- commands to GitHub's runner ---- */

/* "::error file=a.c,line=3,title=...::message", escaped and within what GitHub takes. */
struct annotation {
    const char *kind;   /* "error", "warning", "notice" */
    struct str file;    /* empty: none */
    uint32_t line, col; /* 0: none */
    struct str title, message;
};
void annotation_add(struct buf *out, const struct annotation *annotation);
/* A file, relative to `folder`, as seen from the workspace; nothing where it is not below it. */
void annotation_file(struct buf *out, struct str workspace, struct str folder, struct str file);
/* What failed, and what is doubtful: ten of each at most, the most important first. */
void report_annotations(const struct report_input *input, struct buf *out);

/* Pieces of a line as the reports' colour has them: "PASS", "FAIL", ... padded to one width. */
const char *report_label(enum verdict verdict);

#endif
