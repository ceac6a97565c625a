/* What the parts of a soak share: its file, and the engine around it. */
#ifndef RM_SOAK_INTERNAL_H
#define RM_SOAK_INTERNAL_H

#include "runner/base/mem.h"
#include "runner/soak/soak.h"

#define STATE_MAGIC    "rmsoak\r\n"
#define STATE_VERSION  1
#define KINDS_MOST     256
#define PAIRS_MOST     4096
#define KIND_RECORDS   20  /* lines in the journal, of each kind */
#define SKIPS_MOST     3   /* a case that did nothing else so often is left out */
#define SKIPS_IN_A_ROW 100 /* and one that did something once, and then nothing for so long */
#define LEFT_OUT       UINT32_MAX
#define CASES_MOST     1000000
#define ENTRIES_MOST   4000000 /* of all cases */
#define TEXT_MOST      ((uint64_t)256 << 20)
#define SIGNATURE_SIZE 1024
#define NONE           UINT32_MAX

/*
 * ---- the file ----
 *
 * A head, a record for each case, the rounds that each copy of each case has behind it, kinds of failures, which kind which case
 * has had, and the cases as text. All of fixed size: room on disk is taken when it is made, for a page of a mapping that finds
 * none kills its process.
 */

/* Never changed. */
struct state_fixed {
    char magic[8];
    uint32_t version, verdicts; /* how many there are: a record has a number for each */
    uint32_t count, copies;
    uint64_t text_size, text_digest;
    uint64_t seed;
    double below, confidence;
};

/* What whoever resumes may change. */
struct state_plan {
    uint64_t count, until; /* failures; 0: however many */
    nanos duration;
};

struct state_totals {
    uint64_t attempts, failures, passed_over; /* the last: skipped, and not run */
    uint64_t round;
    uint64_t others;   /* failures of kinds that found no room */
    uint64_t pairless; /* failures whose pair found none */
    nanos taken;
    uint32_t kinds, pairs;
    uint32_t end;
    uint32_t moved; /* where it is to end was said anew when some of it had been seen */
};

struct state_case {
    uint64_t verdicts[VERDICT_COUNT], counts[COUNT_COUNT]; /* the second: what those count as */
    nanos shortest, longest, sum; /* of attempts that count; shortest: meaningless without any */
    nanos expected;
    uint32_t begun;
    uint32_t skips; /* in a row, up to now; LEFT_OUT: so many that it is, for good */
};

struct state_kind {
    uint64_t hash, count;
    uint32_t number, attempt; /* of the first */
    uint32_t verdict;
    uint16_t signature_len, reason_len, place_len, words_len, evidence_len, unused[3];
    char signature[SIGNATURE_SIZE];
    char reason[240], place[200], words[240], evidence[328];
};

struct state_pair {
    uint32_t kind, number;
    uint64_t count;
};

/*
 * What an attempt changes stands here first, as it is going to be; then `phase` becomes odd, all is put where it belongs, and
 * `phase` becomes even. Whoever finds it odd does that again, to the file or to his copy of it: an attempt counts everywhere or
 * nowhere. It also tells readers whether anything has changed while they read.
 */
struct state_change {
    struct state_totals totals;
    struct state_case record;
    struct state_pair pair;
    uint64_t rounds, kind_count;
    uint32_t number, entry;
    uint32_t kind, at_pair; /* NONE: none */
};

struct state_head {
    struct state_fixed fixed;
    uint64_t fixed_digest;
    struct state_plan plan;
    uint64_t phase;
    struct state_totals totals;
    struct state_change change;
};

/* Where its parts are. */
struct state {
    struct state_head *head;
    struct state_case *cases;
    uint64_t *rounds; /* of each copy of each case */
    struct state_kind *kinds;
    struct state_pair *pairs;
    const char *text;
    size_t size;
};

/* ---- state.c ---- */

/* False: it is none, and `why` says so. */
bool state_lay_out(struct state *state, void *bytes, size_t size, const char **why);
size_t state_size(const struct state_fixed *fixed);
uint64_t state_digest(const struct state_fixed *fixed);
void state_apply(const struct state *state, struct faults *faults); /* the change */
/* Finishes what a kill has left unfinished. */
void state_mend(const struct state *state);
/* A copy of the file as it was at one moment, in the arena, or NULL; while another process writes it. */
bool state_read(int fd, struct arena *arena, struct state *state, const char **why);

void fault_step(struct faults *faults);

uint64_t record_attempts(const struct state_case *record); /* that count */
uint64_t record_failures(const struct state_case *record);
uint64_t record_passed_over(const struct state_case *record);
/* Begun, and nothing came of them: they run, or were cut short. */
uint64_t record_unended(const struct state_case *record);

struct tally {
    uint64_t failures, attempts; /* of those that have ended */
    uint64_t unended;
};

void tally_add(struct tally *to, struct tally more);
/* Of a rate, as it holds for this soak. */
struct stats_interval soak_interval(const struct state *state, struct tally tally);

/* ---- cases.c: the cases as text ---- */

void cases_write(const struct soak_case *cases, uint32_t count, struct buf *out);
/* False: it is none, or of another number. */
bool cases_read(struct str text, uint32_t count, struct arena *arena, struct soak_case **cases);

/* ---- the engine ---- */

enum entry_flag {
    ENTRY_OUT = 1,    /* it has been handed out, and has not ended */
    ENTRY_PASSED = 2, /* its turn has come in this round */
    ENTRY_LATE = 4,   /* it could not be handed out then */
};

struct soak {
    int fd;
    struct state state;
    struct faults *faults;
    struct soak_plan plan;
    struct stats_plan test;
    bool proves;
    bool resumed;
    uint32_t count, copies, entries;
    /* the round */
    uint32_t *order, *late;
    uint8_t *flags;
    uint32_t cursor, late_count;
    /* who runs */
    uint32_t *running; /* of each case */
    uint64_t out;
    uint64_t lost;       /* begun before it was resumed, and never ended */
    uint32_t unfinished; /* cases of which more attempts are wanted */
    /* what would prove it, of so many failures */
    uint64_t needed, needed_failures;
};

/* ---- order.c ---- */

struct soak_random {
    uint64_t s[4];
};
void soak_random_seed(struct soak_random *random, uint64_t seed, uint64_t stream);
uint64_t soak_random_next(struct soak_random *random);
uint64_t soak_random_below(struct soak_random *random, uint64_t bound); /* each as likely; bound > 0 */
void soak_permute(uint32_t *order, uint32_t count, uint64_t seed, uint64_t round);

/* No more attempts of it are wanted, of so many at most; 0: without bound. */
bool record_is_done(const struct state_case *record, uint64_t most);
bool case_is_done(const struct soak *soak, uint32_t number);
bool order_next(struct soak *soak, uint32_t *entry);
void order_back(struct soak *soak, uint32_t entry); /* it does not run any more */
void order_begin_round(struct soak *soak);

/* ---- decide.c ---- */

bool soak_is_held(struct soak *soak);               /* those that run may be the last that are needed */
void soak_decide(struct soak *soak, bool worse);    /* `worse`: a failure more, or fewer others that run */
uint64_t soak_needed_more(const struct soak *soak); /* clean ones, until it is proven; 0: nothing is to be */
uint64_t soak_left_of_count(
    const struct soak *soak); /* attempts of all cases until they are as many as were asked for */
nanos soak_pace(const struct soak *soak, nanos now); /* time that an attempt takes of all; -1: not known */

/* ---- lines.c: of an output, the lines that say what went wrong ---- */

/* The one that says most of it, without colours. */
void soak_telling_line(struct str output, struct buf *out);

/* ---- normal.c ---- */

/* A line without what differs from one failure to the next. */
void normalise(struct str line, struct buf *out);

/* ---- kinds.c ---- */

struct kind_found {
    uint64_t hash;
    struct str signature;
    uint32_t kind; /* NONE: it is a new one */
};
void kind_find(const struct state *state, const struct soak_outcome *outcome, struct buf *scratch,
               struct kind_found *found);
/* What there is to change about it. A new kind is written where nobody sees it before that. */
void kind_change(const struct state *state, const struct soak_outcome *outcome,
                 const struct kind_found *found, struct state_change *change);

/* ---- numbers.c: as people read them ---- */

void number_add(struct buf *out, uint64_t number);                  /* "12,345" */
void count_add(struct buf *out, uint64_t number, const char *noun); /* "1 run", "12,345 runs" */
void percent_add(struct buf *out, double rate);                     /* "0.024", without its sign */
void percent_above_add(struct buf *out, double rate);               /* not less than it is */
void percent_below_add(struct buf *out, double rate);               /* not more */
void interval_add(struct buf *out, uint64_t failures, uint64_t attempts,
                  struct stats_interval interval); /* "0.024 % [0.005, 0.071]" */
void span_about_add(struct buf *out, nanos span);  /* "14m", "1h10m", "2.5s" */
void p_add(struct buf *out, double p);             /* "p < 0.0001", "p = 0.03" */

#endif
