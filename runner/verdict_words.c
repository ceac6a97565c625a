/* Words that the files that judge have in common. */
#include "runner/verdict_words.h"

#include "runner/base/sig.h"
#include "runner/base/utf8.h"

#include <ctype.h>

static bool is_blank(char c)
{
    return isspace((unsigned char)c);
}

void words_line(struct buf *out, struct str text)
{
    size_t at = 0, end;

    text = str_trim(text);
    while (at < text.len) {
        for (end = at; end < text.len && !is_blank(text.ptr[end]);)
            end++;
        utf8_show(out, str_slice(text, at, end));
        for (at = end; at < text.len && is_blank(text.ptr[at]);)
            at++;
        if (at < text.len)
            buf_addc(out, ' ');
    }
}

void words_signal(struct buf *out, const struct facts *f)
{
    buf_addf(out, "%s%s", signal_name(f->signal), f->core ? " (core dumped)" : "");
}

void words_sanitizer(const struct facts *f, struct buf *out)
{
    if (!f->sanitizer)
        return;
    buf_adds(out, ": ");
    words_line(out, str_of(f->sanitizer));
}
