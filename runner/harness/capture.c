#include "runner/harness/capture.h"

#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"
#include "runner/base/utf8.h"
#include "runner/harness/capture_room.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define CAPTURE_FLAGS (O_RDWR | O_APPEND | O_CLOEXEC)
#define SPARE_NAME    "spare"
#define TAIL_SIZE     4096
#define ROOM_LEAST    ((uint64_t)64 << 10)

/* ---- modes ---- */

struct mode {
    const char *word, *unsupported;
};

static const struct mode modes[] = {
#define X(id, word, why) [id] = {word, why},
    CAPTURE_MODES(X)
#undef X
};
_Static_assert(ARRAY_LEN(modes) == CAPTURE_MODE_COUNT, "a mode has no word");

/* The files that a mode needs; the one that is missing is the one before it, or /dev/null. */
static const struct {
    const char *files[CAPTURE_FILES_MOST];
    struct capture_way way;
} ways[CAPTURE_MODE_COUNT] = {
    [CAPTURE_FD] = {.files = {"stdout", "stderr"}},
    [CAPTURE_SYS] = {.files = {"stdout", "stderr", "descriptors"},
                     .way = {.relayed = true, .shown = true, .inside = true}},
    [CAPTURE_TEE_SYS] = {.files = {"stdout", "stderr", "descriptors"},
                         .way = {.relayed = true, .shown = true, .inside = true, .teed = true}},
    [CAPTURE_NO] = {.files = {"stdout", "stderr"}, .way = {.relayed = true, .shown = true}},
    [CAPTURE_PIPE] = {.files = {"stdout", "stderr"}, .way = {.relayed = true}},
    [CAPTURE_PTY] = {.files = {"output"}, .way = {.relayed = true, .terminal = true, .one_file = true}},
    [CAPTURE_MERGED] = {.files = {"output"}, .way = {.one_file = true}},
};

const char *capture_word(enum capture_mode mode)
{
    return modes[mode].word;
}

const char *capture_unsupported(enum capture_mode mode, bool module)
{
    return module ? NULL : modes[mode].unsupported;
}

const struct capture_way *capture_way(enum capture_mode mode)
{
    return &ways[mode].way;
}

bool capture_find(struct str word, enum capture_mode *mode)
{
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (str_is(word, modes[i].word)) {
            *mode = (enum capture_mode)i;
            return true;
        }
    return false;
}

/* ---- the room ---- */

struct capture_room *capture_room_new(int run, struct faults *faults)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct capture_room *room;

    if (null < 0)
        return NULL;
    room = mem_zero(1, sizeof *room);
    *room = (struct capture_room){.run = run, .null = null, .spares = -1, .pack = -1, .faults = faults};
    return room;
}

void capture_room_free(struct capture_room *room)
{
    if (!room)
        return;
    if (room->spares >= 0)
        unlinkat(room->run, SPARE_NAME, AT_REMOVEDIR);
    while (room->idle_count)
        fd_close(&room->idle[--room->idle_count]);
    fd_close(&room->spares);
    fd_close(&room->pack);
    fd_close(&room->null);
    free(room->pack_buffer);
    free(room);
}

bool capture_disk_full(struct capture_room *room)
{
    struct statvfs fs;

    if (fault_now(room->faults, FAULT_DISK_FULL))
        return true;
    if (fstatvfs(room->run, &fs) < 0 || fs.f_blocks == 0) /* a tmpfs without a limit has no blocks */
        return false;
    return (uint64_t)(geteuid() ? fs.f_bavail : fs.f_bfree) * fs.f_frsize < ROOM_LEAST;
}

/* ---- opening ---- */

static bool fault_strikes(struct capture_room *room)
{
    int error = fault_errno(room->faults, FAULT_CAPTURE);

    if (error)
        errno = error;
    return error != 0;
}

static int open_nameless(struct capture_room *room)
{
    return fault_strikes(room) ? -1 : openat(room->run, ".", O_TMPFILE | CAPTURE_FLAGS, 0666);
}

/* What file systems and kernels that do not know O_TMPFILE make of it. */
static bool is_not_known(int error)
{
    return error == EOPNOTSUPP || error == EISDIR || error == ENOENT;
}

/* From now on files have names. What a runner that was killed has left there is nobody's. */
static int open_spares(struct capture_room *room)
{
    if (dir_make(room->run, SPARE_NAME, 0777) < 0 || (room->spares = dir_open(room->run, SPARE_NAME)) < 0)
        return -1;
    if (dir_empty(room->spares) == 0)
        return 0;
    fd_close(&room->spares);
    return -1;
}

static int open_spare(struct capture_room *room, struct capture_file *file)
{
    int fd;

    if (fault_strikes(room))
        return -1;
    snprintf(file->spare, sizeof file->spare, "%llu", (unsigned long long)room->spare_count++);
    fd = openat(room->spares, file->spare, O_CREAT | O_EXCL | CAPTURE_FLAGS, 0666);
    if (fd < 0)
        file->spare[0] = '\0';
    return fd;
}

int capture_file_open(struct capture_room *room, struct capture_file *file, const char *word)
{
    *file = (struct capture_file){.fd = -1, .given = -1, .word = word, .mask = room->mask};
    if (!word)
        return 0;
    if (room->idle_count) {
        file->fd = room->idle[--room->idle_count];
        return 0;
    }
    if (room->spares < 0) {
        file->fd = open_nameless(room);
        if (file->fd >= 0)
            return 0;
        if (!is_not_known(errno) || open_spares(room) < 0)
            return -1;
    }
    file->fd = open_spare(room, file);
    return file->fd < 0 ? -1 : 0;
}

/* For the case: where it cannot be, the case gets ours, and the file serves no other. */
static int open_for_case(struct capture_room *room, struct capture_file *file)
{
    char path[32];

    if (file->fd < 0)
        return room->null;
    snprintf(path, sizeof path, "/proc/self/fd/%d", file->fd);
    file->given = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    file->lent = file->given >= 0;
    return file->lent ? file->given : file->fd;
}

void capture_started(struct capture *capture)
{
    for (size_t i = 0; i < ARRAY_LEN(capture->files); i++)
        fd_close(&capture->files[i].given);
}

/* A lease for writing is given only to who alone has the file open for it. */
static bool is_ours_alone(int fd)
{
    return fcntl(fd, F_SETLEASE, F_WRLCK) == 0 && fcntl(fd, F_SETLEASE, F_UNLCK) == 0;
}

/* Empty, for another case. */
static bool set_aside(struct capture_room *room, struct capture_file *file)
{
    if (file->fd < 0 || file->named || file->spare[0] || !file->lent ||
        room->idle_count == CAPTURE_IDLE_MOST || !is_ours_alone(file->fd) ||
        (capture_size(file) && ftruncate(file->fd, 0) < 0))
        return false;
    room->idle[room->idle_count++] = file->fd;
    file->fd = -1;
    return true;
}

void capture_file_close(struct capture_room *room, struct capture_file *file)
{
    int saved = errno;

    fd_close(&file->given);
    if (set_aside(room, file)) {
        errno = saved;
        return;
    }

    if (file->spare[0])
        unlinkat(room->spares, file->spare, 0);
    file->spare[0] = '\0';
    errno = saved;
    fd_close(&file->fd);
}

void capture_none(struct capture *capture)
{
    *capture = (struct capture){.mode = CAPTURE_DISCARD};
    for (size_t i = 0; i < ARRAY_LEN(capture->files); i++)
        capture->files[i].fd = capture->files[i].given = -1;
}

static int open_files(struct capture_room *room, struct capture *capture)
{
    for (size_t i = 0; i < ARRAY_LEN(capture->files); i++) {
        if (capture_file_open(room, &capture->files[i], ways[capture->mode].files[i]) < 0) {
            capture_close(room, capture);
            return -1;
        }
        capture->files[i].lent = ways[capture->mode].way.relayed;
    }
    return 0;
}

int capture_stream(struct capture_room *room, struct capture *capture, int i)
{
    return open_for_case(room, &capture->files[i]);
}

int capture_open(struct capture_room *room, enum capture_mode mode, struct capture *capture, int stdio[3])
{
    struct capture_file *files = capture->files;

    capture_none(capture);
    capture->mode = mode;
    if (open_files(room, capture) < 0)
        return -1;
    stdio[0] = room->null;
    stdio[1] = stdio[2] = -1;
    if (ways[mode].way.relayed)
        return 0;
    stdio[1] = open_for_case(room, &files[0]);
    stdio[2] = files[1].fd >= 0 ? open_for_case(room, &files[1]) : stdio[1];
    return 0;
}

void capture_close(struct capture_room *room, struct capture *capture)
{
    for (size_t i = 0; i < ARRAY_LEN(capture->files); i++)
        capture_file_close(room, &capture->files[i]);
}

/* ---- looking ---- */

uint64_t capture_size(const struct capture_file *file)
{
    struct stat st;

    return fstat(file->fd, &st) < 0 ? 0 : (uint64_t)st.st_size;
}

static struct str last_line(struct str text)
{
    size_t from;

    while (text.len > 0 && strchr(" \t\r\n\v\f", text.ptr[text.len - 1]) && text.ptr[text.len - 1])
        text.len--;
    for (from = text.len; from > 0 && text.ptr[from - 1] != '\n' && text.ptr[from - 1] != '\r';)
        from--;
    return str_slice(text, from, text.len);
}

/* NULL text: none begins so. */
static struct str last_begun(struct str text, const char *begin)
{
    while (text.len > 0) {
        struct str line = last_line(text);

        if (str_starts(line, begin))
            return str_slice(line, strlen(begin), line.len);
        text = str_slice(text, 0, line.ptr > text.ptr ? (size_t)(line.ptr - text.ptr) - 1 : 0);
    }
    return (struct str){NULL, 0};
}

/*
 * What nobody may read is as long as it likes: so much more is looked at, and of what begins nowhere in it nothing is
 * told that could be the rest of a word.
 */
static void add_last_masked(const struct capture_file *file, struct str tail, const char *begin, bool whole,
                            size_t most, struct buf *out)
{
    struct buf masked = {0};
    struct str line = begin ? last_begun(tail, begin) : last_line(tail);

    if (line.ptr == tail.ptr && !whole)
        line = mask_known(file->mask, line);
    mask_text(file->mask, line, &masked);
    buf_addstr(out, utf8_cut(buf_str(&masked), most));
    buf_release(&masked);
}

static void look_back(const struct capture_file *file, const char *begin, size_t most, struct buf *out)
{
    size_t room = TAIL_SIZE + 2 * mask_longest(file->mask);
    uint64_t size = capture_size(file);
    char *tail = mem_alloc(room);
    ssize_t got = pread(file->fd, tail, room, size > room ? (off_t)(size - room) : 0);

    if (got > 0)
        add_last_masked(file, (struct str){tail, (size_t)got}, begin, size <= room, most, out);
    free(tail);
}

void capture_last_line(const struct capture_file *file, size_t most, struct buf *out)
{
    look_back(file, NULL, most, out);
}

void capture_last_begun(const struct capture_file *file, const char *begin, size_t most, struct buf *out)
{
    look_back(file, begin, most, out);
}
