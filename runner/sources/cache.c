/*
 * What was made, on disk. In `keys` stands, by the digest of all that was asked for, what came of it and out of which
 * files; in `made` are the files themselves, called after their content's origin. Both get their names when they are
 * whole, so that two runs may use one cache at a time.
 */
#include "runner/sources/sources.h"

#include "runner/base/clock.h"
#include "runner/base/dir.h"
#include "runner/base/io.h"
#include "runner/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYS      "keys"
#define MADE      "made"
#define TEMPORARY "tmp"

#define HEADING       "run-matrix-cache 1 "
#define MANIFEST_MOST ((size_t)64 << 20)

#define USED_AFTER (24 * 3600 * NS_PER_S) /* that it was used is noted so seldom */
#define TICK       (20 * NS_PER_MS)       /* more than the clock of a file system moves at a time */

/* ---- the folder ---- */

int cache_open(struct cache *cache, const char *folder, struct arena *arena)
{
    static const char *const parts[] = {KEYS, MADE, TEMPORARY};
    char *whole;

    *cache = (struct cache){NULL, -1};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (dir_make(AT_FDCWD, arena_printf(arena, "%s/%s", folder, parts[i]), 0777) < 0)
            return -1;
    whole = realpath(folder, NULL);
    if (!whole || access(arena_printf(arena, "%s/" TEMPORARY, whole), W_OK | X_OK) < 0) {
        free(whole);
        return -1;
    }
    cache->path = arena_cstr(arena, str_of(whole));
    free(whole);
    cache->fd = dir_open(AT_FDCWD, cache->path);
    return cache->fd < 0 ? -1 : 0;
}

void cache_close(struct cache *cache)
{
    fd_close(&cache->fd);
}

const char *cache_path(const struct cache *cache, struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s", cache->path, name);
}

/* Made at once, so that it is ours; a compiler writes over it. */
const char *cache_temporary(struct cache *cache, struct arena *arena, const char *ending)
{
    const char *path = arena_printf(arena, "%s/" TEMPORARY "/XXXXXX%s", cache->path, ending);
    int fd = mkstemps((char *)(uintptr_t)path, (int)strlen(ending));

    fd_close(&fd);
    return path;
}

const char *cache_name(struct arena *arena, const char *stem, digest id, const char *ending)
{
    char text[DIGEST_TEXT];

    digest_format(text, id);
    return arena_printf(arena, MADE "/%s-%s%s", stem, text, ending);
}

static const char *name_of_key(struct arena *arena, digest key)
{
    char text[DIGEST_TEXT];

    digest_format(text, key);
    return arena_printf(arena, KEYS "/%s", text);
}

/* ---- what stands in a file of `keys` ---- */

void entry_add(struct arena *arena, struct entry *entry, const char *path, const struct stamp *stamp)
{
    if (entry->count == entry->cap) {
        uint32_t cap = entry->cap ? entry->cap * 2 : 64;
        struct made_of *files = ARENA_ARRAY(arena, struct made_of, cap);

        if (entry->count)
            memcpy(files, entry->files, entry->count * sizeof *files);
        entry->files = files;
        entry->cap = cap;
    }
    entry->files[entry->count++] = (struct made_of){path, *stamp};
}

static void write_file(struct buf *out, const struct stamp *stamp, const char *path)
{
    char content[DIGEST_TEXT];

    digest_format(content, stamp->content);
    buf_addf(out, "%" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx64 " %s %s", stamp->size, stamp->inode,
             (uint64_t)stamp->mtime, (uint64_t)stamp->ctime, content, path);
    buf_addc(out, '\0'); /* the one byte that no path has */
}

static bool take_number(struct str *text, uint64_t *number)
{
    size_t i = 0;

    for (*number = 0; i < text->len && text->ptr[i] != ' '; i++) {
        char c = text->ptr[i];

        if (i == 16 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        *number = *number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *text = str_slice(*text, i + 1 < text->len ? i + 1 : text->len, text->len);
    return i > 0;
}

static bool take_digest(struct str *text, digest *d)
{
    struct str high = str_slice(*text, 0, 16), low;
    uint64_t numbers[2];

    if (text->len < DIGEST_TEXT || text->ptr[DIGEST_TEXT - 1] != ' ')
        return false;
    low = str_slice(*text, 16, DIGEST_TEXT);
    *text = str_slice(*text, DIGEST_TEXT, text->len);
    if (!take_number(&high, &numbers[0]) || !take_number(&low, &numbers[1]))
        return false;
    *d = (digest)numbers[0] << 64 | numbers[1];
    return true;
}

static bool take_file(struct str *text, struct stamp *stamp, const char **path)
{
    const char *end = memchr(text->ptr, '\0', text->len);
    uint64_t mtime, ctime;

    if (!end || !take_number(text, &stamp->size) || !take_number(text, &stamp->inode) ||
        !take_number(text, &mtime) || !take_number(text, &ctime) || !take_digest(text, &stamp->content))
        return false;
    stamp->mtime = (int64_t)mtime;
    stamp->ctime = (int64_t)ctime;
    *path = text->ptr;
    *text = str_slice(*text, (size_t)(end - text->ptr) + 1, text->len);
    return true;
}

/* The heading has the digest of all that follows. */
static bool take_heading(struct str *text)
{
    digest said;
    struct str rest;

    if (!str_starts(*text, HEADING))
        return false;
    rest = str_slice(*text, strlen(HEADING), text->len);
    if (!take_digest(&rest, &said))
        return false;
    *text = rest;
    return digest_bytes(digest_start(), rest.ptr, rest.len) == said;
}

static bool read_entry(struct str text, struct arena *arena, struct entry *entry)
{
    uint64_t count;

    if (!take_heading(&text) || !take_number(&text, &count) ||
        !take_file(&text, &entry->made, &entry->output))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct stamp stamp;
        const char *path;

        if (!take_file(&text, &stamp, &path))
            return false;
        entry_add(arena, entry, path, &stamp);
    }
    entry->text = text;
    return true;
}

bool cache_load(struct cache *cache, digest key, struct arena *arena, struct entry *entry)
{
    const char *name = name_of_key(arena, key);
    struct buf text = {0};
    bool there = file_read_at(cache->fd, name, &text, MANIFEST_MOST) == 0;

    *entry = (struct entry){.output = ""};
    there = there && read_entry(arena_str(arena, buf_str(&text)), arena, entry);
    buf_release(&text);
    return there;
}

static int write_whole(int folder, const char *name, struct str text)
{
    const char *slash = strrchr(name, '/');
    struct arena arena = {0};
    const char *temporary = arena_printf(&arena, TEMPORARY "/%s.%ld", slash + 1, (long)getpid());
    int fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666),
        answer = -1;

    if (fd >= 0)
        answer = fd_write_all(fd, text.ptr, text.len);
    fd_close(&fd);
    if (answer == 0)
        answer = renameat(folder, temporary, folder, name);
    if (answer < 0)
        unlinkat(folder, temporary, 0);
    arena_release(&arena);
    return answer;
}

int cache_save(struct cache *cache, digest key, const struct entry *entry)
{
    struct buf body = {0}, whole = {0};
    struct arena arena = {0};
    char text[DIGEST_TEXT];
    int answer;

    buf_addf(&body, "%" PRIx32 " ", entry->count);
    write_file(&body, &entry->made, entry->output);
    for (uint32_t i = 0; i < entry->count; i++)
        write_file(&body, &entry->files[i].stamp, entry->files[i].path);
    buf_addstr(&body, entry->text);
    digest_format(text, digest_bytes(digest_start(), body.ptr, body.len));
    buf_addf(&whole, HEADING "%s ", text);
    buf_addstr(&whole, buf_str(&body));
    answer = write_whole(cache->fd, name_of_key(&arena, key), buf_str(&whole));
    buf_release(&body);
    buf_release(&whole);
    arena_release(&arena);
    return answer;
}

/* ---- is it as it was ---- */

/* Nobody tidies away what has been used lately. */
static void note_use(struct cache *cache, const char *name)
{
    struct stat st;

    if (fstatat(cache->fd, name, &st, 0) == 0 && clock_wall() - st.st_mtim.tv_sec * NS_PER_S > USED_AFTER)
        utimensat(cache->fd, name, NULL, 0);
}

/* One that has changed this very moment may change again, and would look as it does now. */
static bool is_same(struct stamps *stamps, const char *path, struct stamp *known, bool *touched, bool *moving)
{
    struct stamp now;

    if (stamps_get(stamps, path, known, &now) < 0 || now.content != known->content || now.size != known->size)
        return false;
    *touched |= now.inode != known->inode || now.mtime != known->mtime || now.ctime != known->ctime;
    *moving |= clock_wall() - now.ctime < TICK;
    *known = now;
    return true;
}

bool cache_is_fresh(struct cache *cache, digest key, struct entry *entry, struct stamps *stamps)
{
    struct arena arena = {0};
    bool touched = false, moving = false, fresh = true;

    for (uint32_t i = 0; fresh && i < entry->count; i++)
        fresh = is_same(stamps, entry->files[i].path, &entry->files[i].stamp, &touched, &moving);
    if (fresh && *entry->output) {
        note_use(cache, entry->output);
        fresh = is_same(stamps, cache_path(cache, &arena, entry->output), &entry->made, &touched, &moving);
    }
    if (fresh) {
        if (touched && !moving)
            cache_save(cache, key, entry);
        note_use(cache, name_of_key(&arena, key));
    }
    arena_release(&arena);
    return fresh;
}
