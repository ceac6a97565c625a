/*
 * What nobody may read does not get on disk: it is taken out of the record that is about to be written. So every report,
 * also one that is made years later, is without it, and whoever adds to a record need not think of it.
 */
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <stdlib.h>
#include <string.h>

struct hiding {
    struct mask *mask;
    struct arena *scratch;
    struct str line;
    size_t at;
    struct buf out;
    int depth;
    int cell;    /* depth of the values of a cell, 0: this is none; all of them are text from users */
    bool result; /* of a process's own tests: its id is text too */
    bool plain;  /* the key before says that what follows is a word of ours */
};

/* Words that are read back as what they are, and names of files that are there. The id of a run is at depth 1. */
static bool is_ours(const struct hiding *h, struct str key)
{
    static const char *const ours[] = {"ev",          "verdict", "outcome", "kind", "signal", "target",
                                       "containment", "version", "digest",  "path", "report"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (str_is(key, ours[i]))
            return true;
    return !h->result && h->depth == 1 && str_is(key, "id");
}

/* The string that begins here, with its quotes. */
static struct str string_at(const struct hiding *h)
{
    size_t end = h->at + 1;

    while (end < h->line.len && h->line.ptr[end] != '"')
        end += h->line.ptr[end] == '\\' ? 2 : 1;
    return str_slice(h->line, h->at, end + 1);
}

static bool is_key(const struct hiding *h, struct str quoted)
{
    size_t after = h->at + quoted.len;

    return after < h->line.len && h->line.ptr[after] == ':';
}

static void add_text(struct hiding *h, struct str quoted)
{
    struct json_reader reader = {.input = quoted};
    struct str shown;

    json_next(&reader);
    shown = mask_in(h->mask, h->scratch, reader.text);
    if (shown.ptr == reader.text.ptr)
        buf_addstr(&h->out, quoted);
    else
        json_quote(&h->out, shown);
    json_reader_release(&reader);
}

static void take_string(struct hiding *h)
{
    struct str quoted = string_at(h);
    bool key = is_key(h, quoted);

    if (key && !h->cell) {
        struct str name = str_slice(quoted, 1, quoted.len - 1);

        h->plain = is_ours(h, name);
        if (str_is(name, "cell"))
            h->cell = h->depth + 1;
    }
    if (key || (h->plain && !h->cell))
        buf_addstr(&h->out, quoted);
    else
        add_text(h, quoted);
    h->at += quoted.len;
}

/* A number of a cell is what its user wrote. */
static void take_number(struct hiding *h)
{
    size_t end = h->at;
    struct str number, shown;

    while (end < h->line.len && !strchr(",]}", h->line.ptr[end]))
        end++;
    number = str_slice(h->line, h->at, end);
    shown = h->cell ? mask_in(h->mask, h->scratch, number) : number;
    if (shown.ptr == number.ptr)
        buf_addstr(&h->out, number);
    else
        json_quote(&h->out, shown);
    h->at = end;
}

static void take_mark(struct hiding *h, char c)
{
    if (c == '{' || c == '[')
        h->depth++;
    if ((c == '}' || c == ']') && --h->depth < h->cell)
        h->cell = 0;
    buf_addc(&h->out, c);
    h->at++;
}

void line_take_out(struct mask *mask, struct buf *line, bool result)
{
    struct arena scratch = {0};
    struct hiding h = {.mask = mask, .scratch = &scratch, .line = buf_str(line), .result = result};

    if (mask_is_empty(mask))
        return;
    while (h.at < h.line.len) {
        char c = h.line.ptr[h.at];

        if (c == '"')
            take_string(&h);
        else if (strchr("{}[],:", c))
            take_mark(&h, c);
        else
            take_number(&h);
    }
    buf_release(line);
    *line = h.out;
    arena_release(&scratch);
}

void journal_mask(struct journal *journal, struct mask *mask)
{
    journal->mask = mask;
}
