/* Words of command lines, as people write them in one string. */
#include "runner/sources/sources.h"

#include "runner/base/buf.h"

#include <string.h>

void flags_add(struct arena *arena, struct flags *flags, const char *word)
{
    if (flags->count == flags->cap) {
        uint32_t cap = flags->cap ? flags->cap * 2 : 8;
        const char **list = ARENA_ARRAY(arena, const char *, cap);

        if (flags->count)
            memcpy(list, flags->list, flags->count * sizeof *list);
        flags->list = list;
        flags->cap = cap;
    }
    flags->list[flags->count++] = word;
}

void flags_append(struct arena *arena, struct flags *flags, const struct flags *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        flags_add(arena, flags, more->list[i]);
}

bool flags_have(const struct flags *flags, const char *beginning)
{
    for (uint32_t i = 0; i < flags->count; i++)
        if (strncmp(flags->list[i], beginning, strlen(beginning)) == 0)
            return true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word, from a character that is not blank on; where it ends. False: a quote has no end. */
static bool take_word(struct str text, size_t *at, struct buf *word)
{
    char quote = '\0';

    for (; *at < text.len && (quote || !is_blank(text.ptr[*at])); ++*at) {
        char c = text.ptr[*at];

        if (quote && c == quote)
            quote = '\0';
        else if (!quote && (c == '\'' || c == '"'))
            quote = c;
        else if (c == '\\' && quote != '\'' && *at + 1 < text.len)
            buf_addc(word, text.ptr[++*at]);
        else
            buf_addc(word, c);
    }
    return !quote;
}

bool flags_split(struct arena *arena, struct str text, struct flags *flags)
{
    struct buf word = {0};
    bool whole = true;

    for (size_t at = 0; whole; at++) {
        while (at < text.len && is_blank(text.ptr[at]))
            at++;
        if (at >= text.len)
            break;
        buf_clear(&word);
        whole = take_word(text, &at, &word);
        flags_add(arena, flags, arena_cstr(arena, buf_str(&word)));
    }
    buf_release(&word);
    return whole;
}
