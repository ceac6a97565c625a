#include "runner/base/split.h"

#include "runner/base/buf.h"

#include <string.h>

struct split {
    const char *at;
    struct buf word;
    const char *why;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static void take_single(struct split *s)
{
    const char *end = strchr(s->at + 1, '\'');

    if (!end) {
        s->why = "a ' that is not closed";
        return;
    }
    buf_add(&s->word, s->at + 1, (size_t)(end - s->at - 1));
    s->at = end + 1;
}

static void take_double(struct split *s)
{
    for (s->at++; *s->at && *s->at != '"'; s->at++) {
        if (s->at[0] == '\\' && s->at[1] && strchr("$`\"\\", s->at[1]))
            s->at++;
        buf_addc(&s->word, *s->at);
    }
    if (*s->at)
        s->at++;
    else
        s->why = "a \" that is not closed";
}

static void take_escaped(struct split *s)
{
    if (!s->at[1]) {
        s->why = "a backslash with nothing behind it";
        return;
    }
    buf_addc(&s->word, s->at[1]);
    s->at += 2;
}

static void take_word(struct split *s)
{
    buf_clear(&s->word);
    while (*s->at && !is_blank(*s->at) && !s->why)
        switch (*s->at) {
        case '\'': take_single(s); break;
        case '"': take_double(s); break;
        case '\\': take_escaped(s); break;
        default: buf_addc(&s->word, *s->at++);
        }
}

bool split_command(const char *text, struct arena *arena, const char ***words, uint32_t *count,
                   const char **why)
{
    struct split s = {.at = text};

    *words =
        ARENA_ARRAY(arena, const char *, strlen(text) / 2 + 2); /* each but the last has a blank behind it */
    *count = 0;
    for (;;) {
        while (is_blank(*s.at))
            s.at++;
        if (!*s.at)
            break;
        take_word(&s);
        if (s.why)
            break;
        (*words)[(*count)++] = arena_cstr(arena, buf_str(&s.word));
    }
    buf_release(&s.word);
    *why = s.why;
    return !s.why;
}
