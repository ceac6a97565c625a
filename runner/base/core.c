#include "runner/base/core.h"

#include "runner/base/io.h"

#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATTERN "/proc/sys/kernel/core_pattern"
#define USES    "/proc/sys/kernel/core_uses_pid"

static bool read_line(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, size - 1);

    fd_close(&fd);
    if (got < 0)
        return false;
    text[got] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return true;
}

bool core_pattern_read(struct core_pattern *pattern)
{
    char uses[16];

    pattern->uses_pid = read_line(USES, uses, sizeof uses) && strcmp(uses, "0") != 0;
    return read_line(PATTERN, pattern->text, sizeof pattern->text);
}

enum core_way core_way(const struct core_pattern *pattern)
{
    switch (pattern->text[0]) {
    case '|': return CORE_TO_PROGRAM;
    case '@': return CORE_TO_SOCKET;
    default: return CORE_IN_FILE;
    }
}

/* ---- its name ---- */

static void add_plain(struct buf *out, char c)
{
    if (strchr("*?[\\", c))
        buf_addc(out, '\\');
    buf_addc(out, c);
}

static void add_text(struct buf *out, const char *text)
{
    while (*text)
        add_plain(out, *text++);
}

static void add_pid(struct buf *out, pid_t pid)
{
    if (pid)
        buf_addf(out, "%d", pid);
    else
        buf_addc(out, '*');
}

/* What the kernel does not know it leaves out. Ids and the outermost number may be those of another namespace than ours. */
static void add_value(struct buf *out, char specifier, const struct core_of *of)
{
    switch (specifier) {
    case '%': add_plain(out, '%'); break;
    case 'p': add_pid(out, of->pid); break;
    case 's': buf_addf(out, "%d", of->signal); break;
    default:
        if (strchr("cCdeEfFghiIPtu", specifier))
            buf_addc(out, '*');
    }
}

void core_glob(struct buf *out, const struct core_pattern *pattern, const struct core_of *of)
{
    bool says_pid = false;

    if (pattern->text[0] != '/') {
        add_text(out, of->cwd);
        buf_addc(out, '/');
    }
    for (const char *at = pattern->text; *at; at++) {
        if (*at != '%') {
            add_plain(out, *at);
            continue;
        }
        if (!*++at)
            break;
        says_pid |= *at == 'p';
        add_value(out, *at, of);
    }
    if (pattern->uses_pid && !says_pid) {
        buf_addc(out, '.');
        add_pid(out, of->pid);
    }
}

/* ---- the file ---- */

/* When it was written last; -1: it is no core of it. */
static nanos written(const char *path, const struct core_of *of)
{
    struct stat st;
    nanos at;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || !st.st_size)
        return -1;
    at = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
    return at >= of->since ? at : -1;
}

bool core_find(struct buf *path, const struct core_pattern *pattern, const struct core_of *of)
{
    struct buf glob_text = {0};
    const char *newest = NULL;
    nanos newest_at = -1;
    glob_t found;

    core_glob(&glob_text, pattern, of);
    if (glob(buf_text(&glob_text), GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            nanos at = written(found.gl_pathv[i], of);

            if (at > newest_at) {
                newest = found.gl_pathv[i];
                newest_at = at;
            }
        }
        if (newest)
            buf_adds(path, newest);
        globfree(&found);
    }
    buf_release(&glob_text);
    return newest != NULL;
}
