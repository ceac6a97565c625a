/* Test points of TAP: what is said of one, and what becomes of it. */
#include "runner/results/tap.h"

#include "runner/base/mem.h"

/* ---- what a point says ---- */

/*
 * TAP says that "not ok # SKIP" has failed, in passing; cmocka writes it for each test that it skips. Somebody wanted
 * it not to run, so it is not what fails a suite.
 */
static enum result_verdict verdict_of(const struct tap_line *line)
{
    switch (line->directive) {
    case TAP_SKIP: return RESULT_SKIPPED;
    case TAP_TODO: return line->ok ? RESULT_XPASSED : RESULT_XFAILED;
    default: return line->ok ? RESULT_PASSED : RESULT_FAILED;
    }
}

static struct str id_of(struct tap *tap, const struct tap_line *line, uint64_t number)
{
    struct arena *arena = &tap->reader.results->arena;

    buf_clear(&tap->name);
    tap_unescape(&tap->name, line->text);
    struct str id = text_id(arena, buf_str(&tap->name));
    return id.len ? id : str_of(arena_printf(arena, "#%llu", (unsigned long long)number));
}

/* Only those get one that have results: a document full of empty subtests costs nothing. */
static struct tap_node *node_of(struct tap *tap, unsigned depth)
{
    struct tap_level *level = &tap->levels[depth];

    if (depth && !level->node) {
        level->node = ARENA_NEW(&tap->reader.results->arena, struct tap_node);
        level->node->up = node_of(tap, depth - 1);
    }
    return level->node;
}

static struct result *push(struct tap *tap)
{
    if (tap->reader.results->count + tap->count >= RESULTS_MOST) {
        tap->reader.results->left_out++;
        return NULL;
    }
    GROW(tap->pending, tap->count, tap->cap);
    tap->pending[tap->count] = (struct tap_pending){.in = node_of(tap, tap->depth)};
    return &tap->pending[tap->count++].result;
}

static uint64_t number_of(struct tap_level *level, const struct tap_line *line, uint64_t at)
{
    uint64_t number = line->number ? line->number : (uint64_t)level->points + 1;

    level->points++;
    if (level->count == RESULTS_MOST) {
        level->left_out = true;
        return number;
    }
    GROW(level->numbers, level->count, level->cap);
    level->numbers[level->count++] =
        (struct tap_numbered){number > UINT32_MAX ? UINT32_MAX : (uint32_t)number, (uint32_t)at};
    return number;
}

void tap_point(struct tap *tap, const struct tap_line *line, const struct tap_level *parent)
{
    struct tap_level *level = &tap->levels[tap->depth];
    enum result_verdict verdict = verdict_of(line);
    uint64_t number = number_of(level, line, tap->feed.number);
    struct result *result = push(tap);

    level->failed |= verdict == RESULT_FAILED;
    tap->has_last = result != NULL;
    tap->last_depth = tap->depth;
    if (!result)
        return;
    result->id = id_of(tap, line, number);
    result->verdict = verdict;
    result->duration = line->duration;
    result->message = text_line(&tap->reader.results->arena, line->reason, RESULT_MESSAGE_MOST);
    result->is_a_parent = parent && (verdict != RESULT_FAILED || parent->failed);
}

void tap_missing(struct tap *tap, uint64_t number, struct str why)
{
    struct result *result = push(tap);

    if (!result)
        return;
    result->id = str_of(arena_printf(&tap->reader.results->arena, "#%llu", (unsigned long long)number));
    result->verdict = RESULT_NOT_RUN;
    result->duration = -1;
    result->message = why;
}

/* ---- what follows a point ---- */

static struct result *last(struct tap *tap)
{
    return &tap->pending[tap->count - 1].result;
}

static bool has_failed(const struct result *result)
{
    return result->verdict == RESULT_FAILED || result->verdict == RESULT_XFAILED;
}

static void locate(struct tap *tap, struct result *result)
{
    struct text_place place;

    if (text_place(result->details, &place))
        result_locate(tap->reader.results, result, place.file, place.line);
}

void tap_point_over(struct tap *tap)
{
    struct results *results = tap->reader.results;

    if (tap->in_yaml)
        tap_yaml_end(tap);
    if (tap->has_last && tap->details.kept.len) {
        struct result *result = last(tap);

        result->details = excerpt_take(results, &tap->details, result->verdict);
        if (has_failed(result)) {
            locate(tap, result);
            if (!result->message.len)
                result->message = text_message(&results->arena, result->details);
        }
    }
    excerpt_clear(&tap->details);
    tap->has_last = false;
}

void tap_comment(struct tap *tap, struct str text)
{
    if (!tap->has_last || tap->last_depth != tap->depth || !has_failed(last(tap)))
        return;
    if (str_starts(text, " Looks like you ") ||
        str_starts(text, "Looks like you ")) /* Test::More, of the whole */
        return;
    excerpt_add(&tap->details, text);
    excerpt_add(&tap->details, (struct str)STR("\n"));
}

void tap_yaml_begin(struct tap *tap, size_t indent)
{
    tap->in_yaml = true;
    tap->yaml_indent = indent;
    tap->yaml_began = tap->feed.number;
    tap_yaml_clear(&tap->yaml);
}

void tap_yaml_end(struct tap *tap)
{
    struct results *results = tap->reader.results;
    struct result *result = last(tap);

    tap->in_yaml = false;
    if (tap->yaml.duration >= 0)
        result->duration = tap->yaml.duration;
    if (!result->message.len)
        result->message = text_message(&results->arena, buf_str(&tap->yaml.message));
    result_locate(results, result, buf_str(&tap->yaml.file), tap->yaml.line);
}

/* ---- to the list ---- */

static void add_names(struct buf *out, const struct tap_node *node)
{
    if (!node)
        return;
    add_names(out, node->up);
    buf_addstr(out, node->name);
    buf_adds(out, "::");
}

void tap_settle(struct tap *tap)
{
    struct results *results = tap->reader.results;

    for (uint32_t i = 0; i < tap->count; i++) {
        struct tap_pending *pending = &tap->pending[i];

        if (pending->in) {
            buf_clear(&tap->name);
            add_names(&tap->name, pending->in);
            buf_addstr(&tap->name, pending->result.id);
            pending->result.id = text_id(&results->arena, buf_str(&tap->name));
        }
        results_add(results, &pending->result);
    }
    tap->count = 0;
}
