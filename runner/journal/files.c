/* The record of files that were kept beside the streams of an attempt. It stands before its end, which has no room for them. */
#include "runner/journal/internal.h"

#include "runner/base/mem.h"

#define FOLDER_MOST ((size_t)2 << 10)
#define NAME_MOST   256
#define NUMBERS     1024 /* all keys and numbers of the record */
#define FRAME       48   /* the same for one file */

_Static_assert(NUMBERS + FOLDER_MOST + JOURNAL_FILES_MOST * (NAME_MOST + FRAME) < JOURNAL_RECORD_MOST,
               "files fit into a record");

/* A number of JSON is exact up to there, and a file may say that it is longer. */
static int64_t told(uint64_t size)
{
    const uint64_t most = (uint64_t)1 << 53;

    return (int64_t)(size < most ? size : most);
}

int journal_files(struct journal *journal, const struct journal_attempt *attempt)
{
    const struct journal_files *files = attempt->files;
    struct buf *line = &journal->line;

    if (!files)
        return 0;
    buf_clear(line);
    LINE_ADD(line, "{\"ev\":\"files\"");
    line_int(line, "case", attempt->number);
    line_int(line, "attempt", attempt->attempt);
    line_text(line, "in", files->folder, FOLDER_MOST);
    line_int(line, "size", told(files->size));
    for (uint32_t i = 0; i < files->count; i++) {
        buf_adds(line, i ? ",{\"name\":" : ",\"files\":[{\"name\":");
        line_quote(line, files->list[i].name, NAME_MOST);
        line_int(line, "size", told(files->list[i].size));
        buf_addc(line, '}');
    }
    if (files->count)
        buf_addc(line, ']');
    if (files->more)
        line_int(line, "more", (int64_t)files->more);
    buf_addc(line, '}');
    return journal_append(journal);
}

/* ---- reading ---- */

struct files_line {
    uint32_t number, attempt;
    struct journal_files files;
    struct journal_file list[JOURNAL_FILES_MOST];
};

static bool read_file(struct reading *reading, enum json_token first, void *into)
{
    static const struct field fields[] = {
        FIELD(struct journal_file, "name", str, name),
        FIELD(struct journal_file, "size", u64, size),
    };
    struct journal_file file = {0};
    struct files_line *line = into;

    if (first != JSON_OBJECT || !read_fields(reading, fields, ARRAY_LEN(fields), &file))
        return false;
    if (line->files.count < JOURNAL_FILES_MOST)
        line->list[line->files.count++] = file;
    return true;
}

static bool field_files(struct reading *reading, void *into)
{
    return read_items(reading, read_file, into);
}

bool read_files(struct reading *reading)
{
    static const struct field fields[] = {
        FIELD(struct files_line, "case", u32, number),
        FIELD(struct files_line, "attempt", u32, attempt),
        FIELD(struct files_line, "in", str, files.folder),
        FIELD(struct files_line, "size", u64, files.size),
        {"files", field_files, 0},
        FIELD(struct files_line, "more", u64, files.more),
    };
    struct files_line line = {.number = UINT32_MAX};
    struct journal_files *files;
    struct entry *entry;

    if (!read_fields(reading, fields, ARRAY_LEN(fields), &line))
        return false;
    entry = find_entry(reading, line.number);
    if (!entry)
        return false;
    files = ARENA_ARRAY(reading->arena, struct journal_files, 1);
    *files = line.files;
    files->list = copy_items(reading, line.list, line.files.count, sizeof *line.list);
    entry->files_attempt = line.attempt;
    entry->files = files;
    return true;
}
