#include "matrix/select/internal.h"

#include "runner/base/hash.h"

#define SHARES_MOST 1000000u

static const char *const kinds[] = {"slice", "hash"};

/* A number of 1 to SHARES_MOST without sign or blanks; `*at` is left behind it. */
static bool read_number(struct str text, size_t *at, uint32_t *number)
{
    size_t from = *at;

    for (*number = 0; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; ++*at) {
        *number = *number * 10 + (uint32_t)(text.ptr[*at] - '0');
        if (*number > SHARES_MOST)
            return false;
    }
    return *at > from && *number > 0;
}

static bool read_kind(const struct select_text *in, size_t *at, bool *hash)
{
    size_t colon;
    const char *near;

    if (str_find(in->text, ":", &colon)) {
        struct str word = str_slice(in->text, 0, colon);

        *at = colon + 1;
        *hash = str_is(word, "hash");
        if (*hash || str_is(word, "slice"))
            return true;
        near = str_nearest(word, kinds, sizeof kinds / sizeof *kinds);
        if (near) {
            select_error(in, 0, "expected slice:M/N or hash:M/N; did you mean '%s'?", near);
            return false;
        }
    }
    select_error(in, 0, "expected slice:M/N or hash:M/N");
    return false;
}

bool partition_parse(const struct select_text *in, struct partition *partition)
{
    size_t at = 0, share_at, count_at;
    uint32_t share, count;

    if (!read_kind(in, &at, &partition->hash))
        return false;
    share_at = at;
    if (!read_number(in->text, &at, &share)) {
        select_error(in, share_at, "expected the number of a share, from 1 to %u", SHARES_MOST);
        return false;
    }
    if (at == in->text.len || in->text.ptr[at] != '/') {
        select_error(in, at, "expected '/' and how many shares there are");
        return false;
    }
    count_at = ++at;
    if (!read_number(in->text, &at, &count)) {
        select_error(in, count_at, "expected how many shares there are, from 1 to %u", SHARES_MOST);
        return false;
    }
    if (at < in->text.len) {
        select_error(in, at, "expected the end behind the number of shares");
        return false;
    }
    if (share > count) {
        select_error(in, share_at, "share %u of %u does not exist; shares count from 1", share, count);
        return false;
    }
    partition->index = share - 1;
    partition->count = count;
    return true;
}

/*
 * FNV-1a of 64 bits, then murmur3's finish, since ids that differ in one digit would differ in few bits. Never to be
 * changed: a case must stay in its share from one version to the next.
 */
static uint64_t stable_hash(struct str id)
{
    uint64_t hash = hash_add(HASH_START, id);

    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccd;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53;
    return hash ^ hash >> 33;
}

bool partition_holds(const struct partition *partition, struct str id, uint64_t ordinal)
{
    uint64_t number = partition->hash ? stable_hash(id) : ordinal;

    return partition->count == 0 || number % partition->count == partition->index;
}
