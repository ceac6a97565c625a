#include "runner/report/markdown.h"

#include "runner/base/utf8.h"

#include <ctype.h>
#include <string.h>

#define FENCE_LEAST 3

/* Letters, digits and what stands for itself wherever it is; an entity never means more than its character. */
static bool is_plain(char c)
{
    return !isascii((unsigned char)c) || isalnum((unsigned char)c) || strchr(" -./,=;+?%", c);
}

#define NO_WIDTH "&#8203;"

/* GitHub makes links of what looks like a site or an address, entities or not; with a space of no width in it nothing does. */
static bool ends_www(struct str text, size_t end)
{
    return end >= 3 && str_eq_nocase(str_slice(text, end - 3, end), str_of("www"));
}

/* Ids, which people copy, have a `=` before there is a dot. */
static bool begins_site(struct str text, size_t from)
{
    for (size_t i = from; i < text.len; i++)
        if (text.ptr[i] == '.')
            return true;
        else if (!isalnum((unsigned char)text.ptr[i]) && text.ptr[i] != '-' && text.ptr[i] != '_')
            return false;
    return false;
}

void markdown_inline(struct buf *out, struct str text, size_t most)
{
    struct buf shown = {0};
    struct str cut;

    utf8_show(&shown, text);
    cut = utf8_cut(buf_str(&shown), most);
    for (size_t i = 0; i < cut.len; i++) {
        if (cut.ptr[i] == '.' && ends_www(cut, i))
            buf_adds(out, NO_WIDTH);
        if (is_plain(cut.ptr[i]))
            buf_addc(out, cut.ptr[i]);
        else
            buf_addf(out, "&#%u;", (unsigned char)cut.ptr[i]);
        if (cut.ptr[i] == '@' && begins_site(cut, i + 1))
            buf_adds(out, NO_WIDTH);
    }
    if (cut.len < shown.len)
        buf_adds(out, "...");
    buf_release(&shown);
}

void markdown_code(struct buf *out, struct str text, size_t most)
{
    buf_adds(out, "<code>");
    markdown_inline(out, text, most);
    buf_adds(out, "</code>");
}

static size_t longest_ticks(struct str text)
{
    size_t longest = 0, run = 0;

    for (size_t i = 0; i < text.len; i++) {
        run = text.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

void markdown_block(struct buf *out, struct str lines)
{
    size_t ticks = longest_ticks(lines) + 1;

    if (!lines.len)
        return;
    if (ticks < FENCE_LEAST)
        ticks = FENCE_LEAST;
    for (size_t i = 0; i < ticks; i++)
        buf_addc(out, '`');
    buf_adds(out, "text\n");
    buf_addstr(out, lines);
    if (!str_ends(lines, "\n"))
        buf_addc(out, '\n');
    for (size_t i = 0; i < ticks; i++)
        buf_addc(out, '`');
    buf_adds(out, "\n\n");
}
