/* Results out of lines, by an expression of the user's. */
#include "runner/results/internal.h"

#include "runner/base/hash.h"
#include "runner/base/mem.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a search in one line may cost, so that the worst of expressions costs tens of milliseconds a line ... */
#define STEPS_MOST    4000000u
#define INTERPRETED   8 /* times slower than machine code */
#define HEAP_KIB_MOST 8192u
#define DEPTH_MOST    10000u
#define LINE_SEARCHED ((size_t)8 << 10) /* the beginning of a line */
/* ... and how many such lines are endured. */
#define GIVE_UPS_MOST 20

#define LENGTH_MOST  4096u
#define NESTING_MOST 50u

#define GROUPS(X)                 \
    X(GROUP_NAME, "name")         \
    X(GROUP_VERDICT, "verdict")   \
    X(GROUP_MESSAGE, "message")   \
    X(GROUP_DURATION, "duration") \
    X(GROUP_FILE, "file")         \
    X(GROUP_LINE, "line")         \
    X(GROUP_ANNOUNCED, "announced")

enum group {
#define X(id, word) id,
    GROUPS(X)
#undef X
        GROUP_COUNT
};

static const char *const group_names[GROUP_COUNT] = {
#define X(id, word) [id] = word,
    GROUPS(X)
#undef X
};

/* The latest result of a name that has begun; it stays when it is settled. */
struct begun_slot {
    struct str name; /* NULL: free */
    uint32_t result;
};

/* Open addressing, at least a third is free. */
struct begun {
    struct begun_slot *slots;
    size_t size, count;
};

struct lines {
    struct results_reader reader;
    struct line_feed feed;
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *found;
    bool jit, anchored;
    bool has[GROUP_COUNT];
    struct str groups[GROUP_COUNT]; /* of the line that matches */
    unsigned gave_up;
    struct begun begun;
    struct names_to names; /* nobody: results are made */
};

/* ---- the expression ---- */

static pcre2_code *compile(struct str expression, struct lines_error *error)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    uint32_t options =
        PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_UCP | PCRE2_DUPNAMES | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *code;
    int number;

    if (!context)
        mem_exhausted(0);
    pcre2_set_max_pattern_length(context, LENGTH_MOST);
    pcre2_set_parens_nest_limit(context, NESTING_MOST);
    code = pcre2_compile((PCRE2_SPTR)(expression.ptr ? expression.ptr : ""), expression.len, options, &number,
                         &error->at, context);
    pcre2_compile_context_free(context);
    if (!code) {
        error->at = error->at < expression.len ? error->at : expression.len;
        pcre2_get_error_message(number, (PCRE2_UCHAR *)error->text, sizeof error->text);
    }
    return code;
}

static bool refuse_group(const char *name, struct str expression, struct lines_error *error)
{
    const char *nearest = str_nearest(str_of(name), group_names, GROUP_COUNT);
    size_t at;

    error->at = str_find(expression, name, &at) ? at : 0;
    snprintf(error->text, sizeof error->text,
             "'%.60s' is no group that is known: name, verdict, message, duration, file, line and announced "
             "are%s%s%s",
             name, nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
    return false;
}

static bool find_groups(struct lines *lines, struct str expression, struct lines_error *error)
{
    uint32_t count = 0, size = 0;
    PCRE2_SPTR table = NULL;

    pcre2_pattern_info(lines->code, PCRE2_INFO_NAMECOUNT, &count);
    pcre2_pattern_info(lines->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
    pcre2_pattern_info(lines->code, PCRE2_INFO_NAMETABLE, &table);
    for (uint32_t i = 0; i < count; i++) {
        const char *name = (const char *)table + (size_t)i * size + 2;
        size_t group = 0;

        while (group < GROUP_COUNT && strcmp(name, group_names[group]) != 0)
            group++;
        if (group == GROUP_COUNT)
            return refuse_group(name, expression, error);
        lines->has[group] = true;
    }
    if (!lines->has[GROUP_NAME]) {
        error->at = 0;
        snprintf(error->text, sizeof error->text, "a group '(?<name>...)' is missing: it names the test");
    }
    return lines->has[GROUP_NAME];
}

static void prepare(struct lines *lines)
{
    size_t jit = 0;
    uint32_t options = 0;

    /* Refused where the system forbids memory that is writable and executable: then it is interpreted. */
    pcre2_jit_compile(lines->code, PCRE2_JIT_COMPLETE);
    pcre2_pattern_info(lines->code, PCRE2_INFO_JITSIZE, &jit);
    pcre2_pattern_info(lines->code, PCRE2_INFO_ALLOPTIONS, &options);
    lines->jit = jit != 0;
    lines->anchored = (options & PCRE2_ANCHORED) != 0;
    lines->limits = pcre2_match_context_create(NULL);
    lines->found = pcre2_match_data_create_from_pattern(lines->code, NULL);
    if (!lines->limits || !lines->found)
        mem_exhausted(0);
    pcre2_set_depth_limit(lines->limits, DEPTH_MOST);
    pcre2_set_heap_limit(lines->limits, HEAP_KIB_MOST);
}

/* ---- a line ---- */

static int search(struct lines *lines, struct str line, bool jit)
{
    /* Steps are counted anew from each place where a match may begin, so the places share what there is. */
    size_t places = lines->anchored ? 1 : line.len + 1;
    uint32_t steps = (uint32_t)(STEPS_MOST / places / (jit ? 1 : INTERPRETED));

    pcre2_set_match_limit(lines->limits, steps + 1);
    return pcre2_match(lines->code, (PCRE2_SPTR)line.ptr, line.len, 0, jit ? 0 : PCRE2_NO_JIT, lines->found,
                       lines->limits);
}

/* Of groups of one name the first that took part. */
static void capture(struct lines *lines, struct str line)
{
    const size_t *bounds = pcre2_get_ovector_pointer(lines->found);
    PCRE2_SPTR first, last;

    for (size_t group = 0; group < GROUP_COUNT; group++) {
        int size = pcre2_substring_nametable_scan(lines->code, (PCRE2_SPTR)group_names[group], &first, &last);

        lines->groups[group] = (struct str){0};
        for (; size > 0 && first <= last; first += size) {
            size_t number = (size_t)first[0] << 8 | first[1];
            size_t from = bounds[2 * number], to = bounds[2 * number + 1];

            if (from == PCRE2_UNSET || to < from)
                continue;
            lines->groups[group] = str_slice(line, from, to);
            break;
        }
    }
}

static void give_up(struct lines *lines)
{
    struct results *results = lines->reader.results;

    results->cut = true; /* who knows what stood there */
    diag_error(
        &results->problems, results_place(results, lines->feed.number, 1),
        "the expression takes too long on this line%s",
        ++lines->gave_up < GIVE_UPS_MOST
            ? ""
            : ", as on others before it: no more lines are read. It should not repeat what repeats itself");
}

static bool matches(struct lines *lines, struct str line)
{
    int result;

    if (lines->gave_up >= GIVE_UPS_MOST)
        return false;
    if (!line.ptr)
        line.ptr = "";
    if (line.len > LINE_SEARCHED)
        line.len = LINE_SEARCHED;
    result = search(lines, line, lines->jit);
    /* Machine code has 32 KiB of stack, the interpreter may use the heap. */
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = search(lines, line, false);
    if (result >= 0)
        capture(lines, line);
    else if (result != PCRE2_ERROR_NOMATCH)
        give_up(lines);
    return result >= 0;
}

/* ---- tests that have begun ---- */

static struct begun_slot *slot_of(const struct begun *begun, struct str name)
{
    uint64_t hash = hash_add(HASH_START, name);
    size_t at = (size_t)(hash ^ hash >> 32) & (begun->size - 1);

    while (begun->slots[at].name.ptr && !str_eq(begun->slots[at].name, name))
        at = (at + 1) & (begun->size - 1);
    return &begun->slots[at];
}

static void grow_begun(struct begun *begun)
{
    struct begun old = *begun;

    begun->size = old.size ? old.size * 2 : 64;
    begun->slots = mem_zero(begun->size, sizeof *begun->slots);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i].name.ptr)
            *slot_of(begun, old.slots[i].name) = old.slots[i];
    free(old.slots);
}

/* Its result was just added as the last of the list. */
static void remember(struct begun *begun, struct str name, uint32_t result)
{
    struct begun_slot *slot;

    if (begun->count * 3 >= begun->size * 2)
        grow_begun(begun);
    slot = slot_of(begun, name);
    begun->count += !slot->name.ptr;
    *slot = (struct begun_slot){name, result};
}

static struct result *begun_result(struct lines *lines, struct str name)
{
    struct begun_slot *slot = lines->begun.size ? slot_of(&lines->begun, name) : NULL;
    struct result *result = slot && slot->name.ptr ? &lines->reader.results->list[slot->result] : NULL;

    return result && result->verdict == RESULT_NOT_RUN ? result : NULL;
}

/* ---- results ---- */

static enum word_means read_verdict(struct lines *lines, struct result *result)
{
    struct arena *arena = &lines->reader.results->arena;
    struct str word = lines->groups[GROUP_VERDICT];
    enum word_means means;

    result->verdict = RESULT_PASSED;
    if (!lines->has[GROUP_VERDICT])
        return WORD_VERDICT;
    means = verdict_of_word(word, &result->verdict);
    if (means == WORD_STARTED) {
        result->verdict = RESULT_NOT_RUN;
        result->message = str_of("it began, and nothing more was heard of it");
    } else if (means == WORD_UNKNOWN) {
        struct str shown = text_line(arena, word, 60);

        result->verdict = RESULT_ERROR;
        result->message = str_of(arena_printf(arena, "'%.*s' is no verdict that is known", STR_ARG(shown)));
        diag_error(&lines->reader.results->problems,
                   results_place(lines->reader.results, lines->feed.number, 1),
                   "'%.*s' is no verdict that is known: words like pass, ok, fail, error, skip and xfail are",
                   STR_ARG(shown));
    }
    return means;
}

static void read_rest(struct lines *lines, struct result *result)
{
    struct results *results = lines->reader.results;
    uint64_t line = 0;

    if (lines->groups[GROUP_MESSAGE].len)
        result->message = text_line(&results->arena, lines->groups[GROUP_MESSAGE], RESULT_MESSAGE_MOST);
    result->duration = text_duration(lines->groups[GROUP_DURATION], NS_PER_S);
    text_number(lines->groups[GROUP_LINE], UINT32_MAX, &line);
    result_locate(results, result, lines->groups[GROUP_FILE], (uint32_t)line);
}

static void settle(struct lines *lines, struct result *begun, struct result *result)
{
    results_settle(lines->reader.results, begun, result->verdict);
    result->id = begun->id;
    *begun = *result;
}

/* "Running 12 tests", said by each program that is started: so many are to come. */
static void announce(struct lines *lines)
{
    int64_t *announced = &lines->reader.results->announced;
    uint64_t number;

    if (text_number(lines->groups[GROUP_ANNOUNCED], UINT32_MAX, &number))
        *announced = (*announced < 0 ? 0 : *announced) + (int64_t)number;
}

static void each_line(void *user, struct str line)
{
    struct lines *lines = user;
    struct results *results = lines->reader.results;
    struct result result = {0}, *begun;
    enum word_means means;

    if (!matches(lines, line))
        return;
    announce(lines);
    if (!lines->groups[GROUP_NAME].len)
        return;
    if (lines->names.each) {
        lines->names.each(lines->names.user, lines->groups[GROUP_NAME]);
        return;
    }
    if (results->count == RESULTS_MOST) {
        results->left_out++;
        return;
    }
    result.id = text_id(&results->arena, lines->groups[GROUP_NAME]);
    if (!result.id.len)
        return;
    means = read_verdict(lines, &result);
    read_rest(lines, &result);
    begun = begun_result(lines, result.id);
    if (begun && means != WORD_STARTED)
        settle(lines, begun, &result);
    else if (results_add(results, &result) && means == WORD_STARTED)
        remember(&lines->begun, result.id, results->count - 1);
}

/* ---- the reader ---- */

static void feed(struct results_reader *reader, struct str bytes)
{
    struct lines *lines = (struct lines *)reader;

    line_feed(&lines->feed, bytes, each_line, lines);
}

static void free_lines(struct lines *lines)
{
    pcre2_match_data_free(lines->found);
    pcre2_match_context_free(lines->limits);
    pcre2_code_free(lines->code);
    free(lines->begun.slots);
    free(lines);
}

static void end(struct results_reader *reader)
{
    struct lines *lines = (struct lines *)reader;
    struct results *results = reader->results;
    int64_t begun;

    line_feed_end(&lines->feed, each_line, lines);
    begun = (int64_t)(results->count + results->left_out);
    for (uint32_t i = 0; i < results->count; i++)
        results->missing += results->list[i].verdict == RESULT_NOT_RUN;
    if (results->announced > begun)
        results->missing += (uint64_t)(results->announced - begun);
    free_lines(lines);
}

struct results_reader *results_lines(struct results *into, struct str expression, struct lines_error *error)
{
    static const struct results_format format = {.feed = feed, .end = end};
    struct lines *lines = mem_zero(1, sizeof *lines);

    lines->reader = (struct results_reader){&format, into};
    lines->code = compile(expression, error);
    if (!lines->code || !find_groups(lines, expression, error)) {
        free_lines(lines);
        return NULL;
    }
    prepare(lines);
    return &lines->reader;
}

struct results_reader *results_names(struct results *into, struct str expression, struct names_to to,
                                     struct lines_error *error)
{
    struct results_reader *reader = results_lines(into, expression, error);

    if (reader)
        ((struct lines *)reader)->names = to;
    return reader;
}
