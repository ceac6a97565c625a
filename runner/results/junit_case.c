/* One testcase: what its elements say of it, and what they come to. */
#include "runner/results/junit.h"

#include "runner/base/utf8.h"

#include <string.h>

static struct str attribute(const char **attributes, const char *name)
{
    const char *value = junit_attribute(attributes, name);

    return value ? str_of(value) : (struct str){0};
}

/* ---- its id ---- */

/* node calls every class "test", and names what a test is part of by suites alone. */
static bool says_nothing(const struct junit *junit, struct str class)
{
    return !class.len || (junit->plain_suite && !junit->gtest && str_is(class, "test"));
}

static struct str id_of(struct junit *junit, struct str class, struct str name)
{
    struct buf id = {0};

    if (junit->gtest && class.len) {
        buf_addstr(&id, class);
        buf_addc(&id, '.');
    } else if (says_nothing(junit, class)) {
        buf_addstr(&id, buf_str(&junit->suites));
    } else if (!str_eq(class, name)) { /* ctest repeats it */
        buf_addstr(&id, class);
        buf_adds(&id, "::");
    }
    buf_addstr(&id, name);
    struct arena *arena = &junit->reader.results->arena;
    struct str text = text_id(arena, buf_str(&id));
    if (!name.len) {
        if (!junit->now.begun)
            junit_problem(junit, "this <testcase> has no name");
        text = str_of(arena_printf(arena, "#%u", junit->reader.results->count + 1));
    }
    buf_release(&id);
    return text;
}

/* ---- what it says ---- */

static bool locate(struct junit *junit, const char **attributes)
{
    struct junit_case *c = &junit->now;
    struct str file = attribute(attributes, "file");
    uint64_t line;

    if (!file.len)
        return false;
    c->file = text_id(&junit->reader.results->arena, file);
    c->line = 0;
    if (!text_number(attribute(attributes, "line"), UINT32_MAX - 1, &line))
        return false;
    c->line = (uint32_t)line;
    return true;
}

/*
 * GoogleTest says "notrun" of a test that is disabled. ctest says it of what it skips, of what it cannot start, and of
 * what lacks a fixture: which of these is told by a `skipped`.
 */
static void read_status(struct junit_case *c, const char **attributes)
{
    struct str status = attribute(attributes, "status"), result = attribute(attributes, "result");

    if (str_eq_nocase(status, str_of("notrun")) || str_eq_nocase(status, str_of("disabled")) ||
        str_eq_nocase(status, str_of("skipped")) || str_eq_nocase(result, str_of("skipped")) ||
        str_eq_nocase(result, str_of("suppressed")))
        c->skipped = true;
    c->failed = str_eq_nocase(status, str_of("fail")) || str_eq_nocase(status, str_of("failed"));
    c->error = str_eq_nocase(status, str_of("errored")) || str_eq_nocase(status, str_of("error"));
    c->blocked = str_is(status, "notrun") && !result.len;
}

/*
 * pytest opens a testcase when it begins, and writes what is known of it when it is interrupted: for the one that ran no
 * more than a time.
 */
static bool is_interrupted(const struct junit *junit, const char **attributes)
{
    return junit->pytest && !junit_attribute(attributes, "name") && !junit_attribute(attributes, "classname");
}

void junit_case_open(struct junit *junit, const char **attributes)
{
    struct junit_case *c = &junit->now;
    struct buf message = c->message;
    struct excerpt details = c->details, out = c->out, err = c->err;

    *c = (struct junit_case){.open = true, .message = message, .details = details, .out = out, .err = err};
    buf_clear(&c->message);
    excerpt_clear(&c->details);
    excerpt_clear(&c->out);
    excerpt_clear(&c->err);
    c->begun = is_interrupted(junit, attributes);
    c->id = id_of(junit, attribute(attributes, "classname"), attribute(attributes, "name"));
    c->duration = text_duration(attribute(attributes, "time"), NS_PER_S);
    if (locate(junit, attributes))
        c->line += junit->pytest; /* counts from zero there */
    read_status(c, attributes);
}

/* The first one counts; gotestsum says of everything that it has failed, and its text tells more. */
static void read_message(struct junit_case *c, const char **attributes)
{
    struct str message = attribute(attributes, "message");

    c->generic |= str_eq_nocase(message, str_of("failed"));
    if (!c->message.len && !str_eq_nocase(message, str_of("failed")))
        buf_addstr(&c->message, utf8_cut(message, 8 * RESULT_MESSAGE_MOST));
}

/* ctest: what it was told to skip has the reason in capitals, all else is words. */
static void read_skipped(struct junit_case *c, const char **attributes)
{
    struct str type = attribute(attributes, "type"), message = attribute(attributes, "message");

    c->skipped = true;
    c->xfail |= str_is(type, "pytest.xfail");
    c->todo |= str_eq_nocase(type, str_of("todo"));
    if (c->blocked && message.len) {
        c->blocked = str_starts(message, "Fixture dependency ");
        c->missing = str_starts(message, "Unable to find ");
    }
}

/*
 * pytest counts a test that passed and whose tear-down failed as two, and reports it once. What is
 * announced is one too many then. Its words tell it: its suite may be called otherwise (`junit_suite_name`).
 */
static bool is_counted_twice(const struct junit *junit, enum junit_element element, const char **attributes)
{
    struct str message = attribute(attributes, "message");

    return element == JUNIT_ERROR && !junit->now.failed &&
           (str_starts(message, "failed on teardown with ") || str_is(message, "test teardown failure"));
}

static void separate(struct excerpt *details)
{
    if (details->kept.len && details->kept.ptr[details->kept.len - 1] != '\n')
        excerpt_add(details, (struct str)STR("\n"));
}

void junit_case_element(struct junit *junit, enum junit_element element, const char **attributes)
{
    struct junit_case *c = &junit->now;

    junit->counted_twice += is_counted_twice(junit, element, attributes);
    switch (element) {
    case JUNIT_FAILURE: c->failed = true; break;
    case JUNIT_ERROR: c->error = true; break;
    case JUNIT_SKIPPED: read_skipped(c, attributes); break;
    case JUNIT_FLAKY:
    case JUNIT_RERUN: c->reruns++; break;
    default: return;
    }
    read_message(c, attributes);
    c->placed |= locate(junit, attributes);
    separate(&c->details);
}

void junit_case_text(struct junit *junit, enum junit_element element, struct str text)
{
    struct junit_case *c = &junit->now;

    switch (element) {
    case JUNIT_FAILURE:
    case JUNIT_ERROR:
    case JUNIT_SKIPPED:
    case JUNIT_FLAKY:
    case JUNIT_RERUN:
    case JUNIT_TRACE: excerpt_add(&c->details, text); break;
    case JUNIT_OUT: excerpt_add(&c->out, text); break;
    case JUNIT_ERR: excerpt_add(&c->err, text); break;
    default: break;
    }
}

/* ---- what it comes to ---- */

static enum result_verdict verdict_of(const struct junit_case *c, bool cut)
{
    if (c->todo)
        return c->failed || c->error ? RESULT_XFAILED : RESULT_XPASSED;
    if (c->error || c->missing)
        return RESULT_ERROR;
    if (c->failed)
        return RESULT_FAILED;
    if (c->xfail)
        return RESULT_XFAILED;
    if (c->blocked)
        return RESULT_NOT_RUN;
    if (c->skipped)
        return RESULT_SKIPPED;
    return cut || c->begun ? RESULT_NOT_RUN : RESULT_PASSED;
}

static void say(struct junit *junit, struct result *result, bool cut)
{
    struct arena *arena = &junit->reader.results->arena;
    struct text_place place;

    result->message = text_message(arena, buf_str(&junit->now.message));
    if (!result->message.len && junit->now.generic && text_place(result->details, &place))
        result->message = text_line(arena, place.rest, RESULT_MESSAGE_MOST);
    if (!result->message.len)
        result->message = text_message(arena, result->details);
    if (!result->message.len && junit->now.begun)
        result->message = str_of("it began, and was interrupted before its name was written");
    if (!result->message.len && cut)
        result->message = str_of("the report ends in the middle of it");
}

/*
 * The testcase says where the test begins, its failure where it went wrong: that is of use where it is in the same file,
 * or when nothing else is known.
 */
static void find_place(struct junit *junit, struct result *result)
{
    struct junit_case *c = &junit->now;
    struct text_place place;

    result->file = c->file;
    result->line = c->line;
    if (result->verdict != RESULT_FAILED && result->verdict != RESULT_ERROR)
        return;
    if (!text_place(buf_str(&c->message), &place) && !text_place(result->details, &place))
        return;
    if (!c->file.len)
        result_locate(junit->reader.results, result, place.file, place.line);
    else if (str_eq(c->file, place.file) && !c->placed)
        result->line = place.line;
}

void junit_case_close(struct junit *junit, bool cut)
{
    struct junit_case *c = &junit->now;
    struct results *results = junit->reader.results;
    struct result result = {.id = c->id, .duration = c->duration, .reruns = c->reruns, .nameless = c->begun};

    c->open = false;
    result.verdict = verdict_of(c, cut);
    if (results->count < RESULTS_MOST) {
        result.details = excerpt_take(results, &c->details, result.verdict);
        result.out = excerpt_take(results, &c->out, result.verdict);
        result.err = excerpt_take(results, &c->err, result.verdict);
        say(junit, &result, cut);
        find_place(junit, &result);
    }
    results_add(results, &result);
}

void junit_case_release(struct junit_case *c)
{
    buf_release(&c->message);
    buf_release(&c->details.kept);
    buf_release(&c->out.kept);
    buf_release(&c->err.kept);
}
