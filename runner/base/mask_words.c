/* As which other words a secret may stand in a text: as shells, ids and formats of others spell it. */
#include "runner/base/mask_words.h"

#include "runner/base/id.h"
#include "runner/base/mem.h"

/* Within '...', as command lines are shown. */
static void tell_quoted(struct str word, mask_spelling *each, void *user)
{
    struct buf text = {0};

    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] == '\'')
            buf_adds(&text, "'\\''");
        else
            buf_addc(&text, word.ptr[i]);
    if (text.len != word.len)
        each(user, buf_str(&text));
    buf_release(&text);
}

/* Within $'...', where something that no terminal should see stands beside it. */
static void tell_escaped(struct str word, mask_spelling *each, void *user)
{
    struct buf text = {0};

    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];

        if (c == '\'' || c == '\\')
            buf_addf(&text, "\\%c", c);
        else if (c < ' ' || c >= 0x7F)
            buf_addf(&text, "\\x%02x", c);
        else
            buf_addc(&text, (char)c);
    }
    if (text.len != word.len)
        each(user, buf_str(&text));
    buf_release(&text);
}

/* As an id has it. */
static void tell_in_id(struct str word, mask_spelling *each, void *user)
{
    struct buf text = {0};

    id_escape(&text, word);
    if (text.len != word.len)
        each(user, buf_str(&text));
    buf_release(&text);
}

/* As other people's formats spell it: what a suite prints may have gone through one of them before we see it. */
static const struct spelling {
    char c;
    const char *json, *html_json, *xml;
} spellings[] = {
    {'"', "\\\"", "\\\"", "&quot;"}, {'\\', "\\\\", "\\\\", NULL},   {'&', NULL, "\\u0026", "&amp;"},
    {'<', NULL, "\\u003c", "&lt;"},  {'>', NULL, "\\u003e", "&gt;"},
};

enum format { IN_JSON, IN_HTML_JSON, IN_XML, FORMAT_COUNT };

static const char *spelled(char c, enum format format)
{
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
        if (spellings[i].c == c)
            return format == IN_JSON        ? spellings[i].json
                   : format == IN_HTML_JSON ? spellings[i].html_json
                                            : spellings[i].xml;
    return NULL;
}

static void tell_in_format(struct str word, enum format format, mask_spelling *each, void *user)
{
    struct buf text = {0};

    for (size_t i = 0; i < word.len; i++) {
        const char *other = spelled(word.ptr[i], format);

        if (other)
            buf_adds(&text, other);
        else
            buf_addc(&text, word.ptr[i]);
    }
    if (text.len != word.len)
        each(user, buf_str(&text));
    buf_release(&text);
}

void mask_spellings(struct str word, mask_spelling *each, void *user)
{
    each(user, word);
    tell_quoted(word, each, user);
    tell_escaped(word, each, user);
    tell_in_id(word, each, user);
    for (int format = 0; format < FORMAT_COUNT; format++)
        tell_in_format(word, (enum format)format, each, user);
}
