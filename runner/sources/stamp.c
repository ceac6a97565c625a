/* What files are known by. */
#include "runner/sources/sources.h"

#include "runner/base/clock.h"
#include "runner/base/hash.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_MOST ((size_t)1 << 30)

/* ---- digests ---- */

__extension__ static const digest basis =
    ((digest)UINT64_C(0x6c62272e07bb0142) << 64) + UINT64_C(0x62b821756295c58d);

digest digest_start(void)
{
    return basis;
}

/* Times the prime, 2^88 + 2^8 + 0x3b. */
static inline digest step(digest d, unsigned char byte)
{
    d ^= byte;
    return d * 0x13b + (d << 88);
}

digest digest_bytes(digest d, const void *bytes, size_t len)
{
    const unsigned char *byte = bytes;

    for (size_t i = 0; i < len; i++)
        d = step(d, byte[i]);
    return d;
}

digest digest_text(digest d, const char *text)
{
    return digest_bytes(d, text, strlen(text) + 1);
}

digest digest_digest(digest d, digest other)
{
    return digest_bytes(d, &other, sizeof other);
}

void digest_format(char text[DIGEST_TEXT], digest d)
{
    snprintf(text, DIGEST_TEXT, "%016llx%016llx", (unsigned long long)(d >> 64), (unsigned long long)d);
}

/* ---- files ---- */

/* Open addressing: the table is never more than half full. */
struct seen {
    char *path; /* NULL: nothing is here */
    struct stamp stamp;
    int error; /* errno of looking, 0: it is there */
    bool content;
};

struct stamps {
    struct seen *list;
    size_t count, size;
};

struct stamps *stamps_new(void)
{
    struct stamps *stamps = mem_zero(1, sizeof *stamps);

    stamps->size = 256;
    stamps->list = mem_zero(stamps->size, sizeof *stamps->list);
    return stamps;
}

void stamps_free(struct stamps *stamps)
{
    for (size_t i = 0; stamps && i < stamps->size; i++)
        free(stamps->list[i].path);
    if (stamps)
        free(stamps->list);
    free(stamps);
}

static struct seen *place_of(struct seen *list, size_t size, const char *path)
{
    size_t at = hash_add(HASH_START, str_of(path)) & (size - 1);

    while (list[at].path && strcmp(list[at].path, path) != 0)
        at = (at + 1) & (size - 1);
    return &list[at];
}

static void make_room(struct stamps *stamps)
{
    struct seen *old = stamps->list;
    size_t size = stamps->size;

    stamps->size *= 2;
    stamps->list = mem_zero(stamps->size, sizeof *stamps->list);
    for (size_t i = 0; i < size; i++)
        if (old[i].path)
            *place_of(stamps->list, stamps->size, old[i].path) = old[i];
    free(old);
}

static int64_t nanos_of(struct timespec time)
{
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static void look(struct seen *seen)
{
    struct stat st;

    if (stat(seen->path, &st) < 0) {
        seen->error = errno;
        return;
    }
    seen->stamp = (struct stamp){.size = (uint64_t)st.st_size,
                                 .inode = st.st_ino,
                                 .mtime = nanos_of(st.st_mtim),
                                 .ctime = nanos_of(st.st_ctim)};
}

static struct seen *see(struct stamps *stamps, const char *path)
{
    struct seen *seen = place_of(stamps->list, stamps->size, path);

    if (seen->path)
        return seen;
    if (++stamps->count * 2 > stamps->size) {
        make_room(stamps);
        seen = place_of(stamps->list, stamps->size, path);
    }
    seen->path = mem_alloc(strlen(path) + 1);
    strcpy(seen->path, path);
    look(seen);
    return seen;
}

static bool is_as_known(const struct stamp *now, const struct stamp *known)
{
    return now->size == known->size && now->inode == known->inode && now->mtime == known->mtime &&
           now->ctime == known->ctime;
}

static void read_content(struct seen *seen)
{
    struct buf text = {0};

    if (file_read_regular(seen->path, &text, FILE_MOST) < 0)
        seen->error = errno;
    seen->stamp.content = digest_bytes(digest_start(), text.ptr, text.len);
    buf_release(&text);
}

int stamps_get(struct stamps *stamps, const char *path, const struct stamp *known, struct stamp *stamp)
{
    struct seen *seen = see(stamps, path);

    if (!seen->error && !seen->content) {
        if (known && is_as_known(&seen->stamp, known))
            seen->stamp.content = known->content;
        else
            read_content(seen);
        seen->content = !seen->error;
    }
    *stamp = seen->stamp;
    errno = seen->error;
    return seen->error ? -1 : 0;
}
