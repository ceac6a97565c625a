/* `results`: how one process tells what became of its many tests. */
#include "runner/recipe/internal.h"

#include "runner/base/mem.h"
#include "runner/results/results.h"

#include <ctype.h>
#include <string.h>

#define IN_OUTPUT "its results are in its output, and "

static const struct {
    const char *key;
    enum results_kind kind;
} kinds[] = {
    {"junit", RESULTS_JUNIT},
    {"gtest", RESULTS_GTEST},
    {"tap", RESULTS_TAP},
    {"lines", RESULTS_LINES},
};

bool results_in_output(enum results_kind kind)
{
    return kind == RESULTS_TAP || kind == RESULTS_LINES;
}

/* ---- what is the same for all cases of a test ---- */

static void preset_results(struct kitchen *kitchen, struct test_recipe *shared)
{
    static const enum results_kind kind_of[] = {
        [PRESET_NO_REPORT] = RESULTS_NONE,
        [PRESET_JUNIT] = RESULTS_JUNIT,
        [PRESET_GTEST] = RESULTS_GTEST,
        [PRESET_LINES] = RESULTS_LINES,
    };
    const struct preset_report *reports = preset_reports(shared->preset);

    shared->results = kind_of[reports[0].format];
    shared->results_word.text =
        str_of(reports[0].file ? arena_printf(kitchen->arena, "$RUN_MATRIX_RESULTS/%s", reports[0].file)
                               : reports[0].lines);
    shared->results_checked = true;
    shared->otherwise = reports[1].lines;
}

void results_prepare(struct kitchen *kitchen, const struct suite *suite, const struct node *test,
                     struct test_recipe *shared, struct diags *diags)
{
    const struct node *results = node_get(test, "results");

    shared->suite_folder = suite->dir;
    if (shared->preset)
        preset_results(kitchen, shared);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        const struct node *scalar = node_get(results, kinds[i].key);

        if (!scalar)
            continue;
        shared->results = kinds[i].kind;
        shared->results_word = word_of(kitchen->arena, scalar, diags);
    }
}

bool recipe_has_results(struct kitchen *kitchen, const struct plan_case *c)
{
    const struct test_recipe *tests = kitchen->tests[c->suite];

    return tests && tests[c->test].results != RESULTS_NONE;
}

/* Nobody could read there. */
void choose_results(struct cooking *k)
{
    k->recipe->results.kind = k->shared->results;
    k->recipe->results.preset = k->shared->preset;
    k->recipe->results.otherwise = k->shared->otherwise;
    if (!results_in_output(k->shared->results) || k->recipe->unsupported || k->recipe->error)
        return;
    if (k->recipe->capture == CAPTURE_DISCARD)
        k->recipe->unsupported = IN_OUTPUT "capture 'discard' throws that away";
}

/* Whoever set the wish by other means than `results` did so for the test as a whole. */
static struct place place_of(const struct cooking *k)
{
    const struct node *scalar = k->shared->results_word.scalar;

    return scalar ? scalar->at : k->test->node->at;
}

/* ---- lines ---- */

bool check_expression(struct cooking *k, struct str expression, struct place at)
{
    struct lines_error error = {0};
    struct results results;
    struct results_reader *reader;

    results_init(&results, "");
    reader = results_lines(&results, expression, &error);
    results_end(reader);
    results_release(&results);
    if (reader)
        return true;
    diag_error(k->diags, at, "%s: the expression of 'lines' cannot be used: %s, at its character %zu",
               k->recipe->id.ptr, error.text, error.at + 1);
    return false;
}

/* ---- paths ---- */

static bool is_name(char c, bool first)
{
    return c == '_' || (first ? isalpha((unsigned char)c) : isalnum((unsigned char)c));
}

/* The variable that `text` begins with, "$NAME" or "${NAME}": its name, and how many bytes it takes. 0: it is none. */
static size_t variable_at(struct str text, struct str *name)
{
    size_t from = text.len > 1 && text.ptr[1] == '{' ? 2 : 1, to = from;

    while (to < text.len && is_name(text.ptr[to], to == from))
        to++;
    *name = str_slice(text, from, to);
    if (!name->len || (from == 2 && (to == text.len || text.ptr[to] != '}')))
        return 0;
    return to + (from == 2);
}

/* What a variable holds is no pattern. */
static void add_literally(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (strchr("*?[\\", value.ptr[i]))
            buf_addc(out, '\\');
        buf_addc(out, value.ptr[i]);
    }
}

/* Where a case's files are isolated, what it calls /tmp is its TMPDIR for us. */
static struct str seen_from_here(struct cooking *k, const struct place_of_case *where, struct str path)
{
    if (!(k->recipe->isolate & SPAWN_ISOLATE_FILES) || !(str_is(path, "/tmp") || str_starts(path, "/tmp/")))
        return path;
    return str_of(
        arena_printf(k->arena, "%s%.*s", where->tmpdir, STR_ARG(str_slice(path, strlen("/tmp"), path.len))));
}

/* The value of a variable of the case; false: it has none such. */
static bool find_value(struct cooking *k, struct str name, struct str *value)
{
    const char *entry = environment_find(k->recipe->spec.envp, arena_cstr(k->arena, name));

    *value = str_of(entry ? entry + name.len + 1 : "");
    return entry != NULL;
}

static bool add_variables(struct cooking *k, const struct place_of_case *where, struct str text,
                          struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        struct str name;
        size_t length = text.ptr[i] == '$' ? variable_at(str_slice(text, i, text.len), &name) : 0;
        struct str value;

        if (!length) {
            buf_addc(out, text.ptr[i]);
            continue;
        }
        if (!find_value(k, name, &value)) {
            k->recipe->error = arena_printf(
                k->arena, "the path of its results speaks of the variable '%.*s', which it does not have",
                STR_ARG(name));
            return false;
        }
        add_literally(out, out->len ? value : seen_from_here(k, where, value));
        i += length - 1;
    }
    return true;
}

static bool cook_path(struct cooking *k, const struct place_of_case *where, struct str said)
{
    struct buf path = {0}, out = {0};

    if (!str_trim(said).len) {
        diag_error(k->diags, place_of(k), "%s: the path of its results is empty", k->recipe->id.ptr);
        return false;
    }
    if (add_variables(k, where, seen_from_here(k, where, said), &path)) {
        if (!str_starts(buf_str(&path), "/")) /* from where we are, as `cwd` is */
            add_literally(&out, str_of(k->shared->suite_folder));
        buf_addstr(&out, buf_str(&path));
        k->recipe->results.paths = arena_cstr(k->arena, buf_str(&out));
    }
    buf_release(&path);
    buf_release(&out);
    return true;
}

/* ---- for one case ---- */

static const struct node *with_lock(struct cooking *k, const struct node *locks, const char *lock)
{
    uint32_t count = node_list_count(locks);
    struct node *longer = node_seq(k->arena, (struct place){0}, count + 1);

    for (uint32_t i = 0; i < count; i++)
        longer->seq.items[i] =
            node_string(k->arena, (struct place){0}, node_text(node_list_item(locks, i), k->arena));
    longer->seq.items[count] = node_string(k->arena, (struct place){0}, str_of(lock));
    return longer;
}

/* The same command in the same folder; where either differs from cell to cell it is as it is written. */
static const char *folder_lock(struct cooking *k)
{
    struct buf text = {0};
    const char *lock;

    buf_addf(&text, "folder %s%.*s", k->shared->suite_folder, STR_ARG(k->shared->cwd.text));
    for (uint32_t i = 0; i < k->shared->word_count; i++)
        buf_addf(&text, " %.*s", STR_ARG(k->shared->words[i].text));
    lock = arena_cstr(k->arena, buf_str(&text));
    buf_release(&text);
    return lock;
}

/*
 * Of two cases that write to one place side by side nobody could say whose it is. A path with a variable in it, or with
 * what a fixture says, is known when its case starts, and is most often in a folder that is the case's own.
 */
const struct node *results_lock(struct cooking *k, const struct node *locks)
{
    enum results_kind kind = k->shared->results;
    struct str path;

    if (k->shared->preset && preset_fills_folder(k->shared->preset))
        return with_lock(k, locks, folder_lock(k));
    if ((kind != RESULTS_JUNIT && kind != RESULTS_GTEST) || k->shared->results_word.fixtures ||
        !word_text(k, &k->shared->results_word, &path) || (path.len && memchr(path.ptr, '$', path.len)))
        return locks;
    return with_lock(k, locks,
                     arena_printf(k->arena, "report %s%.*s", k->shared->suite_folder, STR_ARG(path)));
}

/* Where both streams are in one file, what comes by the one may stand in the middle of a line of the other. Once a test. */
static void warn_of_mixture(struct cooking *k)
{
    if (k->shared->results != RESULTS_TAP || !capture_way(k->recipe->capture)->one_file ||
        k->shared->warned_of_mixture)
        return;
    k->shared->warned_of_mixture = true;
    diag_warning(
        k->diags, place_of(k),
        "%s: its results are on standard output, and with capture '%s' standard error is in the same file: "
        "what is written there may damage them",
        k->recipe->id.ptr, capture_word(k->recipe->capture));
}

bool check_results(struct cooking *k)
{
    struct test_recipe *shared = k->shared;
    struct str text;

    warn_of_mixture(k);
    if (shared->results != RESULTS_LINES || shared->results_checked || shared->results_word.fixtures)
        return true;
    shared->results_checked = !shared->results_word.parsed;
    return word_text(k, &shared->results_word, &text) &&
           (k->recipe->error || check_expression(k, text, place_of(k)));
}

bool cook_results(struct cooking *k, const struct place_of_case *where)
{
    struct results_wish *wish = &k->recipe->results;
    struct str text;

    if (wish->kind == RESULTS_NONE)
        return true;
    if (!word_text(k, &k->shared->results_word, &text))
        return false;
    if (k->recipe->error || wish->kind == RESULTS_TAP)
        return true;
    wish->text = text;
    if (wish->kind != RESULTS_LINES)
        return cook_path(k, where, text);
    return !k->shared->results_word.fixtures || check_expression(k, text, place_of(k));
}
