/* What the files that make recipes share. */
#ifndef RM_RUNNER_RECIPE_INTERNAL_H
#define RM_RUNNER_RECIPE_INTERNAL_H

#include "runner/recipe/environment.h"
#include "runner/recipe/recipe.h"

/* Linux takes no argument and no variable that is longer, its NUL counted (MAX_ARG_STRLEN). */
#define ARGUMENT_MOST ((size_t)128 << 10)

/* A scalar of a test as it may differ from case to case. */
struct word {
    const struct node *scalar;     /* NULL: the test does not say */
    const struct template *parsed; /* NULL: the same in every case */
    struct str text;               /* then it is this, ending in NUL */
    bool fixtures;                 /* speaks of fixtures */
};

struct words {
    struct word *list;
    uint32_t count;
};

struct test_recipe {
    bool prepared;
    bool script; /* `run` is a string, for a shell */
    struct word *words;
    uint32_t word_count;
    struct word shell, cwd;
    const char *folder;       /* where it runs, when that is the same in every case */
    const struct node *needs; /* `requires`; NULL: nothing */
    bool must_have;           /* what lacks a requirement is an error, not a skip */
    enum results_kind results;
    struct word results_word; /* path or expression */
    bool results_checked;
    const char *otherwise;    /* see struct results_wish */
    const char *suite_folder; /* "" or with a slash at its end */
    bool warned, warned_of_mixture;
    const struct preset *preset; /* NULL: none */
    const struct node *inside;   /* the key that says how tests inside are reached; NULL: none does */
    bool lines_checked;
    struct words list, choose; /* of `discover`, when it is a mapping */
    struct words modules;      /* paths and patterns of files with C tests */
    bool late;                 /* these are there when its fixtures are made: then it is one case */
};

/* One case in the making. */
struct cooking {
    struct kitchen *kitchen;
    const struct plan_case *c;
    const struct suite *suite;
    const struct test *test;
    struct test_recipe *shared;
    struct arena *arena;
    struct diags *diags;
    struct recipe *recipe;
    const struct place_of_case *where; /* NULL: it is only checked */
    const struct node *matrix;         /* what it keeps of its cell */
    uint32_t cell;
    const struct node *fixtures; /* by name, what is known of each; NULL: nothing is */
    bool rehearsal;              /* there are no fixtures yet: what speaks of them is passed over */
    struct expr_env contexts;
};

/* ---- recipe.c ---- */

/* Begins one; all that is known of a case before anything is evaluated is in its recipe then. */
void cook_begin(struct cooking *k, struct kitchen *kitchen, const struct plan_case *c, struct arena *arena,
                struct recipe *recipe, struct diags *diags);

struct test_recipe *test_prepare(struct kitchen *kitchen, const struct plan_case *c, struct diags *diags);

/* A setting's value; NULL where there is none, and in a rehearsal where it speaks of fixtures. */
bool cook_get(struct cooking *k, enum setting setting, struct setting_value *value);

/* For expr_env: the contexts that its expressions may use. `user` is a struct cooking. */
const struct node *cook_context(void *user, struct str name);
/* RUN_MATRIX_AXIS_... of each value it keeps; false when one cannot be had, which is the recipe's error. */
void cook_axes(struct cooking *k, struct environment *env);
/* In place of what is there; the recipe has its error when it is too long. */
void cook_variable(struct cooking *k, struct environment *env, struct str name, struct str value);
void cook_given(struct cooking *k, struct environment *env, const struct from_fixtures *given);

/* ---- open.c ---- */

/* What a value of a setting says of fixtures, now that there are some. */
bool cook_is_open(const struct setting_value *value);
bool cook_close(struct cooking *k, enum setting setting, struct setting_value *value);

/* ---- start.c: backend and capture ---- */

void choose_backend(struct cooking *k);
void choose_capture(struct cooking *k);
/* "tcp", "uds", as its cell says; NULL: it does not. */
const char *transport_said(const struct cooking *k);
/* Where the command line, and not the cell, says how; or the other way round. */
void warn_of_cell(struct cooking *k);
void warn_of_backend(struct cooking *k);

/* ---- again.c: retries, flaky-result, quarantine ---- */

bool cook_again(struct cooking *k);

/* ---- settings.c: numbers, ladder, limits ---- */

bool cook_settings(struct cooking *k);
bool cook_terms(struct cooking *k, struct terms *terms);

/* ---- dumps.c, leaks.c, isolate.c ---- */

bool take_dump(struct cooking *k, const struct setting_value *value);
bool take_timeout_method(struct cooking *k, const struct setting_value *value);
bool take_runtimes(struct cooking *k, const struct setting_value *value);

bool take_leaks(struct cooking *k, const struct setting_value *value);
bool take_isolate(struct cooking *k, const struct setting_value *value);
/* When the command is known: a case that would not find what it needs is unsupported. */
void check_isolation(struct cooking *k, const struct place_of_case *where);

/* ---- results.c ---- */

void results_prepare(struct kitchen *kitchen, const struct suite *suite, const struct node *test,
                     struct test_recipe *shared, struct diags *diags);
/* When the capture is known. */
void choose_results(struct cooking *k);
/* Of `lines`; false: it cannot be used, and diags say why. */
bool check_expression(struct cooking *k, struct str expression, struct place at);
/* Before any case starts: an expression that cannot be used. */
bool check_results(struct cooking *k);
/* `lock`, with what keeps cases apart that write the same report. */
const struct node *results_lock(struct cooking *k, const struct node *locks);
/* When the environment is known. */
bool cook_results(struct cooking *k, const struct place_of_case *where);

/* ---- expect.c: skip, xfail, requires ---- */

bool cook_expectations(struct cooking *k);
/* What a C test says of itself and is no setting; or cannot be. */
void take_own(struct cooking *k);
/* Skips the case, or makes it an error, when something is missing. After environment and folder. */
bool cook_requirements(struct cooking *k);

/* ---- masks.c ---- */

/* What GitHub itself hands a job, and nobody should read in a report that is uploaded. */
void mask_tokens(struct kitchen *kitchen);
/* Values of the variables that `mask` names, as the case has them. */
bool cook_masks(struct cooking *k);

/* ---- word.c: templates ---- */

struct words parse_words(struct arena *arena, const struct node *list, struct diags *diags);
bool words_speak_of_fixtures(const struct words *words);

struct word word_of(struct arena *arena, const struct node *scalar, struct diags *diags);
/* Ends in NUL; "" for null. False and an error in diags when there is no such text. */
bool word_text(struct cooking *k, const struct word *word, struct str *text);
bool expr_speaks_of_fixtures(const struct expr *expr);

/* ---- command.c: run, cwd, shell ---- */

/* `run` is the command; shell and cwd are said beside it. */
void command_prepare(struct arena *arena, const struct suite *suite, const struct node *run,
                     const struct node *around, struct test_recipe *shared, struct diags *diags);
bool cook_cwd(struct cooking *k);
/* The words alone, for what can be wrong with them. */
bool cook_words(struct cooking *k);
bool cook_command(struct cooking *k);
/* Ends in NULL. */
void set_argv(struct cooking *k, const char **words);

/* ---- preset.c: preset, discover ---- */

void preset_prepare(struct kitchen *kitchen, const struct node *test, struct test_recipe *shared,
                    struct diags *diags);
/*
 * The command as its preset wants it, and its environment. Without words in `command` the user's own stay. False when
 * diags got an error.
 */
bool adapt_command(struct cooking *k, const char *const *words, uint32_t count,
                   struct preset_command *command);
/* A fixture makes files for it, which may be what is asked. */
bool waits_for_files(struct arena *arena, const struct suite *suite, const struct test *test);
/* Warns, once a test, where tests were selected that cannot be run without the others. */
bool check_choice(struct cooking *k, const char *const *words, uint32_t count);

/* ---- module.c ---- */

void module_prepare(struct kitchen *kitchen, const struct suite *suite, const struct test *test,
                    struct test_recipe *shared, struct diags *diags);
/* The paths alone, for what can be wrong with them. */
bool cook_module_words(struct cooking *k);
bool cook_module(struct cooking *k);
bool module_is_shared(const char *path);          /* it needs a host */
const char *module_host(struct kitchen *kitchen); /* NULL: it is not where it should be */

/* ---- python.c ---- */

/* When all variables are there: that a Python program of the case can be asked where it stands (runner/diagnose). */
void cook_python(struct cooking *k, struct environment *env);

/* ---- before.c: what runs the command ---- */

/* When the command is known. */
void cook_before(struct cooking *k);
/* When its settings are: what is not for somebody who sits at a terminal and looks. */
void cook_without_limits(struct cooking *k);

/* ---- sanitizers.c ---- */

/* When the environment is finished: what such a file of C tests needs to be in it. */
void cook_sanitizers(struct cooking *k, const char *module);

/* ---- module_files.c ---- */

/* See recipe_modules. */
struct module_file *module_files(struct cooking *k, uint32_t *count);

/* ---- program.c: the PATH ---- */

/*
 * As the child finds it: on the PATH of its environment, a relative folder there beginning at its working directory.
 * NULL and words why not.
 */
const char *program_find(struct cooking *k, struct str name, const char **why);

#endif
