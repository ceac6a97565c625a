/* One line: an object of texts and numbers. */
#include "runner/said/internal.h"

#include "runner/base/json.h"
#include "runner/base/mem.h"

#include <string.h>

const char *const said_kind_words[SAID_KIND_COUNT] = {
#define X(id, word) [id] = word,
    SAID_KINDS(X)
#undef X
};

const char *const said_phase_words[SAID_PHASE_COUNT] = {
#define X(id, word) [id] = word,
    SAID_PHASES(X)
#undef X
};

/* ---- values ---- */

static bool take_kind(struct said_raw *raw, struct str word)
{
    for (int kind = 0; kind < SAID_KIND_COUNT; kind++)
        if (str_is(word, said_kind_words[kind])) {
            raw->kind = (enum said_kind)kind;
            return true;
        }
    return false;
}

static void take_phase(struct said_raw *raw, struct str word)
{
    for (int phase = SAID_SETUP; phase < SAID_PHASE_COUNT; phase++)
        if (str_is(word, said_phase_words[phase]))
            raw->phase = (enum said_phase)phase;
}

static void take_text(struct said_raw *raw, struct str key, struct str text)
{
    const struct {
        const char *key;
        struct buf *into;
    } texts[] = {{"file", &raw->file}, {"words", &raw->words}, {"of", &raw->of}, {"timeout", &raw->timeout}};

    if (str_is(key, "said"))
        raw->known = take_kind(raw, text);
    else if (str_is(key, "phase"))
        take_phase(raw, text);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_is(key, texts[i].key)) {
            buf_clear(texts[i].into);
            buf_addstr(texts[i].into, text);
        }
}

/* What no such thing can be is not known: infinities, fractions of them, and what is not a number at all. */
static int64_t as_integer(double number, double most)
{
    return number >= 0 && number <= most ? (int64_t)number : 0;
}

static void take_number(struct said_raw *raw, struct str key, double number)
{
    if (str_is(key, "line"))
        raw->line = (uint32_t)as_integer(number, 1e9);
    else if (str_is(key, "pid"))
        raw->pid = as_integer(number, 1e9);
    else if (str_is(key, "at"))
        raw->at = as_integer(number, 9e18);
}

/* ---- the line ---- */

static void begin(struct said_raw *raw)
{
    buf_clear(&raw->file);
    buf_clear(&raw->words);
    buf_clear(&raw->of);
    buf_clear(&raw->timeout);
    raw->known = false;
    raw->phase = SAID_NO_PHASE;
    raw->line = 0;
    raw->pid = raw->at = 0;
}

/* Nothing of ours is nested: what is, is none. */
static bool read_pairs(struct json_reader *json, struct said_raw *raw)
{
    enum json_token token;

    while ((token = json_next(json)) == JSON_KEY) {
        buf_clear(&raw->key);
        buf_addstr(&raw->key, json->text);
        token = json_next(json);
        if (token == JSON_STRING)
            take_text(raw, buf_str(&raw->key), json->text);
        else if (token == JSON_NUMBER)
            take_number(raw, buf_str(&raw->key), json->number);
        else
            return false;
    }
    return token == JSON_OBJECT_END && json_next(json) == JSON_END;
}

bool said_line_read(struct said_raw *raw, struct str text)
{
    struct json_reader json = {.input = text};
    bool ok;

    begin(raw);
    ok = text.len <= SAID_LINE_MOST && json_next(&json) == JSON_OBJECT && read_pairs(&json, raw);
    json_reader_release(&json);
    return ok && raw->known;
}

void said_raw_release(struct said_raw *raw)
{
    buf_release(&raw->key);
    buf_release(&raw->file);
    buf_release(&raw->words);
    buf_release(&raw->of);
    buf_release(&raw->timeout);
}

bool said_next_line(struct str *text, struct str *line)
{
    size_t at;

    if (!str_find(*text, "\n", &at))
        return false;
    *line = str_slice(*text, 0, at);
    *text = str_slice(*text, at + 1, text->len);
    return true;
}
