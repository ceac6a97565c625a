#include "runner/diagnose/look.h"

#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool look_read(struct look *look, int at, const char *path, size_t most)
{
    buf_clear(&look->text);
    if (file_read_at(at, path, &look->text, most) == 0)
        return true;
    if (errno != EFBIG)
        return false;
    look->text.len = most;
    look->text.ptr[most] = '\0';
    return true;
}

bool look_line(struct str *rest, struct str *line)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;

    if (!rest->len)
        return false;
    *line = str_slice(*rest, 0, length);
    *rest = str_slice(*rest, end ? length + 1 : length, rest->len);
    return true;
}

bool look_field(struct str text, const char *name, struct str *value)
{
    struct str line;

    while (look_line(&text, &line)) {
        if (!str_starts(line, name))
            continue;
        *value = str_trim(str_slice(line, strlen(name), line.len));
        return true;
    }
    return false;
}

uint64_t look_number(struct str text, const char *name, int base)
{
    struct str value;
    char digits[32];

    if (!look_field(text, name, &value))
        return 0;
    if (value.len >= sizeof digits)
        value.len = sizeof digits - 1;
    memcpy(digits, value.ptr, value.len);
    digits[value.len] = '\0';
    return strtoull(digits, NULL, base);
}

const char *look_link(struct look *look, int at, const char *path)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(at, path, target, sizeof target);

    return len < 0 ? NULL : arena_cstr(look->arena, (struct str){target, (size_t)len});
}
