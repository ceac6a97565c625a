#include "ci/jobs.h"

#include "runner/base/utf8.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define DELIMITER_BYTES 16

/* Whoever writes a value cannot know what ends it. */
static bool add_delimiter(struct buf *out)
{
    unsigned char bytes[DELIMITER_BYTES];
    ssize_t got;

    do
        got = getrandom(bytes, sizeof bytes, 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof bytes)
        return false;
    buf_adds(out, "ghadelimiter_");
    for (size_t i = 0; i < sizeof bytes; i++)
        buf_addf(out, "%02x", bytes[i]);
    return true;
}

bool github_file_add(struct buf *out, const char *name, struct str value)
{
    struct buf delimiter = {0};
    bool ok = add_delimiter(&delimiter);

    if (ok) {
        buf_addf(out, "%s<<%s\n", name, buf_text(&delimiter));
        buf_addstr(out, value);
        buf_addf(out, "\n%s\n", buf_text(&delimiter));
    }
    buf_release(&delimiter);
    return ok;
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
