#include "runner/base/hash.h"
#include "runner/base/mem.h"
#include "runner/store/store.h"

#include <string.h>

#define SLUG_MOST 100
#define HASH_DIGITS \
    12 /* of 5 bits: 10^5 ids that differ only in what was cut are told apart, but for 4 in 10^9 */
#define READABLE (SLUG_MOST - 1 - HASH_DIGITS)

/* No folder may be called so on some file systems, whatever follows after a point. */
static bool is_device(struct str name)
{
    static const char *const words[] = {"con", "prn", "aux", "nul"};
    size_t end = 0;

    while (end < name.len && name.ptr[end] != '.')
        end++;
    name = str_slice(name, 0, end);
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_eq_nocase(name, str_of(words[i])))
            return true;
    return name.len == 4 && name.ptr[3] >= '0' && name.ptr[3] <= '9' &&
           (str_eq_nocase(str_slice(name, 0, 3), str_of("com")) ||
            str_eq_nocase(str_slice(name, 0, 3), str_of("lpt")));
}

static bool is_plain(char c)
{
    return c != '\0' && strchr("abcdefghijklmnopqrstuvwxyz0123456789_.+-=,@%", c);
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* As much of the id as can be read, with one dash for any number of bytes that cannot stand there. */
static void add_readable(struct buf *out, struct str id)
{
    size_t begin = out->len;

    if (is_device(id) || str_starts(id, ".") || str_starts(id, "-"))
        buf_addc(out, '_');
    for (size_t i = 0; i < id.len && out->len - begin < READABLE; i++) {
        char c = id.ptr[i];

        if (is_plain(c) || is_capital(c))
            buf_addc(out, c);
        else if (out->len > begin && out->ptr[out->len - 1] != '-')
            buf_addc(out, '-');
    }
    if (out->len == begin)
        buf_addc(out, '_'); /* a shell would take the tilde for a home */
}

/* Ids that differ in one digit would differ in few bits. */
static uint64_t mixed_hash(struct str text)
{
    uint64_t h = hash_add(HASH_START, text);

    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD;
    return h ^ h >> 33;
}

static void add_hash(struct buf *out, struct str id)
{
    uint64_t bits = mixed_hash(id);

    buf_addc(out, '~');
    for (int i = 0; i < HASH_DIGITS; i++, bits >>= 5)
        buf_addc(out, "abcdefghijklmnopqrstuvwxyz234567"[bits & 31]);
}

/*
 * An id that can stand as it is needs no hash; no other id's slug is the same, for theirs have a "~", which an id that
 * stands as it is has not. Capitals need one: where their case is ignored, so is the difference to another id.
 */
void store_slug(struct buf *out, struct str id)
{
    bool same = id.len && id.len <= READABLE && !str_starts(id, ".") && !str_starts(id, "-") &&
                !str_ends(id, ".") && !is_device(id);

    for (size_t i = 0; i < id.len && same; i++)
        same = is_plain(id.ptr[i]);
    if (same) {
        buf_addstr(out, id);
        return;
    }
    add_readable(out, id);
    add_hash(out, id);
}
