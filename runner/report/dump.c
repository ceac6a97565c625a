/* Where everybody stood: the first screen of an attempt's dump, which is a file that was made for people. */
#include "runner/report/internal.h"

#include "runner/base/io.h"
#include "runner/base/layout.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BYTES_MOST ((size_t)32 << 10)
#define LINES_MOST 120
#define HEAD_LINES 4 /* whose it is, why, when, and why there are no stacks */

/* Its beginning. -1 and errno. */
static int read_beginning(const struct report_input *input, const struct journal_attempt *attempt,
                          struct buf *text)
{
    int fd = output_open(input->folder, attempt->dump), result;

    if (fd < 0)
        return -1;
    result = fd_read_all(fd, text, BYTES_MOST);
    if (result < 0 && errno == EFBIG)
        result = 0;
    fd_close(&fd);
    return result;
}

struct showing {
    report_line *each;
    void *user;
    bool held; /* an empty line stands before what is not shown */
};

static void show(struct showing *showing, struct str line)
{
    const struct str empty = {0};

    if (showing->held)
        showing->each(showing->user, empty);
    showing->held = line.len == 0;
    if (!showing->held)
        showing->each(showing->user, line);
}

/* Whose it is and why stands above it in every report: of its head there is left why it has no stacks. */
static struct str without_head(struct str text, struct showing *showing)
{
    struct str rest = text, line, why_no_stacks = {0};

    for (int i = 0; i <= HEAD_LINES && line_next(&rest, &line); i++) {
        if (str_starts(line, "no stacks: "))
            why_no_stacks = line;
        if (line.len)
            continue;
        if (why_no_stacks.len)
            show(showing, why_no_stacks);
        return rest;
    }
    return text; /* somebody has written another file over it */
}

/* Of a crash that has told its stack there is nothing more to be shown. */
int dump_lines(const struct report_input *input, const struct journal_attempt *attempt, report_line *each,
               void *user)
{
    struct showing showing = {each, user, false};
    struct buf text = {0};
    struct str rest, line;
    int result = attempt_told_crash(attempt) ? 0 : read_beginning(input, attempt, &text);

    rest = result == 0 ? without_head(buf_str(&text), &showing) : (struct str){0};
    for (int i = 0; i < LINES_MOST && line_next(&rest, &line) && !str_is(line, LAYOUT_DUMP_CUT); i++)
        show(&showing, line);
    buf_release(&text);
    return result;
}

void dump_where(const struct report_input *input, const struct journal_attempt *attempt, struct buf *out)
{
    buf_adds(out, "where everybody stood");
    if (attempt->dump_partial)
        buf_adds(out, ", as far as it could be known");
    buf_adds(out, ": ");
    utf8_show(out, str_of(input->path));
    buf_addc(out, '/');
    utf8_show(out, attempt->dump);
}
