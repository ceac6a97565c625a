/* A report on disk is there whole or not at all, however long it is. */
#include "runner/report/internal.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int write_to(const struct report *report, const struct report_input *input, int fd)
{
    struct report_sink sink;

    report_sink_open(&sink, fd);
    sink.harmless = fd == STDOUT_FILENO && input->options->inert;
    sink.inert.form = report->form;
    report->write(input, &sink);
    errno = report_sink_close(&sink);
    return errno ? -1 : 0;
}

int report_write(const struct report *report, const struct report_input *input, const char *path)
{
    struct file_out out;

    if (str_is(str_of(path), "-"))
        return write_to(report, input, STDOUT_FILENO);
    dir_make_parents(AT_FDCWD, path, 0777); /* what cannot be made is found out below */
    if (file_out_open(&out, path) < 0)
        return -1;
    return file_out_close(&out, write_to(report, input, out.fd) == 0);
}
