#include "runner/results/internal.h"

#include "runner/base/decimal.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"

#include <ctype.h>
#include <string.h>

/* ---- excerpts ---- */

#define HALF (RESULT_TEXT_MOST / 2)

/* The last HALF bytes move up to the first; so what is kept does not depend on how the text came. */
static void squeeze(struct excerpt *excerpt)
{
    struct buf *kept = &excerpt->kept;
    size_t drop = kept->len - RESULT_TEXT_MOST;

    memmove(kept->ptr + HALF, kept->ptr + HALF + drop, HALF);
    kept->len = RESULT_TEXT_MOST;
    excerpt->dropped += drop;
}

void excerpt_add(struct excerpt *excerpt, struct str text)
{
    while (text.len) {
        size_t len = text.len < RESULT_TEXT_MOST ? text.len : RESULT_TEXT_MOST;

        buf_add(&excerpt->kept, text.ptr, len);
        if (excerpt->kept.len > 2 * RESULT_TEXT_MOST)
            squeeze(excerpt);
        text = str_slice(text, len, text.len);
    }
}

void excerpt_clear(struct excerpt *excerpt)
{
    buf_clear(&excerpt->kept);
    excerpt->dropped = 0;
}

/* A text whose middle is missing, with a word about it, and no character cut in two. */
static struct str join_halves(struct arena *arena, const struct excerpt *excerpt)
{
    struct str head = utf8_cut((struct str){excerpt->kept.ptr, RESULT_TEXT_MOST}, HALF);
    struct str tail = {excerpt->kept.ptr + HALF, HALF};
    uint64_t dropped = excerpt->dropped + HALF - head.len;

    for (int i = 0; i < 3 && ((unsigned char)tail.ptr[0] & 0xC0) == 0x80; i++, dropped++)
        tail = str_slice(tail, 1, tail.len);
    struct buf whole = {0};
    buf_addstr(&whole, head);
    buf_addf(&whole, "\n[%llu bytes left out]\n", (unsigned long long)dropped);
    buf_addstr(&whole, tail);
    struct str text = arena_str(arena, buf_str(&whole));
    buf_release(&whole);
    return text;
}

struct str excerpt_take(struct results *results, struct excerpt *excerpt, enum result_verdict verdict)
{
    size_t *left = verdict == RESULT_PASSED ? &results->passed_text_left : &results->text_left;
    struct str text = {0};

    if (excerpt->kept.len > RESULT_TEXT_MOST)
        squeeze(excerpt);
    if (excerpt->kept.len && excerpt->kept.len > *left)
        text = (struct str)STR("[left out: the report has too much text]");
    else if (excerpt->dropped)
        text = join_halves(&results->arena, excerpt);
    else if (excerpt->kept.len)
        text = arena_str(&results->arena, buf_str(&excerpt->kept));
    if (excerpt->kept.len <= *left)
        *left -= excerpt->kept.len;
    excerpt_clear(excerpt);
    return text;
}

/* ---- lines ---- */

struct str text_line(struct arena *arena, struct str text, size_t most)
{
    struct buf flat = {0}, shown = {0};
    struct str line = {0};

    text = str_trim(text);
    for (size_t i = 0; i < text.len && flat.len <= most; i++) {
        bool blank = isspace((unsigned char)text.ptr[i]);

        if (!blank || flat.ptr[flat.len - 1] != ' ') /* trimmed: the first is none */
            buf_addc(&flat, blank ? ' ' : text.ptr[i]);
    }
    utf8_show(&shown, utf8_cut(buf_str(&flat), most));
    if (shown.len)
        line = arena_str(arena, utf8_cut(buf_str(&shown), most));
    buf_release(&flat);
    buf_release(&shown);
    return line;
}

struct str text_id(struct arena *arena, struct str text)
{
    struct buf shown = {0};
    struct str id = {0};

    utf8_show(&shown, utf8_cut(str_trim(text), RESULT_ID_MOST));
    if (shown.len)
        id = arena_str(arena, utf8_cut(buf_str(&shown), RESULT_ID_MOST));
    buf_release(&shown);
    return id;
}

bool text_next_line(struct str *text, struct str *line)
{
    const char *newline = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    size_t len = newline ? (size_t)(newline - text->ptr) : text->len;

    if (!text->len)
        return false;
    *line = str_slice(*text, 0, len);
    *text = str_slice(*text, newline ? len + 1 : len, text->len);
    return true;
}

/* ---- numbers ---- */

bool text_number(struct str text, uint64_t most, uint64_t *number)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit((unsigned char)text.ptr[i]))
            return false;
        sum = sum >= most / 10 + 1 ? most : sum * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *number = sum < most ? sum : most;
    return text.len > 0;
}

static const struct {
    const char *word;
    double ns;
} units[] = {{"s", 1e9},      {"sec", 1e9},  {"secs", 1e9},         {"seconds", 1e9},
             {"second", 1e9}, {"ms", 1e6},   {"us", 1e3},           {"\xC2\xB5s", 1e3},
             {"ns", 1},       {"msec", 1e6}, {"milliseconds", 1e6}, {"m", 6e10},
             {"min", 6e10}};

static bool unit_of(struct str word, double *ns)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(word, units[i].word)) {
            *ns = units[i].ns;
            return true;
        }
    return false;
}

/* The number a text begins with, without the commas that surefire puts in: how many bytes of the text it is. */
static size_t number_at(struct str text, double *number)
{
    char digits[64];
    size_t at = 0, len = 0;

    while (at < text.len && len < sizeof digits - 1) {
        char c = text.ptr[at];
        bool exponent = len && (c == 'e' || c == 'E') && at + 1 < text.len;
        bool sign = (c == '+' || c == '-') && len && tolower((unsigned char)digits[len - 1]) == 'e';

        if (!isdigit((unsigned char)c) && c != '.' && c != ',' && !exponent && !sign)
            break;
        if (c != ',')
            digits[len++] = c;
        at++;
    }
    digits[len] = '\0';
    *number = len && (isdigit((unsigned char)digits[0]) || digits[0] == '.') ? decimal_read(digits) : -1;
    return at;
}

nanos text_duration(struct str text, nanos unit)
{
    double number, ns = (double)unit;
    size_t len;
    nanos span;

    text = str_trim(text);
    len = number_at(text, &number);
    if (number < 0 || len == 0)
        return -1;
    struct str word = str_trim(str_slice(text, len, text.len));
    if (word.len && !unit_of(word, &ns))
        return span_parse(text, &span) ? span : -1;
    return number * ns < 3e17 ? (nanos)(number * ns + 0.5) : -1; /* ten years, and what is NaN */
}
