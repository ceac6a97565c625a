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

/* An empty line stands before what is not shown. Of a crash that has told its stack there is nothing more to be shown. */
int dump_lines(const struct report_input *input, const struct journal_attempt *attempt, report_line *each,
               void *user)
{
    struct buf text = {0};
    struct str rest, line, empty = {0};
    uint32_t count = 0;
    bool held = false;
    int result = attempt_told_crash(attempt) ? 0 : read_beginning(input, attempt, &text);

    rest = buf_str(&text);
    while (result == 0 && count < LINES_MOST && line_next(&rest, &line) && !str_is(line, LAYOUT_DUMP_CUT)) {
        if (held)
            each(user, empty);
        held = line.len == 0;
        if (!held)
            each(user, line);
        count++;
    }
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
