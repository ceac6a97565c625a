/*
 * What a case asks for, out of its settings: the command, its folder and environment as the child gets them, deadlines,
 * ladder, expectations. One is made when the case is started, in the arena of its slot.
 */
#ifndef RM_RUNNER_RECIPE_H
#define RM_RUNNER_RECIPE_H

#include "backends/backends.h"
#include "matrix/matrix.h"
#include "runner/base/ladder.h"
#include "runner/base/mask.h"
#include "runner/diagnose/diagnose.h"
#include "runner/harness/harness.h"
#include "runner/leaks/leaks.h"
#include "runner/presets/presets.h"
#include "runner/recipe/again.h"

struct test_recipe;

/* id, word of `dump`: when it is looked where everybody stands */
#define RECIPE_DUMPS(X)           \
    X(DUMP_AT_TIMEOUT, "timeout") \
    X(DUMP_BEFORE_KILL, "kill")   \
    X(DUMP_WHEN_SLOW, "slow")     \
    X(DUMP_OF_CRASH, "crash")

enum recipe_dump {
#define X(id, word) id,
    RECIPE_DUMPS(X)
#undef X
};

/* A program that was found on the caller's PATH: it is looked for once. */
struct found_program {
    struct str name;
    const char *path;
};

#define FOUND_PROGRAMS_MOST 32

/* What stands before the command of every case, and runs it. */
struct before {
    const char *option;       /* "--debugger"; NULL: nothing does */
    const char *const *words; /* of its own command, at least one */
    uint32_t count;
    bool debugs; /* somebody sits before it: it gets the terminal, and no limit of ours is for it */
};

/* What all cases of a run share. */
struct kitchen {
    const struct plan *plan;
    struct settings *settings;
    const char *profile; /* NULL: none */
    const char *run_id;
    const char *self;           /* our own program */
    bool interactive;           /* cases get our terminal, and stay in our session */
    struct before before;       /* --debugger, --wrapper */
    const char *capture;        /* --capture, for cases without an axis that says it; NULL when not given */
    nanos cap;                  /* of the waits of a ladder when the run is cancelled; 0: none */
    int64_t today;              /* days since 1970 by UTC, for quarantines */
    const char *const *environ; /* the caller's, as we were started; must outlive the kitchen */
    /* prepared by kitchen_open */
    struct arena *arena;
    const char **base;   /* the caller's less what no case may see, sorted by name; then what all cases get */
    uint32_t base_count; /* all of them */
    uint32_t caller_count;      /* those that are the caller's */
    const char *path;           /* the entry PATH=... among them; NULL: there is none */
    struct test_recipe **tests; /* per suite and test: what is the same for all its cases */
    struct found_program found[FOUND_PROGRAMS_MOST];
    uint32_t found_count;
    struct mask
        *mask; /* what variables hold that reports must not show; the caller's, NULL: nothing is hidden */
    const char **masked; /* names that `mask` has had so far */
    uint32_t masked_count, masked_cap;
    bool warned_of_mask, warned_of_capture, warned_of_backend;
    const char *looked_at,
        *runtime;     /* the file of C tests that was looked at last, and what it is to find loaded */
    const char *host; /* the program that modules are loaded into; NULL: not looked for yet */
    const char
        *python; /* the folder of our sitecustomize; NULL: there is none, or it was not looked for yet */
    bool python_sought;
    const char *stacks; /* the program that makes functions and lines of stacks; NULL: there is none */
};

void kitchen_open(struct kitchen *kitchen, struct arena *arena);
/*
 * The command of an option, as a shell would take it apart: it runs the cases from here on. A path in it is seen from where
 * we are. After kitchen_open. NULL; else why it cannot be had.
 */
const char *kitchen_run_by(struct kitchen *kitchen, const char *option, const char *command, bool debugs);

#include "runner/recipe/fixture.h"

/* A variable has this value: it is hidden if any case wants that. */
void kitchen_mask(struct kitchen *kitchen, struct str name, struct str value);
/* Names of variables that any case wants to be hidden, blanks between; NULL: none is. */
const char *kitchen_masked(const struct kitchen *kitchen, struct arena *arena);
void kitchen_close(struct kitchen *kitchen);

/* What is known before any case starts: how it may be placed. */
struct terms {
    uint32_t weight;
    bool serial;
    const struct node
        *locks; /* for node_list_count and node_list_item; may be NULL, may live in the scratch arena */
    bool flaky_fails;
    struct retry_policy retry;
    nanos ending; /* how long it takes at most to end it, unless it is cancelled in a hurry */
};

/* Where a process tells what became of its many tests. */
enum results_kind { RESULTS_NONE, RESULTS_JUNIT, RESULTS_GTEST, RESULTS_TAP, RESULTS_LINES };

bool results_in_output(enum results_kind kind);

/* Whoever knows a suite (`results`, a preset) says so by one of these. */
struct results_wish {
    enum results_kind kind;
    struct str text;             /* junit, gtest: the path as it was said; lines: the expression */
    const char *paths;           /* junit, gtest: a glob, from where we are */
    const struct preset *preset; /* who wishes so; NULL: `results` of the test */
    const char *otherwise;       /* the expression for its output where no report was written; NULL: none */
};

/* Where one attempt lives. */
struct place_of_case {
    uint32_t attempt; /* from 1 */
    uint32_t slot;
    const char *tmpdir;    /* absolute, at most 40 bytes */
    const char *artifacts; /* absolute */
    const char *results;   /* absolute; NULL: it has none */
    const char *output;    /* absolute: where files of its actors are kept; NULL: it can have none */
    bool listing;          /* no test is to run: the command is the one that lists them */
    const char *module;    /* with `listing`: the file of C tests that is asked; NULL: it is a suite */
    const struct preset_test
        *again; /* these tests inside alone, where the suite can; NULL: those of the plan */
    uint32_t again_count;
    struct from_fixtures given;
};

/* Failures of a case that somebody is to look after do not fail the run for a while; all empty: it is in none. */
struct quarantine {
    struct str owner, reason, until;
};

struct recipe {
    struct mask *mask;   /* the kitchen's */
    struct str id, cell; /* cell: JSON; both end in NUL */
    const struct backend *backend;
    enum capture_mode capture;
    struct spawn_spec spec; /* all but stdio */
    nanos timeout, slow;    /* 0: none */
    struct setting_origin timeout_from, output_limit_from;
    struct ladder ladder;  /* as it is written: the watch knows what is not said */
    uint64_t output_limit; /* 0: none */
    /* Of the whole tree, for the containment to hold; 0: none. */
    uint64_t processes, memory;
    struct setting_origin processes_from, memory_from;
    unsigned isolate;  /* SPAWN_ISOLATE_... */
    unsigned dumps;    /* 1 << enum recipe_dump */
    bool dumps_inside; /* timeout-method: thread */
    bool asks_runtimes;
    const struct dump_runtime_choice *runtimes;
    uint32_t runtime_count;
    struct leak_policy leaks;
    struct results_wish results;
    const struct preset_test *asked; /* the tests inside that are to run, no others; NULL: all */
    uint32_t asked_count;
    bool only_again; /* these are those that failed before */
    bool is_inside;  /* the case is one test inside */
    bool tells;      /* it is a C test, whose end its process tells by its status: TEST_HAS_PASSED ... */
    bool debugged;   /* by somebody at a terminal: how the debugger ends says how it did */
    bool unasked;    /* `error`: the command is none that could be asked for its tests */
    struct retry_policy retry;
    bool flaky_fails;
    struct quarantine quarantine;
    bool quarantined; /* it holds today */
    /* Reasons, NULL where they do not hold; "" is a reason nobody gave. */
    const char *skip, *unsupported, *xfail;
    bool xfail_strict;
    int xfail_signal, xfail_exit; /* how it is to fail; both 0: in whatever way */
    bool is_c_test;               /* of a list, by its name: it is heard of what it says */
    const char *error; /* it cannot be set up: a program that is on no PATH, a requirement not met ... */
    const char *words; /* with `error`: what its output is to be; NULL: nothing */
};

/*
 * Everything that can be wrong with any case's settings is found here, before the first is started. Warns,
 * once a run or once a test, of what this version does not do yet.
 */
bool recipe_check(struct kitchen *kitchen, const struct plan_case *c, struct terms *terms,
                  struct arena *scratch, struct diags *diags);
/* The setting, evaluated, as texts; they may be in the arena. */
struct quarantine recipe_quarantine(const struct node *setting, struct arena *arena);
/* For the watchdog. */
unsigned recipe_watched_dumps(const struct recipe *recipe);
/* It is to tell what became of its tests, so it needs a folder for reports. After recipe_check of any case of its test. */
bool recipe_has_results(struct kitchen *kitchen, const struct plan_case *c);
/* The preset of its test; NULL: none. */
const struct preset *recipe_preset(const struct kitchen *kitchen, const struct plan_case *c);
/*
 * How its tests inside are listed, for recipe_make with `listing`. `preset` NULL: by hand, where `lines` may say what a
 * name is.
 */
enum recipe_listing {
    LISTS_NEVER,
    LISTS_NOW,
    LISTS_PERHAPS, /* unless it fails for want of what a fixture makes */
    LISTS_LATER,   /* when its fixtures are made */
};

enum recipe_listing recipe_lists(struct kitchen *kitchen, const struct plan_case *c,
                                 const struct preset **preset, const struct node **lines);
/* A file with C tests, as `module` means it. */
struct module_file {
    const char *path; /* from where we are */
    struct str id; /* what its tests have in their ids, escaped; empty: nothing, since it is the only one */
    const char *problem; /* why it cannot be asked; NULL: it can */
};

/* In the order of patterns and names; one without a path where there is none. Of a test for which recipe_lists says LISTS_NOW. */
struct module_file *recipe_modules(struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                                   uint32_t *count);
/* The flags that C sources of a case are compiled with; NULL: none, or diags got an error. And where: see suite.dir. */
const struct node *recipe_cflags(struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                                 struct diags *diags);
const char *recipe_folder(const struct kitchen *kitchen, const struct plan_case *c);
/* What is known of a case whatever happens to it: its id, its cell. recipe_make begins with it too. */
void recipe_begin(struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                  struct recipe *recipe);
/*
 * False when an expression fails at run time (diags say why); then the case is an error. With a reason to skip it,
 * `unsupported` or `error` there is no command in it; id, cell and all that counts for its record there is in any case.
 */
bool recipe_make(struct kitchen *kitchen, const struct plan_case *c, const struct place_of_case *where,
                 struct arena *arena, struct recipe *recipe, struct diags *diags);
/* By which backend it is started, should it be. */
const struct backend *recipe_backend(const struct kitchen *kitchen, const struct plan_case *c);
/*
 * The server for such a case, called `name`, with a folder of its own, as it is to be started; all but stdio.
 * `lost`: a line for each thing that has taken one like it along.
 */
void recipe_server(const struct kitchen *kitchen, const struct recipe *recipe, const char *name,
                   const char *tmpdir, const char *lost, struct arena *arena, struct spawn_spec *spec);
/* What `reg_addr` of a case is: by its cell's transport, tcp where it has none. */
enum transport recipe_transport(const struct kitchen *kitchen, const struct plan_case *c);
/* Whatever its fixtures are it will not be started: skipped, unsupported, or an error. They need not be made. */
bool recipe_is_settled(struct kitchen *kitchen, const struct plan_case *c, struct arena *scratch);
/* ... skipped or unsupported, and there is no error in it. */
bool recipe_is_passed_over(struct kitchen *kitchen, const struct plan_case *c, struct arena *scratch);

#endif
