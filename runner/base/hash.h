/*
 * FNV-1a of 64 bits, piece by piece from HASH_START. Never to be changed: shares of a partition and slugs
 * depend on it.
 */
#ifndef RM_BASE_HASH_H
#define RM_BASE_HASH_H

#include "runner/base/str.h"

#include <stdint.h>

#define HASH_START UINT64_C(14695981039346656037)

static inline uint64_t hash_byte(uint64_t hash, unsigned char byte)
{
    return (hash ^ byte) * UINT64_C(1099511628211);
}

static inline uint64_t hash_add(uint64_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = hash_byte(hash, (unsigned char)text.ptr[i]);
    return hash;
}

#endif
