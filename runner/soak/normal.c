/*
 * A line without what differs from one failure to the next: numbers, times, addresses, names of temporary files. Where something
 * stands in a source is kept: that is what tells two failures apart.
 */
#include "runner/soak/internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LINE_MOST    200 /* of what comes out */
#define INPUT_MOST   4096
#define HEX_LEAST    8  /* shorter ones may be words */
#define RANDOM_LEAST 16 /* letters and digits mixed, and so long, are no word */
#define NUMBER       '#'

struct normal {
    struct str in;
    size_t at;
    struct buf *out;
    size_t begin; /* of the line in `out` */
};

static char peek(const struct normal *n, size_t ahead)
{
    return n->at + ahead < n->in.len ? n->in.ptr[n->at + ahead] : '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(char c)
{
    return is_digit(c) || is_letter(c) || c == '_';
}

static struct str written(const struct normal *n)
{
    return (struct str){n->out->ptr + n->begin, n->out->len - n->begin};
}

static char last(const struct normal *n, size_t back)
{
    struct str line = written(n);

    return line.len > back ? line.ptr[line.len - 1 - back] : '\0';
}

static void drop(struct normal *n, size_t count)
{
    n->out->len -= count;
    n->out->ptr[n->out->len] = '\0';
}

/* Signs, and numbers that follow one another, are one. */
static void add_number(struct normal *n)
{
    if ((last(n, 0) == '-' || last(n, 0) == '+') && !is_word(last(n, 1)))
        drop(n, 1);
    if (last(n, 0) == ' ' && last(n, 1) == NUMBER)
        drop(n, 1);
    if (last(n, 0) != NUMBER)
        buf_addc(n->out, NUMBER);
}

/* ---- what is no text ---- */

static void skip_escape(struct normal *n)
{
    char kind = peek(n, 1);

    n->at += 2;
    if (kind == '[')
        while (n->at < n->in.len && !(peek(n, 0) >= '@' && peek(n, 0) <= '~'))
            n->at++;
    else if (kind == ']')
        while (n->at < n->in.len && peek(n, 0) != '\a' && peek(n, 0) != '\x1b')
            n->at++;
    else
        return;
    n->at++;
}

static void add_space(struct normal *n)
{
    n->at++;
    if (written(n).len && last(n, 0) != ' ')
        buf_addc(n->out, ' ');
}

/* ---- places in sources: their numbers stay ---- */

static bool ends_in_source(struct str text)
{
    static const char *const endings[] = {
        "c",    "h",   "cc",  "cpp",   "cxx", "hh",  "hpp",  "hxx", "py",    "pyx", "rs",
        "go",   "js",  "mjs", "ts",    "tsx", "jsx", "java", "kt",  "scala", "rb",  "sh",
        "bats", "pl",  "lua", "swift", "m",   "mm",  "zig",  "nim", "cs",    "fs",  "ml",
        "hs",   "erl", "ex",  "exs",   "php", "S",   "yaml", "yml", "t",
    };
    size_t dot = text.len;

    while (dot > 0 && is_word(text.ptr[dot - 1]))
        dot--;
    if (!dot || text.ptr[dot - 1] != '.')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_is(str_slice(text, dot, text.len), endings[i]))
            return true;
    return false;
}

static bool is_line_number(const struct normal *n)
{
    struct str line = written(n);

    if (str_ends(line, "\", line ") || str_ends(line, ": line "))
        return true;
    return line.len && str_ends(line, ":") && ends_in_source(str_slice(line, 0, line.len - 1));
}

/* "12", "12:3" */
static void copy_place(struct normal *n)
{
    while (is_digit(peek(n, 0)) || (peek(n, 0) == ':' && is_digit(peek(n, 1)))) {
        buf_addc(n->out, peek(n, 0));
        n->at++;
    }
}

/* ---- numbers ---- */

static bool is_unit(struct str word)
{
    static const char *const units[] = {"ns",   "us", "ms",  "s",   "sec", "secs", "m",  "min",
                                        "mins", "h",  "d",   "k",   "M",   "B",    "kB", "KB",
                                        "MB",   "GB", "KiB", "MiB", "GiB", "Z"};

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(word, units[i]))
            return true;
    return false;
}

static bool is_time_unit(struct str word)
{
    static const char *const units[] = {"ns",     "us",      "ms",           "s",      "sec",     "secs",
                                        "second", "seconds", "milliseconds", "minute", "minutes", "hour",
                                        "hours"};

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (str_is(word, units[i]))
            return true;
    return false;
}

static struct str letters_at(const struct normal *n, size_t from)
{
    size_t to = from;

    while (to < n->in.len && is_letter(n->in.ptr[to]))
        to++;
    return str_slice(n->in, from, to);
}

static bool ends_word(const struct normal *n, size_t at)
{
    return at >= n->in.len || !is_word(n->in.ptr[at]);
}

static bool is_one_of(char c, const char *characters)
{
    return c && strchr(characters, c);
}

/* "12", "1,234.5", "1e-9", "2026-11-22T08:40:35", "127.0.0.1:8080" */
static void skip_digits(struct normal *n)
{
    for (;;)
        if (is_digit(peek(n, 0)))
            n->at++;
        else if (is_one_of(peek(n, 0), ".,:/-_TeE") && is_digit(peek(n, 1)))
            n->at += 2;
        else if (is_one_of(peek(n, 0), "eE") && is_one_of(peek(n, 1), "+-") && is_digit(peek(n, 2)))
            n->at += 3;
        else
            break;
}

/* "ms", " seconds", and "1m30s" goes on behind its first. */
static void skip_units(struct normal *n)
{
    for (;;) {
        struct str unit = letters_at(n, n->at);

        if (!unit.len || !is_unit(unit))
            break;
        if (!ends_word(n, n->at + unit.len) && !is_digit(peek(n, unit.len)))
            break;
        n->at += unit.len;
        if (!is_digit(peek(n, 0)))
            break;
        skip_digits(n);
    }
    if (peek(n, 0) == ' ') {
        struct str unit = letters_at(n, n->at + 1);

        if (is_time_unit(unit) && ends_word(n, n->at + 1 + unit.len))
            n->at += 1 + unit.len;
    }
}

static void take_number(struct normal *n)
{
    if (is_line_number(n)) {
        copy_place(n);
        return;
    }
    skip_digits(n);
    skip_units(n);
    add_number(n);
}

/* ---- words ---- */

struct looks {
    size_t digits, letters, others; /* the last: no hex digits */
};

static struct looks look_at(struct str word)
{
    struct looks looks = {0};

    for (size_t i = 0; i < word.len; i++) {
        looks.digits += is_digit(word.ptr[i]);
        looks.letters += is_letter(word.ptr[i]);
        looks.others += !isxdigit((unsigned char)word.ptr[i]);
    }
    return looks;
}

static bool is_hex(struct str word)
{
    struct looks looks = look_at(word);

    if (word.len > 2 && word.ptr[0] == '0' && (word.ptr[1] == 'x' || word.ptr[1] == 'X'))
        return look_at(str_slice(word, 2, word.len)).others == 0;
    return word.len >= HEX_LEAST && !looks.others && looks.digits && looks.letters;
}

static bool is_random(struct str word)
{
    struct looks looks = look_at(word);

    return word.len >= RANDOM_LEAST && looks.digits >= 3 && looks.digits + looks.letters == word.len;
}

/* "Sun", "Nov" before a number, or before one of these. */
static bool is_of_date(struct str word)
{
    static const char names[] = "Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec";

    for (size_t i = 0; word.len == 3 && i < sizeof names - 1; i += 4)
        if (!memcmp(names + i, word.ptr, 3))
            return true;
    return false;
}

/* The parts of a UUID that follow its first; as many bytes. */
static size_t uuid_rest(const struct normal *n, size_t at)
{
    static const size_t parts[] = {4, 4, 4, 12};
    size_t begin = at;

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (at >= n->in.len || n->in.ptr[at++] != '-')
            return 0;
        for (size_t k = 0; k < parts[i]; k++)
            if (at >= n->in.len || !isxdigit((unsigned char)n->in.ptr[at++]))
                return 0;
    }
    return ends_word(n, at) ? at - begin : 0;
}

/* Up to two digits may be of a name: "int32", "test_2". */
static void add_name(struct normal *n, struct str word)
{
    for (size_t i = 0; i < word.len;) {
        size_t end = i;

        while (end < word.len && is_digit(word.ptr[end]))
            end++;
        if (end - i > 2)
            buf_addc(n->out, NUMBER);
        else
            buf_add(n->out, word.ptr + i, end > i ? end - i : 1);
        i = end > i ? end : i + 1;
    }
}

static void take_word(struct normal *n)
{
    size_t end = n->at, rest;
    struct str word;

    while (end < n->in.len && is_word(n->in.ptr[end]))
        end++;
    word = str_slice(n->in, n->at, end);
    rest = word.len == 8 && !look_at(word).others ? uuid_rest(n, end) : 0;
    if (rest || is_hex(word) || is_random(word) ||
        (is_of_date(word) && end + 1 < n->in.len && n->in.ptr[end] == ' ' &&
         (is_digit(n->in.ptr[end + 1]) || n->in.ptr[end + 1] == ' ' ||
          is_of_date(str_slice(n->in, end + 1, end + 4 < n->in.len ? end + 4 : n->in.len))))) {
        n->at = end + rest;
        add_number(n);
    } else if (is_digit(word.ptr[0])) {
        take_number(n);
    } else {
        n->at = end;
        add_name(n, word);
    }
}

/* ---- temporary files: those of a test are called otherwise each time ---- */

static size_t temporary_at(const struct normal *n)
{
    static const char *const places[] = {"/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/private/tmp/"};

    for (size_t i = 0; i < ARRAY_LEN(places); i++)
        if (str_starts(str_slice(n->in, n->at, n->in.len), places[i]))
            return strlen(places[i]);
    return 0;
}

static bool take_temporary(struct normal *n)
{
    size_t end = n->at + temporary_at(n), name = n->at;

    if (end == n->at || is_word(last(n, 0)) || last(n, 0) == '/')
        return false;
    while (end < n->in.len && (unsigned char)n->in.ptr[end] > ' ' &&
           !strchr("'\"`,;:()<>[]{}|", n->in.ptr[end]))
        end++;
    for (size_t i = n->at; i < end; i++)
        if (n->in.ptr[i] == '/')
            name = i + 1;
    if (ends_in_source(str_slice(n->in, name, end)))
        buf_addstr(n->out, str_slice(n->in, name, end));
    else
        buf_adds(n->out, "<tmp>");
    n->at = end;
    return true;
}

/* ---- all of it ---- */

void normalise(struct str line, struct buf *out)
{
    struct normal n = {.in = {line.ptr, line.len < INPUT_MOST ? line.len : INPUT_MOST}, .out = out};

    buf_reserve(out, LINE_MOST);
    out->ptr[out->len] = '\0';
    n.begin = out->len;
    while (n.at < n.in.len && out->len - n.begin < LINE_MOST) {
        char c = peek(&n, 0);

        if (c == '\x1b')
            skip_escape(&n);
        else if ((unsigned char)c <= ' ' || c == 0x7f)
            add_space(&n);
        else if (c == '/' && take_temporary(&n))
            continue;
        else if (is_word(c))
            take_word(&n);
        else
            buf_addc(out, n.in.ptr[n.at++]);
    }
    while (written(&n).len && last(&n, 0) == ' ')
        drop(&n, 1);
}
