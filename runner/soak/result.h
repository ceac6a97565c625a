/* What a soak has come to: read, summed up, told. */
#ifndef RM_SOAK_RESULT_H
#define RM_SOAK_RESULT_H

#include "runner/soak/internal.h"

#define SURE          0.05  /* what is named first is so by chance alone at most this often */
#define SURE_BESIDES  0.025 /* what is named within it, and what is named beside it: the half of it each */
#define CARRIERS_MOST 4     /* conditions, one within the other */
#define SAME_MOST     4     /* tests that have most of the failures */
#define WITH_MOST     4     /* values that always go along with another */
#define FIXTURES_MOST 20    /* failures of fixtures that are told one by one */

/* A value of an axis. */
struct axis_value {
    struct str axis, value;
    uint32_t first, at; /* the first case that has it, and where it stands there */
    uint32_t axis_at;   /* number of its axis */
    struct tally tally;
};

struct cell {
    const struct soak_case *like; /* a case of it */
    struct tally tally;
};

/* What failures of some sort, or all, have in common. */
enum gathering {
    GATHER_UNKNOWN, /* there is one test, or there are too few failures to tell */
    GATHER_SAME,    /* one test, or a few, has more than its share */
    GATHER_ROTATING,
};

struct gathered {
    enum gathering how;
    uint32_t tests[SAME_MOST], count; /* those that have more than their share, the worst first */
    uint64_t failures, theirs;
    double p; /* of the first */
};

/* A value that fails more often than others. */
struct carrier {
    uint32_t value;
    struct tally inside, outside;
    double p;                             /* corrected */
    bool layered;                         /* all else being equal; else nobody differs in this alone */
    uint32_t with[WITH_MOST], with_count; /* that the very same cases have */
};

struct kind_result {
    const struct state_kind *kind;
    struct gathered gathered;
    uint32_t cases; /* that had it; 0: not known */
};

struct soak_result {
    struct arena *arena;
    struct state state;
    struct soak_case *cases;
    uint32_t count;
    struct tally *tallies; /* of each case */
    struct tally all;
    uint64_t passed_over;

    uint32_t **values;              /* of each case: numbers of axis_values, ascending */
    struct axis_value *axis_values; /* sorted: of an axis together */
    uint32_t *shown;                /* their numbers, in the order in which cases name them */
    uint32_t value_count, axis_count;

    struct str *tests;
    uint32_t *test_of; /* each case */
    struct tally *test_tallies;
    uint32_t test_count;

    struct cell *cells;
    uint32_t cell_count;

    struct carrier chain[CARRIERS_MOST]; /* the first, then what matters within it, ... */
    uint32_t chain_count;
    struct carrier *also; /* besides the first, all else being equal */
    uint32_t also_count;
    uint32_t asked; /* values that were compared */

    struct kind_result *kinds; /* most frequent first */
    uint32_t kind_count;
    struct gathered gathered;

    struct fixture_failure {
        struct str id, reason;
    } fixtures[FIXTURES_MOST];
    uint32_t fixture_failures; /* all of them */
};

/* ---- names.c: who has which test, cell and values ---- */

void result_name(struct soak_result *result);

/* ---- carries.c ---- */

void result_find_carriers(struct soak_result *result);

/* ---- gather.c ---- */

void result_gather(struct soak_result *result);

/* ---- for those who tell ---- */

/* "capture=fd,transport=tcp", as it stands in ids; nothing where there are no axes. */
void cell_name(const struct soak_case *like, struct buf *out);

/* ---- result_rows.c, for result_text.c ---- */

struct telling {
    const struct soak_result *result;
    struct buf *out;
    bool colour;
    int verbose;
};

void tell_title(const struct telling *t, const char *title);
void tell_value(const struct telling *t, uint32_t value); /* "capture=fd" */
/* Attempts that count for no rate: "; skipped 3 times; 1 begun and not ended". */
void tell_uncounted(struct buf *out, const char *separator, uint64_t passed_over, uint64_t unended);
void tell_rates(const struct telling *t);
double rate_of(struct tally tally);

#endif
