/* What a C test said of its failures, as the words of a verdict. */
#include "runner/base/utf8.h"
#include "runner/verdict_words.h"

#define SAID_WHOLE_MOST ((size_t)240) /* longer ones are told by their first line */
#define SAID_FIRST_MOST ((size_t)1000)

bool said_failure(const struct facts *f)
{
    return f->said && f->said->failures;
}

bool said_error(const struct facts *f)
{
    return f->said && f->said->errors;
}

/* All lines in one where they are short, as "expected x == 0; x: 1" is; of a difference the first alone. */
static void add_words(struct buf *out, struct str words)
{
    const char *between = "";
    struct str line;
    size_t end;

    words = str_trim(words);
    if (words.len > SAID_WHOLE_MOST && str_find(words, "\n", &end))
        words.len = end;
    for (words = utf8_cut(words, SAID_FIRST_MOST); words.len; words = str_slice(words, end + 1, words.len)) {
        if (!str_find(words, "\n", &end))
            end = words.len;
        line = str_trim(str_slice(words, 0, end));
        if (line.len) {
            buf_adds(out, between);
            utf8_show(out, line); /* its blanks may be what differs */
            between = "; ";
        }
        if (end == words.len)
            return;
    }
}

static void say(struct buf *out, const struct said_line *line, uint64_t count)
{
    if (line->file.len)
        words_line(out, line->file);
    if (line->file.len && line->line)
        buf_addf(out, ":%u", line->line);
    if (line->file.len)
        buf_adds(out, ": ");
    add_words(out, line->words);
    if (count > 1)
        buf_addf(out, " (+%llu more)", (unsigned long long)(count - 1));
}

/* A test that fails ends with 1; one that ends otherwise all the same is worth a word. */
void say_said_failure(const struct facts *f, const char *words, struct buf *out)
{
    (void)words;
    say(out, &f->said->failure, f->said->failures);
    if (ended_by_itself(f) && !f->signal && f->status != 1 && f->status != EXIT_STATUS_ERROR)
        buf_addf(out, "; its own exit status is %d", f->status);
}

void say_said_error(const struct facts *f, const char *words, struct buf *out)
{
    (void)words;
    say(out, &f->said->error, f->said->errors);
}

bool said_skip(const struct facts *f, struct buf *out)
{
    if (!f->said || !str_trim(f->said->skip).len)
        return false;
    words_line(out, utf8_cut(str_trim(f->said->skip), SAID_FIRST_MOST));
    return true;
}
