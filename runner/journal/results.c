/* What a process said of its own tests: in the end of its attempt as numbers, and in a file with a line for each. */
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/journal/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10)

/* ---- in the end of an attempt ---- */

struct results_line {
    struct journal_results results;
    struct str problems[JOURNAL_PROBLEMS_MOST];
};

static bool field_counts(struct reading *reading, void *into)
{
    uint32_t *verdicts = into;
    enum json_token token;

    if (json_next(&reading->json) != JSON_OBJECT)
        return false;
    while ((token = json_next(&reading->json)) == JSON_KEY) {
        enum verdict verdict;
        bool known = verdict_find(reading->json.text, &verdict);

        if (!(known ? field_u32(reading, &verdicts[verdict]) : skip_value(reading)))
            return false;
    }
    return token == JSON_OBJECT_END;
}

static bool read_problem(struct reading *reading, enum json_token first, void *into)
{
    struct results_line *line = into;
    struct str problem;

    if (!copy_text(reading, first, &problem))
        return false;
    if (line->results.problem_count < JOURNAL_PROBLEMS_MOST)
        line->problems[line->results.problem_count++] = problem;
    return true;
}

static bool field_problems(struct reading *reading, void *into)
{
    return read_items(reading, read_problem, into);
}

static const struct journal_results *keep(struct reading *reading, const struct results_line *line)
{
    struct journal_results *kept = ARENA_NEW(reading->arena, struct journal_results);
    struct str *problems = ARENA_ARRAY(reading->arena, struct str, JOURNAL_PROBLEMS_MOST);

    *kept = line->results;
    kept->problems = memcpy(problems, line->problems, sizeof line->problems);
    return kept;
}

bool field_results(struct reading *reading, void *into)
{
    static const struct field fields[] = {
        FIELD(struct results_line, "counts", counts, results.verdicts),
        FIELD(struct results_line, "unlisted", u64, results.unlisted),
        FIELD(struct results_line, "left_out", u64, results.left_out),
        FIELD(struct results_line, "announced", i64, results.announced),
        FIELD(struct results_line, "asked", u32, results.asked),
        FIELD(struct results_line, "path", str, results.path),
        FIELD(struct results_line, "report", str, results.report),
        {"problems", field_problems, 0},
        FIELD(struct results_line, "problems_more", u32, results.problems_more),
    };
    struct results_line line = {.results.announced = -1};

    if (json_next(&reading->json) != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return false;
    *(const struct journal_results **)into = keep(reading, &line);
    return true;
}

/* ---- the file: writing ---- */

int journal_results_create(struct journal_results_out *out, int folder, const char *path)
{
    *out = (struct journal_results_out){.fd = -1};
    if (dir_make_parents(folder, path, 0777) < 0 || (unlinkat(folder, path, 0) < 0 && errno != ENOENT))
        return -1;
    out->fd = openat(folder, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (out->fd < 0)
        return -1;
    buf_addf(&out->buf, "{\"schema\":%d}\n", JOURNAL_SCHEMA);
    return 0;
}

static void flush(struct journal_results_out *out)
{
    if (!out->error && fd_write_all(out->fd, out->buf.ptr, out->buf.len) < 0)
        out->error = errno;
    buf_clear(&out->buf);
}

void journal_results_add(struct journal_results_out *out, const struct journal_result *result)
{
    struct buf text = {0}, *line = &text;

    LINE_ADD(line, "{\"id\":");
    json_quote(line, result->id);
    line_text(line, "verdict", str_of(verdict_word(result->verdict)), SIZE_MAX);
    if (result->duration >= 0)
        line_time(line, "duration", result->duration);
    line_text(line, "message", result->message, SIZE_MAX);
    line_text(line, "file", result->file, SIZE_MAX);
    if (result->line)
        line_int(line, "line", result->line);
    if (result->reruns)
        line_int(line, "reruns", result->reruns);
    line_text(line, "details", result->details, SIZE_MAX);
    line_text(line, "out", result->out, SIZE_MAX);
    line_text(line, "err", result->err, SIZE_MAX);
    buf_addc(line, '}');
    line_take_out(out->mask, line, true);
    buf_addstr(&out->buf, buf_str(line));
    buf_addc(&out->buf, '\n');
    buf_release(line);
    if (out->buf.len >= CHUNK)
        flush(out);
}

int journal_results_close(struct journal_results_out *out)
{
    if (out->fd < 0)
        return 0;
    flush(out);
    if (close(out->fd) < 0 && !out->error)
        out->error = errno;
    out->fd = -1;
    buf_release(&out->buf);
    return out->error;
}

/* ---- the file: reading ---- */

struct result_line {
    struct journal_result result;
    uint32_t schema;
};

struct results_file {
    struct reading reading;
    struct arena arena; /* of a line */
    journal_result_each *each;
    void *user;
    uint32_t torn;
    bool enough;
    bool newer; /* it was written by a program that means other things by it */
};

static bool read_line(struct results_file *file, struct str text, struct result_line *line)
{
    static const struct field fields[] = {
        FIELD(struct result_line, "id", str, result.id),
        FIELD(struct result_line, "verdict", verdict, result.verdict),
        FIELD(struct result_line, "duration", time, result.duration),
        FIELD(struct result_line, "message", str, result.message),
        FIELD(struct result_line, "file", str, result.file),
        FIELD(struct result_line, "line", u32, result.line),
        FIELD(struct result_line, "reruns", u32, result.reruns),
        FIELD(struct result_line, "details", str, result.details),
        FIELD(struct result_line, "out", str, result.out),
        FIELD(struct result_line, "err", str, result.err),
        FIELD(struct result_line, "schema", u32, schema),
    };
    struct json_reader *json = &file->reading.json;
    struct buf decoded = json->decoded;

    *json = (struct json_reader){.input = text, .decoded = decoded};
    return json_next(json) == JSON_OBJECT && read_fields(&file->reading, fields, ARRAY_LEN(fields), line) &&
           json_next(json) == JSON_END && (line->schema || line->result.verdict != VERDICT_COUNT);
}

static void take_line(struct results_file *file, struct str text)
{
    struct result_line line = {.result = {.verdict = VERDICT_COUNT, .duration = -1}};

    arena_clear(&file->arena);
    if (!read_line(file, text, &line))
        file->torn++;
    else if (line.schema)
        file->newer = line.schema > JOURNAL_SCHEMA;
    else
        file->enough = !file->each(file->user, &line.result);
}

/* Takes whole lines off the beginning. What is longer than a line may be is none. */
static void take_lines(struct results_file *file, struct buf *text, bool *skipping)
{
    size_t at = 0;
    const char *newline;

    while (!file->enough && !file->newer &&
           (newline = at < text->len ? memchr(text->ptr + at, '\n', text->len - at) : NULL)) {
        struct str line = str_slice(buf_str(text), at, (size_t)(newline - text->ptr));

        at += line.len + 1;
        if (!*skipping)
            take_line(file, line);
        *skipping = false;
    }
    text->len -= at;
    memmove(text->ptr, text->ptr + at, text->len);
    if (text->len <= JOURNAL_RESULT_MOST)
        return;
    file->torn += !*skipping;
    *skipping = true;
    buf_clear(text);
}

/* More of it; how much, 0 at its end, -1 and errno. */
static ssize_t fill(int fd, struct buf *text)
{
    ssize_t got;

    buf_reserve(text, CHUNK);
    do
        got = read(fd, text->ptr + text->len, CHUNK);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        text->len += (size_t)got;
    return got;
}

int journal_results_read(int fd, journal_result_each *each, void *user, uint32_t *torn)
{
    struct results_file file = {.each = each, .user = user};
    struct buf text = {0};
    bool skipping = false;
    ssize_t got = 1;

    file.reading.arena = &file.arena;
    while (!file.enough && !file.newer && (got = fill(fd, &text)) > 0)
        take_lines(&file, &text, &skipping);
    if (got == 0)
        file.torn += text.len > 0 || skipping;
    *torn = file.torn;
    if (file.newer) {
        errno = EPROTONOSUPPORT;
        got = -1;
    }
    json_reader_release(&file.reading.json);
    arena_release(&file.arena);
    buf_release(&text);
    return got < 0 ? -1 : 0;
}
