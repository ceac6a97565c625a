/*
 * Of the end of an output, the lines that say what went wrong. They are graded by what they look like; those of the highest
 * grade that there are say it, and the others may be anything.
 */
#include "runner/soak/internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define OUTPUT_MOST  ((size_t)64 << 10)
#define LINE_LONG    1000
#define TELLING_MOST 4
#define EXIT_WORDS   "exit status "

enum grade {
    GRADE_NONE,
    GRADE_ANY,       /* some line */
    GRADE_WORD,      /* it has a word for what goes wrong in it */
    GRADE_EXCEPTION, /* an exception, or a test's name behind FAILED */
    GRADE_CHECK,     /* a check that did not hold, with its place; a panic; what a sanitizer says */
};

/* What was seen in the lines before. */
struct before {
    bool said;    /* a line of the highest grade was the last but for empty ones, and goes on */
    bool failing; /* "--- FAIL" of Go: indented lines say why */
    bool panics;  /* where it happened comes later */
};

static bool has(struct str line, const char *needle)
{
    size_t at;

    return str_find(line, needle, &at);
}

static bool has_any(struct str line, const char *const *needles, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has(line, needles[i]))
            return true;
    return false;
}

static bool has_nocase(struct str line, const char *needle)
{
    size_t len = strlen(needle);

    for (size_t i = 0; i + len <= line.len; i++)
        if (!strncasecmp(line.ptr + i, needle, len))
            return true;
    return false;
}

/* ---- grades ---- */

/* "name.c:12: ": where it ends; 0: it does not begin so. */
static size_t place_end(struct str line)
{
    size_t at = 0;

    while (at < line.len && !isspace((unsigned char)line.ptr[at]) && line.ptr[at] != ':')
        at++;
    if (at + 1 >= line.len || line.ptr[at] != ':' || !isdigit((unsigned char)line.ptr[at + 1]) ||
        !memchr(line.ptr, '.', at))
        return 0;
    while (at < line.len && (line.ptr[at] == ':' || isdigit((unsigned char)line.ptr[at])))
        at++;
    return at;
}

/* "ValueError: ...", "java.lang.Exception", "AssertionError [ERR]: ..." */
static bool is_exception(struct str line)
{
    static const char *const endings[] = {"Error",     "Exception", "Failure", "Exit",
                                          "Interrupt", "Timeout",   "Expired"};
    size_t at = 0;
    struct str name;

    while (at < line.len && (isalnum((unsigned char)line.ptr[at]) || strchr("_.", line.ptr[at])) &&
           line.ptr[at])
        at++;
    if (at < line.len && line.ptr[at] != ':' && !str_starts(str_slice(line, at, line.len), " ["))
        return false;
    name = str_slice(line, 0, at);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends(name, endings[i]))
            return true;
    return str_starts(line, "Exception in thread") || str_starts(line, "Caused by: ");
}

static bool has_word(struct str line)
{
    static const char *const words[] = {
        "error",    "fail",      "fatal",     "exception",
        "assert",   "panic",     "abort",     "segmentation fault",
        "cannot",   "can't",     "could not", "unable to",
        "refused",  "timed out", "timeout",   "denied",
        "no such",  "expected",  "mismatch",  "corrupt",
        "invalid",  "killed",    "broken",    "reset by peer",
        "deadlock", "not found", "wrong",     "bad ",
    };
    static const char *const none[] = {"0 fail", "0 error", "no error", "no fail"};

    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        if (has_nocase(line, none[i]))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (has_nocase(line, words[i]))
            return true;
    return false;
}

static bool is_check(struct str line)
{
    static const char *const signs[] = {
        "Assertion `",
        "assertion `",
        "Assertion failed",
        "assertion failed",
        "panicked at",
        "Sanitizer: ",
        ": runtime error: ",
        ": error: Failure",
        "[  ERROR   ] --- ",
        "double free or corruption",
        "stack smashing detected",
        "buffer overflow detected",
        "free(): ",
        "malloc(): ",
        "corrupted size vs. prev_size",
    };

    return has_any(line, signs, ARRAY_LEN(signs)) || str_starts(line, "not ok ") ||
           str_starts(line, "panic: ") || str_starts(line, "fatal error: ");
}

/* Of a panic of Go, the place in the program: not in what Go has around it. */
static bool is_panic_place(struct str line)
{
    static const char *const around[] = {"/src/runtime/", "/src/testing/"};

    return has(line, ".go:") && has(line, " +0x") && !has_any(line, around, ARRAY_LEN(around));
}

static bool is_failure_name(struct str line)
{
    return str_starts(line, "FAILED ") || str_starts(line, "[  FAILED  ]") || str_ends(line, "... FAILED") ||
           str_starts(line, "FAIL ") || str_starts(line, "FAIL:");
}

static enum grade grade_place(struct str line, size_t end, const struct before *before)
{
    struct str rest = str_trim(str_slice(line, end, line.len));

    if (has(rest, "warning:") || has(rest, "note:"))
        return GRADE_ANY;
    return before->failing || has(str_slice(line, 0, end), "_test.go:") || str_starts(rest, "Failure") ||
                   is_exception(rest) || has_word(rest)
               ? GRADE_CHECK
               : GRADE_ANY;
}

static enum grade grade_of(struct str whole, struct before *before)
{
    struct str line = str_trim(whole);
    bool goes_on = before->said;
    size_t place;

    before->said = str_starts(whole, "E   ");
    if (before->said) /* pytest: the first says it, the others explain */
        return goes_on ? GRADE_NONE : GRADE_CHECK;
    if (str_starts(line, "--- FAIL: ")) {
        before->failing = true;
        return GRADE_CHECK;
    }
    before->failing = before->failing && whole.len && isspace((unsigned char)whole.ptr[0]);
    if (before->panics && is_panic_place(line)) {
        before->panics = false;
        return GRADE_CHECK;
    }
    if (is_check(line)) {
        before->panics = str_starts(line, "panic: ") || str_starts(line, "fatal error: ");
        return GRADE_CHECK;
    }
    place = place_end(line);
    if (place)
        return grade_place(line, place, before);
    if (is_exception(line) || is_failure_name(line))
        return GRADE_EXCEPTION;
    return has_word(line) ? GRADE_WORD : GRADE_ANY;
}

/* ---- all of them ---- */

struct telling {
    struct str lines[TELLING_MOST];
    uint32_t count;
    enum grade grade;
    struct str frame, pending; /* the last line of a Python stack: of the exception; so far */
};

/* Of checks the first, of others the last: what went wrong once may go wrong in many ways afterwards. */
static void take_line(struct telling *t, struct str line, enum grade grade)
{
    if (grade < t->grade || grade == GRADE_NONE)
        return;
    if (grade > t->grade || grade != GRADE_CHECK)
        t->count = 0;
    t->grade = grade;
    if (t->count < TELLING_MOST)
        t->lines[t->count++] = line;
    if (grade == GRADE_EXCEPTION) {
        t->frame = t->pending;
        t->pending = (struct str){NULL, 0};
    }
}

static void look_at(struct telling *t, struct str whole, struct before *before)
{
    struct str line = str_trim(whole);

    if (line.len > LINE_LONG)
        line = str_slice(line, 0, LINE_LONG);
    if (str_starts(line, "File \"") && has(line, ", line ")) {
        t->pending = line;
        return;
    }
    if (line.len)
        take_line(t, line, grade_of(whole, before));
}

static bool next_line(struct str *text, struct str *line)
{
    const char *end;

    if (!text->len)
        return false;
    end = memchr(text->ptr, '\n', text->len);
    *line = str_slice(*text, 0, end ? (size_t)(end - text->ptr) : text->len);
    *text = str_slice(*text, end ? line->len + 1 : text->len, text->len);
    return true;
}

/* Without colours, which stand in the middle of what lines are known by. */
static void plain_text(struct str output, struct buf *out)
{
    struct str text =
        output.len > OUTPUT_MOST ? str_slice(output, output.len - OUTPUT_MOST, output.len) : output;

    buf_reserve(out, text.len);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\x1b' && i + 1 < text.len && text.ptr[i + 1] == '[') {
            for (i += 2; i < text.len && !(text.ptr[i] >= '@' && text.ptr[i] <= '~');)
                i++;
        } else if (text.ptr[i] != '\r' && text.ptr[i] != '\0') {
            buf_addc(out, text.ptr[i]);
        }
    }
}

static void look_through(struct str plain, struct telling *t)
{
    struct before before = {0};
    struct str line;

    *t = (struct telling){0};
    while (next_line(&plain, &line))
        look_at(t, line, &before);
    if (t->grade == GRADE_EXCEPTION && t->frame.len && t->count < TELLING_MOST)
        t->lines[t->count++] = t->frame;
}

void soak_telling_line(struct str output, struct buf *out)
{
    struct buf plain = {0};
    struct telling t;

    plain_text(output, &plain);
    look_through(buf_str(&plain), &t);
    if (t.count)
        buf_addstr(out, t.lines[0]);
    buf_release(&plain);
}

/* ---- signatures ---- */

/* What a grade of lines at least must be, so that they say more than they confuse. */
static enum grade least_grade(const struct soak_outcome *outcome)
{
    switch (outcome->verdict) {
    case VERDICT_TIMEOUT:
        return outcome->place.len ? GRADE_CHECK + 1
                                  : GRADE_EXCEPTION; /* where it hangs is all there is to say */
    case VERDICT_LEAKED:
    case VERDICT_OOM:
    case VERDICT_OUTPUT_LIMIT:
    case VERDICT_ABANDONED:
    case VERDICT_LOST: return GRADE_CHECK + 1;
    case VERDICT_FAILED: return outcome->place.len ? GRADE_CHECK : GRADE_ANY;
    default: return outcome->place.len ? GRADE_CHECK : GRADE_WORD;
    }
}

static void add_lines(const struct telling *t, struct buf *out)
{
    for (uint32_t i = 0; i < t->count; i++) {
        size_t begin = out->len;

        normalise(t->lines[i], out);
        buf_addc(out, '\n');
        /* Said twice it is not another failure. */
        if (i && out->len - begin > 1 && memmem(out->ptr, begin, out->ptr + begin, out->len - begin))
            out->len = begin;
    }
}

/* A number in our own words is no noise: an exit status is all that a silent test says. */
static void add_reason(struct str reason, struct buf *out)
{
    if (str_starts(reason, EXIT_WORDS)) {
        size_t own = strlen(EXIT_WORDS);

        while (own < reason.len && isdigit((unsigned char)reason.ptr[own]))
            own++;
        buf_add(out, reason.ptr, own);
        reason = str_slice(reason, own, reason.len);
    }
    normalise(reason, out);
}

void soak_signature(const struct soak_outcome *outcome, struct buf *out)
{
    struct buf plain = {0};
    struct telling t;

    buf_adds(out, verdict_word(outcome->verdict));
    buf_addc(out, '\n');
    add_reason(outcome->reason, out);
    buf_addc(out, '\n');
    normalise(outcome->place, out);
    buf_addc(out, '\n');
    plain_text(outcome->output, &plain);
    look_through(buf_str(&plain), &t);
    if (t.grade >= least_grade(outcome))
        add_lines(&t, out);
    buf_release(&plain);
}
