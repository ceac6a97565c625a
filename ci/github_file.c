#include "ci/job.h"

#include "ci/jobs.h"
#include "runner/base/chance.h"
#include "runner/base/io.h"
#include "runner/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define DELIMITER_BYTES 16

/* Whoever writes a value cannot know what ends it. */
bool github_file_add(struct buf *out, const char *name, struct str value)
{
    char delimiter[2 * DELIMITER_BYTES + 1];

    if (!chance_hex(delimiter, DELIMITER_BYTES))
        return false;
    buf_addf(out, "%s<<ghadelimiter_%s\n", name, delimiter);
    buf_addstr(out, value);
    buf_addf(out, "\nghadelimiter_%s\n", delimiter);
    return true;
}

int github_file_open(const char *path, off_t *size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0666);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        errno = fd < 0 ? errno : ENOTSUP;
        fd_close(&fd);
        return -1;
    }
    *size = st.st_size;
    return fd;
}

int github_file_append(const char *path, struct str text)
{
    off_t size;
    int fd = github_file_open(path, &size), answer = -1;

    if (fd >= 0 && (!size || fd_write_all(fd, "\n", 1) == 0))
        answer = fd_write_all(fd, text.ptr, text.len);
    fd_close(&fd);
    return answer;
}

size_t utf16_size(struct str text)
{
    size_t size = 0;

    for (size_t i = 0; i < text.len;) {
        size_t length = utf8_length(str_slice(text, i, text.len));

        size += length == 4 ? 4 : 2;
        i += length ? length : 1;
    }
    return size;
}
