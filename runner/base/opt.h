/*
 * One table of options. The parser, --help, the man page and the completions
 * are made from it, so none of them can say something else than the others.
 */
#ifndef RM_BASE_OPT_H
#define RM_BASE_OPT_H

#include "runner/base/buf.h"
#include "runner/base/diag.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt_kind {
    OPT_FLAG,  /* bool: true when given */
    OPT_COUNT, /* int: how often it was given */
    OPT_TEXT,  /* const char *: the last one counts */
    OPT_PATH,  /* the same; shells complete it as a file */
    OPT_LIST,  /* struct opt_list: every one, in order */
    OPT_INT,   /* int64_t, at least `least` */
    OPT_SPAN,  /* nanos, as span_parse reads it */
    OPT_ENUM,  /* const char *: one of `words` */
};

struct opt_list {
    const char **values; /* from the arena */
    size_t count;
};

struct opt {
    const char *name; /* long name, without dashes */
    char letter;      /* 0: none */
    enum opt_kind kind;
    const char *arg;          /* what its value is called in the help: "N", "FILE" */
    const char *help;         /* one sentence, lower case, no full stop */
    const char *group;        /* heading in --help; NULL: as the option before */
    size_t offset;            /* where the value goes in the struct of options */
    uint32_t commands;        /* bit mask of the commands that take it */
    const char *const *words; /* OPT_ENUM: allowed words, NULL at the end */
    int64_t least;            /* OPT_INT */
    const char *alias;        /* another long name that means the same */
};

struct opt_command {
    const char *name;     /* NULL: the program without a command word */
    const char *synopsis; /* "[PATH | ID ...]"; with the word PATH in it, shells complete files */
    const char *help;     /* one sentence */
    const char *about;    /* text (see below) for its --help and the man page, may be NULL */
    bool takes_rest;      /* the last argument is taken as it stands, whatever it begins with (eval) */
};

/* A text is paragraphs with empty lines between them; lines that begin with a blank are kept as they are. */
struct opt_section {
    const char *heading; /* "EXIT STATUS" */
    const char *text;
};

struct opt_part {
    const struct opt *opts;
    size_t count;
};

struct opt_table {
    const char *program, *version, *tagline;
    const char *about;                  /* text for the man page, may be NULL */
    const struct opt_command *commands; /* index = bit in `opt.commands` */
    size_t command_count;
    const struct opt_part *const *parts; /* in the order of --help */
    size_t part_count;
    const struct opt_section *sections; /* of the man page, behind the options */
    size_t section_count;
};

struct opt_result {
    size_t command; /* index into commands */
    struct opt_list args;
    bool dashes;   /* there was a "--" ... */
    size_t before; /* ... and so many arguments stood before it */
};

/*
 * Reads argv into `values` (a struct the offsets belong to, set to defaults by the caller; lists start empty).
 * The command word is the first argument that is none of an option; `fallback` is the command
 * when the first such argument names none. Options may stand before and after arguments; `--`
 * ends them, and what follows it is no command word either. Where the last argument is taken as
 * it stands, only a flag that the command knows (--help) is still a flag there.
 * Two rows of one name are two options of different commands, with the same kind and offset.
 * Unknown options name the nearest. False when diags got an error.
 */
bool opt_parse(const struct opt_table *table, size_t fallback, int argc, char **argv, void *values,
               struct opt_result *result, struct diags *diags);

void opt_help(const struct opt_table *table, size_t command, struct buf *out);
void opt_overview(const struct opt_table *table, struct buf *out); /* --help without a command */
void opt_man(const struct opt_table *table, struct buf *out);      /* roff, whole page */
/* shell: "bash", "zsh", "fish"; false for another */
bool opt_completion(const struct opt_table *table, const char *shell, struct buf *out);

#endif
