/*
 * -k and -m: pytest's grammar, with the further characters that our ids have.
 *
 *   or:      and ('or' and)*
 *   and:     operand ('and' operand)*
 *   operand: 'not' operand | '(' or ')' | WORD
 */
#include "matrix/select/internal.h"
#include "runner/base/id.h"
#include "runner/base/utf8.h"

#include <string.h>

#define DEPTH_MOST 100 /* brackets in brackets */

/* Of ASCII, beside letters and digits: what stands in ids of pytest, then what stands in ours. */
#define WORD_SIGNS \
    "_:+-.[]\\/"   \
    "@=,%"

enum keyword_kind { KEYWORD_WORD, KEYWORD_AND, KEYWORD_OR };

struct keyword {
    struct keyword *next; /* beside it, in the `and` or `or` above */
    enum keyword_kind kind;
    bool negated;
    enum keyword_use use;
    struct str word;          /* of ANYWHERE: in lower case */
    struct pattern *unicode;  /* the word when it has more than ASCII in it */
    struct keyword *operands; /* of AND and OR */
};

/* ---- words and signs ---- */

enum token { TOKEN_END, TOKEN_WORD, TOKEN_NOT, TOKEN_AND, TOKEN_OR, TOKEN_OPEN, TOKEN_CLOSE };

struct parser {
    const struct select_text *in;
    enum keyword_use use;
    struct pattern *letter; /* of any script */
    enum token token;
    size_t at, end; /* of the token */
};

static enum token word_token(struct str word)
{
    static const struct {
        const char *word;
        enum token token;
    } operators[] = {{"not", TOKEN_NOT}, {"and", TOKEN_AND}, {"or", TOKEN_OR}};

    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (str_is(word, operators[i].word))
            return operators[i].token;
    }
    return TOKEN_WORD;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(const struct parser *p, struct str character)
{
    char c = character.ptr[0];

    if (character.len > 1)
        return pattern_search(p->letter, character, 0) == PATTERN_YES;
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || (c && strchr(WORD_SIGNS, c));
}

/* The character at `at`; a byte that belongs to none stands alone. */
static struct str character_at(struct str text, size_t at)
{
    size_t length = utf8_length(str_slice(text, at, text.len));

    return str_slice(text, at, at + (length ? length : 1));
}

static bool next_word(struct parser *p)
{
    struct str text = p->in->text, character = {0};

    for (p->end = p->at; p->end < text.len; p->end += character.len) {
        character = character_at(text, p->end);
        if (!is_letter(p, character))
            break;
    }
    if (p->end == p->at) {
        select_error(p->in, p->at, "unexpected character '%.*s'", STR_ARG(character));
        return false;
    }
    p->token = word_token(str_slice(text, p->at, p->end));
    return true;
}

static bool next_token(struct parser *p)
{
    struct str text = p->in->text;

    for (p->at = p->end; p->at < text.len; p->at++) {
        if (text.ptr[p->at] != ' ' && text.ptr[p->at] != '\t')
            break;
    }
    p->end = p->at + 1;
    if (p->at == text.len) {
        p->token = TOKEN_END;
        p->end = p->at;
    } else if (text.ptr[p->at] == '(') {
        p->token = TOKEN_OPEN;
    } else if (text.ptr[p->at] == ')') {
        p->token = TOKEN_CLOSE;
    } else {
        return next_word(p);
    }
    return true;
}

static void unexpected(const struct parser *p, const char *expected)
{
    if (p->token == TOKEN_END)
        select_error(p->in, p->at, "expected %s, found the end", expected);
    else
        select_error(p->in, p->at, "expected %s, found '%.*s'", expected,
                     STR_ARG(select_shown(str_slice(p->in->text, p->at, p->end))));
}

/* ---- parsing ---- */

static struct keyword *parse_chain(struct parser *p, enum token joiner, int depth);

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80)
            return false;
    }
    return true;
}

static struct str lower_copy(struct arena *arena, struct str text)
{
    char *copy = arena_alloc(arena, text.len);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = lower(text.ptr[i]);
    return (struct str){copy, text.len};
}

static struct keyword *parse_word(struct parser *p)
{
    struct keyword *keyword = ARENA_NEW(p->in->arena, struct keyword);
    struct str word = str_slice(p->in->text, p->at, p->end);
    size_t at = p->at;

    keyword->use = p->use;
    if (p->use == KEYWORD_MARK)
        keyword->word = arena_str(p->in->arena, word);
    else
        keyword->word = lower_copy(p->in->arena, word);
    if (p->use == KEYWORD_ANYWHERE && !is_ascii(word)) {
        keyword->unicode = select_pattern(p->in, at, word, PATTERN_LITERAL | PATTERN_NOCASE);
        if (!keyword->unicode)
            return NULL;
    }
    if (!next_token(p))
        return NULL;
    if (p->token == TOKEN_OPEN) {
        select_error(p->in, p->at, "found '(' after a word: marks take no arguments here");
        return NULL;
    }
    return keyword;
}

static struct keyword *parse_brackets(struct parser *p, int depth)
{
    struct keyword *keyword;

    if (depth == DEPTH_MOST) {
        select_error(p->in, p->at, "brackets are nested more than %d deep", DEPTH_MOST);
        return NULL;
    }
    if (!next_token(p))
        return NULL;
    keyword = parse_chain(p, TOKEN_OR, depth + 1);
    if (!keyword)
        return NULL;
    if (p->token != TOKEN_CLOSE) {
        unexpected(p, "')', 'and' or 'or'");
        return NULL;
    }
    return next_token(p) ? keyword : NULL;
}

static struct keyword *parse_operand(struct parser *p, int depth)
{
    struct keyword *keyword = NULL;
    bool negated = false;

    while (p->token == TOKEN_NOT) {
        negated = !negated;
        if (!next_token(p))
            return NULL;
    }
    if (p->token == TOKEN_WORD)
        keyword = parse_word(p);
    else if (p->token == TOKEN_OPEN)
        keyword = parse_brackets(p, depth);
    else
        unexpected(p, "'not', '(' or a word");
    if (keyword && negated)
        keyword->negated = !keyword->negated;
    return keyword;
}

/* Operands side by side, however many: only brackets make it deeper. */
static struct keyword *parse_chain(struct parser *p, enum token joiner, int depth)
{
    struct keyword *first = NULL, **end = &first, *chain;

    for (;;) {
        *end = joiner == TOKEN_OR ? parse_chain(p, TOKEN_AND, depth) : parse_operand(p, depth);
        if (!*end)
            return NULL;
        end = &(*end)->next;
        if (p->token != joiner)
            break;
        if (!next_token(p))
            return NULL;
    }
    if (!first->next)
        return first;
    chain = ARENA_NEW(p->in->arena, struct keyword);
    chain->kind = joiner == TOKEN_OR ? KEYWORD_OR : KEYWORD_AND;
    chain->operands = first;
    return chain;
}

struct keyword *keyword_parse(const struct select_text *in, enum keyword_use use)
{
    struct pattern_error none;
    struct parser p = {.in = in, .use = use};
    struct keyword *keyword = NULL;

    p.letter = pattern_compile((struct str)STR("[\\p{L}\\p{N}]"), PATTERN_ANCHORED, &none);
    if (next_token(&p))
        keyword = parse_chain(&p, TOKEN_OR, 0);
    if (keyword && p.token != TOKEN_END) {
        unexpected(&p, "'and', 'or' or the end");
        keyword = NULL;
    }
    pattern_free(p.letter);
    return keyword;
}

/* ---- matching ---- */

static bool holds_nocase(struct str text, struct str word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        size_t same = 0;

        while (same < word.len && lower(text.ptr[i + same]) == word.ptr[same])
            same++;
        if (same == word.len)
            return true;
    }
    return false;
}

static enum select_answer holds(const struct keyword *k, struct str text)
{
    if (k->unicode)
        return select_search(k->unicode, text);
    return holds_nocase(text, k->word) ? SELECT_YES : SELECT_NO;
}

static enum select_answer is_marked(const struct keyword *k, const struct case_view *view)
{
    enum select_answer answer = SELECT_NO;

    for (uint32_t i = 0; i < view->mark_count && answer != SELECT_YES; i++) {
        if (k->use == KEYWORD_ANYWHERE)
            answer = select_or(answer, holds(k, view->marks[i]));
        else if (str_eq(k->word, view->marks[i]))
            answer = SELECT_YES;
    }
    return answer;
}

/* In the id as it is printed, and in what its escapes stand for. */
static enum select_answer is_in_id(const struct keyword *k, struct str id)
{
    enum select_answer answer = holds(k, id);
    struct buf plain = {0};

    if (answer == SELECT_YES || !id.len || !memchr(id.ptr, '%', id.len))
        return answer;
    id_unescape(&plain, id);
    answer = select_or(answer, holds(k, buf_str(&plain)));
    buf_release(&plain);
    return answer;
}

static enum select_answer word_matches(const struct keyword *k, const struct case_view *view)
{
    enum select_answer answer = is_marked(k, view);

    if (k->use == KEYWORD_ANYWHERE && answer != SELECT_YES)
        answer = select_or(answer, is_in_id(k, view->id));
    return answer;
}

static enum select_answer chain_matches(const struct keyword *k, const struct case_view *view)
{
    enum select_answer decided = k->kind == KEYWORD_OR ? SELECT_YES : SELECT_NO;
    enum select_answer answer = select_not(decided);

    for (const struct keyword *o = k->operands; o && answer != decided; o = o->next) {
        enum select_answer one = keyword_matches(o, view);

        answer = k->kind == KEYWORD_OR ? select_or(answer, one) : select_and(answer, one);
    }
    return answer;
}

enum select_answer keyword_matches(const struct keyword *keyword, const struct case_view *view)
{
    enum select_answer answer =
        keyword->kind == KEYWORD_WORD ? word_matches(keyword, view) : chain_matches(keyword, view);

    return keyword->negated ? select_not(answer) : answer;
}
