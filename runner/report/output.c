#include "runner/report/internal.h"

#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK       ((size_t)64 << 10)
#define SHARE_LEAST 256

/* ---- where it is ---- */

/* An output as a stretch of a file. */
struct stretch {
    int fd;
    uint64_t from, size;
};

/* The record may be somebody else's: its paths lead nowhere but into the run folder. */
static bool is_inside(struct str path)
{
    if (!path.len || path.ptr[0] == '/' || memchr(path.ptr, '\0', path.len))
        return false;
    for (size_t at = 0, end; at <= path.len; at = end + 1) {
        for (end = at; end < path.len && path.ptr[end] != '/'; end++)
            ;
        if (str_is(str_slice(path, at, end), ".."))
            return false;
    }
    return true;
}

int output_open(int folder, struct str path)
{
    struct buf name = {0};
    int fd;

    if (!is_inside(path)) {
        errno = ENOENT;
        return -1;
    }
    buf_addstr(&name, path);
    fd = openat(folder, buf_text(&name), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    buf_release(&name);
    return fd;
}

static bool is_packed(const struct journal_output *output)
{
    return !output->path.len && output->offset >= 0;
}

/* Finds the stretch in an open file; false and errno when it is not in there. */
static bool stretch_find(struct stretch *s, const struct journal_output *output)
{
    struct stat st;

    if (fstat(s->fd, &st) < 0)
        return false;
    errno = ENOENT;
    if (!S_ISREG(st.st_mode))
        return false;
    s->from = 0;
    s->size = (uint64_t)st.st_size;
    if (!is_packed(output))
        return true;
    if (output->size > s->size || (uint64_t)output->offset > s->size - output->size)
        return false;
    s->from = (uint64_t)output->offset;
    s->size = output->size;
    return true;
}

static int stretch_open(const struct report_input *input, const struct journal_output *output,
                        struct stretch *s)
{
    s->fd = output_open(input->folder, is_packed(output) ? str_of(LAYOUT_PACK) : output->path);
    if (s->fd >= 0 && !stretch_find(s, output))
        fd_close(&s->fd);
    return s->fd < 0 ? -1 : 0;
}

/* Adds `len` bytes, or as many as there still are. -1 and errno. */
static int stretch_read(const struct stretch *s, uint64_t at, size_t len, struct buf *out)
{
    while (len > 0) {
        ssize_t got;

        buf_reserve(out, len);
        got = pread(s->fd, out->ptr + out->len, len, (off_t)(s->from + at));
        if (got < 0 && errno != EINTR)
            return -1;
        if (got == 0)
            break;
        if (got > 0) {
            out->len += (size_t)got;
            at += (uint64_t)got;
            len -= (size_t)got;
        }
    }
    if (out->ptr)
        out->ptr[out->len] = '\0';
    return 0;
}

void output_where(const struct report_input *input, const struct journal_output *output, struct buf *out)
{
    if (!output->path.len && !is_packed(output)) {
        buf_adds(out, "not kept");
        return;
    }
    utf8_show(out, str_of(input->path));
    buf_addc(out, '/');
    utf8_show(out, is_packed(output) ? str_of(LAYOUT_PACK) : output->path);
    if (is_packed(output))
        buf_addf(out, " at byte %lld", (long long)output->offset);
}

/* ---- excerpts ---- */

/* The beginning and the end of an output; the end is empty when the beginning is all. */
struct excerpt {
    struct buf first, second;
    struct str head, tail;
    uint64_t size;
};

static bool continues_character(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The beginning of a longer text, at most `most` bytes, without half a character at its end. */
static struct str whole_characters(struct str text, size_t most)
{
    size_t at = most;

    while (at > 0 && most - at < 4 && continues_character(text.ptr[at]))
        at--;
    return str_slice(text, 0, most - at < 4 ? at : most); /* four of them in a row are no UTF-8 anyway */
}

/* It ends with a line where it can, else with a character. */
static struct str head_of(struct str text)
{
    const char *newline = memrchr(text.ptr, '\n', text.len);

    if (newline)
        return str_slice(text, 0, (size_t)(newline - text.ptr) + 1);
    return text.len ? whole_characters(text, text.len - 1) : text;
}

/* It begins with a line where it can, else with a character. */
static struct str tail_of(struct str text)
{
    const char *newline = memchr(text.ptr, '\n', text.len);
    size_t at = 0;

    if (newline && newline + 1 < text.ptr + text.len)
        return str_slice(text, (size_t)(newline - text.ptr) + 1, text.len);
    while (at < text.len && at < 4 && continues_character(text.ptr[at]))
        at++;
    return str_slice(text, at, text.len);
}

static size_t line_count(struct str text)
{
    size_t count = text.len && text.ptr[text.len - 1] != '\n';

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

/* Offset behind the first `count` lines. */
static size_t after_lines(struct str text, size_t count)
{
    size_t at = 0;

    while (count > 0 && at < text.len)
        count -= text.ptr[at++] == '\n';
    return at;
}

/* What is left of head and tail when only so many lines may be; they are the same text when nothing was left out. */
static void keep_lines(struct str *head, struct str *tail, size_t lines)
{
    size_t in_head = line_count(*head), in_tail = line_count(*tail);
    size_t total = head->ptr == tail->ptr ? in_head : in_head + in_tail;
    size_t first = in_head < lines / 4 ? in_head : lines / 4;

    if (total <= lines) {
        if (head->ptr == tail->ptr)
            *tail = str_slice(*tail, tail->len, tail->len);
        return;
    }
    *head = str_slice(*head, 0, after_lines(*head, first));
    if (in_tail > lines - first)
        *tail = str_slice(*tail, after_lines(*tail, in_tail - (lines - first)), tail->len);
}

static int excerpt_of(const struct stretch *s, size_t most, size_t lines, struct excerpt *e)
{
    size_t tail_most = most - most / 4;
    int result;

    if (s->size <= most) {
        result = stretch_read(s, 0, (size_t)s->size, &e->first);
        e->head = e->tail = buf_str(&e->first);
        e->size = e->head.len;
    } else {
        result = stretch_read(s, 0, most - tail_most, &e->first);
        if (result == 0)
            result = stretch_read(s, s->size - tail_most, tail_most, &e->second);
        e->head = head_of(buf_str(&e->first));
        e->tail = tail_of(buf_str(&e->second));
        e->size = s->size;
    }
    keep_lines(&e->head, &e->tail, lines);
    return result;
}

static int excerpt_read(const struct report_input *input, const struct journal_output *output, size_t most,
                        size_t lines, struct excerpt *e)
{
    struct stretch s;
    int result;

    *e = (struct excerpt){0};
    if (stretch_open(input, output, &s) < 0)
        return -1;
    result = excerpt_of(&s, most, lines, e);
    fd_close(&s.fd);
    return result;
}

static void excerpt_release(struct excerpt *e)
{
    buf_release(&e->first);
    buf_release(&e->second);
}

static uint64_t left_out(const struct excerpt *e)
{
    return e->size - e->head.len - e->tail.len;
}

static void add_gap(const struct report_input *input, const struct journal_output *output,
                    const struct excerpt *e, struct buf *out)
{
    buf_adds(out, "[... ");
    size_format(out, left_out(e));
    buf_adds(out, " left out; all of it: ");
    output_where(input, output, out);
    buf_addc(out, ']');
}

/* ---- line by line ---- */

bool line_next(struct str *text, struct str *line)
{
    const char *newline = text->len ? memchr(text->ptr, '\n', text->len) : NULL;

    if (!text->len)
        return false;
    *line = str_slice(*text, 0, newline ? (size_t)(newline - text->ptr) : text->len);
    *text = str_slice(*text, line->len + (newline != NULL), text->len);
    return true;
}

static void each_line(struct str text, report_line *each, void *user)
{
    struct str line;

    while (line_next(&text, &line))
        each(user, line);
}

int output_excerpt(const struct report_input *input, const struct journal_output *output, size_t most,
                   size_t lines, report_line *each, void *user)
{
    struct buf gap = {0};
    struct excerpt e;
    int result = excerpt_read(input, output, most, lines, &e);

    if (result == 0) {
        each_line(e.head, each, user);
        if (left_out(&e)) {
            add_gap(input, output, &e, &gap);
            each(user, buf_str(&gap));
        }
        each_line(e.tail, each, user);
    }
    buf_release(&gap);
    excerpt_release(&e);
    return result;
}

/* Hands out what is whole, takes it out of `text`: lines, and pieces of a line without end. */
static void take_lines(struct buf *text, report_line *each, void *user)
{
    struct str rest = buf_str(text), line;

    while (memchr(rest.ptr, '\n', rest.len)) {
        line_next(&rest, &line);
        each(user, line);
    }
    if (rest.len > CHUNK) {
        line = whole_characters(rest, CHUNK);
        each(user, line);
        rest = str_slice(rest, line.len, rest.len);
    }
    memmove(text->ptr, rest.ptr, rest.len);
    text->len = rest.len;
}

int output_lines(const struct report_input *input, const struct journal_output *output, report_line *each,
                 void *user)
{
    struct buf text = {0};
    struct stretch s;
    int result = 0;

    if (stretch_open(input, output, &s) < 0)
        return -1;
    for (uint64_t at = 0; at < s.size && result == 0; at += CHUNK) {
        size_t len = s.size - at < CHUNK ? (size_t)(s.size - at) : CHUNK;

        result = stretch_read(&s, at, len, &text);
        take_lines(&text, each, user);
    }
    each_line(buf_str(&text), each, user);
    buf_release(&text);
    fd_close(&s.fd);
    return result;
}

/* ---- how much of each ---- */

size_t output_share(const struct journal_record *record, size_t budget, size_t most)
{
    size_t count = 0, share;

    for (uint32_t i = 0; i < record->case_count; i++)
        for (uint32_t j = 0; j < record->cases[i].count; j++) {
            const struct journal_attempt *attempt = &record->cases[i].attempts[j];

            for (uint32_t k = 0; attempt_failed(attempt) && k < attempt->output_count; k++)
                count += attempt->outputs[k].size > 0;
        }
    share = count ? budget / count : most;
    if (share > most)
        return most;
    return share < SHARE_LEAST ? 0 : share;
}
