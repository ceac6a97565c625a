/* The schema as data, for the files that check by it, print it and describe it. */
#ifndef RM_MATRIX_SCHEMA_INTERNAL_H
#define RM_MATRIX_SCHEMA_INTERNAL_H

#include "matrix/schema/schema.h"
#include "runner/base/mem.h"

/* ---- the forms a scalar may have ---- */

struct schema_syntax {
    bool (*valid)(struct str text);
    const char *pattern; /* says the same to JSON Schema, as far as a regular expression can */
    const char *number;  /* JSON's word for the numbers that need no quotes here; NULL: none */
    bool boolean;        /* true and false need none */
    bool free;           /* `pattern` has room for an expression */
};

/*
 * text: anything a program can be given, no NUL; string: the same, not empty; name: what an id can carry;
 * word: what -m can ask for; binding: a string that is one to YAML, too; percent: neither 0% nor 100%.
 */
#define SCHEMA_SYNTAXES(X) \
    X(text)                \
    X(string)              \
    X(name)                \
    X(word)                \
    X(binding)             \
    X(variable)            \
    X(duration)            \
    X(size)                \
    X(percent)             \
    X(date)                \
    X(ladder_step)         \
    X(signal)              \
    X(constraint)

#define X(id) extern const struct schema_syntax syntax_##id;
SCHEMA_SYNTAXES(X)
#undef X

/* Signals that a ladder may send: those that ask or force a process to end, or wake it first. */
#define LADDER_SIGNALS(X) \
    X(HUP)                \
    X(INT)                \
    X(QUIT)               \
    X(ABRT)               \
    X(KILL)               \
    X(USR1)               \
    X(USR2)               \
    X(ALRM)               \
    X(TERM)               \
    X(CONT)               \
    X(PWR)                \
    X(WINCH)

/* True when the version is one that the constraint asks for; `valid` false when it is no constraint. */
bool schema_constraint_holds(struct str constraint, struct str version, bool *valid);

/* ---- types ---- */

enum schema_kind {
    SCHEMA_MATRIX,  /* what cells.h expands, or an expression that gives it; not looked into */
    SCHEMA_NULL,    /* the word null, or nothing */
    SCHEMA_BOOLEAN, /* true, false */
    SCHEMA_INTEGER, /* from `least` to `most` */
    SCHEMA_WORD,    /* one of `words` */
    SCHEMA_TEXT,    /* a scalar that has the form of `syntax` */
    SCHEMA_LIST,    /* of `item`, at least `least` of them */
    SCHEMA_MAPPING, /* from `key` to `item` */
    SCHEMA_OBJECT,  /* a mapping with fixed keys */
    SCHEMA_CHOICE,  /* one of two, told apart by the kind of node */
};

/* Whether `${{ }}` may stand in the scalars of a value. */
enum schema_exprs { EXPRS_AS_ABOVE, EXPRS_YES, EXPRS_NO };

enum schema_role {
    ROLE_OPTIONAL,
    ROLE_REQUIRED,
    ROLE_ONE_OF,      /* of the keys with this role exactly one stands in the mapping */
    ROLE_AT_MOST_ONE, /* of these, no more than one */
    ROLE_ALONE,       /* nothing else may stand beside it */
};

struct schema_type;

struct schema_key {
    const char *name;
    const struct schema_type *type;
    const char *doc;     /* half a sentence */
    const char *builtin; /* YAML text, NULL: not set */
    enum schema_role role;
    const char *beside; /* only where this other key stands too */
};

#define SCHEMA_KEYS_MOST 64         /* keys of one object */
#define UNBOUNDED        1000000000 /* `most` where there is no bound of ours */

struct schema_type {
    const char *name;  /* where other places refer to it by one; NULL: spelt out where it is used */
    const char *wants; /* "a duration such as 30s": for messages; NULL: made from the rest */
    const char *doc;   /* sentences for the reference page */
    enum schema_kind kind;
    enum schema_exprs exprs;
    int least, most;
    const char *const *words; /* NULL at the end */
    const struct schema_syntax *syntax;
    const struct schema_type *key, *item;
    const char *unique; /* LIST: no two items alike; "" compares them, else this key of theirs */
    const struct schema_type *choices[2];
    /* OBJECT */
    const char *noun; /* "a test" */
    const struct schema_key *keys;
    size_t key_count;
    const struct schema_type *also; /* the keys of this object, too */
    const char *ignored;            /* keys that begin so are anybody's */
};

const struct schema_type *schema_file(void);     /* the object that a whole file is */
const struct schema_type *schema_settings(void); /* the object of all SETTINGS, its keys by `enum setting` */

/* The keys of an object, those of `also` after its own; NULL past the last. */
const struct schema_key *schema_key_at(const struct schema_type *object, size_t index);
const struct schema_key *schema_key_find(const struct schema_type *object, struct str name);

/* True for what one scalar can be: then an expression may stand for it. */
bool schema_takes_scalar(const struct schema_type *type);
/* Whether expressions may stand in it, when they may around it. */
bool schema_takes_exprs(const struct schema_type *type, bool around);

/* ---- messages ---- */

/* What a message calls a value: 'timeout', an item of 'axes', the file. */
struct schema_spot {
    struct str key; /* ptr NULL: the file */
    bool item;
};

/* "bash or sh", "a whole number from 0 to 1000" */
void schema_wants(struct buf *out, const struct schema_type *type);
/* Between quotes, made harmless and cut to a length that fits a message. */
void schema_quote(struct buf *out, struct str text);

void schema_refuse(const struct schema_type *type, const struct node *node, struct schema_spot spot,
                   struct diags *diags);
void schema_refuse_empty(const struct node *seq, struct schema_spot spot, struct diags *diags);
void schema_refuse_expr(const struct node *scalar, struct schema_spot spot, struct diags *diags);
/* A key of a mapping; `type` is that of its keys. */
void schema_refuse_key(const struct schema_type *type, const struct node *key, struct schema_spot spot,
                       struct diags *diags);
void schema_refuse_unknown(const struct schema_type *object, const struct node *name, struct diags *diags);
/* None of those of which it must have one. */
void schema_refuse_without(const struct schema_type *object, const struct node *map, struct diags *diags);

#endif
