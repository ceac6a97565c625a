/* The record of what a C test said. It stands before the end of its attempt, which has no room for so much. */
#include "runner/journal/internal.h"

#define KIND_MOST 32
#define FILE_MOST 1024
#define SAID_MOST ((size_t)4 << 10)
#define NUMBERS   1024 /* all keys and numbers of the record */
#define FRAME     128  /* the same for one that was said */

_Static_assert(NUMBERS + JOURNAL_SAID_MOST * (KIND_MOST + FILE_MOST + SAID_MOST + FRAME) <
                   JOURNAL_RECORD_MOST,
               "what a test said fits into a record");

static void add_said(struct buf *line, const struct journal_said *said)
{
    LINE_ADD(line, "{\"kind\":");
    line_quote(line, said->kind, KIND_MOST);
    line_text(line, "file", said->file, FILE_MOST);
    if (said->line)
        line_int(line, "line", said->line);
    line_text(line, "words", said->words, SAID_MOST);
    if (said->pid)
        line_int(line, "pid", said->pid);
    buf_addc(line, '}');
}

int journal_said(struct journal *journal, const struct journal_attempt *attempt)
{
    uint32_t most = attempt->said_count < JOURNAL_SAID_MOST ? attempt->said_count : JOURNAL_SAID_MOST;
    uint64_t more = attempt->said_more + (attempt->said_count - most);
    struct buf *line;

    if (!most)
        return 0;
    line = &journal->line;
    buf_clear(line);
    LINE_ADD(line, "{\"ev\":\"said\"");
    line_int(line, "case", attempt->number);
    line_int(line, "attempt", attempt->attempt);
    for (uint32_t i = 0; i < most; i++) {
        buf_adds(line, i ? "," : ",\"said\":[");
        add_said(line, &attempt->said[i]);
    }
    buf_addc(line, ']');
    if (more)
        line_int(line, "more", (int64_t)more);
    buf_addc(line, '}');
    return journal_append(journal);
}
