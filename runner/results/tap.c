/*
 * The document: plans, subtests, and what is wrong with them. A subtest's results come before the test point that
 * names it, so they wait for it.
 */
#include "runner/results/tap.h"

#include "runner/base/mem.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

void tap_problem(struct tap *tap, uint64_t line, uint64_t col, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    diag_error(&tap->reader.results->problems, results_place(tap->reader.results, line, col), "%s",
               buf_text(&text));
    buf_release(&text);
}

/* ---- what a plan announced ---- */

static int by_number(const void *a, const void *b)
{
    const struct tap_numbered *x = a, *y = b;

    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static struct str why_missing(struct tap *tap, const struct tap_level *level)
{
    struct results *results = tap->reader.results;

    if (results->bailed_out && results->bail_out.len)
        return text_line(
            &results->arena,
            str_of(arena_printf(&results->arena, "bailed out: %.*s", STR_ARG(results->bail_out))),
            RESULT_MESSAGE_MOST);
    if (results->bailed_out)
        return str_of("bailed out");
    if (level->plan >= 0)
        return str_of(arena_printf(&results->arena, "announced by the plan 1..%lld, and not reported",
                                   (long long)level->plan));
    return str_of("left out in the numbering");
}

/* From `next` up to, and without, `end`. */
static void miss(struct tap *tap, struct tap_level *level, uint64_t next, uint64_t end)
{
    struct results *results = tap->reader.results;
    struct str why = {0};

    for (; next < end; next++) {
        level->failed = true;
        if (results->missing >= RESULTS_MISSING_MOST) {
            results->missing += end - next;
            return;
        }
        results->missing++;
        if (!why.ptr)
            why = why_missing(tap, level);
        tap_missing(tap, next, why);
    }
}

/* What the document's own plan says is what tells that nothing is missing. */
static void doubt(struct tap *tap, const struct tap_level *level)
{
    tap->reader.results->unsound |= level == &tap->levels[0];
}

static uint64_t count_twice(const struct tap_level *level)
{
    uint64_t twice = 0;

    for (uint32_t i = 1; i < level->count; i++)
        twice += level->numbers[i].number == level->numbers[i - 1].number &&
                 (level->plan < 0 || level->numbers[i].number <= level->plan);
    return twice;
}

/* One that came under another's number is there all the same: so many of a gap are not missing. */
static uint64_t spare(uint64_t *twice, uint64_t next, uint64_t end)
{
    uint64_t spared = end - next < *twice ? end - next : *twice;

    *twice -= spared;
    return next + spared;
}

static void say_number(struct tap *tap, const struct tap_level *level, const struct tap_numbered *n,
                       bool beyond)
{
    doubt(tap, level);
    if (beyond)
        tap_problem(tap, n->line, 1, "test %u is beyond the plan 1..%lld", n->number, (long long)level->plan);
    else
        tap_problem(tap, n->line, 1, "test %u comes a second time: each has a number of its own", n->number);
}

/*
 * Numbers twice, beyond the plan, and those that never came. Without a plan the largest one is where it ends. Where as
 * many came as were announced, how they are numbered is of no interest: Node gives a file without tests the number of
 * that file among the files.
 */
static void compare_with_plan(struct tap *tap, struct tap_level *level)
{
    uint64_t next = 1, twice;

    if (level->count)
        qsort(level->numbers, level->count, sizeof *level->numbers, by_number);
    twice = count_twice(level);
    for (uint32_t i = 0; i < level->count; i++) {
        const struct tap_numbered *n = &level->numbers[i];
        bool beyond = level->plan >= 0 && n->number > level->plan, again = n->number < next;

        if (beyond || (again && level->points != level->plan))
            say_number(tap, level, n, beyond);
        if (beyond || again)
            continue;
        if (!level->left_out)
            miss(tap, level, spare(&twice, next, n->number), n->number);
        next = (uint64_t)n->number + 1;
    }
    if (level->plan >= 0 && !level->left_out)
        miss(tap, level, spare(&twice, next, (uint64_t)level->plan + 1), (uint64_t)level->plan + 1);
}

/* ---- levels ---- */

static void open_level(struct tap *tap)
{
    tap_point_over(tap);
    if (!tap->depth)
        tap_settle(tap);
    struct tap_level *level = &tap->levels[++tap->depth];
    struct str name = level->name;

    *level = (struct tap_level){.plan = -1, .name = name, .began = (uint32_t)tap->feed.number};
}

static void say_no_plan(struct tap *tap, const struct tap_level *level)
{
    doubt(tap, level);
    if (tap->depth)
        tap_problem(tap, level->began, 1, "this subtest has no plan: 1..%u would say how many tests it has",
                    level->points);
    else if (level->points)
        tap_problem(tap, level->began, 1, "there is no plan: 1..%u would say how many tests there are",
                    level->points);
    else
        tap_problem(tap, 0, 0, "no TAP was found: neither a plan like 1..5 nor a test like 'ok 1 - name'");
}

static void end_level(struct tap *tap, struct tap_level *level)
{
    tap_point_over(tap);
    compare_with_plan(tap, level);
    if (level->plan < 0 && !tap->reader.results->bailed_out)
        say_no_plan(tap, level);
    free(level->numbers);
    level->numbers = NULL;
}

/* Closes the innermost subtest. `point`: its own test point; NULL: none came. */
static void close_level(struct tap *tap, const struct tap_line *point)
{
    struct tap_level *level = &tap->levels[tap->depth];
    struct arena *arena = &tap->reader.results->arena;
    struct str name = level->name;

    end_level(tap, level);
    if (!point && !tap->reader.results->bailed_out)
        tap_problem(tap, level->began, 1, "this subtest is not followed by a test point of its own");
    buf_clear(&tap->name);
    if (point)
        tap_unescape(&tap->name, point->text);
    if (level->node) {
        struct str said = text_id(arena, buf_str(&tap->name));
        unsigned number = tap->levels[tap->depth - 1].points + 1;

        level->node->name = said.len ? said : name.len ? name : str_of(arena_printf(arena, "#%u", number));
    }
    level->name = (struct str){0};
    tap->levels[tap->depth - 1].failed |= !point && level->failed;
    tap->depth--;
}

static void close_levels(struct tap *tap, unsigned depth)
{
    while (tap->depth > depth)
        close_level(tap, NULL);
}

/* ---- lines by kind ---- */

static void on_point(struct tap *tap, const struct tap_line *line, unsigned depth)
{
    bool has_subtest = tap->depth > depth;
    struct tap_level subtest = {0};

    close_levels(tap, depth + 1);
    if (has_subtest) {
        close_level(tap, line);
        subtest = tap->levels[depth + 1];
    }
    tap_point_over(tap);
    if (!depth)
        tap_settle(tap);
    struct tap_level *level = &tap->levels[depth];
    if (level->plan_late) {
        tap_problem(tap, tap->feed.number, 1,
                    "a test after the plan of its end: a plan stands first or last");
        level->plan_late = false;
    }
    if (depth + 1 < TAP_LEVELS_MOST)
        tap->levels[depth + 1].name = (struct str){0};
    tap_point(tap, line, has_subtest && subtest.points ? &subtest : NULL);
}

static void on_plan(struct tap *tap, const struct tap_line *line, unsigned depth)
{
    struct results *results = tap->reader.results;
    struct tap_level *level = &tap->levels[depth];

    close_levels(tap, depth);
    tap_point_over(tap);
    if (level->plan >= 0) {
        doubt(tap, level);
        tap_problem(tap, tap->feed.number, line->indent + 1, "a second plan; 1..%lld was the first",
                    (long long)level->plan);
        return;
    }
    level->plan = (int64_t)line->number;
    level->plan_late = level->points > 0;
    if (depth)
        return;
    results->announced = level->plan;
    if (!level->plan)
        results->skip_all = text_line(&results->arena, line->reason, RESULT_MESSAGE_MOST);
}

/* The name of the subtest that begins here, or with the next line if that is indented more. */
static void on_subtest(struct tap *tap, const struct tap_line *line, unsigned depth)
{
    struct arena *arena = &tap->reader.results->arena;
    struct tap_level *here = &tap->levels[depth];

    close_levels(tap, depth);
    tap_point_over(tap);
    if (tap->reader.results->count + tap->count >= RESULTS_MOST)
        return;
    buf_clear(&tap->name);
    tap_unescape(&tap->name, line->text);
    struct str name = text_id(arena, buf_str(&tap->name));
    if (depth && !here->points && !here->name.len)
        here->name = name;
    if (depth + 1 < TAP_LEVELS_MOST)
        tap->levels[depth + 1].name = name;
}

static void on_pragma(struct tap *tap, struct str text)
{
    size_t at;

    if (str_find(text, "+strict", &at))
        tap->strict = true;
    else if (str_find(text, "-strict", &at))
        tap->strict = false;
}

static void on_bail(struct tap *tap, const struct tap_line *line)
{
    struct results *results = tap->reader.results;

    tap_point_over(tap);
    results->bailed_out = true;
    results->bail_out = text_line(&results->arena, line->reason, RESULT_MESSAGE_MOST);
    tap->over = true;
}

static void on_noise(struct tap *tap, struct str text)
{
    if (tap->strict && str_trim(text).len)
        tap_problem(tap, tap->feed.number, 1,
                    "this is no TAP, and strict: a line is a plan, a test, a comment, or in a block of YAML");
}

static void on_version(struct tap *tap, const struct tap_line *line)
{
    if (line->number < 13 || line->number > 14)
        tap_problem(tap, tap->feed.number, line->indent + 1, "TAP version %llu is not known; 13 and 14 are",
                    (unsigned long long)line->number);
}

/* ---- where a line belongs ---- */

/*
 * Depth of the level that a line belongs to: a subtest opens with the first line indented by four more than the level
 * it is in, if that line means something. Else it is noise.
 */
static bool find_level(struct tap *tap, const struct tap_line *line, unsigned *depth)
{
    *depth = (unsigned)(line->indent / TAP_INDENT);
    if (line->indent % TAP_INDENT || line->indent / TAP_INDENT > tap->depth + 1 || *depth >= TAP_LEVELS_MOST)
        return false;
    return true;
}

static bool begins_yaml(struct tap *tap, const struct tap_line *line)
{
    return line->kind == TAP_YAML && tap->has_last && !tap->details.kept.len &&
           tap->last_depth == tap->depth && line->indent == tap->last_depth * TAP_INDENT + 2;
}

static void on_line(struct tap *tap, const struct tap_line *line, struct str text)
{
    unsigned depth;

    if (begins_yaml(tap, line)) {
        tap_yaml_begin(tap, line->indent);
        return;
    }
    if (line->kind == TAP_NOISE || line->kind == TAP_YAML || !find_level(tap, line, &depth)) {
        on_noise(tap, text);
        return;
    }
    if (depth > tap->depth && line->kind != TAP_COMMENT && line->kind != TAP_PRAGMA)
        open_level(tap);
    switch (line->kind) {
    case TAP_POINT: on_point(tap, line, depth); break;
    case TAP_PLAN: on_plan(tap, line, depth); break;
    case TAP_SUBTEST: on_subtest(tap, line, depth); break;
    case TAP_COMMENT: tap_comment(tap, line->text); break;
    case TAP_PRAGMA: on_pragma(tap, line->text); break;
    case TAP_BAIL: on_bail(tap, line); break;
    default: on_version(tap, line); break;
    }
}

/* Whether a line was part of the block. One that is indented too little ends it. */
static bool yaml_takes(struct tap *tap, const struct tap_line *line, struct str text)
{
    if (text.len && line->indent < tap->yaml_indent && str_trim(text).len) {
        tap_problem(tap, tap->yaml_began, tap->yaml_indent + 1,
                    "this block of YAML has no end: '...' is missing");
        tap_yaml_end(tap);
        return false;
    }
    text = text.len > tap->yaml_indent ? str_slice(text, tap->yaml_indent, text.len) : (struct str)STR("");
    if (line->indent == tap->yaml_indent && str_is(str_trim(text), "...")) {
        tap_yaml_end(tap);
        return true;
    }
    tap_yaml_line(&tap->yaml, text);
    excerpt_add(&tap->details, text);
    excerpt_add(&tap->details, (struct str)STR("\n"));
    return true;
}

static void each_line(void *user, struct str text)
{
    struct tap *tap = user;
    struct tap_line line;

    if (tap->over)
        return;
    if (tap->feed.number == 1 && str_starts(text, BYTE_ORDER_MARK))
        text = str_slice(text, strlen(BYTE_ORDER_MARK), text.len);
    tap_line_read(text, &line);
    if (!tap->in_yaml || !yaml_takes(tap, &line, text))
        on_line(tap, &line, text);
}

/* ---- the reader ---- */

static void feed(struct results_reader *reader, struct str bytes)
{
    struct tap *tap = (struct tap *)reader;

    line_feed(&tap->feed, bytes, each_line, tap);
}

static void end(struct results_reader *reader)
{
    struct tap *tap = (struct tap *)reader;

    line_feed_end(&tap->feed, each_line, tap);
    if (tap->in_yaml)
        tap_problem(tap, tap->yaml_began, tap->yaml_indent + 1,
                    "this block of YAML has no end: '...' is missing");
    close_levels(tap, 0);
    end_level(tap, &tap->levels[0]);
    tap_settle(tap);
    free(tap->pending);
    excerpt_clear(&tap->details);
    buf_release(&tap->details.kept);
    buf_release(&tap->name);
    tap_yaml_release(&tap->yaml);
    free(tap);
}

struct results_reader *results_tap(struct results *into, bool strict)
{
    static const struct results_format format = {.feed = feed, .end = end};
    struct tap *tap = mem_zero(1, sizeof *tap);

    tap->reader = (struct results_reader){&format, into};
    tap->strict = strict;
    tap->levels[0] = (struct tap_level){.plan = -1, .began = 1};
    tap->yaml.duration = -1;
    return &tap->reader;
}
